"""Events as columns, and the log that they make: names numbered, times local, what does not count left out and told."""

from __future__ import annotations

import dataclasses
import datetime
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from lam_env.core.events import AGENT, FEEDBACK, READING, SENSOR, USER, ActionLog, LogError, Protocol, Vocabulary
from lam_env.core.units import DAY
from lam_env.logs.coverage import ORDER, STEP, clean_names, has_clock, says_nothing, sound_rows
from lam_env.logs.local_time import EPOCH, SECOND, Clocks, LocalTimes, local_times, microseconds, monday_before

Held = Literal["days", "each", "streams"]
SPLITS: dict[str, tuple[Held, str, str]] = {  # by name, what is held out, and in words: what is a stream, what tests
    "days": ("days", "all that is done is one stream", "the last days"),
    "per_user": ("each", "each user is a stream", "the last days of each"),
    "users": ("streams", "each user is a stream", "whole users"),
    "sessions": ("streams", "each user is a session", "the last sessions"),
}
HOUSEHOLD = 8  # users; more do not live in one home
VISIT = 1  # day; where most users are there on no more, they are visitors, whose streams are sessions
PARTS = TRAIN, VALID, TEST = range(3)  # of a log, where files are such
TIMER = 300  # [s] of quiet after which a log of commands has a decision point
MAX_NAMES = 30_000  # tokens are int16
MAX_VALUE = 3.4e38  # values are float32
LONGEST = 366 * 86_400  # [s] of an activity; more is a mistaken unit or end
BACKWARDS = "activity(ies) that end before they start, read as of no length"
LONG = "activity(ies) of more than a year"
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


class Texts(NamedTuple):
    """n texts, each kept once: text i is `known[code[i]]`; code (n,) int."""

    code: np.ndarray
    known: list[str]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Texts:
        number: dict[str, int] = {}
        code = [number.setdefault(text, len(number)) for text in texts]
        return cls(np.array(code, np.int32), list(number))

    def clean(self, source: str) -> tuple[Texts, Counter[str]]:
        """In one form and alphabetical order, so that codes compare as texts; and what `clean_names` counts."""
        forms, said = clean_names(self.known, source)
        known = sorted(set(forms))
        number = {form: i for i, form in enumerate(known)}
        return Texts(np.array([number[form] for form in forms], np.int32)[self.code], known), said


class EventTable(NamedTuple):
    """n events: local times (None: their order is all that is known), name and user of each, kind (n,), value (n,)
    float64; empty (n,) bool: a value was there, but says nothing; part (n,): which of `TRAIN`, `VALID`, `TEST` a
    file is, whose streams are its own then."""

    local: LocalTimes | None
    name: Texts
    user: Texts
    kind: np.ndarray
    value: np.ndarray
    empty: np.ndarray
    part: np.ndarray | None = None


def log_of_rows(
    rows: Sequence[LogRow],
    source: str,
    *,
    intervals: bool,
    left_out: Mapping[str, int] | None = None,
    zone: str | None = None,
    split: str | None = None,
    **meta: object,
) -> tuple[ActionLog, dict[str, int]]:
    """What an importer returns, of rows in any order: the log, and what was left out, which goes on from `left_out`.
    `zone`: the home's time zone, into which times with an offset are turned; `split`: as in `log_of_table`."""
    told = [microseconds(row.time) for row in rows]
    clocks = Clocks(*np.array(told, np.int64).reshape(-1, 2).T)
    local = local_times(clocks, zone, lambda i: f"{source}, event {i + 1}", on_the_wall=True)
    value = np.array([row.value for row in rows], np.float64)
    kind = np.array([row.kind for row in rows], np.int64)
    empty = np.zeros(len(rows), bool)
    table = EventTable(
        local, Texts.of(row.name for row in rows), Texts.of(row.user for row in rows), kind, value, empty
    )
    return log_of_table(table, source, intervals=intervals, left_out=left_out, split=split, **meta)


def files_named(files: Sequence[tuple[str, int]], *parts: int) -> str:
    """The names of files, of which each is a part of a log; of these parts, or of all."""
    return ", ".join(name for name, part in files if part in (parts or PARTS))[:200]


def parts_said(files: Sequence[tuple[str, int]]) -> list[str]:
    """What a log's notes say of files that test."""
    if not (test := files_named(files, TEST)):
        return []
    validates = files_named(files, VALID) or "the last eighth of the rest"
    return [f"{test} tests, and trains nothing; {validates} validates"]


