"""Who did it, where a log of two people says so only now and then: sensors do not tell who moved.

Each of two people goes on from what they did last: what comes next and after which pause, given the last two things, is
a table of counts (`Ways`), learned where it is known who did what. A log of both is two such lives, mixed. Of all ways
to part it, those that are likely so far are carried along (a beam, as in multiple hypothesis tracking, Reid 1979), and
what comes later counts as well (forward-backward). What holds over days is who does what at which hour: it is counted
from events that name somebody, and once more from all.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lam_env.core.events import SENSOR, USER, ActionLog, LogError
from lam_env.core.units import DAY, HOUR

# [s] between which pauses are alike
EDGES = np.array([0, 2, 4, 7, 12, 20, 40, 90, 180, 360, 720, 1500, 3000, 7200, 14400, 28800, 57600, 200000.0])
BINS = len(EDGES) - 1
WIDTH = 60  # ways to part a log that are carried along
FEWEST = 10  # events that name each of the two
MOST = 120  # things that are told apart: tables have their number to the power of three
ROUNDS = 2
SURE = -12.0  # log of the chance that a name is wrong
_ONE, _PAIR, _HABIT = 20.0, 8.0, 6.0  # cases that a coarser table is worth: one thing before, both, hours
_LEAST, _FAR = 1e-9, 1e-7


class Moves(NamedTuple):
    """What happens in a home: time (n,) [s], token (n,) as in a vocabulary, user (n,)."""

    time: np.ndarray
    token: np.ndarray
    user: np.ndarray

    @staticmethod
    def rows(log: ActionLog, world: int) -> np.ndarray:
        """(n,) which rows of a log they are."""
        return np.flatnonzero((log.world == world) & np.isin(log.kind, (USER, SENSOR)))

    @classmethod
    def of(cls, log: ActionLog, world: int) -> Moves:
        """Of a world's people and sensors."""
        rows = cls.rows(log, world)
        token = log.token[rows].astype(np.int64) + np.where(log.kind[rows] == SENSOR, len(log.vocabulary), 0)
        return cls(log.time[rows] // log.ticks_per_second, token, log.user[rows].astype(np.int64))


class Ways(NamedTuple):
    """How people go on from the last two of n things, pair a * n + b. density (n * n, BINS, n): log of the chance of
    what comes next in a second of a pause; survival (n * n, BINS + 1): of nothing until its beginning."""

    density: np.ndarray
    survival: np.ndarray


def ways(homes: list[Moves], n: int) -> Ways:
    """Of homes whose users are known."""
    if n > MOST:
        raise LogError(f"owners: {n:,} different things are too many to tell people apart by; at most {MOST:,}")
    cases = np.zeros((n, n, BINS, n), np.float32)
    for home in homes:
        for user in np.unique(home.user).tolist():
            token, time = home.token[home.user == user], home.time[home.user == user]
            np.add.at(cases, (token[:-2], token[1:-1], _bin(np.diff(time)[1:]), token[2:]), 1)
    one = cases.sum(0)
    pause = _shares(one.sum(2), _shares(one.sum((0, 2)) + 1.0, np.zeros(BINS), 0.0), _ONE)
    pause = _shares(cases.sum(3), pause, _PAIR)
    what = _shares(one.sum(1), _shares(one.sum((0, 1)) + 1.0, np.zeros(n), 0.0), _ONE)
    what = _shares(cases, _shares(one, what[:, None], _ONE), _PAIR)
    density = np.log(pause / np.diff(EDGES))[..., None] + np.log(what)
    survival = np.concatenate([np.ones((n, n, 1)), 1 - np.cumsum(pause, 2)], 2).clip(_LEAST)
    return Ways(density.astype(np.float32).reshape(n * n, BINS, n), survival.reshape(n * n, BINS + 1))


def told_apart(home: Moves, known: Ways) -> np.ndarray:
    """(n,) the probability that user 1, not 0, did it; `home.user` is -1 where nobody is named. LogError where the two
    are named too seldom."""
    named = home.user >= 0
    times = np.bincount(home.user[named], minlength=2)
    if len(times) > 2 or times.min() < FEWEST:
        raise LogError(f"owners: two people are told apart where each is named {FEWEST} times, not {times.tolist()}")
    p, weight = np.where(named, home.user, 0.5), named.astype(float)
    for _ in range(ROUNDS):
        share = _habits(home, p, weight)
        liking = np.log(2 * np.stack([1 - share, share]))
        liking[1 - home.user[named], np.flatnonzero(named)] = SURE
        p, weight = _smoothed(_parted(home, known, liking)), np.ones(len(p))
    return p


def _bin(pause: np.ndarray) -> np.ndarray:
    return np.clip(np.searchsorted(EDGES, pause, side="right") - 1, 0, BINS - 1)


def _shares(cases: np.ndarray, prior: np.ndarray, worth: float) -> np.ndarray:
    """Shares along the last axis, drawn to those of a coarser table as by so many cases of it."""
    shares: np.ndarray = (cases + worth * prior) / (cases.sum(-1, keepdims=True) + worth)
    return shares


def _habits(home: Moves, p: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(n,) how much of this, at this hour, is user 1's."""
    hour, n = home.time % DAY // HOUR, int(home.token.max()) + 1
    cases = np.zeros((2, 24, n))
    np.add.at(cases[0], (hour, home.token), (1 - p) * weight)
    np.add.at(cases[1], (hour, home.token), p * weight)
    cases = 0.5 * cases + 0.25 * (np.roll(cases, 1, 1) + np.roll(cases, -1, 1))  # hours are few: neighbours help

    def logit(some: np.ndarray) -> np.ndarray:
        share = (some[1] + _HABIT / 2) / (some.sum(0) + _HABIT)
        odds: np.ndarray = np.log(share / (1 - share))
        return odds

    usual = logit(cases.sum(1)) + logit(cases.sum(2))[:, None] - logit(cases.sum((1, 2)))
    share = (cases[1] + _HABIT / (1 + np.exp(-usual))) / (cases.sum(0) + _HABIT)
    return np.clip(share, 0.02, 0.98)[hour, home.token]


class _Step(NamedTuple):
    """Ways to part a log up to an event. owner (h,): who did it; weight (h,): log of how likely; edges from ways of the
    event before: `parent` (e,), `into` (e,) and what they gain (e,)."""

    owner: np.ndarray
    weight: np.ndarray
    parent: np.ndarray
    into: np.ndarray
    gain: np.ndarray


def _parted(home: Moves, known: Ways, liking: np.ndarray) -> list[_Step]:
    """The ways at each event: who did it, and what each of the two did last, and when."""
    time, token, n = home.time.astype(float), home.token, known.density.shape[2]
    none = np.zeros(0, np.int64)
    owner, last = np.array([0, 1]), np.zeros(2, np.int64)  # who did it; the event that was the other's last
    own = other = np.full(2, token[0] * n + token[0])  # pairs of things that each did last
    weight = liking[:, 0].copy()
    steps = [_Step(owner, weight, none, none, np.zeros(0))]
    for i in range(1, len(token)):
        x, pause, waited = token[i], time[i] - time[i - 1], time[i] - time[last]
        before = _still(known, other, time[i - 1] - time[last])
        same = known.density[own, _bin(pause), x] + _still(known, other, waited) + liking[owner, i]
        change = known.density[other, _bin(waited), x] + _still(known, own, pause) + liking[1 - owner, i]
        gain = np.r_[same - before, change - before]
        parent = np.tile(np.arange(len(owner)), 2)
        owner, last = np.r_[owner, 1 - owner], np.r_[last, np.full(len(last), i - 1)]
        own, other = np.r_[own % n * n + x, other % n * n + x], np.r_[other, own]
        key = ((owner * n * n + own) * n * n + other) * len(token) + last
        _, first, into = np.unique(key, return_index=True, return_inverse=True)
        total = weight[parent] + gain
        mass = np.bincount(into, np.exp(total - total.max()))
        keep = np.argsort(-mass, kind="stable")[:WIDTH]
        keep = keep[mass[keep] > _FAR * mass[keep[0]]]
        place = np.full(len(mass), -1)
        place[keep] = np.arange(len(keep))
        kept = place[into] >= 0
        owner, last, own, other = (column[first[keep]] for column in (owner, last, own, other))
        weight = np.log(mass[keep])
        steps.append(_Step(owner, weight, parent[kept], place[into][kept], gain[kept]))
    return steps


def _still(known: Ways, pair: np.ndarray, pause: np.ndarray) -> np.ndarray:
    """Log of the chance that nothing has come for so long [s] after each pair (h,)."""
    at = _bin(pause)
    part = np.clip((pause - EDGES[at]) / np.diff(EDGES)[at], 0, 1)
    chance: np.ndarray = np.log(known.survival[pair, at] * (1 - part) + known.survival[pair, at + 1] * part)
    return chance


def _smoothed(steps: list[_Step]) -> np.ndarray:
    """(n,) the probability that user 1 did it, given all that came before and after."""
    p, later = np.zeros(len(steps)), np.zeros(len(steps[-1].owner))
    for i in range(len(steps) - 1, -1, -1):
        step = steps[i]
        mass = np.exp(step.weight + later - (step.weight + later).max())
        p[i] = min(1.0, mass[step.owner == 1].sum() / mass.sum())
        if i:
            to_come = step.gain + later[step.into]
            sums = np.bincount(step.parent, np.exp(to_come - to_come.max()), len(steps[i - 1].owner))
            later = np.log(np.maximum(sums, 1e-300))
    return p
