"""Rules in the form in which players use them: lists by activity, in log-odds, made once."""

from __future__ import annotations

import math
import struct
from array import array
from collections.abc import Iterable
from math import exp
from typing import TYPE_CHECKING, NamedTuple

from lam_env.core.events import LogError
from lam_env.core.shared import Shared

from ..params import GameParams
from ..words import GameNames
from .rules import BARTLE, Rules

if TYPE_CHECKING:
    from lam_env.logs.play.tables import PlayTables

MOST_LEVELS = 60
MOST_PLAYS = 120  # in a session: then the player logs out
RELIEF = 6.0  # what relief from fatigue weighs against effort to a tired player
NEVER = -1e9  # log-odds of what is not open
KINDS = (*BARTLE, "builds", "difficulty", "stopping")  # of advice; an activity is of the kind of its greatest tag
BUILDS, DIFFICULTY, STOPPING = range(len(BARTLE), len(KINDS))


def logistic(x: float) -> float:
    """1 / (1 + exp(-x)), for any x."""
    return 1 / (1 + exp(-x)) if x > -100 else 0.0


def calibrated(path: str) -> PlayTables:
    """How players come and go, from a file that this game's calibration wrote; LogError where it is none."""
    from lam_env.logs.play.tables import PlayTables

    try:
        tables = PlayTables.load(path)
        if not tables.shift:
            raise LogError(f"{path}: a log's own tables, not corrected for the moods of this game")
    except LogError as error:
        command = "python -m lam_env.scenarios.game.cohort plays=LOG out=FILE"
        raise LogError(f"world.tables={error}; {command} makes such tables") from None
    return tables


class Task(NamedTuple):
    """A quest by numbers."""

    place: int  # of its activity
    wins: int  # that it takes
    needs: set[int]  # places of the quests that have to be done before


class Compiled(Shared):
    """Rules and settings by numbers.

    `follows[c][k]`: what class c likes after activity k (n: nothing yet); `fits[c][l]`: power by activity per share of
    points in line l; `ends[n]`: log-odds that a session ends after n plays; `tables`: how players come and go where
    that is calibrated to a log; `xp[l]`: points from level l to l + 1.
    """

    def __init__(self, rules: Rules, params: GameParams, tables: PlayTables | None = None):
        """`tables`: in place of the file that `params` names."""
        self.rules, self.params, self.words = rules, params, GameNames(rules)
        self.tables = tables if tables is not None or params.tables is None else calibrated(params.tables)
        acts, n = rules.activities, len(rules.activities)
        place = {a.name: k for k, a in enumerate(acts)}
        self.n = n
        beta = params.beta
        self.offset = [a.offset for a in acts]
        self.hard = [a.offset is not None for a in acts]
        self.minutes = [a.minutes for a in acts]
        self.spread = [a.spread for a in acts]
        self.mean_minutes = [a.minutes * exp(a.spread**2 / 2) for a in acts]
        self.longest = max(self.mean_minutes) / 60 + 0.1  # [h] and a little more: times are rounded
        self.width2 = params.width**2
        self.no_late = [0.0] * (len(self.words.vocabulary) - 1)
        self.weary = [beta * params.weary * (a.effort - RELIEF * a.relief) for a in acts]
        self.level = [a.level for a in acts]
        self.tags = [a.tags for a in acts]
        self.follows = []
        for c in rules.classes:
            pairs = [[(a.name, b.name) for b in acts] for a in acts]
            likings = [[rules.follows.get(pair, 0.0) + c.follows.get(pair, 0.0) for pair in row] for row in pairs]
            self.follows.append([*([beta * params.follows * x for x in row] for row in likings), [0.0] * n])
        self.fits = [
            [[c.affinity.get(line.name, 0.0) * line.helps.get(a.name, 0.0) for a in acts] for line in rules.lines]
            for c in rules.classes
        ]
        self.ends = self._ends()
        self.own = (self.tables.ends[2], self.tables.leaves[3]) if self.tables else None
        self.xp = [rules.xp_first * rules.xp_growth**i for i in range(MOST_LEVELS + 1)]
        self.quests = [
            Task(place[q.activity], q.count, {i for i, x in enumerate(rules.quests) if x.name in q.needs})
            for q in rules.quests
        ]
        self.first_quests = [i for i, q in enumerate(rules.quests) if not q.needs]
        self.quest_places = frozenset(task.place for task in self.quests)
        self.flow_weight, self.habit_weight = beta * params.flow, beta * params.habit
        self.narrow = -1 / self.width2
        self.quest_lure = beta * params.quest
        self.tunes = params.track == "all"  # the difficulty may be advised
        self.locked = frozenset(a.level for a in acts)
        w = self.words
        greatest = [max(range(len(BARTLE)), key=a.tags.__getitem__) for a in acts]
        # (A,) as advice, of `KINDS`; and what it weighs with players who are alike
        self.kinds = [0, *greatest, STOPPING, *([BUILDS] * len(rules.lines)), DIFFICULTY, DIFFICULTY]
        self.alike = [1.0] * len(w.vocabulary)
        self.win_at = {k: w.win + i for i, k in enumerate(w.hard)}
        self.often = struct.Struct(f"{w.often}f")
        self.seldom = struct.Struct(f"{len(w.vocabulary.readings) - w.often}f")
        self._masks: dict[tuple[int, bool, int], array[int]] = {}
        self.level_up = self._only(range(w.first_line, w.first_line + w.n_lines))  # (A,) what may be advised then

    def __reduce__(self) -> tuple[object, ...]:
        return Compiled, (self.rules, self.params, self.tables)

    def mask(self, level: int, started: bool, difficulty: int) -> array[int]:
        """(A,) what may be advised at a choice. `started`: something has been played in this session; `difficulty`: bit
        0 easier, bit 1 harder."""
        key = level, started, difficulty
        mask = self._masks.get(key)
        if mask is None:
            w = self.words
            can = [k + 1 for k, x in enumerate(self.level) if x <= level] + [w.leave] * started
            can += [w.easier] * (difficulty & 1) + [w.harder] * (difficulty >> 1)
            mask = self._masks[key] = self._only(can)
        return mask

    def _only(self, actions: Iterable[int]) -> array[int]:
        """(A,) 1 for none and these actions."""
        mask = array("b", bytes(len(self.words.vocabulary)))
        for action in (0, *actions):
            mask[action] = 1
        return mask

    def _ends(self) -> list[float]:
        if self.tables is not None:
            return [self.tables.end(i) for i in range(MOST_PLAYS + 1)]
        hazards = [self.params.end * max(1, i) ** -self.params.end_power for i in range(MOST_PLAYS + 1)]
        return [math.log(h / (1 - h)) for h in hazards]

    def leaves(self, sessions: int, plays: int, days: float) -> float:
        """Log-odds, whatever the mood, that a player leaves for good after so many sessions, the last of so many plays,
        `days` after the first."""
        if self.tables is not None:
            c, d, e, _ = self.tables.leaves
            return c + d * math.log(max(1, sessions)) + e * math.log(max(1, plays))
        p = self.params
        return p.churn - p.churn_sessions * math.log1p(sessions) + p.churn_age * days
