"""CASAS activity logs in XES, as published by Sztyler and Carmona (4TU.ResearchData 12674873, 2015).

One trace is one day; an activity is a start and a complete event; artificial "Start" and "End" events bound a
trace. The clock is local wall time whatever offset the file claims. XES: IEEE 1849-2016.
"""

from __future__ import annotations

import datetime
import re
from collections import Counter, deque
from pathlib import Path
from xml.parsers import expat

from lam_env.core.events import ActionLog, LogError
from lam_env.logs.formats.files import LogRow, chunks, log_of_rows

ARTIFICIAL = ("Start", "End")
NAME, TRANSITION, TIME = "concept:name", "lifecycle:transition", "time:timestamp"


def load(path: str, *, home: str | None = None, zone: str | None = None) -> tuple[ActionLog, dict[str, int]]:
    """A file, or those of one home in a folder -> its activities (intervals, one tick = 1 s) and what was left out.

    `zone` is not needed: the times are local already.
    """
    paths, home = _paths(Path(path), home)
    left_out: Counter[str] = Counter()
    rows = [row for file in paths for row in _activities(file, left_out)]
    rows.sort(key=lambda row: row.time)  # traces come in any order
    return log_of_rows(rows, ", ".join(file.name for file in paths), intervals=True, home=home), dict(left_out)


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


class _Events:
    """Streams the events of an XES file: (line, name, transition, time), one list a trace."""

    def __init__(self, path: Path):
        self.path = path
        self.traces: list[list[tuple[int, dict[str, str]]]] = []
        self.event: dict[str, str] | None = None
        self.depth = 0
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        # no document type, so no entities to expand: XES has none
        self.parser.StartDoctypeDeclHandler = self.doctype

    def doctype(self, *_: object) -> None:
        raise LogError(f"{self.path.name}, line {self.parser.CurrentLineNumber}: a DOCTYPE is not allowed; remove it")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        if not self.depth and tag != "log":
            raise LogError(f"{self.path.name}: not an XES log (its root is <{tag[:40]}>); settings: format=")
        self.depth += 1
        if tag == "trace":
            self.traces.append([])
        elif tag == "event" and self.traces:
            self.event = {}
            self.traces[-1].append((self.parser.CurrentLineNumber, self.event))
        elif self.event is not None and attributes.get("key") in (NAME, TRANSITION, TIME):
            self.event[attributes["key"]] = attributes.get("value", "").strip()

    def end(self, tag: str) -> None:
        self.depth -= 1
        if tag.rpartition(":")[2] == "event":
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


def _activities(path: Path, left_out: Counter[str]) -> list[LogRow]:
    rows = []
    for trace in _Events(path).read():
        begun: dict[str, deque[datetime.datetime]] = {}
        for line, event in trace:
            name, transition = event.get(NAME, ""), event.get(TRANSITION, "").lower()
            if name in ARTIFICIAL:
                left_out["artificial Start or End"] += 1
            elif not name or name == "none":
                left_out["no activity name"] += 1
            elif transition not in ("start", "complete"):
                left_out["neither start nor complete"] += 1
            elif transition == "start":
                begun.setdefault(name, deque()).append(_time(path, line, event))
            elif not begun.get(name):
                left_out["complete without start"] += 1
            else:
                start, end = begun[name].popleft(), _time(path, line, event)
                if end < start:
                    left_out["ends before it starts"] += 2
                else:
                    rows.append(LogRow(start, name, value=(end - start) // datetime.timedelta(seconds=1)))
        if unfinished := sum(map(len, begun.values())):
            left_out["start without complete"] += unfinished
    return rows


def _time(path: Path, line: int, event: dict[str, str]) -> datetime.datetime:
    text = event.get(TIME, "")
    try:
        return datetime.datetime.fromisoformat(text).replace(tzinfo=None, microsecond=0)
    except ValueError:
        raise LogError(f"{path.name}, line {line}: {text[:40]!r} is not an ISO 8601 time; correct it") from None
