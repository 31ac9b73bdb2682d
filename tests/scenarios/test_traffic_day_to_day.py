import json

import numpy as np
import pytest
from compliance import compliance_curve
from day_to_day import Population, Revision, drawn, simulate
from hypothesis import given
from hypothesis import strategies as st
from lam_env.scenarios.traffic.roads import cost, synthetic
from lam_env.scenarios.traffic.roads.network import Demand, NetworkError
from lam_env.scenarios.traffic.roads.routes import k_shortest
from lam_env.scenarios.traffic.roads.tntp import read_network, read_trips
from lam_env.scenarios.traffic.theory.assignment import user_equilibrium
from optimum import commuters, system_optimum, total_cost, trips_of
from outside import FIGURES, NETWORKS, needs
from stochastic import logit_shares, stochastic_equilibrium

from lam_env.core.rng import Streams

SIOUX_FALLS, REFERENCE = NETWORKS / "SiouxFalls", FIGURES / "traffic/day_to_day.json"
TWO_ROUTE = synthetic.two_route()
COMMUTERS = commuters(18.0)


def commute(rule, days, agents=1800, seed=0, **more):
    population = Population.of(COMMUTERS, 18 / agents)
    return simulate(TWO_ROUTE, COMMUTERS, population, rule, days, Streams(seed), **more)


def both_roads():
    return k_shortest(TWO_ROUTE, COMMUTERS, cost.link_cost(TWO_ROUTE, np.zeros(4)), 2)


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=6), st.floats(0.1, 20))
def test_a_population_is_the_whole_demand(volumes, trips):
    pairs = len(volumes)
    demand = Demand(np.zeros(pairs, int), np.arange(1, pairs + 1), np.array(volumes))
    population = Population.of(demand, trips)
    assert np.bincount(population.pair, population.trips) == pytest.approx(demand.volume)
    assert (np.diff(population.pair) >= 0).all()
    big = demand.volume > 10 * trips
    assert (abs(population.trips / trips - 1) < 0.06)[big[population.pair]].all()


@given(st.integers(1, 40), st.floats(0, 1))
def test_agents_spread_over_routes_as_flows_do(agents, share):
    population = Population.of(COMMUTERS, 18 / agents)
    route = population.spread(both_roads(), np.array([share * 18, (1 - share) * 18]))
    assert abs(np.count_nonzero(route == 0) - share * agents) <= 0.5 + 1e-9


@given(st.integers(0, 2**32))
def test_draws_at_the_very_ends_stay_within_the_pair(seed):
    network = synthetic.grid_network(4)
    demand = trips_of(np.ones((16, 16)))
    routes = k_shortest(network, demand, np.random.default_rng(seed).uniform(1, 2, network.links), 3)
    shares = logit_shares(routes, routes.cost(np.ones(network.links)), theta=0.5)
    pair = np.arange(len(demand.volume))
    lowest, highest = (drawn(routes, shares, pair, np.full(len(pair), u)) for u in (2.0**-54, 1 - 2.0**-53))
    assert lowest.tolist() == routes.first.tolist()
    assert highest.tolist() == [*(routes.first[1:] - 1), len(routes) - 1]


def test_everybody_every_day_means_that_all_take_yesterdays_faster_road():
    days = commute(Revision(revise=1), days=5)
    # 6 + 2 * 18 against 12 on the empty side road; then 12 + 3 * 18 against 6
    assert days.flow[:, 0] == pytest.approx([18, 0, 18, 0, 18])
    assert days.gap == pytest.approx([1 - 12 / 42, 1 - 6 / 66, 1 - 12 / 42, 1 - 6 / 66, 1 - 12 / 42])
    assert days.total_cost == pytest.approx([18 * 42, 18 * 66, 18 * 42, 18 * 66, 18 * 42])
    assert days.switched.tolist() == [0, 1, 1, 1, 1]


@pytest.mark.parametrize("rule", [Revision(revise=0.01), Revision(revise=None)], ids=["calm", "msa"])
def test_calm_revision_comes_near_equilibrium(rule):
    days = commute(rule, days=300)
    assert days.flow[-20:, 0].mean() == pytest.approx(12, abs=0.15)
    assert days.gap[-20:].mean() < 0.02 < 0.5 < days.gap[0]


