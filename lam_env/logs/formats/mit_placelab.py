"""MIT "Activity Recognition in the Home Using Simple and Ubiquitous Sensors": homes of one person.

Munguia Tapia, Intille and Larson, Pervasive 2004. In activities_data.csv, five lines are an activity: activity, date,
start, end; the numbers of the sensors that were on in it; their objects; when each went on; when off. Times of day are
those of the clock on the wall, and an end before its start is on the next day. `mit_placelab` reads the activities,
`mit_placelab_devices` the uses of devices in them: room, object and number by sensors.csv beside it. Two activities
at once tell the same use twice; it counts once.
"""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lam_env.config.convert import count
from lam_env.core.events import ActionLog, LogError
from lam_env.logs.input.files import read_lines
from lam_env.logs.input.records import EMPTY, existing
from lam_env.logs.input.spans import Span, log_of_spans

NO_DATE = "activity block(s) of a date that there is not"  # as the 31st of April, in the second subject's
DAY = datetime.timedelta(days=1)
BLOCK = 5  # lines


def load_activities(path: str, *, zone: str | None = None) -> tuple[ActionLog, dict[str, int]]:
    """A subject's folder, or its activities_data.csv -> activities (intervals, one tick = 1 s), and what was left out,
    by reason. `zone`: where the home was, for nights in which the clock changes."""
    file, left_out = _file(path), Counter[str]()
    spans = [block.activity for block in _blocks(file, left_out)]
    return log_of_spans(spans, file.name, zone=zone, left_out=left_out)


def load_devices(path: str, *, zone: str | None = None) -> tuple[ActionLog, dict[str, int]]:
    """The same -> uses of devices (intervals); those that begin in the same second are in order of their names."""
    file, left_out = _file(path), Counter[str]()
    names = _names(existing(file.parent / "sensors.csv", "folder with activities_data.csv and sensors.csv"))
    spans = [use for block in _blocks(file, left_out) for use in _uses(file, block, names)]
    return log_of_spans(sorted(spans, key=lambda use: use.name), file.name, zone=zone, left_out=left_out)


FORMATS = {"mit_placelab": load_activities, "mit_placelab_devices": load_devices}


class _Block(NamedTuple):
    activity: Span
    day: datetime.datetime
    line: int  # of the activity
    below: list[list[str]]  # the cells of the other lines


def _file(path: str) -> Path:
    file = Path(path) / "activities_data.csv" if Path(path).is_dir() else Path(path)
    file = existing(file, "subject's folder, or of its activities_data.csv")
    return file


def _blocks(file: Path, left_out: Counter[str]) -> Iterator[_Block]:
    lines = list(read_lines(file))
    while lines and not lines[-1][1].strip():
        lines.pop()
        left_out[EMPTY] += 1
    for i in range(0, len(lines), BLOCK):
        (number, head), *rest = lines[i : i + BLOCK]
        where, cells = f"{file.name}, line {number}", [cell.strip() for cell in head.split(",")]
        date = re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", cells[1], re.ASCII) if len(cells) == 4 else None
        if date is None or not cells[0]:
            form = "activity, month/day/year, start, end"
            raise LogError(
                f"{where}: {head.strip()[:40]!r} is not {form}; each activity has five lines: is one missing?"
            )
        if len(rest) < BLOCK - 1:
            raise LogError(f"{where}: the file ends within this activity, which has five lines; copy it again")
        month, day, year = (int(part) for part in date.groups())
        if not 1970 <= year < 2100:
            raise LogError(f"{where}: {cells[1]!r} lies outside 1970 to 2100; correct the line")
        try:
            midnight = datetime.datetime(year, month, day)
        except ValueError:
            left_out[NO_DATE] += 1
            continue
        start, end = (midnight + _clock(text, where) for text in cells[2:])
        below = [[cell.strip() for cell in line.split(",")] if line.strip() else [] for _, line in rest]
        yield _Block(Span(start, end + DAY * (end < start), cells[0]), midnight, number, below)


def _clock(text: str, where: str) -> datetime.timedelta:
    """H:M:S, zeros in front or not."""
    parts = [int(part) for part in text.split(":")] if re.fullmatch(r"(\d{1,2}:){2}\d{1,2}", text, re.ASCII) else []
    if not parts or parts[0] > 23 or max(parts[1:]) > 59:
        raise LogError(f"{where}: {text[:20]!r} is not a time of day like 9:05:30; correct the line")
    return datetime.timedelta(hours=parts[0], minutes=parts[1], seconds=parts[2])


def _uses(file: Path, block: _Block, names: dict[str, str]) -> Iterator[Span]:
    numbers, _, on, off = block.below
    if not len(numbers) == len(on) == len(off):
        told = f"{count(len(numbers), 'sensor')}, but {count(len(on), 'time')} on and {len(off)} off"
        raise LogError(f"{file.name}, line {block.line + 1}: {told}; each activity has five lines: is one missing?")
    for number, begins, ends in zip(numbers, on, off, strict=True):
        if number not in names:
            raise LogError(f"{file.name}, line {block.line + 1}: sensor {number[:20]!r} is not in sensors.csv; add it")
        start = block.day + _clock(begins, f"{file.name}, line {block.line + 3}")
        end = block.day + _clock(ends, f"{file.name}, line {block.line + 4}")
        # only the activity has a date, and a use up to a minute before it or late in it can be on another day
        shift = DAY * ((block.activity.start - start > DAY / 2) - (start - block.activity.end > DAY / 2))
        yield Span(start + shift, end + shift + DAY * (end < start), names[number])


def _names(file: Path) -> dict[str, str]:
    names = {}
    for number, line in read_lines(file):
        cells = [cell.strip() for cell in line.split(",")]
        if len(cells) == 3 and all(cells):
            names[cells[0]] = " ".join([*cells[1:], cells[0]])
        elif line.strip():
            raise LogError(f"{file.name}, line {number}: no number, room and object; correct the line")
    return names
