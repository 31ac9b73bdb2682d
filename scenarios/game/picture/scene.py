"""The picture of the game: character sheet, quests, the latest plays, and moods, which the agent does not see."""

from __future__ import annotations

from collections.abc import Iterator

from lam_env.envs.scene import Circle, Item, Line, Rectangle, Scene, Text, flat, shorten

from .view import LOST, NEITHER, GameView

WIDTH, HEIGHT = 720.0, 440.0


def game_scene(view: GameView) -> Scene:
    """The picture of `view`, 720 x 440 units."""
    items = flat(_head(view), _sheet(view), _quests(view), _moods(view), _timeline(view))
    return Scene(WIDTH, HEIGHT, items, title=f"Game, {view.clock}")


def _panel(x: float, y: float, w: float, h: float, title: str) -> Iterator[Item]:
    yield Rectangle(x, y, w, h, 8, fill="panel")
    yield Text(x + 12, y + 22, title, 13, bold=True, fill="text")


def _gauge(x: float, y: float, w: float, name: str, value: float, role: str) -> Iterator[Item]:
    yield Text(x, y + 9, name, 11, fill="muted", group=name)
    yield Rectangle(x + 84, y, w - 84, 10, 4, fill="track")
    full = (w - 84) * min(1.0, max(0.0, value))
    if full > 0:
        yield Rectangle(x + 84, y, full, 10, 4, fill=role, label=f"{name} {value:.2f}")


def _head(view: GameView) -> Iterator[Item]:
    yield Text(16, 30, view.clock, 18, bold=True, fill="text")
    state = "has left for good" if view.gone else f"session {view.sessions}, {view.minutes:.0f} min"
    fill = "warning" if view.gone else "muted"
    yield Text(704, 30, f"day {view.day} of {view.days}, {state}", 12, anchor="end", fill=fill)
    if view.said:
        yield Text(360, 30, f"advice: {view.said}", 12, anchor="middle", fill="agent")


def _sheet(view: GameView) -> Iterator[Item]:
    yield from _panel(16, 44, 220, 236, f"{view.character}, level {view.level}")
    yield from _gauge(28, 80, 196, "xp", view.xp, "accent")
    yield from _gauge(28, 104, 196, "gear", view.gear / 4, "accent")
    total = max(1, sum(x for _, x in view.points))
    for i, (name, x) in enumerate(view.points):
        yield from _gauge(28, 138 + 24 * i, 196, f"{name} {x}", x / total, "person0")
    yield Text(28, 262, f"difficulty {view.difficulty:+d}", 12, fill="text")


def _quests(view: GameView) -> Iterator[Item]:
    yield from _panel(248, 44, 220, 236, "quests")
    step = min(24.0, 190 / max(1, len(view.quests)))
    yield Line(264, 84, 264, 84 + step * (len(view.quests) - 1), stroke="track", stroke_width=2)
    for i, (name, share, is_open) in enumerate(view.quests):
        y = 84 + step * i
        role = "ok" if share >= 1 else "caution" if is_open else "track"
        yield Circle(264, y, 6, fill=role, label=f"{name} {share:.0%}")
        text = shorten(name.replace("_", " "), 11, 130)
        yield Text(278, y + 4, text, 11, fill="text" if is_open or share >= 1 else "muted")
        if is_open or share >= 1:
            yield Text(456, y + 4, f"{share:.0%}", 11, anchor="end", fill="muted")


def _moods(view: GameView) -> Iterator[Item]:
    yield from _panel(480, 44, 224, 236, "moods (hidden)")
    good = ("satisfaction", "trust", "bond")
    for i, (name, value) in enumerate(view.moods):
        yield from _gauge(492, 84 + 27 * i, 200, name, value, "ok" if name in good else "caution")


def _timeline(view: GameView) -> Iterator[Item]:
    yield from _panel(16, 292, 688, 132, "latest plays")
    for i, (name, role) in enumerate((("won", "load_low"), ("lost", "load_high"), ("neither", "track"))):
        yield Rectangle(530 + 56 * i, 302, 10, 10, 2, fill=role)
        yield Text(544 + 56 * i, 311, name, 10, fill="muted")
    total = max(60.0, sum(m for _, m, _ in view.plays))
    x, scale = 28.0, 664 / total
    for i, (name, minutes, outcome) in enumerate(view.plays):
        wide = minutes * scale
        role = "track" if outcome == NEITHER else "load_high" if outcome == LOST else "load_low"
        yield Rectangle(x, 330, max(1.0, wide - 2), 30, 4, fill=role, label=f"{name}, {minutes:.0f} min")
        row = 378 + 14 * (i % 3)
        if text := shorten(name.replace("_", " "), 10, 80):
            at_end = x > 620  # a name that begins there would leave the panel
            yield Text(692 if at_end else x, row, text, 10, anchor="end" if at_end else "start", fill="muted")
        x += wide
