"""What a company can tell each action to be worth to a player: from rating, habits and the clock, not from moods,
tastes or true skill.

`quality` [min]: play times the flow to be expected; `late` [min]: play after bedtime to be expected. Both against what
the player mostly does, so that they are what advice would change. The reward pays for both as they come
(`params.REWARD_WEIGHTS`), by the same estimates.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, sqrt

from ..params import COUNTED
from ..player.bedtime import NIGHT
from ..player.player import FIT, SLOW, SOFT, STALE, Player
from .life import Life

SAME = 1.3  # of boredom by having done little else
UNKNOWN = 0.02  # share of each activity before anything is known of habits
# plays that count: with another difficulty, with a point more in a skill line, and those that an end takes away
PLAYS_AHEAD, POINT_AHEAD, MORE_PLAYS = 12.0, 12.0, 2.0


def likely_flows(
    player: Player, bare: Sequence[float | None], habit: Sequence[float], harder: float = 0.0
) -> list[float]:
    """Expected flow in activities that ask for `bare` and have such shares of habits, if all were so much `harder`.

    The mean of exp(-(x / width)^2) over a normal belief about skill, in closed form; less for what was done often.
    """
    width2, rating = player.game.width2, player.rating
    c, spread = player.demand() - rating.mean + harder, width2 + 2 * rating.variance
    most = sqrt(width2 / spread)
    return [
        (SOFT if b is None else most * exp(-((b + c) ** 2) / spread)) * (1 - STALE * min(1.0, SAME * h))
        for b, h in zip(bare, habit, strict=True)
    ]


def likely_flow(player: Player, k: int) -> float:
    """Of activity k as things are; as `likely_flows`, which takes twice as long for one."""
    b, same, rating = player.bare[k], SAME * player.habit[k], player.rating
    fresh = 1 - STALE * (same if same < 1.0 else 1.0)
    if b is None:
        return SOFT * fresh
    width2 = player.game.width2
    spread = width2 + 2 * rating.variance
    return sqrt(width2 / spread) * exp(-((b + (player.demand() - rating.mean)) ** 2) / spread) * fresh


def worths(life: Life) -> tuple[list[float], list[float]]:
    """(A - 1,) `quality` and `late` of each action but none."""
    player, game, words = life.player, life.game, life.game.words
    quality = [0.0] * (len(words.vocabulary) - 1)
    if life.moment == 3:
        total = sum(player.habit) + UNKNOWN * game.n
        shares = [(h + UNKNOWN) / total for h in player.habit]
        quality[words.first_line - 1 : words.easier - 1] = _lines(player, shares)
        return quality, game.no_late
    room = COUNTED - life.today_minutes()
    if room > 0:
        _choices(player, room, quality)
    return quality, _nights(life)


def _choices(player: Player, room: float, quality: list[float]) -> None:
    """Fills in `quality` at a choice, `room` [min] before what counts of a day is full. One pass over the activities,
    as it is taken at every decision: `likely_flows` as things are, and a step easier and harder."""
    game, rating = player.game, player.rating
    c, spread = player.demand() - rating.mean, -1 / (game.width2 + 2 * rating.variance)
    most, step = sqrt(-game.width2 * spread), game.params.step
    total = now = easier = harder = 0.0
    for k, (b, h, m) in enumerate(zip(player.bare, player.habit, game.mean_minutes, strict=True)):
        fresh = (1 - STALE * SAME * h if SAME * h < 1 else 1 - STALE) * (m if m < room else room)
        share = h + UNKNOWN
        total += share
        if b is None:
            quality[k] = SOFT * fresh
            value = share * SOFT * fresh
            now += value
            easier += value
            harder += value
        else:
            fresh *= most
            x, y, z = b + c, b + c - step, b + c + step
            value = quality[k] = fresh * exp(spread * x * x)
            now += share * value
            easier += share * fresh * exp(spread * y * y)
            harder += share * fresh * exp(spread * z * z)
    mean, words = now / total, game.words
    for k in range(game.n):
        quality[k] -= mean
    quality[words.leave - 1] = -(1 + MORE_PLAYS) * mean
    quality[words.easier - 1] = PLAYS_AHEAD * (easier / total - mean)
    quality[words.harder - 1] = PLAYS_AHEAD * (harder / total - mean)


def _nights(life: Life) -> list[float]:
    """(A - 1,) `late` of each action but none, at a choice."""
    game, leave = life.game, life.game.words.leave
    hour, bedtime = life.hour(), life.player.bedtime
    if hour < NIGHT - game.longest:  # no play that begins now ends in the night
        return game.no_late
    shares = [h + UNKNOWN for h in life.player.habit]
    nights = bedtime.ahead(hour, game.mean_minutes)
    mean = _dot(shares, nights) / sum(shares)
    late = list(game.no_late)
    late[: game.n] = [x - mean for x in nights]
    late[leave - 1] = -(1 + MORE_PLAYS) * mean
    return late


def _lines(player: Player, shares: list[float]) -> list[float]:
    """(L,) quality of a point more in each skill line, against the mean line."""
    game, points = player.game, player.points
    helps = game.fits[player.traits.class_]
    share = FIT / (sum(points) + 1 + SLOW)
    had = [sum(x * row[k] for x, row in zip(points, helps, strict=True)) for k in range(game.n)]
    weights = [s * m for s, m in zip(shares, game.mean_minutes, strict=True)]
    values = []
    for row in helps:
        bare = [None if o is None else o - (h + x) * share for o, h, x in zip(game.offset, had, row, strict=True)]
        values.append(POINT_AHEAD * _dot(weights, likely_flows(player, bare, player.habit)))
    mean = sum(values) / len(values)
    return [v - mean for v in values]


def _dot(a: list[float], b: list[float]) -> float:
    return sum([x * y for x, y in zip(a, b, strict=True)])
