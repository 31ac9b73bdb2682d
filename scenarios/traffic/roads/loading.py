"""Moves vehicles along their routes: dynamic network loading on SimPy, one event for each link traversed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from lam_env.core.errors import UserError
from lam_env.sim.schedule import Call, Schedule

from .links import Link


class Trip:
    """A vehicle under way."""

    __slots__ = ("arrived", "call", "end", "exit", "passed", "position", "route", "start", "value")
    call: Call  # its entry of SimPy's schedule, used again for each link
    value: Any  # the traveller
    route: Sequence[Link]
    position: int  # on the route; -1 before the first link
    start: int  # [ms] when it departed
    end: int  # [ms] when it arrived
    arrived: Callable[[Trip], None]
    exit: float  # [ms] exact time from which it may leave the present link; kept where links can be full
    passed: bool  # its event has come while others were ahead of it


class Loading:
    """The vehicles on a network's links. `departed` and `arrived` count them; under way is the difference.

    Where no link can be full, a vehicle leaves each link at the time known at entry. Otherwise one that finds the next
    link full stays where it is, and with it all behind it; room goes to whoever has waited longest for it. A full
    circle of links never moves again, as in reality: vehicles then stay under way.
    """

    def __init__(self, env: Schedule, links: Iterable[Link]):
        self.env = env
        self.links = list(links)
        self.departed = self.arrived = 0
        spills = any(link.storage < math.inf for link in self.links)
        self._move: Callable[[Any], None] = self._reach if spills else self._pass

    def depart(self, time: int, traveller: Any, route: Sequence[Link], arrived: Callable[[Trip], None]) -> Trip:
        """Send a traveller off at `time` [ms], not before SimPy's clock; `arrived(trip)` is called at the arrival."""
        if not route:
            raise UserError("loading: a route needs at least one link")
        now = self.env.now
        if time < now:
            raise ValueError(f"loading: departure at {time} is before now, {now}; give a time from now on")
        trip = Trip()
        trip.call, trip.value = Call(self._move, trip), traveller
        trip.route, trip.position, trip.start, trip.arrived = route, -1, time, arrived
        trip.passed = False
        self.env.put(time, trip.call)
        return trip

    def pass_by(self, vehicles: int, exits: Iterable[np.ndarray]) -> None:
        """So many have travelled without events; `exits` [ms]: of each link, exact."""
        self.departed += vehicles
        self.arrived += vehicles
        for link, times in zip(self.links, exits, strict=True):
            if len(times):
                link.pass_by(times)

    def _pass(self, trip: Trip) -> None:
        """The trip has come to the end of its link, and there is room on the next."""
        route, position = trip.route, trip.position
        now = self.env.now
        if position >= 0:
            route[position].leave(trip)
        else:
            self.departed += 1
        trip.position = position = position + 1
        if position == len(route):
            self._arrive(trip, now)
            return
        self.env.put(route[position].enter(now, trip), trip.call)

    def _arrive(self, trip: Trip, now: int) -> None:
        trip.end = now
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
                self._arrive(trip, now)
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
