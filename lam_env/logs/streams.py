"""Logs of many short streams (a game's runs, its players), and how predictors are judged on a real log.

A home is one long stream, of which the last days are held out. Of people who do not share one (places, clicks) each is
a stream, of which the last days are. Of runs and players the last *streams* are: runs in order of time (the future),
players in the order of the file (people never seen). A log says so by its `Protocol`.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from lam_env.core.events import USER, ActionLog, LogError, Protocol, Vocabulary
from lam_env.core.units import DAY
from lam_env.logs.coverage import clean_names
from lam_env.logs.decision_points import (
    DecisionPoints,
    day_of_target,
    decision_points,
    split_by_day,
    split_each_by_day,
)
from lam_env.logs.local_time import monday_before
from lam_env.logs.tables import HELD, check_names, in_order, told_of

MOST_SOON = 2001  # actions, none included, of which is told what comes soon: that is a matrix of rows by actions
LEAST_OF_FOLD = 3  # days
LEAST = 10  # streams that can be split in three at all


class RecordedStream(NamedTuple):
    """What one person or run did: `at` (n,) [s since `began`, as local clocks show]; names (n,); value (n,), NaN for
    none."""

    began: datetime.datetime
    at: np.ndarray
    names: tuple[str, ...]
    value: np.ndarray | None = None


def log_of_streams(
    streams: Sequence[RecordedStream],
    source: str,
    word: str = "",
    least: int = 0,
    told: Mapping[str, int] | None = None,
    **more: object,
) -> ActionLog:
    """A world for each stream, one tick a second; tick 0 is the Monday 00:00 on or before the first of them began. No
    timer: nobody waits to be asked between two visits. `word`, `least`: as in `Protocol`; `told` and
    `more` go into `meta`, the first as in `log_of_table`."""
    named, said = clean_names([name for stream in streams for name in stream.names], source)
    names = sorted({*named} - {"none"})
    check_names(source, names)
    token = {name: i for i, name in enumerate(("none", *names))}
    monday = monday_before(min(stream.began for stream in streams))
    second, sizes = datetime.timedelta(seconds=1), [len(stream.names) for stream in streams]
    shown = [np.asarray(s.at, np.int64) + (s.began - monday) // second for s in streams]
    at, held = zip(*map(in_order, shown), strict=True)
    said = Counter(told or {}) + said + Counter({HELD: sum(held)})
    columns = {
        "world": np.repeat(np.arange(len(streams)), sizes),
        "time": np.concatenate(at),
        "user": np.zeros(len(named), np.int16),
        "kind": np.full(len(named), USER),
        "token": [token[name] for name in named],
        "value": np.concatenate([np.full(len(s.names), np.nan) if s.value is None else s.value for s in streams]),
    }
    meta = {"start": monday.date().isoformat(), "source": source, **more} | told_of(said)
    protocol = Protocol("streams", word, least)
    return ActionLog.from_columns(columns, Vocabulary(("none", *names)), timer=None, protocol=protocol, meta=meta)


def split_by_protocol(log: ActionLog, points: DecisionPoints) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Masks (n,) of train, validation and test rows of a log: 70, 10 and 20 % of the days, of all or of each stream, or
    of the streams; of simulated worlds the last eighth validates and none tests, for others can be simulated."""
    v, protocol = points.vocabulary, log.protocol
    if protocol.test:
        return _as_told(points, protocol)
    if protocol.split == "days":
        return split_by_day(points, protocol.parts)
    if protocol.split == "each":
        return split_each_by_day(points)
    if protocol.split == "worlds":
        valid = points.world >= log.worlds[-max(1, len(log.worlds) // 8)] * points.people
        return ~valid, valid, np.zeros(len(points), bool)
    counts = np.array([v.token_name(t).startswith(protocol.word) for t in range(v.n_tokens)])
    worlds, number = np.unique(points.world[counts[points.tokens[:, -1]]], return_counts=True)
    return split_by_stream(points, worlds=worlds[number >= protocol.least])


def folds(log: ActionLog, n: int) -> list[ActionLog]:
    """Windows that expand: of n + 1 parts of a log's days, the k-th learns from the first k, whose last eighth
    validates, and is tested on the next. LogError where there is no such order of days, or too few of them."""
    if log.protocol.split != "days" or log.protocol.test:
        why = "the last days of this log do not test, but streams or a part of its own"
        raise LogError(f"{why}; leave folds away, or give split=days")
    points = decision_points(dataclasses.replace(log, timer=None), soon=False)
    of_target, has = day_of_target(points), np.r_[points.world[1:] == points.world[:-1], False][: len(points)]
    days = np.unique(of_target[has & (points.target > 0)])
    if len(days) < LEAST_OF_FOLD * (n + 1):
        most = max(0, len(days) // LEAST_OF_FOLD - 1)
        raise LogError(f"{len(days):,} days are too few for {n} folds of at least {LEAST_OF_FOLD}; give {most} at most")
    out, ends = [], np.arange(1, n + 2) * len(days) // (n + 1)  # days up to the end of each part
    for known, total in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True):
        last = (int(days[total - 1]) + 1) * DAY * log.ticks_per_second
        valid = max(1, known // 8)
        protocol = dataclasses.replace(log.protocol, parts=((known - valid) / total, valid / total))
        part = log.select(log.time < last, [min(end, last) for end in log.end])
        out.append(dataclasses.replace(part, protocol=protocol))
    return out


def _as_told(points: DecisionPoints, protocol: Protocol) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The last eighth of what does not test, of each stream or of the streams, validates unless worlds are told to."""
    has = np.r_[points.world[1:] == points.world[:-1], False][: len(points)]
    test = points.world >= protocol.test
    valid = points.world >= (protocol.valid or protocol.test)
    if not protocol.valid and protocol.split == "streams":
        rest = np.unique(points.world[~test])
        valid = points.world >= rest[-max(1, len(rest) // 8)]
    elif not protocol.valid:
        train, *_ = split_each_by_day(points, (0.875, 0.125))
        valid = ~train
    return has & ~valid & ~test, has & valid & ~test, has & test


def to_learn_from(log: ActionLog) -> tuple[DecisionPoints, DecisionPoints]:
    """The rows of a log that train and that validate."""
    points = decision_points(log, soon=not log.intervals and len(log.vocabulary) <= MOST_SOON)
    train, valid, _ = split_by_protocol(log, points)
    return points.select(train), points.select(valid)


def split_by_stream(
    points: DecisionPoints, parts: tuple[float, float] = (0.7, 0.1), worlds: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Masks (n,): the first floor(.7 W) of W streams train, the next floor(.1 W) validate, the rest test.

    `worlds`: those that count (default: all). The last row of a stream has no target and belongs to no part.
    """
    worlds = np.unique(points.world) if worlds is None else np.unique(worlds)
    if len(worlds) < LEAST:
        raise LogError(
            f"log: {len(worlds):,} streams (runs, players) are too few to train, validate and test on; at least {LEAST}"
        )
    has = np.r_[points.world[1:] == points.world[:-1], False][: len(points)] & np.isin(points.world, worlds)
    rank = np.searchsorted(worlds, points.world)
    a, b = (int(share * len(worlds) + 1e-9) for share in (parts[0], sum(parts)))
    return has & (rank < a), has & (rank >= a) & (rank < b), has & (rank >= b)
