"""A run with somebody else's learner: a row, a learning curve and its place in the report like any other's."""

import csv

import pytest

from lam_env.evaluation.results import read
from lam_env.run import main

LEARNERS = """
from stable_baselines3 import A2C


class Plain:
    def fit(self, training):
        return A2C("MultiInputPolicy", training.make_env(4), n_steps=16, seed=training.seed).learn(training.steps)


class OnPrior:
    def fit(self, training):
        return A2C("MlpPolicy", training.make_env(4, prior=True), n_steps=16, seed=training.seed).learn(training.steps)
"""
NAMES = ["their_learners:Plain", "their_learners:OnPrior"]


@pytest.fixture(scope="module")
def run(tmp_path_factory, small_run):
    folder = tmp_path_factory.mktemp("guests")
    (folder / "their_learners.py").write_text(LEARNERS)
    words = [
        f"model={small_run}",
        "agents=none",
        f"agent={','.join(NAMES)}",
        "train.steps=300",
        "workers=1",
        "seed=0,1",
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        assert main([*words, "eval.seeds=1", "eval.worlds=2", f"out={folder / 'a'}"]) == 0
    return folder / "a"


def test_a_guest_is_a_row(run):
    rows = [r for r in read(run / "results.csv") if r.agent in NAMES]
    assert {r.agent for r in rows if r.metric == "utility.total"} == set(NAMES)
    assert {r.agent for r in rows if r.metric == "pred.top1"} == {
        "their_learners:OnPrior"
    }  # its predictor is the prior


def test_its_curve_is_kept_and_drawn(run):
    report = (run / "report.html").read_text()
    section = report.partition('id="curves"')[2].partition("<section")[0]
    for name in NAMES:
        with (run / f"curve-{name.replace(':', '-')}-0.csv").open() as file:
            points = list(csv.DictReader(file))
        assert len(points) > 10
        assert 280 < int(points[-1]["step"]) <= 320  # whole rollouts of 64
        assert {(p["agent"], p["train_seed"]) for p in points} == {(name, "0")}
        assert name in section
