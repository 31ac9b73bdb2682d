"""The history that counting predictors look at: a stream's last tokens, the clock, whether anything happened."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lam_env.core.units import DAY, HOUR
from lam_env.logs.decision_points import DecisionPoints

DEPTH = 3  # tokens remembered


class History(NamedTuple):
    """last (n, DEPTH) int64: the latest tokens, latest first, 0 where there were fewer. hour, day (n,) int64: hour of
    the day, day of the week (0 Monday). quiet (n,) int64: 1 where the decision point itself brought no token."""

    last: np.ndarray
    hour: np.ndarray
    day: np.ndarray
    quiet: np.ndarray


def push(last: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    """`last` (n, DEPTH) after a decision point whose bag is `tokens` (n, BAG), right-aligned and 0-padded."""
    if not np.count_nonzero(tokens[:, -2]):  # one at most in each, as nearly always
        newest = tokens[:, -1:]
        return np.where(newest > 0, np.concatenate([newest, last[:, :-1]], axis=1), last)
    new = np.count_nonzero(tokens, axis=1)[:, None]
    width, back = tokens.shape[1], np.arange(DEPTH)
    both = np.concatenate([last, tokens], axis=1)
    return np.take_along_axis(both, np.where(back < new, DEPTH + width - 1 - back, back - new), axis=1)


def of_step(last: np.ndarray, points: DecisionPoints) -> History:
    """One decision point per stream; `last` as after this decision point."""
    time = np.asarray(points.time, np.int64)
    return History(last, time // HOUR % 24, time // DAY % 7, (points.tokens[:, -1] == 0).astype(np.int64))


def latest(points: DecisionPoints, depth: int) -> np.ndarray:
    """(n, depth) int64: the latest tokens of each row's stream, latest first, 0 where there were fewer."""
    tokens = np.asarray(points.tokens, np.int64)
    row, slot = np.nonzero(tokens)
    flat = tokens[row, slot]
    upto = np.cumsum(np.count_nonzero(tokens, axis=1))  # tokens seen when a row has been read
    starts = points.starts()
    world = np.searchsorted(starts, np.arange(len(points)), side="right") - 1
    before = np.r_[0, upto][starts][world] if len(points) else upto  # tokens that belong to earlier worlds
    at = upto[:, None] - 1 - np.arange(depth)
    return np.where(at >= before[:, None], np.r_[flat, 0][np.maximum(at, -1)], 0)


def of_log(points: DecisionPoints) -> History:
    """Every row of a log; equal to pushing its bags one by one."""
    return of_step(latest(points, DEPTH), points)
