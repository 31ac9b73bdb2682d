"""Logs of many people, in parts."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.dataset as ds
import pytest

from lam_env.commands import simulate
from lam_env.core.errors import UserError
from lam_env.core.events import ActionLog
from lam_env.core.registry import scenario
from lam_env.core.seeds import Use, world_seeds
from lam_env.envs.recording import simulate_log
from lam_env.experiment.logs.shards import make_part, part_of
from lam_env.logs.decision_points import decision_points

SMALL = {
    "smart_home": ["scenario=smart_home", "days=1", "worlds=3", "part=2"],
    "traffic": ["scenario=traffic", "days=2", "worlds=3", "part=2", "world.travellers=20", "world.burn_in=5"],
    "game": ["scenario=game", "days=4", "worlds=25", "part=10"],
}


def make(out: Path, *words: str) -> Path:
    assert simulate.main([*words, f"out={out}", *(() if any("workers" in w for w in words) else ("workers=1",))]) == 0
    return out


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def parts(folder: Path) -> dict[str, bytes]:
    return {name: content for name, content in files(folder).items() if name.startswith("part=")}


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("simulate") / "game", *SMALL["game"])


@pytest.mark.parametrize("name", SMALL)
def test_each_scenario_leaves_parts_that_read_as_logs(name: str, tmp_path: Path) -> None:
    folder = make(tmp_path / "log", *SMALL[name])
    logs = [ActionLog.load(part) for part in sorted(folder.glob("part=*"))]
    assert [len(log.start) for log in logs] == ([2, 1] if name != "game" else [10, 10, 5])
    for log in logs:
        assert len(decision_points(log)) > 0
        assert log.people == (12 if name == "traffic" else 1 if name == "game" else 0)
    told = json.loads((folder / "simulated.json").read_text(encoding="utf-8"))
    assert told["events"] == sum(map(len, logs))
    assert told["bytes"] == sum(p.stat().st_size for p in folder.rglob("events.parquet"))


def test_a_world_is_the_same_whatever_part_it_is_in(game: Path, tmp_path: Path) -> None:
    whole = ActionLog.load(part_of(make(tmp_path / "whole", *SMALL["game"][:-1], "part=100"), 0))
    alone, _ = simulate_log(scenario("game")(days=4), world_seeds(Use.SIMULATED_LOG, 25), 4)
    for name, column in alone.columns.items():
        np.testing.assert_array_equal(whole.columns[name], column, err_msg=name)
        each = [ActionLog.load(part).columns[name] for part in sorted(game.glob("part=*"))]
        each = [part + 10 * k for k, part in enumerate(each)] if name == "world" else each
        np.testing.assert_array_equal(np.concatenate(each), column, err_msg=name)
    assert (whole.start, whole.end) == (alone.start, alone.end)


def test_the_number_of_workers_changes_no_byte(game: Path, tmp_path: Path) -> None:
    assert parts(make(tmp_path / "two", *SMALL["game"], "workers=2")) == parts(game)


def test_another_seed_draws_other_people(game: Path, tmp_path: Path) -> None:
    other = parts(make(tmp_path / "other", *SMALL["game"], "seed=1"))
    assert other.keys() == parts(game).keys()
    assert all(other[name] != content for name, content in parts(game).items())


def test_what_is_missing_is_made_and_nothing_else(
    game: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, save, saved, room = tmp_path / "log", ActionLog.save, [], [1]

    def saving(log: ActionLog, path: Path) -> None:
        if not room:
            raise OSError("no space left")
        room.pop()
        saved.append(path.name)
        save(log, path)

    monkeypatch.setattr(ActionLog, "save", saving)
    with pytest.raises(SystemExit) as stopped:
        make(folder, *SMALL["game"])
    assert stopped.value.code == 2
    assert "no space left" in capsys.readouterr().err
    assert [p.name for p in folder.glob("part=*")] == ["part=000000"]
    assert not (folder / "simulated.json").exists()
    room += range(9)
    make(folder, *SMALL["game"])
    assert saved == ["part=000000", "part=000001", "part=000002"]
    assert parts(folder) == parts(game)
    make(folder, *SMALL["game"])
    assert len(saved) == 3


def test_partitioned_parquet_is_one_table_to_other_tools(game: Path) -> None:
    paths = sorted(map(str, game.glob("part=*/events.parquet")))
    table = ds.dataset(paths, partitioning=ds.partitioning(flavor="hive"), partition_base_dir=str(game)).to_table()
    assert len(table) == json.loads((game / "simulated.json").read_text(encoding="utf-8"))["events"]
    worlds = {(p, w) for p, w in zip(table["part"].to_pylist(), table["world"].to_pylist(), strict=True)}
    assert len(worlds) == 25


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["scenario=gme"], "no scenario 'gme'"),
        (["worlds=0"], "worlds"),
        (["scenario=game", "worlds=4_000_000", "part=1"], "makes 4,000,000 parts"),
        (["scenario=game", "world.day=3"], "day"),
        (["scenario=game", "world.days=3"], "world.days: is called days here"),
        (["ray.address=10.0.0.5:1"], "is for launcher=ray"),
    ],
)
def test_bad_settings_are_one_line(
    words: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        simulate.main([*words, f"out={tmp_path / 'log'}"])
    said = capsys.readouterr().err
    assert (stopped.value.code, said.count("\n")) == (2, 1)
    assert says in said
    assert not (tmp_path / "log").exists()


def test_a_folder_that_holds_something_else_is_left_alone(
    game: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.json").write_text('{"scenario": "game"}', encoding="utf-8")
    old = shutil.copytree(game, tmp_path / "old")
    (old / "config.json").write_text((game / "config.json").read_text().replace('"numpy": "', '"numpy": "0.'))
    before = {folder: files(folder) for folder in (game, run, old)}
    for words, out, says in (
        ((*SMALL["game"], "seed=2"), game, "a log with other settings (seed=0, not 2)"),
        ((*SMALL["game"], "world.track=activities"), game, "world: track='all', not 'activities'"),
        (SMALL["game"], run, "already holds a run"),
        (SMALL["game"], old, "holds a log by other versions (numpy 0."),
    ):
        with pytest.raises(SystemExit):
            make(out, *words)
        assert says in capsys.readouterr().err
    for folder, content in before.items():
        now = files(folder)
        now.pop(".lock", None)
        assert {k: v for k, v in content.items() if k != ".lock"} == now


def test_a_damaged_part_is_made_again_and_a_foreign_one_refused(
    game: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = shutil.copytree(game, tmp_path / "copy")
    events, about = part_of(copy, 1) / "events.parquet", part_of(copy, 1) / "log.json"
    for damage in (events.unlink, about.unlink, lambda: events.write_bytes(b"PAR1"), lambda: about.write_text("{")):
        damage()
        make(copy, *SMALL["game"])
        assert parts(copy) == parts(game)
    shutil.copy(part_of(copy, 0) / "log.json", about)  # another's
    make(copy, *SMALL["game"])
    assert parts(copy) == parts(game)
    assert "2 parts of them there already" in capsys.readouterr().out
    shutil.copytree(part_of(copy, 0), part_of(copy, 7))
    with pytest.raises(SystemExit):
        make(copy, *SMALL["game"])
    assert "holds part=000007, which is no part of this log" in capsys.readouterr().err


def test_a_machine_that_does_not_see_the_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not see the run's folder"):
        make_part(str(tmp_path / "elsewhere"), 0, "game", scenario("game").Params(days=2), [1], lambda *said: None)
    assert not (tmp_path / "elsewhere").exists()
