"""One player's state: character and moods, and how both change by playing and by time away."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp
from typing import Protocol

from lam_env.sim.user import ASKED, Habits, User

from ..params import FLOW_WITHOUT_CHALLENGE
from ..rules.compiled import MOST_LEVELS, NEVER, Compiled
from .advised import Advised
from .bedtime import Bedtime
from .rating import Rating
from .traits import Traits

SOFT = FLOW_WITHOUT_CHALLENGE
HARDEST = 2  # steps of difficulty either way
# how moods move with a play; moods lie in [0, 1]
LEARN = 0.15  # weight of a play in satisfaction
TIRE = 0.45  # fatigue of an hour at effort 1
WAKE = 5.0  # [h] in which it falls to 1/e away from the game
CALM = 8.0  # [h], the same for frustration, boredom and annoyance
LOSS, WIN = 0.22, 0.6  # frustration added by a loss, and left by a win
BORE = 0.18  # weight of a play in boredom
BOND_LOST = 240.0  # [h] in which ties fade to 1/e
QUEST_XP = 15.0
DULL = 0.8  # power lost to full fatigue
STALE = 0.6  # share of flow lost to full boredom
MOST_FRESH = 31  # plays
_OLDER = bytes(min(i + 1, MOST_FRESH) for i in range(256))
AGE = bytes(i.bit_length() for i in range(256))  # plays since an activity as a reading has it: 0, 1, 2 to 3, 4 to 7, ..
FIT = 1.0  # power of a full skill line at affinity 1
SLOW = 4.0  # points after which half of a build's power is there


# where a player stands in their life
AWAY, CHOOSING, PLAYING, PAUSING, RAISING, GONE = range(6)


class Game(Protocol):
    """The world as `Player.behave` sees it. Each of these puts the player into the place in which they are next, with
    the time `until` which they stay there."""

    def begin_session(self) -> None: ...
    def ask_choice(self) -> None: ...
    def choose(self, advised: int) -> None: ...
    def finish_play(self) -> None: ...
    def raise_line(self, advised: int) -> None: ...


class Player(User):
    """One player as they stand.

    Moods: fatigue, boredom, frustration, annoyance, satisfaction, trust, bond, all in [0, 1]; `late`: hours after
    bedtime lately. Character: level, xp, gear [power], points by line, difficulty [steps]. Memory: `habit` (n,) shares
    of activities lately, `wins` (n,) win share lately by activity, `fresh` (n,) plays since each.
    """

    __slots__ = (
        *("game", "traits", "fatigue", "boredom", "frustration", "annoyance", "satisfaction", "trust", "bond", "late"),
        *("level", "xp", "gear", "points", "difficulty", "changed", "habit", "wins", "win_share", "losses", "fresh"),
        *("previous", "done", "left", "lure", "bare", "rate", "follows", "persona", "opened", "quest_share"),
        *("advised", "rating", "bedtime", "place", "until"),
    )

    def __init__(self, game: Compiled, traits: Traits, advised: Advised | None = None):
        """`advised`: how they take advice (None: as all who are alike)."""
        super().__init__(0)
        self.game, self.traits = game, traits
        self.advised = advised or Advised(game.alike, game.params.trust)
        self.place, self.until = AWAY, 0  # until when [s], but where the agent's word is awaited
        n = game.n
        self.fatigue = self.boredom = self.frustration = self.annoyance = self.bond = self.late = 0.0
        self.satisfaction, self.trust = 0.5, self.advised.trust
        self.level, self.xp, self.gear, self.difficulty, self.changed = 1, 0.0, 0.0, 0, False
        self.points = [0] * game.words.n_lines
        self.habit, self.wins, self.fresh = [0.0] * n, [0.5] * n, bytearray([MOST_FRESH]) * n
        self.win_share, self.losses, self.previous = 0.65, 0, n
        self.done: set[int] = set()  # quests
        self.left = [task.wins for task in game.quests]
        self.rate = self.follows = 0.0
        self.persona, self.quest_share = traits.persona, 0.0
        self.rating, self.bedtime = Rating(game.params.skill), Bedtime()
        self.opened, self.bare = game.first_quests, game.offset  # nothing is done, no point is spent
        self.allure()

    def behave(self, world: Game) -> Habits:
        """A life with the game: sessions of decisions and plays, and the time between."""
        while self.place != GONE:
            if self.place == CHOOSING:
                world.choose((yield ASKED))  # to play, to change the difficulty, or to leave for now or for good
            elif self.place == PLAYING:
                yield self.until
                world.finish_play()  # to the next choice, or to a point to spend
            elif self.place == AWAY:
                yield self.until
                world.begin_session()
            elif self.place == PAUSING:
                yield self.until
                world.ask_choice()
            else:
                world.raise_line((yield ASKED))

    # -- what follows from the state ----------------------------------------------------------------------------------

    def allure(self) -> None:
        """What draws to each activity whatever was done last: persona, quirks, quests."""
        game, p = self.game, self.game.params
        a, e, s, k = (p.beta * p.taste * w for w in self.persona)
        level, liking = self.level, self.traits.liking
        lure = [
            a * t[0] + e * t[1] + s * t[2] + k * t[3] + q if x <= level else NEVER
            for t, q, x in zip(game.tags, liking, game.level, strict=True)
        ]
        for k in {game.quests[i].place for i in self.opened}:
            lure[k] += game.quest_lure
        self.lure = lure

    def _open(self) -> None:
        """Finds the open quests."""
        done = self.done
        self.opened = [i for i, task in enumerate(self.game.quests) if i not in done and task.needs <= done]

    def refit(self) -> None:
        """How hard each activity is for the build, before skill, gear and level."""
        share = FIT / (sum(self.points) + SLOW)
        parts = [(x * share, row) for x, row in zip(self.points, self.game.fits[self.traits.class_], strict=True) if x]
        self.bare = [
            None if o is None else o - sum([x * row[k] for x, row in parts]) for k, o in enumerate(self.game.offset)
        ]

    def excess(self) -> float:
        """What is added to each `bare`: by how much the game is too hard for skill, level, gear and freshness."""
        return self.demand() - self.traits.skill + DULL * self.fatigue

    def demand(self) -> float:
        """The part of it that anybody can tell: difficulty, level and gear."""
        return self.game.params.step * self.difficulty + self.game.rules.need * (self.level - 1) - self.gear

    def flows(self) -> list[float]:
        """(n,) flow in each activity."""
        c, w, keen = self.excess(), self.game.narrow, 1 - STALE * self.boredom
        soft = SOFT * keen
        return [soft if b is None else keen * exp(w * (b + c) ** 2) for b in self.bare]

    def appeal(self, flows: list[float], noise: Sequence[float]) -> list[float]:
        """(n,) log-odds of each activity, up to a constant, with `noise` of at least as many."""
        game = self.game
        follows = game.follows[self.traits.class_][self.previous]
        fw, hw, fatigue = game.flow_weight, game.habit_weight, self.fatigue
        return [
            base + hw * h + t + fw * f - fatigue * w + g
            for base, h, t, f, w, g in zip(self.lure, self.habit, follows, flows, game.weary, noise)  # noqa: B905
        ]

    def tuning(self) -> tuple[float, float]:
        """Log-odds of making it easier and harder, on the scale of `appeal`."""
        if self.changed:
            return NEVER, NEVER
        easy = self.win_share - 0.75
        return (
            NEVER if self.difficulty <= -HARDEST else -0.5 + 3.5 * self.frustration,
            NEVER if self.difficulty >= HARDEST else -0.5 + 8.0 * easy if easy > 0 else -0.5,
        )

    def leaving(self, plays: int, minutes: float, awake: float) -> float:
        """Log-odds of logging out after so many plays and minutes, `awake` [h] after bedtime (negative: before)."""
        x = self.game.ends[plays] + self.traits.ends + 0.3 * (self.fatigue - 0.3)
        x += 0.5 * (self.frustration + self.boredom - 0.6) + 0.5 * self.annoyance
        over = minutes / self.traits.budget - 1
        if over > 0:
            x += 0.2 * (over if over < 4 else 4)
        if awake > 0:
            x += self.game.params.sleepy * (awake if awake < 4 else 4)
        return x

    def quitting(self, sessions: int, plays: int, days: float) -> float:
        """Log-odds of leaving for good after so many sessions, the last of so many plays, `days` after the first."""
        p = self.game.params
        x = self.game.leaves(sessions, plays, days) + self.traits.leaves
        x -= p.churn_pleasure * (self.satisfaction - 0.5) + p.churn_bond * self.bond
        return x + p.churn_annoyed * self.annoyance + p.churn_late * min(3.0, self.late)

    def persuasion(self, action: int) -> float:
        """What a suggestion adds to the log-odds of the action that it names."""
        p, a = self.game.params, self.advised
        return p.beta * p.advice * self.trust * (1 - min(1.0, p.tire * a.weary) * self.rate) * a.heed[action]

    def irritation(self, ignored: bool) -> float:
        """Log-odds that a suggestion annoys; the rate of suggestions already counts it."""
        p, a = self.game.params, self.advised
        patience = self.traits.patience + a.patience
        return p.annoy - patience + p.annoy_rate * a.weary * self.rate + (p.annoy_ignored if ignored else 0.0)

    def builds(self) -> list[float]:
        """(L,) log-odds of each skill line at a level-up: quirks, what the class is made for, and what is begun."""
        affinity = self.game.rules.classes[self.traits.class_].affinity
        total = sum(self.points) + 1.0
        return [
            1.0 * q + 0.8 * affinity.get(line.name, 0.0) + 1.5 * x / total
            for q, line, x in zip(self.traits.build, self.game.rules.lines, self.points, strict=True)
        ]

    # -- how it changes -----------------------------------------------------------------------------------------------

    def experience(self, k: int, flow: float, fatigue: float, boredom: float, frustration: float) -> float:
        """How much a play of activity k pleases [0, 1]."""
        w, t = self.persona, self.game.tags[k]
        match = w[0] * t[0] + w[1] * t[1] + w[2] * t[2] + w[3] * t[3]
        e = 0.12 + 0.8 * flow + 0.5 * match - 0.3 * frustration - 0.2 * boredom - 0.2 * fatigue
        return 0.0 if e < 0 else 1.0 if e > 1 else e

    def sameness(self, k: int, excess: float) -> float:
        """What bores about activity k [0, 1]: having done little else, and too little challenge."""
        b = self.bare[k]
        easy = 0.0 if b is None else -1.0 - (b + excess)
        same = 1.3 * self.habit[k] + (0.35 * easy if easy > 0 else 0.0)
        return same if same < 1 else 1.0

    def play(self, k: int, minutes: float, won: bool, flow: float, excess: float) -> int:
        """Moods, gear, xp, habits and quests after a play; returns the levels and quests it brought."""
        game, a = self.game, self.game.rules.activities[k]
        boredom = self.boredom = self.boredom + BORE * (self.sameness(k, excess) - self.boredom)
        if a.relief:
            self.fatigue *= 1 - a.relief
            self.frustration *= 1 - 0.5 * a.relief
        else:
            fatigue = self.fatigue + TIRE / 60 * a.effort * minutes
            self.fatigue = fatigue if fatigue < 1 else 1.0
        if (bare := self.bare[k]) is not None:
            self.rating.see(bare + self.demand(), game.params.win, won)
            if won:
                self.frustration *= WIN
                self.losses = 0
            else:
                self.frustration += LOSS * (1 - self.frustration)
                self.losses += 1
            self.win_share += 0.15 * (won - self.win_share)
            self.wins[k] += 0.25 * (won - self.wins[k])
        pleasure = self.experience(k, flow, self.fatigue, boredom, self.frustration)
        self.satisfaction += LEARN * (pleasure - self.satisfaction)
        if a.bond:
            self.bond += a.bond * (1 - self.bond)
        keep = 1 - game.params.habit_rate
        habit = self.habit = [h * keep for h in self.habit]
        habit[k] += 1 - keep
        fresh = self.fresh = self.fresh.translate(_OLDER)
        fresh[k] = 0
        self.previous = k
        return self._gain(k, won)

    def _gain(self, k: int, won: bool) -> int:
        game, a = self.game, self.game.rules.activities[k]
        if not won:
            self.xp += 0.25 * a.xp
            gained = 0
        else:
            most = game.rules.need * (self.level - 1) + game.rules.gear_lead
            gear = self.gear + a.loot
            self.gear = gear if gear < most else max(most, self.gear)
            self.xp += a.xp
            gained = self._quests(k) if k in game.quest_places else 0
        if self.xp >= game.xp[self.level - 1] and self.level < MOST_LEVELS:
            self.xp -= game.xp[self.level - 1]
            self.level += 1
            gained += 1
            if self.level in game.locked:
                self.allure()
        return gained

    def _quests(self, k: int) -> int:
        finished = 0
        for i in self.opened:
            if self.game.quests[i].place == k:
                self.left[i] -= 1
                if not self.left[i]:
                    self.done.add(i)
                    self.xp += QUEST_XP
                    finished += 1
        if finished:
            self.satisfaction += 0.04 * finished * (1 - self.satisfaction)
            self.quest_share = len(self.done) / len(self.game.quests)
            self._open()
            self.allure()
        return finished

    def raise_line(self, line: int) -> None:
        self.points[line] += 1
        self.refit()

    def away(self, hours: float) -> None:
        """Time without playing."""
        self.fatigue *= exp(-hours / WAKE)
        calm = exp(-hours / CALM)
        self.frustration *= calm
        self.annoyance *= exp(-hours / 48)
        self.boredom *= exp(-hours / 24)
        self.bond *= exp(-hours / BOND_LOST)
        self.late *= exp(-hours / 36)
        self.rate *= calm

    def hear(self, advised: bool) -> None:
        """A decision, with or without advice: the rate of suggestions, and what time heals in silence."""
        p = self.game.params
        self.rate += p.rate * (advised - self.rate)
        self.annoyance *= 0.97
        if not advised:
            self.trust += 0.02 * (self.advised.trust - self.trust)

    def answer(self, followed: bool, annoyed: bool) -> None:
        """Trust after advice."""
        if annoyed:
            self.trust -= 0.08
            self.annoyance += 0.25 * (1 - self.annoyance)
        elif not followed:
            self.trust -= 0.015
        self.trust = min(1.0, max(0.0, self.trust))
        self.follows += 0.2 * (followed - self.follows)

    def judge_advice(self, pleased: float) -> None:
        """Trust after what was followed: `pleased` in [-1, 1]."""
        self.trust = min(1.0, max(0.0, self.trust + 0.04 * pleased))
