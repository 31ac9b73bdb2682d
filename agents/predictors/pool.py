"""One predictor made of parts, a linear pool: networks, and counts that never stop; or of such counts alone.

p(action) = sum_k w_k p_k(action), with weights w_k learned on days that the parts had not seen (`pooling`). Where its
log has a timer, quiet moments are decision points too. Then the parts know the moments at which something happened, and
whether the user acts now is a factor of its own, counted at all decision points:
p(action now) = p(acts now) p(action | acts).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lam_env.core.contracts import Prediction, Said, one_by_one
from lam_env.core.errors import UserError
from lam_env.logs.decision_points import DecisionPoints

from ..counting.backoff import BackOff, BackOffState
from ..counting.persons import Persons, PersonsState
from ..states import fresh
from .network import NetworkState, Predictor

PARTS = ("nets", "counts")  # in the order of the weights


@dataclass
class PoolState:
    """What n streams carry. said (n, A): the pool's word at the last decision point that brought something; waited (n,)
    float32 [s]: from there to the last decision point; begun (n,) bool: whether there was one. `acts` None: the pool
    has no such factor."""

    nets: NetworkState | None
    counts: BackOffState | PersonsState
    acts: BackOffState | None
    said: np.ndarray
    waited: np.ndarray
    begun: np.ndarray


class Pool:
    """`nets` None: counts alone. `weights` (2,): of `PARTS`. `acts`: says whether the user acts before the next
    decision point; None: every decision point is one that the parts have learned from. `timer`: quiet time [s] after
    which there is a decision point (default: the networks')."""

    def __init__(
        self,
        nets: Predictor | None,
        counts: BackOff | Persons,
        weights: np.ndarray,
        acts: BackOff | None = None,
        timer: int | None = None,
    ):
        self.nets, self.counts, self.acts = nets, counts, acts
        self.timer = timer if nets is None else nets.timer
        self.weights = np.asarray(weights, np.float32)
        self.vocabulary = counts.vocabulary
        # how many decision points of the timer lie within each action's patience
        self.within = np.maximum(1, np.asarray(self.vocabulary.patience) / (self.timer or np.inf))

    @property
    def n_hidden(self) -> int:
        """Width of `Prediction.hidden`: the first member's."""
        return 0 if self.nets is None else self.nets.settings.hidden

    @property
    def shared(self) -> bool:
        """As of its networks."""
        return self.nets is not None and self.nets.shared

    @property
    def networks(self) -> Predictor:
        """UserError where there are none."""
        if self.nets is None:
            raise UserError("this predictor counts and has no networks, which this needs: train one on another log")
        return self.nets

    @property
    def _said(self) -> int:
        """How many numbers a word of the parts has."""
        return len(self.vocabulary)

    @property
    def given_acts(self) -> Pool:
        """The parts alone: p(action | acts), at moments at which something happened."""
        return Pool(self.nets, self.counts, self.weights)

    # one decision point at a time

    def start(self, n: int) -> PoolState:
        return PoolState(
            None if self.nets is None else self.nets.start(n),
            self.counts.start(n),
            None if self.acts is None else self.acts.start(n),
            np.zeros((n, self._said), np.float32),
            np.zeros(n, np.float32),
            np.zeros(n, bool),
        )

    def reset(self, state: PoolState, rows: np.ndarray) -> PoolState:
        """The state with `rows` (mask or index) fresh; the one given stays as it is."""
        return fresh(state, self.start(len(state.said)), rows)

    def step(self, state: PoolState, points: DecisionPoints, active: np.ndarray) -> tuple[Prediction, PoolState]:
        """One decision point per stream (N rows). Inactive rows keep their state; what is predicted for them means
        nothing. Counts go on in place: do not step a state twice."""
        if self.acts is None or state.acts is None:
            said, soon, nets, counts = self._parts(state, points, active)
            after = PoolState(nets, counts, None, state.said, state.waited, state.begun)
            return Prediction(said, soon, None if nets is None else nets.h[:, : self.n_hidden]), after
        now, acts = self.acts.step(state.acts, points, active)
        waited = state.waited + points.gap
        happened = active & ((points.tokens[:, -1] > 0) | ~state.begun)
        quiet = np.where(active, waited, state.waited)
        after = PoolState(state.nets, state.counts, acts, state.said, quiet, state.begun)
        if happened.any():
            said, _, nets, counts = self._parts(state, dataclasses.replace(points, gap=waited), happened)
            said = np.where(happened[:, None], said, state.said)
            after = PoolState(nets, counts, acts, said, after.waited * ~happened, state.begun | happened)
        return self._both(now.next[:, 1:], after.said, None if after.nets is None else after.nets.h), after

    def _parts(
        self, state: PoolState, points: DecisionPoints, active: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray | None, NetworkState | None, BackOffState | PersonsState]:
        by_counts, counts = self.counts.step(state.counts, points, active)  # type: ignore[arg-type]
        if self.nets is None or state.nets is None:
            return by_counts.next, None, None, counts
        by_nets, nets = self.nets.step(state.nets, points, active)
        return self.pooled(by_nets.next, by_counts.next), by_nets.soon, nets, counts

    def pooled(self, nets: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """(n, A) of each part -> (n, A)"""
        said: np.ndarray = self.weights[0] * nets + self.weights[1] * counts
        return said

    def _both(self, acts: np.ndarray, said: np.ndarray, hidden: np.ndarray | None) -> Prediction:
        """acts (n, 1): whether the user acts before the next decision point; said (n, A): the pool's word when
        something happened last. What comes soon rests on the same chance at each of the timer's moments until then."""
        given = said.copy()
        given[:, 0] = 0
        given /= np.maximum(given.sum(1, keepdims=True), 1e-30)  # 1 - said[:, 0] may be lost to rounding
        p, soon = acts * given, (1 - (1 - acts) ** self.within) * given
        p[:, :1] = 1 - acts
        return Prediction(p, soon.astype(np.float32), None if hidden is None else hidden[:, : self.n_hidden])

    # a whole log at once

    def parts(
        self, points: DecisionPoints, rows: np.ndarray, known: np.ndarray | None = None
    ) -> Iterator[dict[str, Said]]:
        """What each of `PARTS` that there are says of the `rows` (n,) bool, piece by piece, (b, A); `known` as in
        `read`."""
        by_nets = None if self.nets is None else self.nets.read(points, hidden=False).next[rows]
        at = 0
        for counts in self.counts.blocks(points, rows, known):
            nets: dict[str, Said] = {} if by_nets is None else {"nets": by_nets[at : at + len(counts)]}
            yield {**nets, "counts": counts}
            at += len(counts)

    def whole(self, parts: dict[str, Said]) -> Said:
        """(b, A) of what `parts` gives."""
        if self.nets is None:
            return parts["counts"]
        return self.pooled(one_by_one(parts["nets"]), one_by_one(parts["counts"]))

    def read(self, points: DecisionPoints, hidden: bool = True, known: np.ndarray | None = None) -> Prediction:
        """Every row of a log, each world from its start; equal to stepping. `hidden` False saves the memory of
        `Prediction.hidden`; `known` (n,) bool: rows that it was trained on, which are not counted twice."""
        if self.acts is None:
            if self.nets is None:
                return self.counts.read(points, known)
            nets = self.nets.read(points, hidden)
            said = self.pooled(nets.next, self.counts.read(points, known).next)
            return Prediction(said, nets.soon, None if nets.hidden is None else nets.hidden[:, : self.n_hidden])
        now = self.acts.read(points, known)
        happened = np.asarray(points.tokens)[:, -1] > 0
        happened[points.starts()] = True
        events = points.select(happened)
        gap = np.diff(np.cumsum(points.gap, dtype=np.float64)[happened], prepend=0.0)
        gap[events.starts()] = events.gap[events.starts()]
        events = dataclasses.replace(events, gap=gap.astype(np.float32))
        given = self.given_acts.read(events, hidden, None if known is None else known[happened])
        row = np.cumsum(happened) - 1
        return self._both(now.next[:, 1:], given.next[row], None if given.hidden is None else given.hidden[row])
