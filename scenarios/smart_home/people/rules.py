"""Wants as one resident has them in one home: what the tables of `wants` come to."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from lam_env.core.rng import Stream

from ..house import House, Occupant
from .personas import PersonaTraits
from .wants import LEAVING, WANTS, Want, personal


class Rule(NamedTuple):
    """One thing that an activity wants of one device."""

    coin: int  # of the act's, which decides whether it is wanted this time
    device: int  # or HERE, ALL_LIGHTS
    state: int
    ok: tuple[int, ...]  # the states that are right
    holds: Callable[[House, int, Occupant], bool] | None  # in this room, for this person
    seek: bool  # False: a change by a machine is minded, none is made
    if_loaded: bool
    p: float  # probability on an occasion


def rules_of(house: House, traits: PersonaTraits, tastes: Stream) -> dict[str, list[Rule]]:
    """By activity."""
    return {
        key: [
            Rule(
                j + 10 if key in ("wake", "return") else j,
                house.device(w.device),
                w.state,
                (w.state, *w.ok),
                house.conditions[w.when] if w.when else None,
                w.seek,
                w.when == "loaded",
                _own(w, traits, personal(w.p, tastes, i * 16 + j)),
            )
            for j, w in enumerate(wants)
        ]
        for i, (key, (_, wants)) in enumerate(WANTS.items())
    }


def leaving_rules_of(traits: PersonaTraits, tastes: Stream) -> dict[str, float]:
    """By activity, the probability that what it has needed is switched off when it is over."""
    return {k: _own(w, traits, personal(w.p, tastes, 999 + i)) for i, (k, w) in enumerate(LEAVING.items())}


def _own(want: Want, traits: PersonaTraits, p: float) -> float:
    return min(1.0, p * getattr(traits, want.trait)) if want.trait else p
