"""ActivityWatch: the JSON that "Export all buckets as JSON" writes, or the export of one bucket.

Shape: docs.activitywatch.net, "Data model" and "Exporting data": {"buckets": {id: {"type", "hostname", "events":
[{"timestamp", "duration" [s], "data"}]}}}. Times are UTC, so `zone` says where it was.

An event of a bucket of windows (currentwindow) is an activity named by its app; its user is the computer (hostname).
Titles are not read: they are private, and there are as many as documents. Then
- what lies in time away from the keyboard (afkstatus "afk" of the same computer) is left out, or cut to what does not;
- neighbours of the same app are one where no more than `PULSE` lies between them, as ActivityWatch itself joins them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lam_env.core.events import USER, ActionLog, LogError
from lam_env.logs.coverage import clean
from lam_env.logs.input.records import existing, json_file
from lam_env.logs.local_time import NO_OFFSET, SECOND, UNIVERSAL, Clocks, local_times, read_times
from lam_env.logs.tables import LONGEST, EventTable, Texts, log_of_table

WINDOW, PRESENCE = "currentwindow", "afkstatus"
PULSE = 5 * SECOND  # [us] the `pulsetime` of aw_transform.flood
NO_LENGTH, NO_APP = "window event(s) of 0 s", "window event(s) without an app"
OTHERS = "event(s) of buckets of other types"
AWAY = "window event(s) while nobody was at the keyboard"
CUT = "window event(s) cut where nobody was at the keyboard"
JOINED = "window event(s) joined to the one before, of the same app"


class _Bucket(NamedTuple):
    name: str
    kind: str
    host: str
    events: list[object]


class _Span(NamedTuple):
    """A time [us since 1970, UTC] on a computer; what: the app, or whether somebody was there."""

    start: int
    end: int
    host: str
    what: str
    where: str


def load(path: str, *, zone: str | None = None) -> tuple[ActionLog, dict[str, int]]:
    """An export -> its activities (intervals, one tick = 1 s) and how many events were left out, by reason."""
    file = existing(path)
    left_out, said = Counter[str](), Counter[str]()
    buckets = _buckets(file)
    windows = []
    for span in _spans(file.name, buckets, WINDOW, "app"):
        if clean(span.what).lower() in ("", "none"):
            left_out[NO_APP] += 1
        elif span.end == span.start:
            left_out[NO_LENGTH] += 1
        else:
            windows.append(span)
    left_out += Counter({OTHERS: sum(len(b.events) for b in buckets if b.kind not in (WINDOW, PRESENCE))})
    away = [span for span in _spans(file.name, buckets, PRESENCE, "status") if span.what == "afk"]
    activities = []
    for host in sorted({span.host for span in windows}):
        there = _present([s for s in windows if s.host == host], [s for s in away if s.host == host], left_out, said)
        activities += _joined(there, said)
    if not activities:
        raise LogError(f"{file.name}: no windows used; export all buckets, of a computer where aw-watcher-window runs")
    start, end = (np.array([getattr(a, name) for a in activities], np.int64) for name in ("start", "end"))
    n = len(activities)
    local = local_times(Clocks(start, np.full(n, UNIVERSAL)), zone, lambda i: activities[i].where)
    apps, hosts = Texts.of(a.what for a in activities), Texts.of(a.host for a in activities)
    length = (end - start) / SECOND
    table = EventTable(local._replace(said=local.said + said), apps, hosts, np.full(n, USER), length, np.zeros(n, bool))
    return log_of_table(table, file.name, intervals=True, left_out=left_out)


FORMATS = {"activitywatch": load}


def _buckets(path: Path) -> list[_Bucket]:
    data = json_file(path, "export fewer buckets at a time")
    buckets = data.get("buckets") if isinstance(data, dict) else None
    if not isinstance(buckets, dict):
        raise LogError(f'{path.name}: no "buckets", so no export of ActivityWatch; check that this is the right file')
    return [_bucket(path.name, *item) for item in buckets.items()]


def _bucket(source: str, name: str, bucket: object) -> _Bucket:
    told = bucket if isinstance(bucket, dict) else {}
    kind, host, events = (told.get(key) for key in ("type", "hostname", "events"))
    if not isinstance(kind, str) or not isinstance(host, str) or not host.strip() or not isinstance(events, list):
        raise LogError(f"{source}, bucket {name[:60]!r}: needs type, hostname and a list of events; export it again")
    return _Bucket(name, kind, host, events)


def _spans(source: str, buckets: Sequence[_Bucket], kind: str, key: str) -> Iterator[_Span]:
    """The events of all buckets of a type; what: what `key` of their data says."""
    for bucket in buckets:
        if bucket.kind != kind:
            continue
        places = [f"{source}, bucket {bucket.name[:60]!r}, event {i + 1}" for i in range(len(bucket.events))]
        told = [_told(where, event, key) for where, event in zip(places, bucket.events, strict=True)]
        time, offset = read_times([time for time, _, _ in told], places.__getitem__, numbers=False)
        starts = time - np.where(np.isin(offset, (NO_OFFSET, UNIVERSAL)), 0, offset) * SECOND
        for where, start, (_, length, what) in zip(places, starts.tolist(), told, strict=True):
            yield _Span(start, start + round(length * SECOND), bucket.host, what, where)


def _told(where: str, event: object, key: str) -> tuple[object, float, str]:
    """Time, duration [s] and what `key` of its data says."""
    data = event.get("data") if isinstance(event, dict) else None
    if not isinstance(event, dict) or not isinstance(data, dict) or not isinstance(data.get(key), str):
        raise LogError(f"{where}: needs timestamp, duration and, in data, {key}; export it again")
    length = event.get("duration")
    if isinstance(length, bool) or not isinstance(length, int | float) or not 0 <= length <= LONGEST:
        raise LogError(f"{where}: a duration of {str(length)[:40]}; it must lie between 0 and {LONGEST} s")
    return event.get("timestamp"), length, data[key]


def _present(windows: list[_Span], away: list[_Span], left_out: Counter[str], said: Counter[str]) -> Iterator[_Span]:
    """The parts of a computer's windows at which somebody was, in order of time."""
    times: list[tuple[int, int]] = []  # away, in order and apart from each other
    for start, end in sorted((span.start, span.end) for span in away):
        if times and start <= times[-1][1]:
            times[-1] = (times[-1][0], max(times[-1][1], end))
        else:
            times.append((start, end))
    ends = [end for _, end in times]
    for span in sorted(windows):
        rest, parts = span.start, []
        for start, end in times[bisect_right(ends, span.start) :]:
            if start >= span.end:
                break
            if start > rest:
                parts.append(span._replace(start=rest, end=start))
            rest = end
        if rest < span.end:
            parts.append(span._replace(start=rest))
        left_out += Counter({AWAY: int(not parts)})
        said[CUT] += bool(parts) and parts != [span]
        yield from parts


def _joined(spans: Iterator[_Span], said: Counter[str]) -> list[_Span]:
    """Of spans in order of time, neighbours of the same app made one."""
    joined: list[_Span] = []
    for span in spans:
        last = joined[-1] if joined else None
        if last and last.what == span.what and span.start - last.end <= PULSE:
            joined[-1] = last._replace(end=max(last.end, span.end))
            said[JOINED] += 1
        else:
            joined.append(span)
    return joined
