"""A whole day's trips at once, without events: the fast twin of the loading on SimPy.

It serves point queues and delay functions on networks whose links can be put in an order in which every route uses
them; others are loaded by events.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..params import TrafficParams
from ..roads.bus import BusLine
from ..roads.links import BPRLink, Link, SpatialQueue
from ..roads.supply import Supply
from ..units import DAY, HOUR, MINUTE
from .profile import Flow


@lru_cache(maxsize=16)
def link_order(supply: Supply) -> tuple[int, ...] | None:
    """An order of links in which every path uses them; None where there is none."""
    after: dict[int, set[int]] = {k: set() for k in range(supply.network.links)}
    for ways in supply.paths:
        for path in ways:
            for a, b in zip(path, path[1:], strict=False):
                after[b].add(a)
    order: list[int] = []
    while after:
        free = [k for k, before in after.items() if not before]
        if not free:
            return None
        for k in free:
            del after[k]
        for before in after.values():
            before.difference_update(free)
        order += free
    return tuple(order)


def can_load(supply: Supply, links: list[Link]) -> bool:
    return not any(isinstance(link, SpatialQueue) for link in links) and link_order(supply) is not None


def load(
    supply: Supply, links: list[Link], departures: np.ndarray, pair: np.ndarray, way: np.ndarray, in_turn: bool = False
) -> tuple[np.ndarray, list[Flow]]:
    """Arrivals (n,) [ms] of car trips that depart at `departures` [ms], and the flow on each link, which stays as it
    is.

    For burn-in and foresight times are those of events but for rounding to 1 ms where vehicles tie. `in_turn`, for days
    on which people are advised, gives them to the last bit for trips in the order in which events would be scheduled:
    ties take turns as events do, and nothing is summed up in another order.
    """
    order = link_order(supply)
    assert order is not None
    used = _uses(supply)[pair, way]
    time = departures.copy() if in_turn else departures.astype(float)
    flows = [Flow(np.zeros(0), np.zeros(0), np.zeros(0, np.int64))] * len(links)
    earlier: list[tuple[np.ndarray, np.ndarray]] = []
    for k in order:
        who = np.flatnonzero(used[:, k])
        if not len(who):
            continue
        if in_turn:
            who = _first_come(time, who, earlier)
            enter = time[who]
            exit = np.array(links[k].exits(enter.tolist()))
            earlier.append((who, enter))
        else:
            who = who[np.argsort(time[who], kind="stable")]
            enter = time[who]
            exit = _exits(links[k], enter)
        time[who] = np.rint(exit)
        flows[k] = Flow(enter.astype(float), exit, who)
    return time, flows


def _exits(link: Link, enter: np.ndarray) -> np.ndarray:
    """Exits [ms] of all who enter, in order of entry."""
    share, place = link.share(float(enter[0])), np.arange(len(enter))
    if isinstance(link, BPRLink):
        before = place - np.searchsorted(enter, enter - link.interval, side="right")
        exit: np.ndarray = np.maximum.accumulate(enter + link.time_at(before * HOUR / link.interval, share))
        return exit
    served = link.headway / share * place
    # exit = max(enter + free, exit before + headway), all at once
    exit = np.maximum.accumulate(enter + link.free_time - served) + served
    return exit


def _first_come(time: np.ndarray, who: np.ndarray, earlier: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """`who` by `time`. Of two at one instant the one goes first whose event was scheduled first: whose event before, on
    a link of the `earlier` ones, came first, and so on back to the order of departure."""
    ranked = who[np.argsort(time[who], kind="stable")]
    now = time[ranked]
    if not (now[1:] == now[:-1]).any():
        return ranked
    past = np.full((len(earlier), len(time)), -1, np.int64)  # times of the events before, from the last on
    for those, entered in earlier:
        past[1:, those] = past[:-1, those]
        past[:1, those] = entered
    ranked = who[np.lexsort((*past[::-1, who], time[who]))]
    return ranked


def ride_all(
    supply: Supply, params: TrafficParams, departures: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Arrivals (n,) [ms] and discomfort (n,) [min] of bus passengers who come to the stop at `departures` (n,) [ms],
    and the passengers of each bus of the day."""
    headway = round(params.headway * MINUTE)
    of_day = departures % DAY
    number = -(-of_day // headway)
    wait = number * headway - of_day
    loads = np.bincount(number, minlength=buses(params)).astype(float)
    order = np.argsort(departures, kind="stable")
    place = np.empty(len(order))
    first = np.cumsum(loads) - loads
    place[order] = np.arange(len(order)) - first[number[order]]
    ride = float(supply.free[0, supply.is_bus.argmax()])
    extra = np.where(place >= params.room, ride * (params.standing - 1), 0.0) + (params.wait - 1) * wait / MINUTE
    return departures + wait + round(ride * MINUTE), extra, loads


def ride_in_turn(
    bus: BusLine, params: TrafficParams, departures: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same to the last bit as events have it, for passengers in the order in which they come."""
    departure, wait, perceived = bus.board_all(departures)
    number = np.rint(departure % DAY / (params.headway * MINUTE)).astype(np.int64)
    loads = np.bincount(number, minlength=buses(params)).astype(float)
    standing = perceived - bus.ride_time
    return departure + bus.ride_time, (standing + (params.wait - 1) * wait) / MINUTE, loads


def buses(params: TrafficParams) -> int:
    """Buses of a day, and one after midnight."""
    return int(1440 / params.headway) + 2


@lru_cache(maxsize=16)
def _uses(supply: Supply) -> np.ndarray:
    """(pairs, ways, links) bool."""
    used = np.zeros((len(supply.paths), len(supply.ways), supply.network.links), bool)
    for pair, ways in enumerate(supply.paths):
        for way, path in enumerate(ways):
            used[pair, way, list(path)] = True
    return used
