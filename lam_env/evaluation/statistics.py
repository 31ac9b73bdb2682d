"""Statistics of a few runs: interquartile mean, bootstrap intervals, probability of improvement.

After Agarwal et al., "Deep Reinforcement Learning at the Edge of the Statistical Precipice" (NeurIPS 2021). `runs` is one
stratum: scores (n,), or (training seeds, evaluation seeds); several strata (scenarios, variants) are a list of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

Statistic = Callable[[np.ndarray], np.ndarray]  # of the last axis
Runs = np.ndarray | Sequence[float]


class Interval(NamedTuple):
    """An estimate and its bootstrap interval."""

    value: float
    low: float
    high: float


def mean(scores: np.ndarray) -> np.ndarray:
    """Of the last axis."""
    return np.asarray(np.mean(scores, axis=-1))


def median(scores: np.ndarray) -> np.ndarray:
    """Of the last axis."""
    return np.asarray(np.median(scores, axis=-1))


def iqm(scores: np.ndarray) -> np.ndarray:
    """Interquartile mean of the last axis: of what is left when floor(n / 4) scores are dropped at either end."""
    ranked = np.sort(scores, axis=-1)
    n = ranked.shape[-1]
    return np.asarray(ranked[..., n // 4 : n - n // 4].mean(-1))


def optimality_gap(scores: np.ndarray, best: float = 1.0) -> np.ndarray:
    """Mean shortfall below `best` along the last axis; what lies above it earns nothing."""
    return np.asarray(np.mean(best - np.minimum(scores, best), axis=-1))


def performance_profile(scores: Runs, thresholds: Runs) -> np.ndarray:
    """Share of runs that score above each threshold, shape (thresholds,)."""
    flat = np.ravel(np.asarray(scores, float))
    return np.asarray((flat[None, :] > np.asarray(thresholds, float)[:, None]).mean(1))


def bootstrap(
    strata: Sequence[Runs], statistic: Statistic = iqm, level: float = 0.95, draws: int = 2000, seed: int = 0
) -> Interval:
    """Stratified percentile bootstrap: `statistic` of all scores pooled, each stratum resampled in itself.

    A stratum of shape (training seeds, evaluation seeds) has both resampled, each with its whole row or column
    (Owen, "The pigeonhole bootstrap", 2007): ten evaluations of one trained network are not ten networks.
    """
    arrays = [_checked(s) for s in strata]
    rng = np.random.Generator(np.random.PCG64(seed))
    values = statistic(np.concatenate([_resampled(a, draws, rng) for a in arrays], axis=1))
    tail = (1 - level) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return Interval(float(statistic(np.concatenate([np.ravel(a) for a in arrays]))), float(low), float(high))


def interval(runs: Runs, statistic: Statistic = iqm, level: float = 0.95, draws: int = 2000, seed: int = 0) -> Interval:
    """`bootstrap` of one stratum."""
    return bootstrap([runs], statistic, level, draws, seed)


def paired_difference(
    x: Runs, y: Runs, statistic: Statistic = mean, level: float = 0.95, draws: int = 2000, seed: int = 0
) -> Interval:
    """`statistic` of x - y, run by run: x and y of one shape, the same seeds at the same place."""
    x, y = _pair(x, y)
    return interval(x - y, statistic, level, draws, seed)


def improvement_paired(x: Runs, y: Runs, level: float = 0.95, draws: int = 2000, seed: int = 0) -> Interval:
    """P(x > y) over runs paired by training seed x evaluation seed; a tie counts half."""
    x, y = _pair(x, y)
    return interval((x > y) + 0.5 * (x == y), mean, level, draws, seed)


def improvement(x: Sequence[Runs], y: Sequence[Runs]) -> float:
    """P(x > y) of two independent runs, by stratum and averaged: the Mann-Whitney U over its largest value."""
    if len(x) != len(y) or not x:
        raise ValueError(f"statistics: as many strata on both sides, not {len(x)} and {len(y)}")
    shares = []
    for a, b in zip(x, y, strict=True):
        one, other = np.ravel(_checked(a))[:, None], np.ravel(_checked(b))[None, :]
        shares.append(((one > other) + 0.5 * (one == other)).mean())
    return float(np.mean(shares))


def _resampled(runs: np.ndarray, draws: int, rng: np.random.Generator) -> np.ndarray:
    """`draws` samples of all scores, shape (draws, scores)."""
    rows, *columns = (rng.integers(0, n, (draws, n)) for n in runs.shape)
    if not columns:
        return np.asarray(runs[rows])
    return np.asarray(runs[rows[:, :, None], columns[0][:, None, :]]).reshape(draws, -1)


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
