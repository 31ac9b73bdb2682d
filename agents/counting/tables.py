"""What followed each context, and how often: rows as in a sparse matrix."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Followed(NamedTuple):
    """Of n rows the counts above zero, (N,) each, no outcome of a row twice: which row, which outcome, and the
    count."""

    row: np.ndarray
    outcome: np.ndarray
    counts: np.ndarray

    def total(self, n: int) -> np.ndarray:
        """(n,) float32: of each row."""
        return np.bincount(self.row, self.counts, n).astype(np.float32)

    def hits(self, row: np.ndarray, outcome: np.ndarray, size: int) -> np.ndarray:
        """(k,) float32: counts of `outcome` (k,), one of `size`, in `row` (k,)."""
        return found(self.row * size + self.outcome, self.counts, row * size + outcome)


NOTHING = Followed(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))


def found(keys: np.ndarray, counts: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """(k,) float32: the `counts` (N,) of those of `keys` (N,) that are `asked` (k,) for, 0 where there is none."""
    if not len(keys):
        return np.zeros(len(asked), np.float32)
    if (keys[1:] < keys[:-1]).any():
        order = np.argsort(keys)
        keys, counts = keys[order], counts[order]
    at = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
    return np.where(keys[at] == asked, counts[at], np.float32(0))


class CountTable(NamedTuple):
    """What followed each of K contexts, and how often; what never did takes no room. keys (K,) int64, sorted; first
    (K + 2,) int64: row k holds `outcomes` (N,) int32, which rise, and their `counts` (N,) float32 from first[k] to
    first[k + 1]; the last row is empty, for keys never met. total (K + 1, 1) float32. `size`: how many outcomes there
    are."""

    keys: np.ndarray
    first: np.ndarray
    outcomes: np.ndarray
    counts: np.ndarray
    total: np.ndarray
    size: int

    @classmethod
    def of(cls, keys: np.ndarray, first: np.ndarray, outcomes: np.ndarray, counts: np.ndarray, size: int) -> CountTable:
        row = np.repeat(np.arange(len(keys) + 1), np.diff(first))
        total = np.bincount(row, counts, len(keys) + 1).astype(np.float32)
        return cls(keys, first, outcomes, counts, total[:, None], size)

    def rows(self, key: np.ndarray) -> np.ndarray:
        at = np.searchsorted(self.keys, key)
        if not len(self.keys):
            return at
        at[at == len(self.keys)] = 0
        return np.where(self.keys[at] == key, at, len(self.keys))

    def of_rows(self, rows: np.ndarray) -> Followed:
        """The counts of `rows` (n,)."""
        first, length = self.first[rows], self.first[rows + 1] - self.first[rows]
        at = np.repeat(first - np.cumsum(length) + length, length) + np.arange(length.sum())
        return Followed(np.repeat(np.arange(len(rows)), length), self.outcomes[at], self.counts[at])

    def hits(self, rows: np.ndarray, outcome: np.ndarray) -> np.ndarray:
        """(n,) float32: how often `outcome` (n,) has followed in `rows` (n,)."""
        row = np.repeat(np.arange(len(self.keys) + 1), np.diff(self.first))
        return found(row * self.size + self.outcomes, self.counts, rows * self.size + outcome)


def count_outcomes(key: np.ndarray, target: np.ndarray, size: int) -> CountTable:
    keys, row = np.unique(key, return_inverse=True)
    pairs, counts = np.unique(row.ravel() * size + target, return_counts=True)
    first = np.searchsorted(pairs, np.arange(len(keys) + 2) * size)
    outcomes = (pairs % size).astype(np.int32)
    return CountTable.of(keys, first, outcomes, counts.astype(np.float32), size)
