"""Drawing primitives: what a scenario shows, without saying how it is drawn.

A scene is a list of rectangles, lines, circles, polygons and texts in its own units (y grows downwards), coloured
by *role* ("panel", "lit", "person0"). A palette turns roles into colours. `pixels` and `terminal` draw it
as pixels and as text; `Scene.to_json` gives the same primitives to a web page.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar

RGB = tuple[int, int, int]
Roles = Mapping[str, tuple[str, str]]  # role: (light theme, dark theme), RRGGBB


def _hex(text: str) -> RGB:
    return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16)


# roles that pictures of all kinds need; a scenario brings those of what it alone shows: `Scene.roles`
_COLOURS: Roles = {
    # surfaces
    "page": ("eef1f5", "12161f"),
    "panel": ("ffffff", "1b212d"),
    "plate": ("ffffff", "1b212d"),  # behind a text that lies on a picture
    "track": ("dde3ea", "323b4b"),  # the empty part of a gauge
    # light and warmth
    "shade": ("131c48", "0a1236"),  # laid over a picture by night
    "lit": ("ffd883", "ffce6b"),
    "dark": ("2a3040", "10141e"),
    "hot": ("b8341f", "ff7a5c"),
    "cold": ("1f5fb0", "72b1ff"),
    # people and the agent
    "person0": ("1f77c9", "4ea3f2"),
    "person1": ("c2417c", "f078ab"),
    "person2": ("237a4c", "4fc488"),
    "person3": ("9a5b12", "e2a24a"),
    "agent": ("6a3fc0", "bb9cff"),
    "user": ("1a66a8", "7cc0fa"),
    # meaning
    "accent": ("0f6f78", "5ad1dc"),
    "ok": ("1f7a3f", "63d48b"),
    "warning": ("b3261e", "ff8f80"),
    "caution": ("8a5a00", "f5c04d"),
    # text
    "text": ("1b2430", "f1f4f8"),
    "muted": ("566070", "a9b4c4"),
    "on_colour": ("ffffff", "12161f"),  # a letter on a person's or the agent's colour
    # sky
    "sky_day": ("8cc8f2", "6fb3e3"),
    "sky_dusk": ("f2a679", "c9764f"),
    "sky_night": ("1b2750", "0e1633"),
    "sun": ("ffd23f", "ffd84f"),
    "moon": ("f3f1e0", "efecd8"),
    "star": ("ffffff", "ffffff"),
    "cloud": ("ffffff", "f3f7fb"),
    # how full something is; each is to be seen on a panel
    "load_low": ("23894f", "3fbf7f"),
    "load_mid": ("bd7400", "f5b83d"),
    "load_high": ("c62a1e", "ff5a4a"),
}
ROLES = frozenset(_COLOURS)
_THEMES = ("light", "dark")
PALETTES: dict[str, dict[str, RGB]] = {
    theme: {role: _hex(pair[i]) for role, pair in _COLOURS.items()} for i, theme in enumerate(_THEMES)
}


def palette(theme: str, own: Roles) -> dict[str, RGB]:
    """Colours of all roles, a scenario's `own` among them."""
    if theme not in PALETTES:
        raise ValueError(f"draw: no theme {theme!r}; choose one of {', '.join(PALETTES)}")
    return PALETTES[theme] | {role: _hex(pair[_THEMES.index(theme)]) for role, pair in own.items()}


def check_roles(own: Roles) -> None:
    """SceneError unless each is a name with two colours."""
    for role, pair in own.items():
        if not (role.isidentifier() and len(pair) == 2 and all(re.fullmatch("[0-9a-fA-F]{6}", c) for c in pair)):
            raise SceneError(f"scene: colour role {role!r} is {pair!r}; give a name, and its colours as two of RRGGBB")


