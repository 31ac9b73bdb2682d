"""Estimates and intervals as they are shown."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from lam_env.core.catalogue import LIFT, PREDICTION, Metric, metric
from lam_env.evaluation import estimates
from lam_env.evaluation.statistics import interval, paired_difference


def test_an_interval_holds_nothing_impossible() -> None:
    runs = [0.0, 0.02, 0.2]
    assert interval(runs).low < 0
    for name in ("pred.top1", "pred.ece", "pred.nll", "feedback.accept_rate"):
        assert estimates.estimate_metric(runs, metric(name)) == (*interval(runs)[:1], 0.0, interval(runs).high)
    assert estimates.estimate_metric([1.0, 0.98, 0.8], metric("pred.top1")).high == 1
    assert estimates.estimate_metric([1.0, 0.98, 0.8], metric("pred.nll")).high > 1
    assert estimates.estimate_metric(runs, LIFT) == interval(runs)


@given(st.lists(st.floats(0, 1), min_size=3, max_size=12), st.sampled_from(PREDICTION))
def test_whatever_the_shares_are_their_interval_lies_among_them(runs: list[float], metric: Metric) -> None:
    found, (low, high) = estimates.estimate_metric(runs, metric), metric.range
    assert low <= found.low <= found.value <= found.high <= high


def test_a_score_outside_its_range_is_not_hidden() -> None:
    runs = [1.5, 1.6, 1.9]
    assert estimates.estimate_metric(runs, metric("pred.top1")) == interval(runs)


def test_a_difference_of_shares_lies_within_one_of_zero() -> None:
    x, y = [1.0, 0.9, 0.2], [0.0, 0.1, 0.1]
    assert paired_difference(x, y).high > 1
    assert estimates.difference(x, y, metric("pred.top1")).high == 1
    assert estimates.difference(x, y, metric("pred.nll")).high > 1


@pytest.mark.parametrize(
    "runs", [[0.1, 0.2], [[0.1, 0.2]], [[0.1, 0.2], [0.2, 0.3], [0.4, 0.1]], [[0.1], [0.2], [0.3]]]
)
def test_fewer_than_three_evaluation_seeds_have_no_interval(runs: list[float]) -> None:
    x = np.array(runs)
    for found in (
        estimates.estimate_metric(x, LIFT),
        estimates.difference(x, x**2, LIFT),
    ):
        assert found.low == found.value == found.high
    assert estimates.estimate_metric(x, LIFT).value == pytest.approx(interval(x).value)


def test_in_text_a_value_without_an_interval_stands_alone() -> None:
    assert estimates.in_text(estimates.estimate_metric([1.0, 2.0], LIFT), ".1f") == "1.5"
    assert estimates.in_text(estimates.Interval(1500, -1, 2000.25), ",.1f") == "1,500.0 [-1.0, 2,000.2]"


@given(st.integers(3, 300))
def test_where_all_units_are_right_or_all_wrong_so_many_are_no_proof_of_a_rule(units: int) -> None:
    top1 = metric("pred.top1")
    sure, never = (estimates.estimate_resampled(value, 0.0, units, top1) for value in (1.0, 0.0))
    wanted = binomtest(units, units).proportion_ci(method="exact")
    assert sure == pytest.approx((1.0, wanted.low, 1.0))
    assert never == pytest.approx((0.0, 0.0, 1 - wanted.low))
    assert estimates.estimate_resampled(1.0, 0.0, units, metric("pred.nll")) == (1.0, 1.0, 1.0)  # no share
    assert estimates.estimate_resampled(0.5, 0.0, units, top1) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize(("value", "sd"), [(1.0, 0.0), (0.96, 0.04)])
@pytest.mark.parametrize("units", [1, 2])
def test_fewer_than_three_units_give_no_interval(value: float, sd: float, units: int) -> None:
    assert estimates.estimate_resampled(value, sd, units, metric("pred.top1")) == (value, value, value)
