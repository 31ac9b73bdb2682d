"""A bus line from one stop to another: timetable, waiting, seats, and standing that makes time feel longer. Times in ms."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lam_env.core.errors import UserError

from ..units import DAY


def timetable(first: int, last: int, headway: float) -> list[int]:
    """Departures [ms of the day] from `first` to at most `last`, one each `headway` [ms]."""
    if not 0 <= first <= last < DAY:
        raise UserError(f"bus: departures must lie in one day, 0 to {DAY - 1} ms, not {first} to {last}")
    if not 1 <= headway < math.inf:
        raise UserError(f"bus: headway must be at least 1 ms and finite, not {headway}")
    return [round(first + i * headway) for i in range(math.floor((last - first) / headway) + 1)]


class Ride(NamedTuple):
    """What a passenger gets."""

    departure: int  # [ms]
    wait: int  # [ms]
    arrival: int  # [ms]
    place: int  # who boards first has place 0; from `seats` on they stand
    perceived: float  # in-vehicle time as it feels [ms]


class BusLine:
    """Buses that leave by a timetable, the same each day. Passengers board in the order in which they came; a full bus leaves them behind.

    Who gets no seat stands, and her in-vehicle time counts `standing` times: 2.32 is the mean of 208 British valuations (Wardman
    and Whelan 2011, Twenty years of rail crowding valuation studies, Transport Reviews 31).
    """

    def __init__(
        self,
        departures: Sequence[int],
        ride_time: int,
        *,
        seats: int = 40,
        places: float = math.inf,
        standing: float = 2.32,
    ):
        """`departures` [ms of the day], rising; `ride_time` [ms] of the trip; `places` is seats and standing room together."""
        rising = all(a < b for a, b in zip(departures, departures[1:], strict=False))
        if not len(departures) or not rising or not 0 <= departures[0] <= departures[-1] < DAY:
            raise UserError(f"bus: departures must rise and lie in one day, 0 to {DAY - 1} ms, and be at least one")
        if not 0 <= ride_time < math.inf:
            raise UserError(f"bus: ride_time must be at least 0 ms, not {ride_time}")
        if not 0 <= seats <= places or not places >= 1:
            raise UserError(f"bus: places ({places}) must be at least 1 and at least the seats ({seats}, not below 0)")
        if not 1 <= standing < math.inf:
            raise UserError(f"bus: standing must multiply the time by at least 1, not {standing}")
        self.departures = list(departures)
        self._timetable = np.array([*departures, DAY + departures[0]])
        self.ride_time, self.seats, self.places, self.standing = ride_time, seats, places, standing
        self._bus = -1  # the one being filled: day * departures a day + number in the timetable
        self._aboard = 0  # who have a place on it
        self._before = -math.inf  # when the last passenger came to the stop

    def board(self, time: int) -> Ride:
        """A passenger comes to the stop at `time` [ms], not before the one before her: the first bus with a place for her."""
        if time < self._before:
            raise ValueError(f"bus: a passenger came at {time}, before the one before her; keep the order of time")
        self._before = time
        bus = self._next(time)
        if bus > self._bus:
            self._bus, self._aboard = bus, 0
        elif self._aboard >= self.places:
            self._bus, self._aboard = self._bus + 1, 0
        place = self._aboard
        self._aboard += 1
        departure = self._departure(self._bus)
        perceived = self.ride_time * (1.0 if place < self.seats else self.standing)
        return Ride(departure, departure - time, departure + self.ride_time, place, perceived)

    def board_all(self, times: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Passengers who come to the stop at `times` (n,) [ms], in order, as `board` has it: departure, wait and in-vehicle time as it feels.

        For buses without a limit of places that nobody has boarded before.
        """
        day, of_day = np.divmod(times, DAY)
        number = np.searchsorted(self._timetable, of_day)
        departure = day * DAY + self._timetable[number]
        place = np.arange(len(times)) - np.searchsorted(departure, departure)
        self._before = int(times[-1])
        self._bus, self._aboard = int(day[-1]) * len(self.departures) + int(number[-1]), int(place[-1]) + 1
        perceived = self.ride_time * np.where(place < self.seats, 1.0, self.standing)
        return departure, departure - times, perceived

    def wait(self, time: int) -> int:
        """Time [ms] from `time` until the next bus by the timetable."""
        return self._departure(self._next(time)) - time

    def _next(self, time: int) -> int:
        day, of_day = divmod(time, DAY)
        return day * len(self.departures) + bisect_left(self.departures, of_day)

    def _departure(self, bus: int) -> int:
        day, number = divmod(bus, len(self.departures))
        return day * DAY + self.departures[number]
