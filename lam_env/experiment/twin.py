"""A real home's simulated twin: a resident calibrated to its log."""

from __future__ import annotations

import dataclasses
from typing import TypeVar

import numpy as np

from lam_env.config.cli import Group, override, to_dict
from lam_env.core.behaviour_tables import BehaviourTables
from lam_env.core.events import AGENT, READING, SENSOR, USER, ActionLog, Vocabulary
from lam_env.core.rng import Streams
from lam_env.core.seeds import Use
from lam_env.core.units import DAY
from lam_env.logs.decision_points import decision_points, split_by_day
from lam_env.sim.routine import Routine, activity_log

_NAMES = {USER: "actions", AGENT: "actions", SENSOR: "sensors", READING: "readings"}  # of a `Vocabulary`
World = TypeVar("World", bound=Group)  # settings of a home


def with_resident(world: World) -> World:
    """A world's settings where its one person is calibrated: one lives there, unless an unusual number is asked for."""
    usual = to_dict(type(world)())["residents"]
    return override(world, {"residents": 1}, "world") if to_dict(world)["residents"] == usual else world


def resident_log(tables: BehaviourTables, days: int, seed: int = Use.TWIN.first) -> ActionLog:
    """An activity log of somebody with these habits."""
    return activity_log(Routine(tables, Streams(seed), "resident0"), days)


def training_days(log: ActionLog) -> ActionLog:
    """The part of a log that its protocol trains on: what begins before the first validation day."""
    points = decision_points(log, soon=False)
    _, valid, _ = split_by_day(points)
    first = int((points.time - points.duration)[np.flatnonzero(valid)[0] + 1]) // DAY * DAY
    return log.select(log.time < first * log.ticks_per_second)


def in_the_home(log: ActionLog, vocabulary: Vocabulary, timer: int | None) -> ActionLog | None:
    """A log of device commands in the vocabulary and with the timer of a scenario's home, so that predictors learn what
    they will meet there; None where they share no action. What the home does not know is left out.
    """
    place: dict[tuple[int, int], int] = {}  # (kind, token) in the log -> token in the home
    for kind in (USER, AGENT, SENSOR, READING):
        own, homes = (getattr(v, _NAMES[kind]) for v in (log.vocabulary, vocabulary))
        place |= {(kind, i): homes.index(name) for i, name in enumerate(own) if name in homes}
    if sum(kind == USER for kind, _ in place) < 3:  # none, and two to tell apart
        return None
    tokens = [place.get(key, -1) for key in zip(log.kind.tolist(), log.token.tolist(), strict=True)]
    token = np.array(tokens, np.int16)
    known = log.select(token >= 0)
    columns = {**known.columns, "token": token[token >= 0]}
    return dataclasses.replace(known, columns=columns, vocabulary=vocabulary, timer=timer)
