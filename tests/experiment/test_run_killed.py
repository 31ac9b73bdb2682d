"""A run that is killed while it trains: the same command goes on from the last checkpoints, and ends with the bytes of
a run that was not."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lam_env.agents.checkpoints import Checkpoints

from lam_env.commands.run import main
from lam_env.config.cli import parse
from lam_env.core.progress import silent
from lam_env.experiment.inputs import usual
from lam_env.experiment.jobs import RunContext, fit_and_judge
from lam_env.experiment.run_folder import RunFolder
from lam_env.experiment.settings import RunSettings

pytestmark = pytest.mark.usefixtures("short_trials")

TINY = ["predictor.passes=3", "predictor.hidden=8", "log.worlds=3", "log.days=2", "eval.seeds=1", "eval.worlds=1"]
TINY += [
    "world.days=1",
    "agents=ppo_prior,ppo_scratch,informed",
    "train.steps=768",
    "train.rollout=64",
    "train.envs=4",
    "train.trial=2",
]
OWN = """
from stable_baselines3 import A2C


class Guest:
    needs = ()

    def fit(self, training):
        model = A2C("MlpPolicy", training.make_env(4, encode=True), n_steps=16, seed=training.seed, device="cpu")
        return model.learn(training.steps, callback=training.callback)
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nobody has killed."""
    folder = tmp_path_factory.mktemp("killed") / "whole"
    assert main([*TINY, "workers=1", f"out={folder}"]) == 0
    return folder


@contextmanager
def death(row: str, after: int) -> Iterator[None]:
    """While it lasts the process dies, as it were, as soon as a row's training has so many checkpoints."""
    keep = Checkpoints.keep

    def keep_or_die(self: Checkpoints, state: object) -> None:
        keep(self, state)
        if self.folder.name == row and f"{after:06}" in {path.name for path in self.folder.iterdir()}:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Checkpoints, "keep", keep_or_die)
        yield


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[bool]]:
    """Of each row's trainings, whether they began at the beginning."""
    begin, found = Checkpoints.begin, dict[str, list[bool]]()

    def begin_noted(self: Checkpoints, start: object) -> object:
        state = begin(self, start)
        found.setdefault(self.folder.name, []).append(state is None)
        return state

    monkeypatch.setattr(Checkpoints, "begin", begin_noted)
    return found


@pytest.mark.parametrize(("row", "after"), [("pretrain-0", 9), ("informed-0", 9), ("ppo_prior-0", 2)])
def test_every_row_that_trains_goes_on_where_it_was(
    whole: Path, tmp_path: Path, begun: dict[str, list[bool]], row: str, after: int
) -> None:
    out = tmp_path / "out"
    with death(row, after), pytest.raises(SystemExit):
        main([*TINY, "workers=1", "checkpoints=0", f"out={out}"])
    assert sorted(path.name for path in (out / "checkpoints").iterdir()) == [row]
    (out / "checkpoints" / row / ".000099.1.part").mkdir()
    RunFolder(out).tidy()
    assert not list(out.rglob("*.part"))
    assert main([*TINY, "workers=1", "checkpoints=1e9", f"out={out}"]) == 0  # how often is no other run
    assert begun[row] == [True, False]
    assert all(of == [True] for name, of in begun.items() if name != row)
    for name in ("results.csv", "curve-ppo_prior-0.csv"):
        assert (out / name).read_bytes() == (whole / name).read_bytes()
    assert not (out / "checkpoints").exists()


def test_a_guest_goes_on_unless_its_file_has_changed(
    whole: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    begun: dict[str, list[bool]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = Path(shutil.copytree(whole, tmp_path / "out"))
    work = RunContext(parse(RunSettings, [*TINY, "checkpoints=0", f"out={out}"], "run", usual), str(out))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def judged(source: str) -> object:
        (tmp_path / "guest_killed.py").write_text(source)
        sys.modules.pop("guest_killed", None)
        return fit_and_judge(work, "guest_killed:Guest", 0, silent)

    def killed() -> None:
        work.run.drop_checkpoints("guest_killed:Guest", 0)
        with death("guest_killed-Guest-0", 3), pytest.raises(KeyboardInterrupt):
            judged(OWN)

    expected = judged(OWN)
    killed()
    assert judged(OWN) == expected
    killed()
    capsys.readouterr()
    judged(OWN + "# another\n")
    said = capsys.readouterr().err
    assert said.count("(source differs)") == 2
    assert said.endswith(": this training begins anew\n")
    assert begun == {"guest_killed-Guest-0": [True, True, False, True, True]}
