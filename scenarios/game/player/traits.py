"""What a player brings along: persona, time, skill, habits of the day. Drawn once, from one block of a stream."""

from __future__ import annotations

from functools import cache
from statistics import NormalDist

import numpy as np

from lam_env.core.rng import Packed, Stream
from lam_env.core.shared import Shared

from ..params import GameParams
from ..rules.rules import BARTLE

FINE = 4096
# normal quantiles in the middle of 4,096 equal slices: a draw costs an index, and ends at 3.7 standard deviations
QUANTILES: list[float] = [NormalDist().inv_cdf((i + 0.5) / FINE) for i in range(FINE)]
_QUANTILES = np.array(QUANTILES)
GUMBELS_KEY = 0x6A09E667F3BCC909  # of the order of the table of Gumbel draws, the same for ever
GUMBELS_BITS = 18


class Gumbels(Packed):
    """The table of `gumbels`, which is made anew elsewhere and not sent."""

    __slots__ = ()

    def __reduce_ex__(self, protocol: object) -> tuple[object, ...]:
        return gumbels, (len(self) - (1 << GUMBELS_BITS),)


@cache
def gumbels(n: int) -> Gumbels:
    """2^18 Gumbel quantiles, of equal slices in random order, and n more. The n draws of a decision are n neighbours in
    it, at a place that is a hash of seed, player, session and play: an index and a slice, and no logarithms."""
    size = 1 << GUMBELS_BITS
    order = Stream(GUMBELS_KEY).block(0, size).argsort(kind="stable")
    table = -np.log(-np.log((order + 0.5) / size))
    # packed: the floats of a list would lie on as many lines of the processor's cache
    return Gumbels("d", np.concatenate([table, table[:n]]).tobytes())


DRAWS = 48
HARDCORE = 0.25  # share of players with a large budget of time
BED, BED_SPREAD = 23.5, 0.9  # [h] bedtime of the mean player, and standard deviation among them


class Traits(Shared):
    """One player, as drawn."""

    __slots__ = (
        *("persona", "later", "hardcore", "budget", "healthy", "skill", "prime", "bed", "wake", "ends", "leaves"),
        *("tempo", "class_", "liking", "build", "patience"),
    )

    def __init__(
        self,
        stream: Stream,
        params: GameParams,
        n_activities: int,
        n_lines: int,
        n_classes: int,
        own: tuple[float, float] | None = None,
    ):
        """`own`: sds of a player's part in when sessions end and in leaving, one draw for both, where a log tells."""
        u = stream.block(0, DRAWS + n_activities + n_lines)
        z: list[float] = _QUANTILES[(u * FINE).astype(np.int64)].tolist()
        first: list[float] = u[:16].tolist()
        n = len(BARTLE)
        g = (-np.log(u[16 : 16 + 2 * n])).tolist()
        total, other = sum(g[:n]), sum(g[n:])
        self.persona = [x / total for x in g[:n]]  # Dirichlet(1, 1, 1, 1) over `BARTLE`
        self.later = [x / other for x in g[n:]]  # to which tastes drift
        self.hardcore = first[0] < HARDCORE
        self.class_ = int(first[1] * n_classes)
        self.budget = (100.0 if self.hardcore else 35.0) * 2.0 ** (0.7 * z[30])  # [min] a session
        self.healthy = 150.0 if self.hardcore else 75.0  # [min] a day
        self.skill = params.skill * z[31]
        self.prime = min(22.0, max(9.0, 18.5 + 3.0 * z[32]))  # [h] of the day, as the next two
        self.bed = BED + BED_SPREAD * z[33]
        self.wake = 7.0 + 0.7 * z[34]
        self.ends = params.end_spread * z[35] + (-0.4 if self.hardcore else 0.15)  # log-odds, as the next one
        self.leaves = params.churn_spread * z[36]
        if own:
            self.ends, self.leaves = own[0] * z[35], own[1] * z[35]
        # share of long gaps against the mean player's, 0 to 2: who is fond of the game also comes back sooner
        self.tempo = 1 + params.gap_own * (2 * float(u[36]) - 1)
        self.patience = 0.5 * z[37]  # log-odds of not being annoyed by advice
        self.liking = [params.quirk * x for x in z[DRAWS : DRAWS + n_activities]]  # of activities, beyond the persona
        self.build = z[DRAWS + n_activities :]  # of skill lines

    def at(self, share: float) -> list[float]:
        """The persona when `share` of it has drifted."""
        return [(1 - share) * a + share * b for a, b in zip(self.persona, self.later, strict=True)]
