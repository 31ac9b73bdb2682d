"""Agents by name: what every command takes, and what is wrong with one."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from lam_env.agents.fine_tuning.saved import fingerprint

import lam_env
from lam_env.commands import record, watch
from lam_env.core import registry
from lam_env.core.contracts import complete, learned
from lam_env.core.errors import UserError
from lam_env.core.events import AGENT, ActionLog
from lam_env.experiment.acting import policy_of, run_of, world_for
from lam_env.experiment.agent_check import keep, small_training, try_agent
from lam_env.experiment.policies import scenario_of, tuned
from lam_env.experiment.run_folder import RunFolder

OWN = '''
import numpy as np


class Eager:
    def predict(self, observation, state=None, episode_start=None, deterministic=True):
        return (observation["action_mask"] > 0).argmax(1), state


class Last:
    """Always the possible action of the highest number below a limit, which it takes from the log."""

    def fit(self, training):
        self.limit = int(training.train.target.max()) + 1
        return self

    def predict(self, observation, state=None, episode_start=None, deterministic=True):
        possible = observation["action_mask"] * (np.arange(observation["action_mask"].shape[1]) < self.limit)
        return np.where(possible > 0, np.arange(possible.shape[1]), 0).max(1), state


class Kept(Last):
    def save(self, folder):
        (folder / "deep").mkdir()
        (folder / "deep" / "limit").write_text(str(self.limit))

    def load(self, training, folder):
        assert len(training.train) and training.seed == 0
        self.limit = int((folder / "deep" / "limit").read_text())
        return self


class ForgetsToSave(Kept):
    def save(self, folder):
        pass


class CannotSave(Kept):
    def save(self, folder):
        (folder / "no" / "limit").write_text("1")


class LoadsNothing(Kept):
    def load(self, training, folder):
        super().load(training, folder)


class Silent(Last):
    def __init__(self):
        raise KeyError("nobody")


class Nothing:
    pass
'''


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "acting_own.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)


@pytest.fixture
def run(tmp_path: Path, small_run: Path) -> RunFolder:
    """A run that has kept what `Kept` has learned."""
    shutil.copytree(small_run, tmp_path / "run")
    run = RunFolder(tmp_path / "run")
    agent = registry.agent("acting_own:Kept")()
    learned(agent, small_training(scenario_of(run)))
    keep(agent, run.own("acting_own:Kept"))
    return run


def test_an_agent_that_needs_no_training_is_watched_and_recorded_by_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["scenario=smart_home", "agent=acting_own:Eager"]
    assert watch.main([*words, "world.days=1", "moments=2", "width=200", f"gif={tmp_path / 'a.gif'}"]) == 0
    assert (tmp_path / "a.gif").read_bytes()[:3] == b"GIF"
    out = tmp_path / "log"
    assert record.main(["policy=acting_own:Eager", "explore=0", "days=1", "worlds=1", f"out={out}"]) == 0
    log = ActionLog.load(out)
    assert set(log.token[log.kind == AGENT]) == {0}  # none, which is always possible, is the first
    assert capsys.readouterr().err.count("error") == 0


def test_what_a_run_has_kept_acts_as_what_has_learned(run: RunFolder) -> None:
    scenario, name = scenario_of(run), f"acting_own:Kept@{run.path}"
    again = policy_of(name, scenario.vocabulary, scenario=scenario)
    agent = registry.agent("acting_own:Kept")()
    learned(agent, small_training(scenario))
    seen = {"action_mask": np.ones((3, len(scenario.vocabulary)), np.int8)}
    assert again.predict(seen)[0].tolist() == agent.predict(seen)[0].tolist() != [0, 0, 0]
    assert run_of(name) is not None
    assert run_of("acting_own:Kept") is None
    assert watch.main([f"agent={name}", "moments=1"]) == 0


def test_who_needs_no_training_acts_in_the_worlds_of_a_run(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    scenario, name = scenario_of(run), f"oracle@{run.path}"
    assert world_for(name, None) == world_for(str(run.path), None)
    assert type(policy_of(name, scenario.vocabulary, scenario=scenario)) is type(scenario.baselines()["oracle"](None))
    assert watch.main([f"agent={name}", "moments=1"]) == 0
    with pytest.raises(UserError, match=r"^policy=oracle@.*: acts in simulated worlds alone; give none or random"):
        policy_of(name, scenario.vocabulary)
    with pytest.raises(UserError, match=r"^agent=orcle: neither a run folder .* did you mean 'oracle'"):
        policy_of(f"orcle@{run.path}", scenario.vocabulary, scenario=scenario)


def test_a_policy_that_was_saved_alone_acts_by_its_folder(run: RunFolder, tmp_path: Path) -> None:
    policy = tuned(run)
    policy.with_prior = True
    lam_env.save_policy(policy, tmp_path / "policy")
    name = str(tmp_path / "policy")
    assert run_of(name) is None
    found = policy_of(name, scenario_of(run).vocabulary, scenario=scenario_of(run))
    assert fingerprint(complete(found).predictor) == fingerprint(policy.predictor)
    assert watch.main([f"agent={name}", "moments=1", "world.days=1"]) == 0
    with pytest.raises(UserError, match="has another vocabulary than the log; take a run in the same world"):
        policy_of(name, registry.scenario("game")().vocabulary)


def test_a_run_whose_policy_is_not_there_says_what_it_has_kept(run: RunFolder) -> None:
    shutil.rmtree(run.policy)
    run.write_config({**run.config(), "agents_judged": ["acting_own:Kept", "acting_own:Last"], "finished": True})
    with pytest.raises(UserError, match=rf"agents have learned; say acting_own:Kept@{run.path}$"):
        policy_of(str(run.path), scenario_of(run).vocabulary)


def test_what_was_changed_since_or_is_of_another_home_is_refused(run: RunFolder) -> None:
    scenario, name = registry.scenario("smart_home")(rooms=4), f"acting_own:Kept@{run.path}"
    with pytest.raises(UserError, match="its policy has another vocabulary than the world"):
        policy_of(name, scenario.vocabulary, "world", scenario)
    (run.own("acting_own:Kept") / "deep" / "limit").write_text("9")
    with pytest.raises(UserError, match=r"acting_own-Kept: changed since it was saved, or not whole; judge"):
        policy_of(name, scenario_of(run).vocabulary)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("acting_own:Last", r"needs training .it asks for train.; judge it in a run, .* say acting_own:Last@RUN$"),
        ("acting_own:Silent", r"^policy acting_own:Silent: KeyError: 'nobody'"),
        ("acting_own:Nothing", "has no predict; give it one, or a fit"),
        ("acting_own:Eager@nowhere", "^nowhere: no such folder"),
        ("no/where", "^no/where: no such folder"),
    ],
)
def test_what_cannot_act_is_one_line(name: str, says: str) -> None:
    scenario = registry.scenario("smart_home")()
    with pytest.raises(UserError, match=says):
        policy_of(name, scenario.vocabulary, scenario=scenario)


@pytest.mark.parametrize("name", ["Kept", "Last"])
def test_saving_and_loading_is_tried_before_a_run(name: str) -> None:
    assert try_agent(registry.scenario("smart_home")(), f"acting_own:{name}").needs == ("prior",)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("ForgetsToSave", "load: FileNotFoundError"),
        ("CannotSave", "save: FileNotFoundError"),
        ("LoadsNothing", "load: load must return an object with predict, not NoneType"),
    ],
)
def test_a_fault_in_it_is_told_then(name: str, says: str) -> None:
    with pytest.raises(UserError, match=f"^agent acting_own:{name}: .*{says}"):
        try_agent(registry.scenario("smart_home")(), f"acting_own:{name}")
