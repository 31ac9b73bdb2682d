import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lam_env.scenarios.traffic.roads import cost, synthetic
from lam_env.scenarios.traffic.roads.network import Demand, NetworkError, RoadNetwork
from lam_env.scenarios.traffic.roads.routes import k_shortest
from lam_env.scenarios.traffic.roads.tntp import read_network, read_trips
from lam_env.scenarios.traffic.theory.assignment import user_equilibrium
from optimum import (
    all_or_nothing,
    beckmann,
    commuters,
    flow_cost,
    price_of_anarchy,
    read_flows,
    relative_gap,
    system_optimum,
    total_cost,
    trips_of,
    used,
)
from outside import FIGURES, NETWORKS, needs

REFERENCE = FIGURES / "traffic"


@st.composite
def cases(draw):
    """A random network where every zone can be reached, and trips between some of them."""
    chance = np.random.default_rng(draw(st.integers(0, 2**32)))
    nodes = draw(st.integers(3, 8))
    chords = [(a, b) for a in range(nodes) for b in range(nodes) if a != b and chance.random() < 0.3]
    tail, head = np.array([(i, (i + 1) % nodes) for i in range(nodes)] + chords).T
    n = len(tail)
    network = RoadNetwork(
        "random",
        nodes,
        nodes,
        tail,
        head,
        free_flow_time=chance.uniform(0, 10, n),
        capacity=chance.uniform(1, 10, n),
        b=chance.choice([0, 0.15, 1.0], n),
        power=chance.choice([1.0, 2.0, 4.0], n),
        fixed=chance.choice([0, 1.0], n),
    )
    trips = chance.uniform(0, 10, (nodes, nodes)) * (chance.random((nodes, nodes)) < 0.5)
    trips[0, 1] = 5
    return network, trips_of(trips)


def net_outflow(network, flow):
    """(nodes,) what leaves a node less what comes in."""
    return np.bincount(network.tail, flow, network.nodes) - np.bincount(network.head, flow, network.nodes)


def test_braess():
    network, demand = synthetic.braess(), commuters(6)
    equilibrium, optimum = (find(network, demand, gap=1e-12) for find in (user_equilibrium, system_optimum))
    assert total_cost(equilibrium) == pytest.approx(552, rel=1e-12)
    assert total_cost(optimum) == pytest.approx(498, rel=1e-12)
    assert equilibrium.flow == pytest.approx([4, 2, 2, 2, 4])
    assert optimum.flow == pytest.approx([3, 3, 3, 0, 3])
    assert equilibrium.gap <= 1e-12
    assert price_of_anarchy(equilibrium, optimum) == pytest.approx(552 / 498)


def test_braess_without_the_bridge_is_better_for_everybody():
    whole = synthetic.braess()
    kept = np.array([True, True, True, False, True])
    columns = {
        name: getattr(whole, name)[kept] for name in ("tail", "head", "free_flow_time", "capacity", "b", "power")
    }
    found = user_equilibrium(RoadNetwork("no bridge", 2, 4, **columns), commuters(6), gap=1e-12)
    assert total_cost(found) == pytest.approx(498)


def test_two_routes_take_equally_long():
    found = user_equilibrium(synthetic.two_route(), commuters(18), gap=1e-12)
    assert found.flow == pytest.approx([12, 12, 6, 6])
    assert found.cost == pytest.approx([30, 0, 30, 0])
    # 6 + 4 x = 12 + 6 (18 - x)
    assert system_optimum(synthetic.two_route(), commuters(18), gap=1e-12).flow == pytest.approx([11.4, 11.4, 6.6, 6.6])


def test_with_little_traffic_the_side_road_stays_empty():
    # the main road takes 6 + 2 * 3 = 12 min then, the side road 12 when empty
    found = user_equilibrium(synthetic.two_route(), commuters(3), gap=1e-12)
    assert found.flow == pytest.approx([3, 3, 0, 0])


def test_pigous_example():
    """One road takes 1, the other its flow: all take the second, half should (price of anarchy 4/3)."""
    network = RoadNetwork(
        "pigou",
        zones=2,
        nodes=2,
        tail=np.array([0, 0]),
        head=np.array([1, 1]),
        free_flow_time=np.array([1, 2.0**-60]),
        capacity=np.ones(2),
        b=np.array([0, 2.0**60]),
        power=np.array([0.0, 1.0]),
    )
    equilibrium, optimum = (find(network, commuters(1), gap=1e-12) for find in (user_equilibrium, system_optimum))
    assert equilibrium.flow == pytest.approx([0, 1], abs=1e-9)
    assert optimum.flow == pytest.approx([0.5, 0.5])
    assert price_of_anarchy(equilibrium, optimum) == pytest.approx(4 / 3)


