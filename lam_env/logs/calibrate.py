"""Behaviour tables from an activity log: who lived like this?

Going to bed and getting up, and labels that begin by the clock, become anchors; labels that come back at regular
intervals become needs; all else is chosen with weights by hour and by the act before, fitted together as a
log-linear model (generalised iterative scaling, Darroch and Ratcliff 1972). Lengths and pauses are quantiles.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from lam_env.core.behaviour_tables import Anchor, BehaviourTables, Need
from lam_env.core.events import ActionLog, LogError
from lam_env.core.units import DAY, HOUR
from lam_env.logs import statistics as st
from lam_env.logs.coverage import Days

ANCHORED = 1.2  # [h] circular sd of the start below which a label is anchored in the clock
REGULAR = 0.6  # coefficient of variation of the time between two acts below which a need is seen
LED_BY = 0.4  # share of a forerunner (and twice its usual one) from which a label is part of a sequence, no need
# independent lengths make day counts too loose (Fano about 2 on hh104, 1.1 in the log)
EVENNESS = 0.95
OFTEN = 0.5  # share of days on which an anchored or needed act is done at least
FEWEST = 10  # cases from which anything is estimated
QUANTILES = 101
BOUND = 10.0  # by which an hour or the act before makes an act more or less likely at most: hours that lend each other
# cases would have others grow without end
SEQUEL = 0.1  # weight of what follows an act at any hour, beside the weights by hour, which sum to 1
_NIGHT = 24  # context after the 24 hours: the night
_LONGEST_NIGHT = 15 * HOUR
_UNUSUAL = 4 * HOUR  # from the usual bedtime


class Acts(NamedTuple):
    """The activities of one person in order of time; label 0 is the vocabulary's action 1."""

    start: np.ndarray  # (n,) [s]
    end: np.ndarray  # (n,) [s]
    label: np.ndarray  # (n,)
    days: Days  # that count

    @property
    def joined(self) -> np.ndarray:
        """(n-1,) whether no day without data lies between an act and the next."""
        return self.days.joined(self.start)


