"""A run that is given a folder which holds one already: it goes on with it, or is refused in one line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import watching
from refusal import refused

from lam_env.commands.run import main
from lam_env.core.errors import UserError
from lam_env.evaluation.results import read, write
from lam_env.experiment.run_folder import RunFolder

TINY = ["predictor.passes=1", "predictor.hidden=8", "train.steps=256", "workers=1", "log.worlds=3", "log.days=2"]
TINY += ["eval.seeds=2", "eval.worlds=1", "world.days=1", "train.trial=2", "seed=0,5", "agents=random,prior,informed"]
ALL = {(a, 0) for a in ("none", "random", "oracle")} | {(a, s) for a in ("prior", "informed") for s in (0, 5)}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nobody has stopped."""
    path = tmp_path_factory.mktemp("again") / "whole"
    assert main([*TINY, f"out={path}"]) == 0
    return path


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "copy"))


def watch(patch: pytest.MonkeyPatch, at: object = None, error: BaseException | None = None) -> list[Any]:
    """Notes what is worked at; raises `error` instead when it is `at`."""

    def seen(job: str, args: tuple[Any, ...]) -> object:
        if job in ("simulate_training_log", "pretrain_on_log"):
            return job
        return args[1:3] if job == "fit_and_judge" else None

    return watching.watch(patch, seen, at, error)


def bytes_of(path: Path) -> bytes:
    return (path / "results.csv").read_bytes()


