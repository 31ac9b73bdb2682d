"""Statistics of a few runs: interquartile mean, intervals, paired differences and ratios.

After Agarwal et al., "Deep Reinforcement Learning at the Edge of the Statistical Precipice" (NeurIPS 2021). `runs` are
scores (n,), or (training seeds, evaluation seeds).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

Statistic = Callable[[np.ndarray], np.ndarray]  # of the last axis
Runs = np.ndarray | Sequence[float]


class Interval(NamedTuple):
    """An estimate and its interval."""

    value: float
    low: float
    high: float


class Estimate(NamedTuple):
    """A statistic, its sampling variance, and the degrees of freedom of Student's t for it."""

    value: float
    variance: float
    df: float

    def interval(self, level: float = 0.95) -> Interval:
        """The value -+ t times the standard error; low = high = value where there is no variance."""
        half = t_quantile(level, self.df) * self.variance**0.5 if self.variance > 0 else 0.0
        return Interval(self.value, self.value - half, self.value + half)

    def above(self) -> float:
        """Probability that the truth lies above 0; without variance 0, .5 or 1."""
        from scipy.special import stdtr

        if self.variance <= 0:
            return float(0.5 + 0.5 * np.sign(self.value))
        return float(stdtr(self.df, self.value / self.variance**0.5))


def mean(scores: np.ndarray) -> np.ndarray:
    """Of the last axis."""
    return np.asarray(np.mean(scores, axis=-1))


