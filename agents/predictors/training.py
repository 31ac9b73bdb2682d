"""The training of one network: truncated back-propagation through chunks of each world's sequence."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F
from torch.optim.adamw import adamw

from lam_env.core.errors import UserError
from lam_env.core.events import Vocabulary
from lam_env.core.progress import Note, Report
from lam_env.logs.decision_points import DecisionPoints

from ..plain import generators, set_generators
from .augment import augmented
from .cores import PredictorNetwork
from .features import Featuriser
from .likelihood import Split, marginal_nll, mean_nll, recent
from .network import Predictor
from .settings import PredictorSettings

BEATEN = 0.02  # [nats] by which the marginal has to be beaten before training may stop: a plateau lies just below it
PASSES_IN_VAIN = 4  # where no patience is given
LEAST_APART = 8  # updates between two looks at the validation likelihood, at least


class Chunks:
    """The training log as tensors, cut anew into chunks for every pass."""

    def __init__(
        self, train: DecisionPoints, featuriser: Featuriser, settings: PredictorSettings, device: torch.device
    ):
        self.featuriser, self.device = featuriser, device
        self.augment, self.train, self.half_life = settings.augment, train, settings.half_life
        self._take(train)
        # a transformer never sees more than its context
        self.window = min(settings.window, settings.context) if settings.core == "transformer" else settings.window
        self.burn_in = 0 if settings.core in ("transformer", "mlp") else settings.burn_in
        self.batch = settings.batch

    def _take(self, rows: DecisionPoints) -> None:
        self.tokens = torch.from_numpy(np.asarray(rows.tokens, np.int64)).to(self.device)
        self.features = torch.from_numpy(self.featuriser.read(rows)).to(self.device)
        self.target = torch.from_numpy(np.asarray(rows.target, np.int64)).to(self.device)
        self.soon = None if rows.soon is None else torch.from_numpy(rows.soon).to(self.device)
        self.bounds = np.r_[rows.starts(), len(rows)]
        weight = recent(rows, self.half_life)
        self.weight = None if weight is None else torch.from_numpy(weight).to(self.device)

    def some(self, rng: np.random.Generator, n: int) -> tuple[torch.Tensor, torch.Tensor]:
        """n chunks that begin anywhere: rows (n, L), and which of them are scored (n, L)."""
        start = rng.integers(0, self.bounds[-1], n)
        end = np.minimum(start + self.window, self.bounds[np.searchsorted(self.bounds, start, side="right")])
        rows = start[:, None] + np.arange((end - start).max())
        real = rows < end[:, None]
        rows = np.minimum(rows, end[:, None] - 1)
        return torch.from_numpy(rows).to(self.device), torch.from_numpy(real).to(self.device)

    def batches(self, rng: np.random.Generator) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Rows (B, L) and which of them are scored (B, L), for one pass: every row once, offsets drawn anew, and rows
        too where they are augmented. A chunk begins with up to `burn_in` rows that only warm the memory up."""
        if self.augment:
            self._take(augmented(self.train, self.augment, rng))
        first, end, warm = [], [], []
        for a, b in zip(self.bounds[:-1].tolist(), self.bounds[1:].tolist(), strict=True):
            cuts = np.unique(np.r_[a, np.arange(a + rng.integers(1, self.window + 1), b, self.window), b])
            first.append(cuts[:-1])
            end.append(cuts[1:])
            warm.append(np.maximum(cuts[:-1] - self.burn_in, a))
        starts, ends, firsts = np.concatenate(warm), np.concatenate(end), np.concatenate(first)
        order = rng.permutation(len(starts))
        out = []
        for i in range(0, len(order), self.batch):
            mine = order[i : i + self.batch]
            rows = starts[mine, None] + np.arange((ends - starts)[mine].max())
            real = (rows >= firsts[mine, None]) & (rows < ends[mine, None])
            rows = np.minimum(rows, ends[mine, None] - 1)
            out.append((torch.from_numpy(rows).to(self.device), torch.from_numpy(real).to(self.device)))
        return out


