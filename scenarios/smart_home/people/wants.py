"""What each activity wants of the home, as data, and what the data come to for one resident in one home.

Every resident has probabilities of their own, scattered around those of the tables.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from lam_env.core.rng import Stream
from lam_env.core.shared import Fixed

from ..devices import ALL_LIGHTS, HERE, NONE
from ..house import House, Occupant
from .dislikes import WINDOWS
from .personas import PersonaTraits

OWN, HOURLY = 0.8, 0.5  # sd among residents of a want's logit: of all hours, and of each window besides


@dataclass(frozen=True)
class Want:
    """One thing that an activity wants of one device; ValueError where it cannot be."""

    device: str  # name; a leading "*" stands for the room that the activity is in
    state: int  # in which the device is put
    ok: tuple[int, ...] = ()  # further states that are left as they are
    when: str = ""  # "" | dark | bright | evening | last (nobody else up and at home) | loaded
    p: float = 1.0  # probability on an occasion
    trait: str = ""  # a persona's trait that multiplies p
    seek: bool = True  # False: a change by a machine is minded, none is made

    def __post_init__(self) -> None:
        if not 0 <= self.p <= 1 or (self.when and self.when not in House.conditions):
            raise ValueError(f"{self}: p lies in 0..1, and when is one of {', '.join(House.conditions)}")


LIGHT = Want("*.light", 2, (1,), "dark", 0.97)
SOFT = Want("*.light", 1, (2,), "dark", 0.9)
QUIET_TV = Want("living.tv", 0, seek=False)
SHUT = Want("living.blinds", 1, when="evening", p=0.4)

# activity -> (room, wants)
WANTS: dict[str, tuple[str, tuple[Want, ...]]] = {
    "sleep": (
        "bedroom",
        (
            Want("*.light", 0),
            Want("living.tv", 0, when="last", p=0.95),
            Want("living.music", 0, when="last"),
            Want("ALL.light", 0, when="last", p=0.9),
            Want("kitchen.dishwasher", 1, when="loaded", p=0.9),
            Want("heating", 0, when="last", trait="thrift", p=0.95),
            Want("bedroom.blinds", 1, when="evening", p=0.8),
            Want("door.lock", 1, when="last", p=0.97),
            Want("alarm", 1, when="last", p=0.5),
        ),
    ),
    "wake": ("bedroom", (Want("alarm", 0), Want("bedroom.blinds", 0, when="bright", p=0.8))),
    "toilet": ("bathroom", (Want("*.light", 2, (1,), "dark", 0.85),)),
    "groom": ("bathroom", (LIGHT,)),
    "shower": ("bathroom", (LIGHT,)),
    "dress": ("bedroom", (LIGHT, Want("bedroom.blinds", 0, when="bright", p=0.4))),
    "breakfast": ("kitchen", (LIGHT, Want("kitchen.kettle", 1, p=0.8), Want("living.music", 1, p=0.15))),
    "lunch": ("kitchen", (LIGHT, Want("living.music", 1, p=0.1))),
    "dinner": ("kitchen", (LIGHT, Want("living.music", 1, p=0.25), SHUT)),
    "snack": ("kitchen", (Want("*.light", 2, (1,), "dark", 0.8),)),
    "drink": ("kitchen", (Want("*.light", 2, (1,), "dark", 0.8), Want("kitchen.kettle", 1, p=0.6))),
    "tv": ("living", (SOFT, Want("living.tv", 1), Want("living.music", 0, p=0.95), SHUT)),
    "relax": ("living", (SOFT, Want("living.music", 1, p=0.3), SHUT)),
    "read": ("living", (LIGHT, QUIET_TV, SHUT)),
    "music": ("living", (SOFT, QUIET_TV, Want("living.music", 1))),
    "work": ("study", (LIGHT, QUIET_TV, Want("living.blinds", 0, when="bright", p=0.4))),
    "clean": ("kitchen", (LIGHT, Want("kitchen.dishwasher", 1, when="loaded", p=0.7), Want("living.music", 1, p=0.2))),
    "laundry": ("laundry", (LIGHT, Want("washer", 1, when="loaded"))),
    "phone": ("living", (SOFT, QUIET_TV, Want("living.music", 0, p=0.8))),
    "guests": ("living", (LIGHT, Want("living.music", 1, p=0.5), Want("living.tv", 0, p=0.7))),
    "out": (
        "hall",
        (
            Want("ALL.light", 0, when="last", p=0.9),
            Want("living.tv", 0, when="last", p=0.97),
            Want("living.music", 0, when="last", p=0.97),
            Want("heating", 0, when="last", trait="thrift", p=0.9),
            Want("alarm", 1, when="last", p=0.6),
            Want("door.lock", 1, when="last", p=0.98),
        ),
    ),
    "return": ("hall", (LIGHT, Want("alarm", 0), Want("door.lock", 1, p=0.5))),
}

# what is switched off on leaving a room in which nobody stays; the light too, with the probability `tidiness`
LEAVING = {"tv": Want("living.tv", 0, p=0.88), "music": Want("living.music", 0, p=0.75)}  # act and device alike
PLACES = {"tv": "tv", "music": "music", "laundry": "washer"}  # acts that are done where a device of this kind is
LOADS = {"dinner": ("kitchen.dishwasher", 0.6), "lunch": ("kitchen.dishwasher", 0.2)}

# the sensor of furniture or an appliance that an activity sets off when it begins; "bed" also on getting up
ITEMS = {
    "sleep": "bed", "dress": "wardrobe", "groom": "tap", "shower": "shower", "breakfast": "cupboard",
    "drink": "cupboard", "lunch": "fridge", "dinner": "stove", "snack": "fridge", "tv": "sofa", "relax": "armchair",
    "read": "bookcase", "music": "hi-fi", "phone": "armchair", "guests": "table", "work": "desk", "toilet": "seat",
    "laundry": "washer.door", "clean": "broom",
}  # fmt: skip

# mean time between two firings of a room's motion sensor while somebody is busy there [min]
RESTLESS = {
    "clean": 3.0, "dinner": 4.0, "breakfast": 5.0, "lunch": 5.0, "guests": 5.0, "laundry": 4.0, "music": 12.0,
    "phone": 8.0, "work": 12.0, "tv": 15.0, "relax": 12.0, "read": 15.0, "dress": 4.0,
}  # fmt: skip

ALIASES = {  # labels of public activity logs
    "sleeping": "sleep", "watchtv": "tv", "spare_time/tv": "tv", "outdoors": "out", "leaving": "out",
    "toileting": "toilet", "personalhygiene": "groom", "grooming": "groom", "bathe": "shower", "showering": "shower",
    "mealpreperation": "dinner", "mealpreparation": "dinner", "eatingdrinking": "snack", "medication": "snack",
    "cleaning": "clean", "entertainguests": "guests", "working": "work", "drinking": "drink",
    "changeclothes": "dress", "dressing": "dress", "relaxing": "relax", "exercise": "relax", "phonecall": "phone",
}  # fmt: skip


def meaning(activity: str) -> str:
    """The home's own name of an activity; what it does not know happens like relaxing in the living room."""
    name = activity.lower().replace(" ", "")
    name = ALIASES.get(name, name)
    return name if name in WANTS else "relax"


