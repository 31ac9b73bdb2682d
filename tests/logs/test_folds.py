"""Cross-validation by windows that expand: which days learn, and which test."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lam_env.core.events import ActionLog, LogError, Protocol, Vocabulary
from lam_env.core.units import DAY, HOUR
from lam_env.logs.decision_points import day_of_target, decision_points
from lam_env.logs.streams import LEAST_OF_FOLD, folds, split_by_protocol


def log_of(days: list[int], each: int = 4, ticks: int = 1, **more: object) -> ActionLog:
    """Some days with so many events each."""
    time = np.add.outer(np.array(days) * DAY, np.arange(each) * 3 * HOUR + 6 * HOUR).ravel() * ticks
    n = len(time)
    columns = {
        "world": np.zeros(n, int),
        "time": time,
        "user": np.zeros(n, int),
        "kind": np.zeros(n, int),
        "token": np.arange(n) % 2 + 1,
        "value": np.full(n, np.nan),
    }
    words = Vocabulary(("none", "a", "b"))
    return ActionLog.from_columns(
        columns, words, timer=None, ticks_per_second=ticks, **{"protocol": Protocol(), **more}
    )


def days_of_parts(log: ActionLog) -> list[list[int]]:
    points = decision_points(log, soon=False)
    day = day_of_target(points)
    return [np.unique(day[part]).tolist() for part in split_by_protocol(log, points)]


def test_windows_expand_and_each_tests_on_the_next_days() -> None:
    found = [days_of_parts(part) for part in folds(log_of(list(range(12))), 3)]
    assert [test for *_, test in found] == [[3, 4, 5], [6, 7, 8], [9, 10, 11]]
    assert [train + valid for train, valid, _ in found] == [list(range(k)) for k in (3, 6, 9)]
    assert [len(valid) for _, valid, _ in found] == [1, 1, 1]


@given(st.sets(st.integers(0, 200), min_size=10, max_size=60), st.integers(1, 9), st.sampled_from([1, 10]))
def test_all_days_but_the_first_ones_test_once(days: set[int], n: int, ticks: int) -> None:
    log = log_of(sorted(days), ticks=ticks)
    if len(days) < LEAST_OF_FOLD * (n + 1):
        with pytest.raises(LogError, match=f"too few for {n} folds"):
            folds(log, n)
        return
    found = [days_of_parts(part) for part in folds(log, n)]
    tested = [day for *_, test in found for day in test]
    assert tested == sorted(days)[len(days) // (n + 1) :]
    for train, valid, test in found:
        assert train
        assert valid
        assert max(train) < min(valid) <= max(valid) < min(test)


def test_what_comes_later_is_not_in_the_log_of_a_fold() -> None:
    log = log_of(list(range(9)), end=(9 * DAY,))
    first, second = folds(log, 2)
    assert first.time.max() < 6 * DAY
    assert first.end == (6 * DAY,)
    assert len(second) == len(log)


def test_a_fold_is_kept_as_a_log(tmp_path: Path) -> None:
    part = folds(log_of(list(range(20))), 3)[1]
    part.save(tmp_path / "log")
    again = ActionLog.load(tmp_path / "log")
    assert again.protocol == part.protocol
    assert days_of_parts(again) == days_of_parts(part)


@pytest.mark.parametrize("protocol", [Protocol("each"), Protocol("streams"), Protocol("worlds"), Protocol(test=1)])
def test_folds_are_of_days_alone(protocol: Protocol) -> None:
    log = dataclasses.replace(log_of(list(range(12))), protocol=protocol)
    with pytest.raises(LogError, match="leave folds away, or give split=days"):
        folds(log, 2)
