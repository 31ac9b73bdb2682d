"""A Markov predictor that keeps counting while it reads: the population's chain, then the stream's own counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lam_env.core.contracts import Prediction, Said
from lam_env.logs.decision_points import DecisionPoints

from ..predictors.likelihood import split_of
from ..states import fresh
from .constants import Hits, best_constant
from .counts import CountPredictor, CountState, told_apart
from .history import DEPTH, History, of_log, of_step, push
from .ledger import CountsSoFar, gathered, ledgers, pieces, user_action
from .levels import MANY, Level, picked, said
from .tables import count_outcomes

OWN = ("quiet last", "quiet last 6h", "quiet last second")  # contexts
BETAS = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0)


@dataclass
class OnlineState(CountState):
    """Also `keys` (n, levels) int64: each stream's contexts awaiting their outcome, -1 before the first decision point;
    `own` (n,) object: each stream's `Ledger`."""

    keys: np.ndarray
    own: np.ndarray


class OnlineMarkov(CountPredictor):
    """After the interpolation of `markov2_clock` goes p(a) <- (own(a) + beta p(a)) / (own + beta) over the contexts
    `OWN`, where `own` counts what this stream did since its start. beta is chosen on validation likelihood."""

    def __init__(self) -> None:
        super().__init__("markov2_clock")
        self.name = "markov_online"
        self.own_levels: tuple[str, ...] = OWN
        self.beta = BETAS[-1]

    def fit(self, train: DecisionPoints, valid: DecisionPoints) -> OnlineMarkov:
        super().fit(train, valid)
        history = of_log(train)
        met = [len(np.unique(self._keys(level, history))) for level in OWN]
        self.own_levels = tuple(OWN[k] for k in told_apart(OWN, met))
        if len(valid):
            _, reading, judged = split_of(train, valid)
            rows, size = np.flatnonzero(judged), len(self.vocabulary)
            history, target = of_log(reading), np.asarray(reading.target, np.int64)[judged]
            row = np.arange(len(rows))
            p = picked(self._read(History(*(a[judged] for a in history))), row, target, size)
            own = [counts.of(rows) for counts in self._own_counts(reading, history)]
            hits: list[Hits] = [(each.hits(row, target, size), each.total(len(rows))) for each in own]
            self.beta = best_constant(BETAS, p, hits, size)
        return self

    def _own_counts(self, points: DecisionPoints, history: History) -> list[CountsSoFar]:
        """By level."""
        size = len(self.vocabulary)
        follows = np.r_[user_action(np.asarray(points.tokens), size)[1:], 0][: len(points)]
        return [CountsSoFar(points, self._keys(level, history), follows, size) for level in self.own_levels]

    def _blend(self, p: np.ndarray, own: np.ndarray) -> np.ndarray:
        """p, own (n, A)"""
        beta = np.float32(self.beta)
        return (own + beta * p) / (own.sum(1, keepdims=True) + beta)

    def start(self, n: int) -> OnlineState:
        return OnlineState(np.zeros((n, DEPTH), np.int64), np.full((n, len(self.own_levels)), -1, np.int64), ledgers(n))

    def reset(self, state: CountState, rows: np.ndarray) -> OnlineState:
        assert isinstance(state, OnlineState)
        return fresh(state, self.start(len(state.last)), rows)

    def step(self, state: CountState, points: DecisionPoints, active: np.ndarray) -> tuple[Prediction, OnlineState]:
        """One decision point per stream. The counts in the state go on in place: do not step a state twice."""
        assert isinstance(state, OnlineState)
        n_actions = len(self.vocabulary)
        last = np.where(active[:, None], push(state.last, points.tokens), state.last)
        history = of_step(last, points)
        p = self._probabilities(history)
        # a level's own numbers differ from those of the others
        keys = np.stack(
            [self._keys(level, history) * len(self.own_levels) + i for i, level in enumerate(self.own_levels)], 1
        )
        for part in gathered(state.own, state.keys, keys, user_action(points.tokens, n_actions), active, n_actions):
            p = self._blend(p, part)
        return Prediction(p), OnlineState(last, np.where(active[:, None], keys, state.keys), state.own)

    def blocks(self, points: DecisionPoints, rows: np.ndarray) -> Iterator[Said]:
        history, size = of_log(points), len(self.vocabulary)
        own, never = self._own_counts(points, history), count_outcomes(history.quiet[:0], history.quiet[:0], size)
        for at in pieces(rows, min(size, MANY)):
            levels = self._read(History(*(a[at] for a in history)))
            nowhere = np.zeros(len(at), np.int64)
            yield said([*levels, *(Level.of(self.beta, never, nowhere, counts.of(at)) for counts in own)], size)


def counting(name: str) -> CountPredictor:
    """The counting predictor of that id, not yet fitted."""
    return OnlineMarkov() if name == "markov_online" else CountPredictor(name)
