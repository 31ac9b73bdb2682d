"""What travellers can choose from: modes, routes and departure slots on a network, as tables that all worlds share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from lam_env.core.shared import Shared

from ..params import TrafficParams
from ..units import DAY, HOUR, MINUTE
from .bus import BusLine
from .cost import link_cost
from .links import BPRLink, Link, PointQueue, SpatialQueue
from .network import RoadNetwork
from .region import region
from .routes import k_shortest, least_cost

REFERENCE = (450, 630)  # departure of the middle slot [min of the day], on working days and at weekends
SLACK = 20.0  # [min] between an undisturbed trip in the middle slot and the mean preferred arrival
SPACING = 2.0  # [s] of road that a vehicle takes up at capacity; a jam is about four times as dense
ROUTES = 3  # routes that are offered between two places


@dataclass(frozen=True, eq=False)
class Supply(Shared):
    """Options o are triples of mode, slot and route, in the order of the choice model's nests (action o + 1). A way is
    a route, or the bus; every pair of places has its own. O options, S slots.
    """

    options: tuple[tuple[str, float, str], ...]  # O of (mode, departure [min after the reference], way)
    names: tuple[str, ...]  # O, such as car.main.-10
    slot: np.ndarray  # (O,) index of the departure slot
    way: np.ndarray  # (O,) index of the way
    shift: np.ndarray  # (S,) departure [min after the reference]
    ways: tuple[str, ...]  # names
    is_bus: np.ndarray  # (ways,) bool
    paths: tuple[tuple[tuple[int, ...], ...], ...]  # paths[pair][way]: links in the order of driving; of the bus none
    offered: np.ndarray  # (pairs, ways) bool; where a pair has fewer routes than others, its last one stands again
    pairs: tuple[tuple[int, int], ...]  # origin and destination, nodes
    share: np.ndarray  # (pairs,) of the travellers
    free: np.ndarray  # (pairs, ways) [min] without anybody
    network: RoadNetwork
    model: str  # of links: point, bpr or spatial
    interval: int  # [ms] over which a delay function counts its flow
    preferred: np.ndarray  # (pairs,) mean preferred arrival [min after the reference]
    tight: int  # the link that is fullest for its capacity

    def __post_init__(self) -> None:
        table, options = (len(self.pairs), len(self.ways)), (len(self.options),)
        if not (self.offered.shape == self.free.shape == table and self.slot.shape == self.way.shape == options):
            raise ValueError(f"supply: tables are not of {table} pairs and ways, or {options} options")

    def links(self) -> list[Link]:
        """Fresh, empty links."""
        network, made = self.network, list[Link]()
        for k in range(network.links):
            free, capacity = float(network.free_flow_time[k]) * MINUTE, float(network.capacity[k])
            if self.model == "bpr":
                b, power = float(network.b[k]), float(network.power[k])
                made.append(BPRLink(free, capacity, b=b, power=power, interval=self.interval))
            elif self.model == "spatial":
                room = capacity * max(free / MINUTE / 60, SPACING * 1000 / HOUR) * 4
                made.append(SpatialQueue(free, capacity, max(2, math.ceil(room))))
            else:
                made.append(PointQueue(free, capacity))
        return made

    def bus(self, params: TrafficParams) -> BusLine | None:
        """The bus line, all day."""
        if not self.is_bus.any():
            return None
        way = int(self.is_bus.argmax())
        headway = params.headway * MINUTE
        departures = [round(i * headway) for i in range(math.floor((DAY - MINUTE) / headway) + 1)]
        ride = round(float(self.free[0, way]) * MINUTE)
        return BusLine(departures, ride, seats=params.room, standing=params.standing)


@lru_cache(maxsize=16)
def build_supply(params: TrafficParams) -> Supply:
    """Options and paths of the settings' network."""
    place = region(params)
    network, model, demand = place.network, place.model, place.demand
    car = np.array([m == "car" for m in network.mode])
    empty = link_cost(network, np.zeros(network.links))
    # an empty road says little of a network of delay functions: what people know is what is good when all drive
    cost = place.settled.cost if model == "bpr" else empty[car]
    roads = network if car.all() else network.only("car")
    cheapest = k_shortest(roads, demand, cost, ROUTES)
    index = np.flatnonzero(car)
    routes: list[list[tuple[int, ...]]] = []
    for pair in range(len(demand.volume)):
        mine = np.flatnonzero(cheapest.pair == pair)
        ways = [_ordered(network, index[cheapest.of_route(int(r))], demand.origin[pair]) for r in mine]
        routes.append(sorted(ways, key=lambda w: (float(empty[list(w)].sum()), w)))
    k = max(len(r) for r in routes)
    offered = np.array([[way < len(r) for way in range(k)] for r in routes])
    routes = [r + r[-1:] * (k - len(r)) for r in routes]
    names = ["main", "slow"] if params.network == "corridor" else [f"r{i + 1}" for i in range(k)]
    has_bus = not car.all()
    if has_bus:
        names = [*names, "line"]
        offered = np.pad(offered, ((0, 0), (0, 1)), constant_values=True)
    paths = tuple((*r, ()) if has_bus else tuple(r) for r in routes)
    bus_time = float(empty[~car].min()) if has_bus else 0.0
    free = np.array([[float(empty[list(w)].sum()) if w else bus_time for w in p] for p in paths])
    shift = (np.arange(params.slots) - params.slots // 2) * params.slot
    table = [("car", s, w) for s in range(params.slots) for w in range(k)]
    if has_bus:
        table += [("bus", s, k) for s in range(params.slots)]
    labels = tuple(f"{m}.{names[w]}.{shift[s]:+g}".replace("+0", "0") for m, s, w in table)
    usual = least_cost(roads, demand, cost) if model == "bpr" else free[:, :k].min(1)
    return Supply(
        options=tuple((m, float(shift[s]), names[w]) for m, s, w in table),
        names=labels,
        slot=np.array([s for _, s, _ in table]),
        way=np.array([w for _, _, w in table]),
        shift=shift,
        ways=tuple(names),
        is_bus=np.arange(len(names)) >= k,
        paths=paths,
        offered=offered,
        pairs=place.pairs,
        share=demand.volume / demand.total,
        free=free,
        network=network,
        model=model,
        interval=place.interval,
        preferred=usual + SLACK,
        tight=place.fullest,
    )


def _ordered(network: RoadNetwork, links: np.ndarray, node: int) -> tuple[int, ...]:
    """The links of a route in the order of driving."""
    left = {int(network.tail[link]): int(link) for link in links}
    way = []
    while left:
        link = left.pop(int(node))
        way.append(link)
        node = int(network.head[link])
    return tuple(way)
