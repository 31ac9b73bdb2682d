"""Settings of the traffic scenario, with units and sources.

Where no source is named, the value was set by trying until mornings, orderings and the value of advice looked right
(see ARCHITECTURE.md): an assumption.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lam_env.config.cli import setting
from lam_env.core.shared import Shared
from lam_env.envs.spaces import Term

NETWORKS = ("corridor", "bottleneck", "two_route", "braess", "grid")
FILE = ("_net.tntp", "_net.tntp.gz")

# A reward of 1 is 20 minutes, so that showing advice costs the minute that it takes. What people say of advice weighs
# little beside what it saved: weighed ten times as much, it makes an agent advise less than is best for all.
REWARD = {
    "own": Term(0.05, "generalised cost saved by following, on that day and as long as it is kept to", "min"),
    "external": Term(0.05, "saved for others by it", "min"),
    "everybody": Term(
        0.05,
        "by which the mean trip of all is cheaper today than in the last three weeks of the burn-in (working days and "
        "weekends apart; nothing without such days), each day, to all who may be advised and travel; a shock counts",
        "min",
    ),
    "regret": Term(-0.002, "by which following was worse for the traveller than the natural choice", "min"),
    "nag": Term(-0.05, "advice shown"),
    "follow": Term(0.002, "advice followed"),
    "refuse": Term(-0.002, "advice refused"),
    "rating": Term(0.002, "a thumb after the trip, +1 or -1"),
    "muted": Term(-0.2, "the traveller switched the advice off for some days"),
}

# Everything is minutes of generalised cost, of everybody.
UTILITY = {
    "travel": Term(-1.0, "time door to door", "min"),
    "early": Term(-1.0, "schedule cost of being early, already weighed", "min"),
    "late": Term(-1.0, "schedule cost of being late, already weighed", "min"),
    "discomfort": Term(-1.0, "waiting and standing beyond what the time itself costs", "min"),
    "mode": Term(-1.0, "what the traveller has against the bus", "min"),
    "interruption": Term(-1.0, "advice shown, which takes a minute", "min"),
}
REWARD_WEIGHTS = {name: term.weight for name, term in REWARD.items()}
UTILITY_WEIGHTS = {name: term.weight for name, term in UTILITY.items()}


def is_file(network: str) -> bool:
    """Whether it is the path of a file, and not a name."""
    return network.endswith((".tntp", ".tntp.gz"))


@dataclass(frozen=True)
class TrafficParams(Shared):
    """Settings of a morning's traffic, day after day."""

    network: str = setting(
        "corridor",
        "roads and buses: corridor, bottleneck, two_route, braess, grid, or the path of a TNTP file (*_net.tntp)",
    )
    minute: float = setting(1.0, "minutes in the unit of time of a TNTP file", low=0.001, high=1000)
    travellers: int = setting(300, "people who travel", low=2, high=20_000)
    advised: float = setting(0.6, "share of the travellers whom the agent may advise", low=0, high=1)
    days: int = setting(30, "length of an episode [days]", low=1, high=3650)
    burn_in: int = setting(60, "days before an episode on which nobody is advised and habits form", low=0, high=3650)
    revision: float = setting(
        0.1, "highest probability that a traveller chooses anew on a day, rather than do as last time", low=0, high=1
    )
    link_model: Literal["auto", "point", "bpr", "spatial"] = setting(
        "auto",
        "how a road is held up: point queues, delay functions (bpr), or queues that fill the road (spatial); "
        "auto: point, but bpr where the network is given by delay functions, as files are",
    )
    shock: Literal["none", "capacity", "closure", "weather"] = setting(
        "none", "what breaks habits: less capacity, a closed road or bad weather, for some days"
    )
    shock_day: int = setting(10, "day of the episode on which the shock begins", low=0)
    shock_days: int = setting(10, "length of the shock [days]", low=0)
    form: Literal["prescriptive", "descriptive"] = setting(
        "prescriptive", "how advice is put: take this (prescriptive) or this is how it looks (descriptive)"
    )

    people: Literal["differ", "alike"] = setting(
        "differ", "whether travellers differ in what advice moves them, or weigh advice all alike"
    )

    # supply
    rush: float = setting(
        0.0, "time in which the bottleneck lets all travellers pass; 0: what suits the network [min]", low=0, high=600
    )
    headway: float = setting(12.0, "time between two buses [min]", low=1, high=240)
    seats: int = setting(10, "seats in a bus for every 300 travellers", low=0)
    standing: float = setting(
        1.5, "what a minute in the bus without a seat counts, in minutes; 2.32 in Wardman and Whelan 2011", low=1
    )
    slots: int = setting(7, "departure times to choose from, an odd number: the middle one is usual", low=3, high=25)
    slot: float = setting(10.0, "time between two of the departure times to choose from [min]", low=1, high=60)
    rain: float = setting(0.1, "probability of rain on a day, which takes a tenth of the capacity", low=0, high=1)

    # cost of a minute: Small (1982), The scheduling of consumer activities: work trips, AER 72; as in Arnott et al.
    # (1990)
    alpha: float = setting(1.0, "cost of a minute of travel; 1 makes costs minutes of travel")
    beta: float = setting(3.9 / 6.4, "cost of a minute of arriving early; below world.alpha")
    gamma: float = setting(15.21 / 6.4, "cost of a minute of arriving late")
    wait: float = setting(1.5, "cost of a minute of waiting for the bus", low=0)

    # travellers
    car: float = setting(0.9, "share of the travellers who have a car, where there is a bus", low=0, high=1)
    spread: float = setting(14.0, "standard deviation of wanted arrivals among travellers [min]", low=0)
    special: float = setting(
        0.6, "share of the travellers who want to arrive at another time on one weekday", low=0, high=1
    )
    home: float = setting(0.04, "probability that a traveller stays at home on a working day", low=0, high=1)
    leisure: float = setting(0.35, "probability that a traveller makes a trip on a day of the weekend", low=0, high=1)
    taste: float = setting(4.0, "standard deviation of what travellers have against the bus [min]", low=0)
    theta: float = setting(
        0.3, "how strictly the cheaper of car and bus is chosen, the scale of the logit [1/min]", low=0.001, high=100
    )
    nests: tuple[float, float] = setting(
        (1.2, 1.6),
        "how much more strictly departure times, and routes of one, are chosen: scales relative to world.theta",
        low=1,
    )
    inertia: tuple[float, float, float] = setting(
        (0.4, 0.3, 0.2), "what habit adds to the utility of the same mode, departure time and route as last time"
    )
    bearable: float = setting(
        20.0,
        "believed loss by a habit at which the traveller chooses anew with probability world.revision [min]",
        low=0.001,
        high=1_000_000,
    )
    learning: float = setting(
        0.2, "weight of today's trip in what a traveller remembers of the option taken", low=0, high=1
    )
    hearsay: float = setting(
        0.2, "weight of today's published times in what a traveller remembers of options not taken", low=0, high=1
    )

    # advice: log-odds of following; of travellers who differ, on average
    accept: float = setting(0.6, "log-odds that advice is followed at trust .5, without gain and habit")
    accept_trust: float = setting(5.0, "what a unit of trust adds to the log-odds of following")
    accept_gain: float = setting(
        0.2, "what a minute that a traveller believes to gain adds to the log-odds of following (a sacrifice takes off)"
    )
    accept_habit: float = setting(1.5, "what a habit at full strength takes off the log-odds of following")
    accept_last: float = setting(
        0.8, "what it adds to the log-odds of following if the advice is what was done last time"
    )
    accept_form: float = setting(
        0.5, "what it adds to the log-odds of following if advice is prescriptive, see world.form"
    )
    accept_rated: float = setting(0.5, "what a unit of past ratings (-1 to 1) adds to the log-odds of following")
    adopt: float = setting(0.4, "probability that advice which a traveller followed becomes a habit", low=0, high=1)

    # trust [0, 1]: it recovers only in silence; of those who differ, the level and the threshold of the middle one
    trust: float = setting(
        0.7, "trust in the advice at the start, and the level to which it returns in silence", low=0, high=1
    )
    trust_shown: float = setting(0.04, "trust lost with every advice shown")
    trust_broken: float = setting(
        0.01, "trust lost with every minute that a followed trip took more than promised, at most 10 of them"
    )
    trust_silence: float = setting(
        0.06, "share of the way back to world.trust that a trip without advice restores", low=0, high=1
    )
    mute_below: float = setting(0.25, "trust below which a traveller switches the advice off", low=0, high=1)
    mute_days: int = setting(5, "days that advice stays switched off, after which trust is half-way back", low=0)
    rating_noise: float = setting(
        0.15, "probability that a thumb after a followed trip points the wrong way", low=0, high=1
    )

    def __post_init__(self) -> None:
        if not is_file(self.network) and self.network not in NETWORKS:
            raise ValueError(
                f"world.network must be one of {', '.join(NETWORKS)}, "
                f"or the path of a *_net.tntp file, not {self.network!r}"
            )
        if is_file(self.network) and not self.network.endswith(FILE):
            raise ValueError(
                f"world.network: the name of {self.network} must end in _net.tntp; "
                "its trips lie beside it, in _trips.tntp"
            )
        if self.slots % 2 == 0:
            raise ValueError(f"world.slots must be odd, not {self.slots}: the middle one is the usual departure")
        if not 0 < self.beta < self.alpha or not self.gamma > 0:
            raise ValueError(
                "world.beta must lie between 0 and world.alpha, and world.gamma be above 0, "
                f"not {self.beta:g} and {self.gamma:g}"
            )
        if self.nests[0] > self.nests[1]:
            raise ValueError(f"world.nests must not fall, as {self.nests[0]:g},{self.nests[1]:g} does: swap them")
        if round(self.advised * self.travellers) < 1:
            raise ValueError(f"world.advised={self.advised} of {self.travellers} travellers leaves nobody to advise")
        span = self.slots * self.slot
        if self.network == "bottleneck" and self.rush > span:
            raise ValueError(
                f"world.rush={self.rush:g}: all pass the bottleneck, but departures span {span:g} min; "
                "take less, or more slots"
            )
        # the capacity of a delay function is none of a queue: flows in equilibrium may lie well above it
        by_delay = is_file(self.network) or self.network in ("two_route", "braess")
        if by_delay and self.link_model in ("point", "spatial"):
            raise ValueError(
                f"world.link_model={self.link_model}: {self.network} is given by delay functions; take bpr"
            )

    @property
    def room(self) -> int:
        """Seats of a bus."""
        return round(self.seats * self.travellers / 300)
