"""Personas: individuals, credible days, what their tables promise."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from lam_env.scenarios.smart_home.people.habits import FOLLOW, HABITS, LENGTHS, PARTS
from lam_env.scenarios.smart_home.people.personas import PERSONAS, PersonaTraits, lognormal_quantiles, persona

from lam_env.core.behaviour_tables import BehaviourTables
from lam_env.core.rng import Streams
from lam_env.core.units import DAY, HOUR
from lam_env.logs import statistics as st
from lam_env.sim.diary import activity_log
from lam_env.sim.routine import Routine

ACTIVITIES = [
    *("sleep", "toilet", "groom", "shower", "dress", "breakfast", "lunch", "dinner", "snack", "drink"),
    *("tv", "relax", "read", "music", "work", "clean", "laundry", "out", "phone", "guests"),
]


def one(name: str, seed: int = 0) -> tuple[BehaviourTables, PersonaTraits]:
    return persona(name, Streams(seed)("resident0", "persona"))


def log_of(name: str, seed: int = 0, days: int = 84):
    return activity_log(Routine(one(name, seed)[0], Streams(seed), 0), days)


@pytest.fixture(scope="module")
def lives() -> dict[str, list[dict]]:
    return {name: [st.statistics(log_of(name, seed)) for seed in range(3)] for name in PERSONAS}


def test_the_six() -> None:
    assert PERSONAS == ("early_commuter", "shift_worker", "home_worker", "retired", "family", "student")
    with pytest.raises(ValueError, match="choose one of early_commuter") as caught:
        one("ghost")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", PERSONAS)
def test_all_share_the_activities_in_order(name: str) -> None:
    assert list(one(name)[0].activities) == ACTIVITIES


@pytest.mark.parametrize("name", PERSONAS)
def test_no_two_people_are_equal_and_each_is_repeatable(name: str) -> None:
    (a, x), (b, y) = one(name, 1), one(name, 2)
    assert one(name, 1)[0].to_json() == a.to_json()
    assert one(name, 1)[1] == x
    assert x != y
    assert a.durations["tv"] != b.durations["tv"]
    assert not np.allclose(a.hourly, b.hourly)
    assert [n.every for n in a.needs] != [n.every for n in b.needs]
    assert BehaviourTables.from_json(a.to_json()).to_json() == a.to_json()


@pytest.mark.parametrize("name", PERSONAS)
def test_individuals_stay_near_their_kind(name: str) -> None:
    kind = HABITS[name]
    for seed in range(40):
        tables, traits = one(name, seed)
        for own, usual in zip(tables.anchors, kind.anchors, strict=True):
            assert abs(own.hour - usual.hour) < 0.5001
            assert 0 <= own.skip < 1
            assert own.sd == pytest.approx(usual.sd * traits.regularity)
            if usual.minutes and usual.days == "weekday":
                assert own.hour == usual.hour  # working hours are set by others
        assert 18 <= traits.comfort_setpoint <= 23.5
        assert 0.02 <= traits.talkativeness <= 0.10
        assert all(0 <= v <= 2 or k == "comfort_setpoint" for k, v in dataclasses.asdict(traits).items())


def test_set_points_differ_within_a_kind() -> None:
    points = [one("family", seed)[1].comfort_setpoint for seed in range(100)]
    assert np.mean(points) == pytest.approx(HABITS["family"].traits["comfort_setpoint"], abs=0.3)
    assert 0.5 < np.std(points) < 0.9


@pytest.mark.parametrize("name", PERSONAS)
def test_days_are_credible(name: str, lives: dict[str, list[dict]]) -> None:
    """The gates that need no source."""
    for x in lives[name]:
        assert 25 <= x.numbers["per_day_mean"] <= 55
        assert 0.4 <= x.numbers["wake_up_sd"] <= 1.2
        assert 0.53 <= x.numbers["predictability"] <= 0.85
        assert x.numbers["gap_cv"] > 1.5
        for label in ("toilet", "drink", "snack", "groom"):
            assert x.start_sd[label] > 2.5
    assert 0.5 <= np.mean([x.numbers["fano"] for x in lives[name]]) <= 1.6


def test_every_activity_is_lived(lives: dict[str, list[dict]]) -> None:
    seen = {label for name in PERSONAS for x in lives[name] for label in x.durations}
    assert seen == set(ACTIVITIES)
    for name in PERSONAS:
        assert set(ACTIVITIES) - set().union(*(x.durations for x in lives[name])) <= {"guests"}


def test_weekends_differ_where_people_work_outside(lives: dict[str, list[dict]]) -> None:
    weekend = {name: np.mean([x.numbers["profile_weekend"] for x in lives[name]]) for name in PERSONAS}
    assert weekend["early_commuter"] > 0.15
    assert weekend["retired"] < 0.05
    assert min(weekend.values()) > 0


def test_who_is_out_when() -> None:
    def away(name: str, day_type: str) -> float:
        """Share of 9 to 16 h spent outside."""
        tables, _ = one(name)
        total = 0
        acts = itertools.takewhile(lambda a: a.start < 56 * DAY, Routine(tables, Streams(0), 0).acts(4 * HOUR))
        for a in acts:
            if a.activity == ACTIVITIES.index("out") and (a.day % 7 >= 5) == (day_type == "weekend"):
                start, end = a.day * DAY + 9 * HOUR, a.day * DAY + 16 * HOUR
                total += max(0, min(a.end, end) - max(a.start, start))
        return total / (7 * HOUR * 56 * (2 / 7 if day_type == "weekend" else 5 / 7))

    assert away("early_commuter", "weekday") > 0.85
    assert away("home_worker", "weekday") < 0.2
    assert away("early_commuter", "weekend") < 0.6
    assert away("retired", "weekday") < 0.5


def test_early_and_late_risers(lives: dict[str, list[dict]]) -> None:
    wake = {name: np.mean([x.numbers["wake_up_mean"] for x in lives[name]]) for name in PERSONAS}
    assert wake["early_commuter"] < wake["home_worker"] < wake["student"]


def test_shifts_rotate() -> None:
    tables, _ = one("shift_worker")
    acts = itertools.takewhile(lambda a: a.start < 28 * DAY, Routine(tables, Streams(0), 0).acts(4 * HOUR))
    long = [(a.day // 7 % 2, a.start % DAY / HOUR) for a in acts if tables.activities[a.activity] == "out"
            and a.end - a.start > 7 * HOUR and a.day % 7 < 5]  # fmt: skip
    assert {round(h) for week, h in long if week == 0} == {7}
    assert {round(h) for week, h in long if week == 1} <= {13, 14}


def test_breakfast_follows_getting_up() -> None:
    for name in PERSONAS:
        log = log_of(name, days=56)
        x = st.statistics(log)
        wake = x.numbers["wake_up_mean"]
        eating = log.time[log.token == 1 + ACTIVITIES.index("breakfast")] % DAY / HOUR
        assert 0.3 < eating.mean() - wake < 1.5


def test_the_data_name_known_activities() -> None:
    assert len(PARTS) == 24
    assert set(LENGTHS) == set(ACTIVITIES)
    assert {*FOLLOW, *(x for after in FOLLOW.values() for x in after)} <= set(ACTIVITIES)
    for habits in HABITS.values():
        assert set(habits.traits) == {f.name for f in dataclasses.fields(PersonaTraits)}


@pytest.mark.parametrize("fillers", [{"fly": (1,) * 6}, {"tv": (1,) * 5}, {"tv": (1, 1, 1, 1, 1, -1)}])
def test_habits_and_traits_that_cannot_be_are_refused(fillers) -> None:
    usual = HABITS["family"]
    with pytest.raises(ValueError, match="habits: filler"):
        dataclasses.replace(usual, fillers=fillers)
    with pytest.raises(ValueError, match="tidiness must lie in"):
        dataclasses.replace(one("family")[1], tidiness=1.1)


def test_lognormal_quantiles() -> None:
    q = np.array(lognormal_quantiles(20.0, 0.5))
    assert q[10] == pytest.approx(20.0)
    assert np.log(q[15] / q[5]) == pytest.approx(2 * 0.6745 * 0.5, rel=1e-3)
    assert (np.diff(q) > 0).all()
