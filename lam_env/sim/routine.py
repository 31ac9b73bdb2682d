"""A resident's day from behaviour tables: acts anchored in the clock, acts driven by needs, and fillers between.

The day is a pure function of (streams, actor, tables, start): nothing an agent does moves it, so two worlds that
meet different agents see the same life. Draws are read in blocks of a day.
"""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from collections.abc import Iterator, Sequence
from functools import lru_cache
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from lam_env.core.behaviour_tables import Anchor, BehaviourTables
from lam_env.core.rng import Streams, packed
from lam_env.core.shared import Record, Shared
from lam_env.core.units import DAY, HOUR, MINUTE

LAPSE = 90 * MINUTE  # an anchored act that could not start within this time [s] is given up
NIGHT = (2 * HOUR, 16 * HOUR)  # shortest and longest time in bed [s]
USUAL_NIGHT = int(7.5 * HOUR)
SHORTEST = 60  # no filler is begun or cut within so many seconds of what ends it
_BATCH = 48  # acts made at once: about a day's
_SLOT, _SLOTS, _ROOM = 9, 64, 1 << 20  # draws per act, acts per block, room for a day's draws
_EVENING = 18  # an anchor of sleep after this hour belongs to the night that leads into the next day
_TURN = 0.6180339887498949  # golden ratio: long and short take turns
CUT = 2.0  # clock times stay within so many sd: nobody oversleeps by half a day
_NORMAL = NormalDist()
_LOW = _NORMAL.cdf(-CUT)
IDLE = -1


class Act(NamedTuple):
    """What a person does from `start` to `end` [s]: `activity` indexes the tables' activities, -1 nothing to name.

    `ordinal` counts the acts of the `day`: with it the occasion of other draws.
    """

    start: int
    end: int
    activity: int
    ordinal: int
    day: int

    def __deepcopy__(self, memo: object) -> Act:
        return self


@lru_cache(maxsize=256)
def _unit_gamma_quantiles(shape: float, n: int) -> np.ndarray:
    x = np.linspace(0, 1, 4001)[1:] * (shape + 12 * math.sqrt(shape) + 12)
    density = np.exp((shape - 1) * np.log(x) - x - math.lgamma(shape))
    cumulated = np.cumsum(density)
    p = np.clip(np.linspace(0, 1, n + 1), 0.0, 0.998)
    return np.interp(p, np.r_[0.0, cumulated / cumulated[-1]], np.r_[0.0, x])


def gamma_quantiles(shape: float, mean: float = 1.0, n: int = 32) -> list[float]:
    """Quantiles of a gamma distribution at probabilities 0, 1/n, ..., 1 (the last at .998)."""
    return (_unit_gamma_quantiles(shape, n) * (mean / shape)).tolist()


def _pick(quantiles: list[float], u: float) -> float:
    x = u * (len(quantiles) - 1)
    i = min(int(x), len(quantiles) - 2)
    low = quantiles[i]
    return low + (quantiles[i + 1] - low) * (x - i)


def _seconds(minutes: Sequence[float]) -> list[float]:
    return [60.0 * m for m in minutes]


class _Choices:
    """Rows of weights (n, K) to draw from; compact, for there are hundreds of rows a person."""

    __slots__ = ("flat", "k")

    def __init__(self, weights: np.ndarray, instead: np.ndarray | None = None):
        """`instead` (n, K): weights of the rows that have none."""
        total = weights.sum(1, keepdims=True)
        if instead is not None and not total.all():
            weights = np.where(total > 0, weights, instead)
            total = weights.sum(1, keepdims=True)
        rows = np.cumsum(weights / np.where(total > 0, total, 1), axis=1)
        rows[:, -1] = total[:, 0] > 0
        self.flat, self.k = packed(rows), weights.shape[1]

    def some(self, row: int) -> bool:
        """Has anything weight in this row?"""
        return bool(self.k) and self.flat[(row + 1) * self.k - 1] > 0

    def draw(self, row: int, u: float) -> int:
        first = row * self.k
        return bisect_right(self.flat, u, first, first + self.k) - first


