"""What a picture of the game shows, read off the world."""

from __future__ import annotations

from dataclasses import dataclass

from lam_env.core.events import AGENT
from lam_env.core.observation import WEEKDAYS
from lam_env.core.units import DAY, HOUR

from ..world.world import GameWorld

SHOWN = 12  # plays of the timeline
LOST, _, NEITHER = range(3)  # outcomes; 1 is won


@dataclass(frozen=True)
class GameView:
    """All that the picture shows."""

    clock: str  # "Tue 18:42"
    day: int  # of `days`, from 1
    days: int
    character: str  # class
    level: int
    xp: float  # share of what the next level needs
    gear: float  # power
    difficulty: int  # steps
    points: tuple[tuple[str, int], ...]  # skill line, points
    quests: tuple[tuple[str, float, bool], ...]  # name, share done, open
    moods: tuple[tuple[str, float], ...]  # name, value in [0, 1]; hidden from the agent
    plays: tuple[tuple[str, float, int], ...]  # activity, minutes, outcome; the latest last
    minutes: float  # of the session
    sessions: int  # so far
    said: str  # the latest advice
    gone: bool  # has left for good


def game_view(world: GameWorld) -> GameView:
    """The player at this instant."""
    p, rules, t = world.player, world.game.rules, world.now
    opened = set(p.opened)
    moods = ("satisfaction", "trust", "fatigue", "boredom", "frustration", "annoyance", "bond")
    records = world.records or ()
    said = next((world.vocabulary.actions[e.token] for e in reversed(records) if e.kind == AGENT), "")
    return GameView(
        clock=f"{WEEKDAYS[t // DAY % 7]} {t // HOUR % 24:02}:{t // 60 % 60:02}",
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
        plays=tuple((rules.names[play.activity], play.minutes, play.outcome) for play in world.timeline[-SHOWN:]),
        minutes=world.minutes,
        sessions=world.sessions,
        said=said,
        gone=world.terminated,
    )
