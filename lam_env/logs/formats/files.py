"""What the importers share: bytes from a file that may be gzipped, and rows turned into an `ActionLog`."""

from __future__ import annotations

import dataclasses
import datetime
import gzip
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from lam_env.core.events import AGENT, FEEDBACK, READING, SENSOR, USER, ActionLog, LogError, Vocabulary

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


def log_of_rows(rows: Sequence[LogRow], source: str, *, intervals: bool, **meta: object) -> ActionLog:
    """Rows in order of time -> a log at one tick a second, whose tick 0 is the Monday 00:00 on or before the first. A
    log of commands has a timer, one of activities (`intervals`) none.

    Names are numbered alphabetically; users too (by number where they are numbers).
    """
    if not any(r.kind == USER for r in rows):
        raise LogError(f"{source}: no user events; check that this is the right file and format")
    names = {
        kind: sorted({r.name for r in rows if r.kind in kinds})
        for kind, kinds in (
            (USER, (USER, AGENT)),
            (SENSOR, (SENSOR,)),
            (READING, (READING,)),
            (FEEDBACK, (FEEDBACK,)),
        )
    }
    names[USER] = [name for name in names[USER] if name != "none"]
    if len(names[USER]) < 2:
        raise LogError(f"{source}: only one action ({names[USER] or 'none'}); a log needs at least two to predict")
    users = sorted(
        {r.user for r in rows},
        key=lambda name: name.zfill(20) if name.isdecimal() else name,
    )
    if max(len(users), *map(len, names.values())) > MAX_NAMES:
        raise LogError(f"{source}: more than {MAX_NAMES} different names; is a column mistaken for another?")
    vocabulary = Vocabulary(("none", *names[USER]), tuple(names[SENSOR]), tuple(names[READING]), tuple(names[FEEDBACK]))
    names[USER] = names[AGENT] = list(vocabulary.actions)
    token = {kind: {name: i for i, name in enumerate(known)} for kind, known in names.items()}
    who = {name: i for i, name in enumerate(users)}

    first = rows[0].time.date()
    monday = datetime.datetime.combine(first - datetime.timedelta(days=first.weekday()), datetime.time())
    second = datetime.timedelta(seconds=1)
    n = len(rows)
    columns: dict[str, np.ndarray] = {
        "world": np.zeros(n, np.int32),
        "time": np.array([(r.time - monday) // second for r in rows], np.int64),
        "user": np.array([who[r.user] for r in rows], np.int16),
        "kind": np.array([r.kind for r in rows], np.int8),
        "token": np.array([token[r.kind][r.name] for r in rows], np.int16),
        "value": np.array([r.value for r in rows], np.float32),
        "answers": np.full(n, -1, np.int32),
        "prob": np.full(n, np.nan, np.float32),
    }
    # a clock put back in autumn must not put events out of order: they wait until the clock has caught up
    columns["time"] = np.maximum.accumulate(columns["time"])
    length = np.zeros(n, np.int64)
    if intervals:
        length += np.where(columns["kind"] == USER, np.nan_to_num(columns["value"]), 0).astype(np.int64)
    end = int((columns["time"] + length).max())
    meta = {
        "start": monday.date().isoformat(),
        "source": source,
        "users": users,
        **meta,
    }
    timer = None if intervals else TIMER
    return ActionLog(columns, vocabulary, intervals=intervals, end=(end,), timer=timer, meta=meta)
