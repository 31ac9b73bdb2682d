"""Stays at places: which place is home, which are one, and what calibration makes of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from lam_env.core.behaviour_tables import BehaviourTables
from lam_env.core.events import USER, ActionLog, Event, LogError, Vocabulary
from lam_env.core.units import DAY, HOUR
from lam_env.experiment.logs.real import resident_log
from lam_env.logs.calibrate import calibrate
from lam_env.logs.fidelity import gates
from lam_env.logs.nights import acts_of
from lam_env.logs.places import ELSEWHERE, PLACES, home_of, often

NAMES = ("bedford", "office", "gym")  # what a home would take for somebody in bed
DAYS = ((8.3, 1, 8.5), (17.2, 2, 1.2), (18.8, 0, 13.2))  # (start [h], place, length [h]), home until the morning


def stays(rows: list[tuple[float, int, float]], names: tuple[str, ...] = NAMES, **more: object) -> ActionLog:
    """rows: (start [h], place, length [h])."""
    events = [Event(round(t * HOUR), 0, USER, a + 1, round(n * HOUR)) for t, a, n in sorted(rows)]
    return ActionLog.from_events(events, Vocabulary(("none", *names)), intervals=True, meta={PLACES: True, **more})


def weeks(days: int) -> list[tuple[float, int, float]]:
    return [(24 * d + t + d % 5 / 9, a, n - d % 3 / 9) for d in range(days) for t, a, n in DAYS]


def test_home_is_where_the_nights_are_spent_however_long_the_days_elsewhere() -> None:
    rows = [row for d in range(7) for row in ((24 * d + 0.5, 0, 5.0), (24 * d + 6, 1, 18.0))]
    assert home_of(stays(rows)) == "bedford"
    assert home_of(stays([(t + 6, a, n) for t, a, n in rows])) == "office"  # on another clock


def test_a_stay_over_several_nights_counts_each_of_them() -> None:
    assert home_of(stays([(12, 0, 60), (80, 1, 0.1), (96, 2, 5.9), (120, 2, 5.9)])) == "bedford"  # two whole nights
    assert home_of(stays([(12, 0, 30), (80, 1, 0.1), (96, 2, 5.9), (120, 2, 5.9)])) == "gym"


def test_where_nobody_is_anywhere_at_night_there_is_no_home() -> None:
    for log in (stays([(7, 0, 10), (31, 1, 3)]), often(stays([(0, 0, 5)]), 10)[0]):
        with pytest.raises(LogError, match="none is home; is zone right"):
            home_of(log)


@given(some.lists(some.integers(0, 5), min_size=1, max_size=60), some.integers(1, 20))
def test_places_of_few_stays_are_one_and_all_else_is_as_it_was(places: list[int], fewest: int) -> None:
    names = ("a", "b", ELSEWHERE, "c", "d", "e")
    log = stays([(i, place, 0.5) for i, place in enumerate(places)], names)
    found, said = often(log, fewest)
    kept = {name for i, name in enumerate(names) if places.count(i) >= fewest}
    expected = [name if name in kept else ELSEWHERE for name in (names[i] for i in places)]
    assert [found.vocabulary.actions[t] for t in found.token] == expected
    seldom = any(0 < places.count(i) < fewest for i in range(len(names)))
    assert set(found.vocabulary.actions[1:]) == (kept | {ELSEWHERE} if seldom else set(names))
    assert (found is log) == (said == "") == (not seldom)
    for name in ("time", "user", "kind", "value"):
        np.testing.assert_array_equal(found.columns[name], log.columns[name])


def test_what_is_one_is_said() -> None:
    rows = [(float(i), int(i % 10 == 0), 0.5) for i in range(40)]
    assert often(stays(rows), 10)[1] == "1 place of fewer than 10 stays count as elsewhere: 10 % of the stays"


def test_nothing_among_places_is_sleep_neither_a_name_nor_a_silence() -> None:
    silent = [row for row in weeks(20) if row[1]]  # nobody says where she is at night
    for rows in (weeks(20), silent):
        acts = acts_of(stays(rows))
        assert (acts.sleep, acts.unseen, len(acts.start)) == (-1, False, len(rows))
    there = stays(silent).select(np.ones(len(silent), bool))
    assert acts_of(ActionLog(there.columns, Vocabulary(("none", "x", "office", "gym")), intervals=True)).unseen


def test_a_likeness_of_stays_is_at_her_places_at_her_hours_and_wakes_for_no_gate() -> None:
    log = stays(weeks(40))
    tables = calibrate(log)
    assert (tables.home, tables.activities) == ("bedford", NAMES)
    simulated = resident_log(tables, 60)
    for place in (1, 2, 3):
        real, made = (x.time[x.token == place] % DAY / HOUR for x in (log, simulated))
        assert np.median(made) == pytest.approx(np.median(real), abs=1)
    found = {gate.metric_id: gate for gate in gates(log, simulated)}
    wake = next(gate for name, gate in found.items() if name.endswith("wake_up"))
    assert (wake.passed, wake.source, wake.simulated) == (None, (), ())
    a_day = next(gate for name, gate in found.items() if name.endswith("activities_per_day"))
    assert a_day.simulated[0] == pytest.approx(a_day.source[0], rel=0.2)


def test_the_home_of_tables_is_one_of_their_activities() -> None:
    tables = calibrate(stays(weeks(20)))
    assert BehaviourTables.from_json(tables.to_json()).home == "bedford"
    with pytest.raises(ValueError, match="unknown activity 'castle'"):
        BehaviourTables.from_json(tables.to_json() | {"home": "castle"})
