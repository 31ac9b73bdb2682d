"""The side panel: who is asked and what they did, where everybody is, today's figures, and what happened."""

from __future__ import annotations

from collections.abc import Iterator

from lam_env.envs.scene import Circle, Item, Rectangle, Text, shorten, text_width
from lam_env.envs.signs import TONES, agent_icon, answer_mark, badge, figure, gauge

from .view import CountsView, FiguresView, TrafficEventView, TrafficView, TravellerView

LEFT, TOP, WIDTH, BOTTOM = 692.0, 66.0, 256.0, 588.0
_INNER, _RIGHT = LEFT + 14, LEFT + WIDTH - 14
_ROOM = _RIGHT - _INNER
_ROW = 21.0  # height of an event


def _card(y: float, height: float, title: str) -> list[Item]:
    return [
        Rectangle(LEFT, y, WIDTH, height, 10, fill="panel", stroke="track", group="panel"),
        Text(_INNER, y + 18, title, 10.5, bold=True, fill="muted", group=title),
    ]


def traffic_panel(view: TrafficView) -> Iterator[Item]:
    y = TOP
    question = f"Asked at {view.traveller.clock}" if view.traveller and view.traveller.clock else "Now asked"
    for height, title, items in (
        (128.0, question, _traveller(y, view.traveller, question)),
        (84.0, "Travellers", _counts(y + 136, view.counts)),
        (130.0, "Today", _figures(y + 228, view.figures)),
    ):
        yield from _card(y, height, title)
        yield from items
        y += height + 8
    yield from _card(y, BOTTOM - y, "Last events")
    for i, event in enumerate(view.events[: int((BOTTOM - y - 32) / _ROW)]):
        yield from _event(y + 36 + i * _ROW, event)


def _traveller(y: float, who: TravellerView | None, group: str) -> Iterator[Item]:
    if who is None:
        yield Text(_INNER, y + 46, "nobody is setting out", 11, fill="muted", group=group)
        return
    yield from badge(_INNER + 9, y + 40, who.name, "person0")
    x = _INNER + 26
    gauge_left = _RIGHT - 96
    yield Text(x, y + 44, shorten(who.name, 12, gauge_left - x - 8, True), 12, bold=True, group=group)
    if who.trust is not None:
        role = "ok" if who.trust >= 0.6 else "caution" if who.trust >= 0.35 else "warning"
        words = f"trust {who.trust:.2f}"
        yield Text(_RIGHT, y + 44, words, 10, anchor="end", fill=role, group=group)
        yield from gauge(gauge_left, y + 37, 92 - text_width(words, 10), 7, who.trust, role)
    yield Text(x, y + 66, shorten(f"usually {who.habit}", 10, _RIGHT - x), 10, fill="user", group=group)
    yield from agent_icon(_INNER + 9, y + 86, 6.5)
    words = f"advice: {who.advice}" if who.advice else "no advice" if who.answer else "no advice yet"
    fill, bold = ("agent", True) if who.advice else ("muted", False)
    yield Text(x, y + 88, shorten(words, 10.5, _RIGHT - x, bold), 10.5, bold=bold, fill=fill, group=group)
    if who.tone in TONES:
        yield from answer_mark(_INNER + 9, y + 107, who.tone, f"advice {who.tone}", group)
    if who.answer:
        fill = TONES.get(who.tone, "text")
        yield Text(x, y + 110, shorten(who.answer, 10.5, _RIGHT - x), 10.5, fill=fill, group=group)


def _counts(y: float, counts: CountsView) -> Iterator[Item]:
    parts = (
        ("home", counts.at_home, "caution"),
        ("car", counts.on_road, "vehicle"),
        ("bus", counts.on_bus, "transit"),
        ("arrived", counts.arrived, "accent"),
    )
    total = sum(count for _, count, _ in parts)
    yield Text(_RIGHT, y + 18, f"{total} in all", 10, anchor="end", fill="muted", group="Travellers")
    yield from _stack(y + 27, [(count / total if total else 0.0, role) for _, count, role in parts])
    for i, (name, count, role) in enumerate(parts):
        x = _INNER + i * _ROOM / 4
        yield Circle(x + 3.5, y + 52, 3.5, fill=role)
        yield Text(x + 11, y + 56, shorten(str(count), 12, _ROOM / 4 - 12, True), 12, bold=True, group="Travellers")
        yield Text(x, y + 71, name, 9.5, fill="muted", group="Travellers")


def _stack(y: float, parts: list[tuple[float, str]]) -> Iterator[Item]:
    """Shares of a whole, side by side."""
    yield Rectangle(_INNER, y, _ROOM, 10, 3, fill="track")
    x = _INNER
    for share, role in parts:
        if share > 0:
            yield Rectangle(x, y, max(1.0, share * _ROOM - 1), 10, fill=role)
        x += share * _ROOM


def _number(value: float | None, form: str, unit: str = "") -> str:
    return "–" if value is None else f"{value:{form}}{unit}"


def _figures(y: float, today: FiguresView) -> Iterator[Item]:
    role, cost = "text", shorten(_number(today.cost, ".1f", " min"), 15, 110, True)
    if today.cost is not None and today.usual_cost is not None:
        gain = today.cost - today.usual_cost
        role = "ok" if gain < -0.05 else "warning" if gain > 0.05 else "text"
        usual = shorten(f"usual {today.usual_cost:.1f} min", 10, _ROOM - 76 - text_width(cost, 15, True))
        yield Text(_RIGHT, y + 42, usual, 10, anchor="end", fill="muted", group="Today")
    yield Text(_INNER, y + 42, "cost a trip", 10, fill="muted", group="Today")
    yield Text(_INNER + 66, y + 42, cost, 15, bold=True, fill=role, group="Today")
    cells = (
        ("delay", _number(today.delay, ".1f", " min")),
        ("max queue", _number(today.peak_queue, "d")),
        ("accepted", _number(today.acceptance, ".0%")),
    )
    for i, (name, value) in enumerate(cells):
        x = _INNER + i * (_ROOM + 6) / 3
        yield from figure(x, y + 64, name, value, _ROOM / 3, size=9.5, gap=16, group="Today")
    whole = max(1.0, sum(today.shares.values()))
    roles = {"car": "vehicle", "bus": "transit"}
    yield from _stack(y + 94, [(share / whole, roles.get(mode, "muted")) for mode, share in today.shares.items()])
    words = "  ".join(f"{mode} {share:.0%}" for mode, share in today.shares.items()) or "no departures yet"
    yield Text(_INNER, y + 120, shorten(words, 10, _ROOM), 10, fill="muted", group="Today")


def _event(y: float, event: TrafficEventView) -> Iterator[Item]:
    group = "Last events"
    yield Text(_INNER, y + 4, event.clock, 9.5, fill="muted", group=group)
    x = _INNER + 44
    by_agent = event.who == "agent"
    if by_agent:
        yield from agent_icon(x, y + 1, 5.5)
    else:
        yield Circle(x, y, 3, fill="muted")
    room = _RIGHT - (x + 12) - (16 if event.tone in TONES else 0)
    words = event.text if by_agent else f"{event.who} {event.text}"
    yield Text(x + 12, y + 4, shorten(words, 10, room), 10, fill="agent" if by_agent else "text", group=group)
    if event.tone in TONES:
        yield from answer_mark(_RIGHT - 5, y, event.tone, f"{event.clock} {words} {event.tone}", group)
