"""What links cost at a flow: the performance function of the Bureau of Public Roads (Traffic Assignment Manual, 1964).

`flow` is (links,) [veh/h] and not negative, as are all results; units as in `RoadNetwork`.
"""

from __future__ import annotations

import numpy as np

from .network import RoadNetwork


def link_cost(network: RoadNetwork, flow: np.ndarray) -> np.ndarray:
    """(links,) [min] free_flow_time * (1 + b * (flow / capacity) ** power) + fixed."""
    ratio = flow / network.capacity
    return network.free_flow_time * (1 + network.b * ratio**network.power) + network.fixed


def slope(network: RoadNetwork, flow: np.ndarray) -> np.ndarray:
    """(links,) derivative of the cost by flow [min h/veh]."""
    power = network.power
    rising = np.where(power > 0, power - 1, 0.0)  # a constant has slope 0 at zero flow too
    return network.free_flow_time * network.b * power * (flow / network.capacity) ** rising / network.capacity