class Routine(Shared):
    """The acts of one person: their tables made ready for look-up."""

    def __init__(self, tables: BehaviourTables, streams: Streams, actor: int | str):
        self.tables, self.streams, self.actor = tables, streams, actor
        self.loose = 1.0 - tables.evenness
        names = tables.activities
        self.k = k = len(names)
        self.sleep = names.index(tables.sleep) if tables.sleep in names else IDLE
        self.away = [name in tables.away for name in names]
        self.lengths = [_seconds(tables.durations[name]) for name in names]
        self.naps = _seconds(tables.naps) or (self.lengths[self.sleep] if self.sleep >= 0 else [])
        self.pauses, self.night_pauses = _seconds(tables.pauses), _seconds(tables.night_pauses)
        self.after = [_seconds(tables.pauses_after.get(name, ())) for name in (*names, "")]
        after = np.vstack([np.asarray(tables.follow, float), np.ones((1, k))])  # the last row: nothing came before
        hourly = np.asarray(tables.hourly, float)
        # row (hour, last); an hour whose follow factors leave nothing falls back on its weights
        weights = hourly[:, None, :] * after
        if np.size(tables.sequel):
            weights += np.vstack([np.asarray(tables.sequel, float), np.zeros((1, k))])
        self.choice = _Choices(weights.reshape(-1, k), hourly.repeat(k + 1, axis=0))
        night = np.asarray(tables.night, float)
        self.night_choice = _Choices(night * after) if night.size else None
        self.pace = np.asarray(tables.pace, float).tolist() or [1.0] * 24
        self.leads = [names.index(tables.leads[name]) if name in tables.leads else IDLE for name in names] + [IDLE]
        self.usual = np.asarray(tables.usual, float).tolist()
        self.again = np.asarray(tables.again, float).tolist()
        self.needs = [names.index(n.activity) for n in tables.needs]
        self.gaps = [_seconds(gamma_quantiles(n.shape, 60 * n.every)) for n in tables.needs]
        self.rises = [float(n.asleep) for n in tables.needs]
        self.interrupting = [j for j, n in enumerate(tables.needs) if n.interrupts]
        # waking up is planned first: other acts may count from it
        self.anchors = sorted(tables.anchors, key=lambda a: not a.ends)
        self.anchored = [names.index(a.activity) for a in self.anchors]
        self.minutes = [_seconds(a.minutes) for a in self.anchors]
        self.wakes = [a.ends and self.anchored[i] == self.sleep for i, a in enumerate(self.anchors)]
        self.beds = [not a.ends and self.anchored[i] == self.sleep for i, a in enumerate(self.anchors)]
        self._plan_draws = streams(actor, "plan")

    def plan(self, day: int) -> list[tuple[int, int]]:
        """The clock times [s] of a day's anchors as (time, index in `anchors`), in order of time."""
        n = 2 * len(self.anchors)
        draws = self._plan_draws.block((day + 1) * n, n).tolist()
        wake, out = None, []
        for i, anchor in enumerate(self.anchors):
            weekend = self._weekend(anchor, day)
            if weekend is None or draws[2 * i] < anchor.skip:
                continue
            hour = anchor.hour + anchor.sd * _NORMAL.inv_cdf(_LOW + draws[2 * i + 1] * (1 - 2 * _LOW))
            if anchor.from_wake:
                if wake is None:
                    continue
                hour += wake
            elif weekend:
                hour += self.tables.weekend_shift
            if self.wakes[i]:
                wake = hour
            out.append((day * DAY + int(hour * HOUR), i))
        out.sort()
        return out

    def _weekend(self, anchor: Anchor, day: int) -> bool | None:
        """Whether the anchor's day is one of the weekend; None: the anchor does not apply."""
        if anchor.activity == self.tables.sleep and not anchor.ends and anchor.hour >= _EVENING:
            day += 1
        weekend = day % 7 >= 5
        if anchor.days != "all" and (anchor.days == "weekend") != weekend:
            return None
        if anchor.week >= 0 and day // 7 % self.tables.rotation != anchor.week:
            return None
        return weekend

    def acts(self, start: int = 0, asleep: bool = True) -> Iterator[Act]:
        """Endless and without holes from `start` [s; 0 is Monday 00:00]; `asleep`: the person starts in bed."""
        return _Life(self, start, asleep)


