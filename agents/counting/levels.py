"""Counts interpolated from coarse contexts to fine ones, p_k(y) = (count_k(y) + c_k p_{k-1}(y)) / (count_k + c_k) from
p_0 = 1 / Y on: of all outcomes, of those asked for, or of the few that a row's own contexts have seen.

Where there are thousands of outcomes nearly all of them have never followed a row's contexts, so that what is said of
them is a share of what coarser contexts say of everybody. Only few contexts have seen many outcomes, for each event
brings one at most: up to the last such one rows have a word in common, and what followed finer ones is told one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lam_env.core.contracts import Said, Sparse

from .tables import NOTHING, CountTable, Followed

MANY = 2000  # outcomes of which not all are said one by one
LONG = 8  # a context has seen many outcomes where it has seen more than this part of them


class Level(NamedTuple):
    """Of n rows one context each: what followed it in the log that was trained on, `rows` (n,) of the `table`, and in
    the stream itself, `own`; `total` (n,) of both. `constant` (n,) float32: c_k, which the table's row tells."""

    constant: np.ndarray
    table: CountTable
    rows: np.ndarray
    own: Followed
    total: np.ndarray

    @classmethod
    def of(cls, constant: float | np.ndarray, table: CountTable, rows: np.ndarray, own: Followed = NOTHING) -> Level:
        n = len(rows)
        return cls(np.full(n, constant, np.float32), table, rows, own, table.total[rows, 0] + own.total(n))

    @property
    def left(self) -> np.ndarray:
        """(n,) what is left of an outcome's probability that has never followed."""
        return self.constant / (self.total.astype(np.float64) + self.constant)


def said(levels: Sequence[Level], size: int) -> Said:
    """What is said of each row of the `levels`, of `size` outcomes."""
    return sparse(levels, size) if size > MANY else dense(levels, size)


def dense(levels: Sequence[Level], size: int) -> np.ndarray:
    """(n, size) float32"""
    p = np.full((len(levels[0].rows), size), 1 / size, np.float32)
    for level in levels:
        p *= level.constant[:, None]
        for row, outcome, count in (level.table.of_rows(level.rows), level.own):
            p[row, outcome] += count
        p /= (level.total + level.constant)[:, None]
    return p


def picked(levels: Sequence[Level], row: np.ndarray, outcome: np.ndarray, size: int) -> np.ndarray:
    """(k,) float64: what is said of `outcome` (k,) in `row` (k,)."""
    p = np.full(len(row), 1 / size)
    for level in levels:
        count = level.table.hits(level.rows[row], outcome) + level.own.hits(row, outcome, size)
        p = (count + level.constant[row] * p) / (level.total + level.constant)[row]
    return p


def sparse(levels: Sequence[Level], size: int) -> Sparse:
    """The same as `dense`."""
    long = np.array([np.diff(level.table.first)[level.rows] * LONG > size for level in levels])
    depth = np.max(np.arange(1, len(levels) + 1)[:, None] * long, axis=0, initial=1)
    # rows of one word: the same contexts up to there, and as many counts of the stream's own (at the first alone these
    # make but a share)
    which = [np.where(k < depth, level.rows, -1) for k, level in enumerate(levels)]
    which += [np.where((k < depth) & (depth > 1), level.total, -1) for k, level in enumerate(levels)]
    _, one, group = np.unique(np.stack(which), axis=1, return_index=True, return_inverse=True)
    group = group.ravel()
    common = np.empty((len(one), size), np.float32)
    for d in np.unique(depth[one]).tolist():
        here = depth[one] == d
        at = one[here]
        common[here] = dense(
            [Level(one.constant[at], one.table, one.rows[at], NOTHING, one.total[at]) for one in levels[:d]], size
        )
    share, keys = levels[0].left / levels[0].left[one[group]], [np.zeros(0, np.int64)]
    for k, level in enumerate(levels):
        finer = k >= depth
        share *= np.where(finer, level.left, 1)
        of_table = level.table.of_rows(np.where(finer, level.rows, len(level.table.keys)))
        keys += [row * size + outcome for row, outcome, _ in (of_table, level.own)]
    key = np.unique(np.concatenate(keys))
    return Sparse(common, group, share, key, picked(levels, key // size, key % size, size))
