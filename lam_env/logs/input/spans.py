"""Activities and uses of devices that have a start and an end on the clock on the wall: their texts, and their log."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lam_env.core.events import USER, ActionLog, LogError
from lam_env.logs.local_time import EPOCH, LAST, Clocks, local_times, microseconds
from lam_env.logs.tables import LONG, EventTable, Texts, log_of_table, of_activities

END_OF_TIME = EPOCH + datetime.timedelta(seconds=LAST)


class Span(NamedTuple):
    """What `user` did from `start` to `end`, both local."""

    start: datetime.datetime
    end: datetime.datetime
    name: str
    user: str = "0"


def log_of_spans(
    spans: Sequence[Span], source: str, *, zone: str | None, left_out: Counter[str]
) -> tuple[ActionLog, dict[str, int]]:
    """The log of intervals in any order, and what was left out of it. With `zone`, a night in which the clock changes
    is an hour longer or shorter."""
    told = [microseconds(time) for times in ((s.start for s in spans), (s.end for s in spans)) for time in times]
    clocks = Clocks(*np.array(told, np.int64).reshape(-1, 2).T)
    local, length, long = of_activities(local_times(clocks, zone, lambda _: source, on_the_wall=True))
    sound, n = np.flatnonzero(~long), int((~long).sum())
    names, users = (Texts.of(getattr(spans[i], what) for i in sound.tolist()) for what in ("name", "user"))
    local = local._replace(wall=local.wall[sound], moment=local.moment[sound])
    table = EventTable(local, names, users, np.full(n, USER), length[sound], np.zeros(n, bool))
    wrong = Counter({LONG: int(long.sum())})
    return log_of_table(table, source, intervals=True, left_out=left_out + wrong)


def wall_time(text: str, where: str, as_told: str | None = None) -> datetime.datetime:
    """A local time, YYYY-MM-DD HH:MM:SS; `as_told`: how the file writes it, for the LogError."""
    try:
        time = datetime.datetime.fromisoformat(text)
        if time.tzinfo is not None or not re.search(r"\d[T ]\d", text):
            raise ValueError
    except ValueError:
        why = "is not a date and a time of day, without an offset"
        raise LogError(
            f"{where}: {(as_told or text)[:40]!r} {why}; correct the line, or is it another format?"
        ) from None
    if not EPOCH <= time < END_OF_TIME:
        raise LogError(f"{where}: {(as_told or text)[:40]!r} lies outside 1970 to 2100; correct the line")
    return time


def cells_of(line: str) -> list[str]:
    """The cells of a line padded with tabs and blanks; one blank may stand within a cell."""
    return [cell for cell in re.split(r"\s{2,}|\t", line.strip()) if cell]


def is_rule(cells: Sequence[str]) -> bool:
    """Is it the line of dashes under a header?"""
    return set("".join(cells)) == {"-"}
