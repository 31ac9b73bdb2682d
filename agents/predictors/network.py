"""The neural predictor: one class, four cores, reads whole logs in torch and steps in NumPy."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from lam_env.core.contracts import Prediction
from lam_env.core.events import Vocabulary
from lam_env.logs.decision_points import BAG, DecisionPoints

from ..states import fresh
from .cores import Memory, PredictorNetwork
from .fast import Cell, fast
from .features import Featuriser
from .settings import PredictorSettings

_WORLDS = 64  # worlds read side by side
_STRETCH = 512  # decision points of each read at once


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """One torch thread inside: two are many times slower on a busy machine, and the order of sums stays fixed."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@dataclass
class NetworkState:
    """The memory of n streams; all zero is a fresh one. M members of width H, V tokens, window W (transformer only).

    h, c (n, M H) float32; last (n, V) int64, today (n, V) float32, day (n,) int64 as in `Featuriser.step`;
    tokens (n, W, BAG) int64, features (n, W, F) float32, filled (n,) int64: the transformer's window.
    """

    h: np.ndarray
    c: np.ndarray
    last: np.ndarray
    today: np.ndarray
    day: np.ndarray
    tokens: np.ndarray
    features: np.ndarray
    filled: np.ndarray

    def copy(self) -> NetworkState:
        return NetworkState(*(getattr(self, f.name).copy() for f in dataclasses.fields(self)))


