"""When a player comes back: gaps of hours, to the next day, or long, at hours at which people are awake."""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING

from lam_env.core.units import DAY, HOUR

from ..params import GameParams
from ..player.traits import FINE, QUANTILES, Traits
from ..rules.compiled import Compiled

if TYPE_CHECKING:
    from lam_env.logs.play.tables import PlayTables

SHORT, SHORT_SPREAD = 3.0, 0.8  # [h] median of a gap of some hours (prototype), and sd of its logarithm
EVENING = 2.2  # [h] sd of the hour of play (prototype)
UP_LATE = 0.15  # probability that a session that would fall into sleep takes place all the same


def next_session(now: int, u: list[float], traits: Traits, game: Compiled) -> int:
    """Time [s] of the next session after one that ends `now`; u: four uniform draws."""
    if game.tables is not None:
        return _calibrated(now, u, traits, game.tables)
    return _usual(now, u, traits, game.params)


def _usual(now: int, u: list[float], traits: Traits, params: GameParams) -> int:
    z, other = QUANTILES[int(u[1] * FINE)], QUANTILES[int(u[2] * FINE)]
    hours, long = params.gap_hours, min(1 - params.gap_hours, params.gap_long * traits.tempo)
    if u[0] < hours:
        time = now + HOUR * SHORT * exp(SHORT_SPREAD * z)
    elif u[0] < 1 - long:
        time = _in_the_evening(now + DAY - 12 * HOUR, traits.prime + EVENING * z)
    else:
        gap = HOUR * params.gap_long_median * exp(params.gap_long_spread * z)
        time = _in_the_evening(now + max(12 * HOUR, gap - 12 * HOUR), traits.prime + EVENING * other)
    asleep = _asleep(time, traits)
    if asleep and u[3] > UP_LATE:
        time += (traits.wake - time / HOUR) % 24 * HOUR + 2 * HOUR * u[3]
    return max(now + 600, round(time))


def _calibrated(now: int, u: list[float], traits: Traits, tables: PlayTables) -> int:
    """A gap of the tables. One that ends in sleep is mirrored at the nearer end of the night: the mean gap stays."""
    x, least = u[0], tables.minutes / 60
    for part in tables.gaps:  # the last one takes what rounding leaves
        x -= part.weight
        if x < 0:
            break
    z = QUANTILES[int(u[1] * FINE)]
    drawn = part.center + part.spread * z if part.kind == "normal" else least + part.center * exp(part.spread * z)
    earliest = now + HOUR * least + 1
    time = max(earliest, now + HOUR * tables.stretched(max(least, drawn)))
    if _asleep(time, traits) and u[3] > UP_LATE:
        since, until = (time / HOUR - traits.bed) % 24, (traits.wake - time / HOUR) % 24  # [h]
        back = time - 2 * HOUR * since
        time = back if since < until and back > earliest else time + 2 * HOUR * until
    return round(time)


def _asleep(time: float, traits: Traits) -> bool:
    hour, bed = time / HOUR % 24, traits.bed % 24
    return (hour >= bed or hour < traits.wake) if bed > traits.wake else bed <= hour < traits.wake


def _in_the_evening(earliest: float, hour: float) -> float:
    """The first time from `earliest` on at which it is `hour`."""
    return earliest + (hour * HOUR - earliest) % DAY
