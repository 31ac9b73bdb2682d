"""A run folder's world and policy, as every command finds them."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from runs import small_run

import lam_env
from lam_env.commands import record, watch
from lam_env.commands.run import main
from lam_env.config.cli import parse
from lam_env.core.errors import UserError
from lam_env.core.events import USER, ActionLog, Vocabulary
from lam_env.experiment.acting import policy_of
from lam_env.experiment.inputs import usual
from lam_env.experiment.pipeline import Pipeline
from lam_env.experiment.policies import scenario_of
from lam_env.experiment.run_folder import RunFolder
from lam_env.experiment.settings import RunSettings


def begun(folder: Path, *words: str) -> dict[str, object]:
    """What config.json holds of a run that has only begun."""
    settings = parse(RunSettings, [*words, f"out={folder}", "agents=prior", "world.days=1"], "run", usual)
    run = Pipeline(settings, "python -m lam_env.run")
    with ExitStack() as stack:
        run.check()
        run.open(stack)
    found: dict[str, object] = json.loads((folder / "config.json").read_text())
    return found


def diary(path: Path, days: int = 16) -> Path:
    """One person's days, as rows of activities."""
    plan = (("00:30", "sleep", 23_000), ("07:10", "eat", 900), ("08:00", "out", 30_000), ("18:00", "read", 9_000))
    rows = [
        f"2026-01-{5 + d:02}T{hour[:3]}{(int(hour[3:]) + 7 * d) % 60:02}:00,ann,{what},{long}"
        for d in range(days)
        for hour, what, long in plan
    ]
    path.write_text("\n".join(["time,user,action,duration", *rows]))
    return path


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with a policy, as a run on one person's log leaves it."""
    folder = tmp_path_factory.mktemp("twin")
    logs = (f"logs={diary(folder / 'ann.csv')}", "format=csv", "zone=UTC")
    config = begun(folder / "begun", *logs)
    small_run(folder / "run", days=1, residents=1)
    (folder / "run/config.json").write_text(json.dumps(config))
    from lam_env.core.registry import IMPORTERS
    from lam_env.logs.calibrate import calibrate

    log, _ = IMPORTERS.get("csv")(str(folder / "ann.csv"), home=None, zone="UTC")
    (folder / "run/tables.json").write_text(json.dumps([calibrate(log).to_json()]))
    return folder / "run"


def test_of_a_persons_log_one_lives_in_the_home_and_config_json_says_so(twin: Path) -> None:
    world = RunFolder(twin).config()["world"]
    assert (world["residents"], world["days"]) == (1, 1)
    scenario = scenario_of(RunFolder(twin))
    assert scenario.n_users == 1
    (habits,) = scenario.tables  # type: ignore[attr-defined]
    assert {"eat", "out", "read", "sleep"} == set(habits.activities)


def test_the_decisions_recorded_in_a_calibrated_home_are_its_one_residents(twin: Path, tmp_path: Path) -> None:
    assert record.main([f"policy={twin}", "worlds=2", f"out={tmp_path / 'log'}"]) == 0
    log = ActionLog.load(tmp_path / "log")
    assert np.unique(log.user[log.kind == USER]).tolist() == [0]


# -- what is not there -------------------------------------------------------------------------------------------------

ALL = ["none", "prior", "ppo_prior"]


@pytest.mark.parametrize(
    ("parts", "config", "says"),
    [
        (
            "",
            {"agents_judged": ALL},
            "model/prior: the run has not got so far; its command goes on with it, given out=",
        ),
        ("prior", {"finished": False, "agents_judged": ALL}, "model/policy: the run has not got so far"),
        ("prior", {"finished": True, "agents_judged": ALL[:2]}, "model/policy: ppo_prior is not among its agents; its"),
        ("prior", {"finished": True, "agents_judged": ALL}, "the run is finished: ppo_prior has failed, as tables.md"),
        ("", {"finished": True, "agents_judged": ALL}, "though the run is finished: the folder is not whole"),
        ("prior-real", {"finished": True, "agents_judged": ALL}, "model/prior: the actions of its log are no commands"),
    ],
)
def test_what_a_run_has_not_and_why(tmp_path: Path, parts: str, config: dict[str, object], says: str) -> None:
    for part in parts.split():
        (tmp_path / "model" / part).mkdir(parents=True)
    (tmp_path / "config.json").write_text(json.dumps({"scenario": "smart_home", "world": {}, **config}))
    with pytest.raises(UserError) as caught:
        policy_of(str(tmp_path), Vocabulary(("none", "a")))
    assert says in str(caught.value)
    assert str(tmp_path) in str(caught.value)


# -- a scenario of one's own -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in a scenario that no registry knows."""
    folder = tmp_path_factory.mktemp("own") / "run"
    words = ["log.worlds=3", "log.days=2", "predictor.passes=1", "predictor.hidden=8", "train.steps=256", "workers=1"]
    words += ["eval.seeds=1", "eval.worlds=2", "train.trial=2", "agents=ppo_prior", f"out={folder}"]
    assert main(["scenario=people:Trips", *words]) == 0
    return folder


def test_a_scenario_of_ones_own_has_a_replay_and_can_be_loaded(own: Path) -> None:
    replay = json.loads((own / "report/replay-0.json").read_text())
    assert replay["agent"] == "ppo_prior"
    adviser = lam_env.load(own)
    adviser.observe(time=0, user="ann", sensor="plans")
    assert adviser.suggest("ann").action in ("none", "car", "bus", "walk")


def test_it_is_run_where_the_command_names_it_and_never_because_a_file_does(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "a.yaml"
    config.write_text("scenario: people:Trips\n")
    for main_of, words in (
        (watch.main, [f"agent={own}", "moments=2"]),
        (record.main, [f"policy={own}", "worlds=1", f"out={tmp_path / 'log'}"]),
    ):
        for more, says in (([], "say scenario=people:Trips"), ([f"config={config}"], "names Python code")):
            with pytest.raises(SystemExit):
                main_of([*words, *more])
            assert says in capsys.readouterr().err
        assert main_of([*words, "scenario=people:Trips"]) == 0


def test_a_command_that_names_another_scenario_is_told_which_the_run_is_of(
    twin: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("traffic", "nope"):
        with pytest.raises(SystemExit) as caught:
            record.main([f"policy={twin}", f"scenario={name}", "worlds=1", f"out={twin / 'decisions'}"])
        assert caught.value.code == 2
        assert f"is a run of smart_home, not of {name}; say scenario=smart_home" in capsys.readouterr().err
        assert not (twin / "decisions").exists()