@pytest.mark.parametrize("at", ["simulate_training_log", "pretrain_on_log", ("informed", 5), ("prior", 0)])
def test_a_stopped_run_does_the_rest_and_ends_with_the_same_bytes(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    with pytest.MonkeyPatch.context() as patch:
        before = watch(patch, at, KeyboardInterrupt())
        with pytest.raises(SystemExit) as stop:
            main([*TINY, f"out={out}"])
    assert stop.value.code == 130
    assert f"out={out}\nstopped" in capsys.readouterr().err
    assert json.loads((out / "config.json").read_text())["finished"] is False
    after = watch(monkeypatch)
    assert main([*TINY, f"out={out}"]) == 0
    assert bytes_of(out) == bytes_of(whole)
    assert {w for w in before + after if isinstance(w, tuple)} == ALL
    assert len(before + after) == len(ALL) + 3  # a log, two priors, and nothing twice
    assert json.loads((out / "config.json").read_text())["finished"] is True


def test_a_finished_run_does_nothing_again(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, did = bytes_of(copy), watch(monkeypatch)
    (copy / "results.csv").unlink()
    (copy / "tables.md.part").write_text("half")
    assert main([*TINY, f"out={copy}"]) == 0
    assert (did, bytes_of(copy)) == ([], before)
    assert not list(copy.rglob("*.part"))


def test_settings_of_a_file_and_of_the_command_line_are_one_run_and_so_are_defaults_said_or_not(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    did, words = watch(monkeypatch), [w for w in TINY if not w.startswith("world")]
    kept = json.loads((copy / "config.json").read_text())["world"]
    assert (kept["days"], kept["timer"], kept["heat_delay"]) == (1, 300, [120.0, 600.0])
    file = copy.parent / "a.yaml"
    file.write_text("world: {days: 1, timer: 300}\n")
    assert main([*words, f"config={file}", "world.rooms=5", f"out={copy}"]) == 0
    assert did == []
    assert json.loads((copy / "config.json").read_text())["world"] == kept


def test_one_more_agent_or_worker_is_no_other_run(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    did = watch(monkeypatch)
    more = [*TINY[:-1], "agents=random,timer,prior,informed", "workers=1"]
    assert main([*more, f"out={copy}"]) == 0
    assert did == [("timer", 0)]
    assert {r.agent for r in read(copy / "results.csv")} == {"timer", *(agent for agent, _ in ALL)}


@pytest.mark.parametrize(
    ("asked", "rest"), [("none", "random,prior,informed"), ("prior,timer", "random,informed"), ("", "random")]
)
def test_agents_that_have_rows_are_not_left_away(
    copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], asked: str, rest: str
) -> None:
    did, before = watch(monkeypatch), {p: p.read_bytes() for p in copy.rglob("*") if p.is_file()}
    said = refused(main, capsys, *TINY[:-1], *([f"agents={asked}"] if asked else []), f"out={copy}")
    assert f"already holds rows that this command would drop; give agents={rest} too, or another folder" in said
    assert (did, {p: p.read_bytes() for p in copy.rglob("*") if p.is_file()}) == ([], before)


def test_what_stands_apart_is_not_left_away_and_who_has_no_row_is(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = read(copy / "results.csv")
    with (copy / "results.csv").open("a") as file:
        file.write("smart_home,exploit,spam,0,0,utility.total,-1\n")
    assert "would drop; give agents=all too, or another folder" in refused(main, capsys, *TINY, f"out={copy}")
    write(copy / "results.csv", [row for row in rows if row.agent != "random"])
    assert main([*TINY[:-1], "agents=prior,informed", f"out={copy}"]) == 0
    assert bytes_of(copy).count(b"random") == 0


OWN = """
class Mine:
    needs = ()

    def predict(self, observation, state=None, episode_start=None, deterministic=True):
        {check}
        return observation["action_mask"].argmax(1), state
"""


def test_an_own_agent_is_judged_again_once_its_file_has_changed(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import sys

    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    command = [*TINY, "agent=agent_again:Mine", f"out={copy}"]
    for check, code, jobs in (
        ("assert observation['epoch'][0, 0] < 40_000, 'too late'", 1, 2),
        ("pass", 0, 2),
        ("pass", 0, 0),
        ("0", 0, 2),
    ):
        (tmp_path / "agent_again.py").write_text(OWN.format(check=check))
        sys.modules.pop("agent_again", None)
        with pytest.MonkeyPatch.context() as patch:
            did = watch(patch)
            assert main(command) == code
        assert len([w for w in did if w[0] == "agent_again:Mine"]) == len(did)
        assert len(did) <= jobs
        rows = read(copy / "results.csv")
        assert ("agent_again:Mine" in {r.agent for r in rows}) == (code == 0)
        said = capsys.readouterr().err
        assert ("left out: agent_again:Mine: AssertionError: too late" in said) == (code == 1)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("eval.seeds=3", "already holds a run with other settings (eval: seeds=2, not 3); give another folder"),
        ("eval.seeds=3", "leave `out` away; agents can be added, nothing else"),
        ("scenario=traffic", "already holds a run with other settings (scenario='smart_home', not 'traffic')"),
        ("world.rooms=4", "already holds a run with other settings (world: rooms=5, not 4)"),
    ],
)
def test_other_settings_are_one_line(
    copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], more: str, said: str
) -> None:
    did, before = watch(monkeypatch), sorted((p, p.stat().st_mtime_ns) for p in copy.rglob("*"))
    words = [w for w in TINY if w.split("=")[0] != more.split("=")[0]]
    if more.startswith("scenario"):
        words = [w for w in words if not w.startswith("world")]
    assert said in refused(main, capsys, *words, more, f"out={copy}")
    assert (did, sorted((p, p.stat().st_mtime_ns) for p in copy.rglob("*"))) == ([], before)


def test_other_versions_are_one_line(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = json.loads((copy / "config.json").read_text())
    config["versions"]["torch"] = "1.0"
    (copy / "config.json").write_text(json.dumps(config))
    assert "holds a run by other versions (torch 1.0, now 2." in refused(main, capsys, *TINY, f"out={copy}")
    (copy / "config.json").write_text(json.dumps(config | {"versions": 3}))
    assert "(Python none, now 3." in refused(main, capsys, *TINY, f"out={copy}")


def test_two_at_once_are_refused(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with RunFolder(copy).locked():
        assert f"out={copy}: another run is at work in it" in refused(main, capsys, *TINY, f"out={copy}")
    assert main([*TINY, f"out={copy}"]) == 0


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"kind": "sim", "agent": "none", "train_seed": 0, "scores": 3}'])
def test_a_spoilt_cell_is_one_line(copy: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    (copy / "cells/sim-none-0.json").write_text(text)
    assert "sim-none-0.json: cannot be read" in refused(main, capsys, *TINY, f"out={copy}")


def test_the_folder_of_a_lock_is_free_and_a_folder_nobody_can_make_is_one_line(tmp_path: Path) -> None:
    from lam_env.experiment.run_folder import choose_folder

    with RunFolder(tmp_path / "new").locked():
        assert choose_folder(str(tmp_path / "new"), "x") == tmp_path / "new"
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"), RunFolder(tmp_path / "file").locked():
        pass
