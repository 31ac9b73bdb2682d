"""How a household takes an act, learned from thousands of answers: a small network on what it has answered so far."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .heard import ANSWERS, COUNTS

OUTCOMES = 4  # accepted, rejected, overridden, in vain
FEATURES = OUTCOMES + 3 + COUNTS  # see `AnswerNet.features`
SHRINK = 1.0  # pseudo-counts of the guess that the network corrects
LEAST = 1e-4  # probability, so that there is a logarithm
PARTS = 6  # parts of the day by which households in general are counted, four hours each


class AnswerNet(nn.Module):
    """Probabilities of what an act comes to.

    The guess is counted, as in `PlugInKind`. A network of one hidden layer, the same for all actions but for a few
    numbers of each one's own, corrects its logarithms. Its last layer starts at zero: untrained it is the guess.
    """

    acceptance: Tensor  # in general, as `PlugIn` has it

    def __init__(self, n_actions: int, width: int = 32, own: int = 8):
        super().__init__()
        self.register_buffer("acceptance", torch.full((PARTS, n_actions), 0.9))
        self.own = nn.Parameter(torch.zeros(n_actions, own))
        self.hidden = nn.Linear(FEATURES + own, width)
        self.out = nn.Linear(width, OUTCOMES - 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def features(self, q: Tensor, part: Tensor, counts: Tensor) -> Tensor:
        """(N, A, FEATURES). q (N, A): probability that the act is in time, as the prior says; part (N, PARTS): one-hot;
        counts (N, COUNTS, A): see `AnswerCounts.by_kind`."""
        general = part @ self.acceptance
        now, ever = ((some[:, 0] + SHRINK * general) / (some.sum(1) + SHRINK) for some in counts.split(ANSWERS, dim=1))
        refused = q * (1 - now) / 2  # of either kind
        guess = [q * now, refused, refused, 1 - q]
        logs = [p.clamp(LEAST, 1.0).log() for p in guess]
        return torch.stack(
            [*logs, *(torch.logit(p, 0.01) for p in (q, general, ever)), *torch.log1p(counts).unbind(1)], 2
        )

    def forward(self, x: Tensor, action: Tensor | None = None) -> Tensor:
        """Log-probabilities (..., OUTCOMES) of `features` (N, A, FEATURES), or (n, FEATURES) of `action` (n,)."""
        own = self.own.expand(len(x), -1, -1) if action is None else self.own[action]
        more = self.out(torch.tanh(self.hidden(torch.cat([x, own], -1))))
        guess = x[..., :OUTCOMES]
        return torch.log_softmax(torch.cat([guess[..., :-1] + more, guess[..., -1:]], -1), -1)
