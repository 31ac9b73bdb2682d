"""What disturbs traffic: rain now and then, and a shock of the settings that breaks habits."""

from __future__ import annotations

import numpy as np

from lam_env.core.errors import UserError
from lam_env.core.rng import Stream

from ..params import TrafficParams
from ..roads.supply import Supply

RAIN, ROADWORKS, STORM = 0.9, 0.6, 0.75  # share of the capacity that is left


def share_of(params: TrafficParams, rains: Stream, day: int, first: int) -> tuple[bool, float, float]:
    """Of a day: rain, share of all links' capacity, and of the tight link's on top. `first`: first day of the episode.

    The share of the tight link is 0 where it is closed.
    """
    rain = rains.uniform(day) < params.rain
    share, tight = RAIN if rain else 1.0, 1.0
    if 0 <= day - first - params.shock_day < params.shock_days:
        if params.shock == "weather":
            rain, share = True, STORM
        elif params.shock == "capacity":
            tight = ROADWORKS
        elif params.shock == "closure":
            tight = 0.0
    return rain, share, tight


def closed_ways(supply: Supply) -> np.ndarray:
    """(pairs, ways) bool: those that need the tight link."""
    return np.array([[supply.tight in path for path in ways] for ways in supply.paths])


def check_closure(supply: Supply) -> None:
    """UserError where somebody would have no way left; who has no car needs the bus all days."""
    lost = ~(supply.offered & ~closed_ways(supply)).any(1)
    if lost.any():
        network, (origin, destination) = supply.network, supply.pairs[int(lost.argmax())]
        fullest = f"its fullest link, {network.tail[supply.tight] + 1} to {network.head[supply.tight] + 1}"
        trips = f"trips from {origin + 1} to {destination + 1}"
        raise UserError(
            f"world.shock=closure: network {network.name} has no way around {fullest}, for {trips}; "
            "take another shock or network"
        )
