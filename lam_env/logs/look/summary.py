"""What a log holds, in lines for a terminal of 80 columns."""

from __future__ import annotations

import datetime
import difflib
import math
import re
from collections.abc import Sequence

import numpy as np

from lam_env.config.convert import count
from lam_env.core.events import KINDS, USER, ActionLog
from lam_env.core.units import DAY, HOUR, MINUTE
from lam_env.logs import coverage
from lam_env.logs.input.pairs import ENDS, activities, words_of
from lam_env.logs.input.states import meaning_of, pairs_in, parted
from lam_env.logs.statistics import EventStream, day_counts, entropies, hours
from lam_env.logs.tables import Texts

FIRST, ACTIONS, USERS, ALIKE = 5, 12, 5, 6  # how many are shown of rows, actions, users, pairs of names
COMPARED = 400  # names that are compared with one another at most
NEARLY = 0.87  # of difflib's ratio
ALTERNATE = 0.8  # of the events of a pair of states, such as on/off, are a begin and its end
BARS = " ▁▂▃▄▅▆▇█"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def users_of(log: ActionLog) -> list[tuple[str, int]]:
    """Names of the users (of sessions: their numbers) and how many events each has, the most first."""
    mine = log.kind == USER
    number = log.world if len(log.worlds) > 1 else log.user
    who, n = np.unique(number[mine], return_counts=True)
    told = [(log.user_name(i), int(c)) for i, c in zip(who.tolist(), n.tolist(), strict=True)]
    return sorted(told, key=lambda one: -one[1])


def first_rows(log: ActionLog) -> list[str]:
    """The first events as they were read: local time, whose, what, and how long it took or its value."""
    words = log.vocabulary
    lists = (words.actions, words.actions, words.feedback, words.sensors, words.readings)
    out = []
    for event in list(log.select(np.arange(len(log)) < FIRST).events()):
        user = log.user_name(event.world if len(log.worlds) > 1 else event.user)
        text = f"{_moment(log, event.time)}  {user[:12]:12}  {lists[event.kind][event.token]}"
        if event.kind != USER:
            text += f" ({KINDS[event.kind]})"
        if not math.isnan(event.value):
            text += (
                f", {event.value / MINUTE:.0f} min" if log.intervals and event.kind == USER else f" = {event.value:g}"
            )
        out.append(text[:78])
    return out


def has_hours(log: ActionLog) -> bool:
    """Do its times say more than a day? Not where all stand at the same minute, as dates do."""
    minute = log.time[log.kind == USER] // log.ticks_per_second % DAY // MINUTE
    return coverage.has_clock(log) and bool((minute != minute[:1]).any())


