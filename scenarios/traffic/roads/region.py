"""Where people travel: the network, of a capacity that suits their number, and how many travel between which places."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from ..params import TrafficParams, is_file
from ..theory.assignment import Assignment, user_equilibrium
from ..units import HOUR
from . import synthetic, tntp
from .network import Demand, NetworkError, RoadNetwork

# [min] in which the network carries all travellers as its source says: at its capacity; two_route and braess: with as
# many drivers at once as the published game has. It has to suit the span of the departure slots, 70 min unless set
# otherwise: where all must pass one bottleneck in 90 min, habits crowd at the first slot, and no advice can help. In 40
# min most of them would depart who leave as they wish.
RUSH = {"corridor": 90.0, "bottleneck": 60.0, "two_route": 40.0, "braess": 40.0, "grid": 60.0}
FILE_RUSH = 60.0  # [min] of a TNTP file: if all depart within an hour, the last of them meet its flows
QUARTER = HOUR // 4  # [ms] over which a delay function counts its flow; of a file, whose flows are of an hour: HOUR
MOST_PAIRS, MOST_LINKS = 2_000, 1_000  # of a TNTP file: every day has a profile of all of them
# of a queue's: a delay function is steep above its capacity, where a queue is only as long as there are people
DELAY_CAPACITY = 1.5
GRID = 3  # crossings a side
GRID_ROADS = 3.5  # roads side by side that would carry all travellers of the grid
GAP = 1e-4  # of the equilibrium that says which link is fullest and what trips usually take


@dataclass(frozen=True, eq=False)
class Region:
    """A network and who travels on it."""

    network: RoadNetwork
    demand: Demand  # [veh/h] of all, evenly over the span of the slots: for shares, usual times, fullest link
    model: str  # of links: point, bpr or spatial
    interval: int = QUARTER  # [ms] over which a delay function counts its flow

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
    if is_file(params.network):
        return _of_file(params)
    model = params.link_model
    if model == "auto":
        model = "bpr" if params.network in ("two_route", "braess") else "point"
    hourly = params.travellers * 60 / (params.rush or RUSH[params.network])
    pairs = [(0, 1)]
    if params.network == "two_route":
        network = scaled(synthetic.two_route(), hourly / 18)
    elif params.network == "braess":  # in half minutes: trips of an hour and a half do not fit a rush of an hour
        network = scaled(synthetic.braess(0.5), hourly / 6)
    elif params.network == "grid":
        last, side = GRID * GRID - 1, GRID - 1
        pairs = [(0, last), (side, last - side), (GRID, 2 * GRID - 1), (1, last - 1)]  # corners, and through the middle
        network = synthetic.grid_network(GRID, 5.0, hourly / GRID_ROADS)
    else:
        network = (synthetic.corridor if params.network == "corridor" else synthetic.bottleneck)(hourly)
    if model == "bpr" and params.network in ("corridor", "bottleneck", "grid"):
        network = scaled(network, DELAY_CAPACITY)
    even = params.travellers * 60 / (params.slots * params.slot) / len(pairs)
    origin, destination = np.array(pairs).T
    return Region(network, Demand(origin, destination, np.full(len(pairs), even)), model)


def _of_file(params: TrafficParams) -> Region:
    """A TNTP network with the trips, and if there are any the coordinates, that lie beside it.

    Travellers are drawn from all its pairs, and each stands for as many trips as there are for one: capacities shrink
    by that. So if all depart within an hour, flows over capacity at its end are those of the file; less than a thousand
    travellers make it uneven.
    """
    path = Path(params.network)
    network = tntp.read_network(path)
    if network.links > MOST_LINKS:
        raise NetworkError(
            f"{path.name}: {network.links:,} links; a world takes at most {MOST_LINKS:,}, cut out a part"
        )
    demand = tntp.read_trips(_beside(path, "trips"), network)
    if len(demand.volume) > MOST_PAIRS:
        raise NetworkError(
            f"{path.name}: trips between {len(demand.volume):,} pairs of zones; "
            f"a world takes at most {MOST_PAIRS:,}, cut out a part"
        )
    nodes = _beside(path, "node")
    angle = 2 * math.pi * np.arange(network.nodes) / network.nodes  # without coordinates, nodes are drawn on a circle
    xy = tntp.read_nodes(nodes, network) if nodes.is_file() else np.stack([np.cos(angle), np.sin(angle)], 1)
    hourly = params.travellers * 60 / (params.rush or FILE_RUSH)
    times = network.free_flow_time * params.minute
    network = replace(scaled(network, hourly / demand.total), free_flow_time=times, xy=xy)
    even = params.travellers * 60 / (params.slots * params.slot) / demand.total
    return Region(network, demand.scaled(even), "bpr", HOUR)


def _beside(path: Path, kind: str) -> Path:
    """The file of the same network, gzipped or not, that says something else."""
    stem = path.name.rpartition("_net.tntp")[0]
    plain = path.with_name(f"{stem}_{kind}.tntp")
    packed = plain.with_name(plain.name + ".gz")
    return packed if packed.is_file() and not plain.is_file() else plain


def scaled(network: RoadNetwork, factor: float) -> RoadNetwork:
    """With `factor` times the capacities."""
    return replace(network, capacity=network.capacity * factor)
