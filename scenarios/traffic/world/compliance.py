"""What moves whom: how each traveller weighs advice, and how willing they are to change what it asks them to change.

Commuters differ in what information makes them change. Of 3,893 drivers in Seattle (Barfield, Haselkorn, Spyridakis and
Conquest 1991, Transportation Research A 25, 71-78) 23.4 % would change nothing, 20.6 % their route alone, 40.1 % route
and time, and 15.9 % time, mode or route before they leave. So 77 % would take another route, 56 % leave at another time
and 16 % at most take another mode. These shares set the order of the kinds of change and how far apart they lie, and
the groups, each of which holds the one before, that the kinds go together in a person. Rewards for avoiding the rush
hour agree: departures shift more than modes (Knockaert, Tseng, Verhoef and Rouwendal 2012, Transport Policy 24,
260-272), and scheduling constraints, habit and attitudes tell who does what (Ben-Elia and Ettema 2011, Transportation
Research A 45, 567-582). Personality makes a difference to following advice (van Essen, Thomas, van Berkum and Chorus
2020, Transportation 47, 1047-1070).

How widely people differ in log-odds, in trust and in weights, and how strongly all that goes together, no source says:
`SPREAD`, `COUPLING` and the deviations below are assumptions, and so is what is said of those asked back to the car.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import expit, logit, ndtri

from lam_env.core.shared import Shared

from ..params import TrafficParams
from ..roads.supply import Supply

BUS, CAR, EARLIER, LATER, ROUTE = KINDS = range(5)  # kinds of change that advice asks for; an advice may ask for some
# standard normal quantiles of the shares who would make such a change (see above), on average over the travellers
WILLING = np.array([-1.0, 0.15, 0.15, 0.15, 0.73])
SPREAD = 2.0  # standard deviation of a willingness among travellers [log-odds]
LEVEL = (
    -0.6
)  # [log-odds] for all kinds: a plug-in is followed as often as by travellers who are all alike, .41 of the time
COUPLING = 0.5  # share of the variance of each trait that openness to advice accounts for
WEIGHTS = 0.5  # standard deviation of the logarithm of weights of gain, habit and trust
TRUST, MUTE = 0.5, 0.3  # standard deviation of trust at rest and of the threshold of muting [log-odds]
MOST = 2.0  # standard deviations beyond which nobody is


@dataclass(frozen=True, eq=False)
class Compliance(Shared):
    """Of N travellers, what the log-odds of following advice are made of; see `TrafficParams`. O options."""

    gain: np.ndarray  # (N,) what a minute that they believe to gain adds
    habit: np.ndarray  # (N,) what a habit at full strength takes off
    heed: np.ndarray  # (N,) what a unit of trust adds
    trust: np.ndarray  # (N,) trust at the start, and the level to which it returns in silence
    mute_below: np.ndarray  # (N,) trust below which they switch the advice off
    willing: np.ndarray  # (N, changes) what a change adds, by its number
    change: np.ndarray  # (O, O) number of the change from one option to another


def compliance(params: TrafficParams, supply: Supply, draw: Callable[[str], np.ndarray], n: int) -> Compliance:
    """That of n travellers. `draw`: (n,) uniform numbers for a purpose."""
    change, asks = changes(supply)
    if params.people == "alike":
        return Compliance(
            gain=np.full(n, params.accept_gain),
            habit=np.full(n, params.accept_habit),
            heed=np.full(n, params.accept_trust),
            trust=np.full(n, params.trust),
            mute_below=np.full(n, params.mute_below),
            willing=np.zeros((n, len(asks))),
            change=change,
        )
    openness = _normal(draw("openness"))

    def trait(name: str, sign: float = 1.0) -> np.ndarray:
        """(n,) standard normal numbers, which go with openness or against it."""
        mixed = sign * np.sqrt(COUPLING) * openness + np.sqrt(1 - COUPLING) * _normal(draw(name))
        return np.asarray(mixed.clip(-MOST, MOST))

    def weight(value: float, name: str, sign: float) -> np.ndarray:
        return np.asarray(value * np.exp(WEIGHTS * trait(name, sign) - WEIGHTS**2 / 2))

    with np.errstate(divide="ignore"):  # 0 and 1 stay so
        trust, mute = logit(params.trust), logit(params.mute_below)
    kinds = np.stack([trait(f"willing to change {kind}") for kind in KINDS], 1)
    return Compliance(
        gain=weight(params.accept_gain, "weight of gain", 1.0),
        habit=weight(params.accept_habit, "weight of habit", -1.0),
        heed=weight(params.accept_trust, "weight of trust", 1.0),
        trust=expit(trust + TRUST * trait("trust")),
        mute_below=expit(mute + MUTE * trait("mute", -1.0)),
        willing=(LEVEL + SPREAD * (WILLING + kinds)) @ asks.T,
        change=change,
    )


@lru_cache(maxsize=16)
def changes(supply: Supply) -> tuple[np.ndarray, np.ndarray]:
    """(O, O) number of the change from one option to another, and (changes, kinds) what each asks for, 0 or 1. Another
    road is a route only for those who drive before and after."""
    bus, slot = supply.is_bus[supply.way], supply.slot
    drives = ~bus[:, None] & ~bus
    kinds = np.stack(
        [
            ~bus[:, None] & bus,
            bus[:, None] & ~bus,
            slot < slot[:, None],
            slot > slot[:, None],
            drives & (supply.way != supply.way[:, None]),
        ],
        -1,
    )
    asks, number = np.unique(kinds.reshape(-1, len(KINDS)), axis=0, return_inverse=True)
    return number.reshape(kinds.shape[:2]), asks.astype(float)


def _normal(uniform: np.ndarray) -> np.ndarray:
    return np.asarray(ndtri(uniform))
