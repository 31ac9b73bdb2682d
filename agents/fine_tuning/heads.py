"""Policy heads: from the prior's probabilities to a distribution over agent actions. A structured one for each
`interaction`, and a plain one."""

from __future__ import annotations

import math

import torch
from stable_baselines3.common.torch_layers import create_mlp
from torch import Tensor, nn

from lam_env.core.errors import UserError
from lam_env.core.tuning import TrainSettings

from ..advice.plugin import FEATURES, AdvicePlugIn, moved, willingness
from ..memory.network import OUTCOMES, PARTS, AnswerNet
from ..plugin import LEAST, Prices
from .features import Layout

TEMPERATURE = TrainSettings.temperature
SILENT = 7.0  # logit of none at a silent start: of some twenty possible actions one decision in sixty is an act
NEVER = -1e9


def network(n_in: int, hidden: tuple[int, ...], n_out: int) -> nn.Sequential:
    """An MLP with Tanh whose last layer starts at zero."""
    layers = create_mlp(n_in, n_out, list(hidden), nn.Tanh)
    for parameter in layers[-1].parameters():
        nn.init.zeros_(parameter)
    return nn.Sequential(*layers)


class AnticipationHead(nn.Module):
    """Expected utility of doing for a person what they are about to do: logit(a) = value(a) / T, and 0 for none.

    q, the probability that doing a now is in time, lies between the prior's `next` and `soon`: near next for quick
    devices and near soon for slow ones, by how much is learned. What an act comes to `answers` says, from what the
    household has answered so far; value is what that is worth in the mean. All of it is corrected by a network on the
    state that starts at zero. Commands with q < `LEAST` are not considered.
    """

    paid: Tensor  # what each outcome is worth

    def __init__(self, layout: Layout, hidden: tuple[int, ...] = (64,)):
        super().__init__()
        self.layout = layout
        a = layout.n_actions
        # logit of how far q leans to soon
        self.leaning = nn.Parameter(torch.tensor([6.0 * slow - 3 for slow in layout.slow]))
        self.answers = AnswerNet(a).requires_grad_(False)  # answers tell more of it than returns do
        self.correction = network(layout.n_rest + 2 * a, hidden, 4 * a)
        self.register_buffer("paid", torch.zeros(OUTCOMES))
        self.register_buffer("temperature", torch.tensor(TEMPERATURE))

    def pay(self, prices: Prices) -> None:
        """What the reward pays."""
        self.paid.copy_(torch.tensor([prices.gain, -prices.rejection, -prices.override, -prices.nuisance]))

    def answer_features(self, x: Tensor, leaning: Tensor | float = 0.0) -> tuple[Tensor, Tensor]:
        """q (N, A), and what `answers` goes by (N, A, FEATURES); `leaning` (N, A) corrects q."""
        a, layout = self.layout.n_actions, self.layout
        soonest, soon = x[:, :a], x[:, a : 2 * a]
        q = soonest + torch.sigmoid(self.leaning + 3 * leaning) * (soon - soonest).clamp_min(0)
        return q, self.answers.features(q, x[:, layout.rest : layout.rest + PARTS], layout.counts(x))

    def forward(self, x: Tensor) -> Tensor:
        """(N, layout.size) -> logits (N, A), impossible actions at -1e9."""
        a = self.layout.n_actions
        correction = self.correction(torch.cat([x[:, self.layout.rest :], x[:, : 2 * a]], 1))
        gain, cost, leaning, welcome = correction.chunk(4, 1)
        q, features = self.answer_features(x, leaning)
        said = self.answers(features)
        moved = torch.cat([said[..., :1] + 3 * welcome[..., None], said[..., 1:]], -1)
        outcome = torch.softmax(moved, -1)
        accepted = outcome[..., 0]
        value = (outcome @ self.paid + gain * accepted - cost * (1 - accepted)) / self.temperature
        logits = torch.where((x[:, 2 * a : 3 * a] > 0) & (q >= LEAST), value, torch.full_like(value, NEVER))
        return torch.cat([torch.zeros_like(logits[:, :1]), logits[:, 1:]], 1)


class PlainHead(nn.Module):
    """Logits by a network on all that the critic sees too, with the mask."""

    def __init__(self, layout: Layout, hidden: tuple[int, ...] = (128, 128)):
        super().__init__()
        self.layout = layout
        self.net = network(layout.n_seen, hidden, layout.n_actions)

    def be_silent(self) -> None:
        """Makes none likelier than all else."""
        list(self.net.parameters())[-1].data[0] = SILENT

    def forward(self, x: Tensor) -> Tensor:
        a = self.layout.n_actions
        logits = self.net(self.layout.seen(x))
        possible = torch.cat([torch.ones_like(logits[:, :1]), x[:, 2 * a + 1 : 3 * a]], 1) > 0
        return torch.where(possible, logits, torch.full_like(logits, NEVER))


