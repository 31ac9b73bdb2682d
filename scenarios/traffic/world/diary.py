"""A day's trips as they were: enough to say where everybody is at any instant of it. For pictures; agents see none of
it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from lam_env.core.shared import Shared

from ..roads.links import BPRLink
from ..roads.supply import Supply
from ..units import DAY, HOUR, MINUTE
from .profile import Flow
from .state import TrafficState

RECENT = 10 * MINUTE  # [ms] over which a queue's flow is counted


@dataclass(frozen=True, eq=False)
class Diary(Shared):
    """A day of N travellers, so far."""

    day: int
    reference: int  # [ms] from which arrivals are counted
    rain: bool
    share: tuple[float, ...]  # of each link's capacity
    closed: int  # link that nobody may take, -1 if there is none
    goes: np.ndarray  # (N,) bool
    usual: np.ndarray  # (N,) option taken last time
    natural: np.ndarray  # (N,) option that they would take without advice
    chosen: np.ndarray  # (N,) option
    advice: np.ndarray  # (N,) action advised, 0 if none
    followed: np.ndarray  # (N,) bool
    departs: np.ndarray  # (N,) [ms]
    arrives: np.ndarray  # (N,) [ms], infinite where they have not arrived
    extra: np.ndarray  # (N,) discomfort [min]
    arrive: np.ndarray  # (N,) wanted arrival [min after the reference]
    expected: np.ndarray  # (N,) cost [min] of the usual option as they believe
    trust: np.ndarray  # (N,) 0..1
    flows: list[Flow]  # of each link
    enter: np.ndarray  # (links, N) [ms] when they came onto a link, infinite if they have not
    left: np.ndarray  # (links, N) [ms] when they came off it, infinite if they have not
    by_bus: np.ndarray  # (N,) bool
    offset: np.ndarray  # (N,) [ms] of departures, after their slots'

    def __post_init__(self) -> None:
        n, links = len(self.goes), len(self.share)
        if not self.enter.shape == self.left.shape == (links, n) or len(self.flows) != links or len(self.chosen) != n:
            raise ValueError(f"diary: its tables are not of {links} links and {n} travellers")

    @classmethod
    def of(cls, world: TrafficState, flows: list[Flow] | None = None) -> Diary:
        """The world's day; `flows`: of its links, if they are known already."""
        people, supply = world.people, world.supply
        day = world.reference // DAY  # the world's own is tomorrow once the day has been looked back on
        arrives = np.where(world.arrives >= world.departs, world.arrives, np.inf)  # else of an earlier day
        way = supply.way[world.chosen]
        if flows is None:
            flows = world.flows()
        enter = np.full((len(flows), people.n), np.inf)
        for k, flow in enumerate(flows):
            enter[k, flow.who] = flow.enter
        left, following = np.full(enter.shape, np.inf), _following(supply)
        for k, flow in enumerate(flows):
            then = following[people.pair[flow.who], way[flow.who], k]
            left[k, flow.who] = np.where(then < 0, arrives[flow.who], enter[then, flow.who])
        each = np.arange(people.n)
        return cls(
            day=day,
            reference=world.reference,
            rain=world.rain,
            share=tuple(link.share(world.reference) for link in world.links),
            closed=-1 if world.tight else supply.tight,
            goes=people.goes,
            usual=people.last,
            natural=people.natural,
            chosen=world.chosen.copy(),
            advice=np.array(world.advice),
            followed=world.followed.copy(),
            departs=world.departs.copy(),
            arrives=arrives,
            extra=world.extra.copy(),
            arrive=people.arrive,
            expected=people.cost[each, people.last],
            trust=people.trust.copy(),
            flows=flows,
            enter=enter,
            left=left,
            by_bus=supply.is_bus[way],
            offset=world.departs - world.reference - np.rint(supply.shift[supply.slot[world.chosen]] * MINUTE),
        )

    # -- where people are ---------------------------------------------------------------------------------------------

    def departed(self, time: float) -> np.ndarray:
        """(N,) bool: they have left home; by bus, for the stop."""
        return np.asarray(self.goes & (self.departs <= time))

    def arrived(self, time: float) -> np.ndarray:
        """(N,) bool"""
        return np.asarray(self.departed(time) & (self.arrives <= time))

    def standing(self, world: TrafficState, k: int) -> tuple[np.ndarray, np.ndarray]:
        """From when and until when [ms] the vehicles of a link stand in its queue; a delay function knows none."""
        link = world.links[k]
        if isinstance(link, BPRLink):
            return np.zeros(0), np.zeros(0)
        which = np.isfinite(self.enter[k])
        until = self.left[k, which]
        begin = self.enter[k, which] + link.free_time
        return np.where(until - begin < 1, until, begin), until  # events are rounded to 1 ms

    def queues(self, world: TrafficState, times: np.ndarray) -> np.ndarray:
        """(links, len(times)) vehicles that stand."""
        counts = np.zeros((len(world.links), len(times)), np.int64)
        for k in range(len(world.links)):
            for sign, ends in zip((1, -1), self.standing(world, k), strict=True):
                counts[k] += sign * np.searchsorted(np.sort(ends), times, side="right")
        return counts

    def longest_queue(self, world: TrafficState, time: float) -> int:
        """The most vehicles that stood at once, on all links, up to a time."""
        begins = np.concatenate([self.standing(world, k)[0] for k in range(len(world.links))])
        begins = begins[begins <= time]
        return int(self.queues(world, begins).sum(0).max()) if len(begins) else 0

    # -- what links are like ------------------------------------------------------------------------------------------

    def load(self, world: TrafficState, k: int, time: float) -> float:
        """Flow over capacity in the last minutes, of those that come in or of those that leave, the greater one."""
        capacity = world.links[k].capacity * self.share[k]
        if capacity <= 0:
            return 0.0
        link = world.links[k]
        recent = link.interval if isinstance(link, BPRLink) else RECENT
        most = max(int(((e > time - recent) & (e <= time)).sum()) for e in (self.enter[k], self.left[k]))
        return most * HOUR / recent / capacity

    def travel_time(self, world: TrafficState, k: int, time: float) -> float | None:
        """[ms] of one who would enter now; None if the link is closed."""
        link, share, flow = world.links[k], self.share[k], self.flows[k]
        if share <= 0:
            return None
        last = float(flow.exit[flow.enter <= time].max(initial=-np.inf))
        if isinstance(link, BPRLink):
            count = int(((flow.enter > time - link.interval) & (flow.enter <= time)).sum())
            return max(float(link.time_at(count * HOUR / link.interval, share)), last - time)
        return max(link.free_time, last + link.headway / share - time)


@lru_cache(maxsize=16)
def _following(supply: Supply) -> np.ndarray:
    """(pairs, ways, links) the link after each one; -1 at the end."""
    following = np.full((len(supply.paths), len(supply.ways), supply.network.links), -1)
    for pair, ways in enumerate(supply.paths):
        for way, path in enumerate(ways):
            following[pair, way, list(path[:-1])] = path[1:]
    return following
