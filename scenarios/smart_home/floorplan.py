"""Floor plans of homes of 4 to 8 rooms, and the doors between the rooms."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

ROOMS = ("bedroom", "bathroom", "kitchen", "living", "hall", "study", "nursery", "laundry")
WIDTH, HEIGHT = 12.0, 7.8  # [m], of every home
OUTSIDE = "outside"


class Rect(NamedTuple):
    """A room's place [m]: left, top, width, height (y grows to the south)."""

    x: float
    y: float
    width: float
    height: float


class Door(NamedTuple):
    """The middle of a door [m]; `upright`: it lies in a wall that runs north to south."""

    x: float
    y: float
    upright: bool


def _row(y: float, height: float, **widths: float) -> dict[str, Rect]:
    """Rooms side by side from the left wall."""
    x, row = 0.0, {}
    for room, width in widths.items():
        row[room] = Rect(x, y, width, height)
        x = round(x + width, 3)
    return row


_NORTH, _HALL, _SOUTH = (0.0, 2.95), (2.95, 1.9), (4.85, 2.95)  # [m] top and depth of the rows about a corridor
_PLANS = {
    4: _row(0.0, 3.9, bedroom=4.8, bathroom=2.8, kitchen=4.4) | _row(3.9, 3.9, living=12.0),
    5: _row(0.0, 3.9, kitchen=4.6, bathroom=3.2, bedroom=4.2) | _row(3.9, 3.9, living=6.4, hall=5.6),
    6: _row(*_NORTH, kitchen=4.4, bathroom=2.8, bedroom=4.8)
    | _row(*_HALL, hall=12.0)
    | _row(*_SOUTH, living=7.0, study=5.0),
    7: _row(*_NORTH, kitchen=4.4, bathroom=2.8, bedroom=4.8)
    | _row(*_HALL, hall=12.0)
    | _row(*_SOUTH, living=5.0, nursery=3.2, study=3.8),
    8: _row(*_NORTH, kitchen=3.6, bathroom=2.4, laundry=2.2, bedroom=3.8)
    | _row(*_HALL, hall=12.0)
    | _row(*_SOUTH, living=5.0, nursery=3.2, study=3.8),
}
_PAIRS = {
    4: "bedroom-living bathroom-living kitchen-living bedroom-bathroom",
    5: "bedroom-hall bathroom-hall living-hall kitchen-living bedroom-bathroom",
    6: "bedroom-hall bathroom-hall kitchen-hall living-hall study-hall bedroom-bathroom",
    7: "bedroom-hall bathroom-hall kitchen-hall living-hall study-hall nursery-hall bedroom-bathroom",
    8: "bedroom-hall bathroom-hall kitchen-hall living-hall study-hall nursery-hall laundry-hall bathroom-laundry",
}


def _check(n: int) -> int:
    if n not in _PLANS:
        raise ValueError(f"floor plan: {n!r} rooms; a home has 4 to 8")
    return n


def rooms(n: int) -> tuple[str, ...]:
    """The rooms of a home of n, in the order of ROOMS; a home of four has no hall."""
    return ROOMS[: _check(n)]


def layout(n: int) -> dict[str, Rect]:
    """Where each room of a home of n rooms lies; together they fill WIDTH x HEIGHT."""
    return {room: _PLANS[_check(n)][room] for room in rooms(n)}


def entrance(n: int) -> str:
    """The room behind the front door."""
    return "living" if _check(n) == 4 else "hall"


@cache
def adjacency(n: int) -> frozenset[tuple[str, str]]:
    """Pairs of rooms with a door between them, each pair once, in alphabetical order."""
    pairs = (pair.split("-") for pair in _PAIRS[_check(n)].split())
    return frozenset((min(a, b), max(a, b)) for a, b in pairs)


@cache
def doors(n: int) -> dict[tuple[str, str], Door]:
    """The door of each pair in `adjacency` and the front door, (OUTSIDE, room).

    A door lies at the right or lower end of the shared wall.
    """
    plan = layout(n)
    places = {}
    for a, b in sorted(adjacency(n)):
        p, q = plan[a], plan[b]
        right, bottom = min(p.x + p.width, q.x + q.width), min(p.y + p.height, q.y + q.height)
        left, top = max(p.x, q.x), max(p.y, q.y)
        if right - left < bottom - top:
            places[a, b] = Door(left, bottom - 0.8, True)
        else:
            places[a, b] = Door(right - 0.55, top, False)
    home = plan[entrance(n)]
    if home.y + home.height < HEIGHT:  # a corridor between two rows: the front door is at its end
        places[OUTSIDE, entrance(n)] = Door(home.x, home.y + home.height / 2, True)
    else:
        places[OUTSIDE, entrance(n)] = Door(home.x + home.width / 2, HEIGHT, False)
    return places
