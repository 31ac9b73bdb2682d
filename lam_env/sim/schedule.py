"""SimPy's environment with a clock of whole ticks and a queue that `World` may look into.

Only public names of SimPy are used: a process waits for `timeout`, `event` and whatever else SimPy offers, and all of
that comes in by `schedule`. Half of the time of SimPy's own loop goes into small calls, which `Call` does without.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from typing import Any

import simpy
from simpy.core import EmptySchedule
from simpy.events import NORMAL, Event

from lam_env.core.errors import UserError

FOREVER = float("inf")


class Call:
    """An entry of the queue that nobody waits for: `function(value)` is called at its time.

    It is what a Timeout with one callback is, at a third of the cost.
    """

    __slots__ = ("function", "value")

    def __init__(self, function: Callable[[Any], None], value: object):
        self.function, self.value = function, value


class Schedule(simpy.Environment):
    """`now` [ticks] is the time of the world at every instant, also at decision points at which no event lies."""

    now: int = 0  # an attribute and no property: it is read at every event

    def __init__(self, start: int):
        super().__init__(start)
        self.now = start
        self.queue: list[tuple[int, int, int, Any]] = []  # a heap of (time, priority, ticket, Call or event of SimPy)
        self._next_ticket(0)

    def _next_ticket(self, first: int) -> None:
        self.ticket: Callable[[], int] = count(first).__next__

    def __reduce__(self) -> tuple[object, ...]:
        return Schedule, (self.now,), (self.ticket(), self.queue)

    def __setstate__(self, state: tuple[int, list[tuple[int, int, int, Any]]]) -> None:
        first, self.queue[:] = state
        self._next_ticket(first)

    def call_at(self, time: int, function: Callable[[Any], None], value: Any = None) -> None:
        """Call `function(value)` at an absolute time; ValueError where that has gone by."""
        if time < self.now:
            raise ValueError(f"call_at: time {time} is before now, {self.now}; give a time from now on")
        heappush(self.queue, (time, NORMAL, self.ticket(), Call(function, value)))

    def put(self, time: int, call: Call) -> None:
        """The same of a `Call` that is used again."""
        heappush(self.queue, (time, NORMAL, self.ticket(), call))

    # -- as of every environment of SimPy -----------------------------------------------------------------------------

    def schedule(self, event: Event, priority: int = NORMAL, delay: float = 0) -> None:
        """Called by SimPy for all that a process waits for; UserError where a delay is no whole number of ticks."""
        time = int(self.now + delay)
        if time != self.now + delay:
            raise UserError(f"a delay of {delay} ticks: time runs in whole ticks; round it")
        heappush(self.queue, (time, priority, self.ticket(), event))

    def peek(self) -> float:
        """Time of the next event, infinite if there is none."""
        return self.queue[0][0] if self.queue else FOREVER

    def step(self) -> None:
        """Let the next event happen; EmptySchedule if there is none."""
        if not self.queue:
            raise EmptySchedule
        self.now, _, _, event = heappop(self.queue)
        if event.__class__ is Call:
            event.function(event.value)
            return
        callbacks, event.callbacks = event.callbacks, None
        for callback in callbacks:
            callback(event)
        if not (event.ok or event.defused):
            raise event.value
