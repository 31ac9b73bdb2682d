"""Static assignment: flows in user equilibrium (Wardrop's first principle) and in the system optimum (his second).

Both are found on route flows: routes are added as they become shortest, and flow is shifted between those of each pair.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..roads import cost as performance
from ..roads.network import Demand, NetworkError, RoadNetwork
from ..roads.routes import Routes, least_cost, shortest, with_cheaper
from .descent import shifted_flow

SHIFTS = 10  # of flow between the known routes before new ones are sought; any number converges


@dataclass(frozen=True, eq=False)
class Assignment:
    """Flows that an assignment ended with; `network` is the one whose costs they are judged by.

    `route_flow`: (routes,) [veh/h]; `flow`: (links,), with `background` where there was any. `gap`: the relative gap
    reached, at marginal costs if it is a system optimum. `iterations`: searches for new routes.
    """

    network: RoadNetwork
    demand: Demand
    routes: Routes
    route_flow: np.ndarray
    flow: np.ndarray
    gap: float
    iterations: int

    @property
    def cost(self) -> np.ndarray:
        """(links,) at these flows."""
        return performance.link_cost(self.network, self.flow)

    @property
    def total_cost(self) -> float:
        """TSTT [veh min/h]."""
        return performance.total_cost(self.network, self.flow)

    @property
    def beckmann(self) -> float:
        return performance.beckmann(self.network, self.flow)

    def used(self, share: float = 1e-6) -> Routes:
        """The routes that carry more than `share` of their pair's trips, and every pair's fullest in any case."""
        fullest = self.routes.cheapest(-self.route_flow)
        carries = self.route_flow > share * self.demand.volume[self.routes.pair]
        carries[fullest] = True
        return self.routes.select(carries)


def all_or_nothing(network: RoadNetwork, demand: Demand, cost: np.ndarray | None = None) -> Assignment:
    """Everybody on the shortest route at link costs (links,); without them at those of empty roads."""
    free = performance.link_cost(network, np.zeros(network.links))
    routes = shortest(network, demand, free if cost is None else cost)
    flow = routes.flow(demand.volume)
    gap = relative_gap(network, demand, flow)
    return Assignment(network, demand, routes, demand.volume, flow, gap, iterations=1)


def user_equilibrium(
    network: RoadNetwork,
    demand: Demand,
    gap: float = 1e-6,
    max_iterations: int = 2000,
    background: np.ndarray | None = None,
) -> Assignment:
    """Nobody can gain by another route, up to the relative `gap`.

    `background`: (links,) flow of others, who stay where they are. Where `max_iterations` were not enough, the gap
    of the result says so; below about 1e-14 rounding decides. Raises NetworkError for zones that are not connected.
    """
    if not gap > 0 or max_iterations < 1:
        raise NetworkError(f"assignment: gap {gap} and {max_iterations} iterations; both must be positive")
    others = np.zeros(network.links) if background is None else background
    start = performance.link_cost(network, others)
    routes = shortest(network, demand, start)
    route_flow = demand.volume.copy()
    for iteration in range(1, max_iterations + 1):
        flow = routes.flow(route_flow)
        link_cost = performance.link_cost(network, flow + others)
        best = shortest(network, demand, link_cost)
        reached = _gap(demand.volume @ best.cost(link_cost), flow @ link_cost)
        if reached <= gap or iteration == max_iterations:
            break
        routes, place = with_cheaper(routes, best, link_cost)
        route_flow = np.bincount(place, route_flow, len(routes))
        for shift in range(SHIFTS):
            route_flow = shifted_flow(network, routes, route_flow, others, newton=shift % 2 == 1)
        used = route_flow > 0
        routes, route_flow = routes.select(used), route_flow[used]
    return Assignment(network, demand, routes, route_flow, flow + others, reached, iteration)


def system_optimum(network: RoadNetwork, demand: Demand, gap: float = 1e-6, max_iterations: int = 2000) -> Assignment:
    """The least total cost: an equilibrium at marginal costs (Beckmann, McGuire and Winsten 1956)."""
    found = user_equilibrium(performance.at_marginal_cost(network), demand, gap, max_iterations)
    return Assignment(network, demand, found.routes, found.route_flow, found.flow, found.gap, found.iterations)


def relative_gap(network: RoadNetwork, demand: Demand, flow: np.ndarray) -> float:
    """1 - (cost if everybody had the shortest route at today's costs) / (cost today); 0 in user equilibrium."""
    link_cost = performance.link_cost(network, flow)
    return _gap(demand.volume @ least_cost(network, demand, link_cost), flow @ link_cost)


def price_of_anarchy(equilibrium: Assignment, optimum: Assignment) -> float:
    """Total cost in user equilibrium over that in the system optimum (Koutsoupias and Papadimitriou 1999)."""
    return equilibrium.total_cost / optimum.total_cost


def _gap(least: float, now: float) -> float:
    return float(1 - least / now) if now > 0 else 0.0
