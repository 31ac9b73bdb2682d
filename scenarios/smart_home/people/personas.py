"""Residents: a way to live (habits.py) made into one person, so that no two are equal."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from lam_env.core.behaviour_tables import Anchor, BehaviourTables, Need
from lam_env.core.rng import Stream

from .habits import ACTIVITIES, AGAIN, FOLLOW, HABITS, LENGTHS, NEEDS, PARTS, Habits

PERSONAS = tuple(HABITS)
_P = (0.005, *np.linspace(0, 1, 21)[1:-1].tolist(), 0.995)
_Z = tuple(NormalDist().inv_cdf(p) for p in _P)
_ANCHOR, _LENGTH, _NEED, _WEIGHT, _FOLLOW, _TRAIT = range(0, 6000, 1000)  # occasions of the jitter


PREFERENCE = 1.7  # exponent on appeal: above 1, favourites are chosen more


@dataclass(frozen=True)
class PersonaTraits:
    """How a resident deals with the home.

    regularity: factor on the sd of clock anchors (already in the tables; small is regular). tolerance: 0..1, how long she puts up with
    a mismatch. effort_dislike: 0..1, how much a touch of a device costs her. comfort_setpoint: [C] wanted when awake
    at home. thrift: 0..1, how much she cares for the energy bill. tidiness: probability to switch off what she leaves
    behind. talkativeness: probability of an explicit rating, .02-.10. dislike_scale: factor on the standing dislikes
    of automation.
    """

    regularity: float
    tolerance: float
    effort_dislike: float
    comfort_setpoint: float
    thrift: float
    tidiness: float
    talkativeness: float
    dislike_scale: float


_SPREAD = {"regularity": 0.1, "tolerance": 0.1, "effort_dislike": 0.1, "comfort_setpoint": 0.7, "thrift": 0.12,
           "tidiness": 0.12, "talkativeness": 0.012, "dislike_scale": 0.15}  # fmt: skip
_RANGE = {
    "regularity": (0.6, 1.6),
    "comfort_setpoint": (18.0, 23.5),
    "talkativeness": (0.02, 0.10),
    "dislike_scale": (0.2, 2.0),
}


def lognormal_quantiles(median: float, sd: float) -> tuple[float, ...]:
    """21 quantiles of a lognormal, the ends at .005 and .995; `sd` is that of the logarithm."""
    return tuple([median * math.exp(sd * z) for z in _Z])


_PAUSES = lognormal_quantiles(4.0, 1.1)  # [min]


def persona(name: str, stream: Stream) -> tuple[BehaviourTables, PersonaTraits]:
    """One individual of a kind: `stream` decides how she differs from the others of it."""
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
    for i, ((a, b), factor) in enumerate(FOLLOW.items()):
        follow[ACTIVITIES.index(a), ACTIVITIES.index(b)] = factor * math.exp(0.2 * stream.normal(_FOLLOW + i))
    lengths, usual = {}, {**LENGTHS, **habits.lengths}
    for i, activity in enumerate(ACTIVITIES):
        median, sd = usual[activity]
        lengths[activity] = lognormal_quantiles(median * math.exp(0.15 * stream.normal(_LENGTH + i)), sd)
    tables = BehaviourTables(
        activities=ACTIVITIES,
        anchors=_anchors(habits, traits.regularity, stream),
        needs=tuple(
            Need(activity, every * math.exp(0.12 * stream.normal(_NEED + i)), shape, asleep, interrupts)
            for i, (activity, (every, shape, asleep, interrupts)) in enumerate({**NEEDS, **habits.needs}.items())
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
    for i, (name, mean) in enumerate(habits.traits.items()):
        low, high = _RANGE.get(name, (0.05, 0.95))
        values[name] = min(high, max(low, mean + _SPREAD[name] * stream.normal(_TRAIT + i)))
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
