"""Where people travel: the network, of a capacity that suits their number, the pairs of places, and how many travel between each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from . import synthetic
from .assignment import Assignment, user_equilibrium
from .network import Demand, Network
from .params import TrafficParams

# Time in which the network carries all travellers as its source says: at its capacity; two_route and braess: with as many drivers at once as
# the published game has. It has to suit the span of the departure slots, 70 min unless told: where all must pass one bottleneck in 90 min,
# habits crowd at the first slot, and no advice can help. In 40 min most of them would depart who leave as they wish.
RUSH = {"corridor": 90.0, "bottleneck": 60.0, "two_route": 40.0, "braess": 40.0, "grid": 60.0}
DELAY_CAPACITY = (
    1.5  # of a queue's: a delay function is steep above its capacity, where a queue is only as long as there are people
)
GRID = 3  # crossings a side
GRID_ROADS = 3.5  # roads side by side that would carry all travellers of the grid
GAP = 1e-4  # of the equilibrium that says which link is fullest and what trips usually take


@dataclass(frozen=True, eq=False)
class Region:
    """A network and who travels on it. `demand`: (pairs,) volumes [veh/h] of all travellers, evenly over the span of the slots; by it are
    shares of pairs, the fullest link and usual times."""

    network: Network
    demand: Demand
    model: str  # of links: point, bpr or spatial

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        return tuple(zip(self.demand.origin.tolist(), self.demand.destination.tolist(), strict=True))

    @cached_property
    def settled(self) -> Assignment:
        """By car, if all chose only their routes."""
        car = self.network if set(self.network.mode) == {"car"} else self.network.only("car")
        return user_equilibrium(car, self.demand, GAP)

    @property
    def fullest(self) -> int:
        """The link with the greatest flow for its capacity; the first of equals."""
        index = np.flatnonzero([mode == "car" for mode in self.network.mode])
        load = self.settled.flow / self.settled.network.capacity
        return int(index[(load > load.max() * 0.99).argmax()])


def region(params: TrafficParams) -> Region:
    """The settings' network and demand."""
    model = params.link_model
    if model == "auto":
        model = "bpr" if params.network in ("two_route", "braess") else "point"
    hourly = params.travellers * 60 / (params.rush or RUSH[params.network])
    pairs = ((0, 1),)
    if params.network == "two_route":
        network = scaled(synthetic.two_route(), hourly / 18)
    elif params.network == "braess":  # in half minutes: trips of an hour and a half do not fit a rush of an hour
        network = scaled(synthetic.braess(0.5), hourly / 6)
    else:
        if params.network == "grid":
            last, side = GRID * GRID - 1, GRID - 1
            pairs = (
                (0, last),
                (side, last - side),
                (GRID, 2 * GRID - 1),
                (1, last - 1),
            )  # corners, and through the middle
            network = synthetic.grid(GRID, 5.0, hourly / GRID_ROADS)
        else:
            network = (synthetic.corridor if params.network == "corridor" else synthetic.bottleneck)(hourly)
        if model == "bpr":
            network = scaled(network, DELAY_CAPACITY)
    even = params.travellers * 60 / (params.slots * params.slot) / len(pairs)
    origin, destination = np.array(pairs).T
    return Region(network, Demand(origin, destination, np.full(len(pairs), even)), model)


def scaled(network: Network, factor: float) -> Network:
    """With `factor` times the capacities."""
    return replace(network, capacity=network.capacity * factor)