def test_logit_choice_settles_at_the_stochastic_equilibrium():
    expected = stochastic_equilibrium(TWO_ROUTE, COMMUTERS, both_roads(), theta=0.2).flow[0]
    days = commute(Revision(revise=0.05, theta=0.2), days=300, agents=18_000)
    assert days.flow[-100:, 0].mean() == pytest.approx(expected, abs=0.1)
    assert abs(expected - 12) > 0.3  # which is not the user equilibrium


def test_choices_of_different_days_are_independent():
    days = commute(Revision(revise=1, theta=1e-9), days=20, routes=both_roads())
    assert days.switched[2:] == pytest.approx([0.5] * 18, abs=0.06)  # five standard errors


def test_a_long_memory_calms_the_naive():
    swings = [commute(Revision(revise=1, theta=1, memory=eta), days=200).flow[-50:, 0].std() for eta in (1, 0.05)]
    assert swings[0] > 5 * swings[1]


@given(st.integers(0, 2**32), st.sampled_from([None, 0.05, 1.0]), st.sampled_from([None, 0.5]))
def test_vehicles_are_conserved_every_day(seed, revise, theta):
    network = synthetic.grid_network(3)
    demand = trips_of(np.random.default_rng(seed).uniform(0, 200, (9, 9)))
    population = Population.of(demand, 10)
    days = simulate(network, demand, population, Revision(revise, theta), 4, Streams(seed))
    ends = np.bincount(demand.origin, demand.volume, 9) - np.bincount(demand.destination, demand.volume, 9)
    for flow in days.flow:
        out = np.bincount(network.tail, flow, 9) - np.bincount(network.head, flow, 9)
        assert out == pytest.approx(ends, abs=1e-6)
    assert (days.routes.pair[days.route] == population.pair).all()
    last = days.routes.flow(np.bincount(days.route, population.trips, len(days.routes)))
    assert last == pytest.approx(days.flow[-1])
    assert ((days.gap >= -1e-12) & (days.gap <= 1)).all()


def test_days_depend_on_the_seed_and_on_nothing_else():
    one, same, other = (commute(Revision(), days=10, seed=seed).flow for seed in (1, 1, 2))
    assert (one == same).all()
    assert (one != other).any()
    # a longer run begins with the same days
    assert (commute(Revision(), days=20, seed=1).flow[:10] == one).all()


def test_agents_who_stay_never_move():
    routes = both_roads()
    route = np.repeat([0, 1], 900)
    stays = np.arange(1800) % 3 == 0
    days = commute(Revision(revise=1), days=7, routes=routes, route=route, stays=stays)
    assert (days.route[stays] == route[stays]).all()
    assert len(set(days.route[~stays].tolist())) == 1


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"revise": 0}, "revise is 0; give a share above 0 and at most 1"),
        ({"revise": 1.5}, "revise is 1.5"),
        ({"memory": 0}, "memory is 0"),
        ({"theta": -1}, "theta is -1; give a number above 0"),
        ({"theta": float("inf")}, "theta is inf"),
    ],
)
def test_rules_that_make_no_sense_are_refused(settings, said):
    with pytest.raises(NetworkError, match=said):
        Revision(**settings)


def test_populations_that_make_no_sense_are_refused():
    with pytest.raises(NetworkError, match="an agent for 0 trips"):
        Population.of(COMMUTERS, 0)
    with pytest.raises(NetworkError, match="a pair of zones without flow"):
        Population.of(COMMUTERS, 1).spread(both_roads(), np.zeros(2))


def test_on_two_routes_the_others_undo_the_advice_until_they_run_out():
    """The optimum puts 6.6 of 18 on the side road, equilibrium 6: who does not follow leaves it, up to 10/11."""
    points = compliance_curve(TWO_ROUTE, COMMUTERS, [0, 0.5, 0.9, 0.95, 1], gap=1e-12)
    assert [p.total_cost for p in points[:3]] == pytest.approx([540] * 3)
    assert [p.gain for p in points[:3]] == pytest.approx([0] * 3, abs=1e-6)
    side = 0.95 * 6.6
    assert points[3].total_cost == pytest.approx((18 - side) * (6 + 2 * (18 - side)) + side * (12 + 3 * side))
    assert points[4].gain == 1
    # in the optimum the side road takes 31.8 min and the main road 28.8
    assert points[4].regret == pytest.approx(6.6 * 3 / 18)
    assert points[0].regret == 0


