"""Settings of the game scenario, with units and sources.

"Prototype" marks numbers of a prototype world whose retention and session statistics were near those of real logs; all
others without a source were set by trying until the gates of `gates.py` held: assumptions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lam_env.config.cli import setting
from lam_env.core.shared import Shared
from lam_env.envs.spaces import Term

COUNTED = 90.0  # [min]
LONGEST = 14.0  # [days]

# What a company can see of its players, priced as near to what they get out of it as that allows.
REWARD = {
    "quality": Term(1 / 30, f"play times flow as wins and variety tell it, at most {COUNTED:g} min a day", "min"),
    "progress": Term(0.1, "a level or a quest"),
    "return": Term(0.15, f"time after which the player came back, at most {LONGEST:g} days", "days"),
    # what answers to surveys put right in these two, in the mean, see `world.survey`
    "survey": Term(1 / 30, "flow of a session that answers to a survey tell of, less its `quality`", "min"),
    "satisfied": Term(0.3, "`return` times satisfaction as told in a survey less the usual", "days"),
    "churn": Term(-0.5, "the player has left for good"),
    "early_logout": Term(-0.1, "a session of one play"),
    "late": Term(-0.05, "play after bedtime, as far as that can be told", "min"),
    "nag": Term(-0.02, "advice shown"),
    "follow": Term(0.005, "advice followed, whether it would have been done anyway or not"),
    "ignore": Term(-0.005, "advice ignored"),
    "annoyed": Term(-0.25, "advice dismissed in annoyance"),
    "thumb": Term(0.1, "a thumb, +1 or -1"),
}

# What the player gets out of it. A utility of 1 is half an hour of full flow.
UTILITY = {
    "flow": Term(1 / 30, "play times flow, each day at most as much play as is good for the player", "min"),
    "progress": Term(0.1, "a level or a quest"),
    "stay": Term(0.3, "time between two sessions, times satisfaction", "days"),
    "late": Term(-1 / 20, "play after bedtime: sleep lost", "min"),
    "interruption": Term(-0.02, "advice shown"),
    "annoyed": Term(-0.25, "advice that annoyed"),
}
REWARD_WEIGHTS = {name: term.weight for name, term in REWARD.items()}
UTILITY_WEIGHTS = {name: term.weight for name, term in UTILITY.items()}

FLOW_WITHOUT_CHALLENGE = 0.35  # prototype


@dataclass(frozen=True)
class GameParams(Shared):
    """Settings of the players and their world; ValueError where shares add up to more than 1."""

    days: int = setting(30, "length of an episode [days]", low=1, high=3650)
    track: Literal["all", "activities"] = setting("all", "what may be advised; activities: not the difficulty")
    people: Literal["differ", "alike"] = setting(
        "differ", "whether players differ in what advice moves them, in trust and in how soon they have had enough"
    )
    drift: float = setting(0.0, "share of a player's tastes that changes over an episode", low=0, high=1)
    tables: str | None = setting(
        None,
        "file of play behaviour calibrated to a log: its ends of sessions, gaps and leaving hold in place of end*, "
        "churn* and gap_*",
    )

    survey: float = setting(
        0.1, "probability that a player answers a survey after a session (0: nobody is asked)", low=0, high=1
    )

    # what a player does: log-odds
    beta: float = setting(2.2, "sharpness of choice (prototype)", low=0)
    taste: float = setting(2.6, "weight of the match of persona and an activity's tags", low=0)
    flow: float = setting(0.25, "weight of flow to be expected (prototype)", low=0)
    habit: float = setting(1.6, "weight of habit", low=0)
    habit_rate: float = setting(0.12, "weight of the latest play in habits (prototype)", low=0, high=1)
    follows: float = setting(1.1, "weight of what tends to follow what in a player's class", low=0)
    quest: float = setting(0.6, "weight of an open quest (prototype)", low=0)
    weary: float = setting(0.6, "weight of fatigue times effort (prototype)", low=0)
    quirk: float = setting(0.35, "standard deviation of a player's own likings beyond the persona", low=0)

    # advice
    advice: float = setting(2.4, "weight of a suggestion at full trust (prototype: .8 x 3.0)", low=0)
    tire: float = setting(0.75, "share of it that is lost where every decision is advised (prototype)", low=0, high=1)
    rate: float = setting(0.15, "weight of the latest decision in the rate of suggestions (prototype)", low=0, high=1)
    stop: float = setting(0.5, "share of a suggestion's weight where it is to log out", low=0)
    stay: float = setting(0.15, "share of it that keeps from logging out where it is an activity", low=0)
    click: float = setting(1.7, "a suggestion's weight where it is another difficulty: a click, no new plans", low=0)
    trust: float = setting(0.6, "trust at the start, and the level to which silence leads back", low=0, high=1)
    annoy: float = setting(-4.2, "log-odds that a first suggestion annoys")
    annoy_rate: float = setting(5.0, "added where every decision is advised", low=0)
    annoy_ignored: float = setting(0.8, "added where it is not what the player wants", low=0)

    # play
    width: float = setting(1.0, "of flow [sd of skill]", low=0.01)
    win: float = setting(1.6, "slope of winning (prototype)", low=0)
    step: float = setting(0.5, "a step of difficulty [sd of skill]", low=0)
    skill: float = setting(1.0, "standard deviation of skill (prototype)", low=0)

    # sessions
    end: float = setting(0.30, "hazard of the session's end after the first play (prototype)", low=0.01, high=0.99)
    end_power: float = setting(0.55, "it falls with the play's index to minus this power (prototype)", low=0)
    end_spread: float = setting(0.6, "standard deviation among players, in log-odds (prototype)", low=0)
    sleepy: float = setting(0.7, "log-odds of the session's end for each hour after bedtime", low=0)
    churn: float = setting(-0.6, "log-odds of leaving for good before anything is counted")
    churn_spread: float = setting(3.4, "standard deviation among players", low=0)
    churn_sessions: float = setting(3.1, "it falls with the logarithm of 1 + sessions", low=0)
    churn_age: float = setting(0.29, "it rises with each day of a life: what was new wears off", low=0)
    churn_pleasure: float = setting(9.0, "and with satisfaction", low=0)
    churn_bond: float = setting(1.2, "and with ties to others (prototype)", low=0)
    churn_annoyed: float = setting(1.2, "it rises with annoyance (prototype)", low=0)
    churn_late: float = setting(0.8, "and with hours played after bedtime lately (prototype)", low=0)

    # time between sessions: shares of three kinds of gaps, and their medians [h] and spreads
    gap_hours: float = setting(0.40, "share of gaps of some hours", low=0, high=1)
    gap_own: float = setting(0.97, "how far players' shares of long gaps differ, 1: from 0 to 2 means", low=0, high=1)
    gap_long: float = setting(0.51, "share of long gaps of the mean player", low=0, high=1)
    gap_long_median: float = setting(280.0, "median of a long gap [h]", low=1)
    gap_long_spread: float = setting(1.8, "standard deviation of its logarithm", low=0)

    def __post_init__(self) -> None:
        if self.gap_hours + self.gap_long > 1:
            raise ValueError("world.gap_hours and world.gap_long are shares: together at most 1")
