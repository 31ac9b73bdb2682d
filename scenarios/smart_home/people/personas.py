"""Residents: a way to live (habits.py) made into one person, so that no two are equal."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from lam_env.core.behaviour_tables import Anchor, BehaviourTables
from lam_env.core.rng import Stream
from lam_env.core.shared import Shared

from .habits import ACTIVITIES, AGAIN, FOLLOW, HABITS, LENGTHS, NEEDS, PARTS, PERSONAS, Habits

_P = (0.005, *np.linspace(0, 1, 21)[1:-1].tolist(), 0.995)
_Z = tuple(NormalDist().inv_cdf(p) for p in _P)
_ANCHOR, _LENGTH, _NEED, _WEIGHT, _FOLLOW, _TRAIT = range(0, 6000, 1000)  # occasions of the jitter
PREFERENCE = 1.7  # exponent on appeal: above 1, favourites are chosen more


@dataclass(frozen=True)
class PersonaTraits(Shared):
    """How a resident deals with the home; ValueError where a share does not lie in 0..1."""

    regularity: float  # factor on the sd of clock anchors, already in the tables; small is regular
    tolerance: float  # 0..1, how long a mismatch is put up with
    comfort_setpoint: float  # [C] wanted when awake at home
    thrift: float  # 0..1, how much the energy bill matters
    tidiness: float  # probability that what is left behind is switched off
    talkativeness: float  # probability of an explicit rating

    def __post_init__(self) -> None:
        for name in ("tolerance", "thrift", "tidiness", "talkativeness"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"persona: {name} must lie in 0..1, not {getattr(self, name)}")


class Scatter(NamedTuple):
    """How a trait differs among residents of one kind."""

    draw: int  # its occasion
    sd: float
    low: float = 0.05
    high: float = 0.95


_SCATTER = {
    "regularity": Scatter(0, 0.1, 0.6, 1.6),
    "tolerance": Scatter(1, 0.1),
    "comfort_setpoint": Scatter(3, 0.7, 18.0, 23.5),
    "thrift": Scatter(4, 0.12),
    "tidiness": Scatter(5, 0.12),
    "talkativeness": Scatter(6, 0.012, 0.02, 0.10),
}


def lognormal_quantiles(median: float, sd: float) -> tuple[float, ...]:
    """21 quantiles of a lognormal, the ends at .005 and .995; `sd` is that of the logarithm."""
    return tuple([median * math.exp(sd * z) for z in _Z])


_PAUSES = lognormal_quantiles(4.0, 1.1)  # [min]


def persona(name: str, stream: Stream) -> tuple[BehaviourTables, PersonaTraits]:
    """One individual of a kind: `stream` decides how they differ from the others of it."""
    if name not in HABITS:
        raise ValueError(f"unknown persona {name!r}: choose one of {', '.join(PERSONAS)}")
    habits = HABITS[name]
    traits = _traits(habits, stream)
    weights = np.zeros((24, len(ACTIVITIES)))
    for activity, parts in habits.fillers.items():
        k = ACTIVITIES.index(activity)
        weights[:, k] = [parts[PARTS[h]] ** PREFERENCE for h in range(24)]
        weights[:, k] *= math.exp(0.3 * stream.normal(_WEIGHT + k))
    follow = np.ones((len(ACTIVITIES),) * 2)
    np.fill_diagonal(follow, 0.0)
    pairs = [(a, b, factor) for a, after in FOLLOW.items() for b, factor in after.items()]
    for i, (a, b, factor) in enumerate(pairs):
        follow[ACTIVITIES.index(a), ACTIVITIES.index(b)] = factor * math.exp(0.2 * stream.normal(_FOLLOW + i))
    lengths, usual = {}, LENGTHS | habits.lengths
    needs = {need.activity: need for need in (*NEEDS, *habits.needs)}.values()
    for i, activity in enumerate(ACTIVITIES):
        median, sd = usual[activity]
        lengths[activity] = lognormal_quantiles(median * math.exp(0.15 * stream.normal(_LENGTH + i)), sd)
    tables = BehaviourTables(
        activities=ACTIVITIES,
        anchors=_anchors(habits, traits.regularity, stream),
        needs=tuple(
            dataclasses.replace(need, every=need.every * math.exp(0.12 * stream.normal(_NEED + i)))
            for i, need in enumerate(needs)
        ),
        durations=lengths,
        hourly=weights,
        follow=follow,
        pauses=_PAUSES,
        pause=0.35,
        weekend_shift=habits.weekend_shift,
        away=("out",),
        naps=lengths["sleep"],
        resume=0.8,
        again=np.array([AGAIN.get(activity, 0.0) for activity in ACTIVITIES]),
        evenness=0.9,
        mood=habits.mood,
        weekend_pace=habits.weekend_pace,
        taste=habits.taste,
        rotation=habits.rotation,
    )
    return tables, traits


def _traits(habits: Habits, stream: Stream) -> PersonaTraits:
    values = {}
    for name, (draw, sd, low, high) in _SCATTER.items():
        values[name] = min(high, max(low, habits.traits[name] + sd * stream.normal(_TRAIT + draw)))
    return PersonaTraits(**values)


def _anchors(habits: Habits, regularity: float, stream: Stream) -> tuple[Anchor, ...]:
    """Own hours: all nights and mornings shift together, each other act by itself."""
    wake, bed = (max(-0.5, min(0.5, 0.3 * stream.normal(_ANCHOR + i))) for i in range(2))
    anchors = []
    for i, anchor in enumerate(habits.anchors):
        if anchor.activity == "sleep":
            shift = wake if anchor.ends else bed
        elif anchor.from_wake or (anchor.minutes and anchor.days == "weekday"):
            shift = 0.0  # the morning follows waking up, working hours are set by others
        else:
            shift = max(-0.5, min(0.5, 0.25 * stream.normal(_ANCHOR + 10 + i)))
        skip = min(0.95, anchor.skip * math.exp(0.2 * stream.normal(_ANCHOR + 100 + i)))
        anchors.append(dataclasses.replace(anchor, hour=anchor.hour + shift, sd=anchor.sd * regularity, skip=skip))
    return tuple(anchors)
