"""What an agent can sense of a player: readings, in the order of the vocabulary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .estimates import worths
from .player import AGE

if TYPE_CHECKING:
    from .world import GameWorld

MOST_GAP = 999.0  # [h] that a reading tells


def often(world: GameWorld) -> tuple[float, ...]:
    """Readings of `STATE` and how fresh each activity is: what may change at every decision."""
    p, game, moment = world.player, world.game, world.moment
    level = p.level
    quality, late = worths(world)
    return (
        level,
        p.xp / game.xp[level - 1],
        p.gear - game.rules.need * (level - 1),
        p.win_share,
        p.losses,
        world.plays,
        world.minutes,
        world.gap if world.gap < MOST_GAP else MOST_GAP,
        world.sessions,
        p.quest_share,
        p.difficulty,
        moment == 0,
        moment == 2,
        moment == 3,
        p.rate,
        p.follows,
        world.tally.annoyed,
        *p.fresh.translate(AGE),
        p.rating.mean,
        *quality,
        *late,
    )


def seldom(world: GameWorld) -> list[float]:
    """The other readings."""
    p, words, game = world.player, world.game.words, world.game
    opened = {game.quests[i][0] for i in p.opened}
    return [
        *(p.wins[k] for k in words.hard),
        *p.points,
        *(k in opened for k in words.with_quest),
        *(i == world.traits.class_ for i in range(len(game.rules.classes))),
    ]


def tell(world: GameWorld) -> None:
    """Readings as they are now. What seldom changes is written when it has."""
    game = world.game
    if world.records is not None:
        for channel, value in enumerate((*often(world), *seldom(world))):
            world.reading(channel, float(value), 0)
        return
    game.often.pack_into(world.row.context, 0, *often(world))
    if world.stale:
        game.seldom.pack_into(world.row.context, 4 * game.words.often, *seldom(world))
        world.stale = False