def _moment(log: ActionLog, tick: int) -> str:
    if not coverage.has_clock(log):
        return f"number {tick // log.ticks_per_second // coverage.STEP + 1:<6,}"
    second = tick // log.ticks_per_second
    clock = f"{second % DAY // HOUR:02}:{second % HOUR // MINUTE:02}:{second % MINUTE:02}"
    try:
        day = datetime.date.fromisoformat(str(log.meta.get("start"))) + datetime.timedelta(days=second // DAY)
    except ValueError:
        return f"day {second // DAY} {clock}"
    return f"{_DAYS[second // DAY % 7]} {day} {clock}"


def rates(log: ActionLog, parts: list[EventStream]) -> list[str]:
    """Of a log and its streams: how much there is on a day, how often one thing is done twice in a row, how long it
    lasts."""
    per_day, label = day_counts(parts), np.concatenate([p.label for p in parts])
    again = sum(int((np.diff(p.label) == 0).sum()) for p in parts)
    pairs = sum(max(0, len(p.label) - 1) for p in parts)
    whose = " of a user" if len(parts) > 1 else ""
    lines = []
    if not coverage.has_clock(log):
        number = np.array([len(p.label) for p in parts])
        lines.append(f"events{whose or ' in all'}: {np.median(number):,.0f} (median), {number.max():,} at most")
    elif len(per_day):
        low, high = np.quantile(per_day, (0.1, 0.9))
        lines.append(f"events on a whole day{whose}: {per_day.mean():.1f} on average, {low:.0f} to {high:.0f} mostly")
    if pairs:
        lines.append(f"the same as before: {again / pairs:.0%} of events repeat the last action")
    if log.intervals:
        length = np.concatenate([p.length for p in parts])
        low, mid, high = np.quantile(length, (0.1, 0.5, 0.9)) / MINUTE
        lines.append(f"an activity lasts {mid:.0f} min (median), {low:.0f} to {high:.0f} min mostly")
    gaps = np.concatenate([np.diff(p.start)[p.days.joined(p.start)] for p in parts])
    if len(gaps) and has_hours(log):
        lines.append(f"from one to the next: {_span(float(np.median(gaps)))} (median)")
    if len(label) > 2:
        lines += predictable(parts, has_hours(log))
    return lines


def predictable(parts: Sequence[EventStream], clock: bool) -> list[str]:
    """How much order there is: entropies [bit] of the longest stream, where its events are enough to tell."""
    longest = max(parts, key=lambda p: len(p.label))
    label, hour = longest.label, hours([longest])
    if len(label) < 100:
        return []
    alone, given_hour, given_last = entropies(label, hour)
    by_hour = f"{given_hour:.1f} by the hour, " if clock else ""
    return [f"order: {alone:.1f} bit an event; {by_hour}{given_last:.1f} by the last action"]


def _span(seconds: float) -> str:
    for unit, name in ((DAY, "days"), (HOUR, "h"), (MINUTE, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} s"


def hour_profile(parts: list[EventStream]) -> list[str]:
    """The hours of the day as a picture of 24 bars, three characters wide, and the hours below."""
    number = np.bincount(hours(parts).astype(int), minlength=24)
    height = np.ceil(number / max(1, number.max()) * 16).astype(int)
    upper, lower = (np.clip(height - base, 0, 8) for base in (8, 0))
    bars = ["".join(BARS[h] * 2 + " " for h in row.tolist()).rstrip() for row in (upper, lower)]
    return [*bars, "".join(f"{hour:<6}" for hour in range(0, 24, 2)).rstrip()]


def action_table(log: ActionLog) -> list[str]:
    """The most frequent actions: how often, which share, and the hours within which the middle half of them begin."""
    mine = (log.kind == USER) & (log.token > 0)
    token, n = np.unique(log.token[mine], return_counts=True)
    order = np.argsort(-n, kind="stable")
    hour = (log.time[mine] // log.ticks_per_second) % DAY / HOUR
    width = max([6, *(min(36, len(log.vocabulary.actions[token[i]])) for i in order[:ACTIONS].tolist())])
    told = has_hours(log)
    lines = [f"{'action':{width}}  {'times':>8}  {'share':>6}" + "  mostly from - to" * told]
    for i in order[:ACTIONS].tolist():
        name = log.vocabulary.actions[token[i]]
        name = name if len(name) <= width else name[: width - 3] + "..."
        low, high = middle_half(hour[log.token[mine] == token[i]])
        when = f"  {low:4.1f} - {high:4.1f} h" * told
        lines.append(f"{name:{width}}  {n[i]:8,}  {n[i] / n.sum():6.1%}{when}")
    if len(rest := n[order[ACTIONS:]]):
        once = count(int((n == 1).sum()), "action")
        lines.append(f"... and {len(rest):,} more, {rest.sum() / n.sum():.1%} of events; {once} only once")
    return lines


def middle_half(hour: np.ndarray) -> tuple[float, float]:
    """[h] the shortest stretch of the day, over midnight too, in which half of the times of day (n,) [h] lie."""
    at = np.sort(hour)
    half = max(1, math.ceil(len(at) / 2))
    ends = np.r_[at, at + 24][half - 1 : half - 1 + len(at)]
    i = int((ends - at).argmin())
    return float(at[i]), float(ends[i] % 24)


def durations(log: ActionLog) -> list[str]:
    """Which `pairs` of states would make most events of a log activities with a duration, as they alternate."""
    mine = log.select(log.kind == USER)
    rows = (Texts(mine.token, [*log.vocabulary.actions]), mine.user, mine.world, np.ones(len(mine), bool), mine.time)

    def alternate(pair: str) -> bool:
        found = activities(*rows, words_of([pair]))
        begun = int((found.following >= 0).sum())
        return 2 * begun >= ALTERNATE * (2 * begun + sum(found.left_out.values()) - found.left_out.get(ENDS, 0))

    pairs = [] if log.intervals else [*filter(alternate, pairs_in(log.vocabulary.actions[1:]))]
    if not pairs:
        return []
    found = activities(*rows, words_of(pairs))
    begun = int((found.following >= 0).sum())
    if int(found.keep.sum()) > 2 * begun:  # a run refuses it
        return []
    others = len(mine) - 2 * begun
    left = f"; {count(others, 'other event')} would be left out" if others else ""
    return [f"with pairs={','.join(pairs)} each begin and its end are one activity, {begun:,} in all{left}"]


def alike(names: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of names that may mean one thing: equal but for case and what separates words, or nearly so, but not in a
    number, nor in what a device is switched to."""
    by_form: dict[str, list[str]] = {}
    for name in names:
        by_form.setdefault(re.sub(r"[\s._/:-]", "", name.casefold()), []).append(name)
    pairs = [(same[0], other) for same in by_form.values() for other in same[1:]]
    few = list(by_form)[:COMPARED]
    for i, one in enumerate(few):
        for other in difflib.get_close_matches(one, few[i + 1 :], n=3, cutoff=NEARLY):
            same_numbers = re.findall(r"\d", one) == re.findall(r"\d", other)
            first, second = by_form[one][0], by_form[other][0]
            states = _device(first) == _device(second) != "" or _opposite(first, second)
            if same_numbers and re.search(r"[^\W\d]", one) and not states:
                pairs.append((first, second))
    return pairs


def _device(name: str) -> str:
    """Of DEVICE.STATE, in one form; "" for a name that is none. A misspelt state of one device passes for another."""
    return re.sub(r"[\s_-]", "", parted(name)[0].casefold())


def _opposite(one: str, other: str) -> bool:
    """`light.kitchen.on` and `light.kitchen.off`, or the same of two things that a letter tells apart."""
    mine, others = (meaning_of(re.split(r"[\s._/:=-]", name)[-1]) for name in (one, other))
    return mine != others and "" not in (mine, others)