def log_of_order(
    streams: Iterable[tuple[str, Sequence[str]]],
    source: str,
    *,
    parts: Sequence[int] | None = None,
    left_out: Mapping[str, int] | None = None,
    split: str | None = None,
    **meta: object,
) -> tuple[ActionLog, dict[str, int]]:
    """What an importer returns, of what came after what: (user, actions) of each stream; `parts`: which of `TRAIN`,
    `VALID`, `TEST` each is, where files say so themselves; `split`: as in `log_of_table`."""
    known = [(user, tuple(actions)) for user, actions in streams]
    n = np.array([len(actions) for _, actions in known], np.int64)
    who = Texts.of(user for user, _ in known)
    name = Texts.of(action for _, actions in known for action in actions)
    rows = len(name.code)
    table = EventTable(
        None,
        name,
        Texts(np.repeat(who.code, n), who.known),
        np.full(rows, USER),
        np.full(rows, np.nan),
        np.zeros(rows, bool),
        np.repeat(np.array(parts, np.int64), n) if parts is not None and any(parts) else None,
    )
    return log_of_table(table, source, intervals=False, left_out=left_out, split=split, **meta)


def log_of_table(
    table: EventTable,
    source: str,
    *,
    intervals: bool,
    left_out: Mapping[str, int] | None = None,
    split: str | None = None,
    **meta: object,
) -> tuple[ActionLog, dict[str, int]]:
    """A log at one tick a second, whose tick 0 is the Monday 00:00 on or before the first event, and what was left out
    of it. A log of commands in one stream has a timer; others have none. Without local times event i of a stream is at
    i * `STEP`, and nothing repeats another or lies far off.

    split: one of `SPLITS`; by default one stream, since commands of a home are answers to what others did there; but
    activities (`intervals`) of several users, anything of more users than live in a home, and what has no clock, for
    nothing tells whose came first, are those of each.

    Names are numbered alphabetically; users too (by number where they are numbers). `meta["told"]` counts what was kept
    otherwise than the file says it.
    """
    names, said = table.name.clean(source)
    users, said_of_users = table.user.clean(source)
    local = table.local or _row_by_row(len(table.kind))
    moment, timeless = local.moment, table.local is None
    empty = table.empty | np.array([says_nothing(name) for name in names.known], bool)[names.code]
    empty |= (table.kind == READING) & np.isnan(table.value)
    times = [local.wall // SECOND]
    if intervals:
        times.append(times[0] + np.nan_to_num(table.value).clip(0, LONGEST).astype(np.int64))
    part = np.zeros(len(moment), np.int64) if table.part is None else table.part
    keep, reasons = np.zeros(len(moment), bool), Counter[str]()
    for which in np.unique(part).tolist():  # a published part stays as it is, whatever is in the others
        rows = part == which
        same = (column[rows] for column in (moment, names.code, users.code, table.kind, table.value))
        dated = {"empty": empty[rows], "dates": meta.get("start") != ""}
        keep[rows], why = sound_rows([time[rows] for time in times], *same, **dated)
        reasons += why
    order = np.flatnonzero(keep)
    order = order[np.argsort(moment[order], kind="stable")]
    name, user = names.code[order], users.code[order]
    kind, value, wall = (column[order] for column in (table.kind, table.value, local.wall // SECOND))
    if not (kind == USER).any():
        raise LogError(f"{source}: no user events; check that this is the right file and format")
    token, lists = np.zeros(len(order), np.int64), []
    for kinds in _LISTS:
        here = np.isin(kind, kinds)
        found = [names.known[i] for i in np.unique(name[here]).tolist()]
        lists.append(["none", *(x for x in found if x != "none")] if USER in kinds else found)
        token[here] = _places(names.known, lists[-1])[name[here]]
    actions, sensors, readings, feedback = lists
    known = [users.known[i] for i in np.unique(user).tolist()]
    known.sort(key=lambda who: who.zfill(20) if who.isdecimal() else who)
    check_names(source, actions[1:], sensors, readings, feedback)
    vocabulary = Vocabulary(tuple(actions), tuple(sensors), tuple(readings), tuple(feedback))
    monday = monday_before(EPOCH + datetime.timedelta(seconds=int(wall[0])))
    ticks, held = in_order(wall)
    told = told_of(local.said + said + said_of_users + Counter({HELD: held}))
    columns = {
        "time": ticks - (monday - EPOCH) // datetime.timedelta(seconds=1),
        "user": _places(users.known, known)[user],
        "kind": kind,
        "token": token,
        "value": value,
    }
    split = split or _usual_split(intervals or timeless, len(known), user, wall // DAY)
    world, protocol = _streams(split, columns["user"], part[order])
    columns["world"] = world
    if split == "days":  # else they are streams, of which there may be any number
        check_names(source, known)
    else:
        if part.any():  # who is in several parts has a stream in each
            known = [known[i] for i in columns["user"][np.unique(world, return_index=True)[1]].tolist()]
        columns["user"] = np.zeros(len(order), np.int64)
    about: dict[str, object] = {"source": source} | ({"users": known} if split != "sessions" else {})
    if timeless:
        columns["time"] = _steps(kind, world)
        about["clock"] = ORDER
    else:
        about |= {"start": monday.date().isoformat(), "zone": local.zone}
    about |= {"streams": split} if len(known) > 1 else {}
    log = ActionLog.from_columns(
        columns,
        vocabulary,
        intervals=intervals,
        timer=None if intervals or timeless or protocol.split != "days" else TIMER,
        protocol=protocol,
        meta=about | meta | told,
    )
    timed = (log.kind == USER) & intervals
    ends = log.time + np.where(timed, np.nan_to_num(log.value), 0).astype(np.int64)
    end = np.maximum.reduceat(ends, np.searchsorted(log.world, log.worlds))
    return dataclasses.replace(log, end=tuple(end.tolist())), dict(Counter(left_out or {}) + reasons)


def of_activities(local: LocalTimes) -> tuple[LocalTimes, np.ndarray, np.ndarray]:
    """Of local times (2n,) of starts, and then of their ends: those of the starts, the lengths (n,) [s], and which of
    them (n,) bool are of more than a year, and no activities. Where the end is before the start, the start is believed,
    which says what was done next: people noted the end wrongly, or on the day before."""
    began, ended = local.moment.reshape(2, -1)
    length = (ended // SECOND - began // SECOND).astype(np.float64)  # whole ticks
    said = local.said + Counter({BACKWARDS: int((length < 0).sum())})
    starts = local._replace(wall=local.wall[: len(began)], moment=began, said=said)
    return starts, length.clip(0), length > LONGEST


def _usual_split(intervals: bool, users: int, user: np.ndarray, day: np.ndarray) -> str:
    """By what a log is: `users` do something, `user` (n,) on a `day` (n,) each time."""
    if users == 1 or (users <= HOUSEHOLD and not intervals):
        return "days"
    most = int(day.max()) + 1
    days = np.unique(user * most + day) // most  # a row for each user's day
    return "sessions" if not intervals and np.median(np.unique(days, return_counts=True)[1]) <= VISIT else "per_user"


def _streams(split: str, user: np.ndarray, part: np.ndarray) -> tuple[np.ndarray, Protocol]:
    """(n,) the number of each event's stream: of all, of its user, or of its session in the order in which they began;
    those of files that validate and test come last, as the protocol says."""
    if split == "days" and not part.any():
        return np.zeros(len(user), np.int64), Protocol()
    own = user if split != "days" else np.zeros_like(user)
    _, world = np.unique(part * (own.max() + 1) + own, return_inverse=True)
    if split == "sessions":
        _, first = np.unique(world, return_index=True)
        rank = np.lexsort((first, part[first]))
        world = np.argsort(rank)[world]
    held = SPLITS[split][0]
    if not part.any():
        return world, Protocol(held)
    valid, test = (int(world[part == which].min(initial=len(world))) for which in (VALID, TEST))
    return world, Protocol("each" if held == "days" else held, valid=valid if valid < test else 0, test=test)


def _row_by_row(n: int) -> LocalTimes:
    """Times at which nothing happens twice."""
    return LocalTimes(np.arange(n) * SECOND, np.arange(n) * SECOND, Counter(), "")


def _steps(kind: np.ndarray, world: np.ndarray) -> np.ndarray:
    """(n,) [s] one step for each decision point of a stream; what is none is at the time of the one before it."""
    order = np.argsort(world, kind="stable")
    raised = np.cumsum(np.isin(kind, (USER, SENSOR))[order])
    first = np.searchsorted(world[order], world[order])
    before = np.r_[0, raised][first]
    time = np.zeros(len(kind), np.int64)
    time[order] = np.maximum(raised - before - 1, 0) * STEP
    return time


_LISTS = ((USER, AGENT), (SENSOR,), (READING,), (FEEDBACK,))  # of a vocabulary


def in_order(wall: np.ndarray) -> tuple[np.ndarray, int]:
    """Local times (n,) of events in order, and how many were moved: a clock put back in autumn must not put events out
    of order, so they wait until it has caught up."""
    held = np.maximum.accumulate(wall)
    return held, int((held > wall).sum())


def told_of(said: Mapping[str, int]) -> dict[str, object]:
    """What a log's `meta` says of what was kept otherwise than the file tells it."""
    return {"told": dict(said)} if said else {}


def streams_said(log: ActionLog) -> list[str]:
    """How a table of several users is read, and how else it could be."""
    name = log.meta.get("streams")
    if name not in SPLITS:
        return []
    others = ", ".join(f"split={other}" for other in SPLITS if other != name)
    _, stream, held = SPLITS[str(name)]
    held = f"; {held if has_clock(log) else held.replace('days', 'events')} test" if not log.protocol.test else ""
    return [f"split={name}: {stream}{held}; else {others}"]


def check_names(source: str, *names: Sequence[str]) -> None:
    """LogError where there is too much to tell apart."""
    if max(map(len, names)) > MAX_NAMES:
        raise LogError(f"{source}: more than {MAX_NAMES:,} different names; is a column mistaken for another?")


def _places(texts: Sequence[str], among: Sequence[str]) -> np.ndarray:
    """(n,) where each text stands `among` others, 0 for one that does not."""
    place = {text: i for i, text in enumerate(among)}
    return np.array([place.get(text, 0) for text in texts], np.int64)
