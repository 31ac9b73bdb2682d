"""Rows that cannot be read: they are refused, or where somebody says `wrong_rows=skip` left out and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import numpy as np

from lam_env.core.events import LogError

SKIP = "wrong_rows=skip"  # what to say so that they are left out
CELLS = "row(s) with a cell too many or too few"
UNREAD = "row(s) that cannot be read"
Row = TypeVar("Row")
Made = TypeVar("Made")
MOST = 0.5  # share of the rows that are read together; more of them are no mistake in a row, but columns misread


def refused(error: LogError) -> LogError:
    """What is said of a row where nobody says that it may be left out."""
    return LogError(f"{error}, or say {SKIP}")


def unreadable(n: int, read: Callable[[np.ndarray], object]) -> tuple[np.ndarray, LogError | None]:
    """Mask (n,) of the rows of which `read` raises a LogError, and the first of these; `read` is given the numbers of
    some rows, in order. LogError where most rows are so."""
    wrong, first = np.zeros(n, bool), None
    parts = [np.arange(n)]
    while parts:
        rows = parts.pop()
        try:
            read(rows)
        except LogError as error:
            if len(rows) == 1:
                wrong[rows], first = True, first or error
                continue
            half = len(rows) // 2
            parts += [rows[half:], rows[:half]]
    _check(int(wrong.sum()), n, first)
    return wrong, first


def _check(wrong: int, n: int, first: LogError | None) -> None:
    if wrong > MOST * n:
        raise LogError(f"{first}; {wrong:,} of {n:,} rows cannot be read, more than {SKIP} leaves out")


class Unread:
    """How many rows could not be read, and why the first could not."""

    def __init__(self) -> None:
        self._n, self._first = 0, ""

    def together(self, n: int, read: Callable[[np.ndarray], Made], skip: bool) -> tuple[np.ndarray, Made]:
        """Which of n rows can be read (m,), and what `read` makes of these, given their numbers: all at once, and only
        where that raises a LogError piece by piece. Where nobody says `skip` the error is raised."""
        rows = np.arange(n)
        try:
            return rows, read(rows)
        except LogError as error:
            if not skip:
                raise refused(error) from None
        wrong, first = unreadable(n, read)
        self._add(int(wrong.sum()), first)
        return rows[~wrong], read(rows[~wrong])

    def each(self, rows: Iterable[Row], read: Callable[[Row], Made], skip: bool) -> Iterator[Made]:
        """What `read` makes of each row; those of which it raises a LogError are counted where `skip` says so."""
        n, wrong, first = 0, 0, None
        for row in rows:
            n += 1
            try:
                made = read(row)
            except LogError as error:
                if not skip:
                    raise refused(error) from None
                wrong, first = wrong + 1, first or error
            else:
                yield made
        _check(wrong, n, first)
        self._add(wrong, first)

    def _add(self, n: int, error: LogError | None) -> None:
        if error is not None:
            self._first = self._first or str(error).partition(";")[0]
            self._n += n

    @property
    def counted(self) -> Counter[str]:
        """By reason, as `left_out` is."""
        return Counter({f"{UNREAD}, the first in {self._first}": self._n} if self._n else {})