def iqm(scores: np.ndarray) -> np.ndarray:
    """Interquartile mean of the last axis: of what is left when floor(n / 4) scores are dropped at either end."""
    ranked = np.sort(scores, axis=-1)
    n = ranked.shape[-1]
    return np.asarray(ranked[..., n // 4 : n - n // 4].mean(-1))


def interval(runs: Runs, statistic: Statistic = iqm, level: float = 0.95, draws: int = 2000, seed: int = 0) -> Interval:
    """Estimate -+ Student's t times the bootstrap standard error: the interval of few runs.

    A percentile interval of n runs is too narrow by sqrt((n - 1) / n) and by the normal quantile in the place of t's
    (Hesterberg, "What Teachers Should Know About the Bootstrap", The American Statistician, 2015), and that of a grid
    of runs is too wide where neither training nor evaluation seeds matter. Of a grid, rows, columns and single cells
    are resampled: V = V_rows + V_columns - V_cells, at least V_cells (Cameron, Gelbach and Miller, "Robust Inference
    With Multiway Clustering", 2011), with degrees of freedom after Satterthwaite (1946), at least those of the shorter
    side. One run has no interval: low = high = value. `tests/evaluation/test_coverage.py` holds how often such
    intervals hold the truth.
    """
    return estimated(runs, statistic, draws, seed).interval(level)


def estimated(runs: Runs, statistic: Statistic = mean, draws: int = 2000, seed: int = 0) -> Estimate:
    """What `interval` is made of."""
    array = _checked(runs)
    rng = np.random.Generator(np.random.PCG64(seed))
    variance, df = _variance(array, lambda sample: float(statistic(sample).var()), draws, rng)
    return Estimate(float(statistic(array.ravel())), variance, df)


def paired_difference(
    x: Runs, y: Runs, statistic: Statistic = mean, level: float = 0.95, draws: int = 2000, seed: int = 0
) -> Interval:
    """`statistic` of x - y, run by run: x and y of one shape, the same seeds at the same place."""
    x, y = _pair(x, y)
    return interval(x - y, statistic, level, draws, seed)


def unpaired_difference(x: Estimate, y: Estimate) -> Estimate:
    """x - y of what was drawn apart: variances add up, with degrees of freedom after Welch ("The Generalization of
    'Student's' Problem when Several Different Population Variances are Involved", Biometrika, 1947)."""
    variance, spread = x.variance + y.variance, x.variance**2 / x.df + y.variance**2 / y.df
    return Estimate(x.value - y.value, variance, variance**2 / spread if spread > 0 else min(x.df, y.df))


def ratio_of_means(x: Runs, y: Runs, level: float = 0.95, draws: int = 2000, seed: int = 0) -> Interval:
    """mean(x) / mean(y) and its interval, x and y paired run by run and the mean of y not 0.

    The interval is that of the mean of r + (x - r y) / mean(y), the ratio r's linearisation (Cochran, "Sampling
    Techniques", 1977, chapter 6): what x and y have in common does not widen it, and of x = y there is none.
    """
    return interval(linearised_ratio(x, y), mean, level, draws, seed)


def linearised_ratio(x: Runs, y: Runs) -> np.ndarray:
    """Of runs paired one by one: numbers whose mean is mean(x) / mean(y), and their spread that of the ratio."""
    x, y = _pair(x, y)
    ratio = x.mean() / y.mean()
    return np.asarray(ratio + (x - ratio * y) / y.mean())


def probability_above(runs: Runs, draws: int = 2000, seed: int = 0) -> float:
    """Probability that the mean lies above 0: Student's t at the mean over its standard error, both as in `interval`;
    runs that are all equal have 0, .5 or 1."""
    return estimated(runs, mean, draws, seed).above()


def _variance(
    runs: np.ndarray, variance: Callable[[np.ndarray], float], draws: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Sampling variance of the statistic by resampling, and its degrees of freedom. `variance`: of (draws, scores)."""
    runs = runs.squeeze()  # a side of length 1 has nothing to resample
    if runs.ndim == 0:
        return 0.0, 1.0

    def by(side: np.ndarray) -> float:  # resampled along the first axis
        n = len(side)
        return variance(side[rng.integers(0, n, (draws, n))].reshape(draws, -1)) * n / (n - 1)

    if runs.ndim == 1:
        return by(runs), len(runs) - 1
    by_row, by_column = by(runs), by(runs.T)
    by_cell = variance(runs.ravel()[rng.integers(0, runs.size, (draws, runs.size))])
    return _two_way(by_row, by_column, by_cell, runs.shape)


def _two_way(by_row: float, by_column: float, by_cell: float, shape: tuple[int, ...]) -> tuple[float, float]:
    """Variance of a grid's statistic and its degrees of freedom, see `interval`."""
    rows, columns = shape
    total = max(by_row + by_column - by_cell, by_cell)
    spread = by_row**2 / (rows - 1) + by_column**2 / (columns - 1) + by_cell**2 / ((rows - 1) * (columns - 1))
    return total, max(total**2 / spread, min(shape) - 1) if spread > 0 else 1.0


def t_quantile(level: float, df: float) -> float:
    """Student's t quantile of a two-sided interval; of infinite `df` the normal one."""
    from scipy.special import ndtri, stdtrit  # loads in a fifth of the time of scipy.stats

    return float(stdtrit(df, (1 + level) / 2) if np.isfinite(df) else ndtri((1 + level) / 2))


def _checked(runs: Runs) -> np.ndarray:
    array = np.asarray(runs, np.float64)
    if array.ndim not in (1, 2) or array.size == 0 or not np.isfinite(array).all():
        raise ValueError(f"statistics: finite scores of shape (n,) or (n, m) are needed, not {array.shape}")
    return array


def _pair(x: Runs, y: Runs) -> tuple[np.ndarray, np.ndarray]:
    one, other = _checked(x), _checked(y)
    if one.shape != other.shape:
        raise ValueError(f"statistics: paired runs must match, not {one.shape} and {other.shape}")
    return one, other


def sd_over(unit: np.ndarray, values: np.ndarray, draws: int = 1000, seed: int = 0) -> float:
    """Standard deviation of the mean of `values` (n,) where whole units, numbered in `unit` (n,), are drawn with
    replacement: days of a log, or its streams; NaN of a single one. Of k units the bootstrap's variance is (k - 1) / k
    of what it should be, which is made good (Efron and Tibshirani, 1993, chapter 5)."""
    _, index = np.unique(unit, return_inverse=True)
    if not index.any():
        return float("nan")
    total, number = np.bincount(index, values), np.bincount(index)
    rng = np.random.Generator(np.random.PCG64(seed))
    pick = rng.integers(0, len(total), (draws, len(total)))
    drawn = total[pick].sum(1) / number[pick].sum(1)
    return float(drawn.std() * (len(total) / (len(total) - 1)) ** 0.5)
