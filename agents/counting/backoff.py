"""Counts that never stop: a table of the training log, which goes on with what a stream does.

p_k(y) = (count_k(y) + c_k p_{k-1}(y)) / (count_k + c_k) from coarse contexts to fine ones, as in `counts`, where
count_k is of the training log and of the stream together. c_k = f_k (1 + n_k), where n_k is how many different outcomes
have followed the context in the training log: what is followed by ever others says less (Witten and Bell, 1991, method
C, is f_k = 1). A level's factor f_k is chosen on rows that the table was not made of; it may leave the level out. What
follows, y, is the user's next action (`NEXT`), or whether there is one before the next decision point (`ACTS`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from lam_env.core.contracts import Prediction, Said
from lam_env.core.events import Vocabulary
from lam_env.core.units import DAY, HOUR
from lam_env.logs.decision_points import DecisionPoints

from ..states import fresh
from .constants import OFF, Met, best_factors
from .history import DEPTH, latest, push
from .ledger import CountsSoFar, Ledger, ledgers, pieces, user_action, whole
from .levels import MANY, Level, said
from .tables import CountTable, count_outcomes

NEXT = (
    *("", "quiet last", "quiet last 6h", "quiet last 3h"),
    *("quiet last second", "quiet last second 6h", "quiet last second third"),
)
ACTS = ("", "since", "since last", "since 1h", "since half")
_SINCE = np.array([1, 5, 10, 30, 60, 180, 360]) * 60  # [s] from the last token on; bounds of classes
_LONG_AGO = -(1 << 40)  # [s] nothing has been heard yet

# what contexts are made of, in the order of `digits`, and how many values each has (0: as many as there are tokens)
_BASES = {
    "quiet": 2,
    "last": 0,
    "second": 0,
    "third": 0,
    "6h": 4,
    "3h": 8,
    "1h": 24,
    "half": 48,
    "since": len(_SINCE) + 1,
}


def digits(last: np.ndarray, time: np.ndarray, heard: np.ndarray, quiet: np.ndarray) -> np.ndarray:
    """last (n, DEPTH), the latest tokens; time (n,) and heard (n,) [s], now and when the last token came; quiet (n,)
    bool: now none -> (n, digits) int64, the last of them 1."""
    out = np.empty((len(time), len(_BASES) + 1), np.int64)
    second = time % DAY
    out[:, 0] = quiet
    out[:, 1 : 1 + DEPTH] = last
    for column, length in enumerate((6 * HOUR, 3 * HOUR, HOUR, HOUR // 2), 1 + DEPTH):
        out[:, column] = second // length
    out[:, -2] = np.searchsorted(_SINCE, time - heard, side="right")
    out[:, -1] = 1
    return out


def radix(levels: tuple[str, ...], n_tokens: int) -> np.ndarray:
    """(digits, levels) int64: `digits` @ radix are the contexts as numbers, which differ between levels too."""
    names = list(_BASES)
    out = np.zeros((len(names) + 1, len(levels)), np.int64)
    for level, context in enumerate(levels):
        place = len(levels)
        for digit in context.split():
            out[names.index(digit), level] = place
            place *= _BASES[digit] or n_tokens
        out[-1, level] = level
    return out


@dataclass
class BackOffState:
    """Of n streams: last (n, DEPTH) int64, the latest tokens, latest first; heard (n,) int64 [s], when the last came;
    contexts (n, levels) int64, those that await their outcome, -1 before the first decision point; own (n,) object,
    each stream's `Ledger`."""

    last: np.ndarray
    heard: np.ndarray
    contexts: np.ndarray
    own: np.ndarray


