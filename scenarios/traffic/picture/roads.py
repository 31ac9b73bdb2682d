"""The map's roads: how wide and red their load is, queues, closures, bus lines, and the vehicles on them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from lam_env.envs.scene import Circle, Item, Line, Polygon, Rectangle, Text

from .layout import Path, Point, along, length, part
from .view import LinkView, TrafficView, VehicleView

MID, HIGH = 0.6, 0.9  # loads from which a road is busy and full
_BUS = 0.62  # width of a bus line, in roads
_MOST_CARS = 60  # drawn in one queue; in a longer one each stands for several


@dataclass(frozen=True)
class Style:
    """Sizes that depend on how large the network is."""

    road: float  # width of a road [units]
    node: float  # radius of a crossing
    words: bool  # names at the roads, queues car by car
    lanes: int = 1  # cars side by side in a queue

    @classmethod
    def of(cls, view: TrafficView) -> Style:
        n = len(view.links)
        if n <= 10 and any(link.name for link in view.links):
            return cls(30.0, 9.0, True, 3) if n <= 2 else cls(18.0, 7.0, True, 2)
        if n <= 10:
            return cls(16.0, 12.0, False, 2)
        if n <= 50:
            return cls(10.0, 9.5, False)
        return cls(7.0, 8.5, False) if n <= 120 else cls(2.0, 1.5, False)

    @property
    def car(self) -> float:
        """Half the length of a car."""
        return {1: 3.0, 2: 4.0, 3: 5.0}[self.lanes]


def load_role(load: float) -> str:
    return "load_low" if load < MID else "load_mid" if load < HIGH else "load_high"


def band(load: float, road: float) -> float:
    """Width of the coloured band on a road: its full width at capacity, more above."""
    return road * max(0.12, min(load, 1.5)) if load > 0.005 else 0.0


def description(link: LinkView, index: int) -> str:
    """A link in words."""
    words = [f"{link.name or f'link {index}'} load {link.load:.2f}"]
    if link.queue:
        words.append(f"{link.queue} waiting")
    if link.time is not None and link.free_time is not None:
        words.append(f"{link.time:.0f} min instead of {link.free_time:.0f}")
    return f"{link.name or f'link {index}'} closed" if link.closed else ", ".join(words)


def _stroke(path: Path, width: float, role: str, label: str = "") -> Polygon:
    opacity = 1.0 if width else 0.0  # what is invisible still has its words
    group = "roads" if label else ""
    return Polygon(path, closed=False, stroke=role, stroke_width=width, opacity=opacity, label=label, group=group)


def roads(view: TrafficView, ways: list[Path], style: Style) -> Iterator[Item]:
    """All links, from the ground up."""
    traveller = view.traveller
    if traveller is not None:
        for links, more, role in ((traveller.advice_links, 11.0, "agent"), (traveller.habit_links, 6.5, "user")):
            for i in links:
                road = _BUS * style.road if view.links[i].mode == "bus" else style.road
                yield _stroke(ways[i], max(road + 1, band(view.links[i].load, road)) + more, role)
    for link, way in zip(view.links, ways, strict=True):
        width, role = (_BUS * style.road + 3, "transit") if link.mode == "bus" else (style.road + 2.4, "road")
        yield _stroke(way, width, role)
    for link, way in zip(view.links, ways, strict=True):
        yield _stroke(way, _BUS * style.road if link.mode == "bus" else style.road, "panel")
    in_words = _links_in_words(view, style)
    for i, (link, way) in enumerate(zip(view.links, ways, strict=True)):
        label = description(link, i) if i in in_words else ""
        if link.closed:
            yield _stroke(way, style.road * 0.5, "track", label)
        else:
            yield from _flow(link, way, style, label)


def _links_in_words(view: TrafficView, style: Style) -> set[int]:
    """Links that are put into words for those who do not see them: all of few, else the most telling."""
    order = sorted(range(len(view.links)), key=lambda i: (-view.links[i].queue, -view.links[i].load, i))
    worst = [i for i in order if view.links[i].queue or view.links[i].load >= HIGH][:8]
    closed = [i for i in order if view.links[i].closed][:8]
    return set(order) if style.words else {*worst, *closed}


def _flow(link: LinkView, way: Path, style: Style, label: str) -> Iterator[Item]:
    bus = link.mode == "bus"
    yield _stroke(way, band(link.load, style.road * (_BUS if bus else 1.0)), load_role(link.load), label)
    if bus:
        h = _BUS * style.road / 2
        for (x, y), (u, v) in _every(9, way):  # sleepers: a bus line is not to be taken for a road
            yield Line(x - v * h, y + u * h, x + v * h, y - u * h, stroke="transit", stroke_width=1.2)
    elif style.words:
        for (x, y), (u, v) in _every(26, way):
            yield Line(x - u * 4, y - v * 4, x + u * 4, y + v * 4, stroke="road", stroke_width=1.2, opacity=0.7)
    share = queue_share(link, way, style)
    if share:
        yield _stroke(part(way, 1 - share, 1.0), style.road + (0 if style.words else 3.0), "load_high")


def _every(gap: float, way: Path) -> Iterator[tuple[Point, Point]]:
    """Points, and the directions there, so far from each other on a way."""
    whole = length(way)
    return (along(way, gap * k / whole) for k in range(1, int(whole // gap)))


def queue_share(link: LinkView, way: Path, style: Style) -> float:
    """Share of the link's way that its queue is drawn on."""
    if link.queue <= 0 or link.mode == "bus":
        return 0.0
    if not style.words:
        return min(0.9, 0.15 + link.queue / 80)
    rows = math.ceil(min(link.queue, _MOST_CARS) / style.lanes)
    return min(0.85, (rows * pitch(style) + 3) / max(length(way), 1.0))