class AdviceHead(nn.Module):
    """Expected uplift of changing what a person does: logit(a) = value(a) / T, and 0 for none.

    value = moved (worth - what they would do is worth) - nag + what the answer is rewarded with, worth the sum of its
    kinds, each by its weight, as in `advice.plugin`; acceptance and the answer's reward are logits on few features that
    all actions share, and an intercept of each. Acceptance and worth of each action are corrected by a network on the
    state that starts at zero, so training starts at the plug-in policy (`start_from`). Where no reading tells worths,
    each action has a counted one (`flat`), and advice begins with a handicap of log A: most moments are none for
    advice, and who is advised at all of them leaves before anything is learned.
    """

    paid: Tensor  # best and worst reward of an answer

    def __init__(self, layout: Layout, hidden: tuple[int, ...] = (64,)):
        super().__init__()
        self.layout = layout
        self.follow, self.upset = (nn.Parameter(torch.zeros(len(FEATURES))) for _ in range(2))
        self.follow_by, self.upset_by = (nn.Parameter(torch.zeros(layout.n_actions)) for _ in range(2))
        self.register_buffer("paid", torch.zeros(2))
        self.weights = nn.Parameter(torch.zeros(len(layout.worths)))
        self.nag = nn.Parameter(torch.tensor(0.0))
        self.flat = nn.Parameter(torch.zeros(layout.n_actions))
        self.handicap = 0.0 if layout.worths else math.log(layout.n_actions)
        self.register_buffer("temperature", torch.tensor(TEMPERATURE))
        self.correction = network(layout.n_rest + layout.n_actions, hidden, 2 * layout.n_actions + 1)

    def start_from(self, plugin: AdvicePlugIn) -> None:
        """Take over what a plug-in has learned."""
        with torch.no_grad():
            for name in ("follow", "follow_by", "upset", "upset_by"):
                getattr(self, name).copy_(torch.as_tensor(getattr(plugin.answers, name), dtype=torch.float32))
            self.paid.copy_(torch.tensor([plugin.answers.best, plugin.answers.worst]))
            self.weights.copy_(torch.tensor([plugin.weights.get(kind, 0.0) for kind in self.layout.worths]))
            self.nag.fill_(plugin.nag)
            self.flat.copy_(torch.as_tensor(plugin.flat, dtype=torch.float32))

    def forward(self, x: Tensor) -> Tensor:
        """(N, layout.size) -> logits (N, A), impossible actions at -1e9."""
        a, layout = self.layout.n_actions, self.layout
        p, _, mask, accepted, refused = x[:, : 5 * a].chunk(5, 1)
        worths = x[:, layout.worth : layout.rest - 1].reshape(len(x), len(layout.worths), a)
        own = worths[:, layout.worths.index("own")] if "own" in layout.worths else torch.zeros_like(p)
        willing, more, cost = self.correction(torch.cat([x[:, layout.rest :], p], 1)).split([a, a, 1], 1)
        answers = willingness(p, own, accepted, refused, x[:, layout.rest - 1 : layout.rest], layout.counts(x), torch)
        acceptance = torch.sigmoid(answers @ self.follow + self.follow_by + 3 * willing)
        best, worst = self.paid
        answer = best + (worst - best) * torch.sigmoid(answers @ self.upset + self.upset_by)
        total = torch.einsum("nka,k->na", worths, self.weights) + self.flat + more
        gain = total - (p * total).sum(1, keepdim=True)
        value = (moved(acceptance, p) * gain - self.nag + answer - cost) / self.temperature - self.handicap
        logits = torch.where(mask > 0, value, torch.full_like(value, NEVER))
        return torch.cat([torch.zeros_like(logits[:, :1]), logits[:, 1:]], 1)


STRUCTURED: dict[str, type[nn.Module]] = {"anticipate": AnticipationHead, "advise": AdviceHead}
HEADS = {**STRUCTURED, "plain": PlainHead}


def head_for(interaction: str) -> type[nn.Module]:
    """The structured one."""
    if interaction not in STRUCTURED:
        raise UserError(f"no policy head for interaction {interaction!r}; there are {', '.join(STRUCTURED)}")
    return STRUCTURED[interaction]