class BackOff:
    """`factors`: of those levels of `NEXT` or `ACTS` that count; `table`: counts of the training log by context. Y
    outcomes: the actions, or no and yes."""

    def __init__(self, vocabulary: Vocabulary, factors: Mapping[str, float], table: CountTable):
        self.vocabulary, self.factors, self.table, self.outcomes = vocabulary, factors, table, table.size
        self._radix = radix(tuple(factors), vocabulary.n_tokens)
        self._kinds = 1 + np.diff(table.first)
        self._row = dict(zip(table.keys.tolist(), range(len(table.keys)), strict=True))
        self._first: list[int] = table.first.tolist()

    @classmethod
    def fit(cls, levels: tuple[str, ...], points: DecisionPoints, block: np.ndarray) -> tuple[BackOff, np.ndarray]:
        """The table of all `points`, and (n,) the probability of each outcome according to that of all other blocks
        than the row's, `block` (n,); factors are those of their greatest likelihood."""
        vocabulary = points.vocabulary
        size, target = outcomes(levels, vocabulary), np.asarray(points.target, np.int64)
        target = np.minimum(target, size - 1)
        read, met = _read(points), list[Met]()
        for context in (read @ radix(levels, vocabulary.n_tokens)).T:
            # of each row's context, and of it with the row's outcome: how often in other blocks, and in the stream's
            # own block before it
            seen = [context, context * size + target]
            elsewhere = [_how_many(key) - _how_many(_numbered(key, block)) for key in seen]
            before = [_before(_numbered(key, block, points.world)) for key in seen]
            total, hit = (a + b for a, b in zip(elsewhere, before, strict=True))
            alone = (elsewhere[1] == 0) & (_before(_numbered(seen[1], block)) == 0)  # an outcome of this block only
            kinds = _sums(context, _before(seen[1]) == 0) - _sums(_numbered(context, block), alone)
            met.append(Met(hit, total, 1 + kinds))
        p, factors = np.full(len(points), 1 / size), dict(zip(levels, best_factors(met, size), strict=True))
        for level, factor in zip(met, factors.values(), strict=True):
            p = level.said(p, factor)
        factors = {level: factor for level, factor in factors.items() if factor != OFF}
        contexts = read @ radix(tuple(factors), vocabulary.n_tokens)
        return cls(vocabulary, factors, _count(contexts, target, size)), p

    def read(self, points: DecisionPoints, known: np.ndarray | None = None) -> Prediction:
        """Every row of a log, `next` (n, Y); `known` (n,) bool: rows that the table was made of, whose outcomes are not
        counted twice."""
        everything = self.blocks(points, np.ones(len(points), bool), known)
        return whole(everything, len(points), self.outcomes)

    def blocks(self, points: DecisionPoints, rows: np.ndarray, known: np.ndarray | None = None) -> Iterator[Said]:
        """The same of the `rows` (n,) bool that are asked for alone, piece by piece, each of b rows."""
        size = self.outcomes
        contexts, follows = _read(points) @ self._radix, _followed(points, size)
        own = [CountsSoFar(points, context, follows, size, known) for context in contexts.T]
        for at in pieces(rows, min(size, MANY)):
            levels = []
            for factor, context, counts in zip(self.factors.values(), contexts[at].T, own, strict=True):
                table_rows = self.table.rows(context)
                levels.append(Level.of(factor * self._kinds[table_rows], self.table, table_rows, counts.of(at)))
            yield said(levels, size)

    # one decision point at a time

    def start(self, n: int) -> BackOffState:
        return BackOffState(
            np.zeros((n, DEPTH), np.int64),
            np.full(n, _LONG_AGO),
            np.full((n, len(self.factors)), -1, np.int64),
            ledgers(n),
        )

    def reset(self, state: BackOffState, rows: np.ndarray) -> BackOffState:
        """The state with `rows` (mask or index) fresh."""
        return fresh(state, self.start(len(state.last)), rows)

    def step(self, state: BackOffState, points: DecisionPoints, active: np.ndarray) -> tuple[Prediction, BackOffState]:
        """One decision point per stream. The counts in the state go on in place: do not step a state twice."""
        quiet = points.tokens[:, -1] == 0
        after = BackOffState(
            push(state.last, points.tokens), np.where(quiet, state.heard, points.time), state.contexts.copy(), state.own
        )
        now = digits(after.last, np.asarray(points.time, np.int64), after.heard, quiet) @ self._radix
        done = _outcome(points.tokens, self.outcomes, self.vocabulary).tolist()
        p = np.full((len(now), self.outcomes), 1 / self.outcomes, np.float32)
        for i in np.flatnonzero(active).tolist():  # stream by stream: their ledgers differ, and calls are what costs
            own, before, contexts = state.own[i], state.contexts[i].tolist(), now[i].tolist()
            if before[0] >= 0:
                own.add(before, done[i])
            p[i] = self._interpolated(*self._counts(contexts, own))
            after.contexts[i] = now[i]
        if np.count_nonzero(active) < len(active):
            after = fresh(state, after, active)
        return Prediction(p), after

    def _counts(self, contexts: list[int], own: Ledger) -> tuple[np.ndarray, list[float]]:
        """(levels, Y): the table's and the stream's; and the constant of each level."""
        out, constants = np.zeros((len(contexts), self.outcomes), np.float32), list(self.factors.values())
        for k, (of_level, context) in enumerate(zip(out, contexts, strict=True)):
            if (row := self._row.get(context)) is not None:
                constants[k] *= 1 + self._first[row + 1] - self._first[row]
                here = slice(self._first[row], self._first[row + 1])
                of_level[self.table.outcomes[here]] = self.table.counts[here]
        level, outcome, counts = own.of(contexts)
        out[level, outcome] += counts[:, 0]
        return out, constants

    def _interpolated(self, counts: np.ndarray, constants: list[float]) -> np.ndarray:
        """(levels, Y) -> (Y,): the recursion, its product written out."""
        weights, passed = [], 1.0  # of a level's word what finer ones pass on
        for total, constant in zip(reversed(np.add.reduce(counts, 1).tolist()), reversed(constants), strict=True):
            weights.append(passed / (total + constant))
            passed *= constant / (total + constant)
        p: np.ndarray = np.array(weights[::-1], np.float32) @ counts
        return p + np.float32(passed / self.outcomes)


