"""The log that a life leaves."""

from __future__ import annotations

import numpy as np
import pytest
from plain_habits import NAMES, SLEEP, TOILET, make

from lam_env.core.behaviour_tables import BehaviourTables
from lam_env.core.events import ActionLog
from lam_env.core.rng import Streams
from lam_env.core.units import DAY, HOUR
from lam_env.logs import statistics as st
from lam_env.sim.diary import activity_log
from lam_env.sim.routine import Routine


def log_of(tables: BehaviourTables, days: int = 40) -> ActionLog:
    return activity_log(Routine(tables, Streams(0), 0), days)


def test_the_log_holds_the_named_acts_of_whole_days() -> None:
    routine = Routine(make(), Streams(5), 0)
    log = activity_log(routine, 4, start_day=7, world=2, user=1)
    assert log.intervals
    assert log.vocabulary.actions == ("none", *NAMES)
    assert set(log.world.tolist()) == {2}
    assert set(log.user.tolist()) == {1}
    assert log.time.min() >= 7 * DAY
    assert log.time.max() < 11 * DAY
    assert log.end == (11 * DAY,)
    assert (log.value > 0).all()
    assert (log.token > 0).all()
    assert (log.time[:-1] + log.value[:-1] <= log.time[1:]).all()


def test_what_is_not_seen_is_lived_and_not_written() -> None:
    plain, without = (log_of(make(unseen=unseen)) for unseen in ((), ("toilet",)))
    assert without.vocabulary.actions == ("none", *(name for name in NAMES if name != "toilet"))
    kept = plain.select(plain.token != TOILET + 1)
    assert without.time.tolist() == kept.time.tolist()
    assert [without.vocabulary.actions[t] for t in without.token] == [kept.vocabulary.actions[t] for t in kept.token]


def test_a_night_that_is_broken_may_be_written_as_one() -> None:
    night = np.zeros(6)
    night[[SLEEP, TOILET]] = 1.0
    broken = make(night=night, night_pauses=(0.0, 0.0), needs=(), follow=np.ones((6, 6)), away=())
    pieces, one = log_of(broken), log_of(make(**{**broken.__dict__, "holds": ("sleep",)}))
    assert one.end == pieces.end
    asleep = one.token == SLEEP + 1
    assert asleep.sum() < 0.3 * (pieces.token == SLEEP + 1).sum()
    assert np.median(one.value[asleep]) > 6 * HOUR
    begin, end = one.time[asleep], one.time[asleep] + one.value[asleep]
    toilets = one.time[one.token == TOILET + 1]
    inside = (toilets > begin[:, None]) & (toilets < end[:, None])
    assert inside.any(1).mean() > 0.8  # it holds the acts that broke it
    assert (pieces.token == TOILET + 1).sum() == len(toilets)


def test_a_pause_of_a_minute_ends_what_is_written_as_one() -> None:
    night = np.zeros(6)
    night[[SLEEP, TOILET]] = 1.0
    broken = {"night": night, "needs": (), "follow": np.ones((6, 6)), "night_pauses": (2.0, 3.0)}
    plain, held = (log_of(make(**broken, holds=holds)) for holds in ((), ("sleep",)))
    assert len(held) > 0.98 * len(plain)  # the end of the night may follow at once


@pytest.mark.parametrize("hours", [(0.0, 0.0), (5.0, 5.0)])
def test_days_are_cut_at_the_last_midnight(hours: tuple[float, float]) -> None:
    log = log_of(make(pauses=hours), 5)
    assert log.time.max() < 5 * DAY
    assert len(st.streams(log)) == 1
