"""Calibration: a known life is found again, faults are told, and a real home comes back to life."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from outside import HOMES, needs

from lam_env.core.behaviour_tables import Anchor, BehaviourTables, Need
from lam_env.core.events import USER, ActionLog, Event, LogError, Vocabulary
from lam_env.core.rng import Streams
from lam_env.core.units import DAY, HOUR
from lam_env.logs import fidelity
from lam_env.logs import statistics as st
from lam_env.logs.calibrate import calibrate
from lam_env.logs.formats import casas_xes
from lam_env.sim.diary import activity_log
from lam_env.sim.routine import Routine

NAMES = ("sleep", "toilet", "meal", "tv", "read")
SLEEP, TOILET, MEAL, TV, READ = range(5)


def person(**more: object) -> BehaviourTables:
    """Reads by day, watches in the evening, never reads after watching."""
    hourly, follow = np.zeros((24, 5)), np.ones((5, 5))
    hourly[:17, READ], hourly[:17, TV], hourly[17:, TV], hourly[17:, READ] = 3.0, 1.0, 3.0, 1.0
    np.fill_diagonal(follow, 0.2)
    plain = {
        "activities": NAMES,
        "anchors": (Anchor("sleep", 7.0, 0.5, ends=True), Anchor("sleep", 23.0, 0.6), Anchor("meal", 12.5, 0.4, 0.2)),
        "needs": (Need("toilet", 3.0, 8.0),),
        "durations": {
            **{"sleep": (300.0, 500.0), "toilet": (2.0, 3.0, 5.0), "meal": (15.0, 25.0, 40.0)},
            **{"tv": (5.0, 15.0, 40.0), "read": (2.0, 10.0, 30.0)},
        },
        "hourly": hourly,
        "follow": follow,
        "pauses": (1.0, 4.0),
        "pause": 0.4,
    }
    return BehaviourTables(**{**plain, **more})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def known() -> tuple[ActionLog, BehaviourTables]:
    log = activity_log(Routine(person(), Streams(1), 0), 120)
    return log, calibrate(log)


def intervals(rows: list[tuple[int, int, int]], **more: object) -> ActionLog:
    events = [Event(t, 0, USER, a + 1, float(n)) for t, n, a in rows]
    return ActionLog.from_events(events, Vocabulary(("none", *NAMES)), intervals=True, **more)


def test_bed_and_wake_are_found(known: tuple[ActionLog, BehaviourTables]) -> None:
    anchors = {(a.activity, a.ends): a for a in known[1].anchors}
    wake, bed = anchors["sleep", True], anchors["sleep", False]
    assert wake.hour == pytest.approx(7.0, abs=0.2)
    assert bed.hour == pytest.approx(23.0, abs=0.3)
    assert wake.sd == pytest.approx(0.5 * 0.88, rel=0.25)  # the person's own are cut at two sd
    assert bed.sd == pytest.approx(0.6 * 0.88, rel=0.3)


def test_an_anchored_label_is_found_with_its_hour_and_skips(known: tuple[ActionLog, BehaviourTables]) -> None:
    meals = [a for a in known[1].anchors if a.activity == "meal"]
    assert {a.days for a in meals} == {"weekday", "weekend"}
    for a in meals:
        assert a.hour == pytest.approx(12.5, abs=0.3)
        assert a.skip == pytest.approx(0.2, abs=0.15)
    assert not known[1].hourly[:, MEAL].any()


def test_a_need_is_found_with_its_rhythm(known: tuple[ActionLog, BehaviourTables]) -> None:
    (need,) = known[1].needs
    assert need.activity == "toilet"
    assert need.every == pytest.approx(3.2, abs=0.3)  # it waits for the end of an act
    assert need.shape > 4


def test_weights_follow_the_hour_and_the_act_before(known: tuple[ActionLog, BehaviourTables]) -> None:
    tables = known[1]
    assert tables.hourly[9:15, READ].sum() > 1.5 * tables.hourly[9:15, TV].sum()
    assert tables.hourly[18:22, TV].sum() > 1.5 * tables.hourly[18:22, READ].sum()
    assert tables.follow[TV, TV] < 0.5 * tables.follow[READ, TV]


def test_calibrating_a_simulated_person_again_gives_the_same_life(known: tuple[ActionLog, BehaviourTables]) -> None:
    log, tables = known
    again = activity_log(Routine(tables, Streams(2), 0), 120)
    failed = [g for g in fidelity.gates(log, again) if g.passed is False]
    # the person's own nights and counts are more regular than those of any real home
    assert [g.metric_id for g in failed if g.metric_id not in ("fidelity.activities_per_day", "fidelity.wake_up")] == []
    a, b = st.statistics(log).numbers, st.statistics(again).numbers
    assert b["per_day_mean"] == pytest.approx(a["per_day_mean"], rel=0.1)
    assert b["wake_up_sd"] == pytest.approx(a["wake_up_sd"], rel=0.35)


def test_it_is_a_function_of_the_log(known: tuple[ActionLog, BehaviourTables]) -> None:
    assert calibrate(known[0]).to_json() == known[1].to_json()
    assert BehaviourTables.from_json(known[1].to_json()).to_json() == known[1].to_json()


def test_an_absence_of_ten_weeks_is_no_habit(known: tuple[ActionLog, BehaviourTables]) -> None:
    log, home = known
    away = {**log.columns, "time": log.time + np.where(log.time >= 60 * DAY, 70 * DAY, 0)}
    tables = calibrate(dataclasses.replace(log, columns=away, end=()))
    assert [(a.activity, a.days, a.ends) for a in tables.anchors] == [
        (a.activity, a.days, a.ends) for a in home.anchors
    ]
    for a, b in zip(tables.anchors, home.anchors, strict=True):
        assert a.skip == pytest.approx(b.skip, abs=0.03)
        assert a.hour == pytest.approx(b.hour, abs=0.05)
    assert [n.every for n in tables.needs] == pytest.approx([n.every for n in home.needs], rel=0.02)
    assert max(tables.pauses) == pytest.approx(max(home.pauses), rel=0.05)
    assert tables.pause == pytest.approx(home.pause, abs=0.01)
    source, other = st.statistics(log).numbers, st.statistics(dataclasses.replace(log, columns=away, end=())).numbers
    assert other["fano"] == pytest.approx(source["fano"], abs=0.1)
    assert other["gap_cv"] == pytest.approx(source["gap_cv"], abs=0.02)


def test_one_world_of_several(known: tuple[ActionLog, BehaviourTables]) -> None:
    log = known[0]
    other = activity_log(Routine(person(), Streams(9), 0), 30, world=7)
    columns = {k: np.concatenate([log.columns[k], other.columns[k]]) for k in log.columns}
    both = dataclasses.replace(log, columns=columns)
    assert calibrate(both, world=0).to_json() == known[1].to_json()
    with pytest.raises(LogError, match="2 people"):
        calibrate(both)


def test_faults_are_told_in_one_line(known: tuple[ActionLog, BehaviourTables]) -> None:
    log = known[0]
    for bad, words in (
        (dataclasses.replace(log, intervals=False), "no durations"),
        (log.select(log.time < 4 * DAY), "longer log"),
        (log.select(log.time < 0), "0 people"),
        (dataclasses.replace(log, columns={**log.columns, "value": -log.value}), "ends before it starts"),
    ):
        with pytest.raises(LogError, match=words) as caught:
            calibrate(bad)
        assert "\n" not in str(caught.value)


def test_a_log_without_sleep_has_no_nights() -> None:
    rows = [(d * DAY + h * HOUR, 600, (TV, READ)[h % 2]) for d in range(20) for h in range(8, 22)]
    tables = calibrate(intervals(rows))
    assert tables.anchors == ()
    assert tables.night.size == 0
    again = activity_log(Routine(tables, Streams(0), 0), 30)
    assert set(again.token.tolist()) == {TV + 1, READ + 1}
    assert np.median(again.value) == pytest.approx(600, rel=0.2)


def test_planned_acts_keep_their_lengths(known: tuple[ActionLog, BehaviourTables]) -> None:
    """The pace of the hours belongs to fillers: anchored acts and needs do not read it."""
    for label, minutes in (("toilet", (2.0, 3.0, 5.0)), ("meal", (15.0, 25.0, 40.0))):
        found = known[1].durations[label]
        assert (found[0], found[50], found[-1]) == pytest.approx(minutes, rel=0.08)


def test_overlapping_intervals_are_cut() -> None:
    rows = [(d * DAY + h * HOUR, 7200, (TV, READ)[h % 2]) for d in range(20) for h in range(8, 22)]
    again = activity_log(Routine(calibrate(intervals(rows)), Streams(0), 0), 30)
    assert np.median(again.value[again.token == TV + 1]) == pytest.approx(3600, rel=0.2)


def test_lengths_of_sleep_are_those_before_the_clock_ends_the_night() -> None:
    """Half of the sleeps would last 330 minutes and more; many are cut short by getting up (Kaplan and Meier)."""
    broken = person(
        night=np.array([0, 0.5, 0, 0, 1.0]),  # between two sleeps
        night_pauses=(1.0, 4.0),
        durations={**person().durations, "sleep": (60.0, 600.0)},
    )
    log = activity_log(Routine(broken, Streams(1), 0), 240)
    seen = np.median(log.value[log.token == SLEEP + 1]) / 60
    found = calibrate(log).durations["sleep"]
    assert found[50] == pytest.approx(330, rel=0.1)
    assert seen < 200


def test_choices_recover_a_log_linear_model() -> None:
    rng = np.random.default_rng(1)
    names, follow = ("toilet", "meal", "tv", "read"), rng.uniform(0.2, 3, (4, 4))
    weight = np.repeat(rng.uniform(0.5, 3, (2, 4)), 12, 0)  # before and after noon
    events, last = [], 0
    for time in range(0, 100 * DAY, 300):
        p = weight[time % DAY // HOUR] * follow[last]
        last = int((rng.random() > np.cumsum(p / p.sum())).sum())
        events.append(Event(time, 0, USER, last + 1, 240.0))
    tables = calibrate(ActionLog.from_events(events, Vocabulary(("none", *names)), intervals=True))
    assert (tables.anchors, tables.needs) == ((), ())
    p, q = (w[:, None] * f[None] for w, f in ((weight, follow), (tables.hourly, tables.follow)))
    error = np.abs(p / p.sum(2, keepdims=True) - q / q.sum(2, keepdims=True))
    inside = error[[*range(1, 11), *range(13, 23)]]  # elsewhere neighbours lend to each other
    assert inside.max() < 0.05
    assert inside.mean() < 0.012


def test_the_first_act_of_a_day_is_by_the_clock_and_its_sequel_follows() -> None:
    """Dinner is cooked at about 18 h, eaten at once, and sometimes cooked once more."""
    rng, rows = np.random.default_rng(0), []
    for d in range(40):
        rows += [(d * DAY + h * HOUR, 900, TOILET) for h in range(8, 17, 2)]
        t = d * DAY + int((18 + 0.3 * rng.standard_normal()) * HOUR)
        for _ in range(1 + (d % 2)):
            rows += [(t, 600, MEAL), (t + 700, 900, TV)]
            t += 1800
    tables = calibrate(intervals(rows))
    assert {a.activity for a in tables.anchors if a.hour > 17} == {"meal"}
    assert tables.leads == {"meal": "tv"}
    again = activity_log(Routine(tables, Streams(0), 0), 60)
    counts = np.bincount(again.token, minlength=6)[1:] / 60
    assert counts[MEAL] == pytest.approx(1.5, abs=0.35)
    assert counts[TV] == pytest.approx(counts[MEAL], abs=0.05)


def test_what_is_done_after_getting_up_counts_from_it() -> None:
    late = person(
        anchors=(*person().anchors[:2], Anchor("meal", 0.5, 0.1, from_wake=True)),
        needs=(),
    )
    log = activity_log(Routine(dataclasses.replace(late, pauses=(1.0, 2.0)), Streams(1), 0), 60)
    meals = [a for a in calibrate(log).anchors if a.activity == "meal"]
    assert all(a.from_wake for a in meals)
    assert [a.hour for a in meals] == pytest.approx([0.5] * len(meals), abs=0.3)


def test_who_is_away_for_days_stays_out_at_night() -> None:
    rows = []
    for d in range(0, 42, 3):  # two days at home, one night elsewhere
        rows += [(d * DAY + 23 * HOUR, 8 * HOUR, SLEEP), (d * DAY + 32 * HOUR, 600, MEAL)]
        rows += [(d * DAY + 34 * HOUR, 36 * HOUR, TV), (d * DAY + 70 * HOUR, 300, READ)]
    tables = calibrate(intervals(rows))
    assert tables.away == ("tv",)
    again = activity_log(Routine(tables, Streams(0), 0), 90)
    assert np.median(again.value[again.token == TV + 1]) > 24 * HOUR


def test_nights_without_a_name_are_lived_and_not_written() -> None:
    log = activity_log(Routine(person(unseen=("sleep",)), Streams(1), 0), 60)
    assert "sleep" not in log.vocabulary.actions
    tables = calibrate(log)
    assert tables.unseen == ("sleep",)
    bed = next(a for a in tables.anchors if a.activity == "sleep" and not a.ends)
    assert bed.hour == pytest.approx(23.0, abs=0.5)
    again = activity_log(Routine(tables, Streams(2), 0), 60)
    assert "sleep" not in again.vocabulary.actions
    assert st.gap_cv(st.streams(again)) == pytest.approx(st.gap_cv(st.streams(log)), abs=0.2)


def test_how_pauses_drift_is_found_again() -> None:
    base = {"anchors": (), "needs": (), "pause": 1.0, "pauses": (1.0, 60.0), "evenness": 0.95}
    for drift in (0.08, 0.17):
        log = activity_log(Routine(person(**base, drift=drift), Streams(1), 0), 60)
        assert calibrate(log).drift == pytest.approx(drift, abs=0.03)


@needs(HOMES)
@pytest.mark.parametrize("home", ["hh104", "hh102"])
def test_a_real_home_comes_back_to_life(home: str) -> None:
    log, _ = casas_xes.load(str(HOMES), home=home)
    tables = calibrate(log)
    lives = [activity_log(Routine(tables, Streams(seed), 0), 120) for seed in range(5)]
    met = [fidelity.counted(fidelity.gates(log, life)) for life in lives]
    assert {of for _, of in met} == {9}
    assert min(passed for passed, _ in met) >= 8
    assert sum(passed for passed, _ in met) >= 0.93 * 45
