"""Policy heads: how the prior's probabilities become a distribution over agent actions. The scenario's `interaction` picks one."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lam_env.errors import UserError

from .features import Layout

TEMPERATURE, GAIN, COST, LEAST = 0.08, 1.2, 0.5, 0.1
NEVER = -1e9


def network(n_in: int, hidden: tuple[int, ...], n_out: int, zero: bool) -> nn.Sequential:
    """An MLP with Tanh; `zero`: its last layer starts at zero."""
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(n_in, width), nn.Tanh()]
        n_in = width
    last = nn.Linear(n_in, n_out)
    if zero:
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
    return nn.Sequential(*layers, last)


class AnticipationHead(nn.Module):
    """logit(a) = (g q - c (1 - q)) / T and 0 for none; q is the probability that doing a now is in time.

    g and c are 1.2 and .5 plus a correction that depends on the state and starts at zero, so training starts at the plug-in
    policy. Commands with q < .1 are not considered: an argmax over values would pick commands never tried.
    """

    def __init__(self, layout: Layout, hidden: tuple[int, ...] = (64,)):
        super().__init__()
        self.layout = layout
        a = layout.n_actions
        self.correction = network(layout.n_rest + a, hidden, 2 * a, zero=True)

    def forward(self, x: Tensor) -> Tensor:
        """(N, layout.size) -> logits (N, A), impossible actions at -1e9."""
        a = self.layout.n_actions
        q, mask = x[:, :a], x[:, 2 * a : 3 * a]
        correction = self.correction(torch.cat([x[:, 3 * a :], q], 1))
        gain, cost = GAIN + correction[:, :a], COST + correction[:, a:]
        value = (gain * q - cost * (1 - q)) / TEMPERATURE
        logits = torch.where((mask > 0) & (q >= LEAST), value, torch.full_like(value, NEVER))
        return torch.cat([torch.zeros_like(logits[:, :1]), logits[:, 1:]], 1)


class PlainHead(nn.Module):
    """Logits by a network on everything, with the mask: a policy from scratch."""

    def __init__(self, layout: Layout, hidden: tuple[int, ...] = (128, 128)):
        super().__init__()
        self.layout = layout
        self.net = network(layout.n_rest, hidden, layout.n_actions, zero=True)

    def forward(self, x: Tensor) -> Tensor:
        a = self.layout.n_actions
        logits = self.net(x[:, 3 * a :])
        possible = torch.cat([torch.ones_like(logits[:, :1]), x[:, 2 * a + 1 : 3 * a]], 1) > 0
        return torch.where(possible, logits, torch.full_like(logits, NEVER))


HEADS: dict[str, type[nn.Module]] = {"anticipate": AnticipationHead}


def head_for(interaction: str) -> type[nn.Module]:
    if interaction not in HEADS:
        raise UserError(f"no policy head for interaction {interaction!r}; there are {', '.join(HEADS)}")
    return HEADS[interaction]
