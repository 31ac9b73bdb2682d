"""What the importers share: bytes from a file that may be gzipped, and rows turned into an `ActionLog`."""

from __future__ import annotations

import dataclasses
import datetime
import gzip
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from lam_env.core.events import AGENT, FEEDBACK, READING, SENSOR, USER, ActionLog, Event, LogError, Vocabulary

TIMER = 300  # [s] of quiet after which a log of commands has a decision point
MAX_NAMES = 30_000  # tokens are int16
MAX_VALUE = 3.4e38  # values are float32
CHUNK = 1 << 16  # [bytes]
LONGEST_LINE = 1 << 20  # [bytes]; a small gzip file can unpack to an endless line


@dataclasses.dataclass(frozen=True, slots=True)
class LogRow:
    """One event as a file tells it: `time` is local wall time without a zone, `value` a duration [s] or a reading."""

    time: datetime.datetime
    name: str
    user: str = "0"
    kind: int = USER
    value: float = float("nan")


def chunks(path: Path) -> Iterator[bytes]:
    """The file's bytes, unpacked if they are gzip (told by content, not by name)."""
    try:
        with open(path, "rb") as plain:
            packed = plain.read(2) == b"\x1f\x8b"
            plain.seek(0)
            with gzip.open(plain) if packed else plain as stream:
                yield from iter(lambda: stream.read(CHUNK), b"")
    except EOFError:
        raise LogError(f"{path.name}: the gzip file is cut short; copy it again") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise LogError(f"{path.name}: the gzip file is damaged ({error}); copy it again") from None
    except OSError as error:
        raise LogError(f"{path.name}: cannot be read ({error.strerror}); give another file") from None


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """(line number from 1, text with its line end) of a UTF-8 file."""
    number, rest = 0, b""
    for chunk in chunks(path):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            number += 1
            yield number, _decoded(path, number, line + b"\n")
        if len(rest) > LONGEST_LINE:
            raise LogError(f"{path.name}, line {number + 1}: longer than {LONGEST_LINE} bytes; is this a text file?")
    if rest:
        yield number + 1, _decoded(path, number + 1, rest)


def _decoded(path: Path, number: int, line: bytes) -> str:
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError:
        raise LogError(f"{path.name}, line {number}: not UTF-8; convert the file to UTF-8") from None


def monday_before(time: datetime.datetime) -> datetime.datetime:
    """Monday 00:00 of the week of a time, without a zone: tick 0 of a log."""
    return datetime.datetime.combine(time.date() - datetime.timedelta(days=time.weekday()), datetime.time())


def log_of_rows(rows: Sequence[LogRow], source: str, *, intervals: bool, **meta: object) -> ActionLog:
    """Rows in order of time -> a log at one tick a second, whose tick 0 is the Monday 00:00 on or before the first. A
    log of commands has a timer, one of activities (`intervals`) none.

    Names are numbered alphabetically; users too (by number where they are numbers).
    """
    if not any(r.kind == USER for r in rows):
        raise LogError(f"{source}: no user events; check that this is the right file and format")

    def named(*kinds: int) -> list[str]:
        return sorted({r.name for r in rows if r.kind in kinds})

    actions = [name for name in named(USER, AGENT) if name != "none"]
    sensors, readings, feedback = named(SENSOR), named(READING), named(FEEDBACK)
    if len(actions) < 2:
        raise LogError(f"{source}: only one action ({actions or 'none'}); a log needs at least two to predict")
    users = sorted({r.user for r in rows}, key=lambda name: name.zfill(20) if name.isdecimal() else name)
    if max(map(len, (users, actions, sensors, readings, feedback))) > MAX_NAMES:
        raise LogError(f"{source}: more than {MAX_NAMES} different names; is a column mistaken for another?")
    vocabulary = Vocabulary(("none", *actions), tuple(sensors), tuple(readings), tuple(feedback))
    acts = vocabulary.actions
    token = [{name: i for i, name in enumerate(names)} for names in (acts, acts, feedback, sensors, readings)]
    who = {name: i for i, name in enumerate(users)}
    monday, second = monday_before(rows[0].time), datetime.timedelta(seconds=1)
    # a clock put back in autumn must not put events out of order: they wait until the clock has caught up
    ticks = np.maximum.accumulate([(r.time - monday) // second for r in rows]).tolist()
    events = [
        Event(tick, who[r.user], r.kind, token[r.kind][r.name], r.value) for tick, r in zip(ticks, rows, strict=True)
    ]
    meta = {"start": monday.date().isoformat(), "source": source, "users": users, **meta}
    timer = None if intervals else TIMER
    log = ActionLog.from_events(events, vocabulary, intervals=intervals, timer=timer, meta=meta)
    timed = (log.kind == USER) & intervals
    end = (log.time + np.where(timed, np.nan_to_num(log.value), 0).astype(np.int64)).max()
    return dataclasses.replace(log, end=(int(end),))
