"""A run folder's world and policy, as every command finds them."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from runs import small_run

from lam_env import record
from lam_env.config import parse
from lam_env.events import USER, ActionLog
from lam_env.inputs import usual
from lam_env.policies import scenario_of
from lam_env.run import Pipeline
from lam_env.runs import RunFolder
from lam_env.settings import RunSettings


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
    from lam_env.logs.calibrate import calibrate
    from lam_env.registry import importer

    log, _ = importer("csv")(str(folder / "ann.csv"), home=None, zone="UTC")
    (folder / "run/tables.json").write_text(json.dumps(calibrate(log).to_json()))
    return folder / "run"


def test_of_a_persons_log_one_lives_in_the_home_and_config_json_says_so(twin: Path) -> None:
    world = RunFolder(twin).config()["world"]
    assert (world["residents"], world["days"]) == (1, 1)
    scenario = scenario_of(RunFolder(twin))
    assert scenario.n_users == 1
    assert {"eat", "out", "read", "sleep"} == set(scenario.tables.activities)  # type: ignore[attr-defined]


def test_the_decisions_recorded_in_a_calibrated_home_are_its_one_residents(twin: Path, tmp_path: Path) -> None:
    assert record.main([f"policy={twin}", "worlds=2", f"out={tmp_path / 'log'}"]) == 0
    log = ActionLog.load(tmp_path / "log")
    assert np.unique(log.user[log.kind == USER]).tolist() == [0]
