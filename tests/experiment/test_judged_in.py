"""Agents that are judged among other people than those that they were trained on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lam_env.commands.run import main
from lam_env.core import registry
from lam_env.core.errors import UserError
from lam_env.evaluation.results import read
from lam_env.experiment.policies import judged_in

TINY = ["predictor.passes=1", "predictor.hidden=8", "workers=1", "eval.seeds=2", "eval.worlds=1", "agents=markov1"]
TINY += ["world.days=1", "log.worlds=3", "log.days=2", "train.trial=2"]


@pytest.mark.parametrize("people", ["alike", "differ"])
def test_people_are_those_of_the_other_world_and_training_is_the_same(tmp_path: Path, people: str) -> None:
    other = {"alike": "differ", "differ": "alike"}[people]
    rows = {}
    for name, words in (
        ("trained", [f"world.households={people}"]),
        ("there", [f"world.households={other}"]),
        ("across", [f"world.households={people}", f"eval.world=households={other}"]),
    ):
        assert main([*TINY, *words, f"out={tmp_path / name}"]) == 0
        rows[name] = {r[2:6]: r.value for r in read(tmp_path / name / "results.csv")}
    of_oracle = {name: [v for k, v in found.items() if k[0] == "oracle"] for name, found in rows.items()}
    assert of_oracle["across"] == of_oracle["there"] != of_oracle["trained"]
    logs = [(tmp_path / name / "log/train/events.parquet").read_bytes() for name in ("trained", "across")]
    assert logs[0] == logs[1]


def test_no_change_is_the_same_scenario_and_what_agents_cannot_speak_is_refused(fails: Callable[..., str]) -> None:
    home = registry.scenario("smart_home")(days=2)
    assert judged_in(home, ()) is home
    assert judged_in(home, ("dislikes=0", "days=3")).params.days == 3
    with pytest.raises(UserError, match=r"^eval\.world=rooms=6: agents speak another vocabulary there"):
        judged_in(home, ("rooms=6",))
    with pytest.raises(UserError, match=r"^eval\.world=household=alike: .*did you mean 'world.households'"):
        judged_in(home, ("household=alike",))
    assert "eval.world=rooms=6" in fails(*TINY, "eval.world=rooms=6")
