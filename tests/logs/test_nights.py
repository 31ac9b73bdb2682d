"""Whose acts a log holds, and when they slept: broken nights, nights without a name, nights that cannot be told."""

from __future__ import annotations

import numpy as np
import pytest

from lam_env.core.events import USER, ActionLog, Event, Vocabulary
from lam_env.core.units import DAY, HOUR, MINUTE
from lam_env.logs.nights import UNSEEN, acts_of, nights_of, within

NAMES = ("sleep", "toilet", "tv")
SLEEP, TOILET, TV = range(3)


def log_of(rows: list[tuple[float, int, float]], names: tuple[str, ...] = NAMES) -> ActionLog:
    """rows: (start [h], label, length [h])."""
    events = [Event(round(t * HOUR), 0, USER, a + 1, round(n * HOUR)) for t, a, n in sorted(rows)]
    return ActionLog.from_events(events, Vocabulary(("none", *names)), intervals=True)


def day(d: int, *more: tuple[float, int, float]) -> list[tuple[float, int, float]]:
    """Television every two hours from 8 to 20 h, and more."""
    return [(24 * d + h, TV, 0.5) for h in range(8, 21, 2)] + [(24 * d + t, a, n) for t, a, n in more]


def test_a_sleep_that_holds_other_acts_is_read_as_its_pieces() -> None:
    rows = [r for d in range(10) for r in day(d, (23, SLEEP, 8), (25, TOILET, 0.1), (27.5, TOILET, 0.1))]
    acts = acts_of(log_of(rows))
    assert acts.holds
    assert not acts.unseen
    asleep = acts.label == SLEEP
    begin, end = acts.start[asleep][:3] / HOUR, acts.end[asleep][:3] / HOUR
    assert begin == pytest.approx([23, 25.1, 27.6])
    assert end == pytest.approx([25, 27.5, 31])
    assert (acts.start[1:] >= acts.end[:-1]).all()
    bed, wake = nights_of(acts)
    assert (bed % DAY / HOUR).tolist() == [23.0] * len(bed)
    assert (wake % DAY / HOUR).tolist() == [7.0] * len(wake)
    assert len(bed) == 9  # of eleven days the first and the last may be cut


def test_rows_of_their_own_are_no_pieces() -> None:
    night = ((23, SLEEP, 2), (25, TOILET, 0.1), (25.1, SLEEP, 5.9))
    acts = acts_of(log_of([r for d in range(10) for r in day(d, *night)]))
    assert not acts.holds
    assert len(acts.start) == 10 * (7 + 3)


def test_an_end_within_a_minute_leaves_no_piece() -> None:
    late = 8 - 1.5 * MINUTE / HOUR
    acts = acts_of(log_of([r for d in range(10) for r in day(d, (23, SLEEP, 8), (23 + late, TOILET, 1 / 60))]))
    assert (acts.label == SLEEP).sum() == 10


def test_long_silences_of_the_night_are_sleep_where_the_log_names_none() -> None:
    rows = [r for d in range(10) for r in day(d, (20.5, TV, 0.5), (22, TV, 0.5))]
    names = ("walk", "toilet", "tv")
    acts = acts_of(log_of(rows, names))
    assert acts.unseen
    assert acts.names == (*names, UNSEEN)
    bed, wake = nights_of(acts)
    assert bed % DAY / HOUR == pytest.approx(np.full(len(bed), 22.5))
    assert wake % DAY / HOUR == pytest.approx(np.full(len(wake), 8.0))
    # a silence of the afternoon is none, however long
    quiet = [r for r in rows if not (r[0] % 24 in (12, 14, 16) and r[0] < 96)]
    assert (acts_of(log_of(quiet, names)).label == 3).sum() == (acts.label == 3).sum()


def test_days_without_data_are_no_night() -> None:
    rows = [r for d in (*range(7), *range(9, 16)) for r in day(d)]
    acts = acts_of(log_of(rows, ("walk", "toilet", "tv")))
    assert (acts.end - acts.start).max() < DAY


def test_who_is_busy_at_all_hours_has_no_nights() -> None:
    rows = [(float(h), TV if h % 2 else TOILET, 0.5) for h in range(24 * 10)]
    acts = acts_of(log_of(rows, ("walk", "toilet", "tv")))
    assert (acts.sleep, acts.unseen) == (-1, False)


def test_within_is_from_bed_until_getting_up() -> None:
    bed, wake = np.array([10, 30]), np.array([20, 40])
    assert within(np.array([9, 10, 19, 20, 35, 40]), bed, wake).tolist() == [False, True, True, False, True, False]
    assert not within(np.array([1, 2]), bed[:0], wake[:0]).any()
