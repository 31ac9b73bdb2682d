"""What policies would have chosen in a table of decisions: those with a name, and objects of one's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bandits import COLUMNS, table

from lam_env.core.errors import UserError
from lam_env.evaluation.off_policy.decision_table import DecisionTable
from lam_env.evaluation.off_policy.table_policies import Answer, answer_of, by_name

N = 40


@pytest.fixture(scope="module")
def offers(tmp_path_factory: pytest.TempPathFactory) -> DecisionTable:
    return DecisionTable.load(str(table(tmp_path_factory.mktemp("t") / "t.csv", N)), COLUMNS)


def of(answer: Answer, name: str) -> np.ndarray:
    """(n,) the probability of an action."""
    np.testing.assert_allclose(answer.p.sum(1), 1)
    return np.asarray(answer.p[:, answer.actions.index(name)])


class Says:
    """Answers what it was made with."""

    def __init__(self, **answers: Any):
        for name, answer in answers.items():
            setattr(self, name, lambda context, answer=answer: answer)


def test_one_action_always_or_all_alike(offers: DecisionTable) -> None:
    assert (of(by_name(offers, "always:red"), "red") == 1).all()
    assert (of(by_name(offers, "random"), "red") == 1 / 3).all()
    assert by_name(offers, "random").actions == offers.actions


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("always:rde", "policy=always:rde: no policy for .*t.csv; did you mean 'always:red'"),
        ("none", "policy=none: no policy for .*there are random, always:[a-z]*, always:.* or module:Class"),
        ("red", "policy=red: no policy for .*"),
    ],
)
def test_a_policy_that_is_none_is_one_line(offers: DecisionTable, name: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        by_name(offers, name)


def test_an_object_sees_the_context_by_column_and_names_actions(offers: DecisionTable) -> None:
    class Mine:
        def predict(self, context: dict[str, np.ndarray]) -> Any:
            return np.where((context["device"] == "phone") & (context["x"] > 0.5), "red", "green"), None

    answer = answer_of(offers, Mine(), sampled=False)
    wanted = (offers.context["device"] == "phone") & (offers.context["x"] > 0.5)
    assert 0 < wanted.sum() < N
    assert (of(answer, "red") == wanted).all()
    assert (of(answer, "green") == ~wanted).all()


def test_what_it_does_to_its_context_is_its_own_affair(offers: DecisionTable) -> None:
    class Rude:
        def predict(self, context: dict[str, np.ndarray]) -> list[str]:
            context["x"][:] = 0
            return ["red"] * N

    before = offers.context["x"].copy()
    answer_of(offers, Rude(), sampled=False)
    np.testing.assert_array_equal(offers.context["x"], before)


def test_probabilities_are_asked_for_where_it_is_sampled_or_has_nothing_else(offers: DecisionTable) -> None:
    x = offers.context["x"]
    both = Says(predict=["red"] * N, probabilities={"red": x, "blue": 1 - x})
    assert (of(answer_of(offers, both, sampled=False), "red") == 1).all()
    assert (of(answer_of(offers, both, sampled=True), "red") == x).all()
    only = Says(probabilities={"red": 0.25, "blue": 0.75})
    assert (of(answer_of(offers, only, sampled=False), "blue") == 0.75).all()
    assert (of(answer_of(offers, only, sampled=False), "green") == 0).all()


def test_an_action_that_was_never_logged_is_one_more(offers: DecisionTable) -> None:
    answer = answer_of(offers, Says(predict=["red"] * (N - 1) + ["gold"]), sampled=False)
    assert answer.actions == (*offers.actions, "gold")
    assert of(answer, "gold").tolist() == [0] * (N - 1) + [1]


@pytest.mark.parametrize(
    ("mine", "said"),
    [
        (Says(), "neither predict nor probabilities"),
        (Says(predict=["red"]), r"predict returned actions of shape \(1,\), not \(40,\)"),
        (Says(predict=np.ones((N, 3))), r"shape \(40, 3\)"),
        (Says(probabilities=np.ones((N, 3)) / 3), "probabilities returned ndarray; give a dictionary"),
        (Says(probabilities={}), "give a dictionary"),
        (Says(probabilities={"red": [1.0]}), r"for red an array of shape \(1,\)"),
        (Says(probabilities={"red": 0.5, "blue": 0.6}), "sum must be 1"),
        (Says(probabilities={"red": 1.5, "blue": -0.5}), "must not be negative"),
        (Says(probabilities={"red": np.nan}), "must not be negative"),
    ],
)
def test_an_answer_that_is_none_is_one_line(offers: DecisionTable, mine: object, said: str) -> None:
    with pytest.raises(UserError, match=said):
        answer_of(offers, mine, sampled=False)
