"""Small networks of our own, for examples and for checks with known answers.

Node 0 is where people live and node 1 where they work, except in `grid_network`. Times in minutes, capacities in
vehicles per hour; `xy` serves drawing only.
"""

from __future__ import annotations

import numpy as np

from .network import NetworkError, RoadNetwork

# Braess's links without a constant take 10 min per vehicle. The performance function can say that only with a free-flow
# time above zero; this one [min] vanishes in rounding, and times its b it is exactly 10.
_TINY = 2.0**-60


def two_route() -> RoadNetwork:
    """A main road of 6 + 2 n minutes and a side road of 12 + 3 n, n being the vehicles on each.

    18 vehicles split 12 to 6 in equilibrium (Selten, Chmura, Pitz, Kube and Schreckenberg, Games and Economic Behavior
    58, 2007, 394-406). Links 0 and 1 are the main road, 2 and 3 the side road.
    """
    return RoadNetwork(
        name="two_route",
        zones=2,
        nodes=4,
        tail=np.array([0, 2, 0, 3]),
        head=np.array([2, 1, 3, 1]),
        free_flow_time=np.array([6.0, 0, 12, 0]),
        capacity=np.array([3.0, 100, 4, 100]),
        b=np.array([1.0, 0, 1, 0]),
        power=np.array([1.0, 0, 1, 0]),
        xy=np.array([[0, 0], [4, 0], [2, 1], [2, -1]], float),
    )


def braess(minutes: float = 1.0) -> RoadNetwork:
    """Braess's paradox (Unternehmensforschung 12, 1968, 258-268): with 6 vehicles from 0 to 1 every driver takes 92 min
    in equilibrium (552 vehicle-minutes) and 83 min in the optimum (498), where nobody uses the bridge from 2 to 3.

    `minutes` is how long one of his minutes is: with .5 the equilibrium is 46 min.
    """
    return RoadNetwork(
        name="braess",
        zones=2,
        nodes=4,
        tail=np.array([0, 0, 2, 2, 3]),
        head=np.array([2, 3, 1, 3, 1]),
        free_flow_time=np.array([_TINY, 50, 50, 10, _TINY]) * minutes,
        capacity=np.ones(5),
        b=np.array([10 / _TINY, 1 / 50, 1 / 50, 1 / 10, 10 / _TINY]),
        power=np.ones(5),
        xy=np.array([[0, 0], [4, 0], [2, 1], [2, -1]], float),
    )


def bottleneck(capacity: float = 3000.0, free_flow_time: float = 15.0, entry_time: float = 5.0) -> RoadNetwork:
    """An entry road 0 -> 2 that is never full, then one road 2 -> 1 with a capacity (Vickrey, AER 59, 1969, 251-260).

    3,000 travellers take an hour to pass it with the default capacity; the times are for a start.
    """
    return RoadNetwork(
        name="bottleneck",
        zones=2,
        nodes=3,
        tail=np.array([0, 2]),
        head=np.array([2, 1]),
        free_flow_time=np.array([entry_time, free_flow_time]),
        capacity=np.array([10 * capacity, capacity]),
        b=np.array([0.0, 0.15]),
        power=np.array([0.0, 4.0]),
        xy=np.array([[0, 0], [4, 0], [2, 0]], float),
    )


def corridor(
    capacity: float = 200.0, car_time: float = 20.0, detour: float = 22.0, bus_time: float = 32.0
) -> RoadNetwork:
    """A car route 0 -> 2 -> 1 with a bottleneck, a free road that takes `detour` [min] longer, and a bus line.

    Links 0 and 1 are the car route, 2 the slow road, 3 the bus (mode "bus"; `bus_time` is in-vehicle time). The times
    are those of a prototype; `capacity` is that of the bottleneck.
    """
    return RoadNetwork(
        name="corridor",
        zones=2,
        nodes=3,
        tail=np.array([0, 2, 0, 0]),
        head=np.array([2, 1, 1, 1]),
        free_flow_time=np.array([car_time / 2, car_time / 2, car_time + detour, bus_time]),
        capacity=np.array([10 * capacity, capacity, 10 * capacity, 10 * capacity]),
        b=np.array([0, 0.15, 0, 0]),
        power=np.array([0, 4.0, 0, 0]),
        mode=("car", "car", "car", "bus"),
        xy=np.array([[0, 0], [4, 0], [2, 0]], float),
    )


def grid_network(n: int, free_flow_time: float = 2.0, capacity: float = 1000.0) -> RoadNetwork:
    """n x n crossings, each a zone, with a road each way between neighbours; row by row, node = row * n + column."""
    if n < 2:
        raise NetworkError(f"grid: {n} crossings a side; give at least 2")
    node = np.arange(n * n).reshape(n, n)
    pairs = [(node[:, :-1], node[:, 1:]), (node[:-1], node[1:])]
    one = np.concatenate([a.ravel() for a, _ in pairs])
    other = np.concatenate([b.ravel() for _, b in pairs])
    return RoadNetwork(
        name=f"grid_{n}",
        zones=n * n,
        nodes=n * n,
        tail=np.concatenate([one, other]),
        head=np.concatenate([other, one]),
        free_flow_time=np.array([free_flow_time]),
        capacity=np.array([capacity]),
        b=np.array([0.15]),
        power=np.array([4.0]),
        xy=np.stack([np.tile(np.arange(n), n), np.repeat(np.arange(n), n)], 1).astype(float),
    )
