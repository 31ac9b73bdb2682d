"""How good a player is, as wins and losses tell it.

A normal belief about skill, moved by each outcome against what was expected of it: an extended Kalman filter with the
logistic likelihood, as in Glicko (Glickman 1999, Parameter estimation in large dynamic paired comparison experiments).
What each activity asks for is known to whoever runs the game.
"""

from __future__ import annotations

from ..rules.compiled import logistic

LEAST = 1e-6  # variance, where all players are equally good


class Rating:
    """`mean` and `variance` of the belief, in standard deviations of skill among players; it begins with theirs."""

    __slots__ = ("mean", "variance")

    def __init__(self, spread: float):
        self.mean, self.variance = 0.0, max(LEAST, spread * spread)

    def see(self, demand: float, slope: float, won: bool) -> None:
        """A play that asks for `demand` of skill is won or lost; `slope` of winning by skill."""
        p = logistic(slope * (0.5 - demand + self.mean))
        self.variance = 1 / (1 / self.variance + slope * slope * p * (1 - p))
        self.mean += self.variance * slope * (won - p)
