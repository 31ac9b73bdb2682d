"""An episode as a replay: pictures as drawing primitives, and beside each what was expected, done and answered.

A trace is plain JSON. `styles`: [fill, stroke, stroke width, opacity] each, colours by role. `roles`: the scenario's own. `items`: a row each,
[kind, style, geometry..., label], where
    r x y width height radius soft | l x1 y1 x2 y2 | c x y radius | p closed x y x y ... (label first) | t x y size anchor bold text
and `frames` draw items by number. A frame's `draw` is told by its difference to the frame before: a pair [first, count] copies
so many numbers from there, a number stands for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Any

from lam_env.core.events import FEEDBACK, USER
from lam_env.core.observation import WEEKDAYS
from lam_env.core.units import DAY
from lam_env.envs.scenario import Scenario
from lam_env.envs.scene import Circle, Item, Line, Polygon, Rectangle, Scene
from lam_env.evaluation.episode import EventFormatter, Moment, likeliest

MOST = 48  # decisions in a trace
MOST_BETWEEN = 24  # pictures between two decisions
QUIET = 900  # [s] without a decision after which pictures between are asked for
_ANCHORS = {"start": 0, "middle": 1, "end": 2}

Play = Callable[[bool], Iterator[Moment]]  # the same episode each time it is called; whether it tells what is expected


def trace(play: Play, scenario: Scenario, about: dict[str, object], most: int = MOST) -> dict[str, Any]:
    """Plays the episode twice: to choose the decisions worth showing, and to draw them. `about` is kept beside them."""
    chosen, days, whole = choose_moments(_weights(play(False)), most)
    pack, frames = Pack(), []
    for frame, scene in _thinned(_frames(play(True), scenario, chosen, days)):
        frames.append({**frame, "title": scene.title, "draw": pack.add(scene)})
    first = pack.first
    assert first is not None, "an episode has at least its end"
    return {
        **about,
        "whole": whole,
        "width": first.width,
        "height": first.height,
        "background": first.background,
        "roles": {role: list(pair) for role, pair in first.roles.items()},
        "styles": [list(style) for style in pack.styles],
        "items": pack.rows,
        "frames": frames,
    }


def _weights(moments: Iterable[Moment]) -> list[tuple[int, int]]:
    """(day, weight) of each moment: 2 the agent acts or is answered, 1 a person acts, 0 nothing."""
    out = []
    for m in moments:
        kinds = {e.kind for e in m.since}
        out.append((m.time // DAY, 2 if m.action or FEEDBACK in kinds else int(USER in kinds)))
    return out


def choose_moments(weights: Sequence[tuple[int, int]], most: int) -> tuple[set[int], set[int], bool]:
    """Which moments are drawn, and on which days: all with weight if they are few, else those of the busiest day and of the days about it
    for which there is room; acts and answers first."""
    heavy = [k for k, (_, w) in enumerate(weights) if w]
    days = sorted({day for day, _ in weights})
    if len(heavy) <= most:
        return {0, *heavy}, set(days), True
    busy = {day: [0, 0, 0] for day in days}  # moments of each weight
    for day, w in weights:
        busy[day][w] += 1
    first = last = max(range(len(days)), key=lambda i: (busy[days[i]][2], busy[days[i]][1], -i))
    room = most - sum(busy[days[first]][1:])
    while last + 1 < len(days) and (need := sum(busy[days[last + 1]][1:])) <= room:
        last, room = last + 1, room - need
    while first > 0 and (need := sum(busy[days[first - 1]][1:])) <= room:
        first, room = first - 1, room - need
    shown = set(days[first : last + 1])
    mine = {w: [k for k in heavy if weights[k][1] == w and weights[k][0] in shown] for w in (2, 1)}
    acts = spread(mine[2], most)
    return {*acts, *spread(mine[1], most - len(acts))}, shown, False


def spread(of: Sequence[int], most: int) -> list[int]:
    """At most so many of a list, evenly."""
    if len(of) <= most:
        return list(of)
    return [of[i * len(of) // most] for i in range(most)]


def _frames(
    moments: Iterable[Moment], scenario: Scenario, chosen: set[int], days: set[int]
) -> Iterator[tuple[dict[str, Any], Scene]]:
    told, waiting, last, begun, end = EventFormatter(scenario), list[tuple[str, str]](), 0, False, max(chosen)
    for k, m in enumerate(moments):
        heard = told(m.since)
        waiting = waiting + heard if begun else heard  # nothing is told of days that are not shown
        follows = k > 0 and last // DAY in days  # so the time before it is to be seen as well
        if k > end and not follows:
            return
        if k in chosen or (follows and m.time - last >= QUIET):
            *between, now = m.scenes()
            for scene in between if follows else ():
                yield {}, scene
            if k in chosen:
                yield _decision(m, scenario, waiting), now
                waiting, begun = [], True
        last = m.time


def _decision(m: Moment, scenario: Scenario, since: list[tuple[str, str]]) -> dict[str, Any]:
    v = scenario.vocabulary
    found: dict[str, Any] = {"time": _clock(m.time), "since": [list(e) for e in since]}
    if m.expected is not None:
        found["expected"] = [[name, round(p, 3)] for name, p in likeliest(m.expected, v)]
        found["nothing"] = round(float(m.expected[0]), 3)
    if scenario.personal and scenario.n_users > 1:
        found["person"] = scenario.person(m.person)
    if m.action:
        found["action"] = v.actions[m.action]
    return found


def _clock(time: int) -> str:
    return f"{WEEKDAYS[time // DAY % 7]} {time // 3600 % 24:02}:{time // 60 % 60:02}"


def _thinned(frames: Iterator[tuple[dict[str, Any], Scene]]) -> list[tuple[dict[str, Any], Scene]]:
    found = list(frames)
    between = set(spread([i for i, (frame, _) in enumerate(found) if not frame], MOST_BETWEEN))
    return [both for i, both in enumerate(found) if both[0] or i in between]


class Pack:
    """Scenes as numbers of items, each item kept once."""

    def __init__(self) -> None:
        self.styles: dict[tuple[Any, ...], int] = {}
        self.items: dict[tuple[Any, ...], int] = {}
        self.first: Scene | None = None
        self._last: list[int] = []

    @property
    def rows(self) -> list[list[Any]]:
        return [list(row) for row in self.items]

    def add(self, scene: Scene) -> list[Any]:
        """`draw` of the next frame."""
        self.first = self.first or scene
        numbers = [
            self.items.setdefault(self._row(item), len(self.items))
            for item in scene.items
            if round(item.opacity, 2) > 0
        ]
        told = changed_primitives(self._last, numbers)
        self._last = numbers
        return told

    def _row(self, item: Item) -> tuple[Any, ...]:
        role = None if isinstance(item, Line) else item.fill
        stroke = item.stroke
        style = (role, stroke, _short(item.stroke_width) if stroke else 0, round(item.opacity, 2))
        number = self.styles.setdefault(style, len(self.styles))
        label = (item.label,) if item.label else ()
        if isinstance(item, Rectangle):
            box = (item.x, item.y, item.width, item.height, item.radius)
            return ("r", number, *map(_short, box), int(item.soft), *label)
        if isinstance(item, Line):
            return ("l", number, *map(_short, (item.x1, item.y1, item.x2, item.y2)), *label)
        if isinstance(item, Circle):
            return ("c", number, *map(_short, (item.x, item.y, item.radius)), *label)
        if isinstance(item, Polygon):
            return ("p", number, item.label, int(item.closed), *(_short(c) for point in item.points for c in point))
        anchor = _ANCHORS[item.anchor]
        return ("t", number, *map(_short, (item.x, item.y, item.size)), anchor, int(item.bold), item.text)


def _short(value: float) -> float:
    """To a tenth of a unit, a whole number as such."""
    tenth = round(float(value), 1)
    return int(tenth) if tenth.is_integer() else tenth


def changed_primitives(before: Sequence[int], now: Sequence[int]) -> list[Any]:
    """`now` as runs of `before` and numbers of its own."""
    out: list[Any] = []
    for tag, i, j, a, b in SequenceMatcher(None, before, now, autojunk=False).get_opcodes():
        if tag == "equal":
            out += [[i, j - i]] if j - i > 2 else now[a:b]
        else:
            out += now[a:b]
    return out


def undo(before: Sequence[int], told: Sequence[Any]) -> list[int]:
    """What `changed_primitives` was made of."""
    out: list[int] = []
    for part in told:
        out += before[part[0] : part[0] + part[1]] if isinstance(part, list) else [part]
    return out
