"""How a household takes an act, learned from thousands of answers: a small network on what it has answered so far."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .heard import COUNTS

FEATURES = 5 + 2 + COUNTS + 2  # see `AnswerNet.features`
SHRINK = 2.0  # pseudo-counts of the guess that the network corrects
LEAST = 1e-4  # probability, so that there is a logarithm
PARTS = 6  # parts of the day by which acceptance in general is counted, four hours each


class AnswerNet(nn.Module):
    """Probabilities that an act is accepted, refused, or in vain.

    The guess is counted, as in `PlugInKind`: q times what this household has accepted of its kind in this part of the
    day, shrunk to what households in general accept, and so on. A network of one hidden layer, the same
    for all actions, corrects the logarithms of the guess. Its last layer starts at zero: untrained it is the guess.
    """

    def __init__(self, n_actions: int, width: int = 32, own: int = 4):
        super().__init__()
        self.register_buffer("accepted", torch.full((PARTS, n_actions), 0.9))  # in general, as `PlugIn.acceptance`
        self.own = nn.Parameter(torch.zeros(n_actions, own))  # what is learned of single actions
        self.hidden = nn.Linear(FEATURES + own, width)
        self.out = nn.Linear(width, 2)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def features(self, q: Tensor, part: Tensor, answered: Tensor, counts: Tensor) -> Tensor:
        """(N, A, FEATURES). q (N, A): probability that the act is wanted; part (N, PARTS): one-hot; answered (N, 2, A):
        how often each action was accepted and refused; counts (N, COUNTS, A): those of its kind, see `HeardByKind`."""
        general = (part @ self.accepted).clamp(0.02, 0.98)
        accepted, refused, ever_accepted, ever_refused = counts.unbind(1)
        now = (accepted + SHRINK * general) / (accepted + refused + SHRINK)
        ever = (ever_accepted + SHRINK * general) / (ever_accepted + ever_refused + SHRINK)
        q = q.clamp(LEAST, 1 - LEAST)
        good = (q * now).clamp(LEAST)
        guess = [p.clamp(LEAST).log() for p in (good, q - good, 1 - q)]
        logits = [torch.logit(p, 0.01) for p in (general, ever)]
        everything = torch.log1p(answered.sum(2, keepdim=True)).expand(-1, -1, q.shape[1]).unbind(1)
        counted = torch.log1p(torch.cat([answered, counts], 1)).unbind(1)
        return torch.stack([*guess, *logits, *counted, *everything], 2)

    def forward(self, x: Tensor, action: Tensor | None = None) -> Tensor:
        """Log-probabilities (..., 3) of `features` (N, A, FEATURES), or (n, FEATURES) of `action` (n,)."""
        own = self.own.expand(len(x), -1, -1) if action is None else self.own[action]
        more = self.out(torch.tanh(self.hidden(torch.cat([x, own], -1))))
        return torch.log_softmax(torch.cat([x[..., :2] + more, x[..., 2:3]], -1), -1)
