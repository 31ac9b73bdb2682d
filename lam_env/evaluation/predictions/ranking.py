"""What a score is worth that ranks cases: areas under curves, and how many of the first are right."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Areas(NamedTuple):
    """Under the ROC curve: probability that a positive case lies above a negative one, ties counted half. Under the
    precision-recall steps: sum of (R_i - R_i-1) P_i from the highest score on. NaN where there are no such cases."""

    roc: float
    precision: float


class Ranking:
    """Cases by their score, the highest first; those of one score are one step. score (n,); positive (n,) bool.

    It is sorted once and asked with many `weight`s (n,): as if each case were there so many times. scikit-learn sorts
    each time, which of hundreds of resampled logs is most of the work; tests hold the two equal.
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
        """Positives, and cases, of each step."""
        cases = np.bincount(self._step, weight)
        return np.bincount(self._step[self._positive], weight[self._positive], len(cases)), cases

    def areas(self, weight: np.ndarray) -> Areas:
        new, cases = self._steps(weight)
        hits, total = np.cumsum(new), np.cumsum(cases)
        above = ((cases - new) * (hits - new / 2)).sum()
        both = hits[-1] * (total[-1] - hits[-1])
        precision = (new * hits / np.where(total > 0, total, 1)).sum()
        return Areas(
            float(above / both) if both else float("nan"),
            float(precision / hits[-1]) if hits[-1] else float("nan"),
        )

    def right_of_first(self, share: float, weight: np.ndarray) -> float:
        """Share of positives among the first `share` of cases; of those of one score any may be among them."""
        hits, cases = map(np.cumsum, self._steps(weight))
        n = share * cases[-1]
        return float(np.interp(n, np.r_[0, cases], np.r_[0, hits]) / n) if n else float("nan")
