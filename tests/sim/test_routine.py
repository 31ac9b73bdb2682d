"""The routine: contiguous, repeatable, by the clock, by needs, by weights, and cheap."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from plain_habits import MEAL, OUT, READ, SLEEP, TOILET, TV, make

from lam_env.core.behaviour_tables import Anchor, BehaviourTables, Need
from lam_env.core.rng import Streams
from lam_env.core.units import DAY, HOUR
from lam_env.sim.diary import activity_log
from lam_env.sim.routine import CUT, IDLE, LAPSE, SHORTEST, Act, Routine, gamma_quantiles


def live(tables: BehaviourTables, days: int = 30, seed: int = 0, start: int = 4 * HOUR, **more: bool) -> list[Act]:
    acts = Routine(tables, Streams(seed), 0).acts(start, **more)
    return list(itertools.takewhile(lambda a: a.start < days * DAY, acts))


def of(acts: list[Act], activity: int) -> np.ndarray:
    return np.array([(a.start, a.end) for a in acts if a.activity == activity])


@given(seed=some.integers(0, 2**32), start=some.integers(0, 30 * DAY), asleep=some.booleans())
def test_acts_are_contiguous_numbered_and_start_where_asked(seed: int, start: int, asleep: bool) -> None:
    tables = make(again=np.full(6, 0.3), evenness=0.9, brevity=0.4, mood=0.2, taste=0.5, resume=0.5)
    acts = list(itertools.islice(Routine(tables, Streams(seed), 0).acts(start, asleep), 200))
    assert acts[0].start == start
    assert acts[0].activity == SLEEP or not asleep
    for a, b in itertools.pairwise(acts):
        assert a.end == b.start
        assert b.day == b.start // DAY
        assert b.ordinal == (a.ordinal + 1 if b.day == a.day else 0)
    assert all(a.end > a.start and IDLE <= a.activity < 6 for a in acts)
    assert {type(x) for a in acts for x in a} == {int}


def test_same_streams_same_life_and_other_streams_another() -> None:
    assert live(make(), 5) == live(make(), 5)
    assert live(make(), 5) != live(make(), 5, seed=1)
    one, other = (list(itertools.islice(Routine(make(), Streams(0), actor).acts(), 50)) for actor in (0, 1))
    assert one != other


def test_two_iterators_do_not_disturb_each_other() -> None:
    routine = Routine(make(), Streams(3), 0)
    a, b = routine.acts(), routine.acts()
    ahead = [next(a) for _ in range(300)]
    assert [next(b) for _ in range(300)] == ahead


def test_anchored_acts_happen_about_their_hour_on_their_days() -> None:
    tables = make(anchors=(*make().anchors, Anchor("out", 15.0, 0.2, skip=0.3, days="weekend")), needs=())
    acts = live(tables, 200)
    meals = of(acts, MEAL)[:, 0]
    assert len(meals) == 200  # never skipped, once a day
    hours = meals % DAY / HOUR
    assert hours.mean() == pytest.approx(12.5, abs=0.1)
    # a normal of sd .3 cut at two sd
    assert hours.std() == pytest.approx(0.3 * 0.88, rel=0.2)
    assert np.abs(hours - 12.5).max() < CUT * 0.3 + SHORTEST / HOUR + 0.01
    outs = of(acts, OUT)[:, 0]
    assert set((outs // DAY % 7).tolist()) == {5, 6}
    assert len(outs) / 57 == pytest.approx(0.7, abs=0.15)


def test_sleep_is_bounded_by_the_clock_at_both_ends() -> None:
    sleeps = of(live(make(needs=(), pause=0.0), 200), SLEEP)[1:]
    wake, bed = sleeps[:, 1] % DAY / HOUR, (sleeps[:, 0] / HOUR + 6) % 24 - 6
    assert len(sleeps) == 199 or len(sleeps) == 200
    assert wake.mean() == pytest.approx(7.0, abs=0.15)
    assert wake.std() == pytest.approx(0.5 * 0.88, rel=0.2)
    assert np.where(bed < 12, bed + 24, bed).mean() == pytest.approx(23.0, abs=0.15)


def test_weekend_shift_and_the_night_that_leads_into_the_weekend() -> None:
    tables = make(weekend_shift=2.0, needs=(), pause=0.0, anchors=tuple(
        dataclasses.replace(a, sd=0.01) for a in make().anchors))  # fmt: skip
    sleeps = of(live(tables, 15), SLEEP)[1:]
    wakes = {int(e // DAY % 7): round(e % DAY / HOUR) for _, e in sleeps}
    assert wakes == {0: 7, 1: 7, 2: 7, 3: 7, 4: 7, 5: 9, 6: 9}
    # Friday and Saturday night are long, Sunday night is not
    late = sorted({int((s - 12 * HOUR) // DAY % 7) for s, _ in sleeps if 0 <= s % DAY < 12 * HOUR})
    assert late == [4, 5]


def test_acts_that_count_from_waking_follow_it() -> None:
    tables = make(anchors=(Anchor("meal", 0.5, 0.05, from_wake=True), *make().anchors[:2]), needs=(), pause=0.0)
    acts = live(tables, 60)
    wakes, meals = of(acts, SLEEP)[:60, 1], of(acts, MEAL)[:60, 0]
    assert np.abs((meals - wakes) / HOUR - 0.5).max() < 0.15


def test_the_rotation_of_shifts() -> None:
    tables = make(rotation=2, needs=(), anchors=(*make().anchors[:2], Anchor("out", 9.0, 0.1, week=0),
                                                 Anchor("out", 15.0, 0.1, week=1)))  # fmt: skip
    for start, _ in of(live(tables, 28), OUT):
        assert round(start % DAY / HOUR) == (9 if start // DAY // 7 % 2 == 0 else 15)


def test_an_act_that_the_clock_missed_lapses_but_bedtime_does_not() -> None:
    day = (480.0, 480.0)
    tables = make(needs=(), anchors=(*make().anchors, Anchor("out", 9.0, 0.01, minutes=day)))
    assert len(of(live(tables, 20), MEAL)) == 0  # due at 12.5 h, back at 17 h
    assert LAPSE < 4 * HOUR
    tables = make(needs=(), anchors=(*make().anchors, Anchor("out", 20.0, 0.01, minutes=day)))
    sleeps = of(live(tables, 20), SLEEP)[2:]
    assert np.abs(sleeps[:, 0] % DAY / HOUR - 4.0).max() < 0.05  # straight to bed


def test_a_need_comes_back_at_its_mean_time_awake() -> None:
    acts = live(make(needs=(Need("toilet", 2.0, 4.0),), pause=0.0), 100)
    slept = sum(a.end - a.start for a in acts if a.activity == SLEEP)
    awake = (100 * DAY - slept) / HOUR
    # fillers are not cut short: a need waits for their end
    assert 2.0 < awake / len(of(acts, TOILET)) < 3.0
    urgent = live(make(needs=(Need("toilet", 2.0, 4.0, interrupts=True),), pause=0.0), 100)
    assert len(of(urgent, TOILET)) > len(of(acts, TOILET))
    assert awake / len(of(urgent, TOILET)) == pytest.approx(2.1, abs=0.15)


def test_needs_wake_her_only_where_they_rise_in_sleep_and_sleep_goes_on() -> None:
    def nightly(asleep: float) -> list[int]:
        acts = live(make(needs=(Need("toilet", 3.0, 4.0, asleep=asleep),)), 60)
        out = []
        for a, b, c in zip(acts, acts[1:], acts[2:], strict=False):
            if a.activity == SLEEP and b.activity == TOILET and c.activity == SLEEP:
                out.append(b.start)
        return out

    assert nightly(0.0) == []
    assert 15 < len(nightly(0.25)) < len(nightly(0.6))
    sleeps = of(live(make(needs=(Need("toilet", 3.0, 4.0, asleep=0.25),)), 60), SLEEP)
    assert (sleeps[:, 1] - sleeps[:, 0]).min() >= 1


def test_a_filler_cut_short_by_a_need_is_taken_up_again() -> None:
    def resumed(resume: float) -> float:
        needs = (Need("toilet", 0.7, 4.0, interrupts=True),)
        acts = [a.activity for a in live(make(needs=needs, pause=0.0, resume=resume), 60)]
        triples = [(a, c) for a, b, c in zip(acts, acts[1:], acts[2:], strict=False) if b == TOILET and a in (TV, READ)]
        return sum(a == c for a, c in triples) / len(triples)

    assert resumed(1.0) > resumed(0.0) + 0.2


def test_going_back_after_one_other_act() -> None:
    hourly = np.ones((24, 6))
    hourly[:, [SLEEP, OUT]] = 0

    def back(p: float) -> float:
        acts = [a.activity for a in live(make(needs=(), pause=0.0, hourly=hourly, again=np.full(6, p)), 100)]
        return float(np.mean([a == c for a, c in zip(acts, acts[2:], strict=False)]))

    assert back(0.5) > back(0.0) + 0.25


def test_fillers_follow_the_weights_of_hour_and_forerunner() -> None:
    hourly = np.zeros((24, 6))
    hourly[:18, READ], hourly[18:, TV] = 1.0, 1.0
    acts = live(make(hourly=hourly, follow=np.ones((6, 6)), needs=()), 60)
    assert {a.start % DAY // HOUR >= 18 for a in acts if a.activity == TV} == {True}
    assert {a.start % DAY // HOUR < 18 for a in acts if a.activity == READ} == {True}
    follow = np.zeros((6, 6))
    follow[TV, READ] = follow[READ, TV] = follow[MEAL, TV] = follow[SLEEP, READ] = 1.0
    names = [a.activity for a in live(make(follow=follow, needs=(), pause=0.0), 60)]
    after = {(a, b) for a, b in itertools.pairwise(names) if b in (TV, READ)}
    assert after == {(TV, READ), (READ, TV), (MEAL, TV), (SLEEP, READ)}


def test_an_hour_without_weights_is_idle_and_forbidden_followers_fall_back() -> None:
    acts = live(make(hourly=np.zeros((24, 6)), needs=()), 10)
    assert {a.activity for a in acts} == {SLEEP, MEAL, IDLE}
    acts = live(make(follow=np.zeros((6, 6)), needs=()), 10)
    assert {TV, READ} <= {a.activity for a in acts}


@pytest.mark.parametrize("evenness", [0.0, 0.9])
def test_lengths_follow_the_quantiles_however_even(evenness: float) -> None:
    hourly = np.zeros((24, 6))
    hourly[:, READ] = 1.0
    tables = make(hourly=hourly, follow=np.ones((6, 6)), anchors=make().anchors[:2], needs=(), pause=0.0)
    acts = live(dataclasses.replace(tables, evenness=evenness), 200)
    # those that the clock cannot have cut
    minutes = np.array([(a.end - a.start) / 60 for a in acts if a.activity == READ and 8 <= a.start % DAY // HOUR < 20])
    assert np.quantile(minutes, [0.25, 0.5, 0.75]) == pytest.approx([12.5, 20.0, 40.0], rel=0.1)
    assert minutes.min() >= 5
    assert minutes.max() <= 60


def test_evenness_makes_day_counts_regular() -> None:
    def fano(evenness: float) -> float:
        wild = {
            **make().durations,
            "read": tuple(np.exp(np.linspace(0, 5, 21))),
            "tv": tuple(np.exp(np.linspace(0, 5, 21))),
        }
        log = activity_log(Routine(make(durations=wild, evenness=evenness), Streams(0), 0), 150)
        counts = np.bincount(log.time // DAY)
        return float(counts.var() / counts.mean())

    assert fano(0.95) < 0.6 * fano(0.0)


def test_what_follows_a_long_pause_is_short() -> None:
    def correlation(brevity: float) -> float:
        acts = live(make(needs=(), pause=1.0, anchors=make().anchors[:2], brevity=brevity), 60)
        pairs = [(a.end - a.start, b.end - b.start) for a, b in itertools.pairwise(acts) if a.activity == IDLE]
        return float(np.corrcoef(np.array(pairs).T)[0, 1])

    assert correlation(0.0) > -0.15
    assert correlation(0.8) < -0.45


def test_the_night_may_hold_more_than_sleep_but_ends_with_it() -> None:
    night = np.array([4.0, 1, 0, 0, 0, 0])
    tables = make(night=night, night_pauses=(1.0, 2.0, 10.0), pause=0.8, needs=(), follow=np.ones((6, 6)))
    acts = live(tables, 60)
    asleep = [a for a in acts if a.activity == SLEEP]
    assert len(asleep) > 4 * 60
    wakes = {a.end for a in asleep}
    planned = [t for d in range(60) for t, i in Routine(tables, Streams(0), 0).plan(d) if i == 0]
    assert sum(t in wakes for t in planned) >= 59


def test_a_long_time_away_sees_to_the_needs() -> None:
    long_day = Anchor("out", 8.0, 0.01, minutes=(600.0, 600.0))
    acts = live(make(anchors=(*make().anchors[:2], long_day), needs=(Need("toilet", 3.0, 400.0),), pause=0.0), 20)
    home = {a.end for a in acts if a.activity == OUT}
    assert not [a for a in acts if a.activity == TOILET and a.start in home]


def test_weekends_may_be_slower() -> None:
    tables = make(weekend_pace=2.0, needs=())
    log = activity_log(Routine(tables, Streams(0), 0), 140)
    counts = np.bincount(log.time // DAY, minlength=140)
    assert counts[np.arange(140) % 7 >= 5].mean() < 0.75 * counts[np.arange(140) % 7 < 5].mean()


def test_moods_and_tastes_make_days_differ() -> None:
    def spread(**more: float) -> float:
        log = activity_log(Routine(make(needs=(), pause=0.0, **more), Streams(0), 0), 150)
        days = [log.value[(log.time // DAY == d) & (log.token == TV + 1)].sum() / HOUR for d in range(150)]
        return float(np.std(days))

    assert spread(mood=0.8) > 1.1 * spread()
    assert spread(taste=1.0) > 1.1 * spread()


@given(shape=some.floats(1, 50), mean=some.floats(0.1, 20))
def test_gamma_quantiles(shape: float, mean: float) -> None:
    q = np.array(gamma_quantiles(shape, mean, 200))
    assert (np.diff(q) >= 0).all()
    middle = (q[1:] + q[:-1]) / 2
    assert middle.mean() == pytest.approx(mean, rel=0.05)
    assert middle.std() == pytest.approx(mean / math.sqrt(shape), rel=0.12)


def test_what_is_led_comes_next_whatever_the_clock_says() -> None:
    tables = make(leads={"read": "out"}, pauses_after={"read": (60.0, 200.0)})
    acts = [a for a in live(tables, 60) if a.activity != IDLE]
    after = [b.activity for a, b in itertools.pairwise(acts) if a.activity == READ]
    assert len(after) > 60
    assert set(after) == {OUT}
    free = [a for a in live(make(pauses_after={"read": (60.0, 200.0)}), 60) if a.activity != IDLE]
    assert {b.activity for a, b in itertools.pairwise(free) if a.activity == READ} >= {TOILET, MEAL, SLEEP}


def test_who_stays_out_all_night_sleeps_in_the_next_one() -> None:
    """Two days and a half outside: no day that begins meanwhile loses its plan."""
    away = {"hourly": np.eye(6)[[OUT] * 24], "needs": (), "pause": 0.0, "follow": np.ones((6, 6))}
    tables = make(**away, durations={**make().durations, "out": (3600.0, 3600.0)})
    acts = live(tables, 60)
    out = [a for a in acts if a.activity == OUT and a.end - a.start == 60 * HOUR]
    assert len(out) > 10
    beds = [a for a in acts if a.activity == SLEEP][1:]
    assert all(a.start % DAY > 20 * HOUR or a.start % DAY < 8 * HOUR for a in beds)
    short = live(make(**away, away=(), durations=tables.durations), 60)
    assert max(a.end - a.start for a in short if a.activity == OUT) < 20 * HOUR  # a bedtime ends what is done at home


def test_pauses_give_way_where_a_day_is_ahead_or_behind() -> None:
    def counts(steady: float) -> np.ndarray:
        usual = np.maximum(0.0, (np.arange(24) - 6.5) * 1.2)
        tables = make(needs=(), pauses=(1.0, 10.0, 120.0), pause=1.0, usual=usual, steady=steady)
        log = activity_log(Routine(tables, Streams(3), 0), 150)
        return np.bincount(log.time // DAY, minlength=150)[1:-1]

    assert counts(0.3).var() < 0.7 * counts(0.0).var()


def test_long_pauses_come_together_where_the_drift_is_small() -> None:
    def neighbours(drift: float) -> float:
        tables = make(anchors=(), needs=(), pauses=(1.0, 60.0), pause=1.0, evenness=1.0, drift=drift)
        length = np.array([a.end - a.start for a in live(tables, 40) if a.activity == IDLE])
        return float(np.corrcoef(length[1:], length[:-1])[0, 1])

    for drift in (0.05, 0.12, 0.3):  # of uniform u and u + d mod 1
        assert neighbours(drift) == pytest.approx(1 - 6 * drift * (1 - drift), abs=0.05)
