"""One room: seen from the front and a little from above, with its back wall, its furniture, its light, its people."""

from __future__ import annotations

from collections.abc import Iterator

from lam_env.envs.scene import Item, Line, Rectangle, Text, shorten, text_width
from lam_env.envs.signs import plate

from ..floorplan import Rect
from . import figures, furnishings
from .view import DeviceView, HomeView, PersonView

DOORWAY = 38.0  # width of a drawn door
_TILED = ("bathroom", "kitchen", "laundry")
_WINDOWS = ("bedroom", "kitchen", "living", "study", "nursery")
_PIECES = {  # along the wall, the most telling first
    "bedroom": ("bed", "shelf", "plant"),
    "bathroom": ("bath", "basin", "plant"),
    "kitchen": ("counter", "stove", "plant"),
    "living": ("sofa", "plant", "shelf", "table"),
    "hall": ("coats", "plant", "shelf"),
    "study": ("desk", "shelf", "plant"),
    "nursery": ("cot", "shelf"),
    "laundry": ("basin",),
}
_BEDS = {"bedroom": (("bed", 22.0), ("bed", 62.0)), "nursery": (("cot", 22.0),)}  # and where along it a head lies
_STANDING = ("tv", "music", "washer", "dishwasher", "kettle")
_SHINING = {"tv": (furnishings.tv, 5, 8), "music": (furnishings.music, 0, 10), "kettle": (furnishings.kettle, 0, 12)}
_TALL = ("tv", "music", "shelf", "plant", "stove", "dishwasher", "basin")  # would hide a window behind them
_RUGS = {"bedroom": "blind", "living": "rug", "study": "blind", "nursery": "dim", "hall": "rug"}
Interval = tuple[float, float]


def wall_height(room: Rect) -> float:
    return min(max(0.31 * room.height, 33.0), 58.0)


def room_items(view: HomeView, name: str, place: Rect, doors: list[float]) -> Iterator[Item]:
    """The room with its things; `doors`: the middles of the doors in its back wall."""
    x, y, w, h = place
    devices = [d for d in view.devices if d.room == name]
    blinds = next((d for d in devices if d.kind == "blinds"), None)
    light = view.lights.get(name, 0)
    doorways = [(door - DOORWAY / 2, door + DOORWAY / 2) for door in doors]

    yield from _shell(name, place, doorways)
    title, start = _title(view, name, place, doorways, devices)
    wall, shining, window, end = _wall_things(view, name, place, doorways, devices, start)
    low = end + 6 if wall_height(place) < 40 else x + 8  # under a low wall nothing fits below the name
    floor, lit_floor = _floor_things(name, place, low, doorways, window, devices)
    yield from wall
    yield from floor
    if name == "kitchen" and h > 180:
        yield from furnishings.furniture("dining", x + w - 88, y + 0.5 * h)
    day = view.sun * (0.5 if blinds and blinds.active else 1.0)
    yield Rectangle(x, y, w, h, fill="shade", opacity=round(0.72 * (1 - day) * (1.0, 0.5, 0.2)[light], 2))
    if light:
        role, strength = ("dim", "lit")[light - 1], (0.5, 1.0)[light - 1]
        yield Rectangle(x, y, w, h, fill=role, opacity=0.16 + 0.12 * strength)
        yield Rectangle(x, y, w, h, fill=role, opacity=0.3 + 0.3 * strength, soft=True)
    yield from shining
    yield from lit_floor
    yield Rectangle(x + 6, y + 5, text_width(title, 10, True) + 10, 16, 5, fill="plate", opacity=0.88)
    yield Text(x + 11, y + 16.6, title, 10, bold=True, group="rooms")


