"""Small figures as SVG text. Colours are CSS classes, so that they suit a dark page as well as a light one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 400.0  # units of every figure; on a phone about a pixel each
SIZE = 12.0  # of letters
_LETTER = 6.4  # width of one, about


def tag(name: str, body: str = "", **attributes: object) -> str:
    """An element. `class_` becomes class, other underscores hyphens; None is left out; `body` is escaped already."""
    named = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items() if value is not None}
    head = "".join([name, *(f' {key}="{_value(value)}"' for key, value in named.items())])
    return f"<{head}>{body}</{name}>" if body else f"<{head}/>"


def _value(value: object) -> str:
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"figure: {value} cannot be drawn")
        return f"{value:.1f}".removesuffix(".0")
    return escape(str(value))


def text(x: float, y: float, words: str, anchor: str = "start", class_: str = "label") -> str:
    return tag("text", escape(words), x=x, y=y, text_anchor=None if anchor == "start" else anchor, class_=class_)


def tooltip(words: str) -> str:
    """What a pointer that rests on an element is told."""
    return f"<title>{escape(words)}</title>"


def room_for(words: Iterable[str], most: float = 170.0) -> float:
    """Width of the longest of some labels."""
    return min(most, max((len(w) for w in words), default=0) * _LETTER + 8)


def fitting(words: str, room: float) -> str:
    """Cut where it would not fit, in the middle: the ends of names tell most."""
    most = int((room - 8) / _LETTER + 0.01)
    if len(words) <= most:
        return words
    head = max(1, (most - 1) // 2)
    return words[:head] + "…" + words[len(words) - (most - 1 - head) :]


@dataclass(frozen=True)
class Scale:
    """Numbers from `low` to `high` -> places from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self, about: int = 4) -> list[float]:
        """Round numbers inside."""
        step = _round_step((self.high - self.low) / about)
        first = math.ceil(self.low / step - 1e-9)
        return [k * step for k in range(first, math.floor(self.high / step + 1e-9) + 1)]


def scale(values: Sequence[float], start: float, end: float, zero: bool = False) -> Scale:
    """For all of `values`, with a little room; `zero`: 0 is to be seen."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    room = 0.04 * (high - low)
    return Scale(low - room * (low != 0 or not zero), high + room * (high != 0 or not zero), start, end)


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(k * power for k in (1, 2, 5, 10) if k * power >= rough * 0.999)


def number(value: float) -> str:
    """Short, for axes: 300k, 0.25, -5."""
    if value == 0:
        return "0"
    for limit, unit in ((1e6, "M"), (1e4, "k")):
        if abs(value) >= limit:
            return f"{value / (1e3 if unit == 'k' else 1e6):.4g}{unit}".replace("-", "−")
    return f"{value:.4g}".replace("-", "−")


def axis_below(
    x: Scale, y: float, top: float, words: str, ticks: Sequence[float] | None = None, names: Sequence[str] = ()
) -> str:
    """Grid lines, numbers under them and what they count."""
    at = list(x.ticks() if ticks is None else ticks)
    out = [tag("line", x1=x(v), x2=x(v), y1=top, y2=y, class_="zero" if v == 0 else "grid") for v in at]
    labels = list(names) or [number(v) for v in at]
    out += [text(x(v), y + SIZE + 3, name, "middle", "tick") for v, name in zip(at, labels, strict=True)]
    return "".join(out) + text((x.start + x.end) / 2, y + 2 * SIZE + 7, words, "middle", "axis")


def axis_left(y: Scale, x: float, right: float, words: str, ticks: Sequence[float] | None = None) -> str:
    at = list(y.ticks() if ticks is None else ticks)
    out = [tag("line", x1=x, x2=right, y1=y(v), y2=y(v), class_="zero" if v == 0 else "grid") for v in at]
    out += [text(x - 5, y(v) + 4, number(v), "end", "tick") for v in at]
    return "".join(out) + text(2, SIZE, words, "start", "axis")


def key(x: float, y: float, names: Sequence[tuple[str, str]]) -> str:
    """A legend in a line: (name, class of its colour)."""
    out: list[str] = []
    for whole, colour in names:
        name = fitting(whole, 110)
        out.append(tag("rect", x=x, y=y - 8, width=10.0, height=10.0, rx=2, class_=f"fill {colour}"))
        out.append(text(x + 14, y + 1, name, class_="tick"))
        x += 14 + len(name) * _LETTER + 14
    return "".join(out)


def polyline(points: Iterable[tuple[float, float]], class_: str) -> str:
    return tag("polyline", points=" ".join(f"{_value(x)},{_value(y)}" for x, y in points), class_=class_)


def picture(body: str, height: float, title: str, description: str, id_: str, width: float = WIDTH) -> str:
    """The whole figure; readers who cannot see it are told `title` and `description`."""
    head = tag("title", escape(title), id=f"{id_}-t") + tag("desc", escape(description), id=f"{id_}-d")
    return tag(
        "svg",
        head + body,
        viewBox=f"0 0 {_value(width)} {_value(height)}",
        role="img",
        aria_labelledby=f"{id_}-t {id_}-d",
        class_="figure",
    )
