"""What links cost at a flow: the performance function of the Bureau of Public Roads (Traffic Assignment Manual, 1964).

`flow` is (links,) [veh/h] and not negative, as are all results unless said otherwise; units as in `RoadNetwork`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .network import RoadNetwork


def travel_time(network: RoadNetwork, flow: np.ndarray) -> np.ndarray:
    """free_flow_time * (1 + b * (flow / capacity) ** power) [min]."""
    return network.free_flow_time * (1 + network.b * (flow / network.capacity) ** network.power)


def link_cost(network: RoadNetwork, flow: np.ndarray) -> np.ndarray:
    """Travel time and what a link costs at any flow [min]."""
    return travel_time(network, flow) + network.fixed


def slope(network: RoadNetwork, flow: np.ndarray) -> np.ndarray:
    """Derivative of the cost by flow [min h/veh]."""
    power = network.power
    rising = np.where(power > 0, power - 1, 0.0)  # a constant has slope 0 at zero flow too
    return network.free_flow_time * network.b * power * (flow / network.capacity) ** rising / network.capacity


def marginal_cost(network: RoadNetwork, flow: np.ndarray) -> np.ndarray:
    """What one more vehicle costs everybody, itself included [min]: cost + flow * slope."""
    return link_cost(network, flow) + flow * slope(network, flow)


def at_marginal_cost(network: RoadNetwork) -> RoadNetwork:
    """The network whose costs are the marginal costs of this one: b becomes b * (power + 1)."""
    return replace(network, b=network.b * (network.power + 1))


def beckmann(network: RoadNetwork, flow: np.ndarray) -> float:
    """Sum over links of the integral of cost from 0 to flow (Beckmann, McGuire and Winsten 1956): least in equilibrium."""
    congestion = network.b * (flow / network.capacity) ** network.power / (network.power + 1)
    return float((flow * (network.free_flow_time * (1 + congestion) + network.fixed)).sum())


def total_cost(network: RoadNetwork, flow: np.ndarray) -> float:
    """Sum over links of flow * cost: the total system travel time TSTT [veh min/h] where nothing is fixed."""
    return float(flow @ link_cost(network, flow))