def calibrate(log: ActionLog, world: int | None = None) -> BehaviourTables:
    """The tables of the person in a log of intervals; `world` where it holds several."""
    acts = _acts(log, world)
    names = log.vocabulary.actions[1:]
    k = len(names)
    sleep = st.sleep_label(log) - 1
    days = acts.days.whole
    bed, wake = _nights(acts, sleep, days) if sleep >= 0 else (np.zeros(0, np.int64),) * 2
    asleep = _within(acts.start, bed, wake)
    anchors = _bed_and_wake(names[sleep], bed, wake) if len(bed) else []
    own = [a for i in range(k) if i != sleep for a in _anchors(acts, i, names[i], days)]
    anchored = {a.activity for a in own}
    others = [i for i in range(k) if i != sleep and names[i] not in anchored]
    needs = [n for i in others if (n := _need(acts, i, names[i], asleep, bed, wake)) is not None]
    planned = np.isin(acts.label, [names.index(name) for name in (*anchored, *(n.activity for n in needs))])
    free = ~planned & ~np.isin(acts.start, bed)
    context = np.where(asleep, _NIGHT, acts.start % DAY // HOUR)
    hourly, night, follow, again, sequel = _choices(acts, context, free, k, sleep)
    pauses = np.r_[np.where(acts.joined, acts.start[1:] - acts.end[:-1], 0), 0] / 60  # an absence is no pause
    length = (acts.end - acts.start) / 60
    pace = _pace(acts, length, pauses, asleep)
    slow = np.where(asleep, 1.0, pace[acts.start % DAY // HOUR])
    length, pauses = length / np.where(planned, 1.0, slow), pauses / slow  # the hour paces fillers only
    idle, still = pauses > 0, _within(acts.end, bed, wake)
    lengths = {names[i]: _quantiles(length[acts.label == i]) for i in range(k)}
    naps: tuple[float, ...] = ()
    broken = False
    if len(bed):
        by_day = (acts.label == sleep) & ~asleep
        naps = _quantiles(length[by_day]) if by_day.sum() >= FEWEST else lengths[names[sleep]]
        rows = (acts.label == sleep) & asleep
        cut = np.isin(acts.end[rows], wake)
        broken = (~cut).sum() >= FEWEST  # else the person sleeps through
        lengths[names[sleep]] = _uncut(length[rows], cut) if broken else _quantiles(length[rows])
    return BehaviourTables(
        activities=names,
        anchors=(*anchors, *own),
        needs=tuple(needs),
        durations=lengths,
        hourly=hourly,
        follow=follow,
        sequel=sequel,
        pauses=_quantiles(pauses[idle & ~still]),
        pause=float(idle[:-1][acts.joined].mean()),
        sleep=names[sleep] if sleep >= 0 else "sleep",
        night=night if broken else np.zeros(0),
        naps=naps,
        night_pauses=_quantiles(pauses[idle & still]) if broken else (),
        pace=pace,
        pauses_after=_pauses_after(pauses, acts, ~still, names),
        again=again,
        brevity=_brevity(*(x[acts.joined] for x in (length[1:], acts.label[1:], pauses[:-1], still[:-1]))),
        evenness=EVENNESS,
    )


def _acts(log: ActionLog, world: int | None) -> Acts:
    if not log.intervals:
        raise LogError("calibrate: the log has no durations; give an activity log (intervals)")
    parts = log if world is None else log.select(log.world == world)
    people = st.streams(parts)
    if len(people) != 1:
        raise LogError(f"calibrate: the log holds {len(people)} people; choose one with world=")
    start, length, label, days = people[0]
    if len(days.whole) < 6:
        raise LogError("calibrate: fewer than six whole days with activities; give a longer log")
    if (length < 0).any():
        raise LogError("calibrate: an activity ends before it starts; import the log again without such rows")
    end = start + length
    end[:-1] = np.minimum(end[:-1], np.maximum(start[1:], start[:-1]))  # one thing at a time
    return Acts(start, end, label.astype(np.int64) - 1, days)


def _quantiles(minutes: np.ndarray) -> tuple[float, ...]:
    if not len(minutes):
        return (0.0, 0.0)
    quantiles = np.quantile(minutes, np.linspace(0, 1, QUANTILES))
    return tuple(np.maximum.accumulate(quantiles).tolist())  # interpolation may round down


def _uncut(minutes: np.ndarray, cut: np.ndarray) -> tuple[float, ...]:
    """Quantiles of lengths of which some were `cut` short, by the clock that ends the night (Kaplan and Meier 1958)."""
    order = np.lexsort((cut, minutes))
    minutes, cut = minutes[order], cut[order]
    at_risk = len(minutes) - np.arange(len(minutes))
    gone = 1 - np.cumprod(np.where(cut, 1.0, 1 - 1 / at_risk))
    p = np.linspace(0, 1, QUANTILES)
    return tuple(np.maximum.accumulate(np.interp(p, gone[~cut], minutes[~cut], right=minutes[-1])).tolist())


def _pauses_after(
    pauses: np.ndarray, acts: Acts, awake: np.ndarray, names: tuple[str, ...]
) -> dict[str, tuple[float, ...]]:
    """Quantiles of the pauses [min] after each activity that is frequent enough. `awake` (n,) bool: by day."""
    counts = np.append(acts.joined, False) & awake
    rows = [counts & (acts.label == i) for i in range(len(names))]
    return {name: _quantiles(pauses[mine]) for name, mine in zip(names, rows, strict=True) if mine.sum() >= FEWEST}


def _within(time: np.ndarray, bed: np.ndarray, wake: np.ndarray) -> np.ndarray:
    """Which times (n,) lie between going to bed and getting up."""
    night = np.searchsorted(bed, time, side="right") - 1
    return (night >= 0) & (time < wake[np.maximum(night, 0)]) if len(bed) else np.zeros(len(time), bool)


def _nights(acts: Acts, sleep: int, days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bed [s] and wake [s] of each night that can be told. The last sleep of the morning ends it; it begins with the
    sleep from which on sleeping and doing nothing outweigh what else was done, near the usual hour.
    """
    asleep = np.flatnonzero(acts.label == sleep)
    day, hour = acts.end[asleep] // DAY, acts.end[asleep] % DAY / HOUR
    morning = (hour >= st.MORNING[0]) & (hour < st.MORNING[1])
    ends = [asleep[morning & (day == d)][-1:] for d in days]
    last = np.concatenate([*ends, np.zeros(0, np.int64)])
    if not len(last):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    begins = [_bedtime(acts, sleep, int(i), 0, _LONGEST_NIGHT) for i in last]
    depth = np.array([acts.end[i] // DAY * DAY - acts.start[j] for i, j in zip(last, begins, strict=True)])
    middle = float(np.median(depth))
    bed: list[int] = []
    wake: list[int] = []
    for i in last.tolist():
        midnight = acts.end[i] // DAY * DAY
        to_end = acts.end[i] - midnight
        j = _bedtime(acts, sleep, i, to_end + middle - _UNUSUAL, to_end + middle + _UNUSUAL)
        if j >= 0 and (not wake or acts.start[j] > wake[-1]):
            bed.append(int(acts.start[j]))
            wake.append(int(acts.end[i]))
    return np.array(bed, np.int64), np.array(wake, np.int64)


def _bedtime(acts: Acts, sleep: int, last: int, least: float, most: float) -> int:
    """The sleep that begins the night whose last sleep is `last`, `least` to `most` [s] before its end; -1: none."""
    best, score, first, i = -np.inf, 0.0, -1, last
    while i >= 0 and acts.end[last] - acts.start[i] <= most:
        length = acts.end[i] - acts.start[i]
        if acts.label[i] == sleep:
            score += length
            if score > best and acts.end[last] - acts.start[i] >= least:
                best, first = score, i
        else:
            score -= 1.5 * length + 300
        if i > 0:
            score += 0.5 * (acts.start[i] - acts.end[i - 1])  # nothing named: rather asleep
        i -= 1
    return first


def _clock(seconds: np.ndarray) -> tuple[float, float]:
    """Circular mean [h] and sd [h] of times."""
    angle = np.angle(np.exp(2j * np.pi * seconds / DAY).mean())
    return float(angle / (2 * np.pi) * 24 % 24), st.circular_sd(seconds)


def _differ(a: np.ndarray, b: np.ndarray) -> bool:
    """Do the times of day of two samples differ by more than chance?"""
    if min(len(a), len(b)) < FEWEST / 2:
        return False
    (x, sx), (y, sy) = _clock(a), _clock(b)
    return abs((x - y + 12) % 24 - 12) > 2.5 * math.sqrt(sx**2 / len(a) + sy**2 / len(b))


def _bed_and_wake(name: str, bed: np.ndarray, wake: np.ndarray) -> list[Anchor]:
    anchors = []
    weekend = wake // DAY % 7 >= 5
    split = _differ(wake[weekend], wake[~weekend]) or _differ(bed[weekend], bed[~weekend])
    for days, rows in (("weekday", ~weekend), ("weekend", weekend)) if split else (("all", weekend | True),):
        hour, sd = _clock(wake[rows])
        anchors.append(Anchor(name, hour, sd, days=days, ends=True))
        hour, sd = _clock(bed[rows])
        anchors.append(Anchor(name, hour if hour >= 12 else hour + 24, sd, days=days))
    return anchors


def _anchors(acts: Acts, label: int, name: str, days: np.ndarray) -> list[Anchor]:
    start = acts.start[acts.label == label]
    anchors = []
    for kind, rows, of in (
        ("weekday", start // DAY % 7 < 5, (days % 7 < 5).sum()),
        ("weekend", start // DAY % 7 >= 5, (days % 7 >= 5).sum()),
    ):
        if rows.sum() < FEWEST / 2:
            continue
        hour, sd = _clock(start[rows])
        per_day = rows.sum() / max(of, 1)
        if sd >= ANCHORED or not OFTEN <= per_day <= 1.3:
            return []
        anchors.append(Anchor(name, hour, sd, skip=float(max(0.0, 1 - per_day)), days=kind))
    return anchors


def _need(acts: Acts, label: int, name: str, asleep: np.ndarray, bed: np.ndarray, wake: np.ndarray) -> Need | None:
    """A need: comes at intervals [h awake] more regular than chance, whatever was done before."""
    rows = np.flatnonzero((acts.label == label) & ~asleep)
    rows = rows[rows > 0]
    if len(rows) < max(FEWEST, len(bed)):
        return None
    led = np.bincount(acts.label[rows - 1], minlength=acts.label.max() + 1) / len(rows)
    usual = np.bincount(acts.label, minlength=len(led)) / len(acts.label)
    if (led > np.maximum(LED_BY, 2 * usual)).any():
        return None  # part of a sequence
    slept = np.concatenate([[0], np.cumsum(wake - bed)])[np.searchsorted(bed, acts.start[rows], side="right")]
    absences = np.cumsum(np.r_[False, ~acts.joined])[rows]
    gaps = np.diff(acts.start[rows] - slept)[np.diff(absences) == 0] / HOUR
    if len(gaps) < 2:
        return None
    if gaps.std() > REGULAR * gaps.mean():
        return None
    return Need(name, float(gaps.mean()), float((gaps.mean() / gaps.std()) ** 2))


def _ranks(value: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Ranks in (0, 1) of values (n,) within their groups."""
    out = np.zeros(len(value))
    for g in np.unique(group):
        rows = np.flatnonzero(group == g)
        out[rows[np.argsort(value[rows], kind="stable")]] = (np.arange(len(rows)) + 0.5) / len(rows)
    return out


def _brevity(length: np.ndarray, label: np.ndarray, pause: np.ndarray, night: np.ndarray) -> float:
    """How much shorter acts are after longer pauses: less the rank correlation (hh104 -.49)."""
    a, b = _ranks(length, label), _ranks(pause, night)
    return float(max(0.0, -np.corrcoef(a, b)[0, 1]))


def _pace(acts: Acts, length: np.ndarray, pauses: np.ndarray, asleep: np.ndarray) -> np.ndarray:
    """How much longer an act and the pause after it take at an hour of day (24,), everything else equal."""
    took = length + pauses
    usual = np.zeros(len(took))
    for label in np.unique(acts.label):
        rows = acts.label == label
        most = np.quantile(took[rows], 0.95)  # a few very long ones would rule an hour
        took[rows] = np.minimum(took[rows], most)
        usual[rows] = took[rows].mean()
    hour = (acts.start % DAY // HOUR)[~asleep]
    prior = 10 * usual.mean()
    sums = [np.bincount(hour, x[~asleep], minlength=24) for x in (took, usual)]
    taken, expected = (0.5 * x + 0.25 * (np.roll(x, 1) + np.roll(x, -1)) for x in sums)
    return (taken + prior) / (expected + prior)


def _choices(
    acts: Acts, context: np.ndarray, free: np.ndarray, k: int, sleep: int, rounds: int = 12
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Weights by hour (24, K) and of the night (K,), follow factors (K, K), `again` (K,) and `sequel` (K, K): by
    expectation and maximisation, as a return to the act before the last may come from either.
    """
    label = acts.label
    rows = np.flatnonzero(free[2:] & acts.joined[1:] & acts.joined[:-1]) + 2
    before, last, now, when = label[rows - 2], label[rows - 1], label[rows], context[rows]
    may = (when != _NIGHT) & (before != last) & (before != sleep) & free[rows - 2]
    back = may & (now == before)
    again = np.zeros(k)
    chance = np.bincount(before[may], minlength=k)
    weight, follow = np.ones((25, k)), np.ones((k, k))
    for i in range(rounds):
        p = weight[when] * follow[last]
        p = p[np.arange(len(rows)), now] / np.maximum(p.sum(1), 1e-300)
        r = again[before] if i > 1 else np.full(len(rows), 0.3)
        returned = np.where(back, r / np.maximum(r + (1 - r) * p, 1e-300), 0.0) if i else np.zeros(len(rows))
        again = np.bincount(before, returned, minlength=k) / (chance + FEWEST)
        weight, follow = _weights(when, last, now, 1 - returned, k)
    pairs = np.zeros((k, k))
    day = when != _NIGHT
    np.add.at(pairs, (last[day], now[day]), 1)
    return weight[:24], weight[24], follow, again, SEQUEL * pairs / np.maximum(pairs.sum(1, keepdims=True), 1)


def _weights(
    context: np.ndarray, last: np.ndarray, following: np.ndarray, count: np.ndarray, k: int, rounds: int = 60
) -> tuple[np.ndarray, np.ndarray]:
    """P(next | context, last) ~ weight[context, next] x follow[last, next]: (25, K) and (K, K)."""
    cases = np.zeros((25, k, k))
    np.add.at(cases, (context, last, following), count)
    times, by_context, by_last = cases.sum(2), cases.sum(1), cases.sum(0)
    blurred = by_context.copy()  # hours are few: let neighbours help
    blurred[:24] = 0.6 * by_context[:24] + 0.2 * (np.roll(by_context[:24], 1, 0) + np.roll(by_context[:24], -1, 0))
    blurred *= by_context.sum(1, keepdims=True) / np.maximum(blurred.sum(1, keepdims=True), 1e-12)
    mix = by_last.sum(0) / max(by_last.sum(), 1)
    weight, follow = np.tile(mix, (25, 1)), np.ones((k, k))
    prior = 0.5 * mix + 1e-9
    for _ in range(rounds):
        for table, target, axis in ((weight, blurred, 1), (follow, by_last, 0)):
            p = weight[:, None, :] * follow[None]
            p *= (times / np.maximum(p.sum(2), 1e-300))[:, :, None]
            table *= np.sqrt((target + prior) / (p.sum(axis) + prior))
            usual = mix if table is weight else 1.0
            np.clip(table, usual / 100, usual * BOUND, out=table)
    return weight, follow
