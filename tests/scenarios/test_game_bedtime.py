"""A bedtime learned from when somebody plays and stops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lam_env.scenarios.game import Game
from lam_env.scenarios.game.player.bedtime import BEDTIMES, NIGHT, Bedtime
from lam_env.scenarios.game.player.traits import BED, BED_SPREAD
from lam_env.scenarios.game.rules.compiled import logistic

from lam_env.core.observation import ObservationRows
from lam_env.core.rng import Streams
from lam_env.core.units import DAY

GAME = Game()
USUAL, SLEEPY = -1.5, 0.7


def world_of(seed, **settings):
    scenario = Game(**settings)
    return scenario.make_world(Streams(seed), ObservationRows(1, scenario.vocabulary).row(0))


def test_it_begins_with_the_bedtimes_of_all_players():
    assert Bedtime().mean == pytest.approx(BED)
    assert np.std(BEDTIMES) == pytest.approx(BED_SPREAD, rel=0.1)


@pytest.mark.parametrize(("hour", "same"), [(23.9, 23.9), (0.5, 24.5), (4.9, 28.9), (5.0, 5.0), (12.0, 12.0)])
def test_a_night_goes_on_after_midnight(hour, same):
    world = world_of(0)
    world.now = round((DAY * 3 / 3600 + hour) * 3600)
    assert world.hour() == pytest.approx(same)


@given(st.floats(5, 29), st.floats(0, 240))
def test_late_minutes_are_the_mean_over_what_is_believed(hour, minutes):
    bedtime = Bedtime()
    bedtime.begins(24.0)
    expected = sum(
        w * (60 * max(0, hour - b) - 60 * max(0, hour - minutes / 60 - b))
        for w, b in zip(bedtime.weights, BEDTIMES, strict=True)
    )
    assert bedtime.late(hour, minutes) == pytest.approx(expected, abs=1e-6)
    assert 0 <= bedtime.late(hour, minutes) <= minutes + 1e-6
    ahead = bedtime.ahead(hour - minutes / 60, [minutes])
    assert ahead == pytest.approx([expected], abs=1e-6)


def test_what_happens_by_day_tells_nothing():
    bedtime = Bedtime()
    bedtime.begins(20.0)
    bedtime.chooses(NIGHT - 0.1, True, USUAL, SLEEPY)
    assert bedtime.weights == Bedtime().weights


def test_who_plays_on_at_night_goes_to_bed_late():
    early, late, begun = Bedtime(), Bedtime(), Bedtime()
    early.chooses(24.5, True, USUAL, SLEEPY)
    late.chooses(24.5, False, USUAL, SLEEPY)
    begun.begins(24.5)
    assert early.mean < BED < late.mean
    assert begun.mean > late.mean


@pytest.mark.parametrize("bed", [22.5, 23.5, 24.5])
def test_it_finds_the_true_bedtime(bed):
    rng, bedtime = np.random.default_rng(0), Bedtime()
    for hour in rng.uniform(22, 27, 1500):
        bedtime.chooses(hour, bool(rng.random() < logistic(USUAL + SLEEPY * max(0, hour - bed))), USUAL, SLEEPY)
    assert bedtime.mean == pytest.approx(bed, abs=0.35)  # the bedtimes lie .3 to .6 h apart


@settings(max_examples=40)
@given(st.lists(st.tuples(st.floats(20, 29), st.sampled_from(("begin", "stay", "leave"))), max_size=80))
def test_it_stays_a_belief(evenings):
    bedtime = Bedtime()
    for hour, what in evenings:
        if what == "begin":
            bedtime.begins(hour)
        else:
            bedtime.chooses(hour, what == "leave", USUAL, SLEEPY)
    assert sum(bedtime.weights) == pytest.approx(1)
    assert BEDTIMES[0] <= bedtime.mean <= BEDTIMES[-1] + 1e-9


def test_players_bedtimes_are_learned_as_they_play():
    """Those who often play at night: it is nearer to the truth than the population's."""
    keen = {"churn": -30.0, "gap_hours": 0.4, "gap_long": 0.0, "end": 0.12, "days": 12}
    found = []
    for seed in range(40):
        world = world_of(seed, **keen)
        while not world.step(0):
            pass
        found.append((world.player.bedtime.mean, world.traits.bed))
    told, true = np.array(found).T
    assert np.corrcoef(told, true)[0, 1] > 0.5
    assert np.abs(told - true).mean() < np.abs(true - BED).mean()


def test_advice_does_not_move_it():
    """Where every choice is advised, only the beginnings of sessions tell."""
    for seed in range(30):
        world, begun = world_of(seed, days=5), Bedtime()
        sessions, ended = 0, False
        while not ended:
            if world.sessions > sessions:
                sessions = world.sessions
                begun.begins(world.hour())
            assert world.player.bedtime.weights == begun.weights
            ended = world.step(
                next(a for a, m in enumerate(world.row.mask) if m and a) if any(world.row.mask[1:]) else 0
            )
