"""What somebody does day after day, from a log: at which hour, after what, on which days, and what changed lately.

Everything is told with how sure it is, and only what stands out from chance: an hour must hold an action on more days
than its frequency alone would bring there, and that by `SURE` standard errors, as must a change of daily counts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lam_env.core.events import ActionLog
from lam_env.core.units import DAY, HOUR, MINUTE
from lam_env.logs.coverage import has_clock
from lam_env.logs.statistics import EventStream, streams

ACTIONS = 200  # that are looked at, the most frequent ones
LEAST_DAYS = 7  # of a log that tells of habits
WINDOW = 1.5  # [h] to either side of an hour that is an action's own
STEADY, BEYOND = 0.5, 0.2  # share of days with the action at its hour, and by how much that is more than by chance
LONG = 2 * HOUR  # [s] (median) of an activity whose end is told too
LATELY, BEFORE = 14, 21  # days that are new, and days before them at least
SURE = 3.5  # standard errors: many hours, actions and changes are looked at
OFTEN, PART, LIFT = 5, 0.2, 2.0  # times that one thing follows another, share of its times, how much more than usual


class Anchor(NamedTuple):
    """An action at its hour [h]: `spread` [h] is the circular standard deviation over `days` days, which are the
    `share` of all; `ends`: it is its end."""

    action: str
    hour: float
    spread: float
    share: float
    days: int
    ends: bool


class Sequel(NamedTuple):
    """After `before` comes `after` in a `share` of its `times`, and in `usual` of all events."""

    before: str
    after: str
    share: float
    usual: float
    times: int


class Contrast(NamedTuple):
    """How often an action is done a day, in one part of the days and in the others; `sure`: by how many standard
    errors they differ."""

    action: str
    here: float
    there: float
    sure: float


class Habits(NamedTuple):
    """Of `days` days. lately: the last `LATELY` days against those before; weekend: Saturdays and Sundays against other
    days. Each list begins with what is most certain or most frequent. profile: by action (24,) events by hour, of the
    `ACTIONS` most frequent."""

    days: int
    anchors: list[Anchor]
    sequels: list[Sequel]
    lately: list[Contrast]
    weekend: list[Contrast]
    profile: dict[str, np.ndarray]


def habits(part: EventStream, names: tuple[str, ...]) -> Habits | None:
    """Of one stream, whose labels are indices of `names`; None where it is too short."""
    day = np.searchsorted(part.days.number, part.start // DAY)
    days = len(part.days.number)
    if days < LEAST_DAYS:
        return None
    labels, n = np.unique(part.label, return_counts=True)
    often = labels[np.argsort(-n, kind="stable")][:ACTIONS].tolist()
    counts = {a: np.bincount(day[part.label == a], minlength=days) for a in often}
    late = np.arange(days) >= days - LATELY
    free = part.days.number % 7 >= 5
    found = [_anchors(part, a, names[a], days) for a in often]
    hour = part.start % DAY // HOUR
    return Habits(
        days,
        sorted((anchor for some in found for anchor in some), key=lambda one: one.hour),
        _sequels(part, names),
        _contrasts(counts, names, late) if days >= LATELY + BEFORE else [],
        _contrasts(counts, names, free),
        {names[a]: np.bincount(hour[part.label == a], minlength=24) for a in often},
    )


def _anchors(part: EventStream, action: int, name: str, days: int) -> list[Anchor]:
    mine = part.label == action
    start, length = part.start[mine], part.length[mine]
    times = [(start, False)]
    if np.median(length) >= LONG:
        times.append((start + length, True))
    return [anchor for at, ends in times if (anchor := _anchor(at, name, days, ends)) is not None]


def _anchor(at: np.ndarray, name: str, days: int, ends: bool) -> Anchor | None:
    """The hour about which the times (n,) [s] lie on most days; a day is counted from twelve hours before it, for an
    evening may end after midnight."""
    best, hours = np.zeros(0), at % DAY / HOUR
    for hour in np.arange(0, 24, 0.25):
        off = (hours - hour + 12) % 24 - 12
        near = np.abs(off) <= WINDOW
        day, first = np.unique(np.rint((at[near] - (off[near] + hour) * HOUR) / DAY), return_index=True)
        if len(day) > len(best):
            best = hour + off[near][first]
    share = min(1.0, len(best) / days)
    by_chance = 1 - math.exp(-len(at) / days * 2 * WINDOW / 24)
    error = math.sqrt(by_chance * (1 - by_chance) / days)
    if share < STEADY or share < by_chance + max(BEYOND, SURE * error):
        return None
    return Anchor(name, float(best.mean() % 24), float(best.std()), share, len(best), ends)


def _sequels(part: EventStream, names: tuple[str, ...]) -> list[Sequel]:
    joined = part.days.joined(part.start)
    if not joined.any():
        return []
    pairs, n = np.unique(np.stack([part.label[:-1], part.label[1:]])[:, joined], axis=1, return_counts=True)
    usual = np.bincount(part.label, minlength=len(names)) / len(part.label)
    times = np.bincount(part.label[:-1][joined], minlength=len(names))
    found = []
    for (a, b), often in zip(pairs.T.tolist(), n.tolist(), strict=True):
        share = often / times[a]
        if a != b and often >= OFTEN and share >= max(PART, LIFT * usual[b]):
            found.append(Sequel(names[a], names[b], float(share), float(usual[b]), int(times[a])))
    return sorted(found, key=lambda one: -one.times * one.share * math.log(one.share / one.usual))


def _contrasts(counts: dict[int, np.ndarray], names: tuple[str, ...], here: np.ndarray) -> list[Contrast]:
    """Of daily counts (days,) by action, between the days `here` (days,) bool and the others."""
    out = []
    if min(here.sum(), (~here).sum()) < 2:
        return []
    for action, count in counts.items():
        one, other = count[here], count[~here]
        # of a count that never varies a Poisson process still does
        error = math.sqrt(sum(max(x.var(ddof=1), x.mean(), 1 / len(x)) / len(x) for x in (one, other)))
        sure = (one.mean() - other.mean()) / error
        if abs(sure) >= SURE:
            out.append(Contrast(names[action], float(one.mean()), float(other.mean()), float(sure)))
    return sorted(out, key=lambda one: -abs(one.sure))


def words(found: Habits, most: int = 6) -> list[str]:
    """Sentences, at most so many of a kind."""
    lines = []
    for a in sorted(sorted(found.anchors, key=lambda one: -one.share)[: 2 * most], key=lambda one: one.hour):
        what = f"{a.action} ends" if a.ends else a.action
        lines.append(f"{clock(a.hour)}  {what}, give or take {_minutes(a.spread)}: on {a.share:.0%} of days")
    for s in found.sequels[:most]:
        lines.append(f"after {s.before} comes {s.after} in {s.share:.0%} (else it is {s.usual:.0%} of events)")
    for what, contrasts in (("at weekends", found.weekend), (f"in the last {LATELY} days", found.lately)):
        for c in contrasts[:most]:
            more = "more" if c.sure > 0 else "less"
            lines.append(f"{what} {more} {c.action}: {c.here:.1f} a day, {c.there:.1f} otherwise")
    return lines


def of_busiest(log: ActionLog, parts: Sequence[EventStream] | None = None) -> Habits | None:
    """Of the stream with most events; None of a log whose days are no days. `parts`: its streams, where they are at
    hand."""
    parts = (streams(log) if parts is None else parts) if has_clock(log) else []
    longest = max(parts, key=lambda part: len(part.start), default=None)
    return None if longest is None else habits(longest, log.vocabulary.actions)


def clock(hour: float) -> str:
    """Such as 07:05, of an hour [h]."""
    minute = round(hour * 60) % (24 * 60)
    return f"{minute // 60:02}:{minute % 60:02}"


def _minutes(spread: float) -> str:
    return f"{spread * HOUR / MINUTE:.0f} min"
