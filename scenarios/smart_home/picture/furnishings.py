"""What stands and hangs in a room: lamps, windows, devices and furniture.

Wall devices hang with their top at y; floor devices stand with their feet at y; furniture stands against the wall,
its left at x and the foot of the wall at y.
"""

from __future__ import annotations

from functools import cache

from lam_env.envs.scene import Circle, Item, Line, Polygon, Rectangle, Text, arc, text_width


def lamp(x: float, y: float, level: int, label: str) -> list[Item]:
    """A pendant lamp that hangs from (x, y); level 0 off, 1 dim, 2 on."""
    shade = ((x - 3, y + 7), (x + 3, y + 7), (x + 8, y + 14), (x - 8, y + 14))
    role = ("device_off", "dim", "lit")[level]
    items: list[Item] = [Line(x, y, x, y + 7, stroke="device", stroke_width=1.4)]
    if level:
        items += [Circle(x, y + 15, r, fill=role, opacity=0.14 * level) for r in (14, 11)]
    items.append(Polygon(shade, fill=role, stroke="furniture_line", stroke_width=0.8, label=label, group="lights"))
    if level:
        items.append(Polygon(arc(x, y + 14, 4, 0, 180), fill="cloth"))
    return items


def window(x: float, y: float, width: float, height: float, sun: float, blind: bool | None, label: str) -> list[Item]:
    """A window with the sky in it; `blind` True: closed, None: there is none."""
    items: list[Item] = [
        Rectangle(x - 2, y - 2, width + 4, height + 4, 2, fill="cloth"),
        Rectangle(x, y, width, height, fill="sky_night"),
        Rectangle(x, y, width, height, fill="sky_day", opacity=sun),
    ]
    if sun < 0.15:
        stars = ((0.2, 0.3), (0.6, 0.6), (0.8, 0.2))
        items += [Circle(x + width * u, y + height * v, 0.8, fill="star") for u, v in stars]
    items += [
        Line(x + width / 2, y, x + width / 2, y + height, stroke="cloth", stroke_width=1.6),
        Line(x, y + height / 2, x + width, y + height / 2, stroke="cloth", stroke_width=1.6),
    ]
    if blind is not None:
        drop = height if blind else 4.0
        items.append(Rectangle(x - 1, y - 1, width + 2, drop + 1, fill="blind", label=label, group="devices"))
        for v in (y + 4 * i + 2 for i in range(int(drop // 4))):
            items.append(Line(x, v, x + width, v, stroke="furniture_line", stroke_width=0.9, opacity=0.7))
    return items


def thermostat(x: float, y: float, state: str, heating: bool, room: str) -> list[Item]:
    text = state if any(c.isalpha() for c in state) else f"{state}°"
    label = f"{room} thermostat {text}" + (", heating" if heating else "")
    width, edge = text_width(text, 8.5, True) + 8, "hot" if heating else "metal"
    return [
        Rectangle(x, y, width, 17, 5, fill="plate", stroke=edge, stroke_width=1.4, label=label, group="devices"),
        Text(x + 4, y + 11.7, text, 8.5, bold=True, fill="hot" if heating else "text", group="devices"),
    ]


def alarm(x: float, y: float, armed: bool, label: str) -> list[Item]:
    shield = ((x + 2, y + 2), (x + 8, y), (x + 14, y + 2), (x + 13.4, y + 10), (x + 8, y + 17), (x + 2.6, y + 10))
    tick = ((x + 5, y + 7.5), (x + 7.4, y + 10.4), (x + 11.4, y + 5))
    fill = "ok" if armed else "device_off"
    items = [Polygon(shield, fill=fill, stroke="cloth", stroke_width=1.2, label=label, group="devices")]
    if armed:
        items.append(Polygon(tick, closed=False, stroke="on_colour", stroke_width=1.8))
    return [*items]


def tv(x: float, y: float, on: bool, label: str) -> list[Item]:
    items: list[Item] = [Rectangle(x - 32, y - 66, 114, 90, fill="screen", opacity=0.75, soft=True)] if on else []
    items += [
        Rectangle(x - 5, y - 7, 60, 9, 2, fill="furniture_line"),
        Rectangle(x + 21, y - 9, 8, 4, fill="device"),
        Rectangle(x, y - 36, 50, 28, 3, fill="device", label=label, group="devices"),
        Rectangle(x + 2, y - 34, 46, 24, 2, fill="screen" if on else "dark"),
    ]
    if on:
        items += [
            Rectangle(x + 2, y - 19, 46, 9, 1, fill="ok", opacity=0.75),
            Circle(x + 37, y - 27, 3.6, fill="sun"),
            Polygon(((x + 6, y - 18), (x + 15, y - 29), (x + 24, y - 18)), fill="cloth", opacity=0.9),
        ]
    return items


def music(x: float, y: float, on: bool, label: str) -> list[Item]:
    fill = "accent" if on else "device_off"
    items: list[Item] = [
        Rectangle(x, y - 24, 15, 26, 3, fill="device", label=label, group="devices"),
        Circle(x + 7.5, y - 18, 2.8, fill=fill),
        Circle(x + 7.5, y - 7, 5, fill=fill),
        Circle(x + 7.5, y - 7, 2, fill="device"),
    ]
    if on:
        for u, v in ((x + 19, y - 22), (x + 26, y - 28)):
            items += [
                Circle(u, v + 8, 2.2, fill="accent"),
                Line(u + 1.8, v + 8, u + 1.8, v, stroke="accent", stroke_width=1.4),
                Line(u + 1.8, v, u + 5, v + 2, stroke="accent", stroke_width=1.8),
            ]
    return items


def kettle(x: float, y: float, on: bool, label: str) -> list[Item]:
    fill, body = "hot" if on else "metal", ((x + 2, y), (x + 4, y - 11), (x + 12, y - 11), (x + 14, y))
    items: list[Item] = [
        Polygon(body, fill=fill, stroke="device", stroke_width=0.8, label=label, group="devices"),
        Polygon(((x + 3, y - 8), (x - 1, y - 11), (x + 3.4, y - 5)), fill=fill),
        Polygon(arc(x + 13, y - 6, 4, -80, 80), closed=False, stroke="device", stroke_width=1.6),
        Line(x + 5, y - 12, x + 11, y - 12, stroke="device", stroke_width=1.8),
    ]
    if on:
        for u in (x + 3, x + 8, x + 13):
            wave = tuple((u + (1.6 if i % 2 else -1.6), y - 14 - 3 * i) for i in range(4))
            items.append(Polygon(wave, closed=False, stroke="steam", stroke_width=1.6, opacity=0.85))
    return items


def drum(x: float, y: float, state: str, dishes: bool, label: str) -> list[Item]:
    """A washing machine or dishwasher, 26 wide."""
    running, ready = state in ("running", "on"), state == "ready"
    light = "ok" if running else "caution" if ready else "device_off"
    items: list[Item] = [
        Rectangle(x, y - 28, 26, 30, 3, fill="cloth", stroke="metal", stroke_width=1.2, label=label, group="devices"),
        Rectangle(x + 2.5, y - 25.5, 21, 4.5, 1, fill="metal"),
        Circle(x + 20.4, y - 23.2, 2.2 if running or ready else 1.6, fill=light),
    ]
    if ready:  # loaded, waiting for its hour
        items.append(Rectangle(x - 1.5, y - 29.5, 29, 33, 4, stroke="caution", stroke_width=1.8))
    if dishes:
        items.append(Rectangle(x + 3, y - 19, 20, 17, 2, fill="water" if running else "metal", opacity=0.9))
        plates = [arc(x + 7.5 + 5.5 * i, y - 9, 4, 100, 260) for i in range(3)]
        items += [Polygon(rim, closed=False, stroke="cloth", stroke_width=1.4) for rim in plates]
    else:
        items += [
            Circle(x + 13, y - 10, 8.4, fill="device"),
            Circle(x + 13, y - 10, 6.4, fill="water" if running else "device_off"),
        ]
        if running:
            items.append(Polygon(arc(x + 13, y - 10, 4, 200, 400), closed=False, stroke="cloth", stroke_width=1.8))
    return items


def _box(x: float, y: float, w: float, h: float, fill: str, radius: float = 2.0) -> Item:
    return Rectangle(x, y, w, h, radius, fill=fill, stroke="furniture_line", stroke_width=0.9)


def _bar(x: float, y: float, dx: float, dy: float, width: float) -> Item:
    return Line(x, y, x + dx, y + dy, stroke="furniture_line", stroke_width=width)


@cache
def furniture(name: str, x: float, y: float) -> tuple[Item, ...]:
    """A piece of furniture against the wall, its left at x and the foot of the wall at y."""
    if name == "bed":
        return (
            _box(x, y - 18, 84, 18, "furniture_line", 4),
            _box(x + 1, y - 6, 82, 62, "furniture", 5),
            _box(x + 4, y - 4, 36, 15, "cloth", 5),
            _box(x + 44, y - 4, 36, 15, "cloth", 5),
            Rectangle(x + 3, y + 13, 78, 41, 5, fill="blind"),
            Rectangle(x + 3, y + 13, 78, 7, 3, fill="cloth"),
        )
    if name == "cot":
        return (
            _box(x, y - 6, 44, 54, "cloth", 4),
            _box(x + 5, y - 3, 34, 13, "cloth", 5),
            Rectangle(x + 3, y + 12, 38, 34, 4, fill="blind"),
            *(_bar(x + 4 + 6 * i, y + 26, 0, 20, 1.2) for i in range(7)),
            _bar(x, y + 26, 44, 0, 2),
        )
    if name == "sofa":
        return (
            _box(x, y - 16, 78, 26, "furniture", 7),
            _box(x + 8, y - 1, 31, 14, "cloth", 4),
            _box(x + 39, y - 1, 31, 14, "cloth", 4),
            _box(x - 3, y - 7, 12, 22, "furniture", 5),
            _box(x + 69, y - 7, 12, 22, "furniture", 5),
        )
    if name == "counter":
        return (
            _box(x, y - 14, 62, 8, "cloth", 1),
            _box(x, y - 7, 62, 22, "furniture", 1),
            _bar(x + 31, y - 6, 0, 20, 1),
            Rectangle(x + 40, y - 13, 17, 5, 2, fill="metal"),
            Polygon(arc(x + 48, y - 17, 4, 180, 340), closed=False, stroke="metal", stroke_width=2),
        )
    if name == "stove":
        return (
            _box(x, y - 14, 28, 8, "device", 1),
            _box(x, y - 7, 28, 22, "cloth", 1),
            _box(x + 4, y - 1, 20, 12, "dark", 2),
            *(Line(x + u, y - 14, x + u + 7, y - 14, stroke="metal", stroke_width=1.6) for u in (5, 16)),
        )
    if name == "table":
        return (
            _box(x, y - 2, 44, 9, "furniture", 4),
            *(_bar(x + u, y + 7, 0, 12, 3) for u in (6, 38)),
        )
    if name == "dining":
        return (
            *(_box(x + u, y - 10, 14, 16, "furniture_line", 4) for u in (8, 42)),
            Rectangle(x, y + 20, 64, 8, 4, fill="dark", opacity=0.2),
            _box(x - 2, y, 68, 24, "furniture", 11),
            Circle(x + 32, y + 11, 6, fill="cloth", stroke="metal", stroke_width=1),
            Circle(x + 32, y + 10, 3.4, fill="hot"),
        )
    if name == "desk":
        return (
            _box(x, y - 8, 62, 7, "furniture", 2),
            *(_bar(x + u, y - 1, 0, 15, 3) for u in (4, 58)),
            _box(x + 18, y - 27, 26, 16, "device", 2),
            Rectangle(x + 28, y - 11, 6, 4, fill="metal"),
        )
    if name == "shelf":
        books = list(enumerate(("person0", "caution", "ok", "warning", "person3", "accent")))
        return (
            _box(x, y - 22, 34, 36, "furniture", 2),
            *(Rectangle(x + 3 + 4.6 * i, y - 19 + i % 3, 3.6, 12 - i % 3, fill=b, opacity=0.75) for i, b in books),
            _bar(x + 2, y - 6, 30, 0, 1.4),
            *(
                Rectangle(x + 26 - 4.6 * i, y - 3 - i % 2, 3.6, 13 + i % 2, fill=b, opacity=0.75)
                for i, b in books[::-1]
            ),
        )
    if name == "bath":
        return (
            _box(x, y - 4, 62, 26, "cloth", 9),
            Rectangle(x + 5, y, 52, 13, 6, fill="water", opacity=0.7),
            Polygon(arc(x + 9, y - 8, 4, 180, 340), closed=False, stroke="metal", stroke_width=2.2),
        )
    if name == "basin":
        return (
            _box(x, y - 6, 26, 9, "cloth", 4),
            Rectangle(x + 10, y + 3, 6, 12, fill="cloth"),
            Rectangle(x + 3, y - 30, 20, 19, 4, fill="glass", stroke="metal", stroke_width=1.2),
        )
    if name == "coats":
        return (
            _bar(x, y - 20, 40, 0, 3),
            *(
                Polygon(((x + u + 4, y - 19), (x + u, y + 2), (x + u + 9, y + 2)), fill=c, opacity=0.75)
                for u, c in ((1, "person0"), (13, "person1"), (25, "person3"))
            ),
        )
    if name == "plant":
        tips = [(x + 8 + u, y - 16 + abs(u) / 2, x + 8 + u / 2) for u in (-9, -3, 4, 9)]
        leaves = [((x + 8, y - 2), (u, v), (w, y - 22)) for u, v, w in tips]
        return (
            *(Polygon(leaf, fill="ok", opacity=0.85) for leaf in leaves),
            Polygon(((x + 2, y - 3), (x + 14, y - 3), (x + 12, y + 8), (x + 4, y + 8)), fill="hot", opacity=0.8),
        )
    raise ValueError(f"furniture: no {name!r}")


# Width of each piece, as it is packed along the wall.
WIDTHS = {
    "bed": 84.0, "cot": 44.0, "sofa": 82.0, "counter": 62.0, "stove": 28.0, "table": 44.0, "desk": 62.0, "shelf": 34.0,
    "bath": 62.0, "basin": 26.0, "coats": 40.0, "plant": 16.0, "tv": 60.0, "music": 28.0, "washer": 26.0,
    "dishwasher": 26.0, "kettle": 20.0,
}  # fmt: skip
