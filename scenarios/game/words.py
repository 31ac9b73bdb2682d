"""The vocabulary of the game: what can be done, sensed and answered."""

from __future__ import annotations

from lam_env.core.events import Vocabulary
from lam_env.core.units import DAY

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
