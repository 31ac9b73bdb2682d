"""The picture of a home: the sky, a floor plan with its people and devices, and a panel of what just happened."""

from __future__ import annotations

import math
from collections.abc import Iterator

from lam_env.envs.scene import Circle, Item, Line, Polygon, Rectangle, Scene, Text, flat, shorten, text_width
from lam_env.envs.signs import agent_icon, badge

from ..floorplan import HEIGHT, OUTSIDE, WIDTH, Door, Rect, doors, entrance, layout
from .colours import COLOURS
from .figures import padlock
from .panel import home_panel
from .room import DOORWAY, people_items, room_items
from .view import HomeView

METRE = 54.0  # units per metre of the plan
LEFT, TOP = 30.0, 82.0  # where the plan's corner lies
SKY = 62.0
_BUSHES = ((12, 140, 11), (14, 158, 8), (12, 420, 10), (16, 436, 7), (688, 130, 9), (687, 470, 10), (690, 300, 8))


def home_scene(view: HomeView) -> Scene:
    """The picture of `view`, 960 x 540 units."""
    colours = {who.name: f"person{i}" for i, who in enumerate(view.people)}
    items = flat(_sky(view), _garden(view), _house(view, colours), _away(view, colours), home_panel(view, colours))
    return Scene(960.0, 540.0, items, title=f"Home, {view.clock}", roles=COLOURS)


def _sky(view: HomeView) -> Iterator[Item]:
    sun, bands = view.sun, 16
    dusk = 0.9 * max(0.0, 1 - abs(sun - 0.25) / 0.27)
    yield Rectangle(0, 0, 960, SKY, fill="sky_night")
    yield Rectangle(0, 0, 960, SKY, fill="sky_day", opacity=sun)
    for i in range(1, bands):  # paler, or redder, towards the horizon
        band = (0.0, i * SKY / bands, 960.0, SKY / bands)
        if dusk:
            yield Rectangle(*band, fill="sky_dusk", opacity=round(dusk * i / bands, 3))
        if sun:
            yield Rectangle(*band, fill="cloud", opacity=round(0.25 * sun * i / bands, 3))
    if sun < 0.5:
        for i in range(46):
            x, y = (i * 197.3) % 950, 4 + (i * 29.7) % 46
            bright = round((1 - 2 * sun) * (0.5 + 0.16 * (i % 4)), 2)
            yield Circle(x, y, 0.6 + (i % 3) * 0.35, fill="star", opacity=bright)
    by_day = 6 <= view.hour < 19
    along = (view.hour - 6) / 13 if by_day else ((view.hour - 19) % 24) / 11
    x, y = 230 + 470 * along, 50 - 30 * math.sin(math.pi * along)
    if by_day:
        yield Rectangle(x - 60, y - 60, 120, 120, fill="sun", opacity=0.6, soft=True)
        yield Circle(x, y, 13, fill="sun", label="sun", group="sky")
    else:
        yield Rectangle(x - 40, y - 40, 80, 80, fill="moon", opacity=0.35, soft=True)
        yield Circle(x, y, 11, fill="moon", label="moon", group="sky")
        for u, v, r in ((-4, -3, 2.2), (3, 2, 2.8), (2, -5, 1.4)):
            yield Circle(x + u, y + v, r, fill="track", opacity=0.35)
    for cx, cy in ((330, 24), (560, 34), (800, 22)):
        for u, v, r in ((-14, 3, 8), (-3, -2, 11), (10, 2, 9), (20, 4, 6)):
            yield Circle(cx + u, cy + v, r, fill="cloud", opacity=round(0.10 + 0.35 * sun, 2))
    hills = [(0.0, SKY + 2)] + [(16.0 * i, SKY - 7 - 5 * math.sin(i / 5.5) - 3 * math.sin(i / 2.1)) for i in range(61)]
    yield Polygon((*hills, (960.0, SKY + 2)), fill="grass")
    yield Polygon((*hills, (960.0, SKY + 2)), fill="shade", opacity=round(0.25 + 0.5 * (1 - sun), 2))
    yield Rectangle(698, SKY + 2, 262, 540 - SKY, fill="page")
    yield Rectangle(16, 10, text_width(view.clock, 21, True) + 24, 36, 10, fill="plate", opacity=0.92)
    yield Text(28, 36, view.clock, 21, bold=True, group="sky")
    words = f"{view.outdoor:.1f} °C outside"
    width = text_width(words, 13, True) + 22
    yield Rectangle(948 - width, 14, width, 28, 9, fill="plate", opacity=0.92)
    yield Text(959 - width, 33, words, 13, bold=True, fill="cold" if view.outdoor < 5 else "text", group="sky")


