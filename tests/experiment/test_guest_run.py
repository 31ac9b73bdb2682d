"""A run with somebody else's learner: a row, a learning curve and its place in the report like any other's."""

import csv

import pytest

from lam_env.commands import watch
from lam_env.evaluation.results import read
from lam_env.run import main

LEARNERS = """
from stable_baselines3 import A2C


class Plain:
    def fit(self, training):
        self.model = A2C("MultiInputPolicy", training.make_env(4), n_steps=16, seed=training.seed)
        return self.model.learn(training.steps)


class OnPrior(Plain):
    def fit(self, training):
        self.model = A2C("MlpPolicy", training.make_env(4, prior=True), n_steps=16, seed=training.seed)
        return self.model.learn(training.steps)

    def save(self, folder):
        self.model.save(folder / "model")

    def load(self, training, folder):
        return A2C.load(folder / "model", training.make_env(1, prior=True))
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
        "train.trial=2",
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


def test_the_model_of_its_first_training_is_kept_and_watched_with_what_the_prior_expects(run, monkeypatch, capsys):
    assert [path.name for path in (run / "model" / "own").iterdir()] == ["their_learners-OnPrior"]
    monkeypatch.syspath_prepend(run.parent)
    shown = []
    for seed in (3, 3, 4):
        assert watch.main([f"agent=their_learners:OnPrior@{run}", "moments=5", "skip=no", f"seed={seed}"]) == 0
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1] != shown[2]
    assert shown[0].count("expected  ") == 5


def test_what_is_not_kept_is_one_line_that_says_why(run, monkeypatch, capsys):
    monkeypatch.syspath_prepend(run.parent)
    for name, says in (
        (
            NAMES[0],
            "it has to have save(folder) and load(training, folder), then judge it again: python -m lam_env.run",
        ),
        ("their_learners:A2C", "judge it in a run: python -m lam_env.run model="),
    ):
        with pytest.raises(SystemExit):
            watch.main([f"agent={name}@{run}"])
        err = capsys.readouterr().err
        assert f"keeps no model of {name}; {says}" in err
        assert err.count("\n") == 1
