"""A bus line from one stop to another: waiting, seats, and standing that makes time feel longer. Times in ms."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lam_env.core.errors import UserError

from ..units import DAY


class Ride(NamedTuple):
    """What a passenger gets."""

    departure: int  # [ms]
    wait: int  # [ms]
    arrival: int  # [ms]
    place: int  # who boards first has place 0; from `seats` on they stand
    perceived: float  # in-vehicle time as it feels [ms]


class BusLine:
    """Buses that leave by a timetable, the same each day, and take all who wait. Passengers board in the order in which
    they came.

    Who gets no seat stands, and that in-vehicle time counts `standing` times: 2.32 is the mean of 208 British
    valuations (Wardman and Whelan 2011, Twenty years of rail crowding valuation studies, Transport Reviews 31).
    """

    def __init__(self, departures: Sequence[int], ride_time: int, *, seats: int = 40, standing: float = 2.32):
        """`departures` [ms of the day], rising; `ride_time` [ms] of the trip."""
        rising = all(a < b for a, b in zip(departures, departures[1:], strict=False))
        if not len(departures) or not rising or not 0 <= departures[0] <= departures[-1] < DAY:
            raise UserError(f"bus: departures must rise and lie in one day, 0 to {DAY - 1:,} ms, and be at least one")
        if not 0 <= ride_time < math.inf or seats < 0:
            raise UserError(f"bus: ride_time must be at least 0 ms, not {ride_time}, and seats at least 0, not {seats}")
        if not 1 <= standing < math.inf:
            raise UserError(f"bus: standing must multiply the time by at least 1, not {standing}")
        self.departures = list(departures)
        self._timetable = np.array([*departures, DAY + departures[0]])
        self.ride_time, self.seats, self.standing = ride_time, seats, standing
        self._leaves, self._aboard = -1, 0  # when the bus leaves that is being filled, and how many are on it
        self._before = -math.inf  # when the last passenger came to the stop

    def board(self, time: int) -> Ride:
        """A passenger comes to the stop at `time` [ms], not before the last one: the next bus."""
        if time < self._before:
            raise ValueError(f"bus: a passenger came at {time}, before the last one; keep the order of time")
        self._before = time
        day, of_day = divmod(time, DAY)
        departure = day * DAY + self._timetable.item(bisect_left(self.departures, of_day))
        place = self._aboard if departure == self._leaves else 0
        self._leaves, self._aboard = departure, place + 1
        perceived = self.ride_time * (1.0 if place < self.seats else self.standing)
        return Ride(departure, departure - time, departure + self.ride_time, place, perceived)

    def board_all(self, times: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Passengers who come to the stop at `times` (n,) [ms], in order, as `board` has it: departure, wait and
        in-vehicle time as it feels, (n,) [ms] each. For buses that nobody has boarded before.
        """
        day, of_day = np.divmod(times, DAY)
        departure = day * DAY + self._timetable[np.searchsorted(self._timetable, of_day)]
        place = np.arange(len(times)) - np.searchsorted(departure, departure)
        self._before, self._leaves, self._aboard = int(times[-1]), int(departure[-1]), int(place[-1]) + 1
        return departure, departure - times, self.ride_time * np.where(place < self.seats, 1.0, self.standing)
