"""A home that asks its agent after another quiet time than usual, from the log to the assistant."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import lam_env
from lam_env.commands.run import main
from lam_env.core.events import ActionLog
from lam_env.evaluation.results import read

pytestmark = pytest.mark.usefixtures("short_trials")

TINY = ["predictor.passes=1", "predictor.hidden=8", "train.steps=256", "workers=1", "eval.seeds=2", "eval.worlds=1"]
TINY += ["train.trial=2"]


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose worlds have a timer of ten minutes."""
    out = tmp_path_factory.mktemp("slow") / "run"
    world = ["world.timer=600", "world.days=1", "log.worlds=3", "log.days=2"]
    assert main([*TINY, *world, "agents=ppo_prior", f"out={out}"]) == 0
    return out


def test_all_agents_are_trained_and_judged(slow: Path) -> None:
    assert ActionLog.load(slow / "log/train").timer == 600
    rows = read(slow / "results.csv")
    assert {r.agent for r in rows} == {"none", "ppo_prior", "oracle"}
    assert {r.agent for r in rows if r.metric == "pred.nll"} == {"ppo_prior"}


def test_the_policy_is_served_with_decisions_after_ten_quiet_minutes(slow: Path) -> None:
    assistant = lam_env.load(slow)
    assistant.reset(8 * 3600)
    said = []
    for seconds in (0, 300, 599, 600, 900, 1199, 1200):
        assistant.observe(time=8 * 3600 + seconds)
        said.append(tuple(assistant.suggest().probabilities.values()))
    assert [said.index(s) for s in said] == [0, 0, 0, 3, 3, 3, 6]


def test_its_models_are_not_taken_into_a_home_with_another_timer(slow: Path, fails: Callable[..., str]) -> None:
    said = fails(*TINY[2:], f"model={slow}", "world.timer=300", "agents=none")
    assert "its log has a timer of 600" in said
