"""The diagram of a network: where its nodes and links lie on the map of the traffic picture."""

import itertools
import math

import pytest
from lam_env.scenarios.traffic.picture.layout import along, length, link_ways, node_points, part, trimmed
from lam_env.scenarios.traffic.picture.roads import Style
from lam_env.scenarios.traffic.picture.view import LinkView, NodeView, TrafficView
from lam_env.scenarios.traffic.roads import synthetic

NETWORKS = {
    "corridor": synthetic.corridor,
    "bottleneck": synthetic.bottleneck,
    "two_route": synthetic.two_route,
    "braess": synthetic.braess,
    **{f"grid_{n}": lambda n=n: synthetic.grid_network(n) for n in range(2, 6)},
}


def laid_out(name):
    net = NETWORKS[name]()
    nodes = tuple(NodeView(float(x), float(y)) for x, y in net.xy)
    links = tuple(LinkView(int(a), int(b), mode) for a, b, mode in zip(net.tail, net.head, net.mode, strict=True))
    shown = TrafficView(name, nodes, links, "Tue 07:42", 7.7)
    style = Style.of(shown)
    at = node_points(nodes, (40.0, 90.0, 640.0, 360.0), 3.4 * style.node)
    return shown, style, at, link_ways(links, at, 100.0, style.road + 4, style.node + style.road / 2)


@pytest.mark.parametrize("name", NETWORKS)
def test_nodes_keep_apart_and_in_their_order(name):
    shown, style, at, _ = laid_out(name)
    assert all(40 <= x <= 640 and 90 <= y <= 360 for x, y in at)
    assert min(math.dist(a, b) for a, b in itertools.combinations(at, 2)) > 2.6 * style.node
    for (a, p), (b, q) in itertools.combinations(zip(shown.nodes, at, strict=True), 2):
        assert (a.x < b.x) == (p[0] < q[0] - 1e-6)
        assert (a.y < b.y) == (p[1] > q[1] + 1e-6)  # north is up


@pytest.mark.parametrize("name", NETWORKS)
def test_no_link_hides_another(name):
    shown, style, at, ways = laid_out(name)
    middles = [along(way, 0.5)[0] for way in ways]
    for (i, a), (k, b) in itertools.combinations(enumerate(middles), 2):
        same = {shown.links[i].tail, shown.links[i].head} == {shown.links[k].tail, shown.links[k].head}
        assert not same or math.dist(a, b) >= style.road
    for link, way in zip(shown.links, ways, strict=True):
        assert math.dist(way[0], at[link.tail]) <= style.road
        assert math.dist(way[-1], at[link.head]) <= style.road


def test_two_directions_drive_on_the_right():
    nodes, links = (NodeView(0, 0), NodeView(1, 0)), (LinkView(0, 1), LinkView(1, 0))
    east, west = link_ways(links, node_points(nodes, (0, 0, 100, 100), 1), 30, 10, 5)
    assert along(east, 0.5)[0] == pytest.approx((50, 55))  # y grows downwards: south of the middle
    assert along(west, 0.5)[0] == pytest.approx((50, 45))


def test_a_stretch_of_a_way():
    way = ((0.0, 0.0), (10.0, 0.0), (10.0, 10.0))
    assert length(way) == 20
    assert along(way, 0.75) == ((10.0, 5.0), pytest.approx((0.0, 1.0)))
    assert part(way, 0.25, 0.75) == ((5.0, 0.0), (10.0, 0.0), (10.0, 5.0))
    assert trimmed(way, 2.0, 3.0) == (pytest.approx((2.0, 0.0)), (10.0, 0.0), pytest.approx((10.0, 7.0)))
    assert length(trimmed(way, 100.0, 100.0)) == pytest.approx(4.0)  # something always remains


def test_crowded_nodes_are_moved_apart():
    nodes = (NodeView(0, 0), NodeView(100, 100), NodeView(100, 100), NodeView(100.1, 100), NodeView(0, 0))
    at = node_points(nodes, (0.0, 0.0, 500.0, 300.0), 30.0)
    assert min(math.dist(a, b) for a, b in itertools.combinations(at, 2)) > 25
    assert all(0 <= x <= 500 and 0 <= y <= 300 for x, y in at)
