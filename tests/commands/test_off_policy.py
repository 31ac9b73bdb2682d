"""The commands that record decisions and estimate from them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from runs import small_run

from lam_env.commands import off_policy, record
from lam_env.evaluation import results
from lam_env.evaluation.decisions import Decisions
from lam_env.experiment.logs.decisions import evaluate_policy, logged

Refused = Callable[..., str]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run, and a log of its policy's decisions."""
    folder = tmp_path_factory.mktemp("made")
    small_run(folder / "run", days=1)
    assert record.main([f"policy={folder / 'run'}", "worlds=3", "explore=0.1", f"out={folder / 'log'}"]) == 0
    return folder


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Refused:
    """The one line with which a command ends."""

    def run(main: Callable[[list[str]], int], *argv: str) -> str:
        with pytest.raises(SystemExit) as caught:
            main(list(argv))
        assert caught.value.code == 2
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1, lines
        assert not (tmp_path / "out").exists()
        return lines[0]

    return run


def test_a_recorded_log_says_how_it_was_made(made: Path) -> None:
    found = Decisions.load(made / "log")
    meta = found.log.meta
    assert meta["policy"] == str(made / "run")
    assert meta["explore"] == 0.1
    assert meta["seeds"] == [3_000_000, 3_000_001, 3_000_002]
    assert meta["command"].startswith("python -m lam_env record policy=")
    token = found.log.token[found.rows]
    assert (token > 0).any()
    assert (token == 0).any()


def test_estimates_are_shown_and_written(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    arguments = [f"log={made / 'log'}", f"policy={made / 'run'},none,random", "window=5", f"out={out}"]
    assert off_policy.main(arguments) == 0
    said = capsys.readouterr().out
    for word in ("logged", "none", "random", "SNIPS", "PDIS", f"written: {out}"):
        assert word in said
    rows = {(r.agent, r.metric): r.value for r in results.read(out / "off_policy.csv")}
    assert {agent for agent, _ in rows} == {str(made / "run"), "none", "random"}
    for agent in (str(made / "run"), "none", "random"):
        assert 0 < rows[agent, "off_policy.effective"] <= len(Decisions.load(made / "log"))
    text = (out / "off_policy.md").read_text()
    assert text.count("| logged |") == 2
    assert "reward of 5 decisions from each on" in text
    assert "`python -m lam_env off_policy log=" in text


def test_the_policy_that_was_logged_has_the_value_that_it_had(made: Path, tmp_path: Path) -> None:
    """Sampled, and with all that it explored: weights are near 1, and 1 in the mean."""
    found = Decisions.load(made / "log")
    policy = off_policy_policy(made, found)
    one, sequence = evaluate_policy(found, policy, deterministic=False)
    mean, _ = logged(found)
    assert one.mean_weight == pytest.approx(1, abs=0.02)
    assert one.effective > 0.8 * one.n
    assert mean.low < one.dr.value < mean.high
    assert sequence.trajectories == 3


def test_where_the_log_is_worth_next_to_nothing_no_interval_is_shown(made: Path, tmp_path: Path) -> None:
    """Three trajectories."""
    assert off_policy.main([f"log={made / 'log'}", "policy=none", f"out={tmp_path / 'out'}"]) == 0
    one, whole = (tmp_path / "out" / "off_policy.md").read_text().split("**reward of a trajectory's")
    assert "[" in next(line for line in one.splitlines() if line.startswith("| none"))
    assert not any("[" in line for line in whole.splitlines() if line.startswith("|"))


def off_policy_policy(made: Path, found: Decisions) -> object:
    from lam_env.experiment.acting import policy_of

    return policy_of(str(made / "run"), found.log.vocabulary)


def test_a_policy_of_ones_own_is_asked_too(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.py").write_text(
        "class Still:\n"
        "    def predict(self, observation, state=None, episode_start=None, deterministic=True):\n"
        "        return observation['epoch'][:, 0] * 0, state\n"
        "class Learner:\n"
        "    def fit(self, training):\n"
        "        return Still()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert off_policy.main([f"log={made / 'log'}", "policy=mine:Still,none", f"out={tmp_path / 'out'}"]) == 0
    capsys.readouterr()
    rows = results.read(tmp_path / "out" / "off_policy.csv")
    values = [{r.metric: r.value for r in rows if r.agent == agent} for agent in ("mine:Still", "none")]
    assert values[0] == values[1]


def test_bad_input_is_one_line(made: Path, tmp_path: Path, refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    log, out = f"log={made / 'log'}", f"out={tmp_path / 'out'}"
    assert "log= is missing" in refused(off_policy.main, out)
    assert "policy= is missing" in refused(record.main, out)
    assert "policy=: give one or several" in refused(off_policy.main, log, "policy=", out)
    assert "no such folder" in refused(off_policy.main, "log=nowhere", out)
    run = made / "run"
    assert f"{run}: is a run folder, no log of decisions; record one with python -m lam_env record policy={run}" in (
        refused(off_policy.main, f"log={run}", out)
    )
    assert "is a folder, no log of decisions; record one with" in refused(off_policy.main, f"log={tmp_path}", out)
    assert "not a run folder" in refused(off_policy.main, log, f"policy={tmp_path}", out)
    assert "not a run folder" in refused(record.main, f"policy={tmp_path}", out)
    assert "did you mean 'window'" in refused(off_policy.main, log, "windw=3")
    assert "explore" in refused(record.main, f"policy={made / 'run'}", "explore=2", out)
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "config.json").write_text(json.dumps({"scenario": "smart_home", "world": {}}))
    assert "has no model/prior" in refused(off_policy.main, log, f"policy={empty}", out)
    small_run(tmp_path / "other", days=1, rooms=4)
    assert "another vocabulary" in refused(off_policy.main, log, f"policy={tmp_path / 'other'}", out)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "learners.py").write_text(
        "class Learner:\n    def fit(self, training):\n        return self\n"
        "class Short:\n    def predict(self, observation, *more, **named):\n        return [0], None\n"
        "class Broken:\n    def predict(self, observation, *more, **named):\n        return 1 / 0\n"
        "class Leaves:\n    def predict(self, *more, **named):\n        __import__('os')._exit(0)\n"
        "class Interrupts:\n    def predict(self, *more, **named):\n        raise KeyboardInterrupt\n"
    )
    assert "predict returned actions of shape (1,)" in refused(off_policy.main, log, "policy=learners:Short", out)
    assert "policy learners:Broken: ZeroDivisionError" in refused(off_policy.main, log, "policy=learners:Broken", out)
    for name, how in (("Leaves", "its process ended itself with exit code 0"), ("Interrupts", "KeyboardInterrupt")):
        assert f"policy learners:{name}: {how}" in refused(off_policy.main, log, f"policy=none,learners:{name}", out)
    assert "has no predict" in refused(off_policy.main, log, "policy=learners:Learner", out)
    config = json.loads((made / "run" / "config.json").read_text())
    (tmp_path / "other" / "config.json").write_text(json.dumps(config))
    assert "another vocabulary than the world" in refused(record.main, f"policy={tmp_path / 'other'}", out)


def test_a_log_without_probabilities_is_refused_in_one_line(made: Path, tmp_path: Path, refused: Refused) -> None:
    found = Decisions.load(made / "log")
    found.log.columns["prob"][:] = np.nan
    found.save(tmp_path / "log")
    said = refused(off_policy.main, f"log={tmp_path / 'log'}", f"out={tmp_path / 'out'}")
    assert "no probabilities in the log; record one under a sampled policy" in said
