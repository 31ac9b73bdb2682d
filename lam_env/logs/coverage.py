"""Which days, rows and names of a recorded log count, on columns: the one place that tells them for all formats.

A recorded log is silent where nobody was there or nothing was written. Such days are no days: neither is a predictor
judged on them, nor does a habit count as skipped.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from lam_env.config.convert import count
from lam_env.core.events import KINDS, USER, ActionLog, LogError
from lam_env.core.units import DAY

MAX_NAME = 200  # characters
STEP = 7 * DAY  # [s] from one event to the next where the order alone is known: hour, weekday and gap are constants
ORDER = "order"  # what `meta["clock"]` of such a log says
# a few rows at either end of a log are not believed where as many days as these, as many times the usual gap between
# days with events, and a quarter of the time that the rest takes lie between them and the rest: of a log that has
# events on nearly all of its days `ABSENCE`, as of a mistyped year, and of any other, whose people come and go, `AGES`,
# as of an unset clock
FAR, REST, ABSENCE, AGES, DENSE = 7, 0.25, 182, 5 * 365, 0.9
LEAST = 8  # rows of which it can be told
FEW, SHARE = 4, 0.01  # rows, and share of them, from which on a part of a log is no few
DAYS_SHARE = 0.1  # the same share of a part that is a single day
MOST = 0.8  # share of rows in the parts that are no few, without which the log is sparse and nothing is far
EMPTY = "state(s) without a meaning (unavailable, unknown, null, undef, nan)"
AGAIN, ASTRAY = "row(s) like an earlier one", "row(s) at a time far off"
SAME_NAME = "name(s) written in several ways (spaces, Unicode), read as one"
_EMPTY = re.compile(r"(?:.*[.:=/ ])?(?:unavailable|unknown|null|undef|nan)", re.IGNORECASE | re.DOTALL)
_UNSEEN = dict.fromkeys((0xAD, 0x200B, 0x2060, 0xFEFF))  # soft hyphen, spaces of no width


def says_nothing(state: str) -> bool:
    """Is it, or does the name of an action end in, a state that tells of no event: "light.unavailable"?"""
    return _EMPTY.fullmatch(state) is not None


def clean(name: str) -> str:
    """A name in one form: composed Unicode (NFC), single plain spaces, none at the ends."""
    if not name.isascii():
        name = unicodedata.normalize("NFC", name).translate(_UNSEEN)
    if not name.isprintable():  # control characters would move or colour a terminal
        name = "".join(sign if sign.isprintable() else " " for sign in name)
    return " ".join(name.split())


def clean_names(names: Sequence[str], source: str) -> tuple[list[str], Counter[str]]:
    """Names in one form, and how many forms of one were met; LogError where one is too long to be a name."""
    forms = {name: clean(name) for name in set(names)}
    for name in sorted(form for form in forms.values() if len(form) > MAX_NAME)[:1]:
        why = f"a name of {len(name)} characters ({name[:20]!r}...)"
        raise LogError(f"{source}: {why}; a name has at most {MAX_NAME}: is a column mistaken for another?")
    return [forms[name] for name in names], +Counter({SAME_NAME: len(forms) - len(set(forms.values()))})


def far_times(time: np.ndarray) -> np.ndarray:
    """Mask (n,) of the times [s], in any order, that lie far before or after all others (an unset clock, a mistyped
    year): the few at either end of a log."""
    on = time // DAY
    on -= on.min(initial=0)
    day = np.flatnonzero(number := np.bincount(on))
    number = number[day]
    part = _parts(day)
    if len(time) < LEAST:
        return np.zeros(len(time), bool)
    size, days = np.bincount(part, number), np.bincount(part)
    large = np.flatnonzero((size >= max(FEW, SHARE * len(time))) & ((days > 1) | (size > DAYS_SHARE * len(time))))
    if size[large].sum() < MOST * len(time):
        return np.zeros(len(time), bool)
    begins, ends = np.searchsorted(part, large[0]), np.searchsorted(part, large[-1], side="right")
    first, last = day[begins], day[ends - 1]
    gap, least = np.diff(day), ABSENCE if ends - begins >= DENSE * (last - first + 1) else AGES
    before = gap > np.maximum(least, REST * (last - day[1:] + 1))  # of the rest that begins after this gap
    after = gap > np.maximum(least, REST * (day[:-1] - first + 1))
    begin = np.flatnonzero(before & (day[1:] <= first))
    end = np.flatnonzero(after & (day[:-1] >= last))
    far, found = np.zeros(len(day), bool), np.zeros(int(on.max(initial=0)) + 1, bool)
    far[: begin[-1] + 1 if len(begin) else 0] = True
    far[end[0] + 1 if len(end) else len(day) :] = True
    found[day] = far & ((part < large[0]) | (part > large[-1]))
    return found[on]


def _parts(day: np.ndarray) -> np.ndarray:
    """(n,) which part of a log each of its days with events, in order, belongs to: parts lie far apart."""
    gap = np.diff(day)
    far = gap > FAR * np.quantile(gap, 0.75, method="lower") if len(gap) else gap > 0
    return np.cumsum(np.r_[np.zeros(min(1, len(day)), int), far])


def _several(key: np.ndarray) -> np.ndarray:
    """Which rows of a key (n,) have what another one has."""
    order = None if (key[1:] >= key[:-1]).all() else np.argsort(key, kind="stable")
    alike = np.diff(key if order is None else key[order]) == 0
    rows = np.flatnonzero(np.r_[False, alike][: len(key)] | np.r_[alike, False][: len(key)])
    return rows if order is None else np.sort(order[rows])


def repeats(*columns: np.ndarray) -> np.ndarray:
    """Mask (n,) of the rows that are equal to an earlier one in all columns (no value equals no value)."""
    found, keys = np.zeros(len(columns[0]), bool), [c.view(np.int64) if c.dtype == np.float64 else c for c in columns]
    rows = _several(keys[0])  # no others can repeat
    if not len(rows):
        return found
    keys = [key[rows] for key in keys]
    order = np.lexsort(keys)
    same = np.all([key[order][1:] == key[order][:-1] for key in keys], axis=0)
    found[rows[order[1:][same]]] = True
    return found


def sound_rows(
    times: Sequence[np.ndarray], *same: np.ndarray, empty: np.ndarray | None = None, dates: bool = True
) -> tuple[np.ndarray, Counter[str]]:
    """Mask (n,) of the rows that a log keeps, and why it does not keep the others: those that say nothing (`empty`),
    those that repeat another in all columns `same`, and those of which one of the `times` [s since 1970] (a start, an
    end) is far off; with the `dates` of the first three."""
    keep = np.ones(len(times[0]), bool) if empty is None else ~empty
    left_out = Counter({EMPTY: int((~keep).sum())})
    rows = np.flatnonzero(keep)
    again = repeats(*(column[rows] for column in same))
    keep[rows[again]] = False
    rows = rows[~again]
    far = np.array([far_times(time[rows]) for time in times])
    astray = far.any(0)
    keep[rows[astray]] = False
    days = sorted({_date_of(time[row]) for k, time in enumerate(times) for row in rows[far[k]].tolist()})
    when = f": {', '.join(days[:3])}{', ...' if len(days) > 3 else ''}" if dates and days else ""
    return keep, +(left_out + Counter({AGAIN: int(again.sum()), ASTRAY + when: int(astray.sum())}))


def _date_of(second: np.integer) -> str:
    return str(datetime.date(1970, 1, 1) + datetime.timedelta(seconds=int(second)))


class Days(NamedTuple):
    """What a stream covers: the days (d,) that count, numbered from tick 0, in order; the first and last may be cut."""

    number: np.ndarray

    @property
    def whole(self) -> np.ndarray:
        return self.number[1:-1]

    def between(self, first: np.ndarray, last: np.ndarray) -> np.ndarray:
        """(n,) [s] from one time to another, both on days that count, less the days that do not."""
        a, b = (np.searchsorted(self.number, t // DAY) * DAY + t % DAY for t in (first, last))
        return b - a

    def joined(self, start: np.ndarray) -> np.ndarray:
        """(n-1,) bool: whether all days between an event and the next count; times (n,) [s] on days that count."""
        day = start // DAY
        return np.diff(day) == np.diff(np.searchsorted(self.number, day))


def days_of_many(time: np.ndarray) -> Days:
    """The days of a log of many people, whose rows are at `time` (n,) [s]: all from its first to its last but those on
    which far too long nobody does anything, as where the record has a gap."""
    day = np.unique(time // DAY)
    part = _parts(day) if len(time) >= LEAST else np.zeros(len(day), int)
    ends = [(day[part == k][0], day[part == k][-1]) for k in np.unique(part)]
    return Days(np.concatenate([np.arange(a, b + 1) for a, b in ends]))


def days_of(log: ActionLog, start: np.ndarray | None = None) -> Days:
    """The days of a stream of this log whose events begin at `start` (n,) [s], rising; or of all that its users did. A
    simulated world is watched all the time, so that a quiet day is one; of a recorded log, days without an event do not
    count."""
    if start is None:
        start = np.sort(log.time[log.kind == USER] // log.ticks_per_second)
    if log.protocol.split == "worlds" and len(start):
        return Days(np.arange(start[0] // DAY, start[-1] // DAY + 1))
    return Days(np.unique(start // DAY))


def has_clock(log: ActionLog) -> bool:
    """False where a log says what came after what, but not when: event i of a stream is at i * `STEP` then, so that a
    day is an event, and splits by days are splits by events."""
    return log.meta.get("clock") != ORDER


def said(log: ActionLog, left_out: Mapping[str, int]) -> list[str]:
    """What an importer found, for people: the span of the log, its clock, its notes, rows that are no user's, what was
    left out, and what was read otherwise than the file says it."""
    told, notes = log.meta.get("told"), log.meta.get("notes")
    otherwise = told.items() if isinstance(told, dict) else ()
    clock = f", local time: {log.meta['zone']}" if "zone" in log.meta else ""
    when = f"{span(log)}{clock}" if has_clock(log) else "order alone, without a clock: hour, weekday and gap are off"
    number = np.bincount(log.kind).tolist()
    more = ", ".join(f"{n:,} of kind {KINDS[i]}" for i, n in enumerate(number) if n and i != USER)
    rows = [f"further rows, read and not predicted: {more}"] if more else []
    rows += [*said_of(left_out), *(_counted(n, what) for what, n in otherwise)]
    return [when, *(notes if isinstance(notes, list) else ()), *rows]


def said_of(left_out: Mapping[str, int]) -> list[str]:
    """A line for each reason."""
    return [f"left out: {_counted(n, why)}" for why, n in left_out.items()]


def _counted(n: int, what: str) -> str:
    """Importers of one's own may give any words."""
    return count(n, what) if "(s)" in what else f"{n:,} {what}"


def span(log: ActionLog) -> str:
    """From when to when a log of local times is, and its longest gap; days by number where it says no start."""
    days = days_of(log).number
    if not len(days):
        return "no events of users"
    text = f"from {_date(log, days[0])} to {_date(log, days[-1])}"
    if missing := int(days[-1] - days[0] + 1 - len(days)):
        gap = np.diff(days)
        since = _date(log, days[gap.argmax()] + 1)
        most = int(gap.max()) - 1
        text += f", no events on {count(missing, 'day')} in between (at most {most} in a row, from {since} on)"
    return text


def _date(log: ActionLog, day: int) -> str:
    try:
        return str(datetime.date.fromisoformat(str(log.meta.get("start"))) + datetime.timedelta(days=int(day)))
    except (ValueError, OverflowError):
        return f"day {day}"
