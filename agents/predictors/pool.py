"""One predictor made of parts, a linear pool: networks, and counts that never stop.

p(action) = sum_k w_k p_k(action), with weights w_k learned on days that the parts had not seen (`pooling`). Where its
log has a timer, quiet moments are decision points too. Then the parts know the moments at which something happened, and
whether the user acts now is a factor of its own, learned on all decision points:
p(action now) = p(acts now) p(action | acts).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from lam_env.core.contracts import Prediction
from lam_env.logs.decision_points import DecisionPoints

from ..counting.backoff import BackOff, BackOffState
from ..states import each
from .network import NetworkState, Predictor

PARTS = ("nets", "counts")  # in the order of the weights


@dataclass
class PoolState:
    """What n streams carry. said (n, A): the pool's word at the last decision point that brought something; waited (n,)
    float32 [s]: from there to the last decision point; begun (n,) bool: whether there was one. `acts` None: the pool
    has no such factor."""

    nets: NetworkState
    counts: BackOffState
    acts: NetworkState | None
    said: np.ndarray
    waited: np.ndarray
    begun: np.ndarray


class Pool:
    """`weights` (2,): of `PARTS`. `acts`: says whether the user acts before the next decision point, 1 - its p(none),
    and what soon; None: every decision point is one that the parts have learned from."""

    def __init__(self, nets: Predictor, counts: BackOff, weights: np.ndarray, acts: Predictor | None = None):
        self.networks, self.counts, self.acts = nets, counts, acts
        self.weights = np.asarray(weights, np.float32)
        self.vocabulary = nets.vocabulary
        self.timer = nets.timer if acts is None else acts.timer

    @property
    def n_hidden(self) -> int:
        """Width of `Prediction.hidden`: the first member's."""
        return self.networks.settings.hidden

    @property
    def given_acts(self) -> Pool:
        """The parts alone: p(action | acts), at moments at which something happened."""
        return Pool(self.networks, self.counts, self.weights)

    # one decision point at a time

    def start(self, n: int) -> PoolState:
        return PoolState(
            self.networks.start(n),
            self.counts.start(n),
            None if self.acts is None else self.acts.start(n),
            np.zeros((n, len(self.vocabulary)), np.float32),
            np.zeros(n, np.float32),
            np.zeros(n, bool),
        )

    def reset(self, state: PoolState, rows: np.ndarray) -> PoolState:
        """The state with `rows` (mask or index) fresh; the one given stays as it is."""
        n = len(state.said)
        mask = np.zeros(n, bool)
        mask[rows] = True

        def fresh(arrays: list[np.ndarray]) -> np.ndarray:
            old, new = arrays
            return np.where(np.reshape(mask, (-1,) + (1,) * (old.ndim - 1)), new, old) if old.size else old

        made: PoolState = each(fresh, state, self.start(n))
        return made

    def step(self, state: PoolState, points: DecisionPoints, active: np.ndarray) -> tuple[Prediction, PoolState]:
        """One decision point per stream (N rows). Inactive rows keep their state; what is predicted for them means
        nothing. Counts go on in place: do not step a state twice."""
        if self.acts is None or state.acts is None:
            said, soon, nets, counts = self._parts(state, points, active)
            return Prediction(said, soon, nets.h[:, : self.n_hidden]), dataclasses.replace(
                state, nets=nets, counts=counts
            )
        now, acts = self.acts.step(state.acts, points, active)
        since = state.waited + points.gap
        fresh = active & ((points.tokens[:, -1] > 0) | ~state.begun)
        state = dataclasses.replace(state, acts=acts, waited=np.where(active, since, state.waited))
        if fresh.any():
            said, _, nets, counts = self._parts(state, dataclasses.replace(points, gap=since), fresh)
            state = PoolState(
                nets,
                counts,
                acts,
                np.where(fresh[:, None], said, state.said),
                np.where(fresh, np.float32(0), state.waited),
                state.begun | fresh,
            )
        return Prediction(_both(now.next, state.said), now.soon, state.nets.h[:, : self.n_hidden]), state

    def _parts(
        self, state: PoolState, points: DecisionPoints, active: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray | None, NetworkState, BackOffState]:
        by_nets, nets = self.networks.step(state.nets, points, active)
        by_counts, counts = self.counts.step(state.counts, points, active)
        return self._pooled(by_nets.next, by_counts.next), by_nets.soon, nets, counts

    def _pooled(self, *parts: np.ndarray) -> np.ndarray:
        """(n, A) of each part -> (n, A)"""
        p = parts[0] * self.weights[0]
        for weight, part in zip(self.weights[1:], parts[1:], strict=True):
            p += weight * part
        return p

    # a whole log at once

    def parts(self, points: DecisionPoints, known: np.ndarray | None = None) -> dict[str, np.ndarray]:
        """What each of `PARTS` says of every row, (n, A)."""
        by_nets = self.networks.read(points, hidden=False).next
        return dict(zip(PARTS, (by_nets, self.counts.read(points, known).next), strict=True))

    def read(self, points: DecisionPoints, hidden: bool = True, known: np.ndarray | None = None) -> Prediction:
        """Every row of a log, each world from its start; equal to stepping. `hidden` False saves the memory of
        `Prediction.hidden`; `known` (n,) bool: rows that it was trained on, which are not counted twice."""
        if self.acts is None:
            nets = self.networks.read(points, hidden)
            said = self._pooled(nets.next, self.counts.read(points, known).next)
            return Prediction(said, nets.soon, None if nets.hidden is None else nets.hidden[:, : self.n_hidden])
        now = self.acts.read(points, hidden=False)
        fresh = np.asarray(points.tokens)[:, -1] > 0
        fresh[points.starts()] = True
        upto = np.cumsum(points.gap, dtype=np.float64)[fresh]
        happened = points.select(fresh)
        gap = np.diff(upto, prepend=0.0)
        gap[happened.starts()] = happened.gap[happened.starts()]
        happened = dataclasses.replace(happened, gap=gap.astype(np.float32))
        said = self.given_acts.read(happened, hidden, None if known is None else known[fresh])
        row = np.cumsum(fresh) - 1
        return Prediction(_both(now.next, said.next[row]), now.soon, None if said.hidden is None else said.hidden[row])


def _both(acts: np.ndarray, said: np.ndarray) -> np.ndarray:
    """p(none) from `acts` (n, A), all else from `said` (n, A), given that the user acts -> (n, A)."""
    out = np.empty_like(said)
    out[:, 0] = acts[:, 0]
    rest = said[:, 1:]
    out[:, 1:] = rest * ((1 - acts[:, :1]) / rest.sum(1, keepdims=True))
    return out
