"""Commands that are killed at random moments, again and again: the same command goes on, and ends with the bytes of
one that was left in peace."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from patience import LONG, MANY, eventually

from lam_env.__main__ import main

KILLS = max(2, MANY // 1000)
RUN = ["predictor.passes=3", "predictor.hidden=8", "log.worlds=3", "log.days=2", "eval.seeds=1", "eval.worlds=1"]
RUN += ["world.days=1", "agents=ppo_prior,ppo_scratch", "train.steps=1536", "train.envs=4", "train.trial=2"]
SUITE = """
runs:
  - scenario: smart_home
    log: {worlds: 3, days: 2}
    predictor: {passes: 3, hidden: 8}
    train: {steps: 1536, envs: 4, batch: 512, trial: 2}
    eval: {seeds: 1, worlds: 1}
    world: {days: 1}
    checkpoints: 0
    agents: [timer, ppo_prior]
  - scenario: game
    log: {worlds: 30, days: 5}
    predictor: {passes: 3, hidden: 8}
    train: {steps: 1536, envs: 4, batch: 512, trial: 2}
    eval: {seeds: 1, worlds: 10}
    world: {days: 3}
    checkpoints: 0
    agents: [parrot, ppo_prior]
"""
COMMANDS = {"run": [*RUN, "checkpoints=0"], "benchmark": ["suite=tiny.yaml"]}

pytestmark = [pytest.mark.faults, pytest.mark.skipif(sys.platform == "win32", reason="sends SIGKILL")]


def results(out: Path) -> dict[Path, bytes]:
    return {path.relative_to(out): path.read_bytes() for path in out.rglob("results.csv")}


@pytest.mark.parametrize(("name", "seed"), [("benchmark", 0), ("run", 0), ("run", 1)])
def test_what_is_killed_again_and_again_ends_with_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, seed: int
) -> None:
    """Its workers with it, or left behind. Killed at the end too: what is finished meanwhile begins anew."""
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(SUITE)
    assert main([name, *COMMANDS[name], "workers=1", "out=whole"]) == 0
    whole = results(Path("whole"))
    chance, out, said = np.random.default_rng(seed), Path("out"), Path("said.txt")
    seen, kills, ends = set[str](), 0, 0

    def more(wanted: int) -> bool:
        seen.update(str(Path(folder, file)) for folder, _, files in os.walk(out) for file in files)
        return len(seen) >= wanted

    while kills < KILLS or not ends:
        with (
            said.open("a") as told,
            subprocess.Popen(
                [sys.executable, "-m", "lam_env", name, *COMMANDS[name], "workers=2", "out=out"],
                stdout=subprocess.DEVNULL,
                stderr=told,
                start_new_session=True,
            ) as command,
        ):
            wanted = len(seen) + int(chance.integers(1, 30)) if kills < KILLS else sys.maxsize
            assert eventually(lambda: command.poll() is not None or more(wanted))  # noqa: B023
            if command.returncode is None:
                (os.killpg if chance.random() < 0.5 else os.kill)(command.pid, signal.SIGKILL)
                kills += 1
            code = command.wait(timeout=LONG)
        assert code in (0, -signal.SIGKILL), said.read_text()
        if code == 0:
            assert results(out) == whole
            shutil.rmtree(out)
            seen.clear()
            ends += 1
    for fault in ("Traceback", "begins anew"):
        assert fault not in said.read_text()
    print(f"{name}, seed {seed}: killed {kills} times, finished {ends} times, files of the same bytes: {len(whole)}")
