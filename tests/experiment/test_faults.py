"""What happens to a run from outside: agents that misbehave, processes that are killed, disks that are full.

The loops are many, and slow (`make check-faults`); one of each kind runs with every test.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from patience import LONG
from refusal import refused

from lam_env.commands.run import main
from lam_env.evaluation.results import read

TINY = ["predictor.passes=1", "predictor.hidden=8", "train.steps=256", "log.worlds=3", "log.days=2", "agents=random"]
TINY += ["eval.seeds=2", "eval.worlds=1", "world.days=1"]
AGENTS = """
import ctypes, os, sys, time

import numpy as np

kept = []


class Good:
    def predict(self, observation, state=None, episode_start=None, deterministic=True):
        return observation["action_mask"].argmax(1), state


class Bad(Good):
    asked = 0

    def predict(self, observation, state=None, episode_start=None, deterministic=True):
        Bad.asked += 1
        actions, state = super().predict(observation, state)
        return (actions if Bad.asked < 10 else self.go_wrong(actions)), state  # after it has been tried


class FailsToFit(Good):
    def fit(self, training):
        return Good() if training.steps == 64 else 1 / 0


class LeavesInFit(Good):
    def fit(self, training):
        return Good() if training.steps == 64 else os._exit(0)


class LeavesAtImport(Good):
    def __init__(self):
        os._exit(0)
"""
HOW = {  # what goes wrong -> what is said
    "Fails": ("1 / 0", "ZeroDivisionError: division by zero"),
    "Exits": ("sys.exit(0)", "SystemExit: 0"),
    "Interrupts": ("exec('raise KeyboardInterrupt')", "KeyboardInterrupt"),
    "Leaves": ("os._exit(0)", "ended itself with exit code 0"),
    "Crashes": ("ctypes.string_at(0)", "crashed (SIGSEGV)"),
    "Aborts": ("os.abort()", "crashed (SIGABRT)"),
    "Hangs": ("time.sleep(100_000)", "so it was ended; agent.timeout="),
    "Leaks": ("[kept.append(b'x' * 10_000_000) for _ in range(10_000)]", "so it was ended; agent.memory="),
    "Forks": ("os.fork() and actions", "os.fork copied its process"),
    "Nan": ("actions * np.nan", "actions of type float64"),
    "Shapes": ("actions[:0]", "actions of shape (0,)"),
    "Colours": ("exec('raise ValueError(\"\\x1b[31mred\\x1b[0m\")')", "ValueError: red"),
}


def test_a_full_disk_ends_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = full_at(11, tmp_path, monkeypatch, capsys)
    assert "No space left on device); make room, or give another folder" in said


def test_a_folder_that_is_removed_ends_a_run_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import lam_env.experiment.jobs as work

    real = work.simulate_training_log

    def removed(*args: object) -> None:
        real(*args)  # type: ignore[arg-type]
        shutil.rmtree(tmp_path / "out")

    monkeypatch.setattr(work, "simulate_training_log", removed)
    with pytest.raises(SystemExit) as caught:
        main([*TINY, "workers=1", f"out={tmp_path / 'out'}"])
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert f"\nerror: {tmp_path / 'out'}: " in said
    assert "Traceback" not in said
    assert not (tmp_path / "out").exists()


def full_at(n: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """The last line of a run whose disk is full from the `n`th file on; "" if it does not write so many."""
    written, move = [], os.replace

    def full(old: object, new: object) -> None:
        written.append(new)
        if len(written) >= n:
            raise OSError(28, "No space left on device")
        move(old, new)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        try:
            code = main([*TINY, "workers=1", f"out={tmp_path / 'out'}"])
        except SystemExit as stop:
            code = stop.code  # type: ignore[assignment]
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert code == (2 if len(written) >= n else 0), said
    return said.splitlines()[-1] if code else ""


# -- loops -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing happens to."""
    folder = tmp_path_factory.mktemp("faults")
    assert main([*TINY, f"out={folder / 'whole'}"]) == 0
    return folder / "whole"