class Item(NamedTuple):
    """One thing that a resident is about to see to."""

    device: int
    state: int  # in which it is put
    ok: tuple[int, ...]  # states that are left as they are


class Rule(NamedTuple):
    """A want as one resident has it in one home."""

    coin: int  # of the act's, which decides whether it is wanted this time
    device: int  # or HERE, ALL_LIGHTS
    state: int
    ok: tuple[int, ...]  # the states that are right
    holds: Callable[[House, int, Occupant], bool] | None  # in this room, for this person
    seek: bool
    if_loaded: bool
    p: float  # probability on an occasion

    def items(self, house: House, room: int, person: int, everywhere: bool) -> list[Item]:
        """What it asks for of a person in a room, or of one who leaves the home (`everywhere`)."""
        if self.device == HERE:
            return [Item(light, level, self.ok) for light, level in house.lamps(room, self.state, person)]
        if self.device == ALL_LIGHTS:
            rooms = (lights for other, lights in enumerate(house.home.lights) if everywhere or other != room)
            return [Item(light, 0, (0,)) for lights in rooms for light in lights]
        return [Item(self.device, self.state, self.ok)]


Rules = Fixed[str, list[Rule]]  # by activity


def rules_of(house: House, traits: PersonaTraits, tastes: Stream) -> tuple[Rules, ...]:
    """One for each of the day's `WINDOWS`; the same for all where households are alike."""
    usual = [
        [_own(w, traits, tastes, i * 16 + j) for j, w in enumerate(wants)]
        for i, (_, wants) in enumerate(WANTS.values())
    ]
    if house.params.households == "alike":
        return (_rules(house, usual),) * WINDOWS
    return tuple(_rules(house, _in_window(usual, tastes, 1024 * (window + 1))) for window in range(WINDOWS))


def _rules(house: House, p: list[list[float]]) -> Rules:
    """Those of a home's devices, with these probabilities of each activity's wants."""
    rules = {}
    for (key, (_, wants)), own in zip(WANTS.items(), p, strict=True):
        rules[key] = [
            Rule(
                j + 10 if key in ("wake", "return") else j,
                device,
                w.state,
                (w.state, *w.ok),
                house.conditions[w.when] if w.when else None,
                w.seek,
                w.when == "loaded",
                own[j],
            )
            for j, w in enumerate(wants)
            for device in house.home.meant(w.device)
        ]
    return Fixed(rules)


def _in_window(usual: list[list[float]], tastes: Stream, first: int) -> list[list[float]]:
    """With scatter on the logits of probabilities; `first` of its draws."""
    return [
        [
            p / (p + (1 - p) * math.exp(-HOURLY * tastes.normal(first + i * 16 + j))) if p < 1.0 else p
            for j, p in enumerate(own)
        ]
        for i, own in enumerate(usual)
    ]


def leaving_rules_of(house: House, traits: PersonaTraits, tastes: Stream) -> Fixed[str, float]:
    """By activity, the probability that what it has needed, if the home has it, is switched off when it is over."""
    own = {key: _own(w, traits, tastes, 999 + i) for i, (key, w) in enumerate(LEAVING.items())}
    return Fixed({key: p for key, p in own.items() if house.home.only(key) != NONE})


def _own(want: Want, traits: PersonaTraits, tastes: Stream, index: int) -> float:
    """A resident's own probability: the want's, with normal scatter on its logit (1 stays 1), times a trait."""
    p = want.p
    if p < 1.0:
        p = 1.0 / (1.0 + math.exp(-(math.log(p / (1 - p)) + OWN * tastes.normal(index))))
    return min(1.0, p * getattr(traits, want.trait)) if want.trait else p