def test_at_braess_following_pays_in_the_end():
    demand = commuters(6.0)
    points = compliance_curve(synthetic.braess(), demand, [0, 0.25, 0.5, 0.75, 1], gap=1e-12)
    totals = [p.total_cost for p in points]
    assert totals[0] == pytest.approx(552)
    assert totals[-1] == pytest.approx(498)
    assert totals == sorted(totals, reverse=True)


def test_where_equilibrium_is_the_optimum_there_is_nothing_to_gain():
    points = compliance_curve(synthetic.bottleneck(), COMMUTERS, [0, 0.5, 1])
    assert [p.gain for p in points] == [0, 0, 0]


def test_shares_are_shares():
    with pytest.raises(NetworkError, match="give numbers from 0 to 1"):
        compliance_curve(TWO_ROUTE, COMMUTERS, [0.5, 1.5])


def sioux_falls():
    network = read_network(SIOUX_FALLS / "SiouxFalls_net.tntp")
    return network, read_trips(SIOUX_FALLS / "SiouxFalls_trips.tntp", network)


@needs(SIOUX_FALLS, REFERENCE)
def test_sioux_falls_compliance_curve():
    rows = json.loads(REFERENCE.read_text())["compliance"]
    points = compliance_curve(*sioux_falls(), [row["compliance"] for row in rows])
    for point, row in zip(points, rows, strict=True):
        assert point.gain == pytest.approx(row["gain_closed"], abs=0.002)
        assert point.regret == pytest.approx(row["complier_mean_regret_min"], abs=0.002)


@needs(SIOUX_FALLS, REFERENCE)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("rule", "error"),
    [(Revision(revise=0.02), 0.005), (Revision(revise=0.05), 0.01), (Revision(revise=None), 0.01)],
    ids=["2 % a day", "5 % a day", "msa"],
)
def test_sioux_falls_calm_revision_comes_near_equilibrium(rule, error, seed):
    network, demand = sioux_falls()
    equilibrium = user_equilibrium(network, demand)
    population = Population.of(demand, 10)
    assert len(population.pair) == 36_060
    days = simulate(network, demand, population, rule, 300, Streams(seed))
    assert np.mean([np.corrcoef(flow, equilibrium.flow)[0, 1] for flow in days.flow[-20:]]) >= 0.999
    assert days.gap[-20:].mean() <= 0.01
    assert days.total_cost[-20:].mean() == pytest.approx(total_cost(equilibrium), rel=error)


@needs(SIOUX_FALLS, REFERENCE)
@pytest.mark.parametrize("rule", [Revision(revise=1), Revision(revise=1, theta=1)], ids=["best reply", "logit"])
def test_sioux_falls_collapses_if_everybody_revises_daily(rule):
    network, demand = sioux_falls()
    days = simulate(network, demand, Population.of(demand, 10), rule, 60, Streams(0))
    assert days.gap[-20:].min() > 0.5
    assert days.total_cost[-20:].mean() > 3 * total_cost(user_equilibrium(network, demand))


@pytest.mark.slow
@needs(SIOUX_FALLS, REFERENCE)
@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_sioux_falls_agents_who_follow_advice_reach_the_curve(share):
    """The same curve from below: followers keep their routes of the optimum, the others learn from day to day."""
    network, demand = sioux_falls()
    optimum, equilibrium = system_optimum(network, demand), user_equilibrium(network, demand)
    population = Population.of(demand, 10)
    advised = population.spread(optimum.routes, optimum.route_flow)
    follows = Streams(0)("travellers", "follow").block(0, len(advised)) < share
    days = simulate(
        network, demand, population, Revision(revise=None), 1000, Streams(0), optimum.routes, advised, stays=follows
    )
    gain = (total_cost(equilibrium) - days.total_cost[-20:].mean()) / (total_cost(equilibrium) - total_cost(optimum))
    expected = {row["compliance"]: row["gain_closed"] for row in json.loads(REFERENCE.read_text())["compliance"]}
    assert gain == pytest.approx(expected[share], abs=0.05)
