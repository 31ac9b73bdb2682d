"""What a day was like: times of every way by departure slot, and what one more traveller would have cost the others.

The external cost of a vehicle in a queue is what it delays those behind it until the queue is gone, each weighed by what a minute costs her:
alpha and beta less if she is early, gamma more if she is late (Arnott, de Palma and Lindsey 1990). It is worked out link by link;
what a delay on one link does on the next is left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .links import HOUR, BPRLink, Link
from .params import TrafficParams
from .supply import MINUTE, Supply

SAMPLES = np.array([-1 / 3, 0.0, 1 / 3])  # departures within a slot at which the day is looked at [slots]


@dataclass(eq=False)
class Flow:
    """The vehicles of a link on a day, in order of entry: `enter`, `exit` [ms] and `who`, (n,) each."""

    enter: np.ndarray
    exit: np.ndarray
    who: np.ndarray

    @classmethod
    def of(cls, link: Link) -> Flow:
        """What the link has written down."""
        log = link.log or []
        enter, exit = np.array([e[:2] for e in log], float).reshape(-1, 2).T
        return cls(enter, exit, np.array([trip.value for _, _, trip in log], np.int64))


@dataclass(eq=False)
class Profile:
    """`tables` (3, pairs, ways, slots) [min], in one piece because all three are treated alike: `time` door to door, `extra` discomfort
    beyond it, `external` cost to others."""

    tables: np.ndarray

    @property
    def time(self) -> np.ndarray:
        found: np.ndarray = self.tables[0]
        return found

    @property
    def extra(self) -> np.ndarray:
        found: np.ndarray = self.tables[1]
        return found

    @property
    def external(self) -> np.ndarray:
        found: np.ndarray = self.tables[2]
        return found

    def copy(self) -> Profile:
        return Profile(self.tables.copy())

    def towards(self, other: Profile, weight: float) -> None:
        """Moves by `weight` of the way to another profile."""
        self.tables += weight * (other.tables - self.tables)


def empty(supply: Supply, params: TrafficParams) -> Profile:
    """Of a day without anybody."""
    found = Profile(np.zeros((3, *supply.free.shape, len(supply.shift))))
    found.time[:] = supply.free[:, :, None]
    found.time[:, supply.is_bus] += params.headway / 2
    found.extra[:, supply.is_bus] += (params.wait - 1) * params.headway / 2
    return found


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
    pairs = range(len(supply.pairs))
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
    pairs: Iterable[int],
) -> np.ndarray:
    """(3, pairs, ways, slots, samples): time, discomfort and cost to others [min] of one more traveller who departs at `at`
    (slots, samples) [ms]."""
    pairs = list(pairs)
    found: np.ndarray = np.zeros((3, len(pairs), len(supply.ways), *at.shape))
    time, extra, external = found
    known: dict[tuple[int, ...], tuple[np.ndarray, np.ndarray]] = {(): (at, np.zeros(at.shape))}
    for i, pair in enumerate(pairs):
        for way, path in enumerate(supply.paths[pair]):
            if path:
                for k in range(1, len(path) + 1):  # beginnings of routes are shared
                    if path[:k] not in known:
                        when, cost = known[path[: k - 1]]
                        exit, more = _link(links[path[k - 1]], flows[path[k - 1]], when, weight)
                        known[path[:k]] = exit, cost + more
                when, external[i, way] = known[path]
                time[i, way] = (when - at) / MINUTE
            else:
                ride = float(supply.free[pair, way])
                time[i, way], extra[i, way], external[i, way] = _bus(supply, params, at, loads, ride)
    return found


def _bus(
    supply: Supply, params: TrafficParams, at: np.ndarray, loads: np.ndarray, ride: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    headway = params.headway * MINUTE
    of_day = at % 86_400_000
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
    """One more vehicle in an interval lengthens the trips of the next: see `BPRLink`."""
    slot = flow.enter // link.interval
    recent = (flow.enter[before] <= when) & (when - flow.enter[before] < link.interval)
    time = np.where(recent, (flow.exit - flow.enter)[before], link.free_time)
    if weight is None:
        return when + time, np.zeros(when.shape)
    first = int(slot[0])
    count = np.bincount((slot - first).astype(np.int64), minlength=2).astype(float)
    weighed = np.bincount((slot - first).astype(np.int64), weight[flow.who], minlength=2)
    rate = count * HOUR / link.interval  # [veh/h]
    power = link.power
    slope = (
        link.free_time * link.b * power * (rate / link.capacity) ** max(power - 1, 0.0) / link.capacity
    )  # [ms h/veh]
    caused = slope * HOUR / link.interval * np.append(weighed[1:], 0.0) / MINUTE
    here = (when // link.interval).astype(np.int64) - first
    inside = (here >= 0) & (here < len(caused))
    return when + time, np.where(inside, caused[np.clip(here, 0, len(caused) - 1)], 0.0)
