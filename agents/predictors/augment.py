"""Training rows as they might have been as well: other times, an event that was missed, one that was written twice.

What followed stays what did, so that no habit is made up. Only what is trained on is changed, anew in each pass.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from lam_env.core.units import DAY
from lam_env.logs.decision_points import DecisionPoints

KINDS = ("jitter", "shift", "drop", "repeat")
TIMES = KINDS[:2]  # those that need a clock
JITTER, SHIFT = 600.0, 1800.0  # [s] standard deviation, of each row's time and of a whole day's
SHARE = 0.05  # of rows that are missed, and of those that stand there twice


def augmented(points: DecisionPoints, kinds: Sequence[str], rng: np.random.Generator) -> DecisionPoints:
    """`points` changed by `kinds`, some of KINDS; rows of a world stay in their order."""
    n = len(points)
    moved = np.zeros(n)
    if "jitter" in kinds:
        moved += JITTER * rng.standard_normal(n)
    if "shift" in kinds:
        days, index = np.unique(np.stack([points.world, points.time // DAY]), axis=1, return_inverse=True)
        moved += SHIFT * np.asarray(rng.standard_normal(days.shape[1]))[index.ravel()]
    if moved.any():
        points = _at(points, np.maximum(points.time + np.rint(moved).astype(np.int64), 0))
    if "drop" in kinds:
        stays = rng.random(n) >= SHARE
        stays[: int(not stays.any())] = True  # one at least
        points = _without(points, stays)
    if "repeat" in kinds:
        times = 1 + (rng.random(len(points)) < SHARE)
        again = np.r_[False, np.diff(np.repeat(np.arange(len(points)), times)) == 0]
        points = points.select(np.repeat(np.arange(len(points)), times))
        points = dataclasses.replace(points, gap=np.where(again, np.float32(0), points.gap))
    return points


def _at(points: DecisionPoints, time: np.ndarray) -> DecisionPoints:
    """At other times (n,), in order; gaps grow and shrink by as much, to none at least."""
    time = time[np.lexsort((time, points.world))]
    later = time - points.time
    grown = np.diff(later, prepend=later[:1])
    grown[points.starts()] = 0
    return dataclasses.replace(points, time=time, gap=np.maximum(points.gap + grown, 0).astype(np.float32))


def _without(points: DecisionPoints, stays: np.ndarray) -> DecisionPoints:
    """Rows `stays` (n,) bool; a gap lasts from the row before that is left."""
    waited = np.cumsum(points.gap, dtype=np.float64)
    before = waited[points.starts()] - points.gap[points.starts()]  # where each world begins
    left = points.select(stays)
    since = np.r_[0.0, waited[stays][:-1]]
    worlds = points.world[points.starts()]
    since[left.starts()] = before[np.searchsorted(worlds, left.world[left.starts()])]
    return dataclasses.replace(left, gap=(waited[stays] - since).astype(np.float32))
