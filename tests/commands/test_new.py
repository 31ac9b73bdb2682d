"""`lam new scenario NAME`: what it writes runs, and what it cannot write is told in one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from documents import blocks, reader

from lam_env import check_scenario
from lam_env.__main__ import main

DOCUMENT = Path(__file__).parents[2] / "docs" / "how_to" / "own_world.md"


def test_what_is_written_keeps_the_contract(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with reader(tmp_path):
        assert main(["new", "scenario", "coffee_shop"]) == 0
        assert "scenario=coffee_shop:CoffeeShop" in capsys.readouterr().out
        check_scenario("coffee_shop:CoffeeShop")


def test_it_is_the_scenario_of_the_document(tmp_path: Path) -> None:
    (shown,) = (b.text for b in blocks(DOCUMENT.read_text(encoding="utf-8")) if b.note == "file: tea.py")
    with reader(tmp_path):
        main(["new", "scenario", "tea"])
        assert Path("tea.py").read_text(encoding="utf-8") == shown


def told(argv: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that a command which cannot be done leaves."""
    with pytest.raises(SystemExit) as ended:
        main(["new", *argv])
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        ([], "say lam new scenario NAME"),
        (["agent", "shy"], "say lam new scenario NAME"),
        (["scenario", "a", "b"], "say lam new scenario NAME"),
        (["scenario", "Tea"], "small letters"),
        (["scenario", "../tea"], "small letters"),
        (["scenario", "class"], "small letters"),
        (["scenario", "none"], "small letters"),
        (["scenario", "json"], "is called so"),
        (["scenario", "rectangle"], "is called so"),
    ],
)
def test_a_bad_name_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], argv: list[str], line: str
) -> None:
    with reader(tmp_path):
        assert line in told(argv, capsys)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "tea.py").write_text("mine = True\n", encoding="utf-8")
    with reader(tmp_path):
        assert "tea.py: is there already" in told(["scenario", "tea"], capsys)
    assert (tmp_path / "tea.py").read_text(encoding="utf-8") == "mine = True\n"
