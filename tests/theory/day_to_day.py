"""Agents on a static network who learn from day to day: each drives, looks at what routes cost, and may choose anew.

Calm revision, a few per cent of the agents a day or fewer and fewer, comes near user equilibrium; if everybody revises
every day, all rush to yesterday's fastest route and the network collapses. Every draw is a function of day and agent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from lam_env.scenarios.traffic.roads import cost as performance
from lam_env.scenarios.traffic.roads.network import Demand, NetworkError, RoadNetwork
from lam_env.scenarios.traffic.roads.routes import Routes, shortest, with_cheaper
from stochastic import logit_shares

from lam_env.core.rng import Streams


@dataclass(frozen=True)
class Revision:
    """How agents choose anew. `revise`: share of agents who do so a day; without it 1 / (days so far + 1), the method
    of successive averages (MSA). `theta` [1/min]: logit choice among the known routes; without it the cheapest one
    (best reply). `memory`: weight of today in the cost they expect; 1 forgets all earlier days. Raises NetworkError.
    """

    revise: float | None = 0.05
    theta: float | None = None
    memory: float = 1.0

    def __post_init__(self) -> None:
        for name, value in (("revise", self.revise), ("memory", self.memory)):
            if value is not None and not 0 < value <= 1:
                raise NetworkError(f"revision: {name} is {value}; give a share above 0 and at most 1")
        if self.theta is not None and not 0 < self.theta < np.inf:
            raise NetworkError(f"revision: theta is {self.theta}; give a number above 0, or none for best replies")


@dataclass(frozen=True, eq=False)
class Population:
    """Agents ordered by pair of zones."""

    pair: np.ndarray  # (agents,) index into the demand
    trips: np.ndarray  # (agents,) [veh/h] that each stands for

    @classmethod
    def of(cls, demand: Demand, trips: float) -> Population:
        """One agent for about `trips` [veh/h] of every pair, at least one a pair; together they are the demand."""
        if not trips > 0:
            raise NetworkError(f"population: an agent for {trips} trips; give a number above 0")
        agents = np.maximum(np.rint(demand.volume / trips), 1).astype(np.int64)
        return cls(np.repeat(np.arange(len(agents)), agents), np.repeat(demand.volume / agents, agents))

    def spread(self, routes: Routes, route_flow: np.ndarray) -> np.ndarray:
        """(agents,) routes, so that the agents of every pair divide as the flows (routes,) do, to the nearest agent."""
        total = np.add.reduceat(route_flow, routes.first)
        if not (total > 0).all():
            raise NetworkError("population: a pair of zones without flow; give flows that serve the whole demand")
        agents = np.bincount(self.pair, minlength=len(total))
        rank = np.arange(len(self.pair)) - np.searchsorted(self.pair, self.pair)  # within the pair
        return drawn(routes, route_flow / total[routes.pair], self.pair, (rank + 0.5) / agents[self.pair])


@dataclass(frozen=True, eq=False)
class Days:
    """What happened. `flow`: (days, links) [veh/h]; `total_cost` [veh min/h], `gap` (relative) and `switched` (share of
    agents who took another route than the day before): (days,). `route`: (agents,) of `routes` on the last day.
    """

    flow: np.ndarray
    total_cost: np.ndarray
    gap: np.ndarray
    switched: np.ndarray
    routes: Routes
    route: np.ndarray


def simulate(
    network: RoadNetwork,
    demand: Demand,
    population: Population,
    rule: Revision,
    days: int,
    streams: Streams,
    routes: Routes | None = None,
    route: np.ndarray | None = None,
    stays: np.ndarray | None = None,
) -> Days:
    """Days of driving and revising.

    Agents know `routes` (default: the shortest on empty roads) and all that have been shortest on some day since, and
    begin on `route` (agents,) (default: the cheapest they know on empty roads). Agents in the mask `stays` never
    revise.
    """
    empty = performance.link_cost(network, np.zeros(network.links))
    routes = shortest(network, demand, empty) if routes is None else routes
    route = routes.cheapest(routes.cost(empty))[population.pair] if route is None else route
    revises = streams("travellers", "revise")
    draws = streams("travellers", "route")
    n, trips = len(population.pair), population.trips
    flow = np.zeros((days, network.links))
    total_cost, gap, switched = np.zeros((3, days))
    expected = empty
    for day in range(days):
        flow[day] = routes.flow(np.bincount(route, trips, len(routes)))
        today = performance.link_cost(network, flow[day])
        best = shortest(network, demand, today)
        total_cost[day] = flow[day] @ today
        gap[day] = 1 - demand.volume @ best.cost(today) / total_cost[day] if total_cost[day] > 0 else 0.0
        if day == days - 1:
            break
        routes, place = with_cheaper(routes, best, today)
        route = place[route]
        expected = today if day == 0 else expected + rule.memory * (today - expected)
        share = 1 / (day + 2) if rule.revise is None else rule.revise
        anew = revises.block(day * n, n) < share
        if stays is not None:
            anew &= ~stays
        chosen = _chosen(routes, routes.cost(expected), rule.theta, population.pair, draws.block(day * n, n))
        switched[day + 1] = np.mean(anew & (chosen != route))
        route = np.where(anew, chosen, route)
    return Days(flow, total_cost, gap, switched, routes, route)


def _chosen(
    routes: Routes, route_cost: np.ndarray, theta: float | None, pair: np.ndarray, uniform: np.ndarray
) -> np.ndarray:
    """(agents,) the route each would choose."""
    if theta is None:
        return routes.cheapest(route_cost)[pair]
    return drawn(routes, logit_shares(routes, route_cost, theta), pair, uniform)


def drawn(routes: Routes, shares: np.ndarray, pair: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """(agents,) routes at the quantiles `uniform`, in (0, 1), of the shares (routes,) of each agent's pair."""
    before = np.cumsum(shares) - shares
    upto = routes.pair + np.cumsum(shares) - before[routes.first][routes.pair]
    last = np.append(routes.first[1:], len(routes)) - 1
    found = np.searchsorted(upto, pair + uniform)
    return np.clip(found, routes.first[pair], last[pair])  # rounding must not lead to another pair
