"""Static assignment: flows in user equilibrium (Wardrop's first principle).

They are found on route flows: routes are added as they become shortest, and flow is shifted between those of each pair.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..roads import cost as performance
from ..roads.network import Demand, NetworkError, RoadNetwork
from ..roads.routes import Routes, shortest, with_cheaper
from .descent import shifted_flow

SHIFTS = 10  # of flow between the known routes before new ones are sought; any number converges


@dataclass(frozen=True, eq=False)
class Assignment:
    """Flows that an assignment ended with."""

    network: RoadNetwork  # whose costs the flows are judged by
    demand: Demand
    routes: Routes  # that were tried and kept
    route_flow: np.ndarray  # (routes,) [veh/h]
    flow: np.ndarray  # (links,) [veh/h], with that of others where there was any
    gap: float  # relative gap that was reached
    iterations: int  # searches for new routes

    @property
    def cost(self) -> np.ndarray:
        """(links,) [min] at these flows."""
        return performance.link_cost(self.network, self.flow)


def user_equilibrium(
    network: RoadNetwork,
    demand: Demand,
    gap: float = 1e-6,
    max_iterations: int = 2000,
    background: np.ndarray | None = None,
) -> Assignment:
    """Nobody can gain by another route, up to the relative `gap`: 1 - (cost if everybody had the shortest route at
    today's costs) / (cost today).

    `background`: (links,) [veh/h] flow of others, who stay where they are. Where `max_iterations` were not enough, the
    gap of the result says so; below about 1e-14 rounding decides. NetworkError for zones that are not connected.
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
        now = flow @ link_cost
        reached = float(1 - demand.volume @ best.cost(link_cost) / now) if now > 0 else 0.0
        if reached <= gap or iteration == max_iterations:
            break
        routes, place = with_cheaper(routes, best, link_cost)
        route_flow = np.bincount(place, route_flow, len(routes))
        for shift in range(SHIFTS):
            route_flow = shifted_flow(network, routes, route_flow, others, newton=shift % 2 == 1)
        used = route_flow > 0
        routes, route_flow = routes.select(used), route_flow[used]
    return Assignment(network, demand, routes, route_flow, flow + others, reached, iteration)
