"""What a stream has done since its start, counted by context: read whole, and gathered one decision point at a time."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import cache

import numpy as np

from lam_env.core.contracts import Prediction, Said, one_by_one
from lam_env.logs.decision_points import DecisionPoints

from .tables import Followed

_FORGOTTEN = 2048  # comings of a context after which what decays counts for nothing
LARGEST = 1 << 22  # numbers in an array of so many rows by all outcomes; what needs more is read in pieces


def user_action(tokens: np.ndarray, n_actions: int) -> np.ndarray:
    """The user action that a bag (n, BAG) reports, (n,); 0 none. The user's event is the bag's last token; the last of
    an agent's actions passes for it where a bag holds nothing else."""
    token = tokens[:, -1].astype(np.int64)
    return np.where(token < n_actions, token, 0)


def pieces(rows: np.ndarray, size: int) -> Iterator[np.ndarray]:
    """The rows of a log that are asked for, (n,) bool, in pieces that fit into memory, each as row numbers (b,); size:
    numbers that are said of a row."""
    asked, most = np.flatnonzero(rows), max(1, LARGEST // size)
    for i in range(0, len(asked), most):
        yield asked[i : i + most]


def whole(blocks: Iterator[Said], n: int, size: int) -> Prediction:
    """All n rows of a log of the pieces that were said of them."""
    out, at = np.empty((n, size), np.float32), 0
    for block in blocks:
        out[at : at + len(block)] = one_by_one(block)
        at += len(block)
    return Prediction(out)


class CountsSoFar:
    """Per row of a log, how often each outcome has followed the row's context (n,) earlier in its world. follows (n,):
    each row's outcome, one of `size`; those of rows that are `known` (n,) bool are left out."""

    def __init__(
        self,
        points: DecisionPoints,
        context: np.ndarray,
        follows: np.ndarray,
        size: int,
        known: np.ndarray | None = None,
    ):
        n, starts = len(points), points.starts()
        world = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, n]))
        names, number = np.unique(context, return_inverse=True)
        place = np.unique(world * len(names) + number.ravel(), return_inverse=True)[1].ravel()
        self._key = place * n  # and the row
        counted = np.arange(n) if known is None else np.flatnonzero(~known)
        # the rows that are counted, context by context, and of each outcome of a context the places where it stands
        order = counted[np.argsort(self._key[counted], kind="stable")]
        self._at, self._outcome, m = self._key[order] + order, follows[order], len(order)
        pair = place[order] * size + self._outcome
        _, first, pair = np.unique(pair, return_index=True, return_inverse=True)
        self._pair = pair.ravel() * m
        self._places = np.sort(self._pair + np.arange(m))
        self._earlier = np.searchsorted(self._places, self._pair)  # places of other outcomes and contexts before
        self._first = np.sort(first)

    def of(self, rows: np.ndarray) -> Followed:
        """Those of `rows` (b,) of the log."""
        begin, end = (np.searchsorted(self._at, self._key[rows] + more) for more in (0, rows))
        a, b = np.searchsorted(self._first, begin), np.searchsorted(self._first, end)
        row, many = np.repeat(np.arange(len(rows)), b - a), b - a
        at = self._first[np.repeat(b - np.cumsum(many), many) + np.arange(len(row))]
        count = np.searchsorted(self._places, self._pair[at] + end[row]) - self._earlier[at]
        return Followed(row, self._outcome[at], count.astype(np.float32))


@cache
def _left(decays: tuple[float, ...]) -> np.ndarray:
    """(n, S): what is left of a count when its context has come so often since; in the end nothing of what decays."""
    left = np.array(decays) ** np.arange(_FORGOTTEN + 1)[:, None]
    left[-1] = np.array(decays) == 1
    return left