class Predictor:
    """P(next user action or none) and P(soon) of each action.

    `nets`: the members of the ensemble (usually one), whose probabilities are averaged. `timer`: quiet time [s] after
    which its training log had a decision point, and whoever serves it has to raise one (None: never).
    """

    def __init__(
        self, vocabulary: Vocabulary, featuriser: Featuriser, settings: PredictorSettings, timer: int | None = None
    ):
        self.vocabulary, self.featuriser, self.settings, self.timer = vocabulary, featuriser, settings, timer
        self.nets = torch.nn.ModuleList(
            PredictorNetwork(vocabulary.n_tokens, len(vocabulary), featuriser.size, settings)
            for _ in range(settings.members)
        )
        self.nets.eval()
        self._fast: Cell | None = None

    @property
    def n_hidden(self) -> int:
        """Width of `Prediction.hidden`."""
        return self.settings.members * self.settings.hidden

    @property
    def shared(self) -> bool:
        """Is it told which of several people, who share a stream, did what?"""
        return self.featuriser.users > 0

    @property
    def networks(self) -> Predictor:
        """As a pool has them."""
        return self

    def refresh(self) -> None:
        """To be called when the weights of `nets` have changed: the next step takes them apart anew."""
        self._fast = None

    def member(self, i: int) -> Predictor:
        """That network alone."""
        settings = dataclasses.replace(self.settings, members=1, blocks=0)
        with torch.device("meta"):
            alone = Predictor(self.vocabulary, self.featuriser, settings, self.timer)
        alone.nets = torch.nn.ModuleList([self.nets[i]])
        return alone

    # one decision point at a time

    def start(self, n: int) -> NetworkState:
        recency = self.vocabulary.n_tokens if self.settings.recency else 0
        window = self.settings.context if self.settings.core == "transformer" else 0
        return NetworkState(
            h=np.zeros((n, self.n_hidden), np.float32),
            c=np.zeros((n, self.n_hidden if self.settings.core == "lstm" else 0), np.float32),
            last=np.zeros((n, recency), np.int64),
            today=np.zeros((n, recency), np.float32),
            day=np.zeros(n, np.int64),
            tokens=np.zeros((n, window, BAG), np.int64),
            features=np.zeros((n, window, self.featuriser.size), np.float32),
            filled=np.zeros(n, np.int64),
        )

    def reset(self, state: NetworkState, rows: np.ndarray) -> NetworkState:
        """The state with `rows` (mask or index) fresh; the one given stays as it is."""
        state = state.copy()
        for field in dataclasses.fields(state):
            getattr(state, field.name)[rows] = 0
        return state

    def step(self, state: NetworkState, points: DecisionPoints, active: np.ndarray) -> tuple[Prediction, NetworkState]:
        """One decision point per stream (N rows). Inactive rows keep their state; what is predicted for them means
        nothing. The state given stays as it is."""
        copied = self.settings.recency or self.settings.core == "transformer"
        # otherwise only h and c change, and they are made anew
        after = state.copy() if copied else NetworkState(**vars(state))
        features = self.featuriser.step(points, after.last, after.today, after.day)
        if self.settings.core == "transformer":
            prediction = self._step_window(after, points.tokens, features)
        else:
            prediction = self._step_fast(after, points.tokens, features)
        if np.count_nonzero(active) < len(active):
            after = fresh(state, after, active)
        return prediction, after

    def _step_fast(self, state: NetworkState, tokens: np.ndarray, features: np.ndarray) -> Prediction:
        if self._fast is None:
            self._fast = fast(self.nets)
        p, soon, state.h, state.c = self._fast(tokens, features, state.h, state.c)
        return Prediction(p, soon, state.h)

    def _step_window(self, state: NetworkState, tokens: np.ndarray, features: np.ndarray) -> Prediction:
        window = self.settings.context
        full = state.filled == window
        for array, new in ((state.tokens, tokens), (state.features, features)):
            array[full, :-1] = array[full, 1:]
            array[np.arange(len(new)), np.minimum(state.filled, window - 1)] = new
        state.filled = np.minimum(state.filled + 1, window)
        p, soon, hidden = self._windows(state.tokens, state.features, state.filled - 1)
        state.h = hidden
        return Prediction(p, soon, hidden)

    # a whole log at once

    def read(self, points: DecisionPoints, hidden: bool = True) -> Prediction:
        """Every row of a log, each world from its start. `hidden` False saves the memory of `Prediction.hidden`."""
        features = self.featuriser.read(points)
        tokens = np.asarray(points.tokens, np.int64)
        bounds = np.r_[points.starts(), len(points)].astype(np.int64)
        if self.settings.core == "transformer":
            p, soon, h = self._read_windows(tokens, features, bounds)
            return Prediction(p, soon, h if hidden else None)
        n, a = len(points), len(self.vocabulary)
        out = [np.zeros((n, width), np.float32) for width in (a, a, self.n_hidden if hidden else 0)]
        order = np.argsort(np.diff(bounds), kind="stable")  # worlds of like length side by side: little padding
        with torch.no_grad(), one_thread():
            for i in range(0, len(order), _WORLDS):
                group = order[i : i + _WORLDS]
                self._read_worlds(tokens, features, bounds[group], bounds[group + 1], *out)
        return Prediction(out[0], out[1], out[2] if hidden else None)

    def _read_worlds(
        self, tokens: np.ndarray, features: np.ndarray, first: np.ndarray, end: np.ndarray, *out: np.ndarray
    ) -> None:
        """Fills `out`, the arrays of the prediction, at the rows from first to end (worlds,)."""
        p, soon, h = out
        device = next(self.nets.parameters()).device
        memories: list[Memory | None] = [None] * len(self.nets)
        size = self.settings.hidden
        for t in range(0, int((end - first).max()), _STRETCH):
            rows = first[:, None] + np.arange(t, t + _STRETCH)
            there = rows < end[:, None]
            there = there[:, : max(1, int(there.sum(1).max()))]
            rows = np.where(there, rows[:, : there.shape[1]], 0)
            x = torch.from_numpy(features[rows]).to(device)
            bag = torch.from_numpy(tokens[rows]).to(device)
            for i, net in enumerate(self.nets):
                logits, logits_soon, hidden, memories[i] = net(bag, x, memories[i])
                p[rows[there]] += torch.softmax(logits, -1).cpu().numpy()[there] / len(self.nets)
                soon[rows[there]] += torch.sigmoid(logits_soon).cpu().numpy()[there] / len(self.nets)
                if h.shape[1]:
                    h[rows[there], i * size : (i + 1) * size] = hidden.cpu().numpy()[there]

    def _read_windows(
        self, tokens: np.ndarray, features: np.ndarray, bounds: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        window = self.settings.context
        start = np.repeat(bounds[:-1], np.diff(bounds))
        rows = np.arange(len(tokens))
        low = np.maximum(start, rows - window + 1)
        parts = [self._windows(tokens[:0, None], features[:0, None], rows[:0])]
        for i in range(0, len(rows), 1024):
            cut = slice(i, i + 1024)
            grid = np.minimum(low[cut, None] + np.arange(window), rows[cut, None])
            parts.append(self._windows(tokens[grid], features[grid], rows[cut] - low[cut]))
        p, soon, h = (np.concatenate([part[k] for part in parts]) for k in range(3))
        return p, soon, h

    def _windows(
        self, tokens: np.ndarray, features: np.ndarray, last: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Windows (n, W) whose decision point `last` (n,) is the present one -> next, soon (n, A), hidden (n, M H)."""
        device = next(self.nets.parameters()).device
        pick = torch.arange(len(last), device=device), torch.from_numpy(np.asarray(last)).to(device)
        bag, x = torch.from_numpy(tokens).to(device), torch.from_numpy(features).to(device)
        p, soon, h = [], [], []
        with torch.no_grad(), one_thread():
            for net in self.nets:
                logits, logits_soon, out, _ = net(bag, x)
                p.append(torch.softmax(logits[pick], -1).cpu().numpy())
                soon.append(torch.sigmoid(logits_soon[pick]).cpu().numpy())
                h.append(out[pick].cpu().numpy())
        return np.mean(p, axis=0), np.mean(soon, axis=0), np.concatenate(h, axis=1)
