"""Prediction scores against values worked out by hand, and properties that hold for any prediction."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import f1_score, precision_recall_fscore_support

from lam_env.core.contracts import Sparse
from lam_env.evaluation import metrics
from lam_env.evaluation.metrics import Scored, prediction_metrics, scored, scores_of, weighted_scores

# columns: none, a, b, c, d
PROBS = np.array(
    [
        [0.5, 0.3, 0.1, 0.1, 0.0],  # a is done
        [0.2, 0.2, 0.4, 0.1, 0.1],  # a is done
        [0.6, 0.0, 0.1, 0.1, 0.2],  # b is done
        [0.9, 0.1, 0.0, 0.0, 0.0],  # nothing
    ]
)
TARGET = np.array([1, 1, 2, 0])


def smooth(p: float, k: int) -> float:
    return -math.log(0.999 * p + 0.001 / k)


def test_scores_worked_out_by_hand() -> None:
    found = prediction_metrics(PROBS, TARGET)
    assert found["pred.top1"] == pytest.approx(1 / 3)  # a; b instead of a; d instead of b
    assert found["pred.top3"] == pytest.approx(1)
    # a: said once and right, twice there: F1 2/3; b: said once, wrong: 0; c and d are not there
    assert found["pred.macro_f1"] == pytest.approx(1 / 3)
    assert found["pred.nll"] == pytest.approx((smooth(0.6, 4) + smooth(0.25, 4) + smooth(0.25, 4)) / 3)
    assert found["pred.nll_all"] == pytest.approx(
        (smooth(0.3, 5) + smooth(0.2, 5) + smooth(0.1, 5) + smooth(0.9, 5)) / 4
    )
    brier = [
        0.25 + 0.49 + 0.01 + 0.01,
        0.04 + 0.64 + 0.16 + 0.01 + 0.01,
        0.36 + 0.81 + 0.01 + 0.04,
        0.01 + 0.01,
    ]
    assert found["pred.brier"] == pytest.approx(sum(brier) / 4)
    # confidences .5 (none: wrong), .4 (wrong), .6 (wrong), .9 (right) fall into four bins
    assert found["pred.ece"] == pytest.approx((0.5 + 0.4 + 0.6 + 0.1) / 4)
    # "the user acts" scored .5 .8 .4 | .1: ranked right
    assert found["pred.pr_auc"] == pytest.approx(1)


def test_a_log_without_none_leaves_out_what_needs_none() -> None:
    found = prediction_metrics(PROBS[:3], TARGET[:3])
    assert {"pred.nll_all", "pred.pr_auc"}.isdisjoint(found)
    assert {"pred.top1", "pred.nll", "pred.brier", "pred.ece"} <= set(found)


def test_a_log_in_which_nobody_acts_has_no_scores_of_actions() -> None:
    assert set(prediction_metrics(PROBS[3:], TARGET[3:])) == {"pred.brier", "pred.ece"}
    assert prediction_metrics(PROBS[:0], TARGET[:0]) == {}


def test_a_certain_none_says_nothing_about_which_action() -> None:
    sure = np.array([[1.0, 0, 0, 0, 0]])
    assert prediction_metrics(sure, np.array([2]))["pred.nll"] == pytest.approx(math.log(4))


def test_an_action_without_probability_is_no_hit_however_few_there_are() -> None:
    probs = np.array([[0.0, 1.0, 0.0, 0.0]])
    assert prediction_metrics(probs, np.array([2]))["pred.top3"] == 0


def test_precision_and_recall_by_action_are_those_of_scikit_learn() -> None:
    target, said = np.array([1, 1, 2, 3, 3, 3, 0]), np.array([1, 2, 2, 3, 1, 4, 1])
    of = scored(np.eye(5)[said] * 0.9 + 0.02, target)
    found, acts = metrics.by_action(of, np.ones(7)), target > 0
    kinds = {"labels": range(5), "zero_division": 0.0}
    for one, other in zip(found, precision_recall_fscore_support(target[acts], said[acts], **kinds), strict=True):
        np.testing.assert_allclose(np.nan_to_num(one), other)
    of_macro = {"labels": [1, 2, 3], "zero_division": 0.0, "average": "macro"}
    assert found.macro == pytest.approx(precision_recall_fscore_support(target[acts], said[acts], **of_macro)[:3])


def test_reliability_puts_edges_into_the_lower_bin() -> None:
    probs = np.array([[0.5, 0.5], [0.49, 0.51], [0.0, 1.0]])
    table = metrics.reliability(scored(probs, np.array([0, 0, 1])), bins=2)
    assert table.low.tolist() == [0.0, 0.5]
    assert table.points.tolist() == [1, 2]
    assert table.confidence.tolist() == pytest.approx([0.5, 0.755])
    assert table.accuracy.tolist() == [1.0, 0.5]


def test_a_calibrated_prediction_has_no_calibration_error() -> None:
    probs = np.tile([0.8, 0.2], (10, 1))
    assert prediction_metrics(probs, np.array([0] * 8 + [1] * 2))["pred.ece"] == pytest.approx(0)
    assert prediction_metrics(probs, np.array([0] * 2 + [1] * 8))["pred.ece"] == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("probs", "target", "message"),
    [
        (np.ones((2, 3)), np.zeros(2, int), "must be a distribution"),
        (np.full((1, 2), np.nan), np.zeros(1, int), "must be a distribution"),
        (np.array([[1.5, -0.5]]), np.zeros(1, int), "must be a distribution"),
        (np.array([[0.5, 0.5]]), np.array([2]), "outside the 2 columns"),
        (np.array([[0.5, 0.5]]), np.array([-1]), "outside the 2 columns"),
        (np.array([[0.5, 0.5]]), np.array([0, 1]), "must be"),
        (np.array([1.0]), np.array([0]), "must be"),
    ],
)
def test_refuses_what_is_no_prediction(probs: np.ndarray, target: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        prediction_metrics(probs, target)


@st.composite
def predictions(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    n, a = draw(st.integers(1, 12)), draw(st.integers(2, 6))
    weights = draw(hnp.arrays(np.float64, (n, a), elements=st.floats(0.01, 1)))
    target = draw(hnp.arrays(np.int64, n, elements=st.integers(0, a - 1)))
    return weights / weights.sum(1, keepdims=True), target


@given(predictions())
def test_scores_stay_within_their_range(case: tuple[np.ndarray, np.ndarray]) -> None:
    found = prediction_metrics(*case)
    for name, value in found.items():
        assert 0 <= value <= (2 if name == "pred.brier" else math.inf if "nll" in name else 1 + 1e-12)
    if "pred.top1" in found:
        assert found["pred.top1"] <= found["pred.top3"]


@given(predictions())
def test_scores_do_not_depend_on_the_order_of_decisions(case: tuple[np.ndarray, np.ndarray]) -> None:
    probs, target = case
    order = np.arange(len(target))[::-1]
    assert prediction_metrics(probs[order], target[order]) == pytest.approx(prediction_metrics(probs, target))


@given(predictions())
def test_the_truth_beats_any_prediction(case: tuple[np.ndarray, np.ndarray]) -> None:
    probs, target = case
    best = prediction_metrics(np.eye(probs.shape[1])[target], target)
    found = prediction_metrics(probs, target)
    for name, value in found.items():
        if name in ("pred.nll", "pred.nll_all", "pred.brier", "pred.ece"):
            assert best[name] <= value + 1e-9
        else:
            assert best[name] == pytest.approx(1)


@given(predictions(), st.data())
def test_a_weight_is_how_often_a_decision_point_is_there(
    case: tuple[np.ndarray, np.ndarray], data: st.DataObject
) -> None:
    probs, target = case
    weight = data.draw(hnp.arrays(np.int64, len(target), elements=st.integers(0, 3)))
    again = np.repeat(np.arange(len(target)), weight)
    once = np.ones(len(target))
    of_both = weighted_scores(scored(probs, target), np.stack([weight.astype(float), once]))
    for row, repeated in enumerate((again, once.nonzero()[0])):
        found = {id: each[row] for id, each in of_both.items() if np.isfinite(each[row])}
        assert found == pytest.approx(scores_of(scored(probs[repeated], target[repeated])))


@given(predictions())
def test_macro_f1_is_that_of_scikit_learn(case: tuple[np.ndarray, np.ndarray]) -> None:
    probs, target = case
    acts = target > 0
    assume(acts.any())
    likeliest = probs[acts, 1:].argmax(1) + 1
    theirs = f1_score(target[acts], likeliest, labels=np.unique(target[acts]), average="macro", zero_division=0.0)
    assert prediction_metrics(probs, target)["pred.macro_f1"] == pytest.approx(theirs)


@given(predictions(), st.integers(1, 4))
def test_a_log_may_be_scored_piece_by_piece(case: tuple[np.ndarray, np.ndarray], rows: int) -> None:
    probs, target = case
    pieces = [scored(probs[i : i + rows], target[i : i + rows]) for i in range(0, len(target), rows)]
    whole = scored(probs, target)
    for one, other in zip(Scored.joined(pieces), whole, strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metrics, "_AT_ONCE", rows * probs.shape[1])
        assert scores_of(scored(probs, target)) == scores_of(whole)


def few_told(seed: int) -> tuple[Sparse, np.ndarray]:
    """Distributions that share a common one, with ties among the common ones and among those told; and targets."""
    rng = np.random.default_rng(seed)
    n, size, groups = (int(rng.integers(*bounds)) for bounds in ((1, 12), (3, 9), (1, 4)))
    common, group = rng.integers(1, 4, (groups, size)) / 8, rng.integers(0, groups, n)
    raw, told = common[group], rng.random((n, size)) < rng.random()
    raw[told] += rng.integers(1, 4, told.sum()) * 0.2113
    total = raw.sum(1)
    p = (raw / total[:, None])[told]
    return Sparse(common, group, 1 / total, np.flatnonzero(told), p), rng.integers(0, size, n)


@given(st.integers(0, 2**32 - 1))
def test_scores_of_the_few_that_are_told_are_those_of_all(seed: int) -> None:
    of, target = few_told(seed)
    few, every = (scored(said, target, (1, 2)) for said in (of, of.dense()))
    for name, value, expected in zip(Scored._fields, few, every, strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-6, atol=1e-12, err_msg=name)
    np.testing.assert_allclose(of.at(target), of.dense()[np.arange(len(target)), target])


@pytest.mark.parametrize("worst", [-0.1, math.nan, 3.0])
def test_the_few_that_are_told_must_be_a_distribution(worst: float) -> None:
    of, target = few_told(3)
    with pytest.raises(ValueError, match="must be a distribution"):
        scored(dataclasses.replace(of, p=np.full_like(of.p, worst)), target)
