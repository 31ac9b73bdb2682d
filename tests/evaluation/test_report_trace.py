"""Episodes as replays."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lam_env.core import registry
from lam_env.envs.scene import ROLES, Circle, Line, Polygon, Rectangle, Scene, Text
from lam_env.evaluation.episode import Moment, episode
from lam_env.evaluation.report.trace import MOST_BETWEEN, Draw, Pack, changed_primitives, choose_moments, spread, trace

SMALL = {"traffic": {"days": 2, "travellers": 30, "burn_in": 5}, "smart_home": {"days": 1}, "game": {"days": 3}}


class Busy:
    """Acts whenever it can, without memory."""

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = True
    ) -> Any:
        possible = observation["action_mask"][:, 1:]
        every = (observation["epoch"][:, 0] // 60) % 3 == 0
        return np.where(possible.any(1) & every, possible.argmax(1) + 1, 0), state


def undo(before: Sequence[int], draw: Draw) -> list[int]:
    """What `changed_primitives` was made of, as the page's script reads it."""
    out: list[int] = []
    for part in draw:
        out += before[part[0] : part[0] + part[1]] if isinstance(part, list) else [part]
    return out


@given(st.lists(st.integers(0, 9), max_size=40), st.lists(st.integers(0, 9), max_size=40))
def test_a_difference_can_be_undone(before: list[int], now: list[int]) -> None:
    assert undo(before, changed_primitives(before, now)) == now


def test_what_stays_costs_a_pair() -> None:
    assert changed_primitives(range(500), [*range(200), 999, *range(201, 500)]) == [[0, 200], 999, [201, 299]]


@given(st.lists(st.integers(), max_size=50), st.integers(1, 20))
def test_what_is_spread_keeps_the_order_and_the_limit(of: list[int], most: int) -> None:
    found = spread(list(range(len(of))), most)
    assert len(found) == min(len(of), most)
    assert found == sorted(set(found))


def test_a_short_episode_is_shown_whole() -> None:
    weights = [(0, 0), (0, 1), (0, 0), (1, 2)]
    assert choose_moments(weights, 5) == ({0, 1, 3}, {0, 1}, True)


def test_of_a_long_one_the_busiest_day_and_acts_before_anything_else() -> None:
    quiet, busy = [(0, 1)] * 30, [(1, 1)] * 10 + [(1, 2)] * 8
    moments, days, whole = choose_moments([*quiet, *busy], 10)
    assert days == {1}
    assert not whole
    assert len(moments) == 10
    assert set(range(40, 48)) <= moments  # all acts


def test_days_beside_the_busiest_are_shown_where_there_is_room() -> None:
    weights = [(day, 2 if day == 3 else 1) for day in range(6) for _ in range(4)]
    _, days, _ = choose_moments(weights, 12)
    assert days == {3, 4, 5}


def test_a_scene_is_packed_item_by_item_and_colours_by_role() -> None:
    scene = Scene(
        100,
        50,
        (
            Rectangle(1, 2, 3.04, 4, 5, fill="lit", soft=True, label="lamp"),
            Line(0, 0, 1, 1, stroke="muted", stroke_width=2),
            Circle(5, 5, 2, fill="ok", opacity=0.5),
            Circle(5, 5, 2, fill="ok", opacity=0.0),  # not to be seen
            Polygon(((0, 0), (1, 0), (1, 1)), fill="ok", closed=False),
            Text(3, 4, "hello", 12, "end", True),
        ),
    )
    pack = Pack()
    assert pack.add(scene) == [0, 1, 2, 3, 4]
    assert pack.add(scene) == [[0, 5]]
    rows, styles = list(pack.items), list(pack.styles)
    assert [row[0] for row in rows] == ["r", "l", "c", "p", "t"]
    assert rows[0][2:] == (1, 2, 3, 4, 5, 1, "lamp")
    assert rows[3][2:] == ("", 0, 0, 0, 1, 0, 1, 1)
    assert rows[4][2:] == (3, 4, 12, 2, 1, "hello")
    assert styles[rows[1][1]] == (None, "muted", 2, 1.0)
    assert styles[rows[2][1]] == ("ok", None, 0, 0.5)


@pytest.mark.parametrize("name", registry.scenario_names())
def test_every_scenario_has_a_replay_that_is_small_and_plain(name: str) -> None:
    scenario = registry.scenario(name)(**SMALL.get(name, {}))
    played = 0

    def play(telling: bool) -> Iterator[Moment]:
        nonlocal played
        played += 1
        return episode(Busy(), scenario, 2_000_001, lambda o, s: np.full(len(scenario.vocabulary), 0.01))

    text = json.dumps(trace(play, scenario, {"agent": "busy"}, most=12), allow_nan=False)
    found = json.loads(text)
    assert played == 2
    assert len(text) < 400_000
    frames = found["frames"]
    decisions = [f for f in frames if "time" in f]
    assert 1 <= len(decisions) <= 13
    assert len(frames) - len(decisions) <= MOST_BETWEEN
    assert any("action" in f for f in decisions)
    assert all(len(f["expected"]) == 3 for f in decisions if "expected" in f)
    numbers: list[int] = []
    for frame in frames:
        numbers = undo(numbers, frame["draw"])
        assert numbers
        assert max(numbers) < len(found["items"])
    assert {role for style in found["styles"] for role in style[:2] if role} <= ROLES | set(found["roles"])
    assert max(item[1] for item in found["items"]) < len(found["styles"])
    pictures = [f["title"] for f in frames]
    assert len(set(pictures)) > 1


def test_a_trace_is_the_same_each_time() -> None:
    home = registry.scenario("smart_home")(days=1)
    one, other = (trace(lambda telling: episode(Busy(), home, 5), home, {}, most=6) for _ in range(2))
    assert one == other


def test_nothing_is_told_of_days_before_the_first_picture() -> None:
    home = registry.scenario("smart_home")(days=2)
    found = trace(lambda telling: episode(Busy(), home, 7), home, {}, most=5)
    assert not found["whole"]
    assert len(found["frames"][0]["since"]) < 8


def test_of_a_world_that_lives_on_between_decisions_only_shown_days_are_seen() -> None:
    traffic = registry.scenario("traffic")(**SMALL["traffic"] | {"days": 3})
    found = trace(lambda telling: episode(Busy(), traffic, 2_000_001), traffic, {}, most=6)
    frames = found["frames"]
    days = {frame["title"].split()[1] for frame in frames}
    between = [frame for frame in frames if "time" not in frame]
    assert not found["whole"]
    assert "time" in frames[0]
    assert between
    assert len(days) == 1
