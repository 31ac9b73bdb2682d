"""Small drawings of people and signs. Each function returns primitives at a place in the picture."""

from __future__ import annotations

from lam_env.envs.scene import Circle, Item, Line, Polygon, Rectangle, arc


def person(x: float, y: float, colour: str, label: str, long_hair: bool = False) -> list[Item]:
    """Somebody standing with their feet at (x, y), 46 units high."""
    top = y - 37.5  # middle of the head
    crown = (*arc(x, top - 0.6, 8.6, 170, 370), (x + 3.6, top - 3.9), (x - 4.8, top - 2.9))
    items: list[Item] = [Rectangle(x - 11, y - 2, 22, 5, 2.5, fill="dark", opacity=0.35, label=label, group="people")]
    if long_hair:
        items.append(Rectangle(x - 8.6, top - 4, 17.2, 15, 6, fill="device"))
    items += [Line(x + 4.0 * side, y - 14, x + 4.4 * side, y - 2, stroke="device", stroke_width=5) for side in (-1, 1)]
    for side in (-1, 1):
        items += [
            Line(x + 8.4 * side, y - 25.5, x + 11.4 * side, y - 15, stroke=colour, stroke_width=4.4),
            Circle(x + 11.7 * side, y - 13.4, 2.3, fill="skin"),
        ]
    items += [
        Rectangle(x - 9, y - 29.5, 18, 18, 6, fill=colour),
        Circle(x, top, 8, fill="skin"),
        Polygon(crown, fill="device"),
        Circle(x - 2.8, top + 0.7, 1.1, fill="dark"),
        Circle(x + 2.8, top + 0.7, 1.1, fill="dark"),
        Polygon(arc(x, top + 1.9, 2.9, 30, 150), closed=False, stroke="dark", stroke_width=1),
    ]
    return items


def sleeper(x: float, y: float, colour: str, label: str) -> list[Item]:
    """Somebody in a bed: head at (x, y), blanket below."""
    items: list[Item] = [
        Circle(x, y, 6.4, fill="skin", label=label, group="people"),
        Polygon((*arc(x, y - 0.4, 7.0, 180, 360), (x + 3, y - 3), (x - 3, y - 2.6)), fill="device"),
        Polygon(arc(x - 2.5, y + 0.2, 1.5, 20, 160), closed=False, stroke="dark", stroke_width=0.8),
        Polygon(arc(x + 2.5, y + 0.2, 1.5, 20, 160), closed=False, stroke="dark", stroke_width=0.8),
        Rectangle(x - 15, y + 7.5, 30, 26, 6, fill=colour),
        Rectangle(x - 15, y + 7.5, 30, 6.5, 3, fill="cloth"),
    ]
    for i, size in enumerate((3.0, 4.2, 5.6)):  # the sleeper's z z z, drawn and not written
        u, v = x + 8 + 5.2 * i, y - 6 - 5.5 * i
        points = ((u, v), (u + size, v), (u, v + size), (u + size, v + size))
        items.append(Polygon(points, closed=False, stroke="asleep", stroke_width=1.3))
    return items


def padlock(x: float, y: float, closed: bool, role: str, label: str) -> list[Item]:
    """A padlock on a plate, centred at (x, y), 20 units wide; its colour and its shackle tell its state."""
    shackle = arc(x, y - 2, 3.6, 180, 360) if closed else tuple((u + 4.6, v) for u, v in arc(x, y - 3, 3.6, 180, 345))
    return [
        Circle(x, y, 11, fill="plate", stroke=role, stroke_width=1.6, label=label, group="devices"),
        Polygon(shackle, closed=False, stroke=role, stroke_width=2.0),
        Rectangle(x - 5, y - 1.5, 10, 7.5, 1.5, fill=role),
        Circle(x, y + 2, 1.2, fill="plate"),
    ]
