"""Trackers: what they are sent, and what is said where they are missing. Their own tests need the extra."""

from __future__ import annotations

import csv
import importlib.util
import json
import pickle
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lam_env.commands.run import main
from lam_env.core import registry
from lam_env.core.errors import UserError
from lam_env.core.progress import Note
from lam_env.evaluation.results import read
from lam_env.tracking.tracker import Tracking, check_sinks, curve_tag

pytestmark = pytest.mark.usefixtures("short_trials")

TINY = ["predictor.passes=2", "predictor.hidden=16", "train.steps=4096", "workers=1", "agents=ppo_prior"]
TINY += ["eval.seeds=2", "eval.worlds=1", "world.days=1", "log.worlds=3", "log.days=2", "train.trial=2"]


class Memory:
    """Keeps what it is sent."""

    made: list[Memory]

    def __init__(self, folder: Path, config: Mapping[str, Any]):
        self.folder, self.config = folder, config
        self.curves: list[tuple[str, float, int]] = []
        self.found: dict[str, float] = {}
        self.closed = 0
        Memory.made.append(self)

    def curve(self, name: str, value: float, step: int) -> None:
        assert not self.closed
        self.curves.append((name, value, step))

    def scores(self, found: Mapping[str, float]) -> None:
        assert not self.closed
        self.found |= found

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> type[Memory]:
    Memory.made = []
    one = SimpleNamespace(names=lambda: ["memory"], constants=lambda variable: {}, get=lambda name: Memory)
    monkeypatch.setattr(registry, "SINKS", one)
    return Memory


def test_a_note_is_text_and_keeps_its_numbers_between_processes() -> None:
    note = pickle.loads(pickle.dumps(Note("reward +1", {"reward": 1.0}, 64)))
    assert note == "reward +1"
    assert (note.values, note.step) == ({"reward": 1.0}, 64)
    assert Note().values == {}


def test_each_step_of_a_curve_is_sent_once_and_plain_notes_are_not(memory: type[Memory], tmp_path: Path) -> None:
    shown: list[tuple[str, int, int, str]] = []
    with Tracking(("memory", "memory"), tmp_path, {"a": 1}) as tracking:
        report = tracking.hears(lambda *said: shown.append(said))
        report("fine-tune, seed 3", 5, 100, "plain")
        for step, value in ((64, 0.5), (64, 0.5), (128, 0.75), (64, 0.1)):
            report("fine-tune, seed 3", step, 100, Note("x", {"reward": value}, step))
        report("fine-tune, seed 4", 64, 100, Note("x", {"reward": 2.0}, 64))
        tracking.scores({"sim/none/utility.lift": 0.0})
    (sink,) = memory.made
    assert sink.curves == [
        ("fine-tune/seed_3/reward", 0.5, 64),
        ("fine-tune/seed_3/reward", 0.75, 128),
        ("fine-tune/seed_4/reward", 2.0, 64),
    ]
    assert len(shown) == 6
    assert sink.found == {"sim/none/utility.lift": 0.0}
    assert sink.closed == 1


def test_a_run_that_fails_closes_its_trackers(memory: type[Memory], tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), Tracking(("memory",), tmp_path, {}):
        raise KeyboardInterrupt
    assert memory.made[0].closed == 1


