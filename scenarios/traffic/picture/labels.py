"""Where words find room on the map."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lam_env.envs.scene import Item, Rectangle, Text, text_width

from .layout import Box, Path, Point, along, length

Lines = list[tuple[str, float, bool, str]]  # text, size, bold, role


class Placer:
    """Finds room for words: never on each other or on a place, and beside the roads where it can be."""

    def __init__(self, box: Box, at: Iterable[Point], radii: Iterable[float], ways: list[Path], road: float):
        self.box, self.road = box, road / 2 + 1
        self.boxes: list[Box] = [(x - r, y - r, x + r, y + r) for (x, y), r in zip(at, radii, strict=True)]
        self.dots = [along(way, k / n)[0] for way in ways for n in [max(4, int(length(way) / 9))] for k in range(n + 1)]

    def best(self, spots: Iterable[Point], width: float, height: float) -> Point | None:
        """The best of the middles `spots` for a plate of this size, or None."""
        best: tuple[float, Point] | None = None
        left, top, right, bottom = self.box
        for rank, (x, y) in enumerate(spots):
            plate = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
            if not (left <= plate[0] and top <= plate[1]) or plate[2] > right or plate[3] > bottom:
                continue
            if any(_meet(plate, other) for other in self.boxes):
                continue
            m = self.road
            on = sum(plate[0] - m < u < plate[2] + m and plate[1] - m < v < plate[3] + m for u, v in self.dots)
            if best is None or 3 * on + rank < best[0]:
                best = 3.0 * on + rank, (x, y)
        if best is None:
            return None
        x, y = best[1]
        self.boxes.append((x - width / 2 - 2, y - height / 2 - 2, x + width / 2 + 2, y + height / 2 + 2))
        return x, y

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
