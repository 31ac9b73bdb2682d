"""A real home's simulated twin: a resident calibrated to its log, and how like the log she is."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from lam_env.config.cli import override
from lam_env.core.behaviour_tables import BehaviourTables
from lam_env.core.events import AGENT, READING, SENSOR, USER, ActionLog, Vocabulary
from lam_env.core.rng import Streams
from lam_env.core.seeds import Use
from lam_env.core.units import DAY
from lam_env.logs.decision_points import decision_points, split_by_day
from lam_env.sim.routine import Routine, activity_log


def with_resident(world: Any) -> Any:
    """A world's settings where its one person is calibrated: one lives there, unless another number than the usual is asked for."""
    alone = override(world, {"residents": 1}, "world")
    return alone if world.residents == type(world)().residents else world


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
    """A log of device commands in the vocabulary and with the timer of a scenario's home, so that predictors learn what they will meet there; None
    where they share no action. What the home does not know is left out.
    """
    at = {
        USER: {i: vocabulary.actions.index(a) for i, a in enumerate(log.vocabulary.actions) if a in vocabulary.actions},
        SENSOR: {
            i: vocabulary.sensors.index(a) for i, a in enumerate(log.vocabulary.sensors) if a in vocabulary.sensors
        },
        READING: {
            i: vocabulary.readings.index(a) for i, a in enumerate(log.vocabulary.readings) if a in vocabulary.readings
        },
    }
    at[AGENT] = at[USER]
    if len(at[USER]) < 3:  # none, and two to tell apart
        return None
    pairs = list(zip(log.kind.tolist(), log.token.tolist(), strict=True))
    known = np.array([t in at.get(k, {}) for k, t in pairs])
    kept = log.select(known)
    token = np.array([at[k][t] for k, t in pairs if t in at.get(k, {})], np.int16)
    return dataclasses.replace(kept, columns={**kept.columns, "token": token}, vocabulary=vocabulary, timer=timer)