def test_in_the_corridor_cars_spill_over_to_the_slow_road_when_it_is_as_fast():
    cars = synthetic.corridor().only("car")
    light, heavy = (user_equilibrium(cars, commuters(n), gap=1e-10) for n in (100, 800))
    assert light.flow == pytest.approx([100, 100, 0])
    assert heavy.flow[2] > 0
    assert heavy.cost[0] + heavy.cost[1] == pytest.approx(heavy.cost[2])


@given(cases())
def test_in_equilibrium_all_used_routes_of_a_pair_are_shortest(case):
    network, demand = case
    found = user_equilibrium(network, demand, gap=1e-9)
    assert found.gap <= 1e-9
    assert found.gap == pytest.approx(relative_gap(network, demand, found.flow), abs=1e-12)
    route_cost = found.routes.cost(found.cost)
    least = k_shortest(network, demand, found.cost, 1).cost(found.cost)
    lost = found.route_flow @ (route_cost - least[found.routes.pair])
    assert lost <= 1e-8 * total_cost(found)


@given(cases())
def test_trips_are_conserved(case):
    network, demand = case
    for found in (user_equilibrium(network, demand), system_optimum(network, demand), all_or_nothing(network, demand)):
        assert (found.route_flow >= 0).all()
        assert np.bincount(found.routes.pair, found.route_flow) == pytest.approx(demand.volume)
        ends = np.bincount(demand.origin, demand.volume, network.nodes)
        ends = ends - np.bincount(demand.destination, demand.volume, network.nodes)
        assert net_outflow(network, found.flow) == pytest.approx(ends, abs=1e-9 * demand.total)


@given(cases(), st.integers(0, 2**32))
def test_no_other_flows_have_a_lower_objective(case, seed):
    """Beckmann's for the equilibrium, the total cost for the optimum; both are convex, so any feasible flow will do."""
    network, demand = case
    equilibrium, optimum = (find(network, demand, gap=1e-9) for find in (user_equilibrium, system_optimum))
    chance = np.random.default_rng(seed)
    other = all_or_nothing(network, demand, chance.uniform(0.1, 1, network.links)).flow
    for share in (1.0, 0.1):
        mixed = [(1 - share) * found.flow + share * other for found in (equilibrium, optimum)]
        assert beckmann(equilibrium.network, equilibrium.flow) <= beckmann(network, mixed[0]) * (1 + 1e-9)
        assert total_cost(optimum) <= flow_cost(network, mixed[1]) * (1 + 1e-9)
    assert price_of_anarchy(equilibrium, optimum) >= 1 - 1e-9


@given(cases())
def test_others_on_the_road_count_for_cost_but_do_not_move(case):
    network, demand = case
    whole = user_equilibrium(network, demand, gap=1e-10)
    # with half of the equilibrium given, the other half has its equilibrium where it was
    rest = user_equilibrium(network, demand.scaled(0.5), gap=1e-10, background=whole.flow / 2)
    assert beckmann(rest.network, rest.flow) == pytest.approx(beckmann(whole.network, whole.flow), rel=1e-8)
    assert total_cost(rest) == pytest.approx(total_cost(whole), rel=1e-4)


def test_used_routes():
    found = system_optimum(synthetic.braess(), commuters(6), gap=1e-12)
    assert sorted(map(used(found).of_route, range(2))) == [[0, 2], [1, 4]]


def test_too_few_iterations_show_in_the_gap():
    found = user_equilibrium(synthetic.grid_network(4), grid_trips(4), gap=1e-12, max_iterations=1)
    assert found.iterations == 1
    # nobody has moved from what is shortest on empty roads
    assert found.gap == pytest.approx(all_or_nothing(synthetic.grid_network(4), grid_trips(4)).gap)
    assert found.gap > 0.01


def test_settings_that_make_no_sense_are_refused():
    for wrong in ({"gap": 0}, {"gap": float("nan")}, {"max_iterations": 0}):
        with pytest.raises(NetworkError, match="both must be positive"):
            user_equilibrium(synthetic.braess(), commuters(6), **wrong)


