"""Run folders: never over another one, always whole."""

from __future__ import annotations

import json
import math
import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lam_env.core.catalogue import NLL, NLL_GAP_SD, TOP1
from lam_env.core.errors import UnwritableError, UserError
from lam_env.core.files.manifest import write_manifest
from lam_env.experiment.run_folder import RunFolder, choose_folder, claim_folder, new_folder
from lam_env.experiment.score_store import ScoreKey, ScoreStore


def test_runs_are_numbered_and_nothing_is_made_by_choosing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert choose_folder(None, "smart_home") == Path("runs/smart_home-1")
    assert not list(tmp_path.iterdir())
    RunFolder.create(Path("runs/smart_home-1"), {})
    assert choose_folder(None, "smart_home") == Path("runs/smart_home-2")
    assert choose_folder(None, "../mine:Home") == Path("runs/-mine-Home-1")


def test_a_free_or_empty_folder_is_taken(tmp_path: Path) -> None:
    assert choose_folder(str(tmp_path / "a/b"), "x") == tmp_path / "a/b"
    assert choose_folder(str(tmp_path), "x") == tmp_path


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda p: p.write_text("x"), "is a file"),
        (lambda p: RunFolder.create(p, {}), "already holds a run"),
        (lambda p: (p / "x").mkdir(parents=True), "is not empty"),
    ],
)
def test_what_is_there_is_never_touched(tmp_path: Path, make: object, said: str) -> None:
    path = tmp_path / "out"
    make(path)  # type: ignore[operator]
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError, match=said) as caught:
        choose_folder(str(path), "x")
    assert "give another folder" in str(caught.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_place_under_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="is a file"):
        choose_folder(str(tmp_path / "file/run"), "x")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_leave_to_write_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(UserError, match="not writable"):
            choose_folder(str(tmp_path / "run"), "x")
    finally:
        tmp_path.chmod(0o700)


def test_a_file_system_that_refuses_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("lam_env.experiment.run_folder.tempfile.TemporaryFile", refuse)
    with pytest.raises(UserError, match="not writable \\(Permission denied\\); give another folder"):
        choose_folder(str(tmp_path / "run"), "x")


def test_two_runs_that_chose_the_same_folder_do_not_meet(tmp_path: Path) -> None:
    RunFolder.create(tmp_path / "a", {"mine": 1})
    with pytest.raises(UserError, match="already holds a run"):
        RunFolder.create(tmp_path / "a", {"mine": 2})
    assert RunFolder.open(str(tmp_path / "a")).config() == {"mine": 1}


@pytest.mark.parametrize("text", ["", "{", "[1]", "[" * 100_000, "\xff"])
def test_a_broken_config_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text, encoding="latin-1")
    with pytest.raises(UserError, match=r"config\.json: cannot be read"):
        RunFolder.open(str(tmp_path)).config()


def test_what_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"not a run folder \(no config.json\)"):
        RunFolder.open(str(tmp_path / "nowhere"))


def test_tidying_removes_halves_and_keeps_wholes(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "a", {"x": 1})
    for name in ("log/train.part", "model/.prior.123.part", "model/prior", "log/train"):
        (folder.path / name).mkdir(parents=True)
        (folder.path / name / "file").write_text("x")
    write_manifest(folder.path / "model/prior", 1)
    (folder.path / "tables.md.part").write_text("half")
    folder.tidy()
    found = {str(p.relative_to(folder.path)) for p in folder.path.rglob("*") if p.is_file()}
    assert found == {"config.json", "log/train/file", "model/prior/file", "model/prior/manifest.json"}
    assert json.loads((folder.path / "config.json").read_text()) == {"x": 1}


@pytest.mark.parametrize("fault", ["changed", "gone", "no manifest"])
def test_tidying_removes_a_predictor_that_was_changed_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], fault: str
) -> None:
    folder = RunFolder.create(tmp_path / "a", {})
    for name in ("prior", "prior-real", "policy"):
        (folder.path / "model" / name).mkdir(parents=True)
        (folder.path / "model" / name / "file").write_text("x")
        write_manifest(folder.path / "model" / name, 1)
    hurt = folder.path / "model/prior-real"
    if fault == "changed":
        (hurt / "file").write_text("y")
    else:
        (hurt / ("file" if fault == "gone" else "manifest.json")).unlink()
    folder.tidy()
    assert sorted(p.name for p in (folder.path / "model").iterdir()) == ["policy", "prior"]
    assert capsys.readouterr().out == f"{hurt}: changed since it was saved, or not whole: it is trained again\n"


def test_commands_at_once_get_folders_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with ThreadPoolExecutor(8) as threads:
        claimed = list(threads.map(claim_folder, ["home"] * 40))
    assert set(claimed) == {Path(f"runs/home-{n}") for n in range(1, 41)}
    with new_folder(None, "home") as empty, new_folder(None, "home") as used, RunFolder(used).locked():
        RunFolder.create(used, {})
    assert (empty.name, used.name) == ("home-41", "home-42")
    assert used.is_dir()
    assert not empty.exists()


def test_a_run_whose_config_could_not_be_written_may_begin_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(UnwritableError, match=r"config\.json: cannot be written"):
        patch.setattr(os, "replace", full)
        RunFolder.create(tmp_path / "a", {})
    assert choose_folder(str(tmp_path / "a"), "x") == tmp_path / "a"
    RunFolder.create(tmp_path / "a", {})


def test_a_folder_that_is_removed_is_noticed_and_not_made_again(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "a", {})
    shutil.rmtree(tmp_path / "a")
    for write in (lambda: folder.write_text("cells/x.json", ""), lambda: folder.write_results([])):
        with pytest.raises(UnwritableError, match=r"a: cannot be written \(it is no longer there\)"):
            write()
    assert not (tmp_path / "a").exists()


VALUES = st.dictionaries(st.sampled_from([TOP1.id, NLL.id, NLL_GAP_SD.id]), st.floats(), max_size=3)


@given(st.dictionaries(st.integers(0, 9), VALUES, max_size=3))
def test_scores_are_read_as_they_were_kept_but_for_what_is_no_number(scores: dict[int, dict[str, float]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        cells, key = ScoreStore(RunFolder.create(Path(folder) / "run", {}), {}), ScoreKey("log", "prior", 0)
        cells.keep(key, {"": scores})
        finite = {s: {name: value for name, value in by.items() if math.isfinite(value)} for s, by in scores.items()}
        assert cells.read() == {key: {"": finite}}
