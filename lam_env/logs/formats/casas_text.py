"""CASAS raw text: sensor events of a home, one a line, some of them with the label of an activity.

Cook, Crandall, Thomas and Krishnan, CASAS: A Smart Home in a Box, IEEE Computer 46(7): 62-69 (2013). A line is date,
time, sensor, value and perhaps labels, with blanks, tabs or commas in between; a place may stand after the sensor. Only
activities are read, and times are those of the clock on the wall. There are two kinds of files:

- Labels that begin and end (`Sleeping begin`, or `Sleeping="begin"`): an activity goes from the one to the other, and
  others may be open at the same time. Another begin of the same one says that the end of the first is lost.
- Labels without: an activity is a run of equal labels of one resident, which another label or an hour of silence ends.
  Other_Activity is no activity, and two equal runs with nothing else between them for less than 30 min are one.

`R1_Sleep` is the activity Sleep of resident R1; activities of nobody in particular are of user 0.
"""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from lam_env.core.events import ActionLog, LogError
from lam_env.logs.input.files import read_lines
from lam_env.logs.input.records import EMPTY, existing
from lam_env.logs.input.spans import Span, log_of_spans, wall_time

OTHER = "Other_Activity"
APART, SILENCE = datetime.timedelta(minutes=30), datetime.timedelta(hours=1)
EVENTS = "sensor event(s), of which only the activities are read"
NO_END, NO_BEGIN, BARE = "begin(s) without an end", "end(s) without a begin", "label(s) that neither begin nor end"
OTHERS, JOINED = f"run(s) of {OTHER}", "run(s) less than 30 min after an equal one, joined to it"
_VALUE = re.compile(r"ON|OFF|OPEN|CLOSED?|PRESENT|ABSENT|[-+]?\d+(\.\d*)?", re.IGNORECASE)
_MARK = re.compile(r'(?:(.+)=)?"?(begin|end)"?', re.IGNORECASE)


def load(path: str, *, zone: str | None = None) -> tuple[ActionLog, dict[str, int]]:
    """A file -> its activities (intervals, one tick = 1 s), and what was left out, by reason. `zone`: where the home
    was, for nights in which the clock changes."""
    file = existing(path)
    left_out: Counter[str] = Counter()
    labels = list(_labels(file, left_out))
    if not labels:
        raise LogError(
            f"{file.name}: no label of an activity, as in '... M003 ON Sleeping begin'; give a labelled file"
        )
    spans = _between(labels, left_out) if any(label.mark for label in labels) else _runs(labels, left_out)
    return log_of_spans(spans, file.name, zone=zone, left_out=left_out)


FORMATS = {"casas_text": load}


class _Label(NamedTuple):
    time: datetime.datetime
    name: str
    user: str
    mark: str  # begin, end, or nothing


def _labels(file: Path, left_out: Counter[str]) -> Iterator[_Label]:
    for number, line in read_lines(file):
        where, cells = f"{file.name}, line {number}", line.replace(",", " ").split()
        if not cells:
            left_out[EMPTY] += 1
            continue
        if len(cells) < 4:
            raise LogError(f"{where}: {line.strip()[:40]!r} is not date, time, sensor and value; is this CASAS text?")
        time = wall_time(f"{cells[0]} {cells[1]}", where)
        left_out[EVENTS] += 1
        place = len(cells) > 4 and not _VALUE.fullmatch(cells[3]) and _VALUE.fullmatch(cells[4])
        for label, mark in _marks(cells[5 if place else 4 :], where):
            resident = re.fullmatch(r"(R\d+)_(.+)", label)
            user, name = resident.groups() if resident else ("0", label)
            yield _Label(time, name, user, mark)


def _marks(cells: list[str], where: str) -> Iterator[tuple[str, str]]:
    """The labels of a line, each with its mark. Newer files tell the type of the sensor too (Control4-Motion)."""
    words: list[str] = []
    for cell in cells:
        mark = _MARK.fullmatch(cell)
        if mark is None:
            words += [cell] if not cell.startswith("Control4-") else []
            continue
        words += [mark[1]] if mark[1] else []
        if not words:
            raise LogError(f"{where}: {mark[2]} of no activity; write its name before it")
        yield "_".join(words), mark[2].lower()
        words = []
    if words:
        yield "_".join(words), ""


def _between(labels: list[_Label], left_out: Counter[str]) -> list[Span]:
    """Activities from their begin to their end."""
    begun: dict[tuple[str, str], datetime.datetime] = {}
    spans = []
    for time, name, user, mark in labels:
        if mark == "begin":
            left_out[NO_END] += (user, name) in begun
            begun[user, name] = time
        elif mark and (user, name) in begun:
            spans.append(Span(begun.pop((user, name)), time, name, user))
        else:
            left_out[NO_BEGIN if mark else BARE] += 1
    left_out[NO_END] += len(begun)
    return spans


def _runs(labels: list[_Label], left_out: Counter[str]) -> list[Span]:
    """Activities of labels without a mark."""
    runs = _joined((Span(time, time, name, user) for time, name, user, _ in labels), SILENCE)
    known = [run for run in runs if run.name != OTHER]
    spans = _joined(known, APART)
    left_out.update({OTHERS: len(runs) - len(known), JOINED: len(known) - len(spans)})
    return spans


def _joined(spans: Iterable[Span], apart: datetime.timedelta) -> list[Span]:
    """Equal neighbours of one user, less than `apart` from the end of one to the start of the next, are one."""
    last: dict[str, Span] = {}
    done = []
    for span in spans:
        before = last.get(span.user)
        if before is not None and before.name == span.name and span.start - before.end < apart:
            span = before._replace(end=span.end)
        elif before is not None:
            done.append(before)
        last[span.user] = span
    return [*done, *last.values()]
