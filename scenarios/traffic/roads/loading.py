"""Vehicles along their routes: dynamic network loading on SimPy, one event for each link traversed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from lam_env.core.errors import UserError
from lam_env.sim.schedule import Call, Schedule
from lam_env.sim.user import Course, Habits, User

from .links import Link


class Trip(User):
    """A traveller's vehicle, from departure to arrival."""

    __slots__ = ("arrived", "call", "end", "exit", "passed", "position", "route", "start", "until")
    position: int  # on the route; -1 before the first link
    end: int  # [ms] when it arrived
    # kept where links can be full:
    call: Call  # its entry of SimPy's schedule, used again for each link
    exit: float  # [ms] exact time from which it may leave the present link
    passed: bool  # its event has come while others were ahead of it

    def __init__(self, index: int, route: Sequence[Link], start: int, arrived: Callable[[Trip], None]):
        super().__init__(index)
        self.route, self.start, self.arrived = route, start, arrived
        self.position, self.until = -1, start  # [ms] until when it is on this link

    def behave(self, world: Loading) -> Habits:
        """One link after the other, where there is room on each."""
        route = self.route
        while True:
            yield self.until
            if self.position < 0:
                world.departed += 1
            else:
                route[self.position].leave(self)
            self.position += 1
            if self.position == len(route):
                world.arrive(self)
                return
            self.until = route[self.position].enter(world.env.now, self)


class Loading:
    """The vehicles on a network's links. `departed` and `arrived` count them; under way is the difference.

    Where no link can be full, a vehicle leaves each link at the time known at entry: `Trip.behave`. Otherwise one that
    finds the next link full stays where it is, and with it all behind it; room goes to whoever has waited longest for
    it. As one that leaves may let a whole chain of others move at the same instant, trips are then no lives of their
    own: `_reach` and what follows move them. A full circle of links never moves again, as in reality: vehicles then
    stay under way.
    """

    def __init__(self, env: Schedule, links: Iterable[Link]):
        self.env = env
        self.links = list(links)
        self.departed = self.arrived = 0
        self.spills = any(link.storage < math.inf for link in self.links)

    def depart(self, time: int, traveller: int, route: Sequence[Link], arrived: Callable[[Trip], None]) -> Trip:
        """Send a traveller off at `time` [ms], not before SimPy's clock; `arrived(trip)` is called at the arrival."""
        if not route:
            raise UserError("loading: a route needs at least one link")
        if time < self.env.now:
            raise ValueError(f"loading: departure at {time} is before now, {self.env.now}; give a time from now on")
        trip = Trip(traveller, route, time, arrived)
        if self.spills:
            trip.passed, trip.call = False, Call(self._reach, trip)
            self.env.put(time, trip.call)
        else:
            Course(self.env, trip, self).begin()
        return trip

    def pass_by(self, vehicles: int, exits: Iterable[np.ndarray]) -> None:
        """So many have travelled without events; `exits` [ms]: of each link, exact."""
        self.departed += vehicles
        self.arrived += vehicles
        for link, times in zip(self.links, exits, strict=True):
            if len(times):
                link.pass_by(times)

    def arrive(self, trip: Trip) -> None:
        """At the end of the route."""
        trip.end = self.env.now
        self.arrived += 1
        trip.arrived(trip)

    # -- links that can be full ---------------------------------------------------------------------------------------

    def _reach(self, trip: Trip) -> None:
        """The trip has come to the end of its link, where others may stand."""
        now = self.env.now
        if trip.position < 0:
            self.departed += 1
            trip.exit = now
        else:
            link = trip.route[trip.position]
            if link.inside[0] is not trip:
                trip.passed = True  # called again when the one ahead has left
                return
            trip.exit = link.opening(max(trip.exit, link.release))
            if round(trip.exit) > now:  # those ahead left late
                self.env.put(round(trip.exit), trip.call)
                return
        following = trip.route[trip.position + 1] if trip.position + 1 < len(trip.route) else None
        if following is not None and len(following.inside) >= following.storage:
            following.waiting.append(trip)
        else:
            self._go(trip, now)

    def _go(self, trip: Trip | None, now: int) -> None:
        """The trip moves on; whoever waited for the room that it leaves moves in, and so on against the traffic."""
        while trip is not None:
            route, position = trip.route, trip.position
            freed = None
            if position >= 0:
                freed = route[position]
                freed.leave(trip)
                left = trip.exit if round(trip.exit) == now else now  # exact if it did not have to wait for room
                freed.release = freed.served(left)
                if not freed.inside:
                    freed.last_exit = left
                elif freed.inside[0].passed:
                    head = freed.inside[0]
                    head.passed = False
                    self.env.put(max(now, round(max(head.exit, freed.release))), head.call)
            trip.position = position = position + 1
            if position == len(route):
                self.arrive(trip)
            else:
                link = route[position]
                time = link.enter(now, trip)
                trip.exit = link.last_exit
                self.env.put(time, trip.call)
            trip = self._woken(freed, now) if freed is not None else None

    def _woken(self, freed: Link, now: int) -> Trip | None:
        """Who may come into a link in which there is room again: the first in line whose own link is open."""
        while freed.waiting:
            trip: Trip = freed.waiting.popleft()
            opening = trip.route[trip.position].opening(now) if trip.position >= 0 else now
            if opening <= now:
                return trip
            self.env.put(round(opening), trip.call)  # closed while it waited
        return None
