"""Settings of the traffic scenario, with units and sources.

Where no source is named, the value was set by trying until mornings, orderings and the value of advice looked right (see ARCHITECTURE.md):
an assumption.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

NETWORKS = ("corridor", "bottleneck", "two_route", "braess", "grid")
LINK_MODELS = ("auto", "point", "bpr", "spatial")
SHOCKS = ("none", "capacity", "closure", "weather")
FORMS = ("prescriptive", "descriptive")

# A reward of 1 is 20 minutes, so that showing advice costs the minute that it takes.
REWARD_WEIGHTS = {
    "own": 0.05,  # [min] of generalised cost that she saved by following, against what she would have done
    "external": 0.05,  # [min] saved for others
    "regret": -0.01,  # [min] by which following made her worse off than what she would have done
    "nag": -0.05,  # advice shown
    "follow": 0.02,  # advice followed
    "refuse": -0.02,  # advice refused
    "rating": 0.02,  # thumb after the trip, +1 or -1
    "muted": -0.5,  # she switched the advice off for some days
}

# Everything is minutes of generalised cost, of everybody.
UTILITY_WEIGHTS = {
    "travel": -1.0,  # door to door
    "early": -1.0,  # schedule cost of being early, already weighed
    "late": -1.0,  # schedule cost of being late, already weighed
    "discomfort": -1.0,  # waiting and standing beyond what the time itself costs
    "mode": -1.0,  # what she has against the bus
    "interruption": -1.0,  # a minute for each advice shown
}


FILE = ("_net.tntp", "_net.tntp.gz")


def is_file(network: str) -> bool:
    """Whether it is the path of a file, and not a name."""
    return network.endswith((".tntp", ".tntp.gz"))


def _doc(default: Any, doc: str) -> Any:
    return field(default=default, metadata={"doc": doc})


@dataclass(frozen=True)
class TrafficParams:
    """Settings of a morning's traffic, day after day."""

    network: str = _doc(
        "corridor", "corridor, bottleneck, two_route, braess, grid, or the path of a TNTP file (*_net.tntp)"
    )
    minute: float = _doc(1.0, "minutes in a unit of time of that file")
    travellers: int = _doc(300, "people who travel, 2 to 20,000")
    advised: float = _doc(0.6, "share of them whom the agent may advise; the others look after themselves")
    days: int = _doc(30, "length of an episode [days]")
    burn_in: int = _doc(60, "days before it in which nobody is advised and habits form")
    revision: float = _doc(0.1, "highest probability that she chooses anew on a day, rather than do as last time")
    link_model: str = _doc(
        "auto", "point, bpr or spatial; auto: bpr where the network is given by delay functions, as files are"
    )
    shock: str = _doc("none", "none, capacity, closure or weather: what breaks habits")
    shock_day: int = _doc(10, "day of the episode on which the shock begins")
    shock_days: int = _doc(10, "its length [days]")
    form: str = _doc(
        "prescriptive", "how advice is put: prescriptive (take this) or descriptive (this is how it looks)"
    )

    # supply
    rush: float = _doc(0.0, "time in which the bottleneck lets all travellers pass [min]")
    headway: float = _doc(12.0, "between two buses [min]")
    seats: int = _doc(10, "seats that a bus has for every 300 travellers")
    standing: float = _doc(1.5, "what a minute in the bus counts without a seat; 2.32 in Wardman and Whelan 2011")
    slots: int = _doc(7, "departure slots, an odd number")
    slot: float = _doc(10.0, "length of a slot [min]")
    rain: float = _doc(0.1, "probability of rain on a day; it takes a tenth of the capacity")

    # cost of a minute: Small (1982), The scheduling of consumer activities: work trips, AER 72; as in Arnott et al. (1990)
    alpha: float = _doc(1.0, "weight of a minute of travel; costs are minutes of it")
    beta: float = _doc(3.9 / 6.4, "of a minute early")
    gamma: float = _doc(15.21 / 6.4, "of a minute late")
    wait: float = _doc(1.5, "of a minute's wait for the bus")

    # travellers
    car: float = _doc(0.9, "share of them who have a car, where there is a bus")
    spread: float = _doc(14.0, "standard deviation of preferred arrivals [min]")
    special: float = _doc(0.6, "share who have one special weekday, with another preferred arrival")
    home: float = _doc(0.04, "probability that she stays at home on a working day")
    leisure: float = _doc(0.35, "probability of a trip on a day of the weekend")
    taste: float = _doc(4.0, "standard deviation of what she has against the bus [min]")
    theta: float = _doc(0.3, "scale of choice among modes [1/min]")
    nests: tuple[float, ...] = _doc(
        (1.2, 1.6), "scales of the nests, relative to it: slots of a mode, routes of a slot"
    )
    inertia: tuple[float, ...] = _doc((0.4, 0.3, 0.2), "what habit adds to the same mode, slot and route, in utility")
    bearable: float = _doc(20.0, "what she believes to lose by her habit when that probability is reached [min]")
    learning: float = _doc(0.2, "weight of today in what she remembers of an option that she took")
    hearsay: float = _doc(0.2, "and of what was published of one that she did not take")

    # advice: log-odds of following
    accept: float = _doc(0.6, "at trust .5, without gain and habit")
    accept_trust: float = _doc(5.0, "for each unit of trust")
    accept_gain: float = _doc(0.2, "for each minute that she believes to gain (a sacrifice counts against)")
    accept_habit: float = _doc(1.5, "against, at full strength of habit")
    accept_last: float = _doc(0.8, "for what she did last time")
    accept_form: float = _doc(0.5, "for prescriptive rather than descriptive advice")
    accept_rated: float = _doc(0.5, "for each unit of her past ratings (-1 to 1)")
    adopt: float = _doc(0.4, "probability that what she followed becomes her habit")

    # trust [0, 1]: it recovers only in silence
    trust: float = _doc(0.7, "at the start, and the level to which silence leads back")
    trust_shown: float = _doc(0.04, "lost with every advice shown")
    trust_broken: float = _doc(0.01, "lost with every minute that it took more than promised, at most 10 of them")
    trust_silence: float = _doc(0.06, "share of the way back in a trip without advice")
    mute_below: float = _doc(0.25, "trust below which she switches the advice off")
    mute_days: int = _doc(5, "for so many days; she then trusts half-way back")
    rating_noise: float = _doc(0.15, "probability of a thumb in the wrong direction")

    def __post_init__(self) -> None:
        if not is_file(self.network) and self.network not in NETWORKS:
            raise ValueError(
                f"world.network must be one of {', '.join(NETWORKS)}, or the path of a *_net.tntp file, not {self.network!r}"
            )
        if is_file(self.network) and not self.network.endswith(FILE):
            raise ValueError(
                f"world.network: the name of {self.network} must end in _net.tntp; its trips lie beside it, in _trips.tntp"
            )
        for name, known in (("link_model", LINK_MODELS), ("shock", SHOCKS), ("form", FORMS)):
            if getattr(self, name) not in known:
                raise ValueError(f"world.{name} must be one of {', '.join(known)}, not {getattr(self, name)!r}")
        for name in ("advised", "revision", "rain", "car", "special", "home", "leisure", "learning", "hearsay"):
            self._within(name, 0, 1)
        for name in ("adopt", "trust", "trust_silence", "mute_below", "rating_noise"):
            self._within(name, 0, 1)
        bounds: dict[str, tuple[float, float]] = {
            **{"travellers": (2, 20_000), "days": (1, 3650), "burn_in": (0, 3650), "slots": (3, 25)},
            **{
                "rush": (0, 600),
                "headway": (1, 240),
                "slot": (1, 60),
                "minute": (1e-3, 1e3),
                "theta": (0.001, 100),
                "bearable": (0.001, 1e6),
            },
        }
        for name, (low, high) in bounds.items():
            self._within(name, low, high)
        if self.slots % 2 == 0:
            raise ValueError(f"world.slots must be odd, not {self.slots}: the middle one is the usual departure")
        if not 0 < self.beta < self.alpha or not self.gamma > 0:
            raise ValueError("world.beta must lie between 0 and world.alpha, and world.gamma be above 0")
        if len(self.inertia) != 3 or len(self.nests) != 2 or not 1 <= self.nests[0] <= self.nests[1] < math.inf:
            raise ValueError("world.inertia needs three numbers, world.nests two that are at least 1 and do not fall")
        if round(self.advised * self.travellers) < 1:
            raise ValueError(f"world.advised={self.advised} of {self.travellers} travellers leaves nobody to advise")
        if self.network == "bottleneck" and self.rush > self.slots * self.slot:
            raise ValueError(
                f"world.rush={self.rush:g}: all pass the bottleneck, but departures span {self.slots * self.slot:g} min; take less, or more slots"
            )
        if (is_file(self.network) or self.network in ("two_route", "braess")) and self.link_model in (
            "point",
            "spatial",
        ):
            # the capacity of a delay function is none of a queue: flows in equilibrium may lie well above it
            raise ValueError(
                f"world.link_model={self.link_model}: {self.network} is given by delay functions; take bpr"
            )
        if min(self.shock_day, self.shock_days, self.seats, self.mute_days) < 0 or self.standing < 1:
            raise ValueError(
                "world.shock_day, shock_days, seats and mute_days must not be negative, standing at least 1"
            )

    @property
    def room(self) -> int:
        """Seats of a bus."""
        return round(self.seats * self.travellers / 300)

    def _within(self, name: str, low: float, high: float) -> None:
        if not low <= getattr(self, name) <= high:
            raise ValueError(f"world.{name} must be {low:,} to {high:,}, not {getattr(self, name)}")
