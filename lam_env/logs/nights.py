"""The acts of one person in a log of activities, and their nights: who was in bed when?

A sleep that holds other acts (a visit to the toilet) is read as the pieces between them. Where no label means sleep,
the nights are what nobody wrote down: long silences at the hours when least begins. Of stays at places nothing is read
as sleep: at night, too, a person is somewhere.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lam_env.core.events import ActionLog, LogError
from lam_env.core.units import DAY, HOUR, MINUTE
from lam_env.logs import statistics as st
from lam_env.logs.coverage import Days
from lam_env.logs.places import of_places

UNSEEN = "sleep"  # what nights are called where the log has no name for them
SILENCE = 2 * HOUR  # of nothing that is written down, at night, from which on it is read as sleep
QUIET = 8  # hours of a day in which least begins
_LONGEST_NIGHT = 15 * HOUR
_UNUSUAL = 4 * HOUR  # from the usual bedtime


class Acts(NamedTuple):
    """The activities of one person in order of time; label 0 is the vocabulary's action 1."""

    start: np.ndarray  # (n,) [s]
    end: np.ndarray  # (n,) [s]
    label: np.ndarray  # (n,)
    days: Days  # that count
    names: tuple[str, ...]  # of labels
    sleep: int  # the label of the night; -1: there is none
    unseen: bool = False  # is it silence that is read as sleep?
    holds: bool = False  # does the log write a sleep that was broken as one, with what broke it inside?

    @property
    def joined(self) -> np.ndarray:
        """(n-1,) whether no day without data lies between an act and the next."""
        return self.days.joined(self.start)


def acts_of(log: ActionLog, world: int | None = None) -> Acts:
    """Those of the person in a log of intervals; `world` where it holds several. LogError where there is no one such
    person, or too short a life."""
    if not log.intervals:
        raise LogError("calibrate: the log has no durations; give an activity log (intervals)")
    people = st.streams(log if world is None else log.select(log.world == world))
    if len(people) != 1:
        raise LogError(f"calibrate: the log holds {len(people)} people; choose one with world=")
    start, length, label, days = people[0]
    if len(days.whole) < 6:
        raise LogError("calibrate: fewer than six whole days with activities; give a longer log")
    if (length < 0).any():
        raise LogError("calibrate: an activity ends before it starts; import the log again without such rows")
    names, sleep = log.vocabulary.actions[1:], st.sleep_label(log) - 1
    end, label, unseen = start + length, label.astype(np.int64) - 1, False
    if sleep >= 0:
        more = _pieces(start, end, label == sleep)
    elif of_places(log):
        more = np.zeros((0, 2), np.int64)
    else:
        more = _silences(start, end, days)
        unseen = len(more) >= len(days.whole) / 2
        more = more if unseen else more[:0]
    if len(more):
        if unseen:
            names, sleep = (*names, UNSEEN), len(names)
        label = np.r_[label, np.full(len(more), sleep)]
        start, end = np.r_[start, more[:, 0]], np.r_[end, more[:, 1]]
        order = np.argsort(start, kind="stable")
        start, end, label = start[order], end[order], label[order]
    end[:-1] = np.minimum(end[:-1], np.maximum(start[1:], start[:-1]))  # one thing at a time
    holds = not unseen and 2 * len(more) > _broken(start, end, label, sleep)
    return Acts(start, end, label, days, names, sleep, unseen, holds)


def _pieces(start: np.ndarray, end: np.ndarray, asleep: np.ndarray) -> np.ndarray:
    """(n, 2) start and end [s] of what goes on of each sleep after an act that begins within it."""
    found: list[tuple[int, int]] = []
    for i in np.flatnonzero(asleep).tolist():
        within = slice(i + 1, int(np.searchsorted(start, end[i])))
        begin = np.maximum.accumulate(end[within])
        stop = np.r_[start[within][1:], end[i : i + 1]][: len(begin)]
        found += [(a, b) for a, b in zip(begin.tolist(), stop.tolist(), strict=True) if b - a >= MINUTE]
    return np.array(found, np.int64).reshape(-1, 2)


