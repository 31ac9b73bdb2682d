"""The system optimum (Wardrop's second principle) and other known answers of static assignment, to check the solver by.

`flow`: (links,) [veh/h] and not negative.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from lam_env.scenarios.traffic.roads.cost import link_cost, slope
from lam_env.scenarios.traffic.roads.network import Demand, RoadNetwork
from lam_env.scenarios.traffic.roads.routes import Routes, least_cost, shortest
from lam_env.scenarios.traffic.theory.assignment import Assignment, user_equilibrium
from scipy.sparse import vstack


def marginal_cost(network: RoadNetwork, flow: np.ndarray) -> np.ndarray:
    """What one more vehicle costs everybody, itself included [min]: cost + flow * slope."""
    return link_cost(network, flow) + flow * slope(network, flow)


def at_marginal_cost(network: RoadNetwork) -> RoadNetwork:
    """The network whose costs are the marginal costs of this one: b becomes b * (power + 1)."""
    return replace(network, b=network.b * (network.power + 1))


def beckmann(network: RoadNetwork, flow: np.ndarray) -> float:
    """Sum of the integrals of cost from 0 to flow (Beckmann, McGuire and Winsten 1956): least in equilibrium."""
    congestion = network.b * (flow / network.capacity) ** network.power / (network.power + 1)
    return float((flow * (network.free_flow_time * (1 + congestion) + network.fixed)).sum())


def flow_cost(network: RoadNetwork, flow: np.ndarray) -> float:
    """Sum over links of flow * cost: the total system travel time TSTT [veh min/h] where nothing is fixed."""
    return float(flow @ link_cost(network, flow))


def total_cost(found: Assignment) -> float:
    """TSTT [veh min/h] of an assignment."""
    return flow_cost(found.network, found.flow)


def trips_of(matrix: np.ndarray) -> Demand:
    """Demand of a matrix (zones, zones) [veh]; trips within a zone are left out."""
    trips = matrix * (1.0 - np.eye(len(matrix)))
    return Demand(*trips.nonzero(), trips[trips.nonzero()])


def commuters(number: float) -> Demand:
    """So many from node 0 to node 1."""
    return Demand(np.array([0]), np.array([1]), np.array([number]))


def all_or_nothing(network: RoadNetwork, demand: Demand, cost: np.ndarray | None = None) -> Assignment:
    """Everybody on the shortest route at link costs (links,); without them at those of empty roads."""
    routes = shortest(network, demand, link_cost(network, np.zeros(network.links)) if cost is None else cost)
    flow = routes.flow(demand.volume)
    return Assignment(network, demand, routes, demand.volume, flow, relative_gap(network, demand, flow), iterations=1)


def system_optimum(network: RoadNetwork, demand: Demand, gap: float = 1e-6, max_iterations: int = 2000) -> Assignment:
    """The least total cost: an equilibrium at marginal costs, which `gap` is about."""
    return replace(user_equilibrium(at_marginal_cost(network), demand, gap, max_iterations), network=network)


def relative_gap(network: RoadNetwork, demand: Demand, flow: np.ndarray) -> float:
    """1 - (cost if everybody had the shortest route at today's costs) / (cost today); 0 in user equilibrium."""
    least = demand.volume @ least_cost(network, demand, link_cost(network, flow))
    now = flow_cost(network, flow)
    return float(1 - least / now) if now > 0 else 0.0


def price_of_anarchy(equilibrium: Assignment, optimum: Assignment) -> float:
    """Total cost in user equilibrium over that in the system optimum (Koutsoupias and Papadimitriou 1999)."""
    return total_cost(equilibrium) / total_cost(optimum)


def used(found: Assignment) -> Routes:
    """The routes that carry more than a millionth of their pair's trips."""
    return found.routes.select(found.route_flow > 1e-6 * found.demand.volume[found.routes.pair])


def merged(one: Routes, other: Routes) -> Routes:
    """All routes of two sets, without double ones."""
    pair, links = np.concatenate([one.pair, other.pair]), vstack([one.links, other.links], format="csr")
    _, kept = np.unique(np.column_stack([pair, links.toarray()]), axis=0, return_index=True)
    kept = kept[np.argsort(pair[kept], kind="stable")]
    return Routes(pair[kept], links[kept])


def read_flows(path: Path, network: RoadNetwork) -> tuple[np.ndarray, np.ndarray]:
    """(links,) volume and cost in the network's order, of a *_flow.tntp file: From, To, Volume, Cost."""
    rows = {(int(tail) - 1, int(head) - 1): (volume, cost) for tail, head, volume, cost in np.loadtxt(path, skiprows=1)}
    volume, cost = np.array([rows[e] for e in zip(network.tail.tolist(), network.head.tolist(), strict=True)]).T
    return volume, cost
