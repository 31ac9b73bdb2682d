"""Published logs of homes as csv files of the kit's own form, by the protocol of their reference figures.

A row is an activity, with its duration, or a device's switching on, without one. All rows are kept and none merged, but
in `al` a label's interval goes on until another label or an hour of silence, "Other_Activity" is left out, and equal
neighbours less than 30 min apart are one. An end before the start (three in `ordonez_a`) is read as the start. Times
are the clock on the wall, with one offset from UTC all the time. What each log is stands beside it (SOURCE.md).

    python tests/logs/protocol_logs.py FOLDER    # writes FOLDER/al.csv and so on
"""

from __future__ import annotations

import csv
import datetime
import gzip
import io
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

sys.path.append(str(Path(__file__).resolve().parents[1] / "worlds"))  # run as a script
from outside import AL, KASTEREN, MIT, ORDONEZ

APART, SILENCE = datetime.timedelta(minutes=30), datetime.timedelta(hours=1)
DAY = datetime.timedelta(days=1)


class Event(NamedTuple):
    """Local times; `end` is that of an activity or of a device's use."""

    start: datetime.datetime
    end: datetime.datetime
    name: str


Events = Iterator[Event]


def _al() -> Events:
    """Runs of lines with the same label, which a silence ends too, then the protocol's merging."""
    lines = (line.split() for line in gzip.decompress(AL.read_bytes()).decode().splitlines())
    at = ((datetime.datetime.fromisoformat(f"{day} {clock}"), name) for day, clock, *_, name in lines)
    runs = _merged((Event(time, time, name) for time, name in at), SILENCE)
    return _merged((run for run in runs if run.name != "Other_Activity"), APART)


def _merged(events: Iterable[Event], apart: datetime.timedelta) -> Events:
    """Equal neighbours less than `apart` from each other's end to start are one."""
    last: Event | None = None
    for event in events:
        if last is not None and last.name == event.name and event.start - last.end < apart:
            last = last._replace(end=event.end)
        else:
            if last is not None:
                yield last
            last = event
    if last is not None:
        yield last


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="latin-1").splitlines()


def _ordonez(home: str, what: str) -> Events:
    """Columns between runs of tabs; a device is its location, kind and place."""
    for line in _lines(ORDONEZ / f"Ordonez{home}_{what}.txt")[2:]:
        start, end, *name = (cell.strip() for cell in re.split(r"\t+", line.strip()))
        yield Event(datetime.datetime.fromisoformat(start), datetime.datetime.fromisoformat(end), " ".join(name))


def _kasteren_a(what: str) -> Events:
    """Rows of start, end, number; the numbers' names stand above them."""
    names, form = dict[str, str](), "%d-%b-%Y %H:%M:%S"
    for line in _lines(KASTEREN / f"houseA_kasteren{what}Data.txt"):
        if named := re.match(r"\s*\[?\s*(\d+)[\]:]\s*'(.*)'", line):
            names[named[1]] = named[2]
        elif re.match(r"\d\d-", line):
            start, end, number = line.split("\t")[:3]
            strptime = datetime.datetime.strptime
            yield Event(strptime(start.strip(), form), strptime(end.strip(), form), names[number.strip()])


def _kasteren_c() -> Events:
    """Rows of start [s since 1970, read as the clock on the wall], length [s], number."""
    names = dict(line.split("\t") for line in _lines(KASTEREN / "houseC.activity_names"))
    for line in _lines(KASTEREN / "houseC.activities"):
        start, length, number = line.split("\t")
        at = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=int(start))
        yield Event(at, at + datetime.timedelta(seconds=int(length)), names[number])


def _mit() -> Iterator[tuple[Event, list[Event]]]:
    """Each activity, and the uses of devices in it."""
    known = {cells[0]: cells for cells in csv.reader(_lines(MIT / "sensors.csv"))}
    lines = _lines(MIT / "activities_data.csv")
    for i in range(0, len(lines) - 4, 5):
        name, date, begins, ends = lines[i].split(",")
        day = datetime.datetime.strptime(date, "%m/%d/%Y")

        def between(on: str, off: str, day: datetime.datetime = day) -> tuple[datetime.datetime, datetime.datetime]:
            start, end = (day + _clock(text) for text in (on, off))
            return start, end + DAY * (end < start)

        numbers, _, on, off = ([cell.strip() for cell in line.split(",")] for line in lines[i + 1 : i + 5])
        names = [" ".join([known[n][1], known[n][2].strip(), n]) for n in numbers]
        uses = [Event(*between(a, b), name) for name, a, b in zip(names, on, off, strict=True)]
        yield Event(*between(begins, ends), name), uses


def _clock(text: str) -> datetime.timedelta:
    """H:M:S, zeros in front or not."""
    hours, minutes, seconds = (int(part) for part in text.split(":"))
    return datetime.timedelta(hours=hours, minutes=minutes, seconds=seconds)


def _mit_activities() -> Events:
    yield from (activity for activity, _ in _mit())


def _mit_devices() -> Events:
    """A use in two activities at once is one; those of one second are in order of their names."""
    yield from sorted({use for _, uses in _mit() for use in uses}, key=lambda use: use.name)


class ProtocolLog(NamedTuple):
    """`offset`: of the clock on the wall from UTC [h]; `timed`: with durations; `source`: a file that it needs."""

    read: Callable[[], Events]
    offset: int
    timed: bool
    source: Path


LOGS = {
    "al": ProtocolLog(_al, -7, True, AL),
    "ordonez_a": ProtocolLog(partial(_ordonez, "A", "ADLs"), 1, True, ORDONEZ),
    "ordonez_b": ProtocolLog(partial(_ordonez, "B", "ADLs"), 1, True, ORDONEZ),
    "ordonez_b_sensors": ProtocolLog(partial(_ordonez, "B", "Sensors"), 1, False, ORDONEZ),
    "kasteren_a": ProtocolLog(partial(_kasteren_a, "Act"), 1, True, KASTEREN),
    "kasteren_a_sensors": ProtocolLog(partial(_kasteren_a, "Sense"), 1, False, KASTEREN),
    "kasteren_c": ProtocolLog(_kasteren_c, 1, True, KASTEREN),
    "mit1": ProtocolLog(_mit_activities, -5, True, MIT),
    "mit1_devices": ProtocolLog(_mit_devices, -5, False, MIT),
}


def protocol_log(name: str) -> str:
    """The text of a csv file."""
    log = LOGS[name]
    zone = datetime.timezone(datetime.timedelta(hours=log.offset))
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["time", "user", "action", *["duration"] * log.timed])
    for event in sorted(log.read(), key=lambda event: event.start):
        length = max(0.0, (event.end - event.start).total_seconds())
        at = event.start.replace(tzinfo=zone).isoformat()
        rows.writerow([at, "resident", event.name, *[f"{length:g}"] * log.timed])
    return text.getvalue()


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in LOGS:
        (folder / f"{name}.csv").write_text(protocol_log(name), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
