"""Statistics of a few runs: interquartile mean, intervals, probability of improvement.

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
    array = _checked(runs)
    value = float(statistic(array.ravel()))
    rng = np.random.Generator(np.random.PCG64(seed))
    variance, df = _variance(array, lambda sample: float(statistic(sample).var()), draws, rng)
    if variance <= 0:
        return Interval(value, value, value)
    half = t_quantile(level, df) * variance**0.5
    return Interval(value, value - half, value + half)


def paired_difference(
    x: Runs, y: Runs, statistic: Statistic = mean, level: float = 0.95, draws: int = 2000, seed: int = 0
) -> Interval:
    """`statistic` of x - y, run by run: x and y of one shape, the same seeds at the same place."""
    x, y = _pair(x, y)
    return interval(x - y, statistic, level, draws, seed)


def improvement_paired(x: Runs, y: Runs, level: float = 0.95) -> Interval:
    """P(x > y) over runs paired by training seed x evaluation seed; a tie counts half.

    A share of few pairs has Wilson's score interval (1927), of a grid with its effective number of pairs,
    1 + p (1 - p) / V, V as in `interval`, and t's quantile (Dean and Pagano, "Evaluating Confidence Interval Methods
    for Binomial Proportions in Clustered Surveys", 2015); where all pairs of a grid agree, with the shorter side's
    number. Runs that are all equal have no interval.
    """
    x, y = _pair(x, y)
    wins = (x > y) + 0.5 * (x == y)
    p = float(wins.mean())
    if np.array_equal(x, y):
        return Interval(p, p, p)
    grid = wins.squeeze()
    if grid.ndim < 2:
        return Interval(p, *_wilson(p, grid.size, t_quantile(level, np.inf)))
    rows, columns = grid.shape
    by_row, by_column = grid.mean(1).var(ddof=1) / rows, grid.mean(0).var(ddof=1) / columns
    total, df = _two_way(by_row, by_column, float(grid.var()) / grid.size, grid.shape)
    if total <= 0 or p in (0, 1):
        return Interval(p, *_wilson(p, min(rows, columns), t_quantile(level, np.inf)))
    return Interval(p, *_wilson(p, min(1 + p * (1 - p) / total, grid.size), t_quantile(level, df)))


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


def _wilson(p: float, n: float, z: float) -> tuple[float, float]:
    """Score interval of a share p of n trials."""
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * (p * (1 - p) / n + z**2 / (4 * n**2)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)


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
    replacement: days of a log, or its streams; NaN of a single one."""
    _, index = np.unique(unit, return_inverse=True)
    if not index.any():
        return float("nan")
    total, number = np.bincount(index, values), np.bincount(index)
    rng = np.random.Generator(np.random.PCG64(seed))
    pick = rng.integers(0, len(total), (draws, len(total)))
    return float((total[pick].sum(1) / number[pick].sum(1)).std())
