"""What agents do not see: a player's true chances and moods, and what advice is worth. For `informed` and oracles.

`latent`: the probability of each action without advice, exact and in closed form (`p.*`), and if that action is advised
(`accept.*`); then the hidden state. It holds no draw.

`plan`: per action, the expected change of hidden utility by advising it now, in the mean over draws: what becomes
likelier and what less likely, each with its flow, progress and lateness and the value of the state after it
(satisfaction, ties, gear, build, moods), less what advice costs. Then the same by the play at hand alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import exp

import numpy as np

from lam_env.core.units import DAY
from lam_env.sim.world import write_hidden

from .params import UTILITY_WEIGHTS as W
from .player.player import BORE, DULL, FIT, LEARN, LOSS, SLOW, STALE, TIRE, WIN
from .rules.compiled import NEVER, Compiled, logistic
from .rules.rules import BARTLE
from .world.world import GameWorld

MOODS = ("fatigue", "boredom", "frustration", "annoyance", "satisfaction", "trust", "bond")
STATE = ("skill", *MOODS, "leaving", "quitting", "irritation")
SILENCE = [0.0] * 64
# of the value of the state after: how long things last, and what a day with the game is worth to a player
DAY_WORTH = 0.45  # utility of a day for a player who stays
AHEAD = 14.0  # [days] that count
LASTS = 0.6  # of a change in satisfaction is left when the session ends
FUTURE_PLAYS = 25.0  # in which power and difficulty pay a player who stays
SOON, BORED_FOR = 3.0, 6.0  # plays for which fatigue and boredom last
WEAR = 0.5  # what is lost to later advice by one that follows many
MOST_AHEAD = 4.0  # plays of this session that count where it might end


def latent_names(game: Compiled) -> tuple[str, ...]:
    actions = game.words.vocabulary.actions[1:]
    persona = tuple(f"persona.{b}" for b in BARTLE)
    return (*(f"p.{a}" for a in actions), *(f"accept.{a}" for a in actions), *STATE, *persona)


def revealing(what: Sequence[str]) -> Callable[[GameWorld], None]:
    """Writes `row.latent`, `row.plan` or both."""
    return partial(_reveal, tuple(what))


def _reveal(what: Sequence[str], world: GameWorld) -> None:
    if world.now < world.end and world.due:
        write_hidden(what, latent, plan, world)


class Decision:
    """A decision in closed form. `weights`: exp of the likings of open actions; `leave`: log-odds of logging out."""

    def __init__(self, world: GameWorld):
        player, words = world.player, world.game.words
        self.words, self.params = words, world.game.params
        if world.moment == 3:
            likes = dict(enumerate(player.builds(), words.first_line))
            self.leave = NEVER
        else:
            every = player.appeal(player.flows(), SILENCE)
            easier, harder = player.tuning()
            likes = {k + 1: x for k, x in enumerate(every)} | {words.easier: easier, words.harder: harder}
            self.leave = world.leaving()
        most = max(likes.values())
        self.weights = {a: exp(x - most) for a, x in likes.items() if x > -1e8}
        rate = player.rate
        player.rate += self.params.rate * (1 - rate)  # as it is once advice has been given
        self.push = [player.persuasion(a) for a in range(len(words.vocabulary))]
        self.irritations = player.irritation(False), player.irritation(True)
        player.rate = rate

    def chances(self, advised: int = 0) -> dict[int, float]:
        """Probability of each action."""
        leave, weights, words = self.leave, self.weights, self.words
        if advised == words.leave:
            leave += self.params.stop * self.push[advised]
        elif advised:
            push = self.push[advised] * (self.params.click if advised >= words.easier else 1.0)
            weights = {**weights, advised: weights[advised] * exp(push)}
            if advised < words.leave:
                leave -= self.params.stay * self.push[advised]
        ends = logistic(leave)
        total = sum(weights.values())
        return {a: (1 - ends) * w / total for a, w in weights.items()} | ({words.leave: ends} if ends else {})

    def annoys(self, advised: int, chances: dict[int, float]) -> float:
        """Probability that this advice annoys; `chances` without advice."""
        p = chances.get(advised, 0.0)
        return p * logistic(self.irritations[0]) + (1 - p) * logistic(self.irritations[1])


def latent(world: GameWorld) -> np.ndarray:
    """The hidden state, in the order of `latent_names`."""
    decision, player = Decision(world), world.player
    n = len(world.vocabulary)
    p, accept = np.zeros(n), np.zeros(n)
    for a, x in decision.chances().items():
        p[a] = x
    for a in range(1, n):
        if world.row.mask[a]:
            accept[a] = decision.chances(a)[a]
    moods = [getattr(player, mood) for mood in MOODS]
    leaving = max(-9.0, min(9.0, decision.leave))
    state = (world.traits.skill, *moods, leaving, world.quitting(), decision.irritations[0])
    return np.concatenate([p[1:], accept[1:], state, player.persona])


class Worth:
    """What each action is worth to the player: `now`, the play alone, and `after`, the state it leaves."""

    def __init__(self, world: GameWorld):
        self.world, self.player, self.game = world, world.player, world.game
        player = self.player
        self.flows, self.excess = player.flows(), player.excess()
        c = logistic(world.quitting())
        days = min(AHEAD, (world.end - world.now) / DAY)
        self.left = (1 - c) * days / AHEAD  # share of a full future
        self.lost = c * (1 - c) * DAY_WORTH * days  # utility per unit of log-odds of leaving
        p = self.game.params
        self.satisfaction = LASTS * (p.churn_pleasure * self.lost * 1.6 + W["stay"] * 1.5 * (1 - c))
        self.bond = 3 * p.churn_bond * self.lost
        self.annoyance = p.churn_annoyed * self.lost
        self.lateness = p.churn_late * self.lost

    def pace(self, shares: dict[int, float]) -> float:
        """Utility of a play's flow."""
        return W["flow"] * sum(share * self.game.minutes[k] * self.flows[k] for k, share in shares.items())

    def power(self, gain: dict[int, float] | float, shares: dict[int, float], plays: float | None = None) -> float:
        """Worth of power, all or by activity, for so many plays (None: for good): flow in what is played, `shares` by
        activity."""
        value = 0.0
        for k, share in shares.items():
            b = self.player.bare[k]
            g = gain if isinstance(gain, float) else gain.get(k, 0.0)
            if b is None or not g:
                continue
            x = (b + self.excess) / self.game.params.width
            better = exp(-((x - g / self.game.params.width) ** 2)) - exp(-x * x)
            value += share * better * (self.game.minutes[k] * W["flow"] + 0.5 * LEARN * self.satisfaction / LASTS * 0.5)
        return value * (FUTURE_PLAYS * self.left if plays is None else plays)

    def activity(self, k: int, shares: dict[int, float]) -> tuple[float, float]:
        """(now, after) of a play of activity k."""
        world, player, game = self.world, self.player, self.game
        a, flow, b = game.rules.activities[k], self.flows[k], self.player.bare[k]
        minutes = game.mean_minutes[k]
        win = 1.0 if b is None else logistic(game.params.win * (0.5 - b - self.excess))
        now = W["flow"] * flow * min(minutes, max(0.0, world.traits.healthy - world.today_minutes()))
        step = (win + 0.25 * (1 - win)) * a.xp / game.xp[player.level - 1]
        step += win * sum(1 / game.quests[i].wins for i in player.opened if game.quests[i].place == k)
        now += W["progress"] * step
        late = max(0.0, min(minutes, 60 * world.awake() + minutes))
        now += W["late"] * late
        tired = min(1.0, player.fatigue + TIRE * a.effort * minutes / 60)
        fatigue = player.fatigue * (1 - a.relief) if a.relief else tired
        boredom = player.boredom + BORE * (player.sameness(k, self.excess) - player.boredom)
        q = player.frustration
        frustration = q * (1 - 0.5 * a.relief) if b is None else win * q * WIN + (1 - win) * (q + LOSS * (1 - q))
        gain = LEARN * (player.experience(k, flow, fatigue, boredom, frustration) - player.satisfaction)
        moods = 0.25 * (fatigue - player.fatigue) + 0.35 * 3 * (boredom - player.boredom) + 0.3 * (frustration - q)
        after = self.satisfaction * (gain - LEARN * moods)
        after += self.bond * a.bond * (1 - player.bond) - self.lateness * late / 60
        room = game.rules.need * (player.level - 1) + game.rules.gear_lead - player.gear
        after += self.power(max(0.0, min(room, win * a.loot)), shares) if a.loot else 0.0
        # the rest of the session is played as tired and as bored as this one leaves the player
        after += self.power(-DULL * (fatigue - player.fatigue), shares, SOON)
        after -= STALE * (boredom - player.boredom) * BORED_FOR * self.pace(shares)
        return now, after

    def line(self, line: int, shares: dict[int, float]) -> float:
        """A point in a skill line, against none."""
        player = self.player
        total, helps = sum(player.points), self.game.fits[player.traits.class_]
        before, then = FIT / (total + SLOW), FIT / (total + 1 + SLOW)
        gain = {}
        for k in shares:
            had = sum(x * row[k] for x, row in zip(player.points, helps, strict=True))
            gain[k] = (had + helps[line][k]) * then - had * before
        return self.power(gain, shares)


