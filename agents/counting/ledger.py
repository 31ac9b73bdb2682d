"""What a stream has done since its start, counted by context: read whole, and gathered one decision point at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lam_env.logs.decision_points import DecisionPoints


def user_action(tokens: np.ndarray, n_actions: int) -> np.ndarray:
    """The user action that a bag (n, BAG) reports, (n,); 0 none. The user's event is the bag's last token; the last of
    an agent's actions passes for it where a bag holds nothing else."""
    token = tokens[:, -1].astype(np.int64)
    return np.where(token < n_actions, token, 0)


def counts_so_far(
    points: DecisionPoints, context: np.ndarray, follows: np.ndarray, size: int, known: np.ndarray | None = None
) -> np.ndarray:
    """Per row, how often each outcome has followed the row's context (n,) earlier in its world, (n, size) float32.
    follows (n,): each row's outcome; those of rows that are `known` (n,) bool are left out."""
    n = len(points)
    counted = np.ones(n, np.float32) if known is None else (~known).astype(np.float32)
    out = np.zeros((n, size), np.float32)
    bounds = np.r_[points.starts(), n]
    for a, b in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        order = np.argsort(context[a:b], kind="stable")
        new = np.r_[True, np.diff(context[a:b][order]) != 0]
        first = np.flatnonzero(new)[np.cumsum(new) - 1]
        done = np.zeros((b - a + 1, size), np.float32)  # row i: outcomes of the first i rows in this order
        done[np.arange(1, b - a + 1), follows[a:b][order]] = counted[a:b][order]
        np.cumsum(done, axis=0, out=done)
        out[a:b][order] = done[:-1] - done[first]
    return out


class Ledger:
    """What one stream has done since its start: per context, a number, the counts of what followed."""

    def __init__(self, contexts: Sequence[int] = (), counts: np.ndarray | None = None, size: int = 0):
        self.row = {context: i + 1 for i, context in enumerate(contexts)}  # row 0: of contexts never met
        self.counts = np.zeros((64, size), np.float32) if counts is None else counts

    def add(self, contexts: list[int], action: int) -> None:
        rows = [self.row.setdefault(context, len(self.row) + 1) for context in contexts]
        while rows[-1] >= len(self.counts) or max(rows) >= len(self.counts):
            self.counts = np.concatenate([self.counts, np.zeros_like(self.counts)])
        self.counts[rows, action] += 1

    def of(self, contexts: list[int]) -> np.ndarray:
        """(levels, A)"""
        get = self.row.get
        return self.counts[[get(context, 0) for context in contexts]]

    def __deepcopy__(self, memo: object) -> Ledger:
        out = Ledger()
        out.row, out.counts = self.row.copy(), self.counts.copy()
        return out

    def state_dict(self) -> dict[str, np.ndarray]:
        return {"contexts": np.array(list(self.row), np.int64), "counts": self.counts}

    @classmethod
    def of_state(cls, state: dict[str, np.ndarray]) -> Ledger:
        return cls(state["contexts"].tolist(), state["counts"])


def ledgers(n: int, size: int) -> np.ndarray:
    """(n,) object: empty ones, of so many outcomes."""
    out = np.empty(n, object)
    out[:] = [Ledger(size=size) for _ in range(n)]
    return out


def gathered(
    own: np.ndarray, before: np.ndarray, after: np.ndarray, action: np.ndarray, active: np.ndarray
) -> np.ndarray:
    """(n, levels, A): what the ledgers `own` (n,) hold of the contexts `after` (n, levels), once each `active` stream
    has counted that `action` (n,) followed its contexts `before` (n, levels; -1: there were none yet)."""
    out = np.zeros((*after.shape, own[0].counts.shape[1]), np.float32)
    were, are = before.tolist(), after.tolist()
    for i, done in enumerate(action.tolist()):
        if active[i]:
            if were[i][0] >= 0:
                own[i].add(were[i], done)
            out[i] = own[i].of(are[i])
    return out