def test_trips_without_a_way_are_refused():
    back = trips_of(np.array([[0, 1.0], [1, 0]]))
    for find in (user_equilibrium, system_optimum, all_or_nothing):
        with pytest.raises(NetworkError, match="1 trips from zone 1 to zone 0, but no way there"):
            find(synthetic.braess(), back)


def grid_trips(n: int) -> Demand:
    """Everybody to everybody, far above capacity in the middle."""
    return trips_of(np.full((n * n, n * n), 120.0))


def test_a_symmetric_grid_has_symmetric_flows():
    found = user_equilibrium(synthetic.grid_network(4), grid_trips(4), gap=1e-12)
    back = {ends: link for link, ends in enumerate(zip(found.network.tail, found.network.head, strict=True))}
    reverse = [back[head, tail] for tail, head in zip(found.network.tail, found.network.head, strict=True)]
    assert found.flow == pytest.approx(found.flow[reverse], rel=1e-5)


@needs(NETWORKS, REFERENCE)
@pytest.mark.parametrize("place", ["SiouxFalls/SiouxFalls", "Eastern-Massachusetts/EMA"])
def test_published_networks(place):
    reference = {one["name"]: one for one in json.loads((REFERENCE / "assignment.json").read_text())}
    expected = reference[place.partition("/")[0]]
    network = read_network(NETWORKS / f"{place}_net.tntp")
    demand = read_trips(NETWORKS / f"{place}_trips.tntp", network)
    equilibrium = user_equilibrium(network, demand, gap=1e-10)
    optimum = system_optimum(network, demand, gap=1e-10)
    assert max(equilibrium.gap, optimum.gap) <= 1e-10
    assert max(equilibrium.iterations, optimum.iterations) <= 20  # gradient projection alone needs 70 to 150
    assert total_cost(equilibrium) == pytest.approx(expected["ue"]["TSTT"], rel=1e-6)
    assert beckmann(equilibrium.network, equilibrium.flow) == pytest.approx(expected["ue"]["beckmann"], rel=1e-9)
    assert total_cost(optimum) == pytest.approx(expected["so"]["TSTT"], rel=1e-9)
    assert price_of_anarchy(equilibrium, optimum) == pytest.approx(expected["PoA"], rel=1e-6)


@needs(NETWORKS, REFERENCE)
def test_sioux_falls_flows_are_the_best_known_ones():
    network = read_network(NETWORKS / "SiouxFalls/SiouxFalls_net.tntp")
    demand = read_trips(NETWORKS / "SiouxFalls/SiouxFalls_trips.tntp", network)
    known, known_cost = read_flows(NETWORKS / "SiouxFalls/SiouxFalls_flow.tntp", network)
    assert relative_gap(network, demand, known) == pytest.approx(0, abs=1e-12)
    assert cost.link_cost(network, known) == pytest.approx(known_cost)
    found = user_equilibrium(network, demand, gap=1e-12)
    assert 1 - np.corrcoef(found.flow, known)[0, 1] < 1e-9
    optimum = system_optimum(network, demand, gap=1e-12)
    with open(REFERENCE / "SiouxFalls_flows.csv") as file:
        rows = {(int(r["init"]) - 1, int(r["term"]) - 1): float(r["so_flow"]) for r in csv.DictReader(file)}
    best = [rows[ends] for ends in zip(network.tail.tolist(), network.head.tolist(), strict=True)]
    assert optimum.flow == pytest.approx(best, rel=1e-4)


@pytest.mark.slow
@needs(NETWORKS, REFERENCE)
def test_chicago_sketch():
    folder = NETWORKS / "Chicago-Sketch"
    network = read_network(folder / "ChicagoSketch_net.tntp.gz")
    network = replace(network, fixed=0.02 * network.toll + 0.04 * network.length)  # [min] for money and km
    demand = read_trips(folder / "ChicagoSketch_trips.tntp.gz", network)
    known, _ = read_flows(folder / "ChicagoSketch_flow.tntp.gz", network)
    found = user_equilibrium(network, demand, gap=1e-4)
    assert found.gap <= 1e-4
    assert found.iterations <= 20
    assert total_cost(found) == pytest.approx(flow_cost(network, known), rel=1e-4)
    assert np.corrcoef(found.flow, known)[0, 1] > 0.9999