def pitch(style: Style) -> float:
    """Units of road that a waiting car takes."""
    return 2 * style.car + 1.3


def car(at: Point, ahead: Point, size: float, role: str) -> Polygon:
    """A vehicle seen from above; `size`: half its length."""
    return Polygon(_body(at, ahead, size, 0.55 * size, 0.6, 0.6), fill=role, stroke="plate", stroke_width=0.8)


def _body(at: Point, ahead: Point, size: float, wide: float, front: float, side: float) -> Path:
    """Its outline; `wide`: half its width; `front`, `side`: shares of both from which its front corners are cut off."""
    corners = ((-1, -1), (front, -1), (1, -side), (1, side), (front, 1), (-1, 1))
    return _turned(at, ahead, tuple((size * a, wide * b) for a, b in corners))


def _turned(at: Point, ahead: Point, outline: Path) -> Path:
    """Corners (ahead, to the right) of something that stands at a point and looks ahead."""
    (x, y), (u, v) = at, ahead
    return tuple((x + a * u - b * v, y + a * v + b * u) for a, b in outline)


def queues(view: TrafficView, ways: list[Path], style: Style) -> Iterator[Item]:
    """Waiting cars, side by side from the end of the road backwards."""
    if style.road < 5:
        return
    for link, way in zip(view.links, ways, strict=True):
        share, step = queue_share(link, way, style), pitch(style)
        for k in range(min(link.queue, style.lanes * int(share * length(way) / step))):
            (x, y), ahead = along(way, 1 - (k // style.lanes + 0.6) * step / length(way))
            side = (k % style.lanes - (style.lanes - 1) / 2) * style.road / style.lanes
            yield car((x - ahead[1] * side, y + ahead[0] * side), ahead, style.car, "vehicle")


def vehicles(view: TrafficView, ways: list[Path], style: Style) -> Iterator[Item]:
    """What moves, cars first so that buses lie on top."""
    if style.road < 5:
        return
    for vehicle in sorted(view.vehicles, key=lambda v: v.kind == "bus")[-400:]:
        at, ahead = _where(vehicle, view, ways, style)
        if vehicle.kind == "bus":
            size, wide = (15.0, 6.5) if style.words else (7.0, 3.4)
            outline = _body(at, ahead, size, wide, 0.9, 0.7)
            label = f"bus with {vehicle.occupants} on board"
            yield Polygon(outline, fill="transit", stroke="plate", stroke_width=1.2, label=label, group="buses")
        else:
            yield car(at, ahead, style.car + 0.6, "agent" if vehicle.advised else "vehicle")
    for i, (x, y) in numbered(view, ways, style).items():
        words = str(view.vehicles[i].occupants)
        yield Text(x, y + 3.6, words, 10, anchor="middle", bold=True, fill="on_colour", group="buses")


def _where(vehicle: VehicleView, view: TrafficView, ways: list[Path], style: Style) -> tuple[Point, Point]:
    way = ways[vehicle.link]
    share = queue_share(view.links[vehicle.link], way, style)
    return along(way, min(max(vehicle.position, 0.0), 1.0) * (1 - share))


def numbered(view: TrafficView, ways: list[Path], style: Style) -> dict[int, Point]:
    """Buses that are drawn with the number on board, none on another: index among the vehicles -> point."""
    out: dict[int, Point] = {}
    for i, vehicle in enumerate(view.vehicles if style.words else ()):
        if vehicle.kind == "bus" and vehicle.occupants < 1000:
            x, y = _where(vehicle, view, ways, style)[0]
            if all(abs(x - u) > 28 or abs(y - v) > 13 for u, v in out.values()):
                out[i] = x, y
    return out


def closed_sign(x: float, y: float, size: float) -> list[Item]:
    """No entry."""
    return [
        Circle(x, y, size, fill="warning", stroke="plate", stroke_width=1.5),
        Rectangle(x - 0.62 * size, y - 0.2 * size, 1.24 * size, 0.4 * size, fill="plate"),
    ]


def narrowing(view: TrafficView, ways: list[Path], style: Style) -> Iterator[Item]:
    """Two wedges at the end of each bottleneck."""
    for link, way in zip(view.links, ways, strict=True):
        before = [a.capacity for a in view.links if a.head == link.tail and a.capacity and a.mode == "car"]
        if style.words and link.capacity and link.mode == "car" and any(c >= 2 * link.capacity for c in before):
            for side in (-1, 1):
                far, near = side * (style.road / 2 + 6), side * (style.road / 2 - 5)
                wedge = ((-12.0, far), (4.0, far), (4.0, near), (1.0, near))
                yield Polygon(_turned(*along(way, 1.0), wedge), fill="muted", stroke="plate", stroke_width=1)
