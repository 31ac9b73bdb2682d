"""Vickrey's bottleneck on the point queue, and the two-route game, against their known answers."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from outside import FIGURES, needs
from route_game import EQUILIBRIUM, PLAYERS, play
from vickrey import Bottleneck, simulate

from lam_env.core.errors import UserError
from lam_env.core.rng import Streams

TARGETS = FIGURES / "traffic/bottleneck.json"
MORNING = Bottleneck()  # 3,000 commuters, N / s = 1 h

bottlenecks = st.builds(
    Bottleneck,
    commuters=st.integers(1, 400),
    capacity=st.floats(50, 5000),
    alpha=st.floats(5, 20),
    beta=st.floats(0.5, 4.5),
    gamma=st.floats(0.5, 40),
    preferred=st.floats(-10, 10),
    free_time=st.floats(0, 2),
)


def test_the_analytic_equilibrium_of_the_textbook_case():
    assert MORNING.cost == pytest.approx(3.104, abs=5e-4)
    assert MORNING.max_delay == pytest.approx(0.485, abs=5e-4)
    assert MORNING.optimum_cost == MORNING.cost / 2
    assert (MORNING.first, MORNING.last) == pytest.approx((-0.7959, 0.2041), abs=5e-5)


@needs(TARGETS)
def test_the_analytic_equilibrium_is_that_of_the_reference():
    target = json.loads(TARGETS.read_text())["analytic"]
    found = {
        "t_first": MORNING.first,
        "t_last": MORNING.last,
        "cost": MORNING.cost,
        "max_delay_h": MORNING.max_delay,
        "TC": MORNING.cost * MORNING.commuters,
        "SO_TC": MORNING.optimum_cost * MORNING.commuters,
        "t_ontime_dep": MORNING.preferred - MORNING.max_delay,
    }
    assert found == pytest.approx({name: target[name] for name in found}, rel=1e-12)


def test_equilibrium_departures_through_the_queue_cost_what_theory_says():
    morning = simulate(MORNING, MORNING.equilibrium_departures())
    assert morning.mean_cost == pytest.approx(3.104, rel=1e-3)
    assert morning.queue_share == pytest.approx(0.5, abs=0.005)
    assert morning.max_delay == pytest.approx(0.485, abs=1e-3)
    # equilibrium: nobody can do better, for all have the same cost
    assert morning.costs.min() == pytest.approx(morning.costs.max(), rel=1e-3)


def test_nobody_gains_by_another_departure():
    departures = MORNING.equilibrium_departures()
    cost = simulate(MORNING, departures).mean_cost
    for time in np.linspace(MORNING.first - 0.5, MORNING.last + 0.5, 25):
        moved = departures.copy()
        moved[1500] = time
        assert simulate(MORNING, moved).costs[1500] > cost * (1 - 2e-3)


def test_the_optimum_has_no_queue_and_half_the_cost():
    morning = simulate(MORNING, MORNING.optimum_departures())
    assert morning.delays.max() == 0
    assert morning.mean_cost == pytest.approx(MORNING.cost / 2, rel=1e-6)
    assert morning.queue_share == 0


def test_all_at_once_is_served_at_capacity():
    few = Bottleneck(commuters=5, capacity=3600)
    morning = simulate(few, np.full(5, -0.25))
    assert morning.delays * 3600 == pytest.approx([0, 1, 2, 3, 4])
    assert morning.arrivals * 3600 == pytest.approx(np.arange(5) - 900)
    assert morning.costs[4] == pytest.approx(6.4 * 4 / 3600 + 3.9 * 896 / 3600)


def test_the_more_commuters_the_nearer_to_theory():
    def gap(n):
        case = Bottleneck(n, n)
        return abs(simulate(case, case.equilibrium_departures()).mean_cost / case.cost - 1)

    gaps = [gap(n) for n in (50, 500, 5000)]
    assert gaps[0] > 5 * gaps[1] > 25 * gaps[2]


def test_where_and_when_the_rush_hour_is_makes_no_difference():
    base = simulate(MORNING, MORNING.equilibrium_departures())
    moved = replace(MORNING, preferred=8.5, free_time=0.3)
    other = simulate(moved, moved.equilibrium_departures())
    assert other.mean_cost == pytest.approx(base.mean_cost, rel=1e-6)
    assert other.arrivals - 8.5 == pytest.approx(base.arrivals, abs=1e-6)


@given(bottlenecks)
def test_departures_are_in_order_and_within_the_rush_hour(case):
    for departures in (case.equilibrium_departures(), case.optimum_departures()):
        assert departures.shape == (case.commuters,)
        assert (np.diff(departures) > 0).all()
        assert departures[0] > case.first - case.free_time
        assert departures[-1] < case.last - case.free_time


@given(bottlenecks)
def test_the_last_to_arrive_meets_no_queue_and_costs_are_alike(case):
    """Early and late ends of the rush hour cost the same, and so does arriving on time."""
    first, last = case.schedule_cost(np.array([case.first, case.last]))
    assert first == pytest.approx(case.cost)
    assert last == pytest.approx(case.cost)
    assert case.alpha * case.max_delay == pytest.approx(case.cost)


@given(bottlenecks, st.integers(0, 2**20))
def test_arrivals_keep_the_order_of_departures_and_the_capacity(case, seed):
    departures = np.sort(np.random.default_rng(seed).uniform(0, 0.2, case.commuters))
    arrivals = simulate(case, departures).arrivals
    millisecond = 1.1 / 3.6e6
    assert (np.diff(arrivals) >= 1 / case.capacity - millisecond).all()
    assert (arrivals >= departures + case.free_time - millisecond).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"commuters": 0}, "commuters must be at least 1"),
        ({"capacity": 0.0}, "capacity above 0"),
        ({"beta": 7.0}, "0 < beta < alpha"),
        ({"gamma": -1.0}, "gamma > 0"),
        ({"free_time": -0.1}, "free_time must be at least 0 h"),
    ],
)
def test_bad_parameters_are_told_in_one_line(settings, message):
    with pytest.raises(UserError, match=message):
        Bottleneck(**settings)


def test_departures_have_to_be_times():
    for departures in (np.array([]), np.array([0.0, np.nan]), np.zeros((2, 2))):
        with pytest.raises(UserError, match="departures must be finite times"):
            simulate(MORNING, departures)


# -- the two-route game -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("propensity", [10.0, 40.0])
def test_the_mean_split_is_the_equilibrium_and_fluctuations_persist(propensity):
    games = np.array([play(Streams(seed), propensity=propensity) for seed in range(10)])
    assert (games.sum(2) == PLAYERS).all()
    assert games.mean((0, 1)) == pytest.approx(EQUILIBRIUM, abs=0.3)
    late = games[:, 100:, 0].std(1)
    assert late.min() > 0.5  # in every game, to the end
    assert late.mean() > games[:, 10:100, 0].std(1).mean() / 2  # they do not die out


def test_a_game_is_a_function_of_its_seed_and_does_not_depend_on_its_length():
    assert (play(Streams(3), 60)[:20] == play(Streams(3), 20)).all()
    assert (play(Streams(3), 60) != play(Streams(4), 60)).any()
    with pytest.raises(UserError, match="periods must be at least 1"):
        play(Streams(0), 0)
    with pytest.raises(UserError, match="propensity above 0"):
        play(Streams(0), propensity=0.0)