class Fit:
    """The training of one network: passes over the log, whose best weights are kept."""

    def __init__(self, net: PredictorNetwork, data: Chunks, vocabulary: Vocabulary, rng: np.random.Generator):
        s = net.settings
        self.net, self.data, self.rng = net, data, rng
        self.judge = Predictor(vocabulary, data.featuriser, s)  # draws weights, which are not used
        # all weights in one: an update is a few operations, and not as many for each layer
        self.layers = list(net.parameters())
        self.weights = _joined(self.layers)
        # of AdamW: mean gradient, mean square, updates. Its class would load torch's compiler, which takes seconds
        self.moments = [torch.zeros_like(self.weights), torch.zeros_like(self.weights), torch.zeros(())]
        self.average = self.weights.clone() if s.average else None
        self.judge.nets = torch.nn.ModuleList([copy.deepcopy(net) if s.average else net])
        self.best, self.best_weights = math.inf, dict[str, torch.Tensor]()
        self.best_at, self.looked_at = (0, 0), 0  # the pass and the update of the best; the update of the last look
        self.passes, self.batches, self.updates = 0, 0, 0  # whole passes, batches of the one going on; all updates
        self._order = self.rng.bit_generator.state  # before the pass that is going on was drawn

    def state_dict(self) -> dict[str, object]:
        return {
            "weights": self.weights,
            "moments": self.moments,
            "average": self.average,
            "best": [self.best, self.best_weights, *self.best_at, self.looked_at],
            "done": [self.passes, self.batches, self.updates],
            "order": self._order,
            "torch": generators(self.data.device),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.weights.copy_(state["weights"])
        _set(self.layers, self.weights)
        for moment, kept in zip(self.moments, state["moments"], strict=True):
            moment.copy_(kept)
        if self.average is not None:
            self.average.copy_(state["average"])
        self.best, self.best_weights, *best_at, self.looked_at = state["best"]
        self.best_at = best_at[0], best_at[1]
        self.passes, self.batches, self.updates = state["done"]
        self.rng.bit_generator.state = state["order"]
        set_generators(self.data.device, state["torch"])

    def run(self, split: Split, stage: str, progress: Report, keep: Callable[[], None]) -> PredictorNetwork:
        """Until `split` is read no better. `keep` is called after each batch, when nothing is half done."""
        s, net = self.net.settings, self.net
        target = split.reading.target[split.judged]
        enough = marginal_nll(np.asarray(split.train.target), target, net.n_actions) - BEATEN
        last_note, note, total = 0.0, Note(), 1
        while self.passes < s.passes and not (self.best < enough and self._in_vain()):
            net.train()
            self._order = self.rng.bit_generator.state
            batches = self.data.batches(self.rng)
            total = s.passes * len(batches)
            for rows, real in batches[self.batches :]:
                done = self.passes * len(batches) + self.batches
                self._step(rows, real, _rate(done, total, s.schedule))
                self.batches, self.updates = self.batches + 1, self.updates + 1
                if (now := time.monotonic()) - last_note > 0.2:
                    last_note = now
                    progress(stage, done, total, note)
                keep()
            self.passes, self.batches = self.passes + 1, 0
            if self.updates - self.looked_at >= LEAST_APART or self.passes == s.passes:
                score = self._look(split, target)
                text = f"pass {self.passes}, validation NLL {score:.4f} nats (best {self.best:.4f})"
                note = Note(text, {"validation_nll": score}, self.passes)
                progress(stage, self.passes * len(batches), total, note)
        if not self.best_weights:
            raise UserError("pre-training diverged in its first pass; lower learning_rate or look for broken readings")
        net.load_state_dict(self.best_weights)
        progress(stage, self.updates, self.updates, note)
        return net.eval()

    def _in_vain(self) -> bool:
        at_pass, at_update = self.best_at
        if patience := self.net.settings.patience:
            return self.updates - at_update >= patience
        return self.passes - at_pass >= PASSES_IN_VAIN

    def _look(self, split: Split, target: np.ndarray) -> float:
        if self.average is not None:
            _set(self.judge.nets.parameters(), self.average)
        self.judge.nets.eval()
        score = mean_nll(self.judge.read(split.reading, hidden=False).next[split.judged], target)
        self.looked_at = self.updates
        if score < self.best:
            self.best, self.best_at = score, (self.passes, self.updates)
            self.best_weights = {k: v.detach().clone() for k, v in self.judge.nets[0].state_dict().items()}
        return score

    def _step(self, rows: torch.Tensor, real: torch.Tensor, rate: float) -> None:
        s = self.net.settings
        for layer in self.layers:
            layer.grad = None
        chunk_loss(self.net, self.data, rows, real).backward()
        torch.nn.utils.clip_grad_norm_(self.layers, 1.0)
        gradient = _joined([torch.zeros_like(layer) if layer.grad is None else layer.grad for layer in self.layers])
        mean, square, updates = self.moments
        adamw(
            [self.weights],
            [gradient],
            [mean],
            [square],
            [],
            [updates],
            foreach=False,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=s.learning_rate * rate,
            weight_decay=s.weight_decay,
            eps=1e-8,
            maximize=False,
        )
        _set(self.layers, self.weights)
        if self.average is not None:  # it begins with the network as it was made, and forgets that soon
            self.average.lerp_(self.weights, 1 - min(s.average, (2 + self.updates) / (11 + self.updates)))


def _joined(layers: Sequence[torch.Tensor]) -> torch.Tensor:
    return torch.cat([layer.detach().ravel() for layer in layers])


@torch.no_grad()
def _set(layers: Iterable[torch.Tensor], weights: torch.Tensor) -> None:
    """The numbers of `_joined` back into their layers."""
    layers = list(layers)
    for layer, part in zip(layers, weights.split([layer.numel() for layer in layers]), strict=True):
        layer.copy_(part.view_as(layer))


def _rate(done: int, total: int, schedule: str) -> float:
    warm = min(1.0, (done + 1) / min(100, max(1, total // 20)))
    return warm if schedule == "constant" else warm * 0.5 * (1 + math.cos(math.pi * done / total))


@cache
def bfloat16_on(device: torch.device) -> bool:
    """Whether the networks can be trained in bfloat16 there: some processors know no such step of an LSTM."""
    with torch.random.fork_rng(devices=[]):  # nothing is drawn from the generators of whoever asks
        net = torch.nn.LSTM(8, 8, batch_first=True).to(device)
    try:
        with torch.autocast(device.type, dtype=torch.bfloat16):
            net(torch.zeros(2, 2, 8, device=device))[0].sum().backward()
    except RuntimeError:
        return False
    return True


def chunk_loss(net: PredictorNetwork, data: Chunks, rows: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """Cross-entropy [nats] of what comes next in the rows (B, L) that are `real`, late ones before others, and of what
    comes soon."""
    s = net.settings
    with torch.autocast(data.device.type, dtype=torch.bfloat16, enabled=s.autocast and bfloat16_on(data.device)):
        logits, soon, _, _ = net(data.tokens[rows], data.features[rows])
    rows = rows[real]
    each = F.cross_entropy(logits[real].float(), data.target[rows], label_smoothing=s.label_smoothing, reduction="none")
    loss = each.mean() if data.weight is None else (each * data.weight[rows]).sum() / data.weight[rows].sum()
    if data.soon is not None:
        loss = loss + F.binary_cross_entropy_with_logits(soon[real].float(), data.soon[rows].float())
    return loss
