"""What a score is worth that ranks cases: areas under curves, and how many of the first are right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Areas(NamedTuple):
    """Under the ROC curve: probability that a positive case lies above a negative one, ties counted half. Under the
    precision-recall steps: sum of (R_i - R_i-1) P_i from the highest score on. (...,) each; NaN where there are no such
    cases."""

    roc: np.ndarray
    precision: np.ndarray


def quotient(of: np.ndarray, by: np.ndarray) -> np.ndarray:
    """of / by (...,), NaN where `by` is 0."""
    return np.divide(of, by, out=np.full(np.shape(by), np.nan), where=by != 0)


def sums_by(group: np.ndarray, weight: np.ndarray, size: int) -> np.ndarray:
    """(..., size): the sums of `weight` (..., n) by `group` (n,), from 0 to size - 1."""
    rows = math.prod(weight.shape[:-1])
    cell = np.arange(rows)[:, None] * size + group
    sums = np.bincount(cell.ravel(), weight.ravel(), rows * size)
    return np.asarray(sums, float).reshape(*weight.shape[:-1], size)  # of no groups numpy makes integers


class Ranking:
    """Cases by their score, the highest first; those of one score are one step. score (n,); positive (n,) bool.

    It is sorted once and asked with many `weight`s (..., n): as if each case were there so many times. scikit-learn
    sorts each time, which of hundreds of resampled logs is most of the work; tests hold the two equal.
    """

    def __init__(self, score: np.ndarray, positive: np.ndarray):
        order = np.argsort(-score, kind="stable")
        step = np.cumsum(np.r_[False, np.diff(score[order]) != 0][: len(order)])
        holds = np.zeros(int(step[-1]) + 2, bool)
        holds[step[positive[order]]] = True
        # neighbours without a positive case change no area, and are one
        merged = np.cumsum(holds | np.r_[True, holds[:-1]])
        self._step = np.empty(len(order), np.intp)
        self._step[order] = merged[step] - 1
        self._positive = np.flatnonzero(positive)

    def _steps(self, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Positives, and cases, of each step, (..., steps)."""
        steps, positive = int(self._step.max(initial=-1)) + 1, self._positive
        return sums_by(self._step[positive], weight.take(positive, -1), steps), sums_by(self._step, weight, steps)

    def areas(self, weight: np.ndarray) -> Areas:
        new, cases = self._steps(weight)
        hits, total = new.cumsum(-1), cases.cumsum(-1)
        above = ((cases - new) * (hits - new / 2)).sum(-1)
        precision = (new * hits / np.where(total > 0, total, 1)).sum(-1)
        both = hits[..., -1] * (total[..., -1] - hits[..., -1])
        return Areas(quotient(above, both), quotient(precision, hits[..., -1]))

    def right_of_first(self, shares: Sequence[float], weight: np.ndarray) -> np.ndarray:
        """(shares, ...): positives among the first of each share of cases; of those of one score any may be among
        them. NaN where there are no cases."""
        hits, cases = (each.cumsum(-1).reshape(-1, each.shape[-1]) for each in self._steps(weight))
        n = np.outer(shares, cases[:, -1])
        first = [np.interp(m, np.r_[0, c], np.r_[0, h]) for m, c, h in zip(n.T, cases, hits, strict=True)]
        return quotient(np.transpose(first), n).reshape(-1, *weight.shape[:-1])
