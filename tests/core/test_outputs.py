"""A file that a command writes: whole or not at all, and never in the place of something that is no file."""

import os
from pathlib import Path

import pytest

from lam_env.core.errors import UserError
from lam_env.core.outputs import output_file, write_whole


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
