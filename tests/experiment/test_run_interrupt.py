"""A run that is interrupted: what it leaves, what it says, and that nobody of it is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from patience import LONG, eventually

from lam_env.commands.run import main
from lam_env.config.cli import parse
from lam_env.evaluation.results import read
from lam_env.experiment.inputs import usual
from lam_env.experiment.pipeline import Pipeline
from lam_env.experiment.settings import RunSettings

SMALL = ["predictor.passes=1", "predictor.hidden=16", "eval.seeds=2", "eval.worlds=1", "world.days=1"]
SMALL += ["log.worlds=3", "log.days=2"]
TUNED = """
import dataclasses
from pathlib import Path

from lam_env.core import registry


class Tuned:
    def fit(self, training):
        def told(*message):
            Path("tuning").touch()
            training.progress(*message)

        return registry.agent("ppo_prior")().fit(dataclasses.replace(training, progress=told))
"""


def gone(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_an_interrupt_leaves_a_run_that_can_be_gone_on_from(tmp_path: Path, workers: int) -> None:
    out, wanted = tmp_path / "out", {"none", "oracle"}
    (tmp_path / "own_agents.py").write_text(TUNED)
    words = [*SMALL, f"workers={workers}", "train.steps=1e8", "agents=prior", "agent=own_agents:Tuned", f"out={out}"]

    def in_the_middle() -> bool:
        judged = {r.agent for r in read(out / "results.csv")} if (out / "results.csv").exists() else set()
        return wanted <= judged and (tmp_path / "tuning").exists()

    with subprocess.Popen(
        [sys.executable, "-m", "lam_env.run", *words],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as run:
        try:
            assert eventually(lambda: run.poll() is not None or in_the_middle())
            os.killpg(run.pid, signal.SIGINT)
            assert run.wait(timeout=LONG) == 130  # fine-tuning would go on for days
            assert eventually(lambda: gone(run.pid))  # and so would a worker
        finally:
            if not gone(run.pid):
                os.killpg(run.pid, signal.SIGKILL)
        assert run.stderr is not None
        said = run.stderr.read()
    assert "Traceback" not in said
    assert f" agent=own_agents:Tuned out={out}\nstopped\n" in said  # with the settings it was given
    assert wanted <= {r.agent for r in read(out / "results.csv")}
    config = json.loads((out / "config.json").read_text())
    assert config["finished"] is False
    assert "| oracle |" in (out / "tables.md").read_text()
    assert not list(out.rglob("*.part"))


def test_a_stopped_run_counts_agents_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = Pipeline(
        parse(RunSettings, [*SMALL, f"out={tmp_path / 'a'}", "agents=prior"], "run", usual), "python -m lam_env.run"
    )
    with ExitStack() as stack:
        run.check()
        run.open(stack)
        for variant, agent in (("sim", "none"), ("exploit", "greedy"), ("ladder:plan", "ladder_plan")):
            run._add(variant, agent, 0, {0: {"pred.top1": 1.0}})
        capsys.readouterr()
        run.stopped()
    missing = [name for name in run.agents if name != "none"]
    said = capsys.readouterr().err
    assert f"the results of 1 of {len(run.agents)} agents (not yet of {', '.join(missing)})\n" in said


@pytest.mark.parametrize("named", [True, False])
def test_an_interrupt_at_the_very_beginning_says_what_is_kept_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], named: bool
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lam_env.experiment.jobs.simulate_training_log", stop)
    with pytest.raises(SystemExit) as caught:
        main([*SMALL, "workers=1", "agents=prior", *(["out=mine"] if named else [])])
    assert caught.value.code == 130
    said = capsys.readouterr().err
    folder = "mine" if named else "runs/smart_home-1"
    assert f"not finished; {folder} holds its settings\n" in said
    assert "the same command goes on where this one stopped:\n  python -m lam_env.run predictor" in said
    assert said.endswith(f" agents=prior out={folder}\nstopped\n")
    assert json.loads((tmp_path / folder / "config.json").read_text())["finished"] is False
