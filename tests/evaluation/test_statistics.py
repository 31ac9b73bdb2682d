"""Statistics of runs against values worked out by hand and against what a bootstrap must do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lam_env.evaluation import statistics as stats

scores = st.lists(st.floats(-100, 100), min_size=1, max_size=30).map(np.array)


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([1, 2, 3, 4], 2.5),  # one dropped at either end
        ([4, 100, 1, 2, 3], 3),
        ([1, 2, 3], 2),  # floor(3/4) = 0: nothing is dropped
        ([-9, 0, 1, 2, 3, 4, 5, 90], 2.5),
        ([7], 7),
    ],
)
def test_interquartile_mean(runs: list[float], expected: float) -> None:
    assert stats.iqm(np.array(runs)) == pytest.approx(expected)


def test_statistics_reduce_the_last_axis() -> None:
    runs = np.array([[1.0, 2, 3, 4], [40.0, 30, 20, 1000]])
    assert stats.iqm(runs).tolist() == [2.5, 35]
    assert stats.mean(runs).tolist() == [2.5, 272.5]
    assert stats.median(runs).tolist() == [2.5, 35]
    assert stats.optimality_gap(runs, 3).tolist() == [0.75, 0]


def test_optimality_gap_gives_nothing_for_being_better_than_best() -> None:
    assert stats.optimality_gap(np.array([0.5, 1.0, 7.0])) == pytest.approx(0.5 / 3)


def test_performance_profile_is_the_share_above() -> None:
    assert stats.performance_profile([1, 2, 3, 4], [0, 1, 2.5, 4]).tolist() == [1, 0.75, 0.5, 0]


@given(scores)
def test_interquartile_mean_lies_between_the_scores(runs: np.ndarray) -> None:
    assert runs.min() - 1e-9 <= stats.iqm(runs) <= runs.max() + 1e-9


def test_an_interval_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    runs = np.sqrt(np.arange(10.0))
    assert stats.interval(runs, seed=1) == stats.interval(runs, seed=1)
    assert stats.interval(runs, seed=1) != stats.interval(runs, seed=2)


def test_an_interval_of_the_mean_is_as_wide_as_theory_says() -> None:
    runs = np.linspace(-1, 1, 101)
    found = stats.interval(runs, stats.mean, draws=20_000)
    half = 1.96 * runs.std() / np.sqrt(len(runs))
    assert found.value == pytest.approx(0)
    assert (found.low, found.high) == (pytest.approx(-half, rel=0.03), pytest.approx(half, rel=0.03))


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    found = [stats.interval(rng.normal(size=20), stats.mean, draws=400, seed=i) for i in range(400)]
    assert 0.88 < np.mean([f.low <= 0 <= f.high for f in found]) < 0.97  # a percentile interval of 20 runs: .93


def test_strata_are_resampled_in_themselves() -> None:
    """Two scenarios with constant but different scores: pooling would widen the interval, stratifying does not."""
    found = stats.bootstrap([np.zeros(5), np.ones(5)], stats.mean)
    assert found == (0.5, 0.5, 0.5)


def test_evaluations_of_one_network_are_not_many_networks() -> None:
    """All the spread lies between three training seeds; 50 evaluation seeds must not shrink it away."""
    runs = np.repeat([[0.0], [1.0], [2.0]], 50, axis=1)
    crossed = stats.interval(runs, stats.mean)
    flat = stats.interval(runs.ravel(), stats.mean)
    assert crossed.value == flat.value == 1
    assert crossed.high - crossed.low > 4 * (flat.high - flat.low)
    assert (crossed.low, crossed.high) == (0, 2)


def test_probability_of_improvement_worked_out_by_hand() -> None:
    assert stats.improvement([[1, 2]], [[0, 1]]) == pytest.approx((1 + 0.5 + 1 + 1) / 4)
    assert stats.improvement([[1, 2], [0, 0]], [[0, 1], [1, 1]]) == pytest.approx(0.875 / 2)


@given(scores, scores)
def test_probabilities_of_improvement_of_both_sides_sum_to_one(x: np.ndarray, y: np.ndarray) -> None:
    assert stats.improvement([x], [y]) + stats.improvement([y], [x]) == pytest.approx(1)


def test_pairing_finds_what_noise_common_to_both_hides() -> None:
    """y is better by .1 on every seed while seeds differ by 10."""
    seeds = np.linspace(0, 10, 12)
    assert stats.improvement([seeds + 0.1], [seeds]) < 0.6
    assert stats.improvement_paired(seeds + 0.1, seeds) == (1, 1, 1)
    low, high = stats.paired_difference(seeds + 0.1, seeds)[1:]
    assert (low, high) == (pytest.approx(0.1), pytest.approx(0.1))


def test_paired_improvement_counts_a_tie_half() -> None:
    assert stats.improvement_paired([1, 2, 3, 4], [0, 2, 4, 3]).value == pytest.approx(2.5 / 4)


@pytest.mark.parametrize("wrong", [[], [1.0, np.nan], np.zeros((2, 2, 2)), [np.inf]])
def test_refuses_what_is_no_set_of_runs(wrong: object) -> None:
    with pytest.raises(ValueError, match="finite scores of shape"):
        stats.interval(wrong)  # type: ignore[arg-type]


def test_refuses_runs_that_do_not_pair() -> None:
    with pytest.raises(ValueError, match="must match"):
        stats.paired_difference([1, 2], [1, 2, 3])
    with pytest.raises(ValueError, match="as many strata"):
        stats.improvement([[1]], [])
