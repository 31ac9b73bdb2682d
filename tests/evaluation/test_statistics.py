"""Statistics of runs against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import trim_mean, ttest_ind
from scipy.stats import ttest_1samp as t_test

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
    assert stats.probability_above(seeds + 0.1 - seeds) == pytest.approx(1)
    low, high = stats.paired_difference(seeds + 0.1, seeds)[1:]
    assert (low, high) == (pytest.approx(0.1), pytest.approx(0.1))


def test_a_ratio_of_means_is_that_and_what_both_share_does_not_widen_it() -> None:
    y = np.array([1.0, 10, 100, 1000])
    assert stats.ratio_of_means(y / 2, y) == (0.5, pytest.approx(0.5), pytest.approx(0.5))
    assert stats.ratio_of_means(y, y) == (1, 1, 1)
    rng = np.random.default_rng(0)
    x = 0.3 * y + rng.normal(size=4)
    found = stats.ratio_of_means(x, y, draws=20_000)
    assert found.value == x.mean() / y.mean()
    half = 3.182446 * ((x - found.value * y) / y.mean()).std(ddof=1) / 2  # t of 3 degrees of freedom
    assert found.high - found.value == pytest.approx(half, rel=0.02)


@given(scores, st.floats(0.1, 10))
def test_a_ratio_does_not_care_for_the_unit(runs: np.ndarray, unit: float) -> None:
    y = np.abs(runs) + 1
    one, other = stats.ratio_of_means(runs, y, draws=20), stats.ratio_of_means(unit * runs, unit * y, draws=20)
    assert one == pytest.approx(other, rel=1e-6, abs=1e-6)


def test_the_probability_of_a_mean_above_0_is_that_of_students_t() -> None:
    runs = np.array([3.0, 1, 4, 1, 5, 9, 2, 6, 5, 3]) - 3
    t = runs.mean() / (runs.std(ddof=1) / np.sqrt(10))
    assert stats.probability_above(runs, draws=40_000) == pytest.approx(
        t_test(runs, 0, alternative="greater").pvalue * -1 + 1, abs=0.01
    )
    assert stats.probability_above(-runs, draws=40_000) == pytest.approx(1 - stats.probability_above(runs), abs=0.01)
    assert t > 1
    assert [stats.probability_above([x, x, x]) for x in (2.0, 0.0, -1.0)] == [1, 0.5, 0]


def test_fifty_seeds_of_one_network_say_little_of_the_next() -> None:
    """Two of three trainings are better on every seed."""
    rows = np.repeat([[1.0], [1.0], [-1.0]], 50, axis=1) + np.random.default_rng(0).normal(0, 0.01, (3, 50))
    assert 0.5 < stats.probability_above(rows) < 0.8


@pytest.mark.parametrize("wrong", [[], [1.0, np.nan], np.zeros((2, 2, 2)), [np.inf]])
def test_refuses_what_is_no_set_of_runs(wrong: object) -> None:
    with pytest.raises(ValueError, match="finite scores of shape"):
        stats.interval(wrong)  # type: ignore[arg-type]


def test_refuses_runs_that_do_not_pair() -> None:
    with pytest.raises(ValueError, match="must match"):
        stats.paired_difference([1, 2], [1, 2, 3])


@given(st.integers(0, 1000), st.integers(3, 9), st.integers(3, 9))
def test_what_was_drawn_apart_differs_as_welch_has_it(seed: int, n: int, m: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(1, 1, n), rng.normal(0, 3, m)
    found = stats.unpaired_difference(*(stats.Estimate(z.mean(), z.var(ddof=1) / len(z), len(z) - 1) for z in (x, y)))
    welch = ttest_ind(x, y, equal_var=False)
    assert found.interval()[1:] == pytest.approx(tuple(welch.confidence_interval()))
    assert found.above() == pytest.approx(ttest_ind(x, y, equal_var=False, alternative="less").pvalue)


def test_of_two_without_variance_the_difference_has_none() -> None:
    found = stats.unpaired_difference(stats.Estimate(2.0, 0.0, 4), stats.Estimate(1.0, 0.0, 9))
    assert (found.interval(), found.above()) == ((1, 1, 1), 1)
