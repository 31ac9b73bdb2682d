"""Bursts and a classifier: known answers, and what cannot be told."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from lam_env.core.catalogue import metric
from lam_env.core.events import USER, ActionLog, Event, Vocabulary
from lam_env.core.units import DAY, HOUR, MINUTE
from lam_env.logs.fidelity import counted, fidelity_table
from lam_env.logs.likeness import auc_interval, burstiness, day_features, further_gates, told_apart

NAMES = ("none", "read", "tv", "work")


def life(days: int, seed: int, tv: float = 0.5, names: tuple[str, ...] = NAMES) -> ActionLog:
    """Acts at chance times; `tv`: the share of television after noon."""
    chance, events = np.random.default_rng(seed), []
    for d in range(days):
        for t in np.sort(chance.uniform(7, 22, 12)):
            late = t > 12 and chance.random() < tv
            name = "tv" if late else ("read", "work")[chance.integers(2)]
            events.append(Event(int(d * DAY + t * HOUR), 0, USER, names.index(name), 5 * MINUTE))
    return ActionLog.from_events(events, Vocabulary(names), intervals=True)


def at(*hours: float) -> ActionLog:
    events = [Event(int(h * HOUR), 0, USER, 1, 60) for h in hours]
    return ActionLog.from_events(events, Vocabulary(NAMES), intervals=True)


def test_burstiness_of_a_clock_and_of_chance_and_by_hand() -> None:
    assert burstiness(at(*range(0, 100, 2))) == -1
    chance = np.random.default_rng(0)
    assert burstiness(at(*np.cumsum(chance.exponential(1, 4000)))) == pytest.approx(0, abs=0.03)
    gaps = np.array([1.0, 1, 1, 9])  # mean 3, sd sqrt(12)
    expected = (gaps.std() - gaps.mean()) / (gaps.std() + gaps.mean())
    assert burstiness(at(0, 1, 2, 3, 12)) == pytest.approx(expected)


def test_bursts_are_judged_and_the_classifier_is_reported() -> None:
    bursts, auc = further_gates(life(30, 1), life(40, 2))
    assert bursts.passed is True
    assert bursts.verdict == "yes"
    assert auc.passed is None
    assert auc.verdict == "reported"
    value, low, high = auc.simulated
    assert 0 <= low < value < high <= 1
    assert value < 0.7  # two lives of one person
    assert "28 real and 38 simulated days" in auc.note
    for gate in (bursts, auc):
        assert gate.apart
        assert metric(gate.metric_id).range == (0, 1)


def test_another_person_is_told_apart() -> None:
    gates = further_gates(life(30, 1), life(40, 2, tv=0.05))
    assert gates[1].simulated[0] > 0.95
    steady = at(*np.arange(0, 40 * 24, 0.5))
    assert further_gates(life(30, 1), steady)[0].passed is False


def test_labels_are_compared_by_name() -> None:
    names = ("none", "work", "tv", "read")
    rows, real = day_features(life(30, 1), life(30, 1, names=names))
    assert np.array_equal(rows[real], rows[~real])


def test_what_is_too_short_is_not_measured() -> None:
    for source, simulated in ((life(8, 1), life(40, 2)), (life(40, 1), life(8, 2)), (life(40, 1), at(1))):
        auc = further_gates(source, simulated)[1]
        assert (auc.passed, auc.simulated, auc.verdict) == (None, (), "not measured")
        assert "fewer than 10 whole days" in auc.note
    assert further_gates(life(40, 1), at(1))[0].passed is None


def test_labels_that_mean_nothing_cannot_be_learned() -> None:
    """Days that are left out are judged by a forest that has not seen them: chance stays chance."""
    chance = np.random.default_rng(0)
    auc = told_apart(chance.normal(size=(120, 30)), np.arange(120) % 2 == 0)
    assert abs(auc - 0.5) < 0.13


@given(auc=some.floats(0, 1), a=some.integers(10, 200), b=some.integers(10, 200))
def test_the_interval_holds_the_value_and_shrinks_with_days(auc: float, a: int, b: int) -> None:
    low, high = auc_interval(auc, a, b)
    assert 0 <= low <= auc <= high <= 1
    wider = auc_interval(auc, max(10, a // 2), b)
    assert wider[1] - wider[0] >= high - low - 1e-9


def test_hanley_and_mcneil_by_hand() -> None:
    low, high = auc_interval(0.8, 50, 50)
    assert high - low == pytest.approx(
        2 * 1.96 * ((0.16 + 49 * (2 / 3 - 0.64) + 49 * (1.28 / 1.8 - 0.64)) / 2500) ** 0.5
    )


def test_what_is_apart_is_in_no_sum_and_in_a_table_of_its_own() -> None:
    further = further_gates(life(30, 1), life(30, 2))
    plain = dataclasses.replace(further[0], metric_id="fidelity.gap_cv", passed=False)
    assert counted([plain, *further]) == (0, 1)
    first, second = fidelity_table([plain, *further]).split("Counted apart from these gates:")
    assert first.count("\n| ") == 1
    assert "reported" in second
    assert "reported" not in first
