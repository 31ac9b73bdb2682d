"""What moves a resident's trust in the automation."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from lam_env.config.cli import setting
from lam_env.core.rng import Stream
from lam_env.core.shared import Shared
from lam_env.core.units import HOUR


@dataclass(frozen=True)
class TrustParams(Shared):
    """How trust [0..1] moves and when automation is switched off.

    The values are those of a prototype world; a loss of trust by errors that outweighs the gain
    by successes is Dzindolet et al. 2003 (Int. J. Human-Computer Studies 58:697).
    """

    start: float = setting(0.8, "trust in the automation at the start of an episode", low=0, high=1)
    assist: float = setting(0.02, "what trust gains by an act of the agent that saved a touch")
    override: float = setting(-0.10, "how trust changes when an act of the agent had to be undone")
    rejection: float = setting(
        -0.04, "how trust changes when the agent did what a resident does not want a machine to do"
    )
    nuisance: float = setting(-0.01, "how trust changes when the agent did what nobody had use for")
    threshold: float = setting(0.35, "trust below which a resident switches the automation off", low=0, high=1)
    off_time: int = setting(6 * HOUR, "how long the automation then stays switched off [s]", low=0)
    restart: float = setting(0.55, "trust with which a resident switches the automation on again", low=0, high=1)
    give_up: int = setting(6, "how often the automation is switched off before it stays off for the episode", low=1)
    habituation: float = setting(
        0.01, "what a resident's tolerance grows by with every act that saved a touch, up to .5"
    )

    def own(self, stream: Stream) -> TrustParams:
        """One resident's: how much distrust they start with, what an override costs them and below what trust they
        switch off scatter as lognormals around these, cut off at two standard deviations. The spreads are assumptions;
        that people differ so is Merritt and Ilgen 2008 (Human Factors 50:194)."""
        distrust, override, threshold = (
            math.exp(sd * max(-2.0, min(2.0, stream.normal(i)))) for i, sd in enumerate((0.4, 0.3, 0.15))
        )
        return dataclasses.replace(
            self,
            start=max(0.0, 1 - (1 - self.start) * distrust),
            override=self.override * override,
            threshold=min(1.0, self.threshold * threshold),
        )
