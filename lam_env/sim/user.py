"""A simulated person: habits in a SimPy process, and trust in the agent that acts for her."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import simpy


@dataclass(frozen=True)
class TrustParams:
    """How trust [0..1] moves and when automation is switched off.

    The values are those of a prototype world; a loss of trust by errors that outweighs the gain
    by successes is Dzindolet et al. 2003 (Int. J. Human-Computer Studies 58:697).
    """

    start: float = 0.8
    assist: float = 0.02
    override: float = -0.10
    rejection: float = -0.04
    nuisance: float = -0.01
    threshold: float = 0.35  # below it she switches the automation off
    off_time: int = 6 * 3600  # [s] until she tries it again
    restart: float = 0.55  # trust when she does
    give_up: int = 6  # she leaves for good (the rest of the episode) after so many switch-offs
    habituation: float = 0.01  # added to her tolerance by every assist, capped at .5


class User:
    """One person. Subclasses give `behave`, the process of her habits."""

    def __init__(self, index: int, trust: TrustParams):
        self.index, self.trust_params = index, trust
        self.trust = trust.start
        self.habituation = 0.0

    def behave(self, world: Any) -> Generator[simpy.Event, Any, None]:
        raise NotImplementedError

    def feel(self, what: str) -> None:
        """Trust after an assist, an override, a rejection or a nuisance."""
        params = self.trust_params
        self.trust = min(1.0, max(0.0, self.trust + getattr(params, what)))
        if what == "assist":
            self.habituation = min(0.5, self.habituation + params.habituation)
