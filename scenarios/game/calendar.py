"""When a player comes back: gaps of hours, to the next day, or long, at hours at which people are awake."""

from __future__ import annotations

from math import exp

from lam_env.rows import DAY

from .params import GameParams
from .traits import FINE, QUANTILES, Traits

SHORT, SHORT_SPREAD = 3.0, 0.8  # [h] median of a gap of some hours (prototype), and sd of its logarithm
EVENING = 2.2  # [h] sd of the hour at which she plays (prototype)
UP_LATE = 0.15  # probability that a session that would fall into her sleep takes place all the same
HOUR = 3600


def next_session(now: int, u: list[float], traits: Traits, params: GameParams) -> int:
    """Time [s] of the next session after one that ends `now`; u: four uniform draws."""
    z, other = QUANTILES[int(u[1] * FINE)], QUANTILES[int(u[2] * FINE)]
    hours, long = params.gap_hours, min(1 - params.gap_hours, params.gap_long * traits.tempo)
    if u[0] < hours:
        time = now + HOUR * SHORT * exp(SHORT_SPREAD * z)
    elif u[0] < 1 - long:
        time = _in_the_evening(now + DAY - 12 * HOUR, traits.prime + EVENING * z)
    else:
        gap = HOUR * params.gap_long_median * exp(params.gap_long_spread * z)
        time = _in_the_evening(now + max(12 * HOUR, gap - 12 * HOUR), traits.prime + EVENING * other)
    hour = time / HOUR % 24
    bed = traits.bed % 24
    asleep = (hour >= bed or hour < traits.wake) if bed > traits.wake else bed <= hour < traits.wake
    if asleep and u[3] > UP_LATE:
        time += (traits.wake - hour) % 24 * HOUR + 2 * HOUR * u[3]
    return max(now + 600, round(time))


def _in_the_evening(earliest: float, hour: float) -> float:
    """The first time from `earliest` on at which it is `hour`."""
    return earliest + (hour * HOUR - earliest) % DAY
