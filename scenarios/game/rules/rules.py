"""The rules of the game as data: activities, classes, skill lines, quests, and what tends to follow what.

Where no source is named a number was set by trying until the gates of `gates.py` held: an assumption. Tags are Bartle's four kinds of
players (Bartle 1996, Hearts, Clubs, Diamonds, Spades: Players who suit MUDs).
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

from lam_env.core.errors import UserError

from .fields import MOST, faults

BARTLE = ("achieve", "explore", "social", "kill")
LEAVE = "log_out"
# what an activity's numbers, and those of the rules, may be: beyond it, nothing can be played or a power overflows
RANGES = {
    "minutes": (0.1, 1440.0),
    "spread": (0.0, 3.0),
    **dict.fromkeys(("xp", "loot", "effort", "bond"), (0.0, MOST)),
    "level": (1, MOST),
    "relief": (0.0, 1.0),
}
GROWTH = {"xp_first": (0.01, MOST), "xp_growth": (0.1, 10.0), "need": (0.0, MOST), "gear_lead": (0.0, MOST)}


class RulesError(UserError):
    """Tables of rules that do not fit together; one line says where."""


@dataclass(frozen=True)
class Activity:
    """`offset`: how hard it is [standard deviations of players' skill], None where nothing can be lost; `minutes`: median of a lognormal with
    `spread` [sd of the logarithm]; `xp`, `loot`: of a win [points; power]; `effort`: fatigue [1/h]; `tags`: share of each of `BARTLE`;
    `level`: from which it is open; `bond`: tie to others gained by it."""

    name: str
    offset: float | None
    minutes: float
    spread: float
    xp: float
    loot: float
    effort: float
    tags: tuple[float, float, float, float]
    level: int = 1
    bond: float = 0.0
    relief: float = 0.0  # share of fatigue that it takes away


@dataclass(frozen=True)
class Line:
    """A skill line. `helps`: power per share of points spent on it, by activity."""

    name: str
    helps: dict[str, float]


@dataclass(frozen=True)
class CharacterClass:
    """`affinity`: how much of a line's help the class gets; `follows`: what it likes after what, besides the rules' own `follows`."""

    name: str
    affinity: dict[str, float]
    follows: dict[tuple[str, str], float] = field(default_factory=dict)


@dataclass(frozen=True)
class Quest:
    """`count` wins of an activity; open when the quests it `needs` are done."""

    name: str
    activity: str
    count: int
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rules:
    """All tables. `follows`: what one activity adds to the liking of the next. `checked` when built."""

    activities: tuple[Activity, ...]
    lines: tuple[Line, ...]
    classes: tuple[CharacterClass, ...]
    quests: tuple[Quest, ...]
    follows: dict[tuple[str, str], float]
    xp_first: float = 40.0  # [xp] from level 1 to 2
    xp_growth: float = 1.16  # and so much more for each further level
    need: float = 0.18  # power that enemies gain by level
    gear_lead: float = 0.8  # gear ahead of what the level needs, at most

    def __post_init__(self) -> None:
        check_rules(self)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(a.name for a in self.activities)


def check_rules(rules: Rules) -> None:
    """Raise RulesError, in one line, where tables hold what they cannot, name what does not exist or cannot be played."""
    for fault in faults(rules):
        raise RulesError(f"rules: {fault}")
    names = rules.names
    lines = [line.name for line in rules.lines]
    for what, found in (
        ("activities", list(names)),
        ("lines", lines),
        ("classes", [c.name for c in rules.classes]),
        ("quests", [q.name for q in rules.quests]),
    ):
        if not found:
            raise RulesError(f"rules: no {what}; give at least one")
        if twice := [n for n in found if found.count(n) > 1]:
            raise RulesError(f"rules: {what} holds {twice[0]!r} twice; rename one")
    if clash := (set(names) & set(lines)) | ({LEAVE, "none", "easier", "harder"} & {*names, *lines}):
        raise RulesError(f"rules: {min(clash)!r} cannot be the name of an activity or line: it is taken; rename it")
    for a in rules.activities:
        for name, (low, high) in RANGES.items():
            _within(f"activity {a.name}: {name}", getattr(a, name), low, high)
        if min(a.tags) < 0 or sum(a.tags) > 1 + 1e-9:
            raise RulesError(f"rules: activity {a.name}: tags need {len(BARTLE)} shares that add up to at most 1")
    for name, (low, high) in GROWTH.items():
        _within(name, getattr(rules, name), low, high)
    if all(a.level > 1 for a in rules.activities):
        raise RulesError("rules: nothing can be played at level 1; open an activity")
    _check_names(rules, names, lines)
    _check_builds(rules, lines)
    _check_quests(rules)


def _within(where: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise RulesError(f"rules: {where} must lie between {low:g} and {high:g}, not {value:g}")


def _check_names(rules: Rules, names: tuple[str, ...], lines: list[str]) -> None:
    def known(where: str, used: object, of: object) -> None:
        for name in used:  # type: ignore[attr-defined]
            if name not in of:  # type: ignore[operator]
                raise RulesError(f"rules: {where}: no {name!r}; there are {', '.join(of)}")  # type: ignore[arg-type]

    for line in rules.lines:
        known(f"line {line.name} helps", line.helps, names)
    for c in rules.classes:
        known(f"class {c.name} affinity", c.affinity, lines)
        known(f"class {c.name} follows", [n for pair in c.follows for n in pair], names)
    known("follows", [n for pair in rules.follows for n in pair], names)
    known("quests", [q.activity for q in rules.quests], names)
    known("quests need", [n for q in rules.quests for n in q.needs], [q.name for q in rules.quests])


def _check_builds(rules: Rules, lines: list[str]) -> None:
    """A build is impossible where a class has no line that helps it with anything."""
    for line in rules.lines:
        if not any(v > 0 for v in line.helps.values()):
            raise RulesError(f"rules: line {line.name} helps with nothing; give it an activity")
    for c in rules.classes:
        if any(v < 0 for v in c.affinity.values()):
            raise RulesError(f"rules: class {c.name}: an affinity is negative; give at least 0")
        if not any(c.affinity.get(line, 0.0) > 0 for line in lines):
            raise RulesError(f"rules: class {c.name} has no build: every affinity is 0; give it a line")


def _check_quests(rules: Rules) -> None:
    needs = {q.name: set(q.needs) for q in rules.quests}
    for q in rules.quests:
        if q.count < 1:
            raise RulesError(f"rules: quest {q.name}: count must be at least 1, not {q.count}")
    while needs:
        free = [name for name, before in needs.items() if not before & needs.keys()]
        if not free:
            circle = " -> ".join(_circle(needs))
            raise RulesError(
                f"rules: quests wait for each other in a circle: {circle} (each needs the next); cut one need"
            )
        for name in free:
            del needs[name]


def _circle(needs: dict[str, set[str]]) -> list[str]:
    """A way from a quest back to it, where each that is left needs another one that is left."""
    way = [next(iter(needs))]
    while way[-1] not in way[:-1]:
        way.append(min(needs[way[-1]] & needs.keys()))
    circle = way[way.index(way[-1]) : -1]
    first = circle.index(min(circle, key=list(needs).index))
    return [*circle[first:], *circle[:first], circle[first]]


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
    ("story", "story"): 0.5,
    ("story", "side_quest"): 0.4,
    ("story", "shop"): 0.3,
    ("side_quest", "side_quest"): 0.5,
    ("side_quest", "story"): 0.5,
    ("grind", "grind"): 0.9,
    ("grind", "shop"): 0.7,
    ("grind", "boss"): 0.3,
    ("dungeon", "craft"): 1.0,
    ("dungeon", "shop"): 0.6,
    ("dungeon", "rest"): 0.5,
    ("boss", "shop"): 0.8,
    ("boss", "rest"): 0.6,
    ("boss", "story"): 0.5,
    ("explore", "explore"): 0.6,
    ("explore", "side_quest"): 0.6,
    ("craft", "shop"): 0.8,
    ("craft", "dungeon"): 0.6,
    ("craft", "grind"): 0.4,
    ("shop", "dungeon"): 0.7,
    ("shop", "grind"): 0.6,
    ("shop", "story"): 0.6,
    ("guild", "dungeon"): 1.0,
    ("guild", "pvp"): 0.5,
    ("guild", "guild"): 0.4,
    ("pvp", "pvp"): 1.0,
    ("pvp", "shop"): 0.3,
    ("rest", "story"): 0.5,
    ("rest", "explore"): 0.6,
}

RULES = Rules(ACTIVITIES, LINES, CLASSES, QUESTS, FOLLOWS)
