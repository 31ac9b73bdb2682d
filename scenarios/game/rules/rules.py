"""The rules of the game as data: activities, classes, skill lines, quests, and what tends to follow what.

Where no source is named a number was set by trying until the gates of `gates.py` held: an assumption. Tags are Bartle's
four kinds of players (Bartle 1996, Hearts, Clubs, Diamonds, Spades: Players who suit MUDs).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from graphlib import CycleError, TopologicalSorter
from itertools import chain

from lam_env.config.cli import REQUIRED, setting
from lam_env.core.errors import UserError

from .fields import MOST, faults

BARTLE = ("achieve", "explore", "social", "kill")
LEAVE = "log_out"
TAKEN = {LEAVE, "none", "easier", "harder"}  # actions that are no activities or lines


class RulesError(UserError):
    """Tables of rules that do not fit together; one line says where."""


@dataclass(frozen=True)
class Activity:
    """What can be played."""

    name: str
    offset: float | None = setting(REQUIRED, "how hard it is [sd of players' skill]; None where nothing can be lost")
    minutes: float = setting(REQUIRED, "median length, lognormal [min]", low=0.1, high=1440)
    spread: float = setting(REQUIRED, "sd of the logarithm of its length", low=0, high=3)
    xp: float = setting(REQUIRED, "points of a win", low=0, high=MOST)
    loot: float = setting(REQUIRED, "power of a win", low=0, high=MOST)
    effort: float = setting(REQUIRED, "fatigue [1/h]", low=0, high=MOST)
    tags: tuple[float, float, float, float] = setting(REQUIRED, "share of each of `BARTLE`", low=0, high=1)
    level: int = setting(1, "from which it is open", low=1, high=MOST)
    bond: float = setting(0.0, "tie to others gained by it", low=0, high=MOST)
    relief: float = setting(0.0, "share of fatigue that it takes away", low=0, high=1)


@dataclass(frozen=True)
class Line:
    """A skill line."""

    name: str
    helps: dict[str, float]  # power per share of points spent on it, by activity


@dataclass(frozen=True)
class CharacterClass:
    """What a player may be."""

    name: str
    affinity: dict[str, float] = setting(REQUIRED, "how much of a line's help it gets", low=0, high=MOST)
    follows: dict[tuple[str, str], float] = field(default_factory=dict)  # as those of the rules, besides them


@dataclass(frozen=True)
class Quest:
    """So many wins of an activity."""

    name: str
    activity: str
    count: int = setting(REQUIRED, "wins", low=1, high=MOST)
    needs: tuple[str, ...] = ()  # quests that have to be done before


@dataclass(frozen=True)
class Rules:
    """All tables; RulesError, in one line, where they hold what they cannot, name what is not there or forbid play."""

    activities: tuple[Activity, ...]
    lines: tuple[Line, ...]
    classes: tuple[CharacterClass, ...]
    quests: tuple[Quest, ...]
    follows: dict[tuple[str, str], float]  # what one activity adds to the liking of the next
    xp_first: float = setting(40.0, "from level 1 to 2 [xp]", low=0.01, high=MOST)
    xp_growth: float = setting(1.16, "factor on it for each further level", low=0.1, high=10)
    need: float = setting(0.18, "power that enemies gain by level", low=0, high=MOST)
    gear_lead: float = setting(0.8, "gear ahead of what the level needs, at most", low=0, high=MOST)

    def __post_init__(self) -> None:
        for fault in _faults(self):
            raise RulesError(f"rules: {fault}")

    @property
    def names(self) -> tuple[str, ...]:
        """Of the activities, in their order."""
        return tuple(a.name for a in self.activities)


def _faults(rules: Rules) -> Iterator[str]:
    """What is wrong. Each check rests on those before it: only the first fault means something."""
    yield from faults(rules)
    names, lines, quests = rules.names, [x.name for x in rules.lines], [q.name for q in rules.quests]
    tables = {"activities": names, "lines": lines, "classes": [c.name for c in rules.classes], "quests": quests}
    for what, entries in tables.items():
        if not entries:
            yield f"no {what}; give at least one"
        if twice := [n for n in entries if entries.count(n) > 1]:
            yield f"{what} holds {twice[0]!r} twice; rename one"
    if clash := (set(names) & set(lines)) | (TAKEN & {*names, *lines}):
        yield f"{min(clash)!r} cannot be the name of an activity or line: it is taken; rename it"
    for a in rules.activities:
        if sum(a.tags) > 1 + 1e-9:
            yield f"activity {a.name}: tags need {len(BARTLE)} shares that add up to at most 1"
    if all(a.level > 1 for a in rules.activities):
        yield "nothing can be played at level 1; open an activity"
    for where, used, known in (
        *((f"line {x.name} helps", x.helps, names) for x in rules.lines),
        *((f"class {c.name} affinity", c.affinity, lines) for c in rules.classes),
        *((f"class {c.name} follows", chain(*c.follows), names) for c in rules.classes),
        ("follows", chain(*rules.follows), names),
        ("quests", [q.activity for q in rules.quests], names),
        ("quests need", chain(*(q.needs for q in rules.quests)), quests),
    ):
        for name in used:
            if name not in known:
                yield f"{where}: no {name!r}; there are {', '.join(known)}"
    for line in rules.lines:
        if not any(v > 0 for v in line.helps.values()):
            yield f"line {line.name} helps with nothing; give it an activity"
    for c in rules.classes:
        if not any(c.affinity.get(line, 0.0) > 0 for line in lines):
            yield f"class {c.name} has no build: every affinity is 0; give it a line"
    try:
        TopologicalSorter({q.name: q.needs for q in rules.quests}).prepare()
    except CycleError as error:
        circle = error.args[1][:0:-1]  # it lists who is needed before who needs it, the first also as the last
        first = circle.index(min(circle, key=quests.index))
        way = " -> ".join([*circle[first:], *circle[: first + 1]])
        yield f"quests wait for each other in a circle: {way} (each needs the next); cut one need"


def changed(rules: Rules, **tables: object) -> Rules:
    """The same rules with some tables replaced, checked again."""
    known = [f.name for f in fields(Rules)]
    for name in tables:
        if name not in known:
            raise RulesError(f"rules: no table {name!r}; there are {', '.join(known)}")
    return replace(rules, **tables)  # type: ignore[arg-type]


# offsets of story to pvp: the design's prototype; minutes and tags: assumptions after common role-playing games
ACTIVITIES = (
    Activity("story", 0.0, 11.0, 0.45, 22.0, 0.01, 0.5, (0.35, 0.45, 0.05, 0.05)),
    Activity("side_quest", -0.5, 7.0, 0.5, 13.0, 0.01, 0.4, (0.4, 0.35, 0.05, 0.05)),
    Activity("grind", -1.2, 5.0, 0.5, 11.0, 0.015, 0.7, (0.55, 0.0, 0.0, 0.2)),
    Activity("dungeon", 0.7, 16.0, 0.4, 30.0, 0.12, 0.9, (0.35, 0.1, 0.35, 0.15), level=2, bond=0.02),
    Activity("boss", 1.4, 9.0, 0.4, 34.0, 0.20, 1.3, (0.55, 0.05, 0.1, 0.25), level=4),
    Activity("explore", -0.5, 8.0, 0.6, 9.0, 0.01, 0.3, (0.05, 0.85, 0.0, 0.0)),
    Activity("craft", None, 4.0, 0.5, 4.0, 0.09, 0.2, (0.35, 0.2, 0.1, 0.0)),
    Activity("shop", None, 2.0, 0.5, 0.0, 0.06, 0.1, (0.2, 0.1, 0.2, 0.0)),
    Activity("guild", None, 9.0, 0.6, 3.0, 0.01, 0.2, (0.0, 0.05, 0.85, 0.0), level=2, bond=0.06),
    Activity("pvp", 0.3, 7.0, 0.4, 14.0, 0.02, 1.0, (0.1, 0.0, 0.1, 0.8), level=3),
    Activity("rest", None, 3.0, 0.5, 0.0, 0.0, 0.0, (0.0, 0.1, 0.1, 0.0), relief=0.5),
)

LINES = (
    Line("might", {"grind": 1.2, "boss": 1.2, "dungeon": 0.6, "pvp": 0.4}),
    Line("guard", {"dungeon": 1.3, "boss": 0.8, "story": 0.5}),
    Line("arcana", {"story": 1.2, "side_quest": 0.8, "dungeon": 0.5, "boss": 0.5}),
    Line("cunning", {"pvp": 1.5, "explore": 1.2, "side_quest": 0.6}),
)

CLASSES = (
    CharacterClass(
        "warrior",
        {"might": 1.2, "guard": 0.9, "arcana": 0.2, "cunning": 0.5},
        {("dungeon", "boss"): 0.6, ("grind", "grind"): 0.4},
    ),
    CharacterClass(
        "mage",
        {"might": 0.2, "guard": 0.4, "arcana": 1.3, "cunning": 0.7},
        {("story", "side_quest"): 0.5, ("craft", "story"): 0.4},
    ),
    CharacterClass(
        "ranger",
        {"might": 0.6, "guard": 0.3, "arcana": 0.6, "cunning": 1.3},
        {("explore", "explore"): 0.5, ("explore", "pvp"): 0.4},
    ),
    CharacterClass(
        "cleric",
        {"might": 0.3, "guard": 1.3, "arcana": 1.0, "cunning": 0.2},
        {("guild", "dungeon"): 0.7, ("dungeon", "guild"): 0.5},
    ),
)

QUESTS = (
    Quest("arrival", "story", 1),
    Quest("errands", "side_quest", 2, ("arrival",)),
    Quest("old_mine", "dungeon", 1, ("arrival",)),
    Quest("far_coast", "explore", 3, ("arrival",)),
    Quest("the_siege", "story", 3, ("errands", "old_mine")),
    Quest("troll_king", "boss", 1, ("the_siege",)),
    Quest("deep_vault", "dungeon", 4, ("the_siege",)),
    Quest("the_crown", "story", 5, ("troll_king", "deep_vault")),
    Quest("dragon", "boss", 4, ("the_crown",)),
)

FOLLOWS = {
    (a, b): liking
    for a, after in {
        "story": {"story": 0.5, "side_quest": 0.4, "shop": 0.3},
        "side_quest": {"side_quest": 0.5, "story": 0.5},
        "grind": {"grind": 0.9, "shop": 0.7, "boss": 0.3},
        "dungeon": {"craft": 1.0, "shop": 0.6, "rest": 0.5},
        "boss": {"shop": 0.8, "rest": 0.6, "story": 0.5},
        "explore": {"explore": 0.6, "side_quest": 0.6},
        "craft": {"shop": 0.8, "dungeon": 0.6, "grind": 0.4},
        "shop": {"dungeon": 0.7, "grind": 0.6, "story": 0.6},
        "guild": {"dungeon": 1.0, "pvp": 0.5, "guild": 0.4},
        "pvp": {"pvp": 1.0, "shop": 0.3},
        "rest": {"story": 0.5, "explore": 0.6},
    }.items()
    for b, liking in after.items()
}

RULES = Rules(ACTIVITIES, LINES, CLASSES, QUESTS, FOLLOWS)
