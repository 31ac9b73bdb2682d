"""Logs of the houses A, B and C of van Kasteren et al., with one resident each.

A: Accurate Activity Recognition in a Home Setting, UbiComp 2008; B and C: Transferring Knowledge of Activity
Recognition across Sensor Networks, Pervasive 2010. A file holds activities or firings of sensors, told by numbers, in
one of two forms:

- house A (kasterenActData.txt, kasterenSenseData.txt): the names of the numbers, then start, end, number, with times
  like 25-Feb-2008 00:22:46;
- houses B and C (X.activities, X.sensors): lines of start [s since 1970], length [s], number; names are in
  X.activity_names or X.sensor_names beside it, where it is there. A number without a name is its own name.

All times are those of the clock on the wall. That holds for the seconds of B and C too, which count from 1970 on that
clock and not in UTC: read so, people go to bed at night. `zone` tells where the clock hung and never shifts it.
"""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from lam_env.core.events import ActionLog, LogError
from lam_env.logs.input.files import read_lines
from lam_env.logs.input.records import EMPTY, existing
from lam_env.logs.input.spans import Span, cells_of, is_rule, log_of_spans, wall_time
from lam_env.logs.local_time import EPOCH, LAST, LEAST_NUMBER

NAMES = {".activities": ".activity_names", ".sensors": ".sensor_names"}
HEADER = ["start time", "end time", "id"]
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")  # whatever the locale


def load(path: str, *, zone: str | None = None) -> tuple[ActionLog, dict[str, int]]:
    """A file -> its activities or firings (intervals, one tick = 1 s) and how many lines were left out, by reason.
    `zone`: where the home was, for nights in which the clock changes."""
    file = existing(path)
    left_out: Counter[str] = Counter()
    first = next((line for _, line in read_lines(file) if line.strip()), "")
    read = _numbers if _integers(first) else _house_a
    return log_of_spans(list(read(file, left_out)), file.name, zone=zone, left_out=left_out)


FORMATS = {"kasteren": load}


def _house_a(file: Path, left_out: Counter[str]) -> Iterator[Span]:
    names: dict[str, str] = {}
    below = False  # the header
    for number, line in read_lines(file):
        where, cells = f"{file.name}, line {number}", cells_of(line)
        if not below:
            if named := re.match(r"\s*\[?\s*(\d+)\s*[\]:]\s*'(.*)'", line):
                names[named[1]] = named[2].strip()
            below = [cell.lower() for cell in cells[:3]] == HEADER
        elif not cells:
            left_out[EMPTY] += 1
        elif not is_rule(cells) and not line.startswith("Length:"):  # below the last row: how many there are
            yield _row(cells, names, where)
    if not below:
        raise LogError(
            f"{file.name}: no line 'Start time, End time, ID', nor lines of three numbers (start, length, id); "
            "is this a file of van Kasteren's houses?"
        )


def _row(cells: list[str], names: dict[str, str], where: str) -> Span:
    if len(cells) not in (3, 4):  # of sensors, with a value, which is always 1
        raise LogError(f"{where}: {len(cells)} cells; give start, end and id, with tabs in between")
    if cells[2] not in names:
        raise LogError(f"{where}: id {cells[2][:20]!r} has no name in the list at the top; add it there")
    return Span(_time(cells[0], where), _time(cells[1], where), names[cells[2]])


def _time(text: str, where: str) -> datetime.datetime:
    day, _, rest = text.partition("-")
    month, _, rest = rest.partition("-")
    number = MONTHS.index(month.title()) + 1 if month.title() in MONTHS else 0
    return wall_time(f"{rest[:4]}-{number:02}-{day:>02}{rest[4:]}", where, text)


def _numbers(file: Path, left_out: Counter[str]) -> Iterator[Span]:
    names = _names(file)
    for number, line in read_lines(file):
        where, told = f"{file.name}, line {number}", _integers(line)
        if not line.strip():
            left_out[EMPTY] += 1
        elif not told:
            raise LogError(f"{where}: {line.strip()[:40]!r} is not three numbers: start [s], length [s], id")
        else:
            start, length, which = told
            if not LEAST_NUMBER <= start < LAST:
                raise LogError(
                    f"{where}: start {start} is not in seconds since 1970, from 1990 to 2100; correct the line"
                )
            at = EPOCH + datetime.timedelta(seconds=start)
            yield Span(at, at + datetime.timedelta(seconds=length), names.get(which, str(which)))


def _integers(line: str) -> list[int]:
    """The three numbers of a line, or none."""
    three = re.fullmatch(r"\s*(\d{1,10})\s+(-?\d{1,10})\s+(\d{1,10})\s*", line, re.ASCII)
    return [int(cell) for cell in three.groups()] if three else []


def _names(file: Path) -> dict[int, str]:
    """The names of the numbers, where a file beside it tells them."""
    stem = file.with_suffix("") if file.suffix == ".gz" else file
    suffix = NAMES.get(stem.suffix)
    if suffix is None or not (beside := stem.with_suffix(suffix)).is_file():
        return {}
    names: dict[int, str] = {}
    for number, line in read_lines(beside):
        which, _, name = line.strip().partition("\t")
        if not re.fullmatch(r"\d{1,10}", which, re.ASCII) or not name.strip():
            raise LogError(f"{beside.name}, line {number}: no number, tab and name; correct the line")
        names[int(which)] = name.strip()
    return names
