"""Signs that pictures of several scenarios share. Each function returns primitives at a place in the picture."""

from __future__ import annotations

from lam_env.envs.scene import Circle, Item, Line, Polygon, Rectangle, Text, shorten, text_width

# how an act or advice was taken, and the colour role that tells it
TONES = {"accepted": "ok", "overridden": "warning", "refused": "warning", "missed": "caution", "ignored": "caution"}


def plate(x: float, y: float, text: str, size: float, *, room: float = 1e9, fill: str = "text", bold: bool = False,
          anchor: str = "start", group: str = "", opacity: float = 0.88) -> list[Item]:  # fmt: skip
    """A text of at most `room` units on a rounded plate; `y` is the plate's top."""
    words = shorten(text, size, room - 8, bold)
    if not words:
        return []
    width = text_width(words, size, bold) + 8
    left = x - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
    return [
        Rectangle(left, y, width, size + 5, 4, fill="plate", opacity=opacity, group=group),
        Text(left + 4, y + size + 0.8, words, size, bold=bold, fill=fill, group=group),
    ]


def gauge(x: float, y: float, width: float, height: float, value: float, role: str) -> list[Item]:
    """A horizontal bar, full at 1."""
    value = min(max(value, 0.0), 1.0)
    return [
        Rectangle(x, y, width, height, height / 2, fill="track"),
        Rectangle(x, y, max(height, width * value), height, height / 2, fill=role),
    ]


def figure(x: float, y: float, name: str, value: str, room: float, *, size: float = 9.0, gap: float = 14.0,
           role: str = "text", group: str = "") -> list[Item]:  # fmt: skip
    """A value under its name, whose baseline is `y`."""
    said = f"{name} {value}"
    return [
        Text(x, y, name, size, fill="muted", group=group, label=said),
        Text(x, y + gap, shorten(value, 12, room, True), 12, bold=True, fill=role, group=group, label=said),
    ]


def badge(x: float, y: float, name: str, role: str, size: float = 9.0) -> list[Item]:
    """A person's initial on their colour."""
    return [
        Circle(x, y, size, fill=role),
        Text(x, y + size * 0.38, name[:1].upper(), size * 1.1, anchor="middle", bold=True, fill="on_colour"),
    ]


def agent_icon(x: float, y: float, size: float = 7.0) -> list[Item]:
    """A small robot's head about (x, y)."""
    eye = size * 0.2
    return [
        Line(x, y - size * 1.3, x, y - size * 0.7, stroke="agent", stroke_width=1.4),
        Circle(x, y - size * 1.4, size * 0.22, fill="agent"),
        Rectangle(x - size, y - size * 0.75, 2 * size, 1.6 * size, size * 0.45, fill="agent"),
        Circle(x - size * 0.42, y, eye, fill="on_colour"),
        Circle(x + size * 0.42, y, eye, fill="on_colour"),
    ]


def answer_mark(x: float, y: float, tone: str, label: str = "", group: str = "") -> list[Item]:
    """How something was taken (one of `TONES`): a tick, a cross or a ring about (x, y)."""
    role = TONES[tone]
    if tone == "accepted":
        points = ((x - 4, y), (x - 1, y + 3.4), (x + 4.4, y - 3.6))
        return [Polygon(points, closed=False, stroke=role, stroke_width=2, label=label, group=group)]
    if role == "warning":
        return [
            Line(x - 3.5, y - 3.5, x + 3.5, y + 3.5, stroke=role, stroke_width=2, label=label, group=group),
            Line(x - 3.5, y + 3.5, x + 3.5, y - 3.5, stroke=role, stroke_width=2),
        ]
    return [Circle(x, y, 3.8, stroke=role, stroke_width=1.8, label=label, group=group)]
