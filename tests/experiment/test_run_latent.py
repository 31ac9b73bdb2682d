"""Agents of one's own that read the hidden state, with two trainings: each is judged once for each."""

from pathlib import Path

import pytest

from lam_env.commands.run import main
from lam_env.evaluation.results import read

AGENTS = """
import numpy as np


class Quiet:
    needs = ("latent",)
    reveal = ("latent",)

    def predict(self, observation, state=None, episode_start=None, deterministic=True):
        assert observation["latent"].shape[1] > 0
        return np.zeros(len(observation["epoch"]), int), state


class Both(Quiet):
    needs = ("prior", "latent")

    def fit(self, training):
        assert training.prior is not None
        return self
"""
TINY = ["predictor.passes=1", "predictor.hidden=8", "workers=1", "eval.seeds=1", "seed=1,2", "agents=informed"]
SMALL = {
    "smart_home": ["world.days=1", "log.worlds=3", "log.days=2", "eval.worlds=1"],
    "game": ["world.days=3", "log.worlds=30", "log.days=5", "eval.worlds=10"],  # `informed` is the scenario's own rule
}


@pytest.mark.parametrize("name", SMALL)
def test_each_training_is_judged_once(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hidden_agents.py").write_text(AGENTS)
    monkeypatch.chdir(tmp_path)
    own = ["agent=hidden_agents:Quiet,hidden_agents:Both"]
    assert main([*TINY, *SMALL[name], *own, f"scenario={name}", "out=run"]) == 0
    rows = [r for r in read(tmp_path / "run/results.csv") if r.metric == "utility.total"]
    trained = {(r.agent, r.train_seed) for r in rows}
    for agent in ("hidden_agents:Quiet", "hidden_agents:Both"):
        assert {seed for a, seed in trained if a == agent} in ({1, 2}, {0})
        assert len([r for r in rows if r.agent == agent]) == len({seed for a, seed in trained if a == agent})
