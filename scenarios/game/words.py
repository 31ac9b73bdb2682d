"""The vocabulary of the game: what can be done, sensed and answered."""

from __future__ import annotations

from collections.abc import Mapping

from lam_env.core.events import Vocabulary
from lam_env.core.units import DAY
from lam_env.envs.spaces import Meaning, Term, flag

from .params import REWARD, UTILITY
from .rules.rules import LEAVE, Rules

CHOICE, LEVEL_UP = range(2)  # what the player is asked: what to do next, or which skill line to raise
SENSORS = ("choice", "level_up")
FOLLOWED, IGNORED, ANNOYED, THUMB, SURVEY, SATISFIED = range(6)
FEEDBACK = ("follow", "ignore", "annoyed", "thumb", "survey", "satisfied")
EASIER, HARDER = "easier", "harder"
STATE = (
    *("level", "xp", "gear", "wins", "losses", "plays", "minutes", "gap", "sessions", "quests", "difficulty"),
    *("start", "lost", "level_up", "advised", "followed", "annoyed"),
)
WORTHS = ("quality", "late")  # what `estimates` tell of each action, as the reward terms of these names pay for it

STATES = (
    Meaning("level of the character", low=1),
    Meaning("share of the way to the next level", low=0),
    Meaning("gear, above what the level needs"),
    Meaning("share of wins lately, .65 at first", low=0, high=1),
    Meaning("losses in a row", low=0),
    Meaning("plays in this session so far", low=0),
    Meaning("played in this session so far", "min", 0),
    Meaning("time between this session and the one before", "h", 0, 999),
    Meaning("sessions so far", low=0),
    Meaning("share of the quests that are done", low=0, high=1),
    Meaning("difficulty that is set", low=-2, high=2),
    flag("a session begins"),
    flag("the last play was lost"),
    flag("a skill line is to be raised"),
    Meaning("share of decisions lately that were advised", low=0, high=1),
    Meaning("share of advice lately that was followed", low=0, high=1),
    Meaning("advice so far that annoyed", low=0),
)
FIGURES = {
    "d1": flag("played on day 1 of life; mean of players: retention"),
    "d7": flag("played on day 7 of life"),
    "d30": flag("played on the 30th day of life, the last of an episode"),
    "sessions": Meaning("sessions in the episode", "", 0),
    "plays_per_day": Meaning("plays a day", "", 0),
    "session_median": Meaning("median plays of a session", "", 0),
    "flow_share": Meaning("share of the time played that was flow", "", 0, 1),
    "minutes_per_day": Meaning("played a day", "min", 0),
    "advice": Meaning("advice shown, a play", "", 0),
    "parroted": Meaning("share of the advice that the player would have done anyway", "", 0, 1),
    "annoyed_per_hour": Meaning("advice that annoyed, an hour played", "1/h", 0),
    "annoyed_per_100": Meaning("advice that annoyed, of a hundred", "", 0, 100),
    "level_7": Meaning("level at the end of the first week", "", 1),
    "late_minutes": Meaning("played after bedtime, a day", "min", 0),
    "stayed": flag("the player has not left for good"),
}
MEANINGS: Mapping[str, Mapping[str, Meaning | Term]] = {
    "action": {
        "none": Meaning("nothing is said"),
        LEAVE: Meaning("stop for now"),
        EASIER: Meaning("set the difficulty a step lower"),
        HARDER: Meaning("set the difficulty a step higher"),
        "*": Meaning("an activity: play it next; or a skill line: spend the point on it"),
    },
    "sensor": {
        "choice": Meaning("the player is to choose what to do next"),
        "level_up": Meaning("the player is to raise a skill line"),
    },
    "feedback": {
        "follow": Meaning("the player does what was advised"),
        "ignore": Meaning("the player does something else"),
        "annoyed": Meaning("the player dismisses the advice in annoyance"),
        "thumb": Meaning("a thumb after a play that was advised", "", -1, 1),
        "survey": Meaning("after a session: how absorbed the player was, as told", "", 0, 1),
        "satisfied": Meaning("after a session: satisfaction, as told", "", 0, 1),
    },
    "reading": {
        **dict(zip(STATE, STATES, strict=True)),
        "fresh.*": Meaning("plays since the activity, in steps: 0, 1, 2 to 3, 4 to 7, and so on", "", 0, 8),
        "rating": Meaning("skill as wins and losses tell it", "sd of players"),
        "quality.*": Meaning("flow that the action is likely to bring, against what the player mostly does", "min"),
        "late.*": Meaning("play after bedtime that the action is likely to bring, against the same", "min"),
        "win.*": Meaning("share of wins in the activity lately", "", 0, 1),
        "points.*": Meaning("points spent on the skill line", "", 0),
        "open.*": flag("the activity counts for an open quest"),
        "class.*": flag("the player is of this class"),
    },
    "reward": REWARD,
    "utility": UTILITY,
    "agent": {
        "parrot": Meaning("the likeliest next action, with a cool-down: much followed, and no help"),
        "winshare": Meaning("easier or harder by the player's share of wins, to keep it between .5 and .8"),
        "flow": Meaning("what the player wins about two times in three, when it has been a while"),
        "oracle": Meaning(
            "greedy on the hidden state, decision by decision, with a value of the state after; it does not plan"
        ),
        "informed": Meaning("predicts by the generator's own chances: the ceiling of prediction; it does not act"),
        "ladder_chances": Meaning("advises the likeliest by the true chances, with a cool-down"),
        "ladder_answers": Meaning("greedy on what the reward pays, told how the player answers to advice"),
        "ladder_now": Meaning("the oracle by the play at hand alone"),
        "ladder_difficulty": Meaning("the oracle with difficulty alone"),
        "ladder_activities": Meaning("the oracle with activities and builds alone"),
        "parrot_always": Meaning("built to win the reward: `parrot` at every decision"),
        "nag": Meaning("built to win the reward: suggests something at every decision"),
        "keep_up": Meaning("built to win the reward: one more play at night, and otherwise silence"),
    },
}


class GameNames:
    """Ids of actions and readings for some rules. Actions: none, activities, log out, skill lines, easier, harder."""

    def __init__(self, rules: Rules):
        lines = tuple(line.name for line in rules.lines)
        self.activities = rules.names
        self.n = len(rules.activities)
        actions = ("none", *rules.names, LEAVE, *lines, EASIER, HARDER)
        self.leave = self.n + 1
        self.first_line = self.n + 2
        self.n_lines = len(lines)
        self.easier = self.first_line + len(lines)
        self.harder = self.easier + 1
        self.with_quest = [k for k, a in enumerate(rules.names) if any(q.activity == a for q in rules.quests)]
        self.hard = [k for k, a in enumerate(rules.activities) if a.offset is not None]
        # what changes at every decision stands first
        names = [
            *STATE,
            *(f"fresh.{a}" for a in rules.names),
            "rating",
            *(f"{kind}.{a}" for kind in WORTHS for a in actions[1:]),
            *(f"win.{rules.names[k]}" for k in self.hard),
            *(f"points.{x}" for x in lines),
            *(f"open.{rules.names[k]}" for k in self.with_quest),
            *(f"class.{c.name}" for c in rules.classes),
        ]
        self.fresh = len(STATE)
        self.often = self.fresh + self.n + 1 + len(WORTHS) * (len(actions) - 1)  # so many readings change often
        self.win = self.often
        self.points = self.win + len(self.hard)
        self.open = self.points + len(lines)
        self.classes = self.open + len(self.with_quest)
        self.vocabulary = Vocabulary(actions, SENSORS, tuple(names), FEEDBACK, (DAY,) * len(actions))
