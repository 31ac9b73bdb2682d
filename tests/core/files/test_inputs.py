"""Files that somebody names are read with care."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import pytest

from lam_env.config.cli import ConfigError, read_yaml
from lam_env.core.errors import UserError
from lam_env.core.files.inputs import read_bytes, read_json, read_text
from lam_env.evaluation.results import read as read_results
from lam_env.experiment.policies import load
from lam_env.logs.play.tables import PlayTables


def test_text_is_read_whole_and_without_its_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfa\xc3\xa4\n")
    assert read_text(tmp_path / "a.txt") == "aä\n"


@pytest.mark.parametrize("text", ["[" * 100_000, "{", "NaN", '{"a": -Infinity}', "\x00"])
def test_what_is_no_json_is_a_value_error_of_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ValueError, match=r"^.+$"):
        read_json(tmp_path / "a.json")


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    assert read_bytes(tmp_path / "a", 5) == b"12345"
    with pytest.raises(ValueError, match="a is larger than 4 bytes"):
        read_bytes(tmp_path / "a", 4)


@pytest.mark.parametrize("kind", ["pipe", "folder", "device"])
@pytest.mark.parametrize("name", ["settings.yaml", "results.csv", "tables.json", "run"])
def test_pipes_devices_and_folders_are_refused_in_one_line(tmp_path: Path, kind: str, name: str) -> None:
    """Whoever opened a pipe would wait for ever."""
    path = tmp_path / name
    if name == "run":
        path.mkdir()
        path = path / "config.json"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")
    readers = {
        "settings.yaml": lambda: read_yaml(path, "give a file"),
        "results.csv": lambda: read_results(path),
        "tables.json": lambda: PlayTables.load(path),
        "run": lambda: load(str(path.parent)),
    }
    with pytest.raises(UserError) as told:
        readers[name]()
    assert "\n" not in str(told.value)
    assert name == "run" or ("folder" if kind == "folder" else "pipe or a device") in str(told.value)


LAUGHS = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in pairwise("abcdefghijklmnopqrst"))


def test_aliases_stand_for_what_they_name_but_not_for_more_than_a_memory_holds(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: &a {x: [1, 2]}\nb: *a\n")
    data = read_yaml(path, "")
    assert data == {"a": {"x": [1, 2]}, "b": {"x": [1, 2]}}
    assert isinstance(data, dict)
    assert data["a"] is not data["b"]
    twice = ("a: 1\nb: {c: 1, c: 2}\n", "'c' is there twice, in lines 2 and 2; leave one of them away")
    endless, deep = ("a: &a [*a]\n", "holds itself"), ("[" * 5000, "too deep")
    for text, told in ((LAUGHS, "more than 100,000 values"), endless, deep, twice):
        path.write_text(text)
        with pytest.raises(ConfigError, match=told):
            read_yaml(path, "")