def _broken(start: np.ndarray, end: np.ndarray, label: np.ndarray, sleep: int) -> int:
    """How many acts lie between two sleeps, with no pause of a minute."""
    a, b = label[:-2] == sleep, label[2:] == sleep
    close = (start[1:-1] - end[:-2] < MINUTE) & (start[2:] - end[1:-1] < MINUTE)
    return int((a & b & close).sum())


def _silences(start: np.ndarray, end: np.ndarray, days: Days) -> np.ndarray:
    """(n, 2) start and end [s] of the silences that may be sleep: long, and mostly at the hours when least begins."""
    begins = np.bincount(start % DAY // HOUR, minlength=24)
    quiet = int(np.argmin([np.roll(begins, -h)[:QUIET].sum() for h in range(24)]))
    a, b = np.maximum.accumulate(end)[:-1], start[1:]
    middle = ((a + b) // 2 % DAY - quiet * HOUR) % DAY
    rows = days.joined(start) & (b - a >= SILENCE) & (b - a <= _LONGEST_NIGHT) & (middle < QUIET * HOUR)
    return np.stack([a[rows], b[rows]], 1)


def within(time: np.ndarray, bed: np.ndarray, wake: np.ndarray) -> np.ndarray:
    """Which times (n,) lie between going to bed and getting up."""
    night = np.searchsorted(bed, time, side="right") - 1
    return (night >= 0) & (time < wake[np.maximum(night, 0)]) if len(bed) else np.zeros(len(time), bool)


def nights_of(acts: Acts) -> tuple[np.ndarray, np.ndarray]:
    """Bed [s] and wake [s] of each night that can be told. The last sleep of the morning ends it; it begins with the
    sleep from which on sleeping and doing nothing outweigh what else was done, near the usual hour.
    """
    asleep = np.flatnonzero(acts.label == acts.sleep)
    day, hour = acts.end[asleep] // DAY, acts.end[asleep] % DAY / HOUR
    morning = (hour >= st.MORNING[0]) & (hour < st.MORNING[1])
    ends = [asleep[morning & (day == d)][-1:] for d in acts.days.whole]
    last = np.concatenate([*ends, np.zeros(0, np.int64)])
    if not len(last):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    begins = [_bedtime(acts, int(i), 0, _LONGEST_NIGHT) for i in last]
    depth = np.array([acts.end[i] // DAY * DAY - acts.start[j] for i, j in zip(last, begins, strict=True)])
    middle = float(np.median(depth))
    bed: list[int] = []
    wake: list[int] = []
    for i in last.tolist():
        midnight = acts.end[i] // DAY * DAY
        to_end = acts.end[i] - midnight
        j = _bedtime(acts, i, to_end + middle - _UNUSUAL, to_end + middle + _UNUSUAL)
        if j >= 0 and (not wake or acts.start[j] > wake[-1]):
            bed.append(int(acts.start[j]))
            wake.append(int(acts.end[i]))
    return np.array(bed, np.int64), np.array(wake, np.int64)


def _bedtime(acts: Acts, last: int, least: float, most: float) -> int:
    """The sleep that begins the night whose last sleep is `last`, `least` to `most` [s] before its end; -1: none."""
    best, score, first, i = -np.inf, 0.0, -1, last
    while i >= 0 and acts.end[last] - acts.start[i] <= most:
        length = acts.end[i] - acts.start[i]
        if acts.label[i] == acts.sleep:
            score += length
            if score > best and acts.end[last] - acts.start[i] >= least:
                best, first = score, i
        else:
            score -= 1.5 * length + 300
        if i > 0:
            score += 0.5 * (acts.start[i] - acts.end[i - 1])  # nothing named: rather asleep
        i -= 1
    return first
