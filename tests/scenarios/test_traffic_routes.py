import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lam_env.scenarios.traffic.roads.network import Demand, NetworkError, RoadNetwork
from lam_env.scenarios.traffic.roads.routes import k_shortest, least_cost, shortest, with_cheaper


def network_of(links, zones=2, nodes=4, first_thru=0) -> RoadNetwork:
    """links: (tail, head)."""
    tail, head = np.array(links).T
    one = np.ones(1)
    return RoadNetwork("test", zones, nodes, tail, head, one, one, one, one, first_thru=first_thru)


def trips(*pairs) -> Demand:
    origin, destination = np.array(pairs).T
    return Demand(origin, destination, np.ones(len(pairs)))


def ways(network, origin, destination):
    """Every loopless route as a list of links, by depth-first search: slow, and independent of the library."""
    out = []

    def walk(node, links, seen):
        if node == destination:
            out.append(links)
            return
        if links and node < network.first_thru:
            return
        for link in np.flatnonzero(network.tail == node).tolist():
            head = int(network.head[link])
            if head not in seen:
                walk(head, [*links, link], seen | {head})

    walk(origin, [], {origin})
    return out


@st.composite
def cases(draw):
    """A network whose nodes lie on a ring, with chords and perhaps parallel links, and a cost of every link."""
    nodes = draw(st.integers(3, 6))
    node = st.integers(0, nodes - 1)
    chords = draw(st.lists(st.tuples(node, node).filter(lambda ends: ends[0] != ends[1]), max_size=8))
    ring = [(i, (i + 1) % nodes) for i in range(nodes)]
    network = network_of(ring + chords, zones=nodes, nodes=nodes, first_thru=draw(st.integers(0, 2)))
    cost = draw(st.lists(st.integers(0, 9), min_size=network.links, max_size=network.links))
    pairs = [(a, b) for a in range(nodes) for b in range(nodes) if a != b and ways(network, a, b)]
    return network, trips(*pairs), np.array(cost, float)


@given(cases())
def test_shortest_routes_are_ways_and_none_is_cheaper(case):
    network, demand, cost = case
    routes = shortest(network, demand, cost)
    assert routes.pair.tolist() == list(range(len(demand.volume)))
    costs = routes.cost(cost)
    assert least_cost(network, demand, cost).tolist() == costs.tolist()
    for pair, (origin, destination) in enumerate(zip(demand.origin, demand.destination, strict=True)):
        all_ways = ways(network, origin, destination)
        assert routes.of_route(pair) in [sorted(way) for way in all_ways]
        assert costs[pair] == min(cost[way].sum() for way in all_ways)


@given(cases(), st.integers(1, 4))
def test_k_shortest_routes_are_the_k_cheapest_ways_between_nodes(case, k):
    network, demand, cost = case
    cost = cost + 1  # ties of length zero have no definite order
    routes = k_shortest(network, demand, cost, k)
    costs = routes.cost(cost)
    for pair, (origin, destination) in enumerate(zip(demand.origin, demand.destination, strict=True)):
        by_nodes = {}  # of parallel links only the cheapest makes a route
        for way in ways(network, origin, destination):
            nodes = tuple(network.head[way])
            by_nodes[nodes] = min(by_nodes.get(nodes, np.inf), cost[way].sum())
        mine = np.flatnonzero(routes.pair == pair)
        assert costs[mine].tolist() == sorted(by_nodes.values())[:k]
        assert len({tuple(routes.of_route(r)) for r in mine}) == len(mine)


def test_zones_below_the_first_through_node_are_not_passed_through():
    links = [(0, 2), (2, 1), (0, 3), (3, 4), (4, 1)]
    cost = np.array([1.0, 1, 5, 5, 5])
    open_ = network_of(links, zones=3, nodes=5)
    closed = network_of(links, zones=3, nodes=5, first_thru=3)
    assert shortest(open_, trips((0, 1)), cost).of_route(0) == [0, 1]
    assert shortest(closed, trips((0, 1)), cost).of_route(0) == [2, 3, 4]
    # they are still places to start from and to go to
    assert shortest(closed, trips((0, 2), (2, 1)), cost).cost(cost).tolist() == [1, 1]
    assert k_shortest(closed, trips((0, 1)), cost, 3).cost(cost).tolist() == [15]


def test_links_that_cost_nothing_are_links():
    network = network_of([(0, 2), (2, 1), (0, 1)])
    cost = np.array([0.0, 0, 1])
    assert shortest(network, trips((0, 1)), cost).of_route(0) == [0, 1]
    assert k_shortest(network, trips((0, 1)), cost, 2).cost(cost).tolist() == [0, 1]


def test_of_parallel_links_the_cheapest_is_taken():
    network = network_of([(0, 1), (0, 1)])
    assert shortest(network, trips((0, 1)), np.array([2.0, 1])).of_route(0) == [1]
    assert shortest(network, trips((0, 1)), np.array([1.0, 2])).of_route(0) == [0]


@pytest.mark.parametrize("search", [shortest, lambda n, d, c: k_shortest(n, d, c, 2)])
def test_zones_without_a_way_and_zones_that_do_not_exist_are_named(search):
    network = network_of([(0, 2), (2, 1)], zones=3)
    with pytest.raises(NetworkError, match="1 trips from zone 1 to zone 0, but no way there"):
        search(network, trips((0, 1), (1, 0)), np.ones(2))
    with pytest.raises(NetworkError, match="trips of zone 3, but zones are 0 to 2"):
        search(network, trips((0, 3)), np.ones(2))


def test_without_a_way_the_least_cost_is_infinite():
    network = network_of([(0, 2), (2, 1)])
    assert least_cost(network, trips((0, 1), (1, 0)), np.ones(2)).tolist() == [2, np.inf]


def test_only_cheaper_routes_are_added():
    network = network_of([(0, 2), (2, 1), (0, 3), (3, 1)], zones=3)
    demand = trips((0, 1), (0, 2))
    cost = np.array([1.0, 1, 2, 2])
    upper, lower = shortest(network, demand, cost), shortest(network, demand, 1 / cost)
    same, place = with_cheaper(upper, lower, cost)
    assert same is upper
    assert place.tolist() == [0, 1]
    more, place = with_cheaper(lower, upper, cost)
    assert more.pair.tolist() == [0, 0, 1]
    assert [more.of_route(r) for r in place] == [lower.of_route(r) for r in range(2)]
    assert more.of_route(more.cheapest(more.cost(cost))[0]) == [0, 1]


@given(cases(), st.integers(0, 2**32))
def test_sums_over_routes(case, seed):
    network, demand, cost = case
    routes = k_shortest(network, demand, cost + 1, 3)
    flows = np.random.default_rng(seed).uniform(size=len(routes))
    assert routes.flow(flows) @ cost == pytest.approx(flows @ routes.cost(cost))
    assert (routes.pair[routes.first] == np.arange(len(demand.volume))).all()
    cheapest = routes.cheapest(routes.cost(cost))
    assert (routes.pair[cheapest] == np.arange(len(demand.volume))).all()
    assert (routes.cost(cost)[cheapest] == np.minimum.reduceat(routes.cost(cost), routes.first)).all()
