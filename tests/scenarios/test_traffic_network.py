from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lam_env.scenarios.traffic.roads import synthetic
from lam_env.scenarios.traffic.roads.network import Demand, NetworkError, RoadNetwork

from lam_env.core.errors import UserError

ALL = [
    synthetic.two_route(),
    synthetic.braess(),
    synthetic.bottleneck(),
    synthetic.corridor(),
    synthetic.grid_network(3),
]
GOOD = {
    "name": "two links",
    "zones": 2,
    "nodes": 3,
    "tail": np.array([0, 2]),
    "head": np.array([2, 1]),
    "free_flow_time": np.array([1.0, 2]),
    "capacity": np.array([10.0, 20]),
    "b": np.array([0.15]),
    "power": np.array([4.0]),
}


def test_one_number_stands_for_all_links():
    network = RoadNetwork(**GOOD)
    assert network.links == 2
    assert network.b.tolist() == [0.15, 0.15]
    assert network.toll.tolist() == network.fixed.tolist() == [0, 0]
    assert network.mode == ("car", "car")


def test_a_network_cannot_be_changed_and_does_not_follow_its_sources():
    capacity = np.array([10.0, 20])
    network = RoadNetwork(**GOOD | {"capacity": capacity})
    capacity[0] = 0
    assert network.capacity.tolist() == [10, 20]
    with pytest.raises(ValueError, match="read-only"):
        network.capacity[0] = 1
    with pytest.raises(FrozenInstanceError):
        network.zones = 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"zones": 0}, "0 zones of 3 nodes"),
        ({"zones": 4}, "4 zones of 3 nodes"),
        ({"nodes": 10**12}, "give 1 <= zones <= nodes"),
        ({"first_thru": 3}, "only zones"),
        ({"tail": np.array([0, 3])}, "link 1 has no node as its tail: nodes are 0 to 2"),
        ({"head": np.array([-1, 1])}, "link 0 has no node as its head"),
        ({"head": np.array([2.5, 1])}, "2.5 is no whole number"),
        ({"head": np.array([0, 1])}, "link 0 starts and ends at the same node"),
        ({"capacity": np.array([1.0, 0])}, "link 1 has a capacity that is not positive"),
        ({"capacity": np.array([-1.0, 1])}, "link 0 has a capacity that is not positive"),
        ({"capacity": np.array([1.0, np.nan])}, "link 1 has no finite capacity"),
        ({"free_flow_time": np.array([1.0, -1])}, "link 1 has a negative free_flow_time"),
        ({"free_flow_time": np.array([np.inf, 1])}, "link 0 has no finite free_flow_time"),
        ({"b": np.array([-0.1])}, "link 0 has a negative b"),
        ({"power": np.array([0.5])}, "power between 0 and 1"),
        ({"length": np.array([1.0, -2])}, "link 1 has a negative length"),
        ({"fixed": np.array([-1.0])}, "link 0 has a negative fixed"),
        ({"b": np.ones(3)}, "b has shape (3,); give one number for each of the 2 links"),
        ({"mode": ("car",)}, "1 modes; give one for each of the 2 links"),
        ({"xy": np.zeros((2, 2))}, "xy has shape (2, 2); give (3, 2)"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(change, said):
    with pytest.raises(NetworkError) as error:
        RoadNetwork(**GOOD | change)
    assert isinstance(error.value, UserError)
    assert said in str(error.value)
    assert str(error.value).startswith("network 'two links': ")
    assert "\n" not in str(error.value)


def test_the_first_faulty_link_is_named():
    with pytest.raises(NetworkError, match="link 0 has a negative b"):
        RoadNetwork(**GOOD | {"b": np.array([-1.0, 0.15]), "capacity": np.array([10.0, 0])})


def test_links_of_one_mode():
    corridor = synthetic.corridor()
    assert corridor.only("car").links == 3
    assert corridor.only("bus").free_flow_time.tolist() == [32]
    with pytest.raises(NetworkError, match="no links of mode 'tram'; there are bus, car"):
        corridor.only("tram")


@pytest.mark.parametrize("network", ALL, ids=lambda n: n.name)
def test_own_networks_have_coordinates_for_every_node_and_use_every_node(network):
    assert network.xy.shape == (network.nodes, 2)
    assert len(np.unique(network.xy, axis=0)) == network.nodes
    assert set(network.tail) | set(network.head) == set(range(network.nodes))


@given(st.integers(2, 6))
def test_a_grid_has_a_road_each_way_between_neighbours(n):
    grid = synthetic.grid_network(n)
    assert grid.links == 4 * n * (n - 1)
    ends = set(zip(grid.tail.tolist(), grid.head.tolist(), strict=True))
    assert len(ends) == grid.links
    assert {(b, a) for a, b in ends} == ends
    assert (abs(grid.xy[grid.tail] - grid.xy[grid.head]).sum(1) == 1).all()


def test_a_grid_of_one_crossing_is_refused():
    with pytest.raises(NetworkError, match="give at least 2"):
        synthetic.grid_network(1)


def test_demand_is_put_in_order():
    demand = Demand(np.array([2, 0]), np.array([1, 1]), np.array([3.0, 1]))
    assert demand.origin.tolist() == [0, 2]
    assert demand.volume.tolist() == [1, 3]
    assert demand.total == 4
    assert demand.scaled(0.5).volume.tolist() == [0.5, 1.5]


@pytest.mark.parametrize(
    ("origin", "destination", "volume", "said"),
    [
        ([0], [1], [0.0], "positive and finite"),
        ([0], [1], [np.nan], "positive and finite"),
        ([0], [1], [-2.0], "positive and finite"),
        ([0], [0], [1.0], "from one zone to another"),
        ([-1], [0], [1.0], "from one zone to another"),
        ([0, 0], [1, 1], [1.0, 2.0], "given twice"),
        ([], [], [], "no trips between different zones"),
        ([0], [1, 2], [1.0], "as many origins"),
    ],
)
def test_demand_that_makes_no_sense_is_refused(origin, destination, volume, said):
    with pytest.raises(NetworkError, match=said):
        Demand(np.array(origin, int), np.array(destination, int), np.array(volume))


def test_replacing_a_column_checks_again():
    with pytest.raises(NetworkError, match="not positive"):
        replace(synthetic.braess(), capacity=np.zeros(5))
