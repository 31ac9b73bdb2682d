"""Statistics of runs against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import trim_mean

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


@given(scores)
def test_interquartile_mean_is_the_published_one(runs: np.ndarray) -> None:
    """The authors' code takes SciPy's trimmed mean, a quarter off either end."""
    assert stats.iqm(runs) == pytest.approx(trim_mean(runs, 0.25))


@given(scores)
def test_interquartile_mean_lies_between_the_scores(runs: np.ndarray) -> None:
    assert runs.min() - 1e-9 <= stats.iqm(runs) <= runs.max() + 1e-9


def test_an_interval_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    runs = np.sqrt(np.arange(10.0))
    assert stats.interval(runs, seed=1) == stats.interval(runs, seed=1)
    assert stats.interval(runs, seed=1) != stats.interval(runs, seed=2)


def test_an_interval_of_a_mean_is_that_of_students_t() -> None:
    runs = np.array([3.0, 1, 4, 1, 5, 9, 2, 6, 5, 3])
    found = stats.interval(runs, stats.mean, draws=40_000)
    half = 2.262157 * runs.std(ddof=1) / np.sqrt(10)  # t of 9 degrees of freedom
    assert found.value == pytest.approx(3.9)
    assert (found.low, found.high) == (pytest.approx(3.9 - half, rel=0.02), pytest.approx(3.9 + half, rel=0.02))


def test_one_run_and_equal_runs_have_no_interval() -> None:
    assert stats.interval([7.0]) == (7, 7, 7)
    assert stats.interval([[7.0]]) == (7, 7, 7)
    assert stats.interval([2.0] * 10) == (2, 2, 2)


def test_evaluations_of_one_network_are_not_many_networks() -> None:
    """All the spread lies between three training seeds; 50 evaluation seeds must not shrink it away."""
    runs = np.repeat([[0.0], [1.0], [2.0]], 50, axis=1)
    crossed = stats.interval(runs, stats.mean, draws=20_000)
    assert crossed.value == 1
    assert crossed.high - 1 == pytest.approx(4.303 / np.sqrt(3), rel=0.03)  # t of 2 degrees of freedom; sd 1


def test_a_grid_is_the_same_either_way_round_and_a_side_of_one_is_no_side() -> None:
    runs = np.random.default_rng(2).normal(size=(5, 10)) + np.arange(5)[:, None]
    one, other = (stats.interval(r, stats.mean, draws=20_000) for r in (runs, runs.T))
    assert one.high == pytest.approx(other.high, rel=0.02)
    assert stats.interval(runs[:1]) == stats.interval(runs[0]) == stats.interval(runs[:1].T)


def test_pairing_finds_what_noise_common_to_both_hides() -> None:
    """y is better by .1 on every seed while seeds differ by 10."""
    seeds = np.linspace(0, 10, 12)
    assert (seeds[:, None] + 0.1 > seeds).mean() < 0.6  # of runs that are not paired
    assert stats.improvement_paired(seeds + 0.1, seeds).value == 1
    low, high = stats.paired_difference(seeds + 0.1, seeds)[1:]
    assert (low, high) == (pytest.approx(0.1), pytest.approx(0.1))


def test_paired_improvement_has_wilsons_interval() -> None:
    """8 of 10: worked out in many textbooks as .490 to .943; 10 of 10 begins at 10 / (10 + 1.96^2)."""
    x = np.array([1.0] * 8 + [-1.0] * 2)
    assert stats.improvement_paired(x, np.zeros(10)) == pytest.approx((0.8, 0.490, 0.943), abs=5e-4)
    assert stats.improvement_paired(np.ones(10), np.zeros(10)) == pytest.approx((1, 0.7225, 1), abs=5e-4)


def test_agreement_of_one_network_with_itself_is_no_evidence_for_others() -> None:
    """Three trainings, two of them better on every seed: as good as three pairs, with t's quantile; so if all agree."""
    rows = np.repeat([[1.0], [1.0], [-1.0]], 50, axis=1)
    two_of_three = stats.improvement_paired(rows, np.zeros((3, 50)))
    assert two_of_three.value == pytest.approx(2 / 3)
    assert two_of_three.low < 0.13
    assert two_of_three.high > 0.96
    assert stats.improvement_paired(np.ones((3, 50)), np.zeros((3, 50))).low == pytest.approx(
        3 / (3 + 1.96**2), abs=1e-3
    )


def test_paired_improvement_counts_a_tie_half_and_equal_runs_have_no_interval() -> None:
    assert stats.improvement_paired([1, 2, 3, 4], [0, 2, 4, 3]).value == pytest.approx(2.5 / 4)
    assert stats.improvement_paired([1, 2, 3], [1, 2, 3]) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize("wrong", [[], [1.0, np.nan], np.zeros((2, 2, 2)), [np.inf]])
def test_refuses_what_is_no_set_of_runs(wrong: object) -> None:
    with pytest.raises(ValueError, match="finite scores of shape"):
        stats.interval(wrong)  # type: ignore[arg-type]


def test_refuses_runs_that_do_not_pair() -> None:
    with pytest.raises(ValueError, match="must match"):
        stats.paired_difference([1, 2], [1, 2, 3])
