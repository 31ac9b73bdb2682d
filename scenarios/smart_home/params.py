"""Parameters of the smart home, with units and sources.

Where no source is named, the value is that of a prototype world in which the order of agents came out and the gates of
credibility held (see ARCHITECTURE.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lam_env.config.cli import setting
from lam_env.core.shared import Shared
from lam_env.envs.spaces import Term

from .device_list import written_out
from .devices import build_home
from .people.habits import PERSONAS
from .people.trust import TrustParams

UTILITY = {
    "touch": Term(-1.0, "something done by hand, times the effort of the device"),
    "override": Term(-0.5, "an act of the agent undone, on top of the touch"),
    "rejection": Term(-1.5, "an act that was right, but not wanted from a machine"),
    "woken": Term(-5.0, "somebody woken by a light"),
    "dark": Term(-1.0, "somebody in the dark where light is wanted", "min"),
    "asleep_light": Term(-3.0, "light in a room where somebody sleeps and nobody is awake", "min"),
    "asleep_music": Term(-2.0, "music while somebody sleeps and nobody at home is awake", "min"),
    "lamps": Term(-0.02, "a room with light and nobody in it: what it looks like to those who pay", "min"),
    "unwatched": Term(-0.3, "television on and nobody awake in the room", "min"),
    "unlocked": Term(-0.03, "door unlocked with nobody home or everybody asleep", "min"),
    "cold": Term(-0.06, "a resident who has it below what they like, or more than 1 K above", "K min"),
    "energy": Term(-2.0, "money for electricity", "EUR"),
}

REWARD = {
    "assist": Term(1.0, "somebody would have reached for it, and it was done"),
    "override": Term(-2.0, "what the agent did had to be corrected"),
    "rejection": Term(-1.5, "right, but not wanted from a machine"),
    "miss": Term(-0.2, "done by hand where the agent could have done it"),
    "nuisance": Term(-0.05, "something switched on that nobody used within its patience"),
    "rating": Term(1.0, "a thumb, +1 or -1"),
    "energy": Term(-2.0, "money for electricity", "EUR"),
    "switched_off": Term(-5.0, "the automation switched off by a resident"),
    # what sensors show to be wrong, at the price that it has as utility
    "lamps": Term(UTILITY["lamps"].weight, "a room with light and nobody sensed in it", "min"),
    "unwatched": Term(UTILITY["unwatched"].weight, "television on and nobody sensed in the room", "min"),
    "unlocked": Term(UTILITY["unlocked"].weight, "door unlocked and nobody sensed in any room", "min"),
    "cold": Term(
        UTILITY["cold"].weight, "below normal heating, for each room in which somebody is sensed, bedrooms not", "K min"
    ),
}
UTILITY_WEIGHTS = {name: term.weight for name, term in UTILITY.items()}
REWARD_WEIGHTS = {name: term.weight for name, term in REWARD.items()}


@dataclass(frozen=True)
class HomeParams(Shared):
    """Settings of a smart home; ValueError where a persona is unknown, a range is upside down, or no home can have the
    devices. In place of a file of devices they then hold what it says."""

    residents: int = setting(2, "people who live in the home", low=1, high=4)
    rooms: int = setting(5, "rooms of the home", low=4, high=8)
    days: int = setting(7, "length of an episode [days]", low=1)
    timer: int = setting(300, "quiet time after which the agent is asked anyway [s]", low=1)
    personas: tuple[str, ...] = setting(PERSONAS, "kinds of people that residents are drawn from")
    devices: str = setting(
        "", "the home's devices and what a log calls them: a YAML file (docs/how_to/own_home.md); empty: the usual ones"
    )
    tariff: Literal["flat", "time_of_use", "hourly"] = setting("time_of_use", "how the price of electricity varies")
    season: float = setting(15.0, "day of the year on which day 0 falls (15: mid January)")
    households: Literal["differ", "alike"] = setting(
        "differ", "whether each household has dislikes, tastes by the hour and trust of its own, or nearly the same"
    )
    dislikes: float = setting(
        1.0, "how often residents dislike what machines do, against the default (0: never)", low=0
    )
    trust: TrustParams = TrustParams()

    # reactions, lognormal: median and sd of the logarithm
    reaction: float = setting(12.0, "median time until a resident sees to what is not as wanted [s]", low=0)
    reaction_sd: float = setting(0.5, "spread of world.reaction: standard deviation of its logarithm", low=0)
    burst_gap: float = setting(6.0, "median time between two things that a resident sees to in one go [s]", low=0)
    burst_sd: float = setting(0.4, "spread of world.burst_gap: standard deviation of its logarithm", low=0)
    override_delay: float = setting(25.0, "median time until a resident undoes a wrong act of the agent [s]", low=0)
    heat_delay: tuple[float, float] = setting((120.0, 600.0), "shortest, longest time to the thermostat [s]", low=0)
    rating_delay: int = setting(1800, "longest time after an agent's act at which it is rated by a thumb [s]", low=0)
    rating_noise: float = setting(0.1, "probability that a thumb points the wrong way", low=0, high=1)

    # the home; RC model of one zone, values of a small, fairly insulated flat
    time_constant: float = setting(30.0, "how slowly the home cools: its time constant [h]", low=0.1)
    heater_rise: float = setting(3.5, "how fast full heating warms the home [K/h]", low=0)
    solar_rise: float = setting(0.5, "how fast full sun warms the home with open blinds [K/h]", low=0)
    setpoints: tuple[float, float, float] = setting((17.0, 20.0, 22.0), "the thermostat's eco, normal and warm [C]")
    heater_power: float = setting(2.5, "electricity that full heating takes, by a heat pump of mean COP [kW]", low=0)
    price: float = setting(0.30, "mean price of electricity [EUR/kWh]")

    def __post_init__(self) -> None:
        if self.devices:
            object.__setattr__(self, "devices", written_out(self.devices, self.rooms))
            build_home(self.rooms, self.devices)
        unknown = [p for p in self.personas if p not in PERSONAS]
        if unknown or not self.personas:
            what = f"no persona {unknown[0]!r}" if unknown else "none is given"
            raise ValueError(f"world.personas: {what}; there are {', '.join(PERSONAS)}")
        for name in ("heat_delay", "setpoints"):
            if list(getattr(self, name)) != sorted(getattr(self, name)):
                raise ValueError(f"world.{name}: give the numbers from small to large")
