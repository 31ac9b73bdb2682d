"""What an agent can sense of a player: readings, in the order of the vocabulary."""

from __future__ import annotations

from ..player.player import AGE
from .estimates import worths
from .life import Life

MOST_GAP = 999.0  # [h] that a reading tells


def often(life: Life) -> tuple[float, ...]:
    """Readings of `STATE` and how fresh each activity is: what may change at every decision."""
    p, game, moment = life.player, life.game, life.moment
    level = p.level
    quality, late = worths(life)
    return (
        level,
        p.xp / game.xp[level - 1],
        p.gear - game.rules.need * (level - 1),
        p.win_share,
        p.losses,
        life.plays,
        life.minutes,
        life.gap if life.gap < MOST_GAP else MOST_GAP,
        life.sessions,
        p.quest_share,
        p.difficulty,
        moment == 0,
        moment == 2,
        moment == 3,
        p.rate,
        p.follows,
        life.tally.annoyed,
        *p.fresh.translate(AGE),
        p.rating.mean,
        *quality,
        *late,
    )


def seldom(life: Life) -> list[float]:
    """The other readings."""
    p, words, game = life.player, life.game.words, life.game
    opened = {game.quests[i].place for i in p.opened}
    return [
        *(p.wins[k] for k in words.hard),
        *p.points,
        *(k in opened for k in words.with_quest),
        *(i == life.traits.class_ for i in range(len(game.rules.classes))),
    ]


def tell(life: Life) -> None:
    """Readings as they are now. What seldom changes is written when it has."""
    game = life.game
    if life.records is not None:
        for channel, value in enumerate((*often(life), *seldom(life))):
            life.reading(channel, float(value), 0)
        return
    game.often.pack_into(life.row.context, 0, *often(life))
    if life.stale:
        game.seldom.pack_into(life.row.context, 4 * game.words.often, *seldom(life))
        life.stale = False
