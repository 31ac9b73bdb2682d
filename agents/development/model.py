"""`ChoiceModel`: probabilities of the options on offer, and how it is fitted."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from lam_env.core.errors import UserError
from lam_env.core.progress import Report, silent
from lam_env.logs.choices import NAMES, Choices

from ..predictors.network import one_thread
from .network import ChoiceNetwork, ChoiceSettings, OfferBatch

Passes = Callable[[int, str], None]  # told how many are done, and a note
_AT_ONCE = 4096  # choices


class ChoiceModel:
    """P(option | offered set, state). Knows options, numbers, things and traits by name; `networks` are averaged."""

    def __init__(self, names: Mapping[str, tuple[str, ...]], settings: ChoiceSettings):
        self.names, self.settings = names, settings
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.networks = nn.ModuleList(self.network() for _ in range(settings.members)).eval()

    def network(self) -> ChoiceNetwork:
        """A fresh one of the model's sizes."""
        options, numbers, things, traits = (len(self.names[what]) for what in NAMES)
        return ChoiceNetwork(options, numbers, things, traits, self.settings)

    def probabilities(self, choices: Choices) -> np.ndarray:
        """(n, K) float64, rows summing to 1, 0 where nothing is on offer."""
        for name, own in self.names.items():
            if getattr(choices, name) != own:
                raise UserError(f"development: the choices' {name} are not those of the model; fit it anew")
        total = np.zeros(choices.offered.shape)
        with torch.no_grad(), one_thread():
            for rows in np.split(np.arange(len(choices)), range(_AT_ONCE, len(choices), _AT_ONCE)):
                batch = OfferBatch(choices.select(rows))
                for network in self.networks:
                    total[rows] += torch.softmax(network(batch).double(), -1).numpy()
        return total / len(self.networks)


def fit_choices(
    train: Choices, valid: Choices, settings: ChoiceSettings | None = None, seed: int = 0, progress: Report = silent
) -> ChoiceModel:
    """Fits each member to `train` up to the pass that reads `valid` best, then (`refit`) for so many to both.

    The same seed gives the same weights to the bit.
    """
    if not len(train) or not len(valid):
        raise UserError(f"development: {len(train)} choices to train on, {len(valid)} to validate; give more")
    s = settings or ChoiceSettings()
    model = ChoiceModel(train.names(), s)
    first, second, both = OfferBatch(train), OfferBatch(valid), OfferBatch(train.joined(valid))
    with one_thread(), torch.random.fork_rng(devices=[]):
        for member in range(s.members):
            stage = "development" if s.members == 1 else f"development {member + 1}/{s.members}"

            def report(done: int, note: str, stage: str = stage) -> None:
                progress(f"{stage} [passes]", done, s.passes * (1 + s.refit), note)

            torch.manual_seed(1000 * seed + member)
            best, passes = _train(model, first, second, seed, member, s.passes, report)
            note = f"validation NLL {best:.4f}, pass {passes}"
            if s.refit:
                torch.manual_seed(1000 * seed + member)
                _train(model, both, None, seed, member, passes, report)
            report(s.passes * (1 + s.refit), note)
    model.networks.eval()
    return model


def _train(
    model: ChoiceModel, data: OfferBatch, valid: OfferBatch | None, seed: int, member: int, passes: int, report: Passes
) -> tuple[float, int]:
    """Trains a member afresh, on torch's seed; best validation NLL [nats] and its pass, whose weights stay (without
    `valid` those of the last)."""
    rng, s = np.random.default_rng([seed, member]), model.settings
    network = model.network()
    model.networks[member] = network
    optimiser = torch.optim.Adam(network.parameters(), s.learning_rate)
    n, best, weights, at = len(data.chosen), math.inf, None, passes
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
                weights = {name: value.clone() for name, value in network.state_dict().items()}
            report(number, f"validation NLL {score:.4f} (best {best:.4f})")
    if valid is not None and weights is None:
        raise UserError("development: training diverged in its first pass; lower learning_rate")
    if weights is not None:
        network.load_state_dict(weights)
    return best, at
