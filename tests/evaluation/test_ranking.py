"""Areas under curves against scikit-learn's, and what holds of any ranking."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import average_precision_score, roc_auc_score

from lam_env.evaluation.predictions.ranking import Ranking

Case = tuple[np.ndarray, np.ndarray, np.ndarray]


@st.composite
def ranked(draw: st.DrawFn) -> Case:
    """Few different scores, so that many are equal; positive; how often each is there."""
    n = draw(st.integers(2, 30))
    score = draw(hnp.arrays(np.float64, n, elements=st.sampled_from([0.1, 0.2, 0.4, 0.7])))
    positive = draw(hnp.arrays(np.bool_, n).filter(lambda p: 0 < p.sum() < len(p)))
    weight = draw(hnp.arrays(np.int64, n, elements=st.integers(0, 3)))
    return score, positive, weight.astype(float)


@given(ranked())
def test_areas_are_those_of_scikit_learn(case: Case) -> None:
    score, positive, weight = case
    found = Ranking(score, positive).areas(weight)
    if weight[positive].any() and weight[~positive].any():
        assert found.roc == pytest.approx(roc_auc_score(positive, score, sample_weight=weight))
    else:
        assert math.isnan(found.roc)
    if weight[positive].any():
        assert found.precision == pytest.approx(average_precision_score(positive, score, sample_weight=weight))
    else:
        assert math.isnan(found.precision)


@given(ranked())
def test_the_order_of_cases_does_not_matter(case: Case) -> None:
    score, positive, weight = case
    back = Ranking(score[::-1], positive[::-1]).areas(weight[::-1])
    np.testing.assert_allclose(Ranking(score, positive).areas(weight), back)


@given(ranked())
def test_the_first_of_all_are_all(case: Case) -> None:
    score, positive, _ = case
    every = np.ones(len(score))
    ranking = Ranking(score, positive)
    first, quarter = ranking.right_of_first([1.0, 0.25], every)
    assert first == pytest.approx(positive.mean())
    assert 0 <= quarter <= 1


@given(ranked())
def test_many_weights_at_once_are_each_of_them(case: Case) -> None:
    score, positive, weight = case
    ranking, weights = Ranking(score, positive), np.stack([weight, weight[::-1], np.zeros(len(weight))])
    areas, first = ranking.areas(weights), ranking.right_of_first([0.25, 0.5], weights)
    for k, one in enumerate(weights):
        np.testing.assert_array_equal([areas.roc[k], areas.precision[k]], ranking.areas(one))
        np.testing.assert_array_equal(first[:, k], ranking.right_of_first([0.25, 0.5], one))
    assert np.isnan([areas.roc[-1], areas.precision[-1], *first[:, -1]]).all()


def test_areas_worked_out_by_hand() -> None:
    score, positive = np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, False, True, False])
    roc, precision = Ranking(score, positive).areas(np.ones(4))
    assert roc == pytest.approx(3 / 4)
    assert precision == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert Ranking(score, positive).right_of_first([0.25, 0.75], np.ones(4)).tolist() == pytest.approx([1, 2 / 3])
    # one score for all: half, and the share of positives, whatever the order
    for order in (positive, positive[::-1]):
        same = Ranking(np.full(4, 0.5), order)
        assert same.areas(np.ones(4)) == pytest.approx((0.5, 0.5))
        assert same.right_of_first([0.25], np.ones(4)) == pytest.approx(0.5)


def test_a_ranking_by_chance_has_half_the_area() -> None:
    rng = np.random.default_rng(0)
    positive = rng.random(100_000) < 0.2
    found = Ranking(rng.random(100_000), positive).areas(np.ones(100_000))
    assert found.roc == pytest.approx(0.5, abs=0.01)
    assert found.precision == pytest.approx(0.2, abs=0.01)
