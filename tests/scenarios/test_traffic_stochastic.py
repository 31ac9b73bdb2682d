import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lam_env.scenarios.traffic.roads import cost, synthetic
from lam_env.scenarios.traffic.roads.network import NetworkError
from lam_env.scenarios.traffic.roads.routes import k_shortest
from lam_env.scenarios.traffic.roads.tntp import read_network, read_trips
from lam_env.scenarios.traffic.theory.assignment import user_equilibrium
from optimum import commuters, marginal_cost, merged, system_optimum, trips_of, used
from outside import FIGURES, NETWORKS, needs
from stochastic import logit_shares, stochastic_equilibrium

SIOUX_FALLS, REFERENCE = NETWORKS / "SiouxFalls", FIGURES / "traffic/day_to_day.json"


def both_roads():
    """The two-route network, 18 commuters and their two routes."""
    network = synthetic.two_route()
    demand = commuters(18.0)
    return network, demand, k_shortest(network, demand, cost.link_cost(network, np.zeros(4)), 2)


def test_shares_are_logit():
    routes = both_roads()[2]
    shares = logit_shares(routes, np.array([10.0, 12.0]), theta=0.5)
    assert shares == pytest.approx([1 / (1 + np.exp(-1)), 1 / (1 + np.exp(1))])
    assert logit_shares(routes, np.array([10.0, 12.0]), theta=0) == pytest.approx([0.5, 0.5])
    assert logit_shares(routes, np.array([1e6, 1e6 + 1e4]), theta=5).tolist() == [1, 0]  # without overflow


@given(st.floats(0.01, 20))
def test_flows_are_the_logit_flows_of_their_own_costs(theta):
    network, demand, routes = both_roads()
    found = stochastic_equilibrium(network, demand, routes, theta, gap=1e-9)
    assert found.gap <= 1e-9
    main, side = found.route_flow
    assert main + side == pytest.approx(18)
    assert np.log(main / side) == pytest.approx(-theta * ((6 + 2 * main) - (12 + 3 * side)), abs=1e-6 * (1 + theta))


def test_clear_eyes_lead_to_user_equilibrium_and_blind_ones_to_even_shares():
    network, demand, routes = both_roads()
    assert stochastic_equilibrium(network, demand, routes, 200, gap=1e-9).flow == pytest.approx(
        [12, 12, 6, 6], abs=0.01
    )
    assert stochastic_equilibrium(network, demand, routes, 1e-9, gap=1e-9).flow == pytest.approx([9] * 4, abs=1e-6)


def test_the_better_people_see_the_nearer_to_equilibrium():
    network = synthetic.grid_network(4)
    demand = trips_of(np.full((16, 16), 120.0))
    equilibrium = user_equilibrium(network, demand, gap=1e-9)
    routes = merged(used(equilibrium), k_shortest(network, demand, equilibrium.cost, 4))
    found = [stochastic_equilibrium(network, demand, routes, theta).flow for theta in (0.1, 0.5, 2, 10)]
    distance = [np.linalg.norm(flow - equilibrium.flow) for flow in found]
    assert distance == sorted(distance, reverse=True)
    assert distance[-1] < distance[0] / 5


def test_too_few_iterations_show_in_the_gap():
    network, demand, routes = both_roads()
    found = stochastic_equilibrium(network, demand, routes, 5, gap=1e-12, max_iterations=1)
    assert (found.iterations, found.gap > 1e-12) == (1, True)


def test_what_makes_no_sense_is_refused():
    network, demand, routes = both_roads()
    for theta in (0, -1, float("inf"), float("nan")):
        with pytest.raises(NetworkError, match="give a number above 0"):
            stochastic_equilibrium(network, demand, routes, theta)
    other = trips_of(np.full((4, 4), 1.0))
    with pytest.raises(NetworkError, match="routes are those of another demand"):
        stochastic_equilibrium(synthetic.grid_network(2), other, routes, 1)


@needs(SIOUX_FALLS, REFERENCE)
def test_sioux_falls():
    """The routes behind the figures were not kept. These are all that are shortest in the user equilibrium or (at
    marginal costs) in the system optimum, which does not depend on a solver. What remains differs by the set of routes.
    """
    network = read_network(SIOUX_FALLS / "SiouxFalls_net.tntp")
    demand = read_trips(SIOUX_FALLS / "SiouxFalls_trips.tntp", network)
    equilibrium, optimum = (find(network, demand, gap=1e-12) for find in (user_equilibrium, system_optimum))
    routes = merged(
        least(network, demand, equilibrium.cost), least(network, demand, marginal_cost(network, optimum.flow))
    )
    for row in json.loads(REFERENCE.read_text())["logit_SUE"]:
        found = stochastic_equilibrium(network, demand, routes, row["theta_per_min"], gap=1e-4)
        assert found.gap <= 1e-4
        assert np.corrcoef(found.flow, equilibrium.flow)[0, 1] == pytest.approx(row["corr_ue"], abs=0.002)


def least(network, demand, link_cost):
    """All routes of least cost, up to what the equilibrium leaves open."""
    routes = k_shortest(network, demand, link_cost, 30)
    route_cost = routes.cost(link_cost)
    kept = route_cost <= route_cost[routes.cheapest(route_cost)][routes.pair] * (1 + 1e-6)
    assert np.bincount(routes.pair[kept]).max() < 30  # so none was missed
    return routes.select(kept)
