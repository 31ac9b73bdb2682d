"""CASAS activity logs in XES, as published by Sztyler and Carmona (4TU.ResearchData 12674873, 2015).

One trace is one day; an activity is a start and a complete event; artificial "Start" and "End" events bound a
trace. XES: IEEE 1849-2016. An offset is taken for the home's own, so that the clock on the wall is what the file shows,
unless `zone` says where it was; times without one are local.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from pathlib import Path
from typing import NamedTuple
from xml.parsers import expat

import numpy as np

from lam_env.core.events import USER, ActionLog, LogError
from lam_env.logs.coverage import EMPTY, clean, says_nothing
from lam_env.logs.input.files import chunks, in_other_letters
from lam_env.logs.local_time import local_times, read_times
from lam_env.logs.tables import EventTable, Texts, log_of_table, of_activities

ARTIFICIAL = ("Start", "End")
NAME, TRANSITION, TIME = "concept:name", "lifecycle:transition", "time:timestamp"


def load(path: str, *, home: str | None = None, zone: str | None = None) -> tuple[ActionLog, dict[str, int]]:
    """A file, or those of one home in a folder -> its activities (intervals, one tick = 1 s) and how many events were
    left out, two for an activity."""
    paths, home = _paths(Path(path), home)
    left_out: Counter[str] = Counter()
    activities = [activity for file in paths for activity in _activities(file, left_out)]
    source = ", ".join(file.name for file in paths)
    if not activities:
        raise LogError(f"{source}: no user events; check that this is the right file and format")

    def where(i: int) -> str:  # starts first, then ends
        a = activities[i % len(activities)]
        return f"{a.file}, line {a.lines[i // len(activities)]}"

    cells = [a.start for a in activities] + [a.end for a in activities]
    local = local_times(read_times(cells, where, numbers=False), zone, where, on_the_wall=True)
    local, length, long = of_activities(local)
    left_out += Counter({"event(s) of an activity of more than a year": 2 * int(long.sum())})
    rows = np.flatnonzero(~long)
    own = local._replace(wall=local.wall[rows], moment=local.moment[rows])
    names, n = [activities[i].name for i in rows.tolist()], len(rows)
    table = EventTable(own, Texts.of(names), Texts.of(["0"] * n), np.full(n, USER), length[rows], np.zeros(n, bool))
    log, of_rows = log_of_table(table, source, intervals=True, home=home)
    left_out.update({reason: 2 * count for reason, count in of_rows.items()})
    return log, dict(left_out)


FORMATS = {"casas_xes": load}


def _home_of(path: Path) -> str:
    """edited_hh104_labour.xes.gz -> hh104; any other name is its own home."""
    stem = re.sub(r"\.xes(\.gz)?$", "", path.name)
    return re.sub(r"^edited_|_(labour|weekends)$", "", stem)


def _paths(path: Path, home: str | None) -> tuple[list[Path], str]:
    if not path.exists():
        raise LogError(f"{path}: no such file or folder; give a folder or a .xes.gz file")
    files = sorted(f for f in path.iterdir() if re.search(r"\.xes(\.gz)?$", f.name)) if path.is_dir() else [path]
    homes = sorted({_home_of(f) for f in files})
    if not homes:
        raise LogError(f"{path}: no .xes or .xes.gz file in this folder; give another one")
    if home is None and len(homes) > 1:
        raise LogError(f"{path}: holds several homes; settings: home=<one of {', '.join(homes)}>")
    home = homes[0] if home is None else home
    if home not in homes:
        raise LogError(f"{path}: no home {home!r} here; settings: home=<one of {', '.join(homes)}>")
    return [f for f in files if _home_of(f) == home], home


class _Activity(NamedTuple):
    name: str
    start: str
    end: str
    file: str
    lines: tuple[int, int]  # of start and end


class _Events:
    """Streams the events of an XES file: (line, name, transition, time), one list a trace. Only what stands directly in
    an event is its own, and only events directly in a trace are the trace's."""

    def __init__(self, path: Path):
        self.path = path
        self.traces: list[list[tuple[int, dict[str, str]]]] = []
        self.event: dict[str, str] | None = None
        self.tags: list[str] = []  # those that are open
        self.outside = 0  # events that are in no trace
        # other letters come as UTF-8, whatever the first line says
        self.parser = expat.ParserCreate("UTF-8" if in_other_letters(path) else None)
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        # no document type, so no entities to expand: XES has none
        self.parser.StartDoctypeDeclHandler = self.doctype

    def doctype(self, *_: object) -> None:
        raise LogError(f"{self.path.name}, line {self.parser.CurrentLineNumber}: a DOCTYPE is not allowed; remove it")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        if not self.tags and tag != "log":
            raise LogError(f"{self.path.name}: not an XES log (its root is <{tag[:40]}>); settings: format=")
        if tag == "trace" and len(self.tags) == 1:
            self.traces.append([])
        elif tag == "event" and self.tags == ["log", "trace"]:
            self.event = {}
            self.traces[-1].append((self.parser.CurrentLineNumber, self.event))
        elif tag == "event":
            self.outside += 1
        elif self.event is not None and len(self.tags) == 3 and attributes.get("key") in (NAME, TRANSITION, TIME):
            self.event[attributes["key"]] = attributes.get("value", "").strip()
        self.tags.append(tag)

    def end(self, tag: str) -> None:
        self.tags.pop()
        if len(self.tags) == 2:
            self.event = None

    def read(self) -> list[list[tuple[int, dict[str, str]]]]:
        try:
            size = 0
            for chunk in chunks(self.path):
                size += len(chunk)
                self.parser.Parse(chunk, False)
            if not size:
                raise LogError(f"{self.path.name}: the file is empty; export it again")
            self.parser.Parse(b"", True)
        except expat.ExpatError as error:
            what = expat.errors.messages.get(error.code, "not XML")
            raise LogError(
                f"{self.path.name}, line {error.lineno}: broken XML ({what}); the file is cut short or damaged"
            ) from None
        except (LookupError, UnicodeError, ValueError) as error:
            if isinstance(error, LogError):
                raise
            raise LogError(f"{self.path.name}: unreadable text ({error}); convert the file to UTF-8") from None
        return self.traces


def _activities(path: Path, left_out: Counter[str]) -> list[_Activity]:
    found, events = [], _Events(path)
    for trace in events.read():
        begun: dict[str, deque[tuple[int, str, str]]] = {}
        for line, event in trace:
            told, transition, time = event.get(NAME, ""), event.get(TRANSITION, "").lower(), event.get(TIME, "")
            name = clean(told)
            if name in ARTIFICIAL:
                left_out["artificial event(s) (Start, End)"] += 1
            elif name.lower() in ("", "none"):
                left_out["event(s) without a name"] += 1
            elif says_nothing(name):
                left_out[EMPTY] += 1
            elif transition not in ("start", "complete"):
                left_out["event(s) neither start nor complete"] += 1
            elif transition == "start":
                begun.setdefault(name, deque()).append((line, time, told))
            elif not begun.get(name):
                left_out["end(s) without a start"] += 1
            else:
                began, start, told = begun[name].popleft()
                found.append(_Activity(told, start, time, path.name, (began, line)))
        if unfinished := sum(map(len, begun.values())):
            left_out["start(s) without an end"] += unfinished
    left_out.update(Counter({"event(s) outside a trace": events.outside} if events.outside else {}))
    return found
