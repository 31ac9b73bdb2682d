"""The picture of traffic: the sky with the clock, the map, the chart of the day, and a panel of what just happened."""

from __future__ import annotations

import math
from collections.abc import Iterator

from lam_env.envs.scene import Circle, Item, Polygon, Rectangle, Roles, Scene, Text, flat, shorten, text_width

from .chart import day_chart
from .map import city_map, daylight
from .panel import traffic_panel
from .view import TrafficView

_SKY = 56.0
COLOURS: Roles = {
    "road": ("8d95a1", "3a4353"),
    "vehicle": ("35507a", "c3d3ea"),
    "transit": ("2456c8", "6aa5ff"),  # public transport
    "land": ("e7ece2", "151c26"),  # the ground of a map
}


def traffic_scene(view: TrafficView) -> Scene:
    """The picture of `view`, 960 x 600 units."""
    items = flat(_sky(view), city_map(view), day_chart(view), traffic_panel(view))
    return Scene(960.0, 600.0, items, title=f"Traffic, {view.clock}", roles=COLOURS)


def _sky(view: TrafficView) -> Iterator[Item]:
    sun = daylight(view.hour)
    dusk = 0.9 * max(0.0, 1 - abs(sun - 0.3) / 0.3)
    bands = 14
    yield Rectangle(0, 0, 960, _SKY, fill="sky_night")
    yield Rectangle(0, 0, 960, _SKY, fill="sky_day", opacity=round(sun, 3))
    for i in range(1, bands):  # redder towards the horizon at dawn and dusk, paler by day
        band = (0.0, i * _SKY / bands, 960.0, _SKY / bands)
        if dusk:
            yield Rectangle(*band, fill="sky_dusk", opacity=round(dusk * i / bands, 3))
        if sun:
            yield Rectangle(*band, fill="cloud", opacity=round(0.25 * sun * i / bands, 3))
    for i in range(40 if sun < 0.5 else 0):
        x, y = (i * 197.3) % 950, 4 + (i * 29.7) % 40
        yield Circle(x, y, 0.6 + (i % 3) * 0.35, fill="star", opacity=round((1 - 2 * sun) * 0.8, 2))
    by_day = 6 <= view.hour % 24 < 19.5
    along = (view.hour - 6) / 13.5 if by_day else ((view.hour - 19.5) % 24) / 10.5
    x, y = 330 + 330 * along, 46 - 28 * math.sin(math.pi * along)
    role, size = ("sun", 12.0) if by_day else ("moon", 10.0)
    yield Rectangle(x - 45, y - 45, 90, 90, fill=role, opacity=0.45, soft=True)
    yield Circle(x, y, size, fill=role)
    yield from _skyline(sun)
    yield Rectangle(0, _SKY, 960, 46, fill="page")  # the glow ends at the horizon
    yield from _headline(view)


def _skyline(sun: float) -> Iterator[Item]:
    """Roofs along the horizon."""
    x = 0.0
    for i in range(60):
        wide, high = 12.0 + (i * 7) % 11, 5.0 + (i * 13) % 9 + 10 * math.exp(-(((x - 640) / 110) ** 2))
        shade = round(0.35 + 0.3 * (1 - sun), 2)
        yield Polygon(
            ((x, _SKY), (x, _SKY - high), (x + wide, _SKY - high), (x + wide, _SKY)), fill="dark", opacity=shade
        )
        if sun < 0.4 and i % 3:
            yield Rectangle(x + 3, _SKY - high + 3, 2, 2, fill="lit", opacity=round(0.9 - 2 * sun, 2))
        x += wide
        if x > 955:
            return


def _headline(view: TrafficView) -> Iterator[Item]:
    width = text_width(view.clock, 21, True) + 24
    yield Rectangle(12, 9, width, 36, 10, fill="plate", opacity=0.92)
    yield Text(24, 35, view.clock, 21, bold=True, group="sky")
    day = f"day {view.day} of {view.days}"
    yield Rectangle(20 + width, 13, text_width(day, 12) + 20, 28, 9, fill="plate", opacity=0.92)
    yield Text(30 + width, 31.5, day, 12, group="sky")
    name = shorten(view.network, 13, 236, True)
    wide = text_width(name, 13, True) + 22
    yield Rectangle(948 - wide, 13, wide, 28, 9, fill="plate", opacity=0.92)
    yield Text(959 - wide, 31.5, name, 13, bold=True, group="sky")