def test_a_tracker_that_cannot_begin_is_one_line_and_the_others_are_closed(
    memory: type[Memory], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(folder: Path, config: Mapping[str, Any]) -> Memory:
        raise RuntimeError("no\nserver")

    monkeypatch.setattr(registry.SINKS, "get", lambda name: broken if name == "broken" else Memory)
    with pytest.raises(UserError, match="track=broken: RuntimeError: no server"):
        Tracking(("memory", "broken"), tmp_path, {})
    assert memory.made[0].closed == 1


def test_without_trackers_progress_is_left_as_it_is(tmp_path: Path) -> None:
    def progress(stage: str, done: int, total: int, note: str) -> None:
        raise AssertionError

    assert Tracking((), tmp_path, {}).hears(progress) is progress


@pytest.mark.parametrize(
    ("stage", "name"),
    [
        ("pre-training", "pre-training"),
        ("fine-tune, seed 3", "fine-tune/seed_3"),
        ("fine-tune of ppo_prior@gamma=0.9,steps=2000", "fine-tune/ppo_prior@gamma=0.9_steps=2000"),
        ("pre-training 1/3, seed 0", "pre-training_1/3/seed_0"),
    ],
)
def test_names_of_stages_become_names_of_curves(stage: str, name: str) -> None:
    assert curve_tag(stage) == name


def test_a_run_sends_curves_while_it_trains_and_scores_at_its_end(
    memory: type[Memory], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*TINY, "track=memory", f"out={tmp_path / 'run'}"]) == 0
    (sink,) = memory.made
    with (tmp_path / "run" / "curve-ppo_prior-0.csv").open() as file:
        written = [(int(r["step"]), float(r["reward"])) for r in csv.DictReader(file)]
    sent = [(step, value) for name, value, step in sink.curves if name == "fine-tune/ppo_prior/reward_per_step"]
    assert len(written) >= 2
    assert [step for step, _ in sent] == [step for step, _ in written]
    assert [value for _, value in sent] == pytest.approx([value for _, value in written], rel=1e-5)
    assert [step for name, _, step in sink.curves if name == "pre-training/validation_nll"] == [2]
    lift = [
        r.value for r in read(tmp_path / "run" / "results.csv") if r.agent == "oracle" and r.metric == "utility.lift"
    ]
    assert sink.found["sim/oracle/utility.lift"] == pytest.approx(sum(lift) / 2)
    assert sink.closed == 1
    assert json.loads((tmp_path / "run" / "config.json").read_text())["track"] == ["memory"]
    assert sink.config["scenario"] == "smart_home"


def test_a_tracker_that_does_not_exist_or_is_not_installed_is_one_line(
    fails: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "no tracker 'tensorbord'; did you mean 'tensorboard'?" in fails("track=tensorbord")
    there = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, package=None: there(name) if "." in name else None)
    for name in ("tensorboard", "wandb"):
        with pytest.raises(ValueError, match=f"track={name}: {name} is not installed: pip install 'lam-env.{name}.'"):
            check_sinks([name])


def test_nothing_is_imported_unless_it_is_asked_for() -> None:
    code = "import sys, lam_env.run, lam_env.core.registry as r; assert r.SINKS.names() == ['tensorboard', 'wandb'];"
    code += "assert r.SINKS.constants('NEEDS')['wandb'] == 'wandb';"
    code += "print({'tensorboard', 'wandb', 'torch'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# -- the trackers themselves -----------------------------------------------------------------------------------------


def test_tensorboard_reads_back_what_a_run_has_sent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tensorboard", reason="needs the extra [tensorboard]")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    assert main([*TINY, "track=tensorboard", f"out={tmp_path / 'run'}"]) == 0
    events = EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    events.Reload()
    values = {
        name: [(e.step, float(make_ndarray(e.tensor_proto))) for e in events.Tensors(name)]
        for name in events.Tags()["tensors"]
    }
    with (tmp_path / "run" / "curve-ppo_prior-0.csv").open() as file:
        written = [(int(r["step"]), pytest.approx(float(r["reward"]), rel=1e-4)) for r in csv.DictReader(file)]
    assert values["fine-tune/ppo_prior/reward_per_step"] == written
    assert values["sim/none/utility.lift"] == [(0, 0.0)]
    assert (tmp_path / "run" / "results.csv").exists()  # always


def test_weights_and_biases_writes_an_offline_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb", reason="needs the extra [wandb]")
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("WANDB_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path / "config"))
    with Tracking(("wandb",), tmp_path, {"scenario": "smart_home"}) as tracking:
        report = tracking.hears(lambda *said: None)
        for step in (64, 128):
            report("fine-tune", step, 128, Note("x", {"reward": step / 64}, step))
        tracking.scores({"sim/none/utility.lift": 0.5})
        (sink,) = tracking._sinks
        assert sink._run.settings.mode == "offline"  # type: ignore[attr-defined]
        assert sink._run.summary["fine-tune/reward"] == 2  # type: ignore[attr-defined]
    (folder,) = (tmp_path / "wandb").glob("offline-run-*")
    assert list(folder.glob("*.wandb"))
