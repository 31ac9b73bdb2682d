"""The steps of runs: which there are, how many are over, and how long the rest may take."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, cast

import pytest

from lam_env.core import registry
from lam_env.envs.scenario import Scenario
from lam_env.experiment.agent_spec import needs_of
from lam_env.experiment.inputs import agents_of
from lam_env.experiment.score_store import ScoreKey
from lam_env.experiment.settings import PRETRAIN, EvalSettings, RunSettings
from lam_env.experiment.work.steps import GATES, REPLAYED, SIMULATE, TREES, WEIGHT, Plan, Steps, Whole


@pytest.fixture(scope="module")
def home() -> Scenario:
    return registry.scenario("smart_home")()


def plan_of(home: Scenario, failed: Collection[str] = (), **settings: Any) -> Plan:
    s = RunSettings(**settings)
    return Plan(home, s, agents_of(s, home), lambda name: needs_of(home, name), failed)


def test_agents_come_after_what_they_build_on_and_who_learns_long_first(home: Scenario) -> None:
    plan = plan_of(home, agents=("none", "markov1", "prior", "ppo_prior", "ppo_scratch", "informed"), seed=(0,))
    assert plan.early[:2] == ["ppo_scratch", "informed"]
    assert set(plan.early[2:]) == {"none", "markov1", "oracle"}
    assert plan.late == ["ppo_prior", "prior"]
    assert plan.counting == ["markov1"]
    assert plan.exploits == []
    assert plan.ladder == {}


def test_all_agents_bring_the_ladder_and_the_exploits(home: Scenario) -> None:
    plan = plan_of(home, agents=("all",), seed=(3, 4))
    assert set(plan.ladder) == set(home.ladder.values())
    assert plan.exploits == list(home.exploits())
    steps = list(plan.steps(False, ("sim", [])))
    assert len(steps) == len(set(steps))
    of = {name: [k.train_seed for k in steps if k.agent == name] for name in {k.agent for k in steps}}
    assert of["oracle"] == [0]
    assert of["ppo_prior"] == of["informed"] == of[PRETRAIN] == [3, 4]
    assert all(len(of[name]) == 1 for name in plan.exploits)


def test_who_failed_has_no_steps(home: Scenario) -> None:
    steps = plan_of(home, {"prior"}, agents=("prior", "ppo_prior")).steps(False, ("sim", []))
    assert "prior" not in {step.agent for step in steps}


def test_a_log_is_judged_on_by_folds_and_then_come_the_worlds(home: Scenario) -> None:
    plan = plan_of(home, agents=("markov1", "prior"), seed=(0, 1), eval=EvalSettings(folds=2))
    steps = list(plan.steps(True, ("twin", [GATES, SIMULATE])))
    kinds = list(dict.fromkeys(step.kind for step in steps))
    assert kinds == ["log-1", "log-2", "twin", "log", ""]
    on_first = [step[1:] for step in steps if step.kind == "log-1"]
    assert on_first == [(PRETRAIN, 0), (PRETRAIN, 1), ("markov1", 0), ("prior", 0), ("prior", 1)]
    assert steps[-1] == REPLAYED
    assert list(plan_of(home, agents=("markov1",), seed=(0,)).steps(True, None)) == [
        ScoreKey("log", PRETRAIN, 0),
        ScoreKey("log", "markov1", 0),
        ScoreKey("log", "prior", 0),
    ]


A, B, LONG = ScoreKey("sim", "none", 0), ScoreKey("sim", "random", 0), ScoreKey("sim", "tuned", 0)


def steps_of(*every: ScoreKey) -> Steps:
    return Steps(every, lambda name: ("log", "steps") if name == "tuned" else ())


def test_who_learns_long_weighs_more() -> None:
    pretraining = ScoreKey("sim", PRETRAIN, 0)
    assert steps_of(A, LONG, pretraining, SIMULATE, REPLAYED).weights == {
        **dict.fromkeys((A, SIMULATE, REPLAYED), 1),
        **dict.fromkeys((LONG, pretraining), WEIGHT),
    }


def test_the_time_left_is_that_of_the_work_left() -> None:
    one, other = steps_of(A, LONG), steps_of(B)
    assert Whole.of([one, other], 0.0) == (0, 3, 0.0, None)
    one.over(A)
    one.over(A)  # once is enough
    assert Whole.of([one, other], 5.0) == (1, 3, pytest.approx(1 / (WEIGHT + 2)), 5.0 * (WEIGHT + 1))
    one.over(LONG)
    other.over(B)
    assert Whole.of([one, other], 60.0) == (3, 3, 1.0, 0.0)


def test_a_pre_training_that_goes_on_tells_of_time_before_it_is_over() -> None:
    pretraining = ScoreKey("log", PRETRAIN, 0)
    steps = steps_of(A, pretraining)
    steps.hears("judge none", 1, 2)
    steps.hears("pre-training 1/5", 0, 0)
    assert Whole.of([steps], 9.0).seconds is None
    steps.hears("pre-training 2/5, seed 0", 30, 120)  # a quarter of the second of five
    done = WEIGHT * 1.25 / 5
    share, seconds = done / (WEIGHT + 1), 9 * (WEIGHT + 1 - done) / done
    assert Whole.of([steps], 9.0) == (0, 2, pytest.approx(share), pytest.approx(seconds))
    steps.hears("pre-training in other homes", 1, 2)
    assert Whole.of([steps], 9.0).share == pytest.approx(WEIGHT / 2 / (WEIGHT + 1))
    steps.over(pretraining)
    assert Whole.of([steps], 8.0) == (1, 2, pytest.approx(WEIGHT / (WEIGHT + 1)), 1.0)
    steps.hears("pre-training 1/5", 60, 120)  # none is left
    assert Whole.of([steps], 8.0).seconds == 1.0


def test_trees_and_scores_of_a_log_tell_of_time_too() -> None:
    pretraining, prior = ScoreKey("log", PRETRAIN, 0), ScoreKey("log", "prior", 0)
    steps = steps_of(pretraining, prior)
    assert steps.weights == {pretraining: WEIGHT, prior: WEIGHT}  # trees take about as long
    steps.over(pretraining)
    steps.hears("boosting", 1, 4)
    at_trees = Whole.of([steps], 9.0).share
    assert at_trees == pytest.approx((1 + TREES / 4) / 2)
    steps.hears("score prior", 0, 1000)
    assert Whole.of([steps], 9.0).share == pytest.approx((1 + TREES) / 2)
    steps.hears("score prior", 1000, 1000)
    assert Whole.of([steps], 9.0).seconds == pytest.approx(0.0)
    steps.over(prior)
    assert Whole.of([steps], 9.0) == (2, 2, 1.0, 0.0)


def test_what_need_not_be_done_is_over_and_tells_nothing_of_time() -> None:
    steps = steps_of(A, B, LONG)
    steps.drop(LONG)
    assert Whole.of([steps], 9.0)[0::3] == (1, None)
    steps.over(A)
    assert Whole.of([steps], 9.0).seconds == 9.0
    steps.drop(*steps.left)
    assert Whole.of([steps], 9.0)[:3] == (3, 3, 1.0)
    steps.over(cast(ScoreKey, ("sim", "unknown", 0)))  # what was not planned counts for nothing
    assert Whole.of([], 1.0) == (0, 0, 1.0, None)
