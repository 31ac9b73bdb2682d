"""What disturbs traffic: rain now and then, and a shock of the settings that breaks habits."""

from __future__ import annotations

import numpy as np

from lam_env.rng import Stream

from .params import TrafficParams
from .supply import Supply

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


def closed_options(supply: Supply) -> np.ndarray:
    """(O,) bool: options that need the tight link, for any pair of places."""
    uses = np.array([any(supply.tight in path for path in ways) for ways in zip(*supply.paths, strict=True)])
    found: np.ndarray = uses[supply.way]
    return found
