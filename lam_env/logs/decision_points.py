"""Decision points: a log as rows that a predictor reads and is judged on.

A row is a decision point: a user or sensor event, or `ActionLog.timer` quiet ticks after the one before. An agent's
action is none, it joins the tokens of the next. Its target is what the user does before the next row, or none: since
every user event is a row, that is the event of the next row. In a recorded log the timer stops after a day of silence,
for nobody is there then, or nothing is written: an absence costs neither memory nor days to judge on.

In a log of persons (`ActionLog.people`) each person is a stream. Their rows are the sensor events that ask them; tokens
are what they have done since the row before, the target is what they do before the next.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lam_env.core.events import AGENT, READING, SENSOR, USER, ActionLog, LogError, Vocabulary
from lam_env.core.units import DAY

ABSENCE = DAY  # [s] of silence in a recorded log after which its timer stops until the next event
MOST_USERS = 16  # of a stream, beyond which who did it is no input
BAG = 6  # a row holds at most this many tokens (the latest): its own event and agent actions before it
_COLUMNS = ("world", "time", "gap", "duration", "tokens", "context", "target", "soon", "user")


@dataclass(frozen=True)
class DecisionPoints:
    """Rows in order of (world, time).

    world (n,) int32: the stream, a world's or in a log of persons one person's (world x people + person); time (n,)
    int64 [s]; gap (n,) float32 [s] since the row before (0 at a world's first); duration (n,) float32 [s] of the event
    where it is an interval; tokens (n, BAG) int64, right-aligned, 0-padded (a row of the timer has none); context
    (n, C) float32, the readings; target (n,) int64; soon (n, A) bool or None; user (n,) int16. `people`: streams of one
    world. `users`: how many people share a stream, where a predictor is told who did what (else 0). `timer`: quiet
    time [s] after which there is a decision point (None: never).
    """

    vocabulary: Vocabulary
    world: np.ndarray
    time: np.ndarray
    gap: np.ndarray
    duration: np.ndarray
    tokens: np.ndarray
    context: np.ndarray
    target: np.ndarray
    soon: np.ndarray | None
    user: np.ndarray
    people: int = 1
    users: int = 0
    timer: int | None = None

    def __post_init__(self) -> None:
        lengths = {len(rows) for rows in self.columns().values()}
        if len(lengths) != 1:
            raise LogError(f"decision points: columns of different lengths, {sorted(lengths)}")
        if (self.world[1:] < self.world[:-1]).any():
            raise LogError("decision points: not in order of their worlds")

    def __len__(self) -> int:
        return len(self.time)

    def columns(self) -> dict[str, np.ndarray]:
        """The arrays by name; without `soon` where it is None."""
        return {name: rows for name in _COLUMNS if (rows := getattr(self, name)) is not None}

    def with_columns(self, columns: Mapping[str, np.ndarray]) -> DecisionPoints:
        """Other rows, given as `columns()`."""
        changes: dict[str, Any] = {"soon": None, **columns}
        return dataclasses.replace(self, **changes)

    def select(self, rows: np.ndarray) -> DecisionPoints:
        """Rows by mask or index; a world cut in two keeps its gaps."""
        return self.with_columns({name: column[rows] for name, column in self.columns().items()})

    def starts(self) -> np.ndarray:
        """First row of each world, shape (worlds,)."""
        return np.flatnonzero(np.r_[True, np.diff(self.world) != 0]) if len(self) else np.zeros(0, int)


class _Instant(DecisionPoints):
    """One row in each of many streams. It is made at every step, and its rows need no order: nothing is checked."""

    def __post_init__(self) -> None:
        pass


def from_observation(obs: dict[str, np.ndarray], vocabulary: Vocabulary) -> DecisionPoints:
    """A batch of observations (N, ...) of the environment as N one-row streams."""
    epoch = obs["epoch"]
    tokens = obs["tokens"][:, -BAG:]
    tokens = np.where(np.arange(BAG) >= BAG - epoch[:, 3:4], tokens, 0)
    n = len(epoch)
    return _Instant(
        vocabulary,
        world=np.zeros(n, np.int32),
        time=epoch[:, 0],
        gap=epoch[:, 1].astype(np.float32),
        duration=np.zeros(n, np.float32),
        tokens=tokens,
        context=obs["context"],
        target=np.zeros(n, np.int64),
        soon=None,
        user=epoch[:, 2].astype(np.int16),
    )


def decision_points(log: ActionLog, soon: bool = True) -> DecisionPoints:
    """The decision points of a log: those that an environment shows while it happens. `soon`: with that target."""
    if not np.isin(log.kind, (USER, SENSOR)).any():
        raise LogError("log: no user or sensor events, so no decision points; simulate longer or import another log")
    if log.people:
        parts = [part for w in log.worlds for part in _persons(log, int(w), soon)]
        columns = [part.columns() for part in parts]
        points = parts[0].with_columns({name: np.concatenate([c[name] for c in columns]) for name in columns[0]})
    else:
        points = _all_worlds(log, soon)
    timer = None if log.timer is None else -(-log.timer // log.ticks_per_second)
    return dataclasses.replace(points, people=max(1, log.people), users=_who_share(log), timer=timer)


def _who_share(log: ActionLog) -> int:
    """How many people share the one stream of a recorded home; 0 where it is one person's, or not known to be few."""
    if log.protocol.split != "days" or log.people:
        return 0
    users = int(log.user[log.kind == USER].max(initial=-1)) + 1
    return users if 1 < users <= MOST_USERS else 0


def _all_worlds(log: ActionLog, soon: bool) -> DecisionPoints:
    """All times here are ticks; seconds come last. Of tens of thousands of streams none is worth a call."""
    time, kind, token, value = log.time, log.kind, log.token.astype(np.int64), log.value
    vocabulary, second = log.vocabulary, log.ticks_per_second
    worlds, first, of_event = np.unique(log.world, return_index=True, return_inverse=True)
    stream = np.where(kind == SENSOR, len(vocabulary) + token, token)
    raises = (kind == USER) | (kind == SENSOR)
    rows = np.flatnonzero(raises)
    timed = log.intervals & (kind[rows] == USER)
    length = np.where(timed, np.nan_to_num(value[rows]), 0).astype(np.int64)
    # a decision point before anything has happened; row -1 stands for no event
    start = np.array(log.start[: len(worlds)], np.int64)
    world, event = np.r_[np.arange(len(start)), of_event[rows]], np.r_[np.full(len(start), -1), rows]
    at, length = np.r_[start, time[rows] + length], np.r_[np.zeros_like(start), length]
    # an interval is known when it ends, and those of several people may end in another order
    order = np.lexsort((at, event >= 0, world))
    world, event, at, length = world[order], event[order], at[order], length[order]
    recorded = log.protocol.split != "worlds"
    at, event, world, length = _with_timer(log, at, event, world, length, ABSENCE * second if recorded else None)
    is_event, n = event >= 0, len(at)
    own = np.where(is_event, stream[event], 0)
    is_user = is_event & (kind[event] == USER)
    begins = np.r_[True, world[1:] != world[:-1]][:n]
    target = np.zeros(n, np.int64)
    target[:-1] = np.where(is_user[1:] & ~begins[1:], own[1:], 0)
    # world after world on one axis, so that a search stays in its own
    low, high = min(time.min(), at.min()), max(time.max(), at.max())
    span = high - low + 2
    upto = _upto(time - low + of_event * span, raises | (kind == AGENT), event, at - low + world * span)
    tokens = np.zeros((n, BAG), np.int64)
    tokens[:, -1] = own
    _put_agent_tokens(tokens, kind, stream, np.where(begins, first[world] - 1, np.r_[-1, upto[:-1]]), upto, own)
    context = _context(kind, token, value, upto, len(vocabulary.readings), first[world])
    gap = np.where(begins, 0, np.diff(at, prepend=at[:1]))
    if log.intervals:  # the protocol's gap: from the end of the event before to the start of this one
        gap = np.maximum(gap - length, 0)
    return DecisionPoints(
        vocabulary,
        world=worlds[world].astype(np.int32),
        time=at // second,
        gap=(gap / second).astype(np.float32),
        duration=(length / second).astype(np.float32),
        tokens=tokens,
        context=context,
        target=target,
        soon=_soon(at, world, np.where(is_user, own, 0), vocabulary) if soon else None,
        user=np.where(is_event, log.user[event], 0).astype(np.int16),
    )


def _persons(log: ActionLog, world: int, soon: bool) -> list[DecisionPoints]:
    """The decision points of each person of a world. All times here are ticks; seconds come last."""
    here = slice(*np.searchsorted(log.world, (world, world + 1)).tolist())
    columns = {name: column[here] for name, column in log.columns.items()}
    order = np.argsort(columns["user"], kind="stable")
    bounds = np.searchsorted(columns["user"][order], np.arange(-1, log.people + 1))
    shared = order[: bounds[1]]
    points = []
    for person in range(log.people):
        mine = np.sort(np.r_[shared, order[bounds[person + 1] : bounds[person + 2]]])
        events = {name: column[mine] for name, column in columns.items()}
        points.append(_one_person(log, events, world * log.people + person, person, soon))
    return points


def _one_person(log: ActionLog, events: dict[str, np.ndarray], stream: int, person: int, soon: bool) -> DecisionPoints:
    time, kind, token, value = events["time"], events["kind"], events["token"].astype(np.int64), events["value"]
    questions, acts = np.flatnonzero(kind == SENSOR), np.flatnonzero(kind == USER)
    n = len(questions)
    at = time[questions] // log.ticks_per_second
    following: np.ndarray = np.searchsorted(acts, questions)  # the first act after each question
    tokens, target = np.zeros((n, BAG), np.int64), np.zeros(n, np.int64)
    answers = np.flatnonzero(np.diff(np.r_[following, len(acts)]) > 0)  # there is one before the next question
    target[answers] = token[acts[following[answers]]]
    first = np.r_[0, following[:-1]][:n]
    for i in np.flatnonzero(following > first).tolist():
        bag = token[acts[first[i] : following[i]]][-BAG:]
        tokens[i, BAG - len(bag) :] = bag
    return DecisionPoints(
        log.vocabulary,
        world=np.full(n, stream, np.int32),
        time=at,
        gap=np.diff(at, prepend=at[:1]).astype(np.float32),
        duration=np.zeros(n, np.float32),
        tokens=tokens,
        context=_context(kind, token, value, questions, len(log.vocabulary.readings), np.zeros_like(questions)),
        target=target,
        # what they do is what they have been asked about
        soon=(np.arange(len(log.vocabulary)) == target[:, None]) & (target > 0)[:, None] if soon else None,
        user=np.full(n, person, np.int16),
    )


def _context(
    kind: np.ndarray, token: np.ndarray, value: np.ndarray, upto: np.ndarray, n_readings: int, first: np.ndarray
) -> np.ndarray:
    """(n, C) the latest value of each reading from row `first` (n,) of the log up to `upto` (n,); 0 before any."""
    context = np.zeros((len(upto), n_readings), np.float32)
    readings = np.flatnonzero(kind == READING)
    by_channel = readings[np.argsort(token[readings], kind="stable")]
    bounds = np.searchsorted(token[by_channel], np.arange(n_readings + 1))
    for channel in range(n_readings):
        mine = by_channel[bounds[channel] : bounds[channel + 1]]
        if len(mine):
            last = mine[np.maximum(np.searchsorted(mine, upto, side="right") - 1, 0)]
            context[:, channel] = np.where((last >= first) & (last <= upto), value[last], 0.0)
    return context


def _with_timer(
    log: ActionLog, at: np.ndarray, event: np.ndarray, world: np.ndarray, length: np.ndarray, absence: int | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Times of all decision points, the row of the log of each (-1: the timer), its world and length. `absence`: how
    long the timer goes on.

    At one instant an event forestalls the timer; at the end of a world there is no decision point.
    """
    if log.timer is None:
        return at, event, world, length
    last = np.r_[world[1:] != world[:-1], True][: len(world)]
    following = np.r_[at[1:], at[-1:]]
    following[last] = at[last]
    told = last & (world < len(log.end))
    following[told] = np.array(log.end, np.int64)[world[told]]
    silent = np.maximum(following - at - 1, 0)
    quiet = (silent if absence is None else np.minimum(silent, absence)) // log.timer
    # each event, and then its quiet decision points
    of, nth = np.repeat(np.arange(len(at)), quiet + 1), np.arange(len(at) + quiet.sum())
    nth -= np.repeat(np.cumsum(quiet + 1) - quiet - 1, quiet + 1)
    return at[of] + log.timer * nth, np.where(nth, -1, event[of]), world[of], np.where(nth, 0, length[of])


def _upto(time: np.ndarray, barrier: np.ndarray, event: np.ndarray, at: np.ndarray) -> np.ndarray:
    """The last row of the log that each decision point has met: its event's, so what an event changes is logged
    before it; at the timer, all up to that time but for the agent's answer to it."""
    left = np.searchsorted(time, at, side="left") - 1
    stops = np.r_[np.flatnonzero(barrier), len(time)]
    stop = stops[np.searchsorted(stops, left, side="right")]
    quiet = np.maximum(left, np.minimum(stop, np.searchsorted(time, at, side="right")) - 1)
    return np.where(event >= 0, event, quiet)


def _put_agent_tokens(
    tokens: np.ndarray, kind: np.ndarray, stream: np.ndarray, before: np.ndarray, upto: np.ndarray, own: np.ndarray
) -> None:
    """Those of the rows of the log after `before` (n,), up to `upto` (n,)."""
    agent = np.flatnonzero((kind == AGENT) & (stream > 0))  # to do nothing leaves no token
    if not len(agent):
        return
    first = np.searchsorted(agent, before, side="right")
    last = np.searchsorted(agent, upto, side="right")
    for i in np.flatnonzero(last > first).tolist():
        done: list[int] = stream[agent[first[i] : last[i]]].tolist()
        bag = [*done, *([int(own[i])] if own[i] else [])][-BAG:]
        tokens[i] = 0
        tokens[i, BAG - len(bag) :] = bag


def _soon(time: np.ndarray, world: np.ndarray, done: np.ndarray, vocabulary: Vocabulary) -> np.ndarray:
    """soon[i, a]: the user does a in a later row of the world, within a's patience of row i; all in ticks."""
    rows = np.arange(len(time))
    soon = np.zeros((len(rows), len(vocabulary)), bool)
    for a in range(1, len(vocabulary)):
        when = np.flatnonzero(done == a)
        if len(when):
            following = np.searchsorted(when, rows, side="right")
            due = when[np.minimum(following, len(when) - 1)]
            there = (following < len(when)) & (world[due] == world)
            soon[:, a] = there & (time[due] - time <= vocabulary.patience[a])
    return soon


def day_of_target(points: DecisionPoints) -> np.ndarray:
    """(n,) the calendar day of each row's target: that on which the event of the next row starts."""
    start = (points.time - points.duration).astype(np.int64)
    return np.r_[start[1:], start[-1:]] // DAY


def split_by_day(
    points: DecisionPoints, parts: tuple[float, float] = (0.7, 0.1)
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Masks (n,) of train, validation and test rows by the calendar day of the *target*, per the log protocol.

    The first floor(.7 D) days train, the next max(1, floor(.1 D)) validate, the rest test. The D days are those on
    which somebody does something; a row's is that on which the event of the next row starts (end less duration), and a
    quiet day goes with the next of the D. The last row of a world has no target and belongs to no part.
    """
    has = np.r_[points.world[1:] == points.world[:-1], False][: len(points)]
    return _parted(has, has & (points.target > 0), day_of_target(points), parts)


def split_each_by_day(
    points: DecisionPoints, parts: tuple[float, float] = (0.7, 0.1)
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same of each stream by itself: by its own days."""
    has, day = np.r_[points.world[1:] == points.world[:-1], False][: len(points)], day_of_target(points)
    bounds = np.r_[points.starts(), len(points)]
    each = [
        _parted(has[a:b], has[a:b] & (points.target[a:b] > 0), day[a:b], parts)
        for a, b in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)
    ]
    train, valid, test = (np.concatenate(masks) if masks else has for masks in zip(*each, strict=True))
    return train, valid, test


def _parted(
    has: np.ndarray, counts: np.ndarray, day: np.ndarray, parts: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Masks (n,), by the days of rows that `counts` (n,) bool."""
    days = np.unique(day[counts])
    # .7 * 90 is 62.99...: a day must not be lost to rounding
    a = int(parts[0] * len(days) + 1e-9)
    b = a + max(1, int(parts[1] * len(days) + 1e-9))
    rank = np.searchsorted(days, day)
    return has & (rank < a), has & (rank >= a) & (rank < b), has & (rank >= b)
