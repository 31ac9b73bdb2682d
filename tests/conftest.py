"""Settings of all tests: one torch thread, no display, repeatable hypothesis examples; and what several of them use."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MPLBACKEND"] = "Agg"
os.environ["RAY_AUTH_MODE"] = "disabled"

from hypothesis import HealthCheck, settings

# no deadline: the machine may be busy; derandomized: a test gives the same result on every machine
settings.register_profile("kit", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kit")


def pytest_configure() -> None:
    """A job begun with & ignores Ctrl-C, one begun with nohup SIGHUP, and so would all that they start: tests of
    signals would wait for ever, or show nothing."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_runtest_setup() -> None:
    """Networks of tests that draw their weights from torch's global generator, which begins anywhere, draw the same."""
    import torch

    torch.manual_seed(0)


@pytest.fixture
def fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """A run that is refused: its one line. Nothing has been written."""
    from lam_env.commands.run import main

    monkeypatch.chdir(tmp_path)

    def refused(*argv: str, out: str | None = "out") -> str:
        before = sorted(tmp_path.rglob("*.*"))
        with pytest.raises(SystemExit) as caught:
            main([*argv, *([f"out={out}"] if out else [])])
        assert caught.value.code == 2
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1, lines
        assert lines[0].startswith("error: ")
        assert not (tmp_path / "out").exists()
        assert [p for p in sorted(tmp_path.rglob("*.*")) if "__pycache__" not in str(p)] == [
            p for p in before if "__pycache__" not in str(p)
        ]
        return lines[0]

    return refused


@contextlib.contextmanager
def _few_households() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lam_env.agents.memory.trial.WORLDS", 4)
        patch.setattr("lam_env.agents.advice.experiment.DECISIONS", 300)
        yield


@pytest.fixture(scope="module")
def short_trials() -> Iterator[None]:
    """Few households try acts and advice, where that is done in this process: for tests of all else of a training."""
    with _few_households():
        yield


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of next to nothing with a tuned policy. Whoever changes it takes a copy."""
    from lam_env.commands.run import main

    folder = tmp_path_factory.mktemp("shared") / "small"
    words = ["log.worlds=2", "log.days=2", "predictor.passes=1", "predictor.hidden=8", "train.steps=256", "workers=1"]
    words += [
        "eval.seeds=2",
        "eval.worlds=2",
        "world.days=1",
        "agents=prior,ppo_prior",
        "train.trial=2",
        f"out={folder}",
    ]
    with _few_households():
        assert main(words) == 0
    return folder
