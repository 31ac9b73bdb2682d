"""What a picture of the game shows, read off the world."""

from __future__ import annotations

from dataclasses import dataclass

from lam_env.core.events import AGENT
from lam_env.core.observation import WEEKDAYS
from lam_env.core.units import DAY

from ..world.world import GameWorld

SHOWN = 12  # plays of the timeline
LOST, WON, NEITHER = range(3)


@dataclass(frozen=True)
class GameView:
    """`quests`: name, share done, open; `moods`: name and value in [0, 1], hidden from the agent; `plays`: activity, minutes, outcome."""

    clock: str
    day: int
    days: int
    character: str
    level: int
    xp: float
    gear: float
    difficulty: int
    points: tuple[tuple[str, int], ...]
    quests: tuple[tuple[str, float, bool], ...]
    moods: tuple[tuple[str, float], ...]
    plays: tuple[tuple[str, float, int], ...]
    minutes: float
    sessions: int
    said: str
    gone: bool


def game_view(world: GameWorld) -> GameView:
    p, rules = world.player, world.game.rules
    t = world.now
    opened = set(p.opened)
    moods = ("satisfaction", "trust", "fatigue", "boredom", "frustration", "annoyance", "bond")
    records = world.records or ()
    said = next((world.vocabulary.actions[e.token] for e in reversed(records) if e.kind == AGENT), "")
    names = rules.names
    return GameView(
        clock=f"{WEEKDAYS[t // DAY % 7]} {t // 3600 % 24:02}:{t // 60 % 60:02}",
        day=min((t - world.start) // DAY + 1, world.game.params.days),
        days=world.game.params.days,
        character=rules.classes[world.traits.class_].name,
        level=p.level,
        xp=p.xp / world.game.xp[p.level - 1],
        gear=p.gear,
        difficulty=p.difficulty,
        points=tuple((line.name, x) for line, x in zip(rules.lines, p.points, strict=True)),
        quests=tuple((q.name, 1 - max(0, p.left[i]) / q.count, i in opened) for i, q in enumerate(rules.quests)),
        moods=tuple((m, getattr(p, m)) for m in moods),
        plays=tuple((names[k], m, int(o)) for _, k, m, o in world.timeline[-SHOWN:]),
        minutes=world.minutes,
        sessions=world.sessions,
        said=said,
        gone=world.left_for_good,
    )
