"""An episode as a replay: pictures as drawing primitives, and beside each what was expected, done and answered.

A trace is plain JSON. `styles`: [fill, stroke, stroke width, opacity] each, colours by role. `roles`: the scenario's
own. `items`: a row each, [kind, style, geometry..., label], where
    r x y width height radius soft | l x1 y1 x2 y2 | c x y radius
    p closed x y x y ... (label first) | t x y size anchor bold text
and `frames` draw items by number. A frame's `draw` is its difference to the frame before: a pair [first, count] copies
so many numbers from there, a number stands for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import TypedDict

from lam_env.core.events import FEEDBACK, USER
from lam_env.core.observation import WEEKDAYS
from lam_env.core.units import DAY, HOUR, MINUTE
from lam_env.envs.scenario import Scenario
from lam_env.envs.scene import Circle, Item, Line, Polygon, Rectangle, Scene
from lam_env.evaluation.episode import EventFormatter, Moment, likeliest

MOST = 48  # decisions in a trace
MOST_BETWEEN = 24  # pictures between two decisions
QUIET = 900  # [s] without a decision after which pictures between are asked for
_ANCHORS = {"start": 0, "middle": 1, "end": 2}

Play = Callable[[bool], Iterator[Moment]]  # the same episode each time it is called; whether it says what is expected
Row = tuple[str | float, ...]  # an item
Style = tuple[str | float | None, ...]
Draw = list[int | list[int]]


class Frame(TypedDict, total=False):
    """A picture. At a decision all but `person` and `action`, which are left out where there are none, and what is
    expected where nobody predicts; between two decisions the picture alone."""

    time: str
    since: list[list[str]]
    expected: list[tuple[str, float]]
    nothing: float
    person: str
    action: str
    title: str
    draw: Draw


class Played(TypedDict):
    """Which episode a trace is of. `predictor`: whose expectations it holds."""

    kind: str
    agent: str
    seed: int
    predictor: str | None


class Trace(Played):
    """Older ones have no `roles`."""

    whole: bool
    width: float
    height: float
    background: str
    roles: dict[str, tuple[str, str]]
    styles: list[Style]
    items: list[Row]
    frames: list[Frame]


def trace(play: Play, scenario: Scenario, about: Played, most: int = MOST) -> Trace:
    """Plays the episode twice: to choose the decisions worth showing, and to draw them."""
    chosen, days, whole = choose_moments(_weights(play(False)), most)
    pictures = _thinned(_frames(play(True), scenario, chosen, days))
    pack, (_, first) = Pack(), pictures[0]  # an episode has at least its end
    frames: list[Frame] = [{**frame, "title": scene.title, "draw": pack.add(scene)} for frame, scene in pictures]
    return {
        **about,
        "whole": whole,
        "width": first.width,
        "height": first.height,
        "background": first.background,
        "roles": dict(first.roles),
        "styles": list(pack.styles),
        "items": list(pack.items),
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
    """Which moments are drawn, on which days, and whether these are all: all with weight if they are few, else those of
    the busiest day and of the days about it for which there is room; acts and answers first."""
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
    drawn = set(days[first : last + 1])
    mine = {w: [k for k in heavy if weights[k][1] == w and weights[k][0] in drawn] for w in (2, 1)}
    acts = spread(mine[2], most)
    return {*acts, *spread(mine[1], most - len(acts))}, drawn, False


def spread(of: Sequence[int], most: int) -> list[int]:
    """At most so many of a list, evenly."""
    if len(of) <= most:
        return list(of)
    return [of[i * len(of) // most] for i in range(most)]


def _frames(
    moments: Iterable[Moment], scenario: Scenario, chosen: set[int], days: set[int]
) -> Iterator[tuple[Frame, Scene]]:
    in_words, waiting, last, begun, end = EventFormatter(scenario), list[tuple[str, str]](), 0, False, max(chosen)
    for k, m in enumerate(moments):
        events = in_words(m.since)
        waiting = waiting + events if begun else events  # those of days that are not shown are left out
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


def _decision(m: Moment, scenario: Scenario, since: list[tuple[str, str]]) -> Frame:
    v, time = scenario.vocabulary, m.time
    clock = f"{WEEKDAYS[time // DAY % 7]} {time // HOUR % 24:02}:{time // MINUTE % 60:02}"
    frame: Frame = {"time": clock, "since": [list(e) for e in since]}
    if m.expected is not None:
        frame["expected"] = [(name, round(p, 3)) for name, p in likeliest(m.expected, v)]
        frame["nothing"] = round(float(m.expected[0]), 3)
    if scenario.personal and scenario.n_users > 1:
        frame["person"] = scenario.person(m.person)
    if m.action:
        frame["action"] = v.actions[m.action]
    return frame


def _thinned(frames: Iterator[tuple[Frame, Scene]]) -> list[tuple[Frame, Scene]]:
    pictures = list(frames)
    between = set(spread([i for i, (frame, _) in enumerate(pictures) if not frame], MOST_BETWEEN))
    return [both for i, both in enumerate(pictures) if both[0] or i in between]


class Pack:
    """Scenes as numbers of items, each item and each style kept once."""

    def __init__(self) -> None:
        self.styles: dict[Style, int] = {}
        self.items: dict[Row, int] = {}
        self._last: list[int] = []

    def add(self, scene: Scene) -> Draw:
        """`draw` of the next frame."""
        visible = [self._row(item) for item in scene.items if round(item.opacity, 2) > 0]
        before, self._last = self._last, [self.items.setdefault(row, len(self.items)) for row in visible]
        return changed_primitives(before, self._last)

    def _row(self, item: Item) -> Row:
        role = None if isinstance(item, Line) else item.fill
        stroke = item.stroke
        style: Style = (role, stroke, _short(item.stroke_width) if stroke else 0, round(item.opacity, 2))
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


def changed_primitives(before: Sequence[int], now: Sequence[int]) -> Draw:
    """`now` as runs of `before` and numbers of its own."""
    out: Draw = []
    for tag, i, j, a, b in SequenceMatcher(None, before, now, autojunk=False).get_opcodes():
        out += [[i, j - i]] if tag == "equal" and j - i > 2 else now[a:b]
    return out
