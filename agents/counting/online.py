"""A Markov predictor that keeps counting while it reads: the population's chain, then the stream's own counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lam_env.core.contracts import Prediction
from lam_env.logs.decision_points import DecisionPoints

from ..predictors.likelihood import continued
from .counts import CountPredictor, CountState, Hits, best_constant
from .history import DEPTH, History, of_log, of_step, push

OWN = ("quiet last", "quiet last 6h", "quiet last second")  # contexts
BETAS = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0)


def user_action(tokens: np.ndarray, n_actions: int) -> np.ndarray:
    """The user action that a bag (n, BAG) reports, (n,); 0 none. The user's event is the bag's last token; the last of
    an agent's actions passes for it where a bag holds nothing else."""
    token = tokens[:, -1].astype(np.int64)
    return np.where(token < n_actions, token, 0)


@dataclass
class OnlineState(CountState):
    """Also `keys` (n, levels) int64: each stream's contexts awaiting their outcome, -1 before the first decision point;
    `own` (n,) object: per stream a dict (level, key) -> counts (A,) float32."""

    keys: np.ndarray
    own: np.ndarray


class OnlineMarkov(CountPredictor):
    """After the interpolation of `markov2_clock` goes p(a) <- (own(a) + beta p(a)) / (own + beta) over the contexts
    `OWN`, where `own` counts what this stream did since its start. beta is chosen on validation likelihood."""

    def __init__(self) -> None:
        super().__init__("markov2_clock")
        self.name = "markov_online"
        self.beta = BETAS[-1]

    def fit(self, train: DecisionPoints, valid: DecisionPoints) -> OnlineMarkov:
        super().fit(train, valid)
        if len(valid):
            reading, judged = continued(train, valid)
            history, target = of_log(reading), np.asarray(reading.target, np.int64)[judged]
            p = self._probabilities(History(*(a[judged] for a in history)))[np.arange(len(target)), target]
            hits = list[Hits]()
            for level in OWN:
                counts = self._own_counts(reading, self._keys(level, history))[judged]
                hits.append((counts[np.arange(len(target)), target], counts.sum(1)))
            self.beta = best_constant(BETAS, p, hits, len(self.vocabulary))
        return self

    def _own_counts(self, points: DecisionPoints, key: np.ndarray) -> np.ndarray:
        """Per row, how often each action followed the row's context earlier in its world, (n, A) float32."""
        n_actions = len(self.vocabulary)
        action = user_action(points.tokens, n_actions)
        out = np.zeros((len(points), n_actions), np.float32)
        bounds = np.r_[points.starts(), len(points)]
        for a, b in zip(bounds[:-1], bounds[1:], strict=True):
            order = np.argsort(key[a:b], kind="stable")
            new = np.r_[True, np.diff(key[a:b][order]) != 0]
            first = np.flatnonzero(new)[np.cumsum(new) - 1]
            done = np.zeros((b - a + 1, n_actions), np.float32)  # row i: outcomes of the first i rows in this order
            follows = np.r_[action[a + 1 : b], 0][order]
            done[np.arange(1, b - a + 1), follows] = 1
            np.cumsum(done, axis=0, out=done)
            out[a:b][order] = done[:-1] - done[first]
        return out

    def _blend(self, p: np.ndarray, own: np.ndarray) -> np.ndarray:
        """p, own (n, A)"""
        beta = np.float32(self.beta)
        return (own + beta * p) / (own.sum(1, keepdims=True) + beta)

    def start(self, n: int) -> OnlineState:
        own = np.empty(n, object)
        own[:] = [{} for _ in range(n)]
        return OnlineState(np.zeros((n, DEPTH), np.int64), np.full((n, len(OWN)), -1, np.int64), own)

    def reset(self, state: CountState, rows: np.ndarray) -> OnlineState:
        assert isinstance(state, OnlineState)
        fresh, mask = self.start(len(state.last)), np.zeros(len(state.last), bool)
        mask[rows] = True
        return OnlineState(
            np.where(mask[:, None], fresh.last, state.last),
            np.where(mask[:, None], fresh.keys, state.keys),
            np.where(mask, fresh.own, state.own),
        )

    def step(self, state: CountState, points: DecisionPoints, active: np.ndarray) -> tuple[Prediction, OnlineState]:
        """One decision point per stream. The counts in the state go on in place: do not step a state twice."""
        assert isinstance(state, OnlineState)
        n_actions = len(self.vocabulary)
        last = np.where(active[:, None], push(state.last, points.tokens), state.last)
        history = of_step(last, points)
        p = self._probabilities(history)
        done = user_action(points.tokens, n_actions).tolist()
        fresh = np.stack([self._keys(level, history) for level in OWN], 1)
        before, after = state.keys.tolist(), fresh.tolist()
        own = np.zeros((len(OWN), len(last), n_actions), np.float32)
        for i in np.flatnonzero(active).tolist():
            counts = state.own[i]
            for level in range(len(OWN)):
                if before[i][level] >= 0:
                    key = (level, before[i][level])
                    if key not in counts:
                        counts[key] = np.zeros(n_actions, np.float32)
                    counts[key][done[i]] += 1
                own[level, i] = counts.get((level, after[i][level]), 0.0)
        for part in own:
            p = self._blend(p, part)
        return Prediction(p), OnlineState(last, np.where(active[:, None], fresh, state.keys), state.own)

    def read(self, points: DecisionPoints) -> Prediction:
        history = of_log(points)
        p = super().read(points).next
        for level in OWN:
            p = self._blend(p, self._own_counts(points, self._keys(level, history)))
        return Prediction(p)


def counting(name: str) -> CountPredictor:
    """The counting predictor of that id, not yet fitted."""
    return OnlineMarkov() if name == "markov_online" else CountPredictor(name)
