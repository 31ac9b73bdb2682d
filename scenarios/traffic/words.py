"""The vocabulary of traffic: what can be done, sensed and answered."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from lam_env.core.events import Vocabulary
from lam_env.core.units import DAY
from lam_env.envs.spaces import Meaning, Term, flag

from .params import REWARD, UTILITY

PRETRIP = 0
SENSORS = ("pretrip",)
FOLLOWED, REFUSED, RATING, MUTED = range(4)
FEEDBACK = ("accept", "refuse", "rating", "mute")
RAIN, ARRIVE, TIME, LATE, USUAL = "rain", "arrive", "last.time", "last.late", "usual"

FIGURES = {
    "tstt": Meaning("total time that all travel, a day", "h", 0),
    "mean_cost": Meaning("generalised cost a trip, a minute for each advice with it", "min", 0),
    "delay": Meaning("in the queue of the tightest link, a trip", "min", 0),
    "late": Meaning("arrived later than wished, a trip", "min", 0),
    "early": Meaning("arrived earlier than wished, a trip", "min", 0),
    "peak_queue": Meaning("longest queue of a day at the tightest link, mean of days", "vehicles", 0),
    "bus_share": Meaning("share of the trips that go by bus", "", 0, 1),
    "cost_advised": Meaning("`mean_cost` of those who may be advised", "min", 0),
    "cost_background": Meaning("`mean_cost` of the others", "min", 0),
    "cost_first": Meaning("generalised cost of the first third of the episode, a person and day", "min", 0),
    "cost_middle": Meaning("the same of the second third", "min", 0),
    "cost_last": Meaning("the same of the last third: does what was gained at first last?", "min", 0),
    "gini": Meaning("inequality of the travellers' mean costs; 0: all are equal", "", 0, 1),
    "advice": Meaning("advice shown, an advised traveller and day", "", 0),
    "losing_moves": Meaning("share of the followed advice that cost the traveller more", "", 0, 1),
    "regret": Meaning("how much more it cost, for each advice followed", "min", 0),
    "muted": Meaning("times that advice was switched off, for each of the advised", "", 0),
    "trust": Meaning("mean trust of the advised at the end", "", 0, 1),
}
# An option is a mode, a route or line, and a departure [min after the usual one]: car.main.-10, bus.line.0.
MEANINGS: Mapping[str, Mapping[str, Meaning | Term]] = {
    "action": {
        "none": Meaning("nothing is said"),
        "*": Meaning("take this mode and way, and depart so many minutes after the usual departure"),
    },
    "sensor": {"pretrip": Meaning("the traveller's decision of the day is due")},
    "feedback": {
        "accept": Meaning("the traveller does what was advised, and would have done something else"),
        "refuse": Meaning("the traveller does something else than was advised"),
        "rating": Meaning("a thumb after a trip on which advice was followed, not always the right way", "", -1, 1),
        "mute": Meaning("the traveller switches the advice off for some days"),
    },
    "reading": {
        RAIN: flag("it rains today, which takes a tenth of the capacity"),
        ARRIVE: Meaning("when the traveller wants to arrive today, after the usual departure", "min"),
        TIME: Meaning("time that the last trip took, door to door", "min", 0),
        LATE: Meaning("how much later than wished the last trip arrived; below 0: earlier", "min"),
        USUAL: Meaning("the traveller's usual option, the number of its action", "", 0),
        "time.*": Meaning("yesterday's time of the option door to door, as it felt", "min", 0),
        "cost.*": Meaning("what one more traveller on the option costs the others, smoothed over days", "min"),
        "moved.*": Meaning("advised travellers who have moved to the option today, less those who have left it"),
        "own.*": Meaning("what the option is expected to save the traveller, against the usual one", "min"),
        "external.*": Meaning("what the option is expected to save the others, against the usual one", "min"),
    },
    "reward": REWARD,
    "utility": UTILITY,
    "agent": {
        "habit": Meaning("advises what the traveller always does: followed, and of no use"),
        "fastest": Meaning("advises everybody what was best for them by yesterday's times: all meet there"),
        "known": Meaning("advises by the savings published, told how each traveller takes advice"),
        "oracle_so": Meaning(
            "hands out what roads and buses carry without a queue, the cheapest first; knows nobody's mind"
        ),
        "oracle_batch": Meaning(
            "knows true chances of doing and of following, and published costs, at midnight; not what "
            "others are told today"
        ),
        "oracle": Meaning("greedy, person by person, on what all others do today; it does not look ahead to trust"),
        "informed": Meaning("predicts by the generator's own chances: the ceiling of prediction; it does not act"),
        "ladder_own": Meaning("the oracle without regard to others"),
        "parrot": Meaning("built to win the reward: `habit`"),
        "herd": Meaning("built to win the reward: `fastest`"),
        "own_saving": Meaning("built to win the reward: what is best for the traveller alone by what is published"),
        "sacrifice": Meaning("built to win the reward: everybody to where they cost the others least"),
    },
}


@lru_cache(maxsize=64)
def vocabulary(names: tuple[str, ...]) -> tuple[Vocabulary, int]:
    """Names of all that can be done and sensed, for options of these names; and how many readings everybody shares."""
    shared = (RAIN, *(f"{kind}.{name}" for kind in ("time", "cost", "moved") for name in names))
    own = (ARRIVE, TIME, LATE, USUAL, *(f"{kind}.{name}" for kind in ("own", "external") for name in names))
    actions = ("none", *names)
    return Vocabulary(actions, SENSORS, shared + own, FEEDBACK, (DAY,) * len(actions)), len(shared)
