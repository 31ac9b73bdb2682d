"""Three link models behind one interface: volume-delay function (BPR), point queue, spatial queue.

A vehicle `enter`s a link, which says when it will reach the end and may leave; whoever moves it (`loading.py`) lets it
`leave` then. Times are integers [ms]; service is accumulated in fractions and only times of events are rounded, so that
a capacity of 7,000 vehicles an hour is served exactly. Nobody overtakes: `leave` sees to it.

A BPR capacity is no queue capacity (volumes may exceed it), so results of one model do not judge another.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import numpy as np

from lam_env.core.errors import UserError

from ..units import HOUR


class Link:
    """What all links share: who is inside, counts for conservation, and changes of capacity.

    At every event `entered == left + len(inside)`.
    """

    storage: float = math.inf  # how many vehicles fit

    def __init__(self, free_time: float, capacity: float):
        """`free_time` [ms] is the travel time of an empty link; `capacity` [vehicles/h] may be infinite."""
        if not 0 <= free_time < math.inf:
            raise UserError(f"link: free_time must be at least 0 ms and finite, not {free_time}")
        if not capacity > 0:
            raise UserError(f"link: capacity must be above 0 vehicles/h, not {capacity}; close a link with restrict()")
        self.free_time, self.capacity = free_time, capacity
        self.headway = 0.0  # [ms] between two vehicles that leave, at full capacity
        self.inside: deque[Any] = deque()  # vehicles, in order of entry
        self.waiting: deque[Any] = deque()  # vehicles for which there is no room yet
        self.entered = self.left = 0
        self.last_exit = -math.inf  # [ms] exact time at which the vehicle that entered last reaches the end, served
        self.release = -math.inf  # [ms] before which nobody may leave, since the last one left late; see loading.py
        self.changes: list[tuple[int, int, float]] = []  # (start, end, share of capacity), in order of time
        self.log: list[tuple[int, float, Any]] | None = None  # (entry, exact exit, vehicle) of all who enter, if wanted

    def _exit(self, time: int, last: float) -> float:
        """Exact exit [ms] of a vehicle that enters now, after one whose exit was `last`."""
        raise NotImplementedError

    def enter(self, time: int, vehicle: Any) -> int:
        """The vehicle comes in; returns the time [ms] from which it may leave."""
        self.entered += 1
        self.inside.append(vehicle)
        self.last_exit = exit = self._exit(time, self.last_exit)
        if self.log is not None:
            self.log.append((time, exit, vehicle))
        return round(exit)

    def exits(self, times: list[int]) -> list[float]:
        """Exact exits [ms] of vehicles that would enter at these times, in order, after all who have entered."""
        last, exits = self.last_exit, list[float]()
        for time in times:
            last = self._exit(time, last)
            exits.append(last)
        return exits

    def leave(self, vehicle: Any) -> None:
        """The vehicle that entered first leaves."""
        if self.inside.popleft() is not vehicle:
            raise RuntimeError("link: a vehicle left before one that had entered earlier")
        self.left += 1

    def pass_by(self, exits: np.ndarray) -> None:
        """Vehicles with these exact exits have come and gone, without events."""
        self.entered += len(exits)
        self.left += len(exits)
        self.last_exit = float(exits[-1])

    def restrict(self, start: int, end: int, share: float) -> None:
        """From `start` to `end` [ms] only this share (0: closed, 1: all) of the capacity is there.

        Exits are worked out at entry, so a change has to be made before anybody enters who would leave after its start.
        """
        if not start < end < math.inf:
            raise UserError(f"link: a change of capacity must start before it ends, not {start} to {end}")
        if not 0 <= share <= 1:
            raise UserError(f"link: share of capacity must be 0 to 1, not {share}")
        if self.last_exit > start:
            raise UserError(f"link: a vehicle inside leaves after {start}; change capacity before it enters")
        if any(start < b and a < end for a, b, _ in self.changes):
            raise UserError(f"link: changes of capacity overlap between {start} and {end}; give them one after another")
        self.changes = sorted([*(c for c in self.changes if c[1] > self.last_exit), (start, end, share)])

    def share(self, time: float) -> float:
        """Share of the capacity that is there at a time."""
        return next((share for start, end, share in self.changes if start <= time < end), 1.0)

    def opening(self, time: float) -> float:
        """The earliest time from `time` on at which the link is not closed."""
        for start, end, share in self.changes:
            if start <= time < end and share == 0:
                time = end
        return time

    def served(self, begin: float) -> float:
        """When the link is free again after a vehicle left at `begin`: once capacity has added up to one vehicle."""
        work = self.headway
        for start, end, share in self.changes:
            if end <= begin:
                continue
            if start > begin:
                if begin + work <= start:
                    return begin + work
                begin, work = start, work - (start - begin)
            if share > 0 and begin + work / share <= end:
                return begin + work / share
            begin, work = end, work - (end - begin) * share
        return begin + work


class PointQueue(Link):
    """Vehicles travel freely to the end, queue there without length, and are served at capacity, first in first out.

    Vickrey (1969): `exit = max(entry + free_time, exit of the one before + 1 / capacity)`.
    """

    def __init__(self, free_time: float, capacity: float):
        super().__init__(free_time, capacity)
        self.headway = HOUR / capacity

    def _exit(self, time: int, last: float) -> float:
        if self.changes:
            return self.opening(max(time + self.free_time, self.served(last)))
        return max(time + self.free_time, last + self.headway)

    def exits(self, times: list[int]) -> list[float]:
        if self.changes:
            return super().exits(times)
        last, free, headway, exits = self.last_exit, self.free_time, self.headway, list[float]()
        for time in times:  # written out: a day is loaded by it
            begin, last = time + free, last + headway
            if begin > last:
                last = begin
            exits.append(last)
        return exits


class SpatialQueue(PointQueue):
    """A point queue that takes up room: behind `storage` vehicles, the next waits on the link before (spill-back).

    Gawron (1998). Room that comes free at the end is there at the beginning at once. A link carries at most `storage`
    vehicles in `free_time`, even if its capacity is above that.
    """

    def __init__(self, free_time: float, capacity: float, storage: int):
        super().__init__(free_time, capacity)
        if not storage >= 1:
            raise UserError(f"link: storage must be at least 1 vehicle, not {storage}")
        self.storage = storage

    def enter(self, time: int, vehicle: Any) -> int:
        if len(self.inside) >= self.storage:
            raise RuntimeError("link: a vehicle entered a full link")
        return super().enter(time, vehicle)


class BPRLink(Link):
    """Travel time of the Bureau of Public Roads (1964): `free_time * (1 + b * (flow / capacity) ** power)`.

    `flow` [vehicles/h] is that of the vehicles which entered in the `interval` [ms] before: those who come together
    hinder one another at once. Where a falling flow would let a vehicle overtake, it leaves together with the one
    before.
    """

    def __init__(
        self, free_time: float, capacity: float, *, b: float = 0.15, power: float = 4.0, interval: int = 900_000
    ):
        super().__init__(free_time, capacity)
        if not (b >= 0 and power >= 0):
            raise UserError(f"link: b and power must be at least 0, not {b} and {power}")
        if interval < 1:
            raise UserError(f"link: interval must be at least 1 ms, not {interval}")
        self.b, self.power, self.interval = b, power, interval
        self._recent: deque[int] = deque()  # when vehicles entered, of the last interval

    def time_at(self, flow: Any, share: float = 1.0) -> Any:
        """Travel times [ms] at flows [vehicles/h], numbers or arrays, with a share (above 0) of the capacity."""
        return self.free_time * (1 + self.b * (flow / (self.capacity * share)) ** self.power)

    def _exit(self, time: int, last: float) -> float:
        recent = self._recent
        while recent and recent[0] <= time - self.interval:
            recent.popleft()
        flow = len(recent) * HOUR / self.interval
        recent.append(time)
        if not self.changes:
            return max(time + self.time_at(flow), last)
        begin = self.opening(time)
        return self.opening(max(begin + self.time_at(flow, self.share(begin)), last))

    def exits(self, times: list[int]) -> list[float]:
        before = self._recent.copy()
        exits = super().exits(times)
        self._recent = before  # nobody has come
        return exits
