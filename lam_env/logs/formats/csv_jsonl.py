"""Logs of one's own: CSV with a header line, or one JSON object a line (JSONL), gzipped or not.

Columns (others are left alone):
  time      ISO 8601 with an offset; or without one, or seconds since 1970, and then `zone` must be given
  user      any name
  action    what was done, "kitchen_light.on"; the sensor's name where `kind` is sensor
  kind      optional: user (default), agent, sensor, reading, feedback
  value     optional number: a reading, a rating
  duration  optional [s]: then the log is one of activities (`intervals`), and each user row needs one
  home      optional: `home` picks one of several
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lam_env.core.events import KINDS, USER, ActionLog, LogError
from lam_env.logs.coverage import clean, says_nothing
from lam_env.logs.formats.records import existing, objects, read_table
from lam_env.logs.local_time import local_times, read_times
from lam_env.logs.tables import LONGEST, MAX_VALUE, EventTable, Texts, log_of_table

NEEDED = ("time", "user", "action")
NO_ACTION = "line(s) without an action"

Record = Mapping[str, object]
Records = Iterator[tuple[int, Record]]  # (line number, record)


class _Row(NamedTuple):
    line: int
    time: object
    user: str
    action: str
    kind: int
    value: float
    empty: bool  # a value or duration that says nothing
    timed: bool


def _load(
    records: Callable[[Path, Counter[str]], Records], path: str, *, home: str | None = None, zone: str | None = None
) -> tuple[ActionLog, dict[str, int]]:
    """A file -> its log (one tick = 1 s, local wall time) and the number of lines left out, by reason."""
    file = existing(path)
    left_out: Counter[str] = Counter()
    homes: dict[str, list[_Row]] = {}
    for number, record in records(file, left_out):
        action = record.get("action")
        if action is None or (isinstance(action, str) and clean(action).lower() in ("", "none")):
            left_out[NO_ACTION] += 1
        else:
            row = _row(f"{file.name}, line {number}", number, record)
            homes.setdefault(clean(str(record.get("home") or "")), []).append(row)
    if not homes:
        raise LogError(f"{file.name}: the file is empty; it needs lines of {', '.join(NEEDED)}")
    home, rows = _of_home(file.name, homes, home, left_out)

    def where(i: int) -> str:
        return f"{file.name}, line {rows[i].line}"

    local = local_times(read_times([row.time for row in rows], where), zone, where)
    for i in (np.flatnonzero(np.diff(local.moment) < 0)[:1] + 1).tolist():
        raise LogError(f"{where(i)}: its time is before that of the line above; sort the file by time")
    timed = [row.timed for row in rows if row.kind == USER and not row.empty]
    for i in [i for i, row in enumerate(rows) if row.kind == USER and not row.empty and row.timed != timed[0]][:1]:
        raise LogError(f"{where(i)}: some user rows have a duration and some have none; give all or none")
    kind, value, empty = (np.array(c) for c in zip(*((r.kind, r.value, r.empty) for r in rows), strict=True))
    table = EventTable(
        local, Texts.of(row.action for row in rows), Texts.of(row.user for row in rows), kind, value, empty
    )
    about = {"home": home} if home else {}
    return log_of_table(table, file.name, intervals=bool(timed and timed[0]), left_out=left_out, **about)


def _of_home(
    source: str, homes: dict[str, list[_Row]], home: str | None, left_out: Counter[str]
) -> tuple[str, list[_Row]]:
    """The home that is meant, "" where the file names none, and its rows."""
    named = sorted(set(homes) - {""})
    if home is not None and not named:
        raise LogError(f"{source}: no column home, so home={home[:40]} says nothing; leave it away")
    if home is None and len(named) > 1:
        raise LogError(f"{source}: holds several homes; settings: home=<one of {', '.join(named)[:200]}>")
    meant = clean(home) if home is not None else named[0] if named else ""
    if home is not None and meant not in named:
        raise LogError(f"{source}: no home {home[:40]!r} here; settings: home=<one of {', '.join(named)[:200]}>")
    others = sum(len(rows) for name, rows in homes.items() if name != meant)
    left_out.update(Counter({"event(s) of another home, or of none": others} if others else {}))
    return meant, homes[meant]


def _csv(path: Path, left_out: Counter[str]) -> Records:
    return read_table(path, left_out, ",".join(NEEDED), _check_columns)


def _jsonl(path: Path, left_out: Counter[str]) -> Records:
    for number, record in objects(path, left_out):
        _check_columns(f"{path.name}, line {number}", record)
        yield number, record


def _check_columns(where: str, names: Iterable[str]) -> None:
    names = list(names)
    if missing := [name for name in NEEDED if name not in names]:
        raise LogError(
            f"{where}: no column {', '.join(missing)}; the log needs time,user,action[,duration][,value][,kind][,home]"
        )
    if len(set(names)) != len(names):
        raise LogError(f"{where}: a column name occurs twice; rename one")


def _row(where: str, number: int, record: Record) -> _Row:
    action, user, kind = record["action"], record["user"], record.get("kind") or "user"
    if not isinstance(action, str) or isinstance(user, bool) or not isinstance(user, str | int) or not clean(str(user)):
        raise LogError(f"{where}: user and action must be names; correct the line")
    if kind not in KINDS:
        raise LogError(f"{where}: unknown kind {str(kind)[:40]!r}; use one of {', '.join(KINDS)}")
    empty = any(says_nothing(str(record.get(name))) for name in ("value", "duration"))
    duration, value = (math.nan if empty else _number(where, n, record.get(n)) for n in ("duration", "value"))
    if not math.isnan(duration) and not 0 <= duration <= LONGEST:
        raise LogError(f"{where}: a duration of {duration:g} s; it must lie between 0 and {LONGEST} s")
    timed = not math.isnan(duration)
    return _Row(
        number, record["time"], str(user), action, KINDS.index(kind), duration if timed else value, empty, timed
    )


def _number(where: str, what: str, raw: object) -> float:
    if raw is None or raw == "":
        return math.nan
    try:
        number = float(str(raw))
    except ValueError:
        number = math.nan
    if not abs(number) <= MAX_VALUE:
        raise LogError(f"{where}: {what} {str(raw)[:40]!r} is not a finite number; correct the line")
    return number


FORMATS = {"csv": partial(_load, _csv), "jsonl": partial(_load, _jsonl)}
