"""Vickrey's bottleneck: known answers, and the same morning run through the point queue.

N commuters pass one bottleneck of capacity s and all want to arrive at t*. An hour of travel costs alpha, an hour early
beta, an hour late gamma. At equilibrium everybody has the same cost, half of it queueing; the optimum has the same
arrivals without a queue, at half the cost. Formulas: Arnott, de Palma and Lindsey (1990), Economics of a bottleneck,
Journal of Urban Economics 27. Default costs: Small (1982) in USD/h.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from lam_env.scenarios.traffic.roads.links import PointQueue
from lam_env.scenarios.traffic.roads.loading import Loading, Trip
from lam_env.scenarios.traffic.units import HOUR

from lam_env.core.errors import UserError
from lam_env.sim.schedule import Schedule


@dataclass(frozen=True)
class Bottleneck:
    """A morning's commuters and their bottleneck."""

    commuters: int = 3000
    capacity: float = 3000.0  # [vehicles/h]
    alpha: float = 6.4  # cost of an hour of travel
    beta: float = 3.9  # cost of an hour early
    gamma: float = 15.21  # cost of an hour late
    preferred: float = 0.0  # arrival [h]
    free_time: float = 0.0  # [h] to the work place

    def __post_init__(self) -> None:
        if self.commuters < 1 or not 0 < self.capacity < math.inf:
            raise UserError("bottleneck: commuters must be at least 1 and capacity above 0 and finite")
        if not 0 < self.beta < self.alpha or not self.gamma > 0:
            raise UserError(
                f"bottleneck: costs must be 0 < beta < alpha and gamma > 0, not {self.alpha}, {self.beta}, {self.gamma}"
            )
        if not 0 <= self.free_time < math.inf or not math.isfinite(self.preferred):
            raise UserError("bottleneck: free_time must be at least 0 h, preferred finite")

    @property
    def duration(self) -> float:
        """Length of the rush hour N / s [h]."""
        return self.commuters / self.capacity

    @property
    def first(self) -> float:
        """When the first one arrives [h]."""
        return self.preferred - self.gamma / (self.beta + self.gamma) * self.duration

    @property
    def last(self) -> float:
        """When the last one arrives [h]."""
        return self.first + self.duration

    @property
    def cost(self) -> float:
        """Everybody's cost at equilibrium, beyond that of the free travel time."""
        return self.beta * self.gamma / (self.beta + self.gamma) * self.duration

    @property
    def optimum_cost(self) -> float:
        """Mean cost at the system optimum, beyond that of the free travel time."""
        return self.cost / 2

    @property
    def max_delay(self) -> float:
        """Queueing time of those who arrive on time at equilibrium, the longest [h]."""
        return self.cost / self.alpha

    def equilibrium_departures(self) -> np.ndarray:
        """Departure times [h] of the commuters at equilibrium, sorted, shape (N,): each at the middle of their
        share of the flow."""
        early = self.capacity * self.alpha / (self.alpha - self.beta)  # departures/h until those who arrive on time
        late = self.capacity * self.alpha / (self.alpha + self.gamma)
        order = np.arange(self.commuters) + 0.5
        on_time = self.capacity * (self.preferred - self.first)  # how many arrive early
        departures = self.first + np.minimum(order, on_time) / early + np.maximum(order - on_time, 0) / late
        return departures - self.free_time

    def optimum_departures(self) -> np.ndarray:
        """Departure times [h] at the system optimum, sorted, shape (N,): the equilibrium's arrivals, and no queue."""
        order = np.arange(self.commuters) + 0.5
        return self.first + order / self.capacity - self.free_time

    def schedule_cost(self, arrivals: np.ndarray) -> np.ndarray:
        """Cost of being early or late, shape as `arrivals` [h]."""
        early = self.preferred - np.asarray(arrivals)
        return self.beta * np.maximum(early, 0) + self.gamma * np.maximum(-early, 0)


@dataclass(frozen=True)
class Morning:
    """What came of a morning. Arrays have shape (N,) and follow the departures handed in; costs lie beyond that of the
    free travel time."""

    arrivals: np.ndarray  # [h]
    delays: np.ndarray  # queueing time [h]
    costs: np.ndarray
    queue_share: float  # of queueing in all costs

    @property
    def mean_cost(self) -> float:
        return float(self.costs.mean())

    @property
    def max_delay(self) -> float:
        return float(self.delays.max())


def simulate(bottleneck: Bottleneck, departures: np.ndarray) -> Morning:
    """Send commuters who depart at these times [h], shape (N,), through a point queue on SimPy."""
    departures = np.asarray(departures, float)
    if departures.ndim != 1 or not len(departures) or not np.isfinite(departures).all():
        raise UserError(f"bottleneck: departures must be finite times, shape (N,), not shape {departures.shape}")
    times = np.rint(departures * HOUR).astype(np.int64).tolist()
    env = Schedule(min(times))
    link = PointQueue(bottleneck.free_time * HOUR, bottleneck.capacity)
    loading = Loading(env, [link])
    ends = np.empty(len(times))

    def arrive(trip: Trip) -> None:
        ends[trip.index] = trip.end

    for commuter, time in enumerate(times):
        loading.depart(time, commuter, [link], arrive)
    env.run()
    arrivals = ends / HOUR
    # below half a millisecond of rounding nobody has queued
    delays = np.maximum(arrivals - np.array(times) / HOUR - bottleneck.free_time, 0)
    costs = bottleneck.alpha * delays + bottleneck.schedule_cost(arrivals)
    return Morning(arrivals, delays, costs, float(bottleneck.alpha * delays.sum() / costs.sum()))
