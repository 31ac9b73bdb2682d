"""The map: the network on its ground, with names, times and a legend."""

from __future__ import annotations

from collections.abc import Iterator

from lam_env.envs.scene import Item, Line, Rectangle, Text, shorten, text_width

from . import labels, places, roads
from .labels import Lines, Placer
from .layout import Box, Path, along, link_ways, node_points, trimmed
from .roads import Style
from .view import LinkView, NodeView, TrafficView

LEFT, TOP, WIDTH, HEIGHT = 12.0, 66.0, 670.0, 358.0
_LEGEND = 24.0
_INSIDE: Box = (LEFT, TOP, LEFT + WIDTH, TOP + HEIGHT - _LEGEND)


def city_map(view: TrafficView) -> Iterator[Item]:
    style = Style.of(view)
    yield Rectangle(LEFT, TOP, WIDTH, HEIGHT, 10, fill="land", stroke="track", group="map")
    x, y = (62.0, 44.0) if style.words else (30.0, 26.0)
    box = (_INSIDE[0] + x, _INSIDE[1] + y, _INSIDE[2] - x, _INSIDE[3] - y)
    at = node_points(view.nodes, box, 3.4 * style.node)
    bow = 0.44 * (box[3] - box[1]) if style.words else 2.6 * style.road
    clear = style.node + style.road / 2 if style.road >= 5 else 0.0
    whole = link_ways(view.links, at, bow, 1.3 * style.road + 2, clear)
    radii = [places.radius(node, style) for node in view.nodes]
    ways = [
        trimmed(way, radii[link.tail] + 1, radii[link.head] + (10 if style.words else 2))
        for link, way in zip(view.links, whole, strict=True)
    ]
    yield from places.scenery(view, whole, at, _INSIDE, style)
    yield from _night(view.hour)
    yield from roads.roads(view, ways, style)
    yield from roads.narrowing(view, ways, style)
    yield from roads.queues(view, ways, style)
    yield from roads.vehicles(view, ways, style)
    yield from places.nodes(view, at, style)
    placer = Placer(_INSIDE, at, radii, ways, style.road)
    placer.boxes += [(x - 14, y - 8, x + 14, y + 8) for x, y in roads.numbered(view, ways, style).values()]
    if style.words:
        for node, point, r in zip(view.nodes, at, radii, strict=True):
            lines = _node_lines(node)
            if lines:
                yield from placer.words(lines, labels.around(point, r, *labels.plate_size(lines)), "places")
    yield from _closed(view, ways, placer, style)
    yield from _link_words(view, ways, placer, style)
    yield from _legend(view, style)


def daylight(hour: float) -> float:
    """0 by night, 1 by day: a day of the equinox."""
    return min(1.0, max(0.0, (7.5 - abs(hour % 24 - 12.75)) / 1.5))


def _night(hour: float) -> Iterator[Item]:
    dark = round(0.22 * (1 - daylight(hour)), 3)
    if dark > 0:
        yield Rectangle(LEFT, TOP, WIDTH, HEIGHT, 10, fill="shade", opacity=dark)


def _node_lines(node: NodeView) -> Lines:
    lines: Lines = [(shorten(node.name, 11, 110, True), 11.0, True, "text")] if node.name else []
    if node.people is not None:
        words = {"home": "at home", "work": "arrived"}.get(node.kind, "here")
        lines.append((f"{node.people} {words}", 10.0, False, "muted"))
    return lines


def _closed(view: TrafficView, ways: list[Path], placer: Placer, style: Style) -> Iterator[Item]:
    for link, way in zip(view.links, ways, strict=True):
        if link.closed:
            (x, y), _ = along(way, 0.5)
            size = 11.0 if style.words else max(3.0, 0.8 * style.road)
            placer.boxes.append((x - size, y - size, x + size, y + size))
            yield from roads.closed_sign(x, y, size)


