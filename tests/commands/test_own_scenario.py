"""A scenario of one's own that fails: one line names it, what failed and where; faults of the kit stay."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from refusal import refused

from lam_env.commands import run, simulate, watch
from lam_env.config.cli import cli_errors

COUNT = itertools.count()
SOURCE = """
from lam_env.scenarios.smart_home import SmartHome

class NoFields(SmartHome):
    Params = dict

class Baselines(SmartHome):
    def baselines(self):
        return 1 / 0

class Breaks(SmartHome):
    def make_world(self, *args, **options):
        world = super().make_world(*args, **options)
        world.call_at(world.now + 600, self.fall)
        return world

    def fall(self, _):
        raise RuntimeError("it\\nfalls")
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The module of that source, here."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    name = f"mine{next(COUNT)}"
    Path(f"{name}.py").write_text(SOURCE, encoding="utf-8")
    yield name
    sys.modules.pop(name, None)


@pytest.mark.parametrize("main", [run.main, watch.main, simulate.main])
def test_settings_that_are_no_dataclass(
    main: Callable[[Sequence[str]], int], mine: str, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refused(main, capsys, f"scenario={mine}:NoFields")
    assert line.startswith(f"error: scenario '{mine}:NoFields': Params is dict; give a frozen dataclass")


@pytest.mark.parametrize("main", [run.main, watch.main])
def test_agents_that_cannot_be_made(
    main: Callable[[Sequence[str]], int], mine: str, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refused(main, capsys, f"scenario={mine}:Baselines")
    what = f"in the module of scenario {mine}:Baselines: ZeroDivisionError: division by zero"
    assert line == f"error: {what} (Baselines.baselines, {mine}.py line 9)"


@pytest.mark.parametrize(
    ("main", "more"),
    [
        (watch.main, ["moments=200"]),
        (watch.main, ["gif=a.gif"]),
        (simulate.main, ["worlds=1", "days=1", "workers=1"]),
    ],
)
def test_a_world_that_breaks(
    main: Callable[[Sequence[str]], int], more: list[str], mine: str, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refused(main, capsys, f"scenario={mine}:Breaks", *more)
    what = "RuntimeError: it falls"
    assert line == f"error: in the module of scenario {mine}:Breaks: {what} (Breaks.fall, {mine}.py line 18)"


def test_a_fault_of_the_kit_beside_it_keeps_its_traceback(mine: str, capsys: pytest.CaptureFixture[str]) -> None:
    refused(watch.main, capsys, f"scenario={mine}:NoFields")
    with pytest.raises(ZeroDivisionError), cli_errors():
        raise ZeroDivisionError