def outcomes(levels: tuple[str, ...], vocabulary: Vocabulary) -> int:
    return 2 if levels == ACTS else len(vocabulary)


def _outcome(tokens: np.ndarray, size: int, vocabulary: Vocabulary) -> np.ndarray:
    """(n,) what a bag says of the decision point before it."""
    return np.minimum(user_action(tokens, len(vocabulary)), size - 1)


def _followed(points: DecisionPoints, size: int) -> np.ndarray:
    """(n,) what the next row says of each."""
    return np.r_[_outcome(np.asarray(points.tokens), size, points.vocabulary)[1:], 0][: len(points)]


def _read(points: DecisionPoints) -> np.ndarray:
    """`digits` of every row of a log."""
    time, quiet = np.asarray(points.time, np.int64), np.asarray(points.tokens)[:, -1] == 0
    start = np.repeat(points.starts(), np.diff(np.r_[points.starts(), len(points)]))
    row = np.maximum.accumulate(np.where(quiet, -1, np.arange(len(points))))
    heard = np.where(row >= start, time[np.maximum(row, 0)], _LONG_AGO)
    return digits(latest(points, DEPTH), time, heard, quiet)


def _count(contexts: np.ndarray, target: np.ndarray, size: int) -> CountTable:
    """Of all levels, contexts (n, levels)."""
    return count_outcomes(contexts.ravel(), np.repeat(target, contexts.shape[1]), size)


def _numbered(*columns: np.ndarray) -> np.ndarray:
    """(n,) a number for each combination of values."""
    key = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        _, number = np.unique(column, return_inverse=True)
        _, key = np.unique(key * (number.max(initial=0) + 1) + number, return_inverse=True)
    return key


def _how_many(key: np.ndarray) -> np.ndarray:
    """(n,) rows that have each row's key."""
    _, number, count = np.unique(key, return_inverse=True, return_counts=True)
    many: np.ndarray = count[number]
    return many


def _sums(key: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """(n,) how many of the `rows` (n,) bool have each row's key."""
    _, number = np.unique(key, return_inverse=True)
    sums: np.ndarray = np.bincount(number.ravel(), rows)[number.ravel()]
    return sums


def _before(key: np.ndarray) -> np.ndarray:
    """(n,) earlier rows that have each row's key."""
    order = np.argsort(key, kind="stable")
    new = np.r_[True, np.diff(key[order]) != 0][: len(key)]
    out = np.empty(len(key), np.int64)
    out[order] = np.arange(len(key)) - np.flatnonzero(new)[np.cumsum(new) - 1]
    return out
