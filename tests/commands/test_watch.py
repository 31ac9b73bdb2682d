"""Watching an episode."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lam_env.commands import watch
from lam_env.config.cli import parse
from lam_env.core import registry

SMALL = {
    "traffic": ["world.days=2", "world.travellers=30", "world.burn_in=5"],
    "smart_home": ["world.days=1"],
    "game": ["world.days=3"],
}


def said(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert watch.main(words) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("name", registry.scenario_names())
def test_every_scenario_can_be_watched(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = said([f"scenario={name}", "agent=oracle", "moments=2", *SMALL.get(name, [])], capsys)
    assert out.count("agent") >= 2
    assert "stopped after 2 moments" in out


def test_a_runs_policy_is_watched_in_the_runs_world_with_what_its_prior_expects(
    small_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = said([f"agent={small_run}", "moments=2", "seed=7"], capsys)
    assert out.count("expected  ") == 2
    assert out == said([f"agent={small_run}", "moments=2", "seed=7", "scenario=smart_home"], capsys)
    assert out != said([f"agent={small_run}", "moments=2", "seed=8"], capsys)
    player = watch.playback_of(parse(watch.WatchSettings, [f"agent={small_run}"], "watch", watch.watch_defaults))
    assert player.scenario.days == 1


def test_quiet_moments_are_left_out_unless_they_are_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    out, all_of_it = (said(["moments=12", "world.days=1", f"skip={skip}"], capsys) for skip in ("true", "false"))
    assert out.count("since then") >= 11  # all but, perhaps, the first
    assert all_of_it.count("since then") < 11


def test_an_episode_ends_by_itself(capsys: pytest.CaptureFixture[str]) -> None:
    out = said(["scenario=game", "agent=none", "world.days=1", "moments=10000", "skip=false"], capsys)
    assert "stopped" not in out


@pytest.mark.parametrize("name", registry.scenario_names())
def test_a_gif(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.gif"
    words = [f"scenario={name}", "agent=random", f"gif={path}", "width=240", "moments=4", "pace=5", "skip=false"]
    assert watch.main([*words, *SMALL.get(name, [])]) == 0
    out, err = capsys.readouterr()
    with Image.open(path) as image:
        shown: Any = image
        assert shown.n_frames >= 2
        assert image.width == 240
        assert image.info["duration"] == 200
        first = image.convert("RGB").tobytes()
        image.seek(shown.n_frames - 1)
        assert image.convert("RGB").tobytes() != first
        assert f"({shown.n_frames} pictures" in out
        for stage in ("draw", "colour"):
            assert f"{stage}: {shown.n_frames:,} pictures (" in err
    assert [p.name for p in tmp_path.iterdir()] == ["a.gif"]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["scenario=smart_hom"], "did you mean 'smart_home'"),
        (["agent=orcle"], "did you mean 'oracle'"),
        (["agent=markov1"], "needs no training"),
        (["agent=timer"], "needs training"),
        (["agent=no/such"], "no such folder"),
        (["agent={here}"], "not a run folder"),
        (["agent={small_run}", "scenario=game"], "is a run of smart_home"),
        (["agent={small_run}", "world.rooms=7"], "has another vocabulary than the world"),
        (["gif=a.png"], "ends in .gif"),
        (["gif=nowhere/a.gif"], "its folder is not there"),
        (["world.days=x"], "world.days"),
        (["pace=0"], "pace"),
        (["theme=pink"], "theme"),
        (["theme=dark"], "theme=dark: is of a GIF; give gif=FILE.gif too"),
    ],
)
def test_what_is_wrong_is_one_line_and_leaves_nothing(
    words: list[str],
    what: str,
    small_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as left:
        watch.main([word.format(small_run=small_run, here=tmp_path) for word in words])
    assert left.value.code == 2
    err = capsys.readouterr().err
    assert what in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_run_without_a_policy_says_what_it_lacks(
    small_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import shutil

    shutil.copytree(small_run, tmp_path / "a", ignore=shutil.ignore_patterns("policy"))
    with pytest.raises(SystemExit):
        watch.main([f"agent={tmp_path / 'a'}"])
    assert "has no model/policy" in capsys.readouterr().err


def test_in_a_terminal_the_episode_plays_in_place(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a console that takes itself for a terminal: the screen is taken over and given back."""
    import rich.console

    waited: list[float] = []
    monkeypatch.setattr(watch.time, "sleep", waited.append)
    make = rich.console.Console
    monkeypatch.setattr(
        rich.console,
        "Console",
        lambda: make(force_terminal=True, color_system="truecolor", width=100, height=40, legacy_windows=False),
    )
    out = said(["moments=3", "pace=10", "world.days=1"], capsys)
    assert waited == [0.1] * 3
    assert "\x1b[?1049h" in out
    assert "\x1b[?1049l" in out
    assert "48;2;" in out


@pytest.mark.parametrize(
    ("path", "lacks", "said"), [("a.gif", True, "pip install pillow"), ("a.png", False, "ends in")]
)
def test_a_gif_that_cannot_be_written_is_refused_before_anything_is_played(
    path: str,
    lacks: bool,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if lacks:
        monkeypatch.setattr(watch.importlib.util, "find_spec", lambda name: None if name == "PIL" else find_spec(name))
    monkeypatch.setattr(watch, "playback_of", lambda settings: pytest.fail("played"))
    with pytest.raises(SystemExit) as done:
        watch.main([f"gif={tmp_path / path}"])
    assert done.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: gif={tmp_path / path}: ")
    assert said in error
    assert not list(tmp_path.iterdir())
