"""A file that a command writes: whole or not at all, and never in the place of something that is no file."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from lam_env.core.errors import UnwritableError, UserError
from lam_env.core.files.outputs import file_name, output_file, replace, replace_text, tidy, write_whole


def test_a_link_stays_and_its_target_is_written(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("target")
    write_whole(tmp_path / "link", lambda part: part.write_text("new"))
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "new"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "target"]


def test_devices_pipes_folders_and_missing_folders_are_refused_and_stay(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, said in (
        (tmp_path / "pipe", "is a device or a pipe; give a file"),
        (Path(os.devnull), "is a device or a pipe"),
        (tmp_path, "is a folder"),
        (tmp_path / "no/file", "its folder is not there"),
    ):
        with pytest.raises(UserError, match=f"^gif=.*{said}"):
            write_whole(path, lambda part: part.write_text("new"), "gif")
    assert (tmp_path / "pipe").is_fifo()
    assert Path(os.devnull).is_char_device()
    assert output_file(tmp_path / "file") == (tmp_path / "file").resolve()


def test_what_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")

    def full(part: Path) -> None:
        part.write_text("ne")
        raise OSError(28, "No space left on device")

    with pytest.raises(UserError, match=r"^out=.*: cannot be written .No space left on device.; give another file$"):
        write_whole(tmp_path / "file", full)
    assert [p.read_text() for p in tmp_path.iterdir()] == ["old"]


def test_what_takes_its_place_is_on_the_disk_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    did = []
    sync, move = os.fsync, os.replace

    def synced(number: int) -> None:
        did.append("sync")
        sync(number)

    def moved(old: Path, new: Path) -> None:
        did.append("move")
        move(old, new)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", moved)
    replace_text(tmp_path / "file", "new")
    assert did == ["sync", "move", "sync"]


def filled(text: str) -> Callable[[Path], None]:
    def fill(part: Path) -> None:
        (part / "inside").mkdir(parents=True)
        (part / "inside/file").write_text(text)

    return fill


@pytest.mark.parametrize(("step", "at"), [("fsync", 1), ("replace", 1), ("replace", 2)])
def test_a_folder_is_replaced_whole_or_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, at: int
) -> None:
    replace(tmp_path / "folder", filled("old"))
    with monkeypatch.context() as patch:
        real, calls = getattr(os, step), []

        def full(*args: object) -> None:
            calls.append(args)
            if len(calls) == at:
                raise OSError(28, "No space left on device")
            real(*args)

        patch.setattr(os, step, full)
        with pytest.raises(UnwritableError, match=r"folder: cannot be written \(No space left on device\); make room"):
            replace(tmp_path / "folder", filled("new"))
    assert (tmp_path / "folder/inside/file").read_text() == "old"
    replace(tmp_path / "folder", filled("new"))
    assert (tmp_path / "folder/inside/file").read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


def test_what_a_killed_process_has_moved_away_comes_back(tmp_path: Path) -> None:
    filled("old")(tmp_path / ".a.b.12.old")
    filled("older")(tmp_path / ".c.12.old")
    filled("new")(tmp_path / "c")
    filled("half")(tmp_path / ".a.b.12.part")
    tidy([tmp_path, tmp_path / "nowhere"])
    assert {p.name: (p / "inside/file").read_text() for p in tmp_path.iterdir()} == {"a.b": "old", "c": "new"}


def test_a_folder_that_is_gone_is_said_and_not_made_again(tmp_path: Path) -> None:
    with pytest.raises(UnwritableError, match=r"its folder is gone"):
        replace_text(tmp_path / "gone/file", "new")
    assert not list(tmp_path.iterdir())


def test_agents_give_files_names_that_every_system_takes_and_that_differ() -> None:
    agents = ["ppo_prior", "ppo_prior@steps=20000", "my_learner:MyLearner", "a.b:C.d", "../up", 'a b"', "\u00e9:E"]
    names = [file_name(agent) for agent in agents]
    assert names[:4] == ["ppo_prior", "ppo_prior-steps=20000", "my_learner-MyLearner", "a.b-C.d"]
    assert all(re.fullmatch(r"[A-Za-z0-9_.=%-]+", name) for name in names)
    assert len(set(names)) == len(agents)