class Ledger:
    """What one stream has done since its start: per context, a number, how often each outcome followed. `decays` (S,):
    counts at several speeds of forgetting, each multiplied by its own whenever its context comes again. A count is kept
    as it was when its outcome came last: what has been forgotten since is told by how often its context has come."""

    def __init__(self, decays: tuple[float, ...] = (1.0,)):
        self.decays, self._forgets = np.array(decays), decays != (1.0,)
        self._left = _left(decays)
        # context -> how often it has come, and of each of its outcomes the row of what follows
        self._held: dict[int, tuple[list[int], dict[int, int]]] = {}
        self._size, self._counts, self._at = 0, np.zeros((64, len(decays))), np.zeros(64, np.int64)

    def add(self, contexts: list[int], outcome: int) -> None:
        rows, now = [], []
        for context in contexts:
            if (held := self._held.get(context)) is None:
                held = self._held[context] = [0], {}
            held[0][0] += 1
            if (row := held[1].get(outcome)) is None:
                row = held[1][outcome] = self._size
                self._size += 1
            rows.append(row)
            now.append(held[0][0])
        while self._size > len(self._at):
            self._counts = np.concatenate([self._counts, np.zeros_like(self._counts)])
            self._at = np.concatenate([self._at, np.zeros_like(self._at)])
        at = np.array(rows)
        if self._forgets:
            self._counts[at] *= self._left[np.minimum(now - self._at[at], _FORGOTTEN)]
            self._at[at] = now
        self._counts[at] += 1

    def of(self, contexts: list[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """All that has followed: which of `contexts` (k,), which outcome (k,), and its counts (k, S)."""
        outcomes, rows, now, many = list[int](), list[int](), list[int](), list[int]()
        for context in contexts:
            if (held := self._held.get(context)) is None:
                many.append(0)
                continue
            outcomes += held[1]
            rows += held[1].values()
            many.append(len(held[1]))
            now += held[0] * many[-1]
        at = np.array(rows, np.int64)
        counts = self._counts[at]
        if self._forgets:
            counts *= self._left[np.minimum(np.array(now, np.int64) - self._at[at], _FORGOTTEN)]
        return np.repeat(np.arange(len(many)), many), np.array(outcomes, np.int64), counts

    def __deepcopy__(self, memo: object) -> Ledger:
        return Ledger.of_state(self.state_dict())

    def state_dict(self) -> dict[str, np.ndarray]:
        held = self._held.values()
        return {
            "decays": self.decays.copy(),
            "contexts": np.array(list(self._held), np.int64),
            "times": np.array([times[0] for times, _ in held], np.int64),
            "many": np.array([len(rows) for _, rows in held], np.int64),
            "outcomes": np.array([outcome for _, rows in held for outcome in rows], np.int64),
            "rows": np.array([row for _, rows in held for row in rows.values()], np.int64),
            "counts": self._counts[: self._size].copy(),
            "at": self._at[: self._size].copy(),
        }

    @classmethod
    def of_state(cls, state: dict[str, np.ndarray]) -> Ledger:
        out = cls(tuple(state["decays"].tolist()))
        pairs = zip(state["outcomes"].tolist(), state["rows"].tolist(), strict=True)
        for context, times, many in zip(*(state[k].tolist() for k in ("contexts", "times", "many")), strict=True):
            out._held[context] = [times], dict(itertools.islice(pairs, many))
        out._size = len(state["at"])
        if out._size:
            out._counts, out._at = state["counts"].copy(), state["at"].copy()
        return out


def ledgers(n: int) -> np.ndarray:
    """(n,) object: empty ones."""
    out = np.empty(n, object)
    out[:] = [Ledger() for _ in range(n)]
    return out


def gathered(
    own: np.ndarray, before: np.ndarray, after: np.ndarray, action: np.ndarray, active: np.ndarray, size: int
) -> np.ndarray:
    """(levels, n, size): what the ledgers `own` (n,) hold of the contexts `after` (n, levels), once each `active`
    stream has counted that `action` (n,) followed its contexts `before` (n, levels; -1: there were none yet)."""
    out = np.zeros((after.shape[1], len(own), size), np.float32)
    were, are = before.tolist(), after.tolist()
    for i in np.flatnonzero(active).tolist():
        if were[i][0] >= 0:
            own[i].add(were[i], int(action[i]))
        level, outcome, counts = own[i].of(are[i])
        out[level, i, outcome] = counts[:, 0]
    return out
