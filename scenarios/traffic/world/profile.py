"""What a day was like: times of every way by departure slot, and what one more traveller would have cost the others.

The external cost of a vehicle in a queue is what it delays those behind it until the queue is gone, each weighed by
what a minute costs that traveller: alpha, and beta less if early, gamma more if late (Arnott, de Palma and Lindsey
1990). It is worked out link by link; what a delay on one link does on the next is left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from lam_env.core.shared import Shared

from ..params import TrafficParams
from ..roads.links import BPRLink, Link
from ..roads.supply import Supply
from ..units import DAY, HOUR, MINUTE

SAMPLES = np.array([-1 / 3, 0.0, 1 / 3])  # departures within a slot at which the day is looked at [slots]


@dataclass(eq=False)
class Flow(Shared):
    """The vehicles of a link on a day, in order of entry."""

    enter: np.ndarray  # (n,) [ms]
    exit: np.ndarray  # (n,) [ms], exact
    who: np.ndarray  # (n,) index of the traveller

    @classmethod
    def of(cls, link: Link) -> Flow:
        """What the link has written down."""
        log = link.log or []
        enter, exit = np.array([e[:2] for e in log], float).reshape(-1, 2).T
        return cls(enter, exit, np.array([trip.index for _, _, trip in log], np.int64))


@dataclass(eq=False)
class Profile:
    """What each departure slot of each way took and cost [min]: three views of one table, as all are treated alike."""

    tables: np.ndarray  # (3, pairs, ways, slots)
    time: np.ndarray = field(init=False)  # (pairs, ways, slots) door to door
    extra: np.ndarray = field(init=False)  # the same: discomfort beyond it
    external: np.ndarray = field(init=False)  # the same: cost of one more traveller to others

    def __post_init__(self) -> None:
        self.time, self.extra, self.external = self.tables

    def __reduce__(self) -> tuple[object, ...]:
        return Profile, (self.tables,)  # of which the other three are views

    def copy(self) -> Profile:
        return Profile(self.tables.copy())

    def keep(self, other: Profile, ways: np.ndarray) -> None:
        """Takes over what another profile says of ways (pairs, ways) bool."""
        self.tables[:, ways] = other.tables[:, ways]

    def towards(self, other: Profile, weight: float) -> None:
        """Moves by `weight` of the way to another profile."""
        self.tables += weight * (other.tables - self.tables)


def empty(supply: Supply, params: TrafficParams) -> Profile:
    """Of a day without anybody."""
    profile = Profile(np.zeros((3, *supply.free.shape, len(supply.shift))))
    profile.time[:] = supply.free[:, :, None]
    profile.time[:, supply.is_bus] += params.headway / 2
    profile.extra[:, supply.is_bus] += (params.wait - 1) * params.headway / 2
    return profile


def of_day(
    supply: Supply,
    params: TrafficParams,
    start: int,
    links: list[Link],
    flows: list[Flow],
    weight: np.ndarray | None,
    loads: np.ndarray,
) -> Profile:
    """The profile of a day whose middle slot departs at `start` [ms]. `weight`: (N,) what a minute of delay costs each
    traveller [min] (none: costs to others are left out); `loads`: passengers by number of the bus of the day."""
    at = start + (supply.shift[:, None] + SAMPLES * params.slot) * MINUTE  # (slots, samples)
    pairs = tuple(range(len(supply.pairs)))
    tables = at_departures(supply, params, at, links, flows, weight, loads, pairs)
    return Profile(np.add.reduce(tables, -1) / len(SAMPLES))


def at_departures(
    supply: Supply,
    params: TrafficParams,
    at: np.ndarray,
    links: list[Link],
    flows: list[Flow],
    weight: np.ndarray | None,
    loads: np.ndarray,
    pairs: tuple[int, ...],
) -> np.ndarray:
    """(3, pairs, ways, slots, samples): time, discomfort and cost to others [min] of one more traveller who departs at
    `at` (slots, samples) [ms]."""
    count, steps, ends = _beginnings(supply, pairs)
    when, cost = np.empty((count, *at.shape)), np.zeros((count, *at.shape))
    when[0] = at
    for link, before, here in steps:
        when[here], more = _link(links[link], flows[link], when[before], weight)
        cost[here] = cost[before] + more
    tables: np.ndarray = np.zeros((3, *ends.shape, *at.shape))
    tables[0], tables[2] = (when[ends] - at) / MINUTE, cost[ends]
    for way in np.flatnonzero(supply.is_bus).tolist():
        for row, pair in enumerate(pairs):
            tables[:, row, way] = _bus(supply, params, at, loads, float(supply.free[pair, way]))
    return tables


@lru_cache(maxsize=4096)
def _beginnings(
    supply: Supply, pairs: tuple[int, ...]
) -> tuple[int, list[tuple[int, np.ndarray, np.ndarray]], np.ndarray]:
    """Beginnings of routes, which are shared, link by link: how many there are (0 is the start); steps (link, from
    which beginnings, to which longer ones), in order; and (pairs, ways) the one that is the whole route."""
    number: dict[tuple[int, ...], int] = {(): 0}
    paths = [supply.paths[pair] for pair in pairs]
    longer: dict[tuple[int, int], list[tuple[int, int]]] = {}  # by place in the route and link
    for path in (path for ways in paths for path in ways):
        for k in range(1, len(path) + 1):
            if path[:k] not in number:
                number[path[:k]] = len(number)
                longer.setdefault((k, path[k - 1]), []).append((number[path[: k - 1]], number[path[:k]]))
    steps = [(link, *np.array(longer[k, link]).T) for k, link in sorted(longer)]
    return len(number), steps, np.array([[number[path] for path in ways] for ways in paths])


def _bus(
    supply: Supply, params: TrafficParams, at: np.ndarray, loads: np.ndarray, ride: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    headway = params.headway * MINUTE
    of_day = at % DAY
    number = np.minimum(np.ceil(of_day / headway).astype(np.int64), len(loads) - 1)
    wait = np.maximum(number * headway - of_day, 0) / MINUTE
    load = loads[number] + 1.0  # with the one who asks
    stands = np.maximum(load - params.room, 0) / load
    more = ride * (params.standing - 1)
    external = np.where(load > params.room, (1 - stands) * more, 0.0)
    return wait + ride, (params.wait - 1) * wait + stands * more, external


def _link(link: Link, flow: Flow, when: np.ndarray, weight: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Exit times [ms] of vehicles that would enter at `when`, and their external costs [min]; both of its shape."""
    n = len(flow.enter)
    if not n:
        return when + link.free_time, np.zeros(when.shape)
    place = np.searchsorted(flow.enter, when, side="right")
    before = np.maximum(place - 1, 0)
    if isinstance(link, BPRLink):
        return _delay_function(link, flow, when, before, weight)
    headway = link.headway / max(link.share(float(flow.enter[0])), 1e-6)
    free_again = flow.exit[before] + headway
    free_again[place == 0] = -np.inf
    exit = np.maximum(when + link.free_time, free_again)
    if weight is None:
        return exit, np.zeros(when.shape)
    idle = flow.enter + link.free_time
    idle[1:] -= flow.exit[:-1] + headway
    idle[0] = 0.0
    gaps = np.add.accumulate(np.maximum(idle, 0, out=idle))
    after = np.minimum(place, n - 1)
    first = np.minimum(np.maximum(exit + headway - flow.exit[after], 0), headway)
    first[place == n] = 0.0
    reach = (first + gaps[after]).reshape(-1)
    delay = reach[:, None] - gaps
    np.maximum(delay, 0, out=delay)
    delay *= np.arange(n) >= place.reshape(-1, 1)
    return exit, (delay @ weight[flow.who]).reshape(when.shape) / MINUTE


def _delay_function(
    link: BPRLink, flow: Flow, when: np.ndarray, before: np.ndarray, weight: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """One more vehicle lengthens the trips of those who enter within an interval after it: see `BPRLink`."""
    share = link.share(float(flow.enter[0])) or 1.0
    per = HOUR / link.interval  # [1/h] that one vehicle adds to the flow
    there = np.searchsorted(flow.enter, when, side="right")
    count = there - np.searchsorted(flow.enter, when - link.interval, side="right")
    exit = np.maximum(when + link.time_at(count * per, share), np.where(there > 0, flow.exit[before], -np.inf))
    if weight is None:
        return exit, np.zeros(when.shape)
    count = np.arange(len(flow.enter)) - np.searchsorted(flow.enter, flow.enter - link.interval, side="right")
    # [ms] for each, if one more were there
    more = link.time_at((count + 1) * per, share) - link.time_at(count * per, share)
    caused = np.append(0.0, np.cumsum(more * weight[flow.who]))
    until = np.searchsorted(flow.enter, when + link.interval, side="right")
    return exit, (caused[until] - caused[there]) / MINUTE
