"""The models that come with the kit: they load, speak of today's worlds, and are worth something there."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import lam_env
from lam_env.commands import run, watch
from lam_env.config.cli import to_dict
from lam_env.core import registry
from lam_env.core.catalogue import UTILITY
from lam_env.core.contracts import Policy
from lam_env.core.errors import UserError
from lam_env.core.seeds import Use, world_seeds
from lam_env.evaluation.rollout import per_seed, rollout
from lam_env.experiment.acting import policy_of
from lam_env.experiment.agent_spec import defaults_of
from lam_env.experiment.policies import predictor_of, scenario_of
from lam_env.experiment.run_folder import RunFolder, run_path

FOLDER = Path(lam_env.__file__).with_name("trained")
WORLDS = sorted(path.name for path in FOLDER.iterdir())
every_world = pytest.mark.parametrize("world", WORLDS)
# what is judged: few days or few people, so that it takes seconds
SMALL = {"smart_home": {"days": 4}, "traffic": {"days": 15}, "game": {}}
JUDGED = {"smart_home": 6, "traffic": 1, "game": 40}


def test_there_is_one_for_each_world_at_most() -> None:
    assert WORLDS
    assert set(WORLDS) <= set(registry.scenario_names())
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < 3_000_000


@every_world
def test_it_is_of_a_usual_run_in_todays_world_and_says_which(world: str) -> None:
    folder = RunFolder.open(f"trained/{world}")
    config, scenario = folder.config(), registry.scenario(world)
    usual, _ = defaults_of(scenario)
    assert config["seed"] == [0]
    for group in ("log", "train", "predictor"):
        assert config[group] == to_dict(getattr(usual, group)), group
    assert config["world"] == to_dict(scenario.Params())
    assert {"lam-env", "torch", "numpy"} <= config["versions"].keys()  # type: ignore[union-attr]
    assert f"out=runs/trained/{world}" in str(config["command"])
    assert predictor_of(folder).vocabulary == scenario_of(folder).vocabulary


@every_world
def test_it_helps_people_more_than_nobody_does(world: str) -> None:
    scenario = scenario_of(RunFolder.open(f"trained/{world}")).with_params(**SMALL[world])
    seeds = list(world_seeds(Use.VALIDATION, JUDGED[world]))
    names = (f"trained/{world}", "none")
    trained, nobody = (_utility(policy_of(name, scenario.vocabulary), scenario, seeds) for name in names)
    assert trained > nobody


def test_loading_one_leaves_torchs_compiler_alone() -> None:
    code = f"import sys, lam_env\nfor name in {WORLDS!r}:\n    lam_env.load_policy(f'trained/{{name}}')\n"
    code += "print({'torch', 'torch._dynamo'} & set(sys.modules))"  # which takes seconds to load
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == "{'torch'}\n"


def _utility(policy: Policy, scenario: lam_env.Scenario, seeds: list[int]) -> float:
    return float(np.mean([scores[UTILITY.id] for scores in per_seed(rollout(policy, scenario, seeds), [0]).values()]))


def test_commands_and_python_know_it_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    name = f"trained/{WORLDS[-1]}"
    assert watch.main([f"agent={name}", "moments=2"]) == 0
    assert "expected" in capsys.readouterr().out
    assert hasattr(lam_env.load(name), "suggest")


def test_fine_tuning_starts_from_its_prior_and_simulates_the_log_that_is_not_shipped() -> None:
    env = lam_env.LamEnv("smart_home", days=1)
    policy = lam_env.finetune("trained/smart_home", env, 32, envs=2, rollout=8, trial=1)
    assert policy.predictor is not None
    assert policy.predictor.vocabulary == env.scenario.vocabulary


def test_a_folder_of_that_name_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "trained" / WORLDS[0]).mkdir(parents=True)
    assert run_path(f"trained/{WORLDS[0]}") == Path("trained") / WORLDS[0]
    assert run_path("runs/trained/x") == Path("runs/trained/x")


@pytest.mark.parametrize("ask", [lam_env.load, RunFolder.open, lambda name: watch.main([f"agent={name}"])])
def test_one_that_there_is_not_is_told_with_those_there_are(
    ask: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises((UserError, SystemExit)) as caught:
        ask("trained/tea")  # type: ignore[operator]
    said = str(caught.value) + capsys.readouterr().err
    assert f"trained/tea: no such folder, and the kit comes with trained/{WORLDS[0]}" in said


def test_a_run_cannot_go_on_without_the_log_that_is_not_shipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        run.main([f"scenario={WORLDS[-1]}", f"model=trained/{WORLDS[-1]}"])
    assert "has no log/train, as what comes with the kit" in capsys.readouterr().err