@pytest.mark.faults
@pytest.mark.parametrize("workers", [1, 2])
def test_every_agent_that_misbehaves_is_named_and_the_others_rows_stay(
    whole: Path, tmp_path: Path, workers: int
) -> None:
    classes = "".join(
        f"\n\nclass {name}(Bad):\n    def go_wrong(self, actions):\n        return {how}\n"
        for name, (how, _) in HOW.items()
    )
    (tmp_path / "bad_agents.py").write_text(AGENTS + classes)
    said_of = {name: said for name, (_, said) in HOW.items()}
    said_of |= {"FailsToFit": "ZeroDivisionError", "LeavesInFit": "ended itself with exit code 0"}
    names = ",".join(f"bad_agents:{name}" for name in ("Good", *said_of))
    words = [*TINY, f"workers={workers}", "agent.timeout=20", "agent.memory=2", f"agent={names}", "out=out"]
    run = subprocess.run(
        [sys.executable, "-m", "lam_env.run", *words], cwd=tmp_path, capture_output=True, text=True, timeout=LONG * 10
    )
    assert run.returncode == 1, run.stderr
    left_out = [line for line in run.stderr.splitlines() if line.startswith("left out: ")]
    for name, said in said_of.items():
        assert [line for line in left_out if line.startswith(f"left out: bad_agents:{name}: ") and said in line], name
    assert len(left_out) == len(said_of)
    assert "\x1b" not in run.stderr + run.stdout
    mine = read(tmp_path / "out/results.csv")
    assert [r for r in mine if ":" not in r.agent] == read(whole / "results.csv")
    lines = (tmp_path / "out/results.csv").read_text().splitlines()
    assert [line for line in lines if "bad_agents" not in line] == (whole / "results.csv").read_text().splitlines()
    assert {r.agent for r in mine if ":" in r.agent} == {"bad_agents:Good"}
    print(f"{len(said_of)} agents that misbehave, {len(left_out)} named, {len(lines) - 1} rows compared")


@pytest.mark.faults
def test_an_agent_that_leaves_when_it_is_tried_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad_agents.py").write_text(AGENTS)
    monkeypatch.syspath_prepend(tmp_path)
    said = refused(main, capsys, *TINY, "agent=bad_agents:LeavesAtImport", f"out={tmp_path / 'out'}")
    assert "agent bad_agents:LeavesAtImport: its process ended itself with exit code 0" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.faults
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_ended_again_and_again_ends_with_the_same_bytes(
    whole: Path, tmp_path: Path, sent: signal.Signals
) -> None:
    words, ends, draw = [*TINY, f"out={tmp_path / 'out'}"], [], random.Random(int(sent))
    for patience in [draw.uniform(1, 14) for _ in range(8)]:
        with subprocess.Popen(
            [sys.executable, "-m", "lam_env.run", *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as run:
            try:
                run.wait(timeout=patience)
            except subprocess.TimeoutExpired:
                run.send_signal(sent)
            assert run.stderr is not None
            said = run.stderr.read()
            ends.append(run.wait(timeout=LONG))
        assert "Traceback" not in said, said
        early = -sent if sent == signal.SIGKILL or not said else 130  # before the kit was loaded nobody says a word
        assert ends[-1] in (0, early), said
    assert ends.count(0) < len(ends)
    assert main(words) == 0
    assert (tmp_path / "out/results.csv").read_bytes() == (whole / "results.csv").read_bytes()
    assert not [p for p in (tmp_path / "out").rglob("*") if p.suffix in (".part", ".old")]
    print(f"{sent.name}: {len(ends)} runs, {len(ends) - ends.count(0)} ended, the same bytes")


@pytest.mark.faults
def test_a_disk_may_be_full_at_any_file(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    count = 0
    while full_at(count + 1, tmp_path / str(count), monkeypatch, capsys):
        place = tmp_path / str(count) / "out"
        if count % 5 == 0:  # with room again the same command goes on
            assert main([*TINY, "workers=1", f"out={place}"]) == 0
            assert (place / "results.csv").read_bytes() == (whole / "results.csv").read_bytes()
            capsys.readouterr()
        shutil.rmtree(place)
        count += 1
    assert count > 20
    print(f"{count} files at which the disk was full, each one line and exit code 2")
