"""Events as columns, and the log that they make: names numbered, times local, what does not count left out and told."""

from __future__ import annotations

import dataclasses
import datetime
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from lam_env.core.events import AGENT, FEEDBACK, READING, SENSOR, USER, ActionLog, LogError, Vocabulary
from lam_env.logs.coverage import clean_names, says_nothing, sound_rows
from lam_env.logs.local_time import EPOCH, SECOND, Clocks, LocalTimes, local_times, microseconds, monday_before

TIMER = 300  # [s] of quiet after which a log of commands has a decision point
MAX_NAMES = 30_000  # tokens are int16
MAX_VALUE = 3.4e38  # values are float32
LONGEST = 366 * 86_400  # [s] of an activity; more is a mistaken unit or end
HELD = "time(s) put back with the clock, held until it has caught up"


@dataclasses.dataclass(frozen=True, slots=True)
class LogRow:
    """One event as a file tells it. `time`: local, without an offset, or with one; `value`: a duration [s] or a
    reading."""

    time: datetime.datetime
    name: str
    user: str = "0"
    kind: int = USER
    value: float = float("nan")


class EventTable(NamedTuple):
    """n events: local times, name and user of each, kind (n,), value (n,) float64; empty (n,) bool: a value was there,
    but says nothing."""

    local: LocalTimes
    name: Sequence[str]
    user: Sequence[str]
    kind: np.ndarray
    value: np.ndarray
    empty: np.ndarray


def log_of_rows(
    rows: Sequence[LogRow],
    source: str,
    *,
    intervals: bool,
    left_out: Mapping[str, int] | None = None,
    zone: str | None = None,
    **meta: object,
) -> tuple[ActionLog, dict[str, int]]:
    """What an importer returns, of rows in any order: the log, and what was left out, which goes on from `left_out`.
    `zone`: the home's time zone, into which times with an offset are turned."""
    told = [microseconds(row.time) for row in rows]
    clocks = Clocks(*np.array(told, np.int64).reshape(-1, 2).T)
    local = local_times(clocks, zone, lambda i: f"{source}, event {i + 1}", on_the_wall=True)
    value = np.array([row.value for row in rows], np.float64)
    kind = np.array([row.kind for row in rows], np.int64)
    empty = np.zeros(len(rows), bool)
    table = EventTable(local, [row.name for row in rows], [row.user for row in rows], kind, value, empty)
    return log_of_table(table, source, intervals=intervals, left_out=left_out, **meta)


def log_of_table(
    table: EventTable, source: str, *, intervals: bool, left_out: Mapping[str, int] | None = None, **meta: object
) -> tuple[ActionLog, dict[str, int]]:
    """A log at one tick a second, whose tick 0 is the Monday 00:00 on or before the first event, and what was left out
    of it. A log of commands has a timer, one of activities (`intervals`) none.

    Names are numbered alphabetically; users too (by number where they are numbers). `meta["told"]` counts what was kept
    otherwise than the file says it.
    """
    names, said = clean_names(table.name, source)
    users, said_of_users = clean_names(table.user, source)
    moment = table.local.moment
    empty = table.empty | np.isin(_codes(names), [i for i, name in enumerate(_sorted(names)) if says_nothing(name)])
    empty |= (table.kind == READING) & np.isnan(table.value)
    times = [moment // SECOND]
    if intervals:
        times.append(times[0] + np.nan_to_num(table.value).clip(0, LONGEST).astype(np.int64))
    keep, reasons = sound_rows(times, moment, _codes(names), _codes(users), table.kind, table.value, empty=empty)
    order = np.flatnonzero(keep)
    order = order[np.argsort(moment[order], kind="stable")]
    name, user = [names[i] for i in order.tolist()], [users[i] for i in order.tolist()]
    kind, value, wall = (column[order] for column in (table.kind, table.value, table.local.wall // SECOND))
    if not (kind == USER).any():
        raise LogError(f"{source}: no user events; check that this is the right file and format")
    named = [_sorted(x for x, k in zip(name, kind.tolist(), strict=True) if k in kinds) for kinds in _LISTS]
    actions, sensors, readings, feedback = named
    actions = [x for x in actions if x != "none"]
    known = sorted(set(user), key=lambda who: who.zfill(20) if who.isdecimal() else who)
    check_names(source, actions, sensors, readings, feedback, known)
    vocabulary = Vocabulary(("none", *actions), tuple(sensors), tuple(readings), tuple(feedback))
    lists = (vocabulary.actions, vocabulary.actions, vocabulary.feedback, vocabulary.sensors, vocabulary.readings)
    token = [{x: i for i, x in enumerate(of_kind)} for of_kind in lists]
    who = {x: i for i, x in enumerate(known)}
    monday = monday_before(EPOCH + datetime.timedelta(seconds=int(wall[0])))
    ticks, held = in_order(wall)
    told = told_of(table.local.said + said + said_of_users + Counter({HELD: held}))
    columns = {
        "time": ticks - (monday - EPOCH) // datetime.timedelta(seconds=1),
        "user": [who[x] for x in user],
        "kind": kind,
        "token": [token[k][x] for k, x in zip(kind.tolist(), name, strict=True)],
        "value": value,
    }
    meta = {"start": monday.date().isoformat(), "source": source, "users": known, "zone": table.local.zone, **meta}
    log = ActionLog.from_columns(
        columns,
        vocabulary,
        intervals=intervals,
        timer=None if intervals else TIMER,
        meta=meta | told,
    )
    timed = (log.kind == USER) & intervals
    end = log.time + np.where(timed, np.nan_to_num(value), 0).astype(np.int64)
    return dataclasses.replace(log, end=(int(end.max()),)), dict(Counter(left_out or {}) + reasons)


_LISTS = ((USER, AGENT), (SENSOR,), (READING,), (FEEDBACK,))  # of a vocabulary


def in_order(wall: np.ndarray) -> tuple[np.ndarray, int]:
    """Local times (n,) of events in order, and how many were moved: a clock put back in autumn must not put events out
    of order, so they wait until it has caught up."""
    held = np.maximum.accumulate(wall)
    return held, int((held > wall).sum())


def told_of(said: Mapping[str, int]) -> dict[str, object]:
    """What a log's `meta` says of what was kept otherwise than the file tells it."""
    return {"told": dict(said)} if said else {}


def one_home(source: str, home: str | None) -> None:
    """LogError where a format that knows no homes is asked for one."""
    if home is not None:
        raise LogError(f"{source}: this format knows no homes, so home={home[:40]} says nothing; leave it away")


def check_names(source: str, actions: Sequence[str], *others: Sequence[str]) -> None:
    """LogError where there is nothing to tell apart, or too much."""
    if len(actions) < 2:
        raise LogError(f"{source}: only one action ({actions or 'none'}); a log needs at least two to predict")
    if max(map(len, (actions, *others))) > MAX_NAMES:
        raise LogError(f"{source}: more than {MAX_NAMES} different names; is a column mistaken for another?")


def _sorted(names: Iterable[str]) -> list[str]:
    return sorted(set(names))


def _codes(names: Sequence[str]) -> np.ndarray:
    """(n,) the number of each name in alphabetical order."""
    number = {name: i for i, name in enumerate(_sorted(names))}
    return np.array([number[name] for name in names], np.int64)