def _garden(view: HomeView) -> Iterator[Item]:
    yield Rectangle(0, SKY, 698, 540 - SKY, fill="grass")
    for i in range(26):
        x, y = 6 + (i * 53.9) % 680, float(69 + (i * 7) % 8 if i % 2 else 514 + (i * 11) % 22)
        yield Line(x, y + 4, x - 2, y, stroke="ok", stroke_width=1.2, opacity=0.35)
        yield Line(x, y + 4, x + 2, y, stroke="ok", stroke_width=1.2, opacity=0.35)
    for x, y, r in _BUSHES:
        yield Circle(x + 2, y + 3, r, fill="dark", opacity=0.2)
        yield Circle(x, y, r, fill="ok", opacity=0.75)
        yield Circle(x - r * 0.3, y - r * 0.3, r * 0.5, fill="grass", opacity=0.35)
    x, y, upright = _front_door(view)
    path = (0.0, y - 16, x, 32.0) if upright else (x - 18, y, 36.0, 540 - y)
    yield Rectangle(*path, fill="furniture")
    yield Rectangle(0, SKY, 698, 540 - SKY, fill="shade", opacity=round(0.55 * (1 - view.sun), 2))
    yield Rectangle(LEFT - 1, TOP + 4, WIDTH * METRE + 8, HEIGHT * METRE + 6, 6, fill="dark", opacity=0.3)


def _place(door: Door) -> Door:
    return Door(LEFT + door.x * METRE, TOP + door.y * METRE, door.upright)


def _front_door(view: HomeView) -> Door:
    n = len(view.rooms)
    return _place(doors(n)[OUTSIDE, entrance(n)])


def _house(view: HomeView, colours: dict[str, str]) -> Iterator[Item]:
    plan = layout(len(view.rooms))
    places = {k: Rect(LEFT + x * METRE, TOP + y * METRE, w * METRE, h * METRE) for k, (x, y, w, h) in plan.items()}
    gaps = [_place(door) for door in doors(len(view.rooms)).values()]
    for room, place in places.items():
        x, y, w, _ = place
        above = [gap.x for gap in gaps if not gap.upright and abs(gap.y - y) < 1 and x < gap.x < x + w]
        yield from room_items(view, room, place, above)
    for place in places.values():
        yield Rectangle(*place, stroke="wall", stroke_width=4, group="rooms")
    yield Rectangle(LEFT - 3, TOP - 3, WIDTH * METRE + 6, HEIGHT * METRE + 6, 4, stroke="wall", stroke_width=6)
    for x, y, upright in gaps:
        gap = (x - 4, y - DOORWAY / 2, 8.0, DOORWAY) if upright else (x - DOORWAY / 2, y - 4, DOORWAY, 8.0)
        yield Rectangle(*gap, fill="furniture")
    if view.action_room in places:
        x, y, w, h = places[view.action_room]
        yield from agent_icon(x + w - 15, y + h - 12, 6.5)
        yield Rectangle(x + 3, y + 3, w - 6, h - 6, 5, stroke="agent", stroke_width=3)
    for room, place in places.items():
        yield from people_items([who for who in view.people if who.room == room], room, place, colours)
    yield from _lock(view)


def _lock(view: HomeView) -> Iterator[Item]:
    x, y, upright = _front_door(view)
    door = (x - 5, y - DOORWAY / 2, 7.0, DOORWAY) if upright else (x - DOORWAY / 2, y - 2, DOORWAY, 7.0)
    yield Rectangle(*door, 2, fill="hot", stroke="wall", stroke_width=1)
    for device in view.devices:
        if device.kind == "lock":
            nobody = all(who.room is None for who in view.people)
            role = "ok" if device.active else ("warning" if nobody else "caution")
            spot = (x - 17, y - DOORWAY / 2 - 13) if upright else (x + DOORWAY / 2 + 16, y + 15)
            yield from padlock(*spot, device.active, role, f"front door {device.state}")


def _away(view: HomeView, colours: dict[str, str]) -> Iterator[Item]:
    """Those who are out, in the garden strip under the house."""
    x = LEFT
    door = _front_door(view)
    for who in view.people:
        if who.room is None:
            if not door.upright and x + 130 > door.x - 22 and x < door.x + 40:  # leave the path and the lock free
                x = door.x + 50
            words = shorten(f"{who.name}: {who.activity or 'away'}", 10, min(100.0, 664 - x))
            yield Rectangle(x, 514, 28 + text_width(words, 10), 20, 10, fill="plate", opacity=0.9)
            yield from badge(x + 11, 524, who.name, colours[who.name], 8)
            yield Text(x + 22, 527.6, words, 10, group="people")
            x += 36 + text_width(words, 10)
