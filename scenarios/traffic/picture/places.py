"""The map's places: homes, workplaces, crossings and trees; and where words find room."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from lam_env.envs.scene import Circle, Item, Line, Polygon, Rectangle, Text, text_width

from .layout import Box, Path, Point, along, length
from .roads import Style
from .view import NodeView, TrafficView

BIG = 20.0  # radius of a home or a workplace
Lines = list[tuple[str, float, bool, str]]  # text, size, bold, role


def radius(node: NodeView, style: Style) -> float:
    return BIG if style.words and node.kind in ("home", "work") else style.node


def nodes(view: TrafficView, at: list[Point], style: Style) -> Iterator[Item]:
    for node, (x, y) in zip(view.nodes, at, strict=True):
        r = radius(node, style)
        label = node.name + (f": {node.people} people" if node.people is not None else "")
        if r == BIG:
            role = "caution" if node.kind == "home" else "accent"
            yield Circle(x, y, r, fill="plate", stroke=role, stroke_width=2.5, label=label, group="places")
            yield from _house(x, y, role) if node.kind == "home" else _office(x, y, role)
        elif style.road < 5:
            yield Circle(x, y, r, fill="muted")
        else:
            yield Circle(x, y, r, fill="plate", stroke="muted", stroke_width=1.5)
            if not style.words and text_width(node.name, 9, True) < 2 * r + 1:
                yield Text(x, y + 3.3, node.name, 9, anchor="middle", bold=True, group="places")


def _house(x: float, y: float, role: str) -> list[Item]:
    return [
        Polygon(((x - 12, y), (x, y - 11), (x + 12, y)), fill=role),
        Rectangle(x - 8.5, y - 1, 17, 11, fill=role),
        Rectangle(x - 2.5, y + 3, 5, 7, fill="plate"),
    ]


def _office(x: float, y: float, role: str) -> list[Item]:
    items: list[Item] = [Rectangle(x - 10, y - 3, 9, 14, fill=role), Rectangle(x - 1, y - 11, 11, 22, fill=role)]
    windows = [(x + 2 + 4 * i, y - 8 + 5 * k) for i in (0, 1) for k in range(3)] + [(x - 7, y), (x - 7, y + 5)]
    return items + [Rectangle(u, v, 2, 2.6, fill="plate") for u, v in windows]


def scenery(view: TrafficView, ways: list[Path], at: list[Point], box: Box, style: Style) -> Iterator[Item]:
    """Where no road is: houses about a home, offices about a workplace, else trees."""
    if not style.words:
        return
    dots = [along(way, k / 40)[0] for way in ways for k in range(41)] + at
    for i in range(150):
        x = box[0] + 14 + (i * 0.7548777 % 1) * (box[2] - box[0] - 28)
        y = box[1] + 16 + (i * 0.5698403 % 1) * (box[3] - box[1] - 30)
        near = min(range(len(at)), key=lambda n: math.dist(at[n], (x, y)))
        kind = view.nodes[near].kind if math.dist(at[near], (x, y)) < 150 else ""
        if min(math.dist((x, y), dot) for dot in dots) < 44 or (not kind and i % 3):
            continue
        if kind == "home":
            yield Polygon(((x - 8, y), (x, y - 7), (x + 8, y)), fill="caution", opacity=0.3)
            yield Rectangle(x - 6, y, 12, 7, fill="caution", opacity=0.2)
        elif kind == "work":
            high = 14.0 + 5 * (i % 4)
            yield Rectangle(x - 6, y + 8 - high, 12, high, 1, fill="accent", opacity=0.22)
            for k in range(int(high / 5)):
                yield Line(x - 3, y + 5 - 5 * k, x + 3, y + 5 - 5 * k, stroke="plate", stroke_width=1.4, opacity=0.6)
        else:
            r = 4.0 + i % 3
            yield Line(x, y, x, y + r + 3.5, stroke="muted", stroke_width=1.6, opacity=0.35)
            yield Circle(x, y, r, fill="ok", opacity=0.22)


class Placer:
    """Finds room for words: never on each other or on a place, and beside the roads where it can be."""

    def __init__(self, box: Box, at: Iterable[Point], radii: Iterable[float], ways: list[Path], road: float):
        self.box, self.road = box, road / 2 + 1
        self.taken: list[Box] = [(x - r, y - r, x + r, y + r) for (x, y), r in zip(at, radii, strict=True)]
        self.dots = [along(way, k / n)[0] for way in ways for n in [max(4, int(length(way) / 9))] for k in range(n + 1)]

    def best(self, spots: Iterable[Point], width: float, height: float) -> Point | None:
        """The best of the middles `spots` for a plate of this size, or None."""
        found: tuple[float, Point] | None = None
        for rank, (x, y) in enumerate(spots):
            plate = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
            if not (self.box[0] <= plate[0] and self.box[1] <= plate[1]):
                continue
            if plate[2] > self.box[2] or plate[3] > self.box[3] or any(_meet(plate, other) for other in self.taken):
                continue
            m = self.road
            on = sum(plate[0] - m < u < plate[2] + m and plate[1] - m < v < plate[3] + m for u, v in self.dots)
            if found is None or 3 * on + rank < found[0]:
                found = 3.0 * on + rank, (x, y)
        if found is not None:
            x, y = found[1]
            self.taken.append((x - width / 2 - 2, y - height / 2 - 2, x + width / 2 + 2, y + height / 2 + 2))
        return found[1] if found else None

    def words(self, lines: Lines, spots: Iterable[Point], group: str) -> Iterator[Item]:
        """Lines on a plate, at the best of the spots; nothing where there is no room."""
        width, height = plate_size(lines)
        spot = self.best(spots, width, height)
        if spot is None:
            return
        x, y = spot[0], spot[1] - height / 2
        yield Rectangle(x - width / 2, y, width, height, 5, fill="plate", opacity=0.92)
        y += 3.0
        for text, size, bold, role in lines:
            yield Text(x, y + 0.9 * size, text, size, anchor="middle", bold=bold, fill=role, group=group)
            y += size + 2.6


def plate_size(lines: Lines) -> tuple[float, float]:
    width = max(text_width(text, size, bold) for text, size, bold, _ in lines) + 12
    return width, sum(size + 2.6 for _, size, _, _ in lines) + 4.5


def _meet(a: Box, b: Box) -> bool:
    return min(a[2], b[2]) > max(a[0], b[0]) and min(a[3], b[3]) > max(a[1], b[1])


def beside(way: Path, width: float, height: float, road: float) -> Iterator[Point]:
    """Spots beside a road, its middle first."""
    for t in (0.5, 0.42, 0.58, 0.34, 0.66, 0.25, 0.75, 0.15, 0.85):
        (x, y), (u, v) = along(way, t)
        for more in (5.0, 8.0 + 1.5 * road):
            away = abs(v) * width / 2 + abs(u) * height / 2 + road / 2 + more
            yield from ((x - v * side * away, y + u * side * away) for side in (-1, 1))


def around(point: Point, r: float, width: float, height: float) -> Iterator[Point]:
    """Spots around a place: below, above, beside."""
    x, y = point
    yield from ((x, y + r + 3 + height / 2), (x, y - r - 3 - height / 2))
    yield from ((x + r + 3 + width / 2, y), (x - r - 3 - width / 2, y))
