"""How a player takes advice: which kinds move them, how far they trust it at first, and how soon they have had enough.

That receptiveness differs by type of gamer and by kind of persuasion is known (Orji, Vassileva and Mandryk 2014,
Modeling the efficacy of persuasive strategies for different gamer types in serious games for health), and can be
learned person by person from answers (Kaptein, Markopoulos, de Ruyter and Aarts 2015, Personalizing persuasive
technologies). That unsolicited advice may only annoy is shown by Fitzsimons and Lehmann 2004, Reactance to
recommendations. All numbers here are assumptions.
"""

from __future__ import annotations

from math import exp

from lam_env.core.rng import Stream
from lam_env.core.shared import Shared

from ..params import GameParams
from ..rules.compiled import KINDS
from .traits import FINE, QUANTILES

OWN, ALL = 1.0, 0.4  # sds of the logarithm of what advice weighs: by kind, and of all kinds alike
MOST = 3.0  # times the mean player's weight
TRUST = 0.2  # sd of trust at the start
PATIENCE = 0.8  # sd of log-odds, beside that of `Traits`
WEARY = 0.5  # sd of the logarithm of how much being advised often matters


class Advised(Shared):
    """`heed` (A,): how much advice of each action weighs, 1 in the mean; `trust` at the start; `patience`: log-odds of
    not being annoyed; `weary`: factor on what being advised often adds to annoyance and takes from advice."""

    __slots__ = ("heed", "patience", "trust", "weary")

    def __init__(self, heed: list[float], trust: float, patience: float = 0.0, weary: float = 1.0):
        self.heed, self.trust, self.patience, self.weary = heed, trust, patience, weary

    @classmethod
    def drawn(cls, stream: Stream, params: GameParams, kind: list[int]) -> Advised:
        """A player among those who differ; `kind` (A,): that of each action, of `KINDS`."""
        # 64 bits hold five of the `FINE` quantiles
        draws = [stream.bits(i) for i in range(-(-(len(KINDS) + 4) // 5))]
        z = [QUANTILES[draw >> 12 * i & FINE - 1] for draw in draws for i in range(5)]
        every, trust, patience, weary, *own = z[: len(KINDS) + 4]
        mean = -(OWN * OWN + ALL * ALL) / 2  # of the logarithm, where the mean is 1
        weight = [min(MOST, exp(OWN * x + ALL * every + mean)) for x in own]
        start = min(1.0, max(0.0, params.trust + TRUST * trust))
        return cls([weight[k] for k in kind], start, PATIENCE * patience, exp(WEARY * weary - WEARY * WEARY / 2))