def _link_lines(link: LinkView) -> Lines:
    lines: Lines = [(shorten(link.name, 10.5, 150, True), 10.5, True, "text")] if link.name else []
    if link.closed:
        return [*lines, ("closed", 10.0, True, "warning")]
    if link.time is not None and (link.name or link.queue):
        more = 0.0 if link.free_time is None else link.time - link.free_time
        late = f" (+{more:.0f})" if more >= 0.5 else ""
        lines.append((f"{link.time:.0f} min{late}", 10.0, False, "warning" if late else "muted"))
    if link.queue:
        lines.append((f"{link.queue} waiting", 10.0, True, "warning"))
    return lines


def _link_words(view: TrafficView, ways: list[Path], placer: Placer, style: Style) -> Iterator[Item]:
    """All links of a small network, the worst queues of a large one."""
    order = list(range(len(view.links)))
    if not style.words:
        most = 5 if len(order) <= 50 else 3
        order = sorted((i for i in order if view.links[i].queue), key=lambda i: -view.links[i].queue)[:most]
    for i in order:
        link = view.links[i]
        lines = _link_lines(link) if style.words else [(f"{link.queue} waiting", 9.5, True, "warning")]
        if lines:
            beside = labels.beside(ways[i], *labels.plate_size(lines), style.road)
            yield from placer.words(lines, beside, "roads")


def _legend(view: TrafficView, style: Style) -> Iterator[Item]:
    top = TOP + HEIGHT - _LEGEND
    yield Rectangle(LEFT + 1, top, WIDTH - 2, _LEGEND - 1, 9, fill="plate", opacity=0.9)
    x, y = LEFT + 14.0, top + _LEGEND / 2
    entries = [("free", "load_low", 3.0), ("busy", "load_mid", 6.0), ("full", "load_high", 9.0)]
    for word, role, width in entries:
        yield Line(x + 4, y, x + 20, y, stroke=role, stroke_width=width)
        x += 28
        yield Text(x, y + 3.6, word, 10, fill="muted", group="legend")
        x += text_width(word, 10) + 10
    traveller, cars = view.traveller, [link for link in view.links if link.mode == "car"]
    present = {
        "bus line": len(cars) < len(view.links),
        "queue": any(link.queue for link in cars),
        "advised": style.road >= 5 and any(vehicle.advised for vehicle in view.vehicles),
        "usual route": traveller is not None and bool(traveller.habit_links),
        "advised route": traveller is not None and bool(traveller.advice_links),
    }
    for word in (word for word, there in present.items() if there):
        yield from _sample(word, x, y)
        yield Text(x + 30, y + 3.6, word, 10, fill="muted", group="legend")
        x += 40 + text_width(word, 10)


def _rails(x: float, y: float) -> list[Item]:
    items: list[Item] = [Line(x + 2, y, x + 22, y, stroke="transit", stroke_width=9)]
    items.append(Line(x + 2, y, x + 22, y, stroke="panel", stroke_width=6))
    return items + [Line(x + u, y - 4, x + u, y + 4, stroke="transit", stroke_width=1.2) for u in (5, 12, 19)]


def _sample(word: str, x: float, y: float) -> Iterator[Item]:
    if word == "bus line":
        yield from _rails(x, y)
    elif word == "queue":
        yield Line(x + 4, y, x + 20, y, stroke="load_high", stroke_width=10)
        for k in range(4):
            yield roads.car((x + 6 + 9 * (k // 2), y + (-2.4 if k % 2 else 2.4)), (1.0, 0.0), 3.6, "vehicle")
    elif word == "advised":
        yield roads.car((x + 16, y), (1.0, 0.0), 6.0, "agent")
    else:
        role = "agent" if word == "advised route" else "user"
        yield Line(x + 3, y, x + 21, y, stroke=role, stroke_width=11)
        yield Line(x + 3, y, x + 21, y, stroke="panel", stroke_width=5)