class _Life:
    """Where a person is in their days: what each step of the iterator reads and moves on."""

    __slots__ = (
        *("r", "t", "day", "ordinal", "u", "at", "draws", "tastes", "moods", "stretch", "idle", "dislikes", "pending"),
        *("due", "soonest", "wake", "resting", "last", "before", "left_off", "left_over", "paused", "turns", "rested"),
        *("ready", "done"),
    )

    def __init__(self, routine: Routine, start: int, asleep: bool):
        self.r, self.t, self.day = routine, start, start // DAY - 1
        streams, actor, k = routine.streams, routine.actor, routine.k
        self.draws, self.tastes, self.moods = (streams(actor, what) for what in ("acts", "taste", "mood"))
        self.turns: list[float] = streams(actor, "turns").block(0, 2 * k + 3).tolist()  # lengths, pauses, choices
        self.ordinal, self.u, self.at, self.dislikes = 0, packed(np.zeros(1)), 0, packed(np.zeros(k))
        self.done = 0  # acts since getting up
        self.ready: list[Act] = Record()  # the next one last
        self.stretch = self.idle = 1.0
        self.rested = 0.5  # quantile of the last pause
        self.pending = sorted(p for d in (self.day, self.day + 1) for p in routine.plan(d) if p[0] > start)
        first = self.draws.block((self.day + 1) * _ROOM, len(routine.needs)).tolist()
        self.due = [start + int(_pick(gap, u)) for gap, u in zip(routine.gaps, first, strict=True)]
        self.soonest: float = min(self.due, default=math.inf)
        self.resting, self.wake = asleep, self._next_wake(0) if asleep else 0
        # last: the act before (k: none); before: the one before that, to which the person may go back
        self.last, self.before, self.left_off, self.left_over, self.paused = k, IDLE, IDLE, 0, True

    def __iter__(self) -> Iterator[Act]:
        return self

    def __next__(self) -> Act:
        if not self.ready:  # many at a time: one by one, between other work, each would take twice as long
            self.ready = Record([self.step() for _ in range(_BATCH)][::-1])
        return self.ready.pop()

    def step(self) -> Act:
        t = self.t
        while t // DAY > self.day:
            self._new_day(self.day + 1)
        self.at = at = self.ordinal * _SLOT
        if at + _SLOT > len(self.u):
            more = self.draws.block((self.day + 1) * _ROOM + _SLOT + len(self.u), _SLOT * _SLOTS)
            self.u = packed(np.append(self.u, more))
        if self.resting and t >= self.wake:
            self._get_up()
        if self.resting:
            activity, end = self._rest()
        else:
            activity, end = (IDLE, -1) if self.r.leads[self.last] >= 0 else self._planned() or self._needed()
        if end < 0:
            activity, end = self._chosen()
        act = Act(t, end, activity, self.ordinal, self.day)
        if self.due:
            self._move_needs(activity, end)
        self.paused = activity == IDLE
        if activity != IDLE:
            self.done += 1
            self.before, self.last = self.last if self.last < self.r.k else IDLE, activity
        self.ordinal += 1
        self.t = end
        return act

    # --- what comes next, in order of precedence

    def _rest(self) -> tuple[int, int]:
        """In bed: a need that wakes the person, or sleep, or what the nights of the tables hold."""
        r, t, u, at = self.r, self.t, self.u, self.at
        if self.soonest <= t + 1:
            for j, due in enumerate(self.due):
                if due <= t + 1 and r.rises[j] > 0:
                    return r.needs[j], t + self._length(r.needs[j], r.lengths[r.needs[j]])
        activity, end = r.sleep, self.wake
        if r.night_choice and self.last < r.k:
            if r.night_pauses and not self.paused:
                activity, end = IDLE, t + self._pause(1, r.night_pauses, self.idle)
            else:
                nights = r.night_choice
                activity = nights.draw(self.last, u[at]) if nights.some(self.last) else r.sleep
                end = t + self._length(activity, r.lengths[activity], self.stretch)
            if end >= self.wake:  # what ends the night is a sleep
                activity, end = r.sleep, self.wake
        return activity, self._until_woken(end) if activity == r.sleep else end

    def _planned(self) -> tuple[int, int] | None:
        """The anchored act that is due."""
        r, t = self.r, self.t
        while self.pending and self.pending[0][0] <= t:
            when, i = self.pending.pop(0)
            if r.anchors[i].ends:
                continue
            if r.beds[i]:
                if any(r.wakes[j] and w <= t for w, j in self.pending):
                    continue  # out all night
                self.resting, self.wake = True, self._next_wake(NIGHT[0])
                self.left_off = IDLE
                end = self.wake
                if r.night_choice:
                    end = min(end, t + self._length(r.sleep, r.lengths[r.sleep], self.stretch))
                return r.sleep, self._until_woken(end)
            if t - when <= LAPSE:
                self.left_off = IDLE
                activity = r.anchored[i]
                return activity, t + self._length(activity, r.minutes[i] or r.lengths[activity])
        return None

    def _needed(self) -> tuple[int, int]:
        """The need that is due; an end of -1: none."""
        if self.soonest > self.t:
            return IDLE, -1
        activity = self.r.needs[self.due.index(int(self.soonest))]
        return activity, self.t + self._length(activity, self.r.lengths[activity])

    def _chosen(self) -> tuple[int, int]:
        """A pause or a filler, until the next anchor at the latest."""
        r, t, u, at = self.r, self.t, self.u, self.at
        lead = r.leads[self.last]
        limit = self.pending[0][0] if self.pending and lead < 0 else t + DAY
        if limit - t < SHORTEST:
            return IDLE, limit
        if self.left_off >= 0 and u[at + 5] < r.tables.resume:
            activity, self.left_off = self.left_off, IDLE
            return activity, min(t + self.left_over, limit)
        own, hour = r.after[self.last], t % DAY // HOUR
        if not self.paused and (own or u[at + 2] < r.tables.pause):
            hurry = self.idle * r.pace[hour]
            if r.usual:
                hurry *= math.exp(max(-1.0, min(1.0, r.tables.steady * (self.done - r.usual[hour]))))
            return IDLE, min(t + self._pause(0, own or r.pauses, hurry), limit)
        choice, row = r.choice, hour * (r.k + 1) + self.last
        if lead < 0 and not choice.some(row):
            return IDLE, min(t + HOUR // 2, limit)
        if lead >= 0:
            activity = lead
        elif r.again and self.before >= 0 and u[at + 8] < r.again[self.before]:
            activity = self.before
        else:
            activity = choice.draw(row, self._turn(r.k + 2 + self.last, u[at]))
            if r.tables.taste and u[at + 3] < self.dislikes[activity]:
                activity = choice.draw(row, u[at + 7])
        table = r.naps if activity == r.sleep else r.lengths[activity]
        full = t + self._length(activity, table, self.stretch)
        end = min(full, limit)
        self.left_off = IDLE
        if r.away[activity]:
            if any(r.wakes[i] and limit < when <= full for when, i in self.pending):
                end = full  # out all night
        else:
            for j in r.interrupting:
                if t + SHORTEST < self.due[j] < end:
                    end, self.left_off = self.due[j], activity
            self.left_over = full - end
        return activity, end

    # --- clocks

    def _new_day(self, day: int) -> None:
        r, self.day, self.ordinal = self.r, day, 0
        for item in r.plan(day + 1):
            insort(self.pending, item)
        self.u = packed(self.draws.block((day + 1) * _ROOM + _SLOT, _SLOT * _SLOTS))
        pace = r.tables.weekend_pace if day % 7 >= 5 else 1.0
        absorbed = math.exp(r.tables.mood * self.moods.normal(day)) if r.tables.mood else 1.0
        self.stretch, self.idle = pace * absorbed, pace / absorbed
        if r.tables.taste:
            self.dislikes = packed(r.tables.taste * self.tastes.block(day * r.k, r.k))

    def _get_up(self) -> None:
        r, self.resting, self.paused, self.done = self.r, False, True, 0
        self.pending = [(t, i) for t, i in self.pending if t > self.wake or (not r.anchors[i].ends and not r.beds[i])]

    def _next_wake(self, least: int) -> int:
        """When the clock will end the night that begins now."""
        for when, i in self.pending:
            if self.r.wakes[i] and when > self.t + least:
                return when if when - self.t <= NIGHT[1] else self.t + USUAL_NIGHT
        return self.t + USUAL_NIGHT

    def _until_woken(self, end: int) -> int:
        """A need that rises in sleep may end it early."""
        t = self.t
        for due, rise in zip(self.due, self.r.rises, strict=True):
            if rise > 0:
                end = min(end, max(t + SHORTEST, int(t + (due - t) / rise)))
        return max(end, t + 1)

    def _move_needs(self, activity: int, end: int) -> None:
        """The need just met starts anew, sleep slows needs down, a long time away sees to them."""
        r, due = self.r, self.due
        if activity == r.sleep:
            for j, rise in enumerate(r.rises):
                due[j] += int((end - self.t) * (1 - rise))
        away = activity >= 0 and r.away[activity]
        for j, need in enumerate(r.needs):
            if need == activity or (away and end > due[j]):
                due[j] = end + int(_pick(r.gaps[j], (self.u[self.at + 4] + _TURN * j) % 1.0))
        self.soonest = min(due)

    def _turn(self, which: int, u: float) -> float:
        """A probability in [0, 1) to read quantiles at.

        A walk round the circle, loosened by u, spreads them evenly over a day: lengths take turns, pauses drift (in
        CASAS hh104 neighbouring pauses correlate). Each value stays equally likely; evenness 0 makes them independent.
        """
        step = self.r.tables.drift if self.r.k <= which < self.r.k + 2 else _TURN
        turn = (self.turns[which] + step + self.r.loose * (u - 0.5)) % 1.0
        self.turns[which] = turn
        return turn

    def _pause(self, which: int, quantiles: list[float], pace: float) -> int:
        """Seconds in which nothing is done; `which`: 0 by day, 1 by night."""
        self.rested = self._turn(self.r.k + which, self.u[self.at + 3])
        return int(pace * _pick(quantiles, self.rested)) or 1

    def _length(self, activity: int, quantiles: list[float], pace: float = 1.0) -> int:
        """Seconds that an act takes: what follows a long pause may be short."""
        u, at = self.u, self.at
        if self.paused and u[at + 6] < self.r.tables.brevity:
            turn = 1.0 - self.rested
        else:
            turn = self._turn(activity, u[at + 1])
        return int(pace * _pick(quantiles, turn)) or 1
