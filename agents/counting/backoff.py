"""Counts that never stop: one table of the training log, which goes on with what a stream does.

p_k(a) = (count_k(a) + alpha p_{k-1}(a)) / (count_k + alpha) from coarse contexts to fine ones, as in `counts`, where
count_k is the training log's and the stream's own together. alpha is chosen on rows that the table was not made of.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lam_env.core.contracts import Prediction
from lam_env.core.events import Vocabulary
from lam_env.logs.decision_points import DecisionPoints

from .counts import CountTable, Hits, best_constant, count_outcomes
from .history import DEPTH, History, of_log, of_step, push
from .ledger import counts_so_far, gathered, ledgers, user_action

CONTEXTS = (
    *("", "quiet last", "quiet last 6h", "quiet last 3h"),
    *("quiet last second", "quiet last second 6h", "quiet last second third"),
)
ALPHAS = (0.3, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)
_DIGITS = ("quiet", "last", "second", "third", "6h", "3h")  # what contexts are made of, in this order


def radix(n_tokens: int) -> np.ndarray:
    """(digits, levels) int64: digits @ radix are the contexts as numbers, which differ between levels too."""
    base = {"quiet": 2, "6h": 4, "3h": 8}
    out = np.zeros((len(_DIGITS) + 1, len(CONTEXTS)), np.int64)
    for level, context in enumerate(CONTEXTS):
        place = len(CONTEXTS)
        for digit in context.split():
            out[_DIGITS.index(digit), level] = place
            place *= base.get(digit, n_tokens)
        out[-1, level] = level
    return out


def digits(history: History) -> np.ndarray:
    """(n, digits) int64"""
    h = history
    return np.stack([h.quiet, *h.last.T, h.hour // 6, h.hour // 3, np.ones_like(h.quiet)], 1)


@dataclass
class BackOffState:
    """last (n, DEPTH) int64: the latest tokens of each stream, latest first; contexts (n, levels) int64: those that
    await their outcome, -1 before the first decision point; own (n,) object: each stream's `Ledger`."""

    last: np.ndarray
    contexts: np.ndarray
    own: np.ndarray


class BackOff:
    """`table`: counts of the training log by context, (contexts + 1, A), the last row zero."""

    def __init__(self, vocabulary: Vocabulary, table: CountTable, alpha: float):
        self.vocabulary, self.table, self.alpha = vocabulary, table, alpha
        self._radix = radix(vocabulary.n_tokens)

    @classmethod
    def fit(cls, points: DecisionPoints, block: np.ndarray) -> tuple[BackOff, np.ndarray]:
        """The table of all `points`, and (n,) the probability of each target according to that of all other blocks than
        the row's, `block` (n,); alpha is that of their greatest likelihood."""
        vocabulary, target = points.vocabulary, np.asarray(points.target, np.int64)
        a, rows = len(vocabulary), np.arange(len(points))
        contexts = digits(of_log(points)) @ radix(vocabulary.n_tokens)
        hits = [(np.zeros(len(points)), np.zeros(len(points))) for _ in CONTEXTS]
        for b in np.unique(block):
            left = block == b
            table = _count(contexts[~left], target[~left], a)
            for level, (hit, total) in enumerate(hits):
                counts = table.counts[table.rows(contexts[left, level])]
                counts = counts + counts_so_far(points, contexts[:, level], a, ~left)[left]
                hit[left], total[left] = counts[rows[: left.sum()], target[left]], counts.sum(1)
        uniform = np.full(len(points), 1 / a)
        alpha = best_constant(ALPHAS, uniform, list[Hits](hits), a)
        for hit, total in hits:
            uniform = (hit + alpha * uniform) / (total + alpha)
        return cls(vocabulary, _count(contexts, target, a), alpha), uniform

    def read(self, points: DecisionPoints, known: np.ndarray | None = None) -> Prediction:
        """Every row of a log; `known` (n,) bool: rows that the table was made of, whose outcomes are not counted
        twice."""
        alpha, a = np.float32(self.alpha), len(self.vocabulary)
        contexts = digits(of_log(points)) @ self._radix
        p = np.full((len(points), a), 1 / a, np.float32)
        for context in contexts.T:
            counts = counts_so_far(points, context, a, known)
            counts += self.table.counts[self.table.rows(context)]
            total = counts.sum(1, keepdims=True)
            p *= alpha
            p += counts
            p /= total + alpha
        return Prediction(p)

    # one decision point at a time

    def start(self, n: int) -> BackOffState:
        own = ledgers(n, len(self.vocabulary))
        return BackOffState(np.zeros((n, DEPTH), np.int64), np.full((n, len(CONTEXTS)), -1, np.int64), own)

    def reset(self, state: BackOffState, rows: np.ndarray) -> BackOffState:
        """The state with `rows` (mask or index) fresh."""
        mask = np.zeros(len(state.last), bool)
        mask[rows] = True
        own = state.own.copy()
        own[mask] = ledgers(int(mask.sum()), len(self.vocabulary))
        return BackOffState(np.where(mask[:, None], 0, state.last), np.where(mask[:, None], -1, state.contexts), own)

    def step(self, state: BackOffState, points: DecisionPoints, active: np.ndarray) -> tuple[Prediction, BackOffState]:
        """One decision point per stream. The counts in the state go on in place: do not step a state twice."""
        last = push(state.last, points.tokens)
        contexts = digits(of_step(last, points)) @ self._radix
        done = user_action(points.tokens, len(self.vocabulary))
        counts = gathered(state.own, state.contexts, contexts, done, active)
        counts += self.table.counts[self.table.rows(contexts)]
        if np.count_nonzero(active) < len(active):
            last = np.where(active[:, None], last, state.last)
            contexts = np.where(active[:, None], contexts, state.contexts)
        return Prediction(self._interpolated(counts)), BackOffState(last, contexts, state.own)

    def _interpolated(self, counts: np.ndarray) -> np.ndarray:
        """(n, levels, A) -> (n, A): the recursion, its product written out."""
        total = counts.sum(2) + np.float32(self.alpha)
        passed = np.ones((len(total), len(CONTEXTS) + 1), np.float32)  # what is left of a level's word at the finest
        np.cumprod(np.float32(self.alpha) / total[:, ::-1], axis=1, out=passed[:, 1:])
        weight = passed[:, -2::-1] / total
        return (weight[:, None] @ counts)[:, 0] + passed[:, -1:] / np.float32(len(self.vocabulary))


def _count(contexts: np.ndarray, target: np.ndarray, n_actions: int) -> CountTable:
    """Of all levels, contexts (n, levels)."""
    return count_outcomes(contexts.ravel(), np.repeat(target, contexts.shape[1]), n_actions)
