"""What a log holds, in lines."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lam_env.core.events import USER, ActionLog, Vocabulary
from lam_env.core.units import DAY, HOUR
from lam_env.logs.coverage import ORDER, STEP
from lam_env.logs.look import summary
from lam_env.logs.statistics import streams

ACTIONS = ("none", "rise", "tea", "sleep")


def log_of(times: list[int], tokens: list[int], **more: object) -> ActionLog:
    columns = {"time": times, "kind": [USER] * len(times), "token": tokens, "user": [0] * len(times)}
    columns |= {name: more.pop(name) for name in ("user", "world", "value") if name in more}
    meta = {"start": "2026-01-05", **more.pop("meta", {})}
    return ActionLog.from_columns(columns, Vocabulary(ACTIONS), meta=meta, **more)


def rates(log: ActionLog) -> list[str]:
    return summary.rates(log, streams(log))


def days(n: int) -> ActionLog:
    """Rise at seven, tea at eight, sleep at 23, on each of n days."""
    times = [day * DAY + hour * HOUR for day in range(n) for hour in (7, 8, 23)]
    return log_of(times, [1, 2, 3] * n)


def test_users_by_name_the_busiest_first():
    log = log_of([0, 1, 2], [1, 2, 3], user=[1, 1, 0], meta={"users": ["ann", "ben"]})
    assert summary.users_of(log) == [("ben", 2), ("ann", 1)]


def test_streams_are_users():
    log = log_of([0, 1, 2], [1, 2, 3], world=[0, 1, 1], meta={"users": ["ann", "ben"]})
    assert summary.users_of(log) == [("ben", 2), ("ann", 1)]
    assert "ben" in summary.first_rows(log)[1]


def test_first_rows_as_they_were_read():
    rows = summary.first_rows(days(9))
    assert len(rows) == summary.FIRST
    assert rows[0].split() == ["Mon", "2026-01-05", "07:00:00", "0", "rise"]
    assert rows[3].split()[:2] == ["Tue", "2026-01-06"]
    activity = log_of([HOUR], [3], value=[8 * HOUR], intervals=True)
    assert summary.first_rows(activity)[0].endswith("sleep, 480 min")


def test_rates_of_a_regular_life():
    lines = "\n".join(rates(days(40)))
    assert "events on a whole day: 3.0 on average, 3 to 3 mostly" in lines
    assert "0% of events repeat" in lines
    assert "0.0 by the last action" in lines


def test_repeats_and_lengths():
    log = log_of([0, HOUR, 2 * HOUR], [2, 2, 2], value=[600, 600, 600], intervals=True)
    lines = "\n".join(rates(log))
    assert "100% of events repeat" in lines
    assert "lasts 10 min" in lines


def test_the_picture_of_the_hours():
    upper, lower, axis = summary.hour_profile(streams(days(5)))
    assert [i for i in range(24) if lower.ljust(72)[3 * i] == "█"] == [7, 8, 23]
    assert upper.rstrip().count("█") == 6
    assert axis.split() == [str(hour) for hour in range(0, 24, 2)]
    assert max(map(len, (upper, lower, axis))) <= 76


def test_the_table_of_actions():
    head, *rows = summary.action_table(days(5))
    assert head.split()[:3] == ["action", "times", "share"]
    assert [row.split()[:3] for row in rows] == [[name, "5", "33.3%"] for name in ("rise", "tea", "sleep")]
    assert rows[0].endswith("7.0 -  7.0 h")


def test_many_actions_are_counted():
    n = summary.ACTIONS + 3
    words = Vocabulary(("none", *(f"a{i}" for i in range(n))))
    columns = {"time": range(n), "kind": [USER] * n, "token": range(1, n + 1), "user": [0] * n}
    assert summary.action_table(ActionLog.from_columns(columns, words))[-1].startswith("... and 3 more, 20.0%")


@given(st.lists(st.floats(0, 24, exclude_max=True), min_size=1, max_size=30), st.floats(0, 24))
def test_the_middle_half_holds_half_of_the_times(hour: list[float], turn: float) -> None:
    low, high = summary.middle_half(np.array(hour))
    length = (high - low) % 24
    inside = ((np.array(hour) - low) % 24 <= length + 1e-9) | np.isclose((np.array(hour) - low) % 24, 24)
    assert 2 * inside.sum() >= len(hour)
    shifted = summary.middle_half((np.array(hour) + turn) % 24)
    assert (shifted[1] - shifted[0]) % 24 == pytest.approx(length, abs=1e-6)


@pytest.mark.parametrize(
    ("names", "pairs"),
    [
        (("Kitchen Light", "kitchen_light", "tv"), [("Kitchen Light", "kitchen_light")]),
        (("prepare breakfast", "preparing breakfast"), [("prepare breakfast", "preparing breakfast")]),
        (("light.kitchen.on", "light.kitchen.off"), []),
        (("Küchenlicht.an", "Küchenlicht.aus"), []),
        (("lock.front_door.locked", "lock.front_door.unlocked"), []),
        (("Front Door.locked", "front_door.unlocked"), []),
        (("front_door.locked", "front_doors.locked"), [("front_door.locked", "front_doors.locked")]),
        (("front_door.locked", "Front Door.Locked"), [("front_door.locked", "Front Door.Locked")]),
        (("sensor_room_11", "sensor_room_12"), []),
        (("PATH_$", "PATH_?"), []),
        (("101.right", "110.right"), []),
        (("121.43234", "121.43342"), []),
        (("tea", "tv"), []),
    ],
)
def test_names_that_may_mean_one_thing(names: tuple[str, ...], pairs: list[tuple[str, str]]) -> None:
    assert summary.alike(names) == pairs


def test_a_log_that_knows_no_hours_is_told_of_none():
    dates = log_of([day * DAY for day in range(9)], [1, 2, 3] * 3)
    order = log_of([i * STEP for i in range(9)], [1, 2, 3] * 3, meta={"clock": ORDER})
    for log in (dates, order):
        assert not summary.has_hours(log)
        assert summary.action_table(log)[1].split() == ["rise", "3", "33.3%"]
        assert not any("from one to the next" in line for line in rates(log))
    assert summary.first_rows(order)[2].split() == ["number", "3", "0", "sleep"]
    assert rates(order)[0] == "events in all: 9 (median), 9 at most"


@pytest.mark.parametrize(
    ("states", "said"),
    [
        (
            "a.on a.off b.auf b.zu a.on a.off",
            "with pairs=on/off,auf/zu each begin and its end are one activity, 3 in all",
        ),
        (
            "a.on a.off a.on a.off tea",
            "with pairs=on/off each begin and its end are one activity, 2 in all; 1 other event",
        ),
        ("a.on a.on a.on a.off", ""),  # do not alternate
        ("a.on b.off", ""),
        ("a.on a.off tea tea", ""),  # which a run would refuse
    ],
)
def test_pairs_are_proposed_where_states_alternate(states: str, said: str) -> None:
    names = states.split()
    words = Vocabulary(("none", *dict.fromkeys(names)))
    columns = {"time": range(len(names)), "kind": [USER] * len(names), "user": [0] * len(names)}
    log = ActionLog.from_columns(columns | {"token": [words.actions.index(name) for name in names]}, words)
    assert "".join(summary.durations(log)).startswith(said)
    assert bool(summary.durations(log)) == bool(said)
