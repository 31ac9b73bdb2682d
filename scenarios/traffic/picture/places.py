"""The map's places: homes, offices and crossings, and the scenery about them."""

from __future__ import annotations

import math
from collections.abc import Iterator

from lam_env.envs.scene import Circle, Item, Line, Polygon, Rectangle, Text, text_width

from .layout import Box, Path, Point, along
from .roads import Style
from .view import NodeView, TrafficView

BIG = 20.0  # radius of a home or an office


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
    """Where no road is: houses about a home, offices about a place of work, else trees."""
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
