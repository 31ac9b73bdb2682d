"""The likelihood on which smoothing constants and early stopping are chosen."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lam_env.logs.decision_points import DecisionPoints, day_of_target

LONG = 40  # days of a stream from which people have changed in it


def smoothed(p: np.ndarray, n_actions: int) -> np.ndarray:
    """.999 p + .001 / K: what is scored, so that one impossible event does not cost everything."""
    return 0.999 * p + 0.001 / n_actions


def mean_nll(p: np.ndarray, target: np.ndarray) -> float:
    """Mean negative log-likelihood [nats] of `target` (n,) under .999 p + .001 / K; p (n, K)."""
    if not len(target):
        return float("nan")
    chosen = p[np.arange(len(target)), target].astype(np.float64)
    return float(-np.log(smoothed(chosen, p.shape[1])).mean())


def marginal_nll(train: np.ndarray, target: np.ndarray, n_actions: int) -> float:
    """`mean_nll` of the shares of each action among the targets `train` (n,), one more of each being counted."""
    counts = np.bincount(train, minlength=n_actions) + 1.0
    return mean_nll(np.broadcast_to(counts / counts.sum(), (len(target), n_actions)), target)


class Split(NamedTuple):
    """What a predictor learns from, and what it is judged on: the rows `judged` (n,) bool of `reading`, which is read
    from its worlds' starts, so that the predictor meets them with the memory it would have."""

    train: DecisionPoints
    reading: DecisionPoints
    judged: np.ndarray


def joined(train: DecisionPoints, valid: DecisionPoints) -> tuple[DecisionPoints, np.ndarray]:
    """Both in one, worlds and their rows in order; and the mask of the rows that validate."""
    judged = np.r_[np.zeros(len(train), bool), np.ones(len(valid), bool)]
    # stable: rows of one world stay in their order
    order = np.lexsort((judged, np.concatenate([train.world, valid.world])))
    a, b = train.columns(), valid.columns()
    return valid.with_columns({k: np.concatenate([a[k], b[k]])[order] for k in a.keys() & b.keys()}), judged[order]


def split_of(train: DecisionPoints, valid: DecisionPoints) -> Split:
    """Of worlds that validate only those that are trained on too (a split by day) are read from their start."""
    before = train.select(np.isin(train.world, valid.world))
    reading, judged = joined(before, valid) if len(before) else (valid, np.ones(len(valid), bool))
    return Split(train, reading, judged)


def _shares(points: DecisionPoints, blocks: int) -> tuple[np.ndarray, np.ndarray]:
    """(n,) the stream of each row or, where there are fewer streams than blocks, the day of its target; and those that
    count: all streams, and the days on which somebody does something."""
    if len(points.starts()) >= blocks:
        return points.world, np.unique(points.world)
    day = day_of_target(points)
    return day, np.unique(day[points.target > 0])


def most_blocks(points: DecisionPoints, blocks: int) -> int:
    """How many of `blocks` a log can be cut into."""
    return min(blocks, len(_shares(points, blocks)[1]))


def blocks_of(points: DecisionPoints, blocks: int) -> np.ndarray:
    """(n,) the block of each row, 0 to `blocks` - 1: contiguous shares of the streams or days."""
    key, shares = _shares(points, blocks)
    rank = np.minimum(np.searchsorted(shares, key), len(shares) - 1)
    return rank * blocks // len(shares)


def recent(points: DecisionPoints, half_life: float) -> np.ndarray | None:
    """(n,) float32: how much each row counts that is trained on. Of a single stream of more than `LONG` days: 1 on the
    last one, half of it `half_life` days before, or half the stream's days where these are more, so that of however
    long a log no day is lost. None where all rows count alike: of other logs, or where half_life is 0."""
    day = day_of_target(points)
    if not half_life or len(points.starts()) != 1 or (age := day.max() - day).max() < LONG:
        return None
    return np.asarray(0.5 ** (age / max(half_life, (age.max() + 1) / 2)), np.float32)


def left_out(points: DecisionPoints, blocks: int, members: int) -> list[np.ndarray]:
    """For each member the rows that it leaves out, (n,) bool: another block, of the last ones where there are more
    blocks than members."""
    block = blocks_of(points, blocks)
    return [block == b for b in range(blocks - members, blocks)]


def split_without(points: DecisionPoints, left: np.ndarray) -> Split:
    """Training without the rows `left`, which judge. Streams that hold none of them, and what comes after the last,
    need not be read."""
    read = np.isin(points.world, np.unique(points.world[left])) & (np.arange(len(left)) <= np.flatnonzero(left)[-1])
    return Split(points.select(~left), points.select(read), left[read])
