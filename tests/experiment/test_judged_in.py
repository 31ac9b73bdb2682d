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


OTHER = {"alike": "differ", "differ": "alike"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Among people of each kind a run, and one that is judged among the others."""
    folder = tmp_path_factory.mktemp("judged")
    for people, other in OTHER.items():
        words = [*TINY, f"world.households={people}"]
        assert main([*words, f"out={folder / people}"]) == 0
        assert main([*words, f"eval.world=households={other}", f"out={folder / people}-across"]) == 0
    return folder


@pytest.mark.parametrize("people", OTHER)
def test_people_are_those_of_the_other_world_and_training_is_the_same(runs: Path, people: str) -> None:
    trained, there, across = runs / people, runs / OTHER[people], runs / f"{people}-across"
    of_oracle = {
        run: {r[2:6]: r.value for r in read(run / "results.csv") if r.agent == "oracle"}
        for run in (trained, there, across)
    }
    assert of_oracle[across] == of_oracle[there] != of_oracle[trained]
    logs = [(run / "log/train/events.parquet").read_bytes() for run in (trained, across)]
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
