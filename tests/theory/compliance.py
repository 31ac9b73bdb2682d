"""What advice for the system optimum is worth when only some follow it and the others look after themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from lam_env.scenarios.traffic.roads import cost as performance
from lam_env.scenarios.traffic.roads.network import Demand, NetworkError, RoadNetwork
from lam_env.scenarios.traffic.roads.routes import shortest
from lam_env.scenarios.traffic.theory.assignment import Assignment, user_equilibrium
from optimum import system_optimum, total_cost


@dataclass(frozen=True)
class Compliance:
    """One point of the curve."""

    share: float  # of trips that follow
    total_cost: float  # [veh min/h]
    gain: float  # share of the way in total cost from user equilibrium to system optimum, 0 where there is none to go
    regret: float  # [min] that a follower loses against the shortest route


def compliance_curve(
    network: RoadNetwork, demand: Demand, shares: Sequence[float], gap: float = 1e-6
) -> list[Compliance]:
    """A share of every pair's trips takes the routes of the system optimum; the rest is in equilibrium given that."""
    if not all(0 <= share <= 1 for share in shares):
        raise NetworkError(f"compliance: shares {list(shares)}; give numbers from 0 to 1")
    optimum = system_optimum(network, demand, gap)
    equilibrium = user_equilibrium(network, demand, gap)
    return [_point(network, demand, share, optimum, equilibrium, gap) for share in shares]


def _point(
    network: RoadNetwork, demand: Demand, share: float, optimum: Assignment, equilibrium: Assignment, gap: float
) -> Compliance:
    if share == 0:
        flow = equilibrium.flow
    elif share == 1:
        flow = optimum.flow
    else:
        flow = user_equilibrium(network, demand.scaled(1 - share), gap, background=share * optimum.flow).flow
    cost = performance.link_cost(network, flow)
    total = float(flow @ cost)
    least = demand.volume @ shortest(network, demand, cost).cost(cost)
    regret = float(np.maximum(optimum.flow @ cost - least, 0)) / demand.total if share > 0 else 0.0
    best, worst = total_cost(optimum), total_cost(equilibrium)
    gain = (worst - total) / (worst - best) if worst - best > gap * worst else 0.0
    return Compliance(share, total, gain, regret)