def _shell(name: str, place: Rect, doorways: list[Interval]) -> Iterator[Item]:
    x, y, w, h = place
    wall = wall_height(place)
    foot, tiled = y + wall, name in _TILED
    yield Rectangle(x, y, w, wall, fill="wallpaper")
    yield Rectangle(x, foot, w, h - wall, fill="tile" if tiled else "floor")
    step, line = (18, "tile_line") if tiled else (13, "floor_line")
    for i in range(1, int((h - wall) // step) + 1):
        yield Line(x, foot + i * step, x + w, foot + i * step, stroke=line)
        if not tiled:  # the joints of the boards
            for k in range(int(w // 120) + 1):
                u = x + (k * 120 + (i * 47) % 120)
                if u < x + w:
                    yield Line(u, foot + (i - 1) * step, u, foot + i * step, stroke=line)
    if tiled:
        for i in range(1, int(w // step) + 1):
            yield Line(x + i * step, foot, x + i * step, y + h, stroke=line)
    yield Rectangle(x, foot - 3, w, 3, fill="furniture")
    for low, high in doorways:
        yield Rectangle(low, y, high - low, wall, fill="furniture_line")
        yield Rectangle(low + 3, y, high - low - 6, wall, fill="shade", opacity=0.5)
    if name in _RUGS and h - wall > 50:
        wide, deep = min(w * 0.5, 230.0), min((h - wall) * 0.42, 76.0)
        left, top = x + (w - wide) / 2, foot + (h - wall - deep) * (0.66 if h > 120 else 0.5)
        yield Rectangle(left, top, wide, deep, 10, fill=_RUGS[name])
        yield Rectangle(left + 5, top + 5, wide - 10, deep - 10, 7, stroke="wallpaper", stroke_width=1.4)


def _widths(
    view: HomeView, name: str, place: Rect, doorways: list[Interval], devices: list[DeviceView]
) -> list[tuple[str, float]]:
    """What hangs on the back wall, from the left."""
    things = [("lamp", 18.0)] if name in view.lights else []
    if name in _WINDOWS or any(d.kind == "blinds" for d in devices):
        things.append(("window", 46.0 if place.width > (300 if doorways else 190) else 28.0))
    things += [("thermostat", 48.0) for d in devices if d.kind == "thermostat"]
    return things + [("alarm", 18.0) for d in devices if d.kind == "alarm"]


def _title(
    view: HomeView, name: str, place: Rect, doorways: list[Interval], devices: list[DeviceView]
) -> tuple[str, float]:
    """The room's name, with its temperature where there is room, and where the wall is free again."""
    used = sum(width + 6 for _, width in _widths(view, name, place, doorways, devices)) + sum(
        b - a + 6 for a, b in doorways
    )
    title = name.capitalize()
    if name in view.temperatures:
        longer = f"{title} {view.temperatures[name]:.1f}°"
        if text_width(longer, 10, True) + 22 + used <= place.width:
            title = longer
    return title, place.x + 6 + text_width(title, 10, True) + 14


def _wall_things(
    view: HomeView, name: str, place: Rect, doorways: list[Interval], devices: list[DeviceView], start: float
) -> tuple[list[Item], list[Item], Interval | None, float]:
    """What hangs on the wall: what the night darkens, what it does not, where the window is, where the last ends."""
    x, y, w, _ = place
    dark, shining = list[Item](), list[Item]()
    window, end, hanging = None, start, _widths(view, name, place, doorways, devices)
    by_kind = {d.kind: d for d in devices}
    spots = _pack(start, x + w - 4, doorways, [width for _, width in hanging], 4.0)
    for (kind, width), spot in zip(hanging, spots, strict=True):
        if spot is None:  # then in front of a doorway: a device is always shown
            spot = min(end + 4, x + w - width - 4)
        end = spot + width
        if kind == "lamp":
            light = view.lights.get(name, 0)
            shining += furnishings.lamp(spot + 9, y, light, f"{name} light {('off', 'dim', 'on')[light]}")
        elif kind == "window":
            window = (spot - 2, spot + width + 2)
            blinds = by_kind.get("blinds")
            label = f"{name} blinds {blinds.state}" if blinds else ""
            height = wall_height(place) - 16
            closed = blinds.active if blinds else None
            dark += furnishings.window(spot, y + 6, width, height, view.sun, closed, label)
        elif kind == "thermostat":
            device = by_kind[kind]
            shining += furnishings.thermostat(spot, y + 5, device.state, device.heating, name)
        else:
            shining += furnishings.alarm(spot, y + 5, by_kind[kind].active, f"alarm {by_kind[kind].state}")
    return dark, shining, window, end


def _line_up(
    name: str, start: float, right: float, doorways: list[Interval], window: Interval | None, devices: set[str]
) -> dict[str, float]:
    """Where along the wall each piece stands: every device, and as much furniture as fits beside them."""
    standing = [kind for kind in _STANDING if kind in devices]
    first, *others = _PIECES[name]
    placed: dict[str, float] = {}
    tries = (([first, *standing, *others], window), ([first, *standing], None), ([*standing, *others], None))
    for kinds, avoid in tries:
        free = right - start - sum(b - a for a, b in doorways) - sum(furnishings.WIDTHS[k] for k in kinds)
        gap = min(40.0, max(6.0, free * 0.5 / len(kinds)))
        placed, at = {}, start
        for kind in kinds:
            taken = [*doorways, avoid] if avoid and kind in _TALL else doorways
            (spot,) = _pack(at, right, taken, [furnishings.WIDTHS[kind]], 0.0)
            if spot is not None:
                placed[kind] = spot
                at = spot + furnishings.WIDTHS[kind] + gap
        if all(kind in placed for kind in standing):
            break
    return placed


def _floor_things(
    name: str, place: Rect, start: float, doorways: list[Interval], window: Interval | None, devices: list[DeviceView]
) -> tuple[list[Item], list[Item]]:
    """What stands along the wall: what the night darkens and what it does not."""
    foot, right = place.y + wall_height(place), place.x + place.width - 6
    by_kind = {d.kind: d for d in devices if d.kind != "kettle" or name != "kitchen"}  # that one is on the counter
    dark, shining = list[Item](), list[Item]()
    for kind, spot in _line_up(name, start, right, doorways, window, set(by_kind)).items():
        device = by_kind.get(kind)
        label = f"{name} {kind} {device.state}" if device else ""
        if device is None:
            dark += furnishings.furniture(kind, spot, foot)
        elif kind in _SHINING:
            draw, right_by, down_by = _SHINING[kind]
            shining += draw(spot + right_by, foot + down_by, device.active, label)
        else:
            dark += furnishings.drum(spot, foot + 10, device.state, kind == "dishwasher", label)
        for pot in devices if kind == "counter" else ():
            if pot.kind == "kettle":
                shining += furnishings.kettle(spot + 40, foot - 13, pot.active, f"{name} kettle {pot.state}")
    return dark, shining


def _pack(start: float, end: float, taken: list[Interval], widths: list[float], gap: float) -> list[float | None]:
    """Places widths from left to right between `start` and `end`, around what is taken; None: no room."""
    x, places = start, list[float | None]()
    for width in widths:
        here = x
        for low, high in sorted(taken):
            if here < high + 3 and here + width > low - 3:
                here = high + 3
        if here + width <= end:
            places.append(here)
            x = here + width + gap
        else:
            places.append(None)
    return places


def people_items(people: list[PersonView], name: str, place: Rect, roles: dict[str, str]) -> Iterator[Item]:
    """The people in a room: sleepers in its beds, the others side by side on the floor."""
    x, y, w, h = place
    foot, beds = y + wall_height(place), _BEDS.get(name, ())
    in_bed = [who for who in people if who.asleep][: len(beds)]
    start = x + 6
    for who, (bed, head) in zip(in_bed, beds, strict=False):
        yield from figures.sleeper(x + 8 + head, foot + 4, roles[who.name], f"{who.name} asleep")
        yield from plate(x + 8 + head, foot + 42, who.name, 9, room=40, bold=True, anchor="middle")
        start = x + 8 + furnishings.WIDTHS[bed] + 4
    up = [who for who in people if who not in in_bed]
    if not up:
        return
    cell = min((x + w - 6 - start) / len(up), 150.0)
    start += ((x + w - 6 - start) - cell * len(up)) / 2
    for i, who in enumerate(up):
        middle, ground = start + (i + 0.5) * cell, y + h - 32
        doing = who.activity or ("asleep" if who.asleep else "")
        label = who.name + (f" {doing}" if doing else "") if cell < 46 else ""  # else the caption says it
        yield from figures.person(
            middle, ground, roles[who.name], label, long_hair=roles[who.name] in ("person0", "person2")
        )
        if cell < 46:  # a crowd: names only, in two rows
            space = min(2 * cell - 2, 2 * (middle - x - 2), 2 * (x + w - 2 - middle))
            yield from plate(middle, ground + 2 + 15 * (i % 2), who.name, 9, room=space, bold=True, anchor="middle")
        else:
            yield from _caption(middle, ground + 3, cell - 3, who.name, doing)


def _caption(x: float, y: float, space: float, name: str, doing: str) -> Iterator[Item]:
    """Name and activity on one plate under a person."""
    first, second = shorten(name, 9.5, space - 8, True), shorten(doing, 9, space - 8)
    if not first:
        return
    width = max(text_width(first, 9.5, True), text_width(second, 9)) + 8
    yield Rectangle(x - width / 2, y, width, 25 if second else 14, 4, fill="plate", opacity=0.9)
    yield Text(x, y + 10.5, first, 9.5, anchor="middle", bold=True, group="people")
    if second:
        yield Text(x, y + 21.5, second, 9, anchor="middle", group="people")
