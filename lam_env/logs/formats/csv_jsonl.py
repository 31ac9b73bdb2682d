"""Logs of one's own: CSV with a header line, or one JSON object a line (JSONL), gzipped or not.

Columns (others are left alone):
  time      ISO 8601 with an offset; or without one, or seconds since 1970, and then `zone` must be given
  user      any name
  action    what was done, "kitchen_light.on"; the sensor's name where `kind` is sensor
  kind      optional: user (default), agent, sensor, reading, feedback
  value     optional number: a reading, a rating
  duration  optional [s]: then the log is one of activities (`intervals`), and each user row needs one
"""

from __future__ import annotations

import datetime
import math
import re
import zoneinfo
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path

from lam_env.core.events import KINDS, USER, ActionLog, LogError
from lam_env.core.units import DAY
from lam_env.logs.formats.files import MAX_VALUE, LogRow, log_of_rows
from lam_env.logs.formats.records import existing, objects, read_table, time_zone

NEEDED = ("time", "user", "action")
UTC = datetime.UTC
LONGEST = 366 * DAY  # [s] of an activity; more is a mistaken unit


Record = Mapping[str, object]
Records = Iterator[tuple[int, Record]]  # (line number, record)


def _load(
    records: Callable[[Path, Counter[str]], Records], path: str, *, home: str | None = None, zone: str | None = None
) -> tuple[ActionLog, dict[str, int]]:
    """A file -> its log (one tick = 1 s, local wall time) and the number of lines left out, by reason."""
    file = existing(path)
    tz = time_zone(zone, file.name)
    left_out: Counter[str] = Counter()
    rows: list[LogRow] = []
    before: datetime.datetime | None = None
    timed: bool | None = None  # do user rows have durations?
    for number, record in records(file, left_out):
        where = f"{file.name}, line {number}"
        if record.get("action") in (None, "", "none"):
            left_out["no action"] += 1
            continue
        row, instant = _row(where, record, tz, before)
        if before is not None and instant < before:
            raise LogError(f"{where}: its time is before that of the line above; sort the file by time")
        before = instant
        if row.kind == USER:
            has = record.get("duration") not in (None, "")
            if timed not in (None, has):
                raise LogError(f"{where}: some user rows have a duration and some have none; give all or none")
            timed = has
        rows.append(row)
    if not rows:
        raise LogError(f"{file.name}: the file is empty; it needs lines of {', '.join(NEEDED)}")
    return log_of_rows(rows, file.name, intervals=bool(timed), **({"home": home} if home else {})), dict(left_out)


def _csv(path: Path, left_out: Counter[str]) -> Records:
    return read_table(path, left_out, ",".join(NEEDED), _check_columns)


def _jsonl(path: Path, left_out: Counter[str]) -> Records:
    for number, record in objects(path, left_out):
        _check_columns(f"{path.name}, line {number}", record)
        yield number, record


def _check_columns(where: str, names: Iterable[str]) -> None:
    names = list(names)
    if missing := [name for name in NEEDED if name not in names]:
        raise LogError(f"{where}: no column {', '.join(missing)}; the log needs time,user,action[,value][,kind]")
    if len(set(names)) != len(names):
        raise LogError(f"{where}: a column name occurs twice; rename one")


def _row(
    where: str, record: Record, zone: zoneinfo.ZoneInfo | None, before: datetime.datetime | None
) -> tuple[LogRow, datetime.datetime]:
    wall, instant = _time(where, record["time"], zone, before)
    action, user, kind = record["action"], record["user"], record.get("kind") or "user"
    if not isinstance(action, str) or isinstance(user, bool) or not isinstance(user, str | int) or user == "":
        raise LogError(f"{where}: user and action must be names; correct the line")
    if kind not in KINDS:
        raise LogError(f"{where}: unknown kind {str(kind)[:40]!r}; use one of {', '.join(KINDS)}")
    duration = _number(where, "duration", record.get("duration"))
    if not math.isnan(duration) and not 0 <= duration <= LONGEST:
        raise LogError(f"{where}: a duration of {duration:g} s; it must lie between 0 and {LONGEST} s")
    value = duration if not math.isnan(duration) else _number(where, "value", record.get("value"))
    return LogRow(wall, action, str(user)[:200], KINDS.index(kind), value), instant


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


def _time(
    where: str, raw: object, zone: zoneinfo.ZoneInfo | None, before: datetime.datetime | None
) -> tuple[datetime.datetime, datetime.datetime]:
    """(local wall time, instant in UTC). "Z" says nothing about the local clock (RFC 9557, 2.2), so it needs a zone."""
    text = str(raw)[:60].strip()
    ask = f"{where}: time {text!r} has no offset from UTC; settings: zone=Europe/Berlin"
    try:
        if re.fullmatch(r"[-+]?\d+(\.\d*)?([eE][-+]?\d+)?", text) and not isinstance(raw, bool):
            if zone is None:
                raise LogError(ask.replace("has no offset from UTC", "is in seconds"))
            moment = datetime.datetime.fromtimestamp(float(text), UTC)
        else:
            if not re.search(r"\d[T ]\d", text):
                raise ValueError
            moment = datetime.datetime.fromisoformat(text)
        if zone is None and (moment.tzinfo is None or text[-1] in "zZ"):
            raise LogError(ask)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
            # in the hour that the clock runs through twice, the second pass is meant if the first lies in the past
            if before is not None and moment.astimezone(UTC) < before:
                moment = moment.replace(fold=1)
        local = moment.astimezone(zone) if zone else moment
        return local.replace(tzinfo=None, microsecond=0), moment.astimezone(UTC)
    except LogError:
        raise
    except (ValueError, OverflowError, OSError):
        raise LogError(f"{where}: {text!r} is not an ISO 8601 time with date and hour; correct the line") from None


FORMATS = {"csv": partial(_load, _csv), "jsonl": partial(_load, _jsonl)}