def plan(world: GameWorld) -> np.ndarray:
    """(2 A,) expected utility of each advice, all told and by the play at hand alone."""
    decision, worth, words, player = Decision(world), Worth(world), world.game.words, world.player
    chances = decision.chances()
    n = len(world.vocabulary)
    worths = np.zeros((2, n))
    if world.moment == 3:
        shares = {k: h for k, h in enumerate(player.habit) if h > 0}
        total = sum(shares.values()) or 1.0
        shares = {k: h / total for k, h in shares.items()}
        values = {a: (worth.line(a - words.first_line, shares),) * 2 for a in chances}
    else:
        plays = {a - 1: p for a, p in chances.items() if a < words.leave}
        total = sum(plays.values()) or 1.0
        shares = {k: p / total for k, p in plays.items()}
        each = {k: worth.activity(k, shares) for k in plays}
        mean = [sum(shares[k] * each[k][i] for k in plays) for i in (0, 1)]
        stays = 1 - logistic(decision.leave if world.plays else world.player.leaving(1, 0.0, world.awake()))
        more = [min(MOST_AHEAD, stays / max(0.05, 1 - stays)) * m for m in (mean[0] + mean[1], mean[0])]
        values = {k + 1: (now + after + more[0], now + more[1]) for k, (now, after) in each.items()}
        values[words.leave] = (0.0, 0.0)
        for a, power in ((words.easier, 1.0), (words.harder, -1.0)):
            gain = worth.power(power * world.game.params.step, shares)
            values[a] = (mean[0] + mean[1] + more[0] + gain, mean[0] + more[1] + gain)
    base = [sum(p * values[a][i] for a, p in chances.items()) for i in (0, 1)]
    for a in range(1, n):
        if not world.row.mask[a]:
            continue
        advised = decision.chances(a)
        annoyed = decision.annoys(a, chances)
        cost = -W["interruption"] - W["annoyed"] * annoyed
        wear = 0.25 * worth.annoyance * annoyed + WEAR * player.rate
        for i in (0, 1):
            worths[i, a] = sum(p * values[x][i] for x, p in advised.items()) - base[i] - cost - wear * (i == 0)
    return worths.reshape(-1)
