"""Predictors that count: most frequent, time of day, Markov chains of order 1 to 3, and one with the clock.

All interpolate from coarse contexts to fine ones: p_k(a) = (count_k(a) + alpha p_{k-1}(a)) / (count_k + alpha),
beginning with p_0 = 1 / A (Jelinek and Mercer's interpolation with weights after MacKay and Peto, 1995). alpha is
chosen on validation likelihood. In a log without a clock no context is counted twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lam_env.core.contracts import Prediction, Said
from lam_env.core.events import Vocabulary
from lam_env.logs.decision_points import DecisionPoints

from ..predictors.likelihood import split_of
from .constants import Hits, best_constant
from .history import DEPTH, History, of_log, of_step, push
from .ledger import pieces, whole
from .levels import MANY, Level, dense, said
from .tables import CountTable, count_outcomes

ALPHAS = (0.1, 0.3, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)

# what the number that stands for a context is made of: digit -> its value in a history, and its base (0: of tokens)
_DIGITS: dict[str, tuple[Callable[[History], np.ndarray], int]] = {
    "quiet": (lambda h: h.quiet, 2),
    "hour": (lambda h: h.hour, 24),
    "weekend": (lambda h: h.day >= 5, 2),
    "day": (lambda h: h.day, 7),
    "6h": (lambda h: h.hour // 6, 4),
    "3h": (lambda h: h.hour // 3, 8),
    "last": (lambda h: h.last[:, 0], 0),
    "second": (lambda h: h.last[:, 1], 0),
    "third": (lambda h: h.last[:, 2], 0),
}
CLOCK = {"hour", "weekend", "day", "6h", "3h"}
LEVELS = {  # the contexts of a predictor, from coarse to fine
    "most_frequent": ("",),
    "time_table": ("", "quiet", "quiet hour", "quiet hour weekend"),
    "markov1": ("", "quiet", "quiet last"),
    "markov2": ("", "quiet", "quiet last", "quiet last second"),
    "markov3": ("", "quiet", "quiet last", "quiet last second", "quiet last second third"),
    "markov2_clock": (
        *("", "quiet", "quiet last", "quiet last 6h", "quiet last 3h"),
        *("quiet last second", "quiet last second 6h"),
    ),
}


def told_apart(levels: Sequence[str], met: Sequence[int]) -> list[int]:
    """Numbers of the `levels` without those of which the clock tells nothing, as in a log of order alone: they have met
    as many different contexts as without its words, and would count them again. `met`: how many, by level."""
    number = dict(zip(levels, met, strict=True))
    bare = (" ".join(word for word in level.split() if word not in CLOCK) for level in levels)
    pairs = zip(levels, bare, strict=True)
    return [k for k, (level, less) in enumerate(pairs) if less == level or number.get(less) != number[level]]


def keys_of(context: str, history: History, n_tokens: int) -> np.ndarray:
    """(n,) int64: the context as one number, of mixed radix."""
    key = np.zeros(len(history.hour), np.int64)
    for digit, base in map(_DIGITS.__getitem__, context.split()):
        key = key * (base or n_tokens) + digit(history)
    return key


@dataclass
class CountState:
    """last (n, DEPTH) int64: the latest tokens of each stream, latest first."""

    last: np.ndarray


class CountPredictor:
    """A predictor that interpolates counts over the contexts `LEVELS[name]`."""

    def __init__(self, name: str):
        self.name, self.levels = name, LEVELS[name]
        self.vocabulary = Vocabulary(("none",))
        self.tables: list[CountTable] = []
        self.alpha = 1.0

    def fit(self, train: DecisionPoints, valid: DecisionPoints) -> CountPredictor:
        self.vocabulary = train.vocabulary
        history, target = of_log(train), np.asarray(train.target, np.int64)
        self.tables = [
            count_outcomes(self._keys(level, history), target, len(self.vocabulary)) for level in self.levels
        ]
        kept = told_apart(self.levels, [len(table.keys) for table in self.tables])
        self.levels, self.tables = tuple(self.levels[k] for k in kept), [self.tables[k] for k in kept]
        if len(valid):
            _, reading, judged = split_of(train, valid)
            self.alpha = self._choose_alpha(of_log(reading), np.asarray(reading.target, np.int64), judged)
        return self

    def _keys(self, context: str, history: History) -> np.ndarray:
        return keys_of(context, history, self.vocabulary.n_tokens)

    def _choose_alpha(self, history: History, target: np.ndarray, judged: np.ndarray) -> float:
        """Only the target's own probability is needed, so that trying all constants costs next to nothing."""
        history, target = History(*(a[judged] for a in history)), target[judged]
        hits, n_actions = list[Hits](), len(self.vocabulary)
        for level, table in zip(self.levels, self.tables, strict=True):
            row = table.rows(self._keys(level, history))
            hits.append((table.hits(row, target), table.total[row, 0]))
        return best_constant(ALPHAS, np.full(len(target), 1 / n_actions), hits, n_actions)

    def _probabilities(self, history: History) -> np.ndarray:
        return dense(self._read(history), len(self.vocabulary))

    def _read(self, history: History) -> list[Level]:
        """What is known in each row of a history."""
        named = zip(self.levels, self.tables, strict=True)
        return [Level.of(self.alpha, table, table.rows(self._keys(name, history))) for name, table in named]

    def start(self, n: int) -> CountState:
        return CountState(np.zeros((n, DEPTH), np.int64))

    def reset(self, state: CountState, rows: np.ndarray) -> CountState:
        """The state with `rows` (mask or index) fresh."""
        last = state.last.copy()
        last[rows] = 0
        return CountState(last)

    def step(self, state: CountState, points: DecisionPoints, active: np.ndarray) -> tuple[Prediction, CountState]:
        last = np.where(active[:, None], push(state.last, points.tokens), state.last)
        return Prediction(self._probabilities(of_step(last, points))), CountState(last)

    def read(self, points: DecisionPoints) -> Prediction:
        return whole(self.blocks(points, np.ones(len(points), bool)), len(points), len(self.vocabulary))

    def blocks(self, points: DecisionPoints, rows: np.ndarray) -> Iterator[Said]:
        """What it says of the `rows` (n,) bool that are asked for, piece by piece, each of b rows."""
        history, size = of_log(points), len(self.vocabulary)
        for at in pieces(rows, min(size, MANY)):
            yield said(self._read(History(*(a[at] for a in history))), size)
