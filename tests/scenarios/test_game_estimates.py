"""What a company can tell of a player: ratings, expected flow, and what each action is likely to be worth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lam_env.scenarios.game.player.player import SOFT
from lam_env.scenarios.game.player.rating import Rating
from lam_env.scenarios.game.rules.compiled import logistic
from lam_env.scenarios.game.scenario import Game
from lam_env.scenarios.game.world.estimates import (
    MORE_PLAYS,
    PLAYS_AHEAD,
    likely_flow,
    likely_flows,
    worths,
)
from lam_env.scenarios.game.world.world import GameWorld

from lam_env.core.observation import ObservationRows
from lam_env.core.rng import Streams
from lam_env.core.units import DAY

GAME = Game()
WORDS = GAME.game.words


def world(seed=3, choices=0):
    """A player after so many decisions."""
    made = GameWorld(GAME.game, Streams(seed), ObservationRows(1, GAME.vocabulary).row(0))
    for _ in range(choices):
        made.step(0)
    return made


def choosing(choices):
    """The first player who then is to choose what to play, with room in the day."""
    return next(
        w for w in (world(seed, choices) for seed in range(50)) if w.due and w.moment != 3 and w.today_minutes() < 60
    )


# -- rating


def test_a_win_raises_it_a_loss_lowers_it_and_both_make_it_surer():
    for won, sign in ((True, 1), (False, -1)):
        rating = Rating(1.0)
        rating.see(0.5, 1.6, won)
        assert rating.mean * sign > 0
        assert rating.variance < 1


def test_one_outcome_moves_it_as_the_formula_says():
    rating = Rating(1.0)
    rating.see(0.5, 1.6, True)  # an even chance: .5 - .5 + 0
    variance = 1 / (1 + 1.6**2 / 4)
    assert (rating.variance, rating.mean) == pytest.approx((variance, variance * 1.6 / 2))


@pytest.mark.parametrize("skill", [-1.2, 0.0, 1.5])
def test_it_finds_the_true_skill(skill):
    rng, rating = np.random.default_rng(0), Rating(1.0)
    for demand in rng.normal(0.3, 0.8, 600):
        rating.see(demand, 1.6, bool(rng.random() < logistic(1.6 * (0.5 - demand + skill))))
    assert rating.mean == pytest.approx(skill, abs=4 * math.sqrt(rating.variance))
    assert math.sqrt(rating.variance) < 0.1


def test_where_all_are_equally_good_nothing_moves_it():
    rating = Rating(0.0)
    for _ in range(50):
        rating.see(0.5, 1.6, True)
    assert abs(rating.mean) < 1e-3


@settings(max_examples=60)
@given(st.lists(st.tuples(st.floats(-6, 6), st.booleans()), max_size=60))
def test_it_stays_finite_and_only_gets_surer(plays):
    rating, before = Rating(1.0), 1.0
    for demand, won in plays:
        rating.see(demand, 1.6, won)
        assert 0 < rating.variance <= before
        before = rating.variance
    assert math.isfinite(rating.mean)


def test_players_are_rated_as_they_play():
    """The rating of many players goes with their skill."""
    found = [(w.player.rating.mean, w.traits.skill) for w in (world(seed, 60) for seed in range(40)) if w.plays]
    assert np.corrcoef(np.array(found).T)[0, 1] > 0.5


# -- flow


def test_expected_flow_is_the_mean_over_what_is_believed():
    player = world(choices=8).player
    rng = np.random.default_rng(1)
    skill = rng.normal(player.rating.mean, math.sqrt(player.rating.variance), 200_000)
    for bare in (-0.8, 0.4, 1.5):
        x = bare + player.demand() - skill
        assert likely_flows(player, [bare], [0.0])[0] == pytest.approx(np.exp(-(x**2)).mean(), abs=0.005)


def test_what_cannot_be_lost_has_its_own_flow_and_sameness_takes_from_both():
    player = world().player
    fresh, stale = likely_flows(player, [None, None], [0.0, 0.6])
    assert (fresh, stale < fresh) == (SOFT, True)
    fresh, stale = likely_flows(player, [0.2, 0.2], [0.0, 0.6])
    assert stale < fresh


def test_the_flow_of_one_activity_is_that_of_all():
    player = world(choices=12).player
    every = likely_flows(player, player.bare, player.habit)
    assert [likely_flow(player, k) for k in range(GAME.game.n)] == every


# -- worths


def told(made):
    quality, late = worths(made)
    return dict(zip(GAME.vocabulary.actions[1:], zip(quality, late, strict=True), strict=True))


def test_the_readings_are_what_is_told_and_the_vocabulary_knows_them_as_values():
    made = choosing(8)
    assert set(GAME.vocabulary.values()) == {"quality", "late"}
    for kind, part in zip(("quality", "late"), worths(made), strict=True):
        channels = GAME.vocabulary.values()[kind]
        assert [made.row.context[c] for c in channels] == pytest.approx(part, rel=1e-5, abs=1e-6)
    assert all(
        f"{kind}.{a}" in GAME.vocabulary.readings for kind in ("quality", "late") for a in GAME.vocabulary.actions[1:]
    )


def test_worths_are_against_what_is_mostly_done():
    """Equal to the definition, written out: minutes times expected flow, less their mean over habits."""
    made = choosing(10)
    player, game = made.player, GAME.game
    shares = np.array(player.habit) + 0.02
    shares /= shares.sum()
    minutes = np.array(game.mean_minutes)
    flow = {d: np.array(likely_flows(player, player.bare, player.habit, d)) for d in (-0.5, 0.0, 0.5)}
    mean = {d: shares @ (minutes * f) for d, f in flow.items()}
    found = told(made)
    assert [found[a][0] for a in WORDS.activities] == pytest.approx((minutes * flow[0.0] - mean[0.0]).tolist())
    assert found["log_out"][0] == pytest.approx(-(1 + MORE_PLAYS) * mean[0.0])
    assert found["easier"][0] == pytest.approx(PLAYS_AHEAD * (mean[-0.5] - mean[0.0]))
    assert found["harder"][0] == pytest.approx(PLAYS_AHEAD * (mean[0.5] - mean[0.0]))
    assert all(x == (0, 0) for a, x in found.items() if a in [line.name for line in game.rules.lines])


def test_who_wins_all_the_time_is_told_to_try_harder():
    made = world(choices=3)
    made.player.rating.mean, made.player.rating.variance = made.player.demand() + 2.0, 0.05
    assert told(made)["harder"][0] > 0 > told(made)["easier"][0]
    made.player.rating.mean = made.player.demand() - 2.0
    assert told(made)["easier"][0] > 0 > told(made)["harder"][0]


def test_at_night_what_ends_it_is_worth_most():
    made = world(choices=3)
    made.now = made.now // DAY * DAY + 2 * 3600 + DAY
    late = {a: x[1] for a, x in told(made).items()}
    assert min(late, key=late.get) == "log_out"
    assert late["log_out"] < late["shop"] < late["dungeon"]
    made.now = made.now // DAY * DAY + 15 * 3600
    assert not any(x[1] for x in told(made).values())


def test_when_the_day_is_full_more_play_is_worth_nothing():
    made = world(choices=3)
    made._today, made._today_flow = (made.now - made.start) // DAY, 500.0
    assert not any(x[0] for x in told(made).values())


def test_a_line_is_worth_what_it_makes_of_plays():
    made = next(w for w in (world(seed, n) for seed in range(30) for n in range(5, 40)) if w.moment == 3)
    found = told(made)
    names = [line.name for line in GAME.game.rules.lines]
    assert sum(found[name][0] for name in names) == pytest.approx(0, abs=1e-9)
    assert len({found[name][0] for name in names}) == len(names)
    assert all(x == (0, 0) for a, x in found.items() if a not in names)
