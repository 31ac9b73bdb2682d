"""Somebody whose stays are known: out when they say so, and as a persona at home."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from itertools import islice, pairwise, takewhile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lam_env.scenarios.smart_home import SmartHome
from lam_env.scenarios.smart_home.house import AWAY
from lam_env.scenarios.smart_home.people.outings import INSTEAD, OUT, Outings
from lam_env.scenarios.smart_home.people.personas import persona

from lam_env.core.behaviour_tables import BehaviourTables
from lam_env.core.observation import ObservationRows
from lam_env.core.rng import Streams
from lam_env.core.units import DAY, HOUR
from lam_env.sim.routine import Act, Routine

PLACES = ("flat", "office")
START = 3 * DAY + 4 * HOUR


def places(home: str = "flat") -> BehaviourTables:
    """Three to nine hours here, then as many there, with up to half an hour on the way."""
    hours = (180.0, 540.0)
    turns = np.array([[0.0, 1.0], [1.0, 0.0]])
    return BehaviourTables(
        activities=PLACES,
        durations=dict.fromkeys(PLACES, hours),
        hourly=np.ones((24, 2)),
        follow=turns,
        pauses=(1.0, 30.0),
        pause=1.0,
        home=home,
    )


def routines(seed: int, home: str = "flat") -> tuple[Routine, Routine]:
    tables, _ = persona("retired", Streams(seed)("resident0", "persona"))
    return Routine(tables, Streams(seed), "resident0"), Routine(places(home), Streams(seed), "stays")


def until(acts: Iterable[Act], time: int) -> list[Act]:
    return list(takewhile(lambda act: act.start < time, acts))


def at(acts: list[Act], time: int) -> Act:
    return next(act for act in acts if act.start <= time < act.end)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000), st.sampled_from(PLACES))
def test_they_are_out_when_they_are_not_at_home_and_else_do_what_the_persona_does(seed: int, home: str) -> None:
    own, stays = routines(seed, home)
    acts = until(Outings(own, stays, START), START + 3 * DAY)
    there, doing = (until(plan, START + 8 * DAY) for plan in (stays.acts(START - 2 * DAY, False), own.acts(START)))
    names = own.tables.activities
    assert acts[0].start == START
    assert all(a.end == b.start for a, b in pairwise(acts))
    for act in acts:
        assert act.end > act.start
        stay = at(there, act.start)
        assert act.end <= stay.end
        if stay.activity != PLACES.index(home):
            assert names[act.activity] == OUT
            continue
        would = at(doing, act.start)
        does, instead = (names[a.activity] if a.activity >= 0 else "" for a in (act, would))
        assert does == (INSTEAD if instead == OUT else instead)
        assert act.end == min(stay.end, would.end)


def test_a_copy_goes_on_alike() -> None:
    outings = Outings(*routines(3), START)
    list(islice(outings, 17))
    again = copy.deepcopy(outings)
    assert list(islice(again, 60)) == list(islice(outings, 60))


def test_acts_at_home_and_outings_have_coins_of_their_own() -> None:
    by_day: dict[int, list[set[int]]] = {}
    for act in islice(Outings(*routines(5), START), 400):
        by_day.setdefault(act.day, [set(), set()])[act.ordinal >= 96].add(act.ordinal % 128)
    assert any(out for _, out in by_day.values())
    assert all(not (home & out) for home, out in by_day.values())


@pytest.mark.parametrize("seed", range(3))
def test_the_home_is_empty_when_the_stays_say_so_whoever_acts(seed: int) -> None:
    home = SmartHome(residents=1, days=3, tables=[places()])
    plans = []
    for act in (0, 1):
        world = home.make_world(Streams(seed), ObservationRows(1, home.vocabulary).row(0), day=3)
        resident = world.residents[0]
        stays = until(
            Routine(places(), Streams(seed), "resident0's stays").acts(START - 2 * DAY, False), START + 8 * DAY
        )
        seen = set()
        while world.now < world.end:
            world.step(act if world.row.mask[act] else 0)
            stay = at(stays, world.now)
            if stay.activity == 0 and world.now - stay.start > HOUR:
                assert resident.room != AWAY
            elif stay.activity == 1 and world.now - stay.start > HOUR:
                assert resident.room == AWAY
            seen.add(resident.room == AWAY)
        assert seen == {True, False}
        plans.append([act.start for act in resident.coming])
    assert plans[0] == plans[1]


def test_tables_without_a_home_are_lived_as_they_are() -> None:
    home = SmartHome(residents=1, tables=[places(home="")])
    world = home.make_world(Streams(0), ObservationRows(1, home.vocabulary).row(0))
    assert isinstance(world.residents[0].routine, Routine)
    assert world.residents[0].tables.activities == PLACES