def luminance(colour: RGB) -> float:
    """Relative luminance, 0 black to 1 white (WCAG 2.2)."""
    r, g, b = (c / 3294.6 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(a: RGB, b: RGB) -> float:
    """Contrast ratio, 1 to 21; 4.5 is the minimum for text (WCAG 2.2, 1.4.3)."""
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What every primitive has: how it is painted, the part of the picture it belongs to and what it shows."""

    fill: str | None = None  # role
    stroke: str | None = None  # role
    stroke_width: float = 1.0
    opacity: float = 1.0
    group: str = ""
    label: str = ""  # for readers who cannot see it


@dataclass(frozen=True, slots=True)
class Rectangle(Mark):
    """`radius` rounds the corners; `soft`: a glow that fades from the middle to nothing at the edges."""

    x: float
    y: float
    width: float
    height: float
    radius: float = 0.0
    soft: bool = False


@dataclass(frozen=True, slots=True)
class Line(Mark):
    """From (x1, y1) to (x2, y2), with round ends."""

    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True, slots=True)
class Circle(Mark):
    """About (x, y)."""

    x: float
    y: float
    radius: float


@dataclass(frozen=True, slots=True)
class Polygon(Mark):
    """Points (n, 2); `closed` False: an open stroke along them."""

    points: tuple[tuple[float, float], ...]
    closed: bool = True


@dataclass(frozen=True, slots=True)
class Text(Mark):
    """One line of text; `y` is its baseline, `size` the height of the font, `anchor` start, middle or end.

    Texts that say something together, such as a name and its value, share a `label` that says it in one piece.
    """

    x: float
    y: float
    text: str
    size: float = 12.0
    anchor: str = "start"
    bold: bool = False

    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of the written letters."""
        width = text_width(self.text, self.size, self.bold)
        left = self.x - {"start": 0.0, "middle": width / 2, "end": width}[self.anchor]
        return left, self.y - 0.76 * self.size, left + width, self.y + 0.24 * self.size


Item = Rectangle | Line | Circle | Polygon | Text


class SceneError(ValueError):
    """A picture that cannot be drawn."""


@dataclass(frozen=True)
class Scene:
    """Items drawn in their order on a `background`, in `width` x `height` units. `roles`: a scenario's own colours."""

    width: float
    height: float
    items: tuple[Item, ...]
    background: str = "page"
    title: str = ""
    roles: Roles = field(default_factory=dict)

    MAX_ITEMS: ClassVar[int] = 20_000

    def __post_init__(self) -> None:
        if not (self.width > 0 and self.height > 0 and len(self.items) <= self.MAX_ITEMS):
            raise SceneError(f"scene {self.title!r}: {self.width} x {self.height} with {len(self.items)} items")
        check_roles(self.roles)
        used: dict[str | None, None] = {self.background: None}
        for item in self.items:
            used[item.fill] = used[item.stroke] = None
        for role in used:
            if role is not None and role not in ROLES and role not in self.roles:
                raise SceneError(
                    f"scene {self.title!r}: unknown colour role {role!r}; "
                    "take one of lam_env.envs.scene.ROLES, or bring it: Scene(..., roles={...})"
                )

    def texts(self) -> Iterator[Text]:
        """Its texts, in the order of drawing."""
        return (item for item in self.items if isinstance(item, Text))

    def to_json(self) -> dict[str, object]:
        """Plain data: each item a dictionary with its `kind` and whatever differs from the default."""
        items = []
        for item in self.items:
            row: dict[str, object] = {"kind": type(item).__name__.lower()}
            for part in dataclasses.fields(item):
                value = getattr(item, part.name)
                if value != part.default:
                    row[part.name] = round(value, 3) if isinstance(value, float) else value
            if isinstance(item, Polygon):
                row["points"] = [[round(x, 3), round(y, 3)] for x, y in item.points]
            items.append(row)
        about = {"width": self.width, "height": self.height, "background": self.background, "title": self.title}
        return {**about, "roles": {role: list(pair) for role, pair in self.roles.items()}, "items": items}


def arc(x: float, y: float, radius: float, start: float, end: float) -> tuple[tuple[float, float], ...]:
    """Points of an arc about (x, y) from angle `start` to `end` [degrees, 0 right, 90 down]."""
    n = max(2, math.ceil(abs(end - start) / 9))
    angles = (math.radians(start + (end - start) * i / n) for i in range(n + 1))
    return tuple((x + radius * math.cos(a), y + radius * math.sin(a)) for a in angles)


# Advance widths of DejaVu Sans and its bold [1/1000 em], space to tilde: a scene measures text without a font.
_ADVANCE = (
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636, 636, 636, 636, 636,
    636, 636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863,
    748, 787, 603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838, 500, 500, 613, 635, 550, 635,
    615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612, 635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636,
    337, 636, 838,
)  # fmt: skip
_ADVANCE_BOLD = (
    348, 456, 521, 838, 696, 1002, 872, 306, 457, 457, 523, 838, 380, 415, 380, 365, 696, 696, 696, 696, 696, 696, 696,
    696, 696, 696, 400, 400, 838, 838, 838, 580, 1000, 774, 762, 734, 830, 683, 683, 821, 837, 372, 372, 775, 637, 995,
    837, 850, 733, 850, 770, 720, 682, 812, 774, 1103, 771, 724, 725, 457, 365, 457, 838, 500, 500, 675, 716, 593, 716,
    678, 435, 716, 712, 343, 343, 665, 343, 1042, 712, 687, 716, 716, 493, 595, 478, 712, 652, 924, 645, 652, 582, 712,
    365, 712, 838,
)  # fmt: skip
_WIDER = {"°": 500, "·": 380, "–": 500, "€": 696, "£": 696, "é": 678, "•": 639}


@lru_cache(maxsize=4096)
def text_width(text: str, size: float, bold: bool = False) -> float:
    """Width of a line of text in DejaVu Sans; letters that are not in the table count as a full em."""
    table = _ADVANCE_BOLD if bold else _ADVANCE
    total = sum(table[ord(c) - 32] if 32 <= ord(c) < 127 else _WIDER.get(c, 1000) for c in text)
    return total * size / 1000


@lru_cache(maxsize=4096)
def shorten(text: str, size: float, width: float, bold: bool = False) -> str:
    """`text`, cut with an ellipsis where it is wider than `width`; empty where not even two letters fit."""
    if text_width(text, size, bold) <= width:
        return text
    for n in range(len(text) - 1, 1, -1):
        cut = text[:n].rstrip() + "…"
        if text_width(cut, size, bold) <= width:
            return cut
    return ""


def flat(*parts: Item | Iterable[Item]) -> tuple[Item, ...]:
    """Items and lists of items in one list."""
    items: list[Item] = []
    for part in parts:
        if isinstance(part, Mark):
            items.append(part)
        else:
            items.extend(part)
    return tuple(items)
