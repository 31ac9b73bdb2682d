"""Logit stochastic user equilibrium (SUE) on a given set of routes: travellers see costs with noise.

The share of a route is proportional to exp(-theta * cost) at the costs that the shares bring about (Daganzo and Sheffi,
Transportation Science 11, 1977). It is where Fisk's objective is least (Transportation Research B 14, 1980), and is
found by steps towards today's logit shares with an exact line search (Chen and Alfa, Transportation Research B 25,
1991).
"""

from __future__ import annotations

import numpy as np
from lam_env.scenarios.traffic.roads import cost as performance
from lam_env.scenarios.traffic.roads.network import Demand, NetworkError, RoadNetwork
from lam_env.scenarios.traffic.roads.routes import Routes
from lam_env.scenarios.traffic.theory.assignment import Assignment
from scipy.optimize import brentq


def logit_shares(routes: Routes, route_cost: np.ndarray, theta: float) -> np.ndarray:
    """(routes,) share of each route within its pair at route costs (routes,); theta [1/min] >= 0."""
    lowest = np.minimum.reduceat(route_cost, routes.first)[routes.pair]
    weight = np.exp(-theta * (route_cost - lowest))
    return weight / np.add.reduceat(weight, routes.first)[routes.pair]


def stochastic_equilibrium(
    network: RoadNetwork,
    demand: Demand,
    routes: Routes,
    theta: float,
    gap: float = 1e-4,
    max_iterations: int = 5000,
) -> Assignment:
    """Shares that are the logit shares of their own costs; theta [1/min] > 0 is large where people see costs well.

    `gap` of the result is the share of all trips that today's logit shares would put on another route. Where
    `max_iterations` were not enough, it is above the one asked for. Raises NetworkError.
    """
    if not 0 < theta < np.inf:
        raise NetworkError(f"stochastic equilibrium: theta {theta}; give a number above 0 (for none: user_equilibrium)")
    if len(routes.first) != len(demand.volume):
        raise NetworkError(
            "stochastic equilibrium: the routes are those of another demand; give a route for every pair"
        )
    volume = demand.volume[routes.pair]
    empty = routes.cost(performance.link_cost(network, np.zeros(network.links)))
    route_flow = volume * logit_shares(routes, empty, theta)
    for iteration in range(1, max_iterations + 1):
        flow = routes.flow(route_flow)
        change = volume * logit_shares(routes, routes.cost(performance.link_cost(network, flow)), theta) - route_flow
        reached = float(abs(change).sum() / 2 / demand.total)
        if reached <= gap or iteration == max_iterations:
            break
        route_flow = route_flow + _step(network, routes, route_flow, change, theta) * change
    return Assignment(network, demand, routes, route_flow, flow, reached, iteration)


def _step(network: RoadNetwork, routes: Routes, route_flow: np.ndarray, change: np.ndarray, theta: float) -> float:
    """The step along `change`, at most 1, that takes Fisk's objective lowest."""
    flow, direction = routes.flow(route_flow), routes.flow(change)

    def descent(step: float) -> float:
        """Derivative of the objective: the sum of integrals of link costs, and of flow * log(flow) / theta."""
        at = np.maximum(flow + step * direction, 0)
        entropy = np.log(np.maximum(route_flow + step * change, np.finfo(float).tiny))
        return float(performance.link_cost(network, at) @ direction + entropy @ change / theta)

    return 1.0 if descent(1.0) <= 0 or descent(0.0) >= 0 else brentq(descent, 0.0, 1.0)
