"""Local time, on columns: what a file's times say of the clock on the wall, at each event's own moment.

- A time with an offset from UTC, or seconds since 1970 with `zone=`, is a moment; `zone` turns it into local time with
  the offset that holds at that moment. Without `zone`, the offsets are the home's own.
- A local time that the clock skips in spring is read as the moment at which it does. Of a local time that occurs twice
  in autumn the first is meant, unless it lies before the row above. Both are counted.
- Offsets that no single place has, and offsets of 0 throughout (the clock of computers), are refused without `zone`.
"""

from __future__ import annotations

import datetime
import re
import zoneinfo
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from lam_env.core.events import LogError
from lam_env.core.units import DAY, HOUR

SECOND = 1_000_000  # [us]
EPOCH = datetime.datetime(1970, 1, 1)
NO_OFFSET, UNIVERSAL = -DAY - 1, -DAY - 2  # in place of an offset: not told; told, but not the clock on the wall
LEAST_NUMBER = 631_152_000  # [s since 1970] the year 1990: less is a date written as a number, or another unit
LAST = 4_102_444_800  # [s since 1970] the year 2100
UNITS = (SECOND, SECOND // 1000)  # [us] of numbers since 1970
REMEDY = "write 2026-01-05T07:00:00+01:00, or of a table say time_format=%d.%m.%Y %H:%M"
APART = 14 * DAY  # [s] at least between two changes of a place's offset
SLOT = 900 * SECOND  # [us] offsets change at quarters of an hour
SKIPPED = "local time(s) in an hour that the clock skips, read as the moment at which it does"
TWICE = "local time(s) in an hour that comes twice, read by order"

Where = Callable[[int], str]  # the place of row i in its file


class Clocks(NamedTuple):
    """time (n,) int64: what each row's clock shows [us since 1970]; offset (n,) int64: how far it is ahead of UTC [s],
    or `NO_OFFSET`, or `UNIVERSAL`: it is UTC, which says nothing of the place (RFC 9557, 2.2)."""

    time: np.ndarray
    offset: np.ndarray


class LocalTimes(NamedTuple):
    """wall (n,) int64: the clock on the wall [us since 1970]; moment (n,) int64: UTC [us], or `wall` where nothing
    tells it; said: how often a rule decided; zone: of what place the clock is, for people."""

    wall: np.ndarray
    moment: np.ndarray
    said: Counter[str]
    zone: str


def zone_of(name: str, where: str) -> zoneinfo.ZoneInfo:
    """The time zone of that name; LogError where there is none."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise LogError(f"{where}: unknown time zone {name[:40]!r}; write one as zone=Europe/Berlin") from None


def microseconds(time: datetime.datetime) -> tuple[int, int]:
    """What a clock shows [us since 1970], and its offset [s] or `NO_OFFSET`."""
    shown = (time.replace(tzinfo=None) - EPOCH) // datetime.timedelta(microseconds=1)
    offset = time.utcoffset()
    return shown, NO_OFFSET if offset is None else int(offset.total_seconds())


def read_times(cells: Sequence[object], where: Where, numbers: bool = True) -> Clocks:
    """ISO 8601 times with date and hour; `numbers`: or seconds since 1970. LogError names the place of any other."""
    n = len(cells)
    time, offset = np.zeros(n, np.int64), np.full(n, NO_OFFSET, np.int64)
    for i, cell in enumerate(cells):
        text = str(cell).strip()
        try:
            if isinstance(cell, bool):
                raise ValueError
            if numbers and re.fullmatch(r"[-+]?\d+(\.\d*)?([eE][-+]?\d+)?", text):
                value = float(text)
                unit = unit_of(value)
                if unit is None:
                    why = f"time {text[:40]!r} is a number, but not of (milli)seconds since 1970 between 1990 and 2100"
                    raise LogError(f"{where(i)}: {why}; {REMEDY}")
                time[i], offset[i] = int(value * unit), UNIVERSAL
                continue
            if not re.search(r"\d[T ]\d", text):
                raise ValueError
            time[i], offset[i] = microseconds(datetime.datetime.fromisoformat(text))
            if text[-1] in "zZ":
                offset[i] = UNIVERSAL
        except LogError:
            raise
        except (ValueError, OverflowError):
            why = "is not an ISO 8601 time with date and hour"
            raise LogError(f"{where(i)}: {text[:60]!r} {why}; {REMEDY}") from None
    for i in np.flatnonzero((time < 0) | (time >= LAST * SECOND))[:1].tolist():
        raise LogError(f"{where(i)}: {str(cells[i])[:40]!r} lies outside 1970 to 2100; correct the line")
    return Clocks(time, offset)


def unit_of(number: float) -> int | None:
    """[us] of what a time since 1970 counts, seconds or milliseconds; None where it lies in no year from 1990 to 2100
    as either."""
    return next((unit for unit in UNITS if LEAST_NUMBER <= number * unit / SECOND < LAST), None)


def check_no_dates(numbers: np.ndarray, where: Where) -> None:
    """LogError where all numbers [s since 1970] of ten digits are dates and hours: YYYYMMDDHH or YYMMDDHHMM."""
    if not len(numbers) or numbers.min() == numbers.max():  # of one time nothing can be told
        return
    pairs = [numbers // 100**k % 100 for k in (3, 2, 1, 0)]
    month = [(p >= 1) & (p <= 12) for p in pairs]
    day, hour, minute = ([(low <= p) & (p <= high) for p in pairs] for low, high in ((1, 31), (0, 23), (0, 59)))
    long = (numbers // 10**8 == 20) & month[1] & day[2] & hour[3]
    short = month[0] & day[1] & hour[2] & minute[3]
    if long.all() or short.all():
        why = f"times like {numbers[0]} are dates without separators, or seconds since 1970: it cannot be told"
        raise LogError(f"{where(0)}: {why}; write 2026-01-05T07:00:00+01:00")


def local_times(clocks: Clocks, zone: str | None, where: Where, *, on_the_wall: bool = False) -> LocalTimes:
    """The local time of each row. `on_the_wall`: the format's times without an offset are local, zone or not. LogError
    where the rows do not say what their clock is, or say different things."""
    time, offset = clocks
    bare, universal = offset == NO_OFFSET, offset == UNIVERSAL
    if zone is not None:
        return _in_zone(clocks, zone, where)
    if on_the_wall and bare.all():
        return LocalTimes(time, time, Counter(), "as the file says")
    ask = "settings: zone=Europe/Berlin, or wherever it was"
    if on_the_wall and bare.any():
        raise LogError(f"{where(int(bare.argmax()))}: its time has no offset from UTC and others have one; {ask}")
    if bare.any():
        i = int(bare.argmax())
        raise LogError(f"{where(i)}: time {_text(time[i])} has no offset from UTC; {ask}")
    if universal.any() or not offset.any():
        i = int(universal.argmax())
        why = f"time {_text(time[i])} is in UTC, the clock of computers"
        raise LogError(f"{where(i)}: {why}; {ask}; zone=UTC if that is the clock on the wall")
    moment = time - offset * SECOND
    _of_one_place(moment, offset, where, ask)
    names = sorted({f"{o // HOUR:+03d}:{o % HOUR // 60:02d}" for o in np.unique(offset).tolist()})
    return LocalTimes(time, moment, Counter(), " and ".join(names))


def _of_one_place(moment: np.ndarray, offset: np.ndarray, where: Where, ask: str) -> None:
    order = np.argsort(moment, kind="stable")
    changes = np.flatnonzero(np.diff(offset[order]))
    often = np.flatnonzero(np.diff(moment[order][changes]) < APART * SECOND)
    if (len(offset) and np.ptp(offset) > HOUR) or len(often):
        i = int(order[changes[often[0] + 1 if len(often) else 0] + 1])
        why = "its offset from UTC differs from others' by more than summer time does, or changes to and fro"
        raise LogError(f"{where(i)}: {why}; {ask}")


def _in_zone(clocks: Clocks, zone: str, where: Where) -> LocalTimes:
    time, offset = clocks
    place = zone_of(zone, "zone")
    time, bare = time.copy(), np.flatnonzero(offset == NO_OFFSET)
    ahead = np.where(offset == UNIVERSAL, 0, offset)
    first, second = _of_local(time[bare], place)
    ahead[bare] = first
    skipped = bare[second > first]
    said = Counter({SKIPPED: len(skipped)})
    while len(skipped):  # on to the first local time that there is
        time[skipped] = (time[skipped] // SLOT + 1) * SLOT
        ahead[skipped], later = _of_local(time[skipped], place)
        skipped = skipped[later > ahead[skipped]]
    for i, later in zip(bare[second < first].tolist(), second[second < first].tolist(), strict=True):
        said[TWICE] += 1
        if i and time[i] - ahead[i] * SECOND < time[i - 1] - ahead[i - 1] * SECOND:
            ahead[i] = later
    moment = time - ahead * SECOND
    return LocalTimes(to_wall(moment, place), moment, +said, zone)


def _of_local(time: np.ndarray, zone: zoneinfo.ZoneInfo) -> tuple[np.ndarray, np.ndarray]:
    """Offsets (n,) [s] of local times before a change and after: less where they occur twice, more where skipped."""
    before, after = (partial(datetime.datetime.replace, tzinfo=zone, fold=fold) for fold in (0, 1))
    return _offsets(time, before), _offsets(time, after)


def to_wall(moment: np.ndarray, zone: zoneinfo.ZoneInfo) -> np.ndarray:
    """Moments (n,) [us since 1970, UTC] on the clock of a place, each with the offset that held then."""
    there = _offsets(moment, lambda t: t.replace(tzinfo=datetime.UTC).astimezone(zone))
    return moment + there * SECOND


def _offsets(time: np.ndarray, at: Callable[[datetime.datetime], datetime.datetime]) -> np.ndarray:
    """(n,) [s] ahead of UTC; asked once for each day, and on days on which it changes for each quarter of an hour."""
    if not len(time):
        return np.zeros(0, np.int64)
    day = time // (DAY * SECOND)
    first = int(day.min())
    day -= first
    days = np.flatnonzero(np.bincount(day))
    midnights = np.union1d(days, days + 1)
    ahead = np.zeros(int(days[-1]) + 2, np.int64)
    ahead[midnights] = _asked((midnights + first) * DAY * SECOND, at)
    out = ahead[day]
    if len(changes := days[ahead[days] != ahead[days + 1]]):
        rows = np.flatnonzero(np.isin(day, changes))
        slots, inverse = np.unique(time[rows] // SLOT, return_inverse=True)
        out[rows] = _asked(slots * SLOT, at)[inverse]
    return out


def _asked(times: np.ndarray, at: Callable[[datetime.datetime], datetime.datetime]) -> np.ndarray:
    found = [at(EPOCH + datetime.timedelta(microseconds=time)).utcoffset() for time in times.tolist()]
    return np.array([0 if o is None else int(o.total_seconds()) for o in found], np.int64)


def _text(time: np.integer) -> str:
    return repr((EPOCH + datetime.timedelta(microseconds=int(time))).isoformat())


def monday_before(time: datetime.datetime) -> datetime.datetime:
    """Monday 00:00 of the week of a time, without a zone: tick 0 of a log."""
    return datetime.datetime.combine(time.date() - datetime.timedelta(days=time.weekday()), datetime.time())
