"""The side panel: who is at home and how they feel, what the agent did, what happened, and the running figures."""

from __future__ import annotations

from collections.abc import Iterator

from lam_env.envs.scene import Circle, Item, Rectangle, Text, shorten, text_width
from lam_env.envs.signs import TONES, agent_icon, answer_mark, badge, figure, gauge

from .view import HomeEventView, HomeView, PersonView

LEFT, TOP, WIDTH, BOTTOM = 706.0, 76.0, 242.0, 530.0
_INNER = LEFT + 12
_RIGHT = LEFT + WIDTH - 12
_TARIFFS = {"low": "ok", "normal": "text", "high": "warning"}


def _card(y: float, height: float, title: str) -> list[Item]:
    return [
        Rectangle(LEFT, y, WIDTH, height, 10, fill="panel", stroke="track", group="panel"),
        Text(_INNER, y + 17, title, 10.5, bold=True, fill="muted", group=title),
    ]


def _person(y: float, who: PersonView, role: str) -> Iterator[Item]:
    yield from badge(_INNER + 9, y + 13, who.name, role)
    x = _INNER + 26
    name = shorten(who.name, 11, 78, True)
    yield Text(x, y + 11, name, 11, bold=True, group="People")
    doing = "away" if who.room is None else f"in the {who.room}"
    words = who.activity or ("asleep" if who.asleep else doing)
    left = x + text_width(name, 11, True) + 8
    fill = "asleep" if who.asleep else "muted"
    yield Text(_RIGHT, y + 11, shorten(words, 10, _RIGHT - left), 10, anchor="end", fill=fill, group="People")
    if who.trust is not None:
        colour = "ok" if who.trust >= 0.6 else "caution" if who.trust >= 0.35 else "warning"
        yield from gauge(x, y + 18, 70, 6, who.trust, colour)
        yield Text(x + 76, y + 24, f"trust {who.trust:.2f}", 9, fill=colour, group="People")
        x += 132
    if who.mood:
        mood = shorten(who.mood, 9, _RIGHT - x)
        yield Text(_RIGHT, y + 24, mood, 9, anchor="end", fill="muted", group="People")


def _event(y: float, event: HomeEventView, colours: dict[str, str]) -> Iterator[Item]:
    yield Text(_INNER, y + 4, event.clock, 9.5, fill="muted", group="Last events")
    x = _INNER + 42
    by_agent = event.who == "agent"
    if by_agent:
        yield from agent_icon(x, y + 1, 6)
    elif event.who in colours:
        yield from badge(x, y, event.who, colours[event.who], 7)
    else:
        yield Circle(x, y, 3, fill="muted")
    room = _RIGHT - (x + 12) - (14 if event.tone in TONES else 0)
    fill = "agent" if by_agent else "text"
    yield Text(x + 12, y + 4, shorten(event.text, 10, room), 10, fill=fill, group="Last events")
    if event.tone in TONES:
        yield from answer_mark(_RIGHT - 5, y, event.tone, f"{event.text} {event.tone}", "Last events")


def _figures(y: float, view: HomeView) -> Iterator[Item]:
    tariff = f"tariff, {view.tariff_level}" if view.tariff_level else "tariff"
    cells = (
        ("indoors", f"{view.indoor:.1f} °C", "text"),
        ("power", "–" if view.power is None else f"{view.power:.2f} kW", "text"),
        (tariff, "–" if view.tariff is None else f"{view.tariff:.2f}", _TARIFFS.get(view.tariff_level, "text")),
        ("energy", f"{view.energy:.1f} kWh", "text"),
        ("cost", "–" if view.cost is None else f"{view.cost:.2f}", "text"),
        ("return", "–" if view.score is None else f"{view.score:+.1f}", "accent"),
    )
    for i, (name, value, role) in enumerate(cells):
        x, top = _INNER + (i % 3) * 76, y + 32 * (i // 3)
        yield from figure(x, top + 9, name, value, 72, role=role, group="Figures")


def home_panel(view: HomeView, colours: dict[str, str]) -> Iterator[Item]:
    """The four cards, from the top; `colours` gives each resident's role."""
    n_events, n_people = min(5, len(view.events)), len(view.people)
    spare = BOTTOM - TOP - 24 - (26 + 32 * n_people) - 58 - (28 + 20 * 5) - 78
    row = 32 + min(10.0, max(0.0, spare / max(1, n_people)))
    y, height = TOP, 26 + row * n_people
    yield from _card(y, height, "People")
    for i, who in enumerate(view.people):
        yield from _person(y + 23 + i * row, who, colours[who.name])
    y += height + 8

    yield from _card(y, 58, "Agent")
    word, role = ("on", "ok") if view.automation else ("switched off", "warning")
    width = text_width(word, 10, True) + 16
    yield Rectangle(_RIGHT - width, y + 7, width, 16, 8, stroke=role, stroke_width=1.4)
    yield Text(_RIGHT - width / 2, y + 18.5, word, 10, anchor="middle", bold=True, fill=role, group="Agent")
    yield from agent_icon(_INNER + 9, y + 42, 8.5)
    said = shorten(view.action, 12, _RIGHT - _INNER - 28, True) or ("waits" if view.automation else "is switched off")
    yield Text(_INNER + 28, y + 45.5, said, 12, bold=bool(view.action), fill="agent" if view.action else "muted",
               group="Agent")  # fmt: skip
    y += 58 + 8

    height = BOTTOM - 78 - 8 - y
    yield from _card(y, height, "Last events")
    step = min(29.0, (height - 28) / 5)
    for i, event in enumerate(view.events[:n_events]):
        yield from _event(y + 34 + i * step, event, colours)
    y += height + 8

    yield Rectangle(LEFT, y, WIDTH, BOTTOM - y, 10, fill="panel", stroke="track", group="panel")
    yield from _figures(y + 8, view)
