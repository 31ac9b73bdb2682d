"""`ChoiceModel`: probabilities of the options on offer, and how it is fitted."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from lam_env.core.errors import UserError
from lam_env.core.progress import Report, silent
from lam_env.logs.choices import Choices

from ..predictors.network import one_thread
from .network import ChoiceNetwork, ChoiceSettings, OfferBatch

_AT_ONCE = 4096  # choices


class ChoiceModel:
    """P(option | offered set, state). Knows options, numbers, things and traits by name; `networks` are averaged."""

    def __init__(
        self,
        options: tuple[str, ...],
        numbers: tuple[str, ...],
        things: tuple[str, ...],
        traits: tuple[str, ...],
        settings: ChoiceSettings,
    ):
        self.names = {"options": options, "numbers": numbers, "things": things, "traits": traits}
        self.settings = settings
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.networks = nn.ModuleList(self.network() for _ in range(settings.members)).eval()

    @classmethod
    def like(cls, choices: Choices, settings: ChoiceSettings) -> ChoiceModel:
        return cls(choices.options, choices.numbers, choices.things, choices.traits, settings)

    def network(self) -> ChoiceNetwork:
        """A fresh one of the model's sizes."""
        options, numbers, things, traits = (len(own) for own in self.names.values())
        return ChoiceNetwork(options, numbers, things, traits, self.settings)

    def probabilities(self, choices: Choices) -> np.ndarray:
        """(n, K) float64, rows summing to 1, 0 where nothing is on offer."""
        for name, own in self.names.items():
            if getattr(choices, name) != own:
                raise UserError(
                    f"development: the choices' {name} are not those that the model has learnt; fit it anew"
                )
        total = np.zeros(choices.offered.shape)
        with torch.no_grad(), one_thread():
            for first in range(0, len(choices), _AT_ONCE):
                part = slice(first, first + _AT_ONCE)
                batch = OfferBatch(choices.select(np.arange(len(choices))[part]))
                for network in self.networks:
                    total[part] += torch.softmax(network(batch).double(), -1).numpy()
        return total / len(self.networks)


def fit_choices(
    train: Choices,
    valid: Choices,
    settings: ChoiceSettings | None = None,
    seed: int = 0,
    progress: Report = silent,
) -> ChoiceModel:
    """Fits each member to `train` up to the pass that reads `valid` best, then (`refit`) anew to both for so many passes.

    The same seed gives the same weights to the bit.
    """
    if not len(train) or not len(valid):
        raise UserError(f"development: {len(train)} choices to train on, {len(valid)} to validate; give more")
    s = settings or ChoiceSettings()
    model = ChoiceModel.like(train, s)
    first, second = OfferBatch(train), OfferBatch(valid)
    both = OfferBatch(train)
    for name, tensor in vars(second).items():
        setattr(both, name, torch.cat([getattr(first, name), tensor]))
    with one_thread():
        for member in range(s.members):
            stage = "development" if s.members == 1 else f"development {member + 1}/{s.members}"

            def report(done: int, note: str, stage: str = stage) -> None:
                progress(f"{stage} [passes]", done, s.passes * (1 + s.refit), note)

            best, passes = _train(model, first, second, seed, member, s.passes, report)
            note = f"validation NLL {best:.4f}, pass {passes}"
            if s.refit:
                _train(model, both, None, seed, member, passes, report)
            report(s.passes * (1 + s.refit), note)
    model.networks.eval()
    return model


def _train(
    model: ChoiceModel,
    data: OfferBatch,
    valid: OfferBatch | None,
    seed: int,
    member: int,
    passes: int,
    report: Callable[[int, str], None],
) -> tuple[float, int]:
    """Trains a member afresh; best validation NLL [nats] and its pass, whose weights are kept (the last ones without `valid`)."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1000 * seed + member)
        return _passes(model, data, valid, np.random.default_rng([seed, member]), member, passes, report)


def _passes(
    model: ChoiceModel,
    data: OfferBatch,
    valid: OfferBatch | None,
    rng: np.random.Generator,
    member: int,
    passes: int,
    report: Callable[[int, str], None],
) -> tuple[float, int]:
    s = model.settings
    network = model.network()
    model.networks[member] = network
    optimiser = torch.optim.Adam(network.parameters(), s.learning_rate)
    n, best, kept, at = len(data.chosen), math.inf, None, passes
    for number in range(passes):
        network.train()
        for group in optimiser.param_groups:
            group["lr"] = s.learning_rate * 0.5 * (1 + math.cos(math.pi * number / s.passes))
        for rows in torch.from_numpy(rng.permutation(n)).split(min(s.batch, max(16, n // 30))):
            part = data[rows]
            loss = F.cross_entropy(network(part), part.chosen) + network.penalty() / n
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
        network.eval()
        if valid is not None:
            with torch.no_grad():
                score = float(F.cross_entropy(network(valid), valid.chosen))
            if score < best:
                best, at = score, number + 1
                kept = {name: value.clone() for name, value in network.state_dict().items()}
            report(number, f"validation NLL {score:.4f} (best {best:.4f})")
    if valid is not None and kept is None:
        raise UserError("development: training diverged in its first pass; lower learning_rate")
    if kept is not None:
        network.load_state_dict(kept)
    return best, at
