"""The two-route game of Selten, Chmura, Pitz, Kube and Schreckenberg (2007), Commuters route choice behaviour, Games
and Economic Behavior 58.

18 players choose each period between a main road, travel time 6 + 2 n, and a side road, 12 + 3 n, n the number who
chose it. At the equilibrium 12 take the main road and 6 the side road, 30 each way. In the laboratory the mean split is
near it, and fluctuations last.
"""

from __future__ import annotations

import math

import numpy as np
from lam_env.scenarios.traffic.world.choice import sample_choice

from lam_env.core.errors import UserError
from lam_env.core.rng import Streams

PLAYERS = 18
EQUILIBRIUM = (12, 6)  # on the main and the side road
_FREE, _SLOPE = np.array([6.0, 12.0]), np.array([2.0, 3.0])
_BASE = 40.0  # the payoff of a period is this less the travel time


def play(streams: Streams, periods: int = 200, *, propensity: float = 10.0) -> np.ndarray:
    """Numbers on the main and the side road in each period, shape (periods, 2).

    Payoff-sum learning (Erev and Roth 1998; the paper fits an extension of it): a player takes a road with probability
    proportional to all that it has paid so far, which begins with `propensity` for each, by default what the
    equilibrium pays in a period.
    """
    if periods < 1 or not 0 < propensity < math.inf:
        raise UserError("route game: periods must be at least 1, propensity above 0 and finite")
    draws = [streams(f"player{i}", "route") for i in range(PLAYERS)]
    players = np.arange(PLAYERS)
    paid = np.full((PLAYERS, 2), propensity)
    counts = np.empty((periods, 2), np.int64)
    for period in range(periods):
        uniforms = np.array([draw.uniform(period) for draw in draws])
        roads = sample_choice(paid / paid.sum(1, keepdims=True), uniforms)
        counts[period] = np.bincount(roads, minlength=2)
        payoff = _BASE - (_FREE + _SLOPE * counts[period])
        paid[players, roads] += np.maximum(payoff, 0.0)[roads]  # a propensity never falls
    return counts
