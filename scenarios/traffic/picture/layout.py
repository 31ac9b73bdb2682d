"""Where nodes and links lie on the map: a diagram that keeps the network's order but gives each part room."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from .view import LinkView, NodeView

Point = tuple[float, float]
Path = tuple[Point, ...]
Box = tuple[float, float, float, float]  # left, top, right, bottom
_STEPS = 44  # pieces of a curved link


def node_points(nodes: Sequence[NodeView], box: Box, apart: float) -> list[Point]:
    """Each node's point in `box`, y downwards; nodes that lie close together are moved `apart`."""
    xs = _spread([node.x for node in nodes], box[0], box[2])
    ys = _spread([-node.y for node in nodes], box[1], box[3])
    return _pushed(list(zip(xs, ys, strict=True)), box, apart)


def _spread(values: list[float], low: float, high: float) -> list[float]:
    """Values on low..high: partly to scale, partly by rank, so that crowded stretches get room."""
    least, span = min(values), max(values) - min(values)
    if span <= 0:
        return [(low + high) / 2] * len(values)
    groups: list[list[float]] = []  # nearly equal values have one rank
    for value in sorted(values):
        if groups and value - groups[-1][0] <= 0.012 * span:
            groups[-1].append(value)
        else:
            groups.append([value])
    ranks, before = {}, 0.0
    for group in groups:
        ranks.update(dict.fromkeys(group, before + len(group) / 2))
        before += len(group)
    first, last = ranks[groups[0][0]], ranks[groups[-1][0]]
    return [
        low + (high - low) * (0.25 * (v - least) / span + 0.75 * (ranks[v] - first) / (last - first)) for v in values
    ]


def _pushed(points: list[Point], box: Box, apart: float) -> list[Point]:
    if len(points) > 150:  # as they are: they are dots
        return points
    for _ in range(40):
        moved = False
        for i in range(len(points)):
            for k in range(i):
                (ax, ay), (bx, by) = points[i], points[k]
                gap = math.hypot(ax - bx, ay - by)
                if gap < apart:
                    ux, uy = ((ax - bx) / gap, (ay - by) / gap) if gap > 1e-9 else (0.0, 1.0)
                    step, moved = (apart - gap) / 2 + 0.01, True
                    points[i] = _within(ax + ux * step, ay + uy * step, box)
                    points[k] = _within(bx - ux * step, by - uy * step, box)
        if not moved:
            break
    return points


def _within(x: float, y: float, box: Box) -> Point:
    return min(max(x, box[0]), box[2]), min(max(y, box[1]), box[3])


def link_ways(links: Sequence[LinkView], at: Sequence[Point], bow: float, lane: float, clear: float) -> list[Path]:
    """Each link's way from its tail to its head.

    One link each way between two nodes: side by side, `lane` apart, driving on the right. Several in one direction, or
    a node within `clear` of the straight way: curves that fan out up to `bow`, with roads on one side before bus lines.
    """
    pairs: dict[tuple[int, int], list[int]] = {}
    for i in sorted(range(len(links)), key=lambda i: links[i].mode == "bus"):
        tail, head = links[i].tail, links[i].head
        pairs.setdefault((min(tail, head), max(tail, head)), []).append(i)
    out: list[Path] = [()] * len(links)
    for (low, high), members in pairs.items():
        blocked = clear > 0 and any(
            _distance(p, at[low], at[high]) < clear for n, p in enumerate(at) if n not in (low, high)
        )
        forward = sum(links[i].tail == low for i in members)
        straight = not blocked and max(forward, len(members) - forward) == 1
        fan = [lane * (len(members) - 1) / 2] * len(members) if straight else _fan(len(members), blocked, bow)
        for i, offset in zip(members, fan, strict=True):
            ends = at[links[i].tail], at[links[i].head]
            same_side = straight or links[i].tail == low
            out[i] = (_straight if straight else _curve)(*ends, offset if same_side else -offset)
    return out


def _fan(n: int, blocked: bool, bow: float) -> list[float]:
    """Offsets of n curves, the flattest first; none in the middle if that is blocked."""
    rows = n + n % 2 if blocked else n
    return sorted((bow * (2 * k / (rows - 1) - 1) for k in range(rows)), key=lambda offset: (abs(offset), offset))[:n]


def _normal(a: Point, b: Point) -> Point:
    """To the right of the way from a to b, length 1."""
    length = math.dist(a, b) or 1.0
    return -(b[1] - a[1]) / length, (b[0] - a[0]) / length


def _straight(a: Point, b: Point, offset: float) -> Path:
    u, v = _normal(a, b)
    return (a[0] + u * offset, a[1] + v * offset), (b[0] + u * offset, b[1] + v * offset)


def _curve(a: Point, b: Point, offset: float) -> Path:
    u, v = _normal(a, b)
    points = []
    for k in range(_STEPS + 1):
        t = k / _STEPS
        ramp = min(1.0, min(t, 1 - t) / 0.24)
        side = offset * ramp * ramp * (3 - 2 * ramp)
        points.append((a[0] + (b[0] - a[0]) * t + u * side, a[1] + (b[1] - a[1]) * t + v * side))
    return tuple(points)


def _distance(p: Point, a: Point, b: Point) -> float:
    """From a point to the line between two others."""
    length = math.dist(a, b) ** 2 or 1.0
    t = ((p[0] - a[0]) * (b[0] - a[0]) + (p[1] - a[1]) * (b[1] - a[1])) / length
    t = min(max(t, 0.0), 1.0)
    return math.dist(p, (a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])))


def length(path: Path) -> float:
    return sum(math.dist(a, b) for a, b in pairwise(path))


def along(path: Path, t: float) -> tuple[Point, Point]:
    """The point at the share `t` of a path's length, and the direction there (length 1)."""
    left = min(max(t, 0.0), 1.0) * length(path)
    for a, b in pairwise(path):
        piece = math.dist(a, b)
        if left <= piece or b is path[-1]:
            share = left / piece if piece else 0.0
            u, v = _normal(a, b)
            return (a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share), (v, -u)
        left -= piece
    return path[-1], (1.0, 0.0)


def part(path: Path, start: float, end: float) -> Path:
    """The stretch of a path between two shares of its length."""
    whole, gone, inner = length(path) or 1.0, 0.0, []
    for a, b in pairwise(path):
        gone += math.dist(a, b)
        if start + 1e-6 < gone / whole < end - 1e-6:
            inner.append(b)
    return (along(path, start)[0], *inner, along(path, end)[0])


def trimmed(path: Path, first: float, last: float) -> Path:
    """Without `first` units at its beginning and `last` at its end, as far as that leaves something."""
    whole = length(path) or 1.0
    scale = min(1.0, 0.8 * whole / (first + last)) if first + last else 1.0
    return part(path, first * scale / whole, 1 - last * scale / whole)
