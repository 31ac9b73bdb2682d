"""A suite of runs: one results.csv and its tables, gone on with after a stop, and what failed said."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import watching
from refusal import refused

from lam_env.commands.benchmark import main
from lam_env.core.errors import UserError
from lam_env.evaluation.results import read
from lam_env.experiment.run_folder import RunFolder

SUITE = """
about: Next to nothing.
runs:
  - scenario: smart_home
    log: {worlds: 3, days: 2}
    predictor: {passes: 1, hidden: 8}
    train: {steps: 256, trial: 2}
    eval: {seeds: 2, worlds: 1}
    world: {days: 1}
    agents: [timer, informed]
"""
GAME = """
  - name: game-TRACK
    label: TRACK
    scenario: game
    log: {worlds: 30, days: 5}
    predictor: {passes: 1, hidden: 8}
    train: {steps: 256, trial: 2}
    eval: {seeds: 2, worlds: 10}
    world: {days: 3, track: TRACK}
    agents: [parrot]
"""
RUNS = ("smart_home", "game-all", "game-activities")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a suite that nobody has stopped, beside its file."""
    folder = tmp_path_factory.mktemp("compare")
    (folder / "tiny.yaml").write_text(SUITE + "".join(GAME.replace("TRACK", t) for t in ("all", "activities")))
    assert main([f"suite={folder / 'tiny.yaml'}", f"out={folder / 'whole'}", "workers=1"]) == 0
    return folder / "whole"


@pytest.fixture
def command(whole: Path, tmp_path: Path) -> list[str]:
    return [f"suite={whole.parent / 'tiny.yaml'}", f"out={tmp_path / 'out'}", "workers=1"]


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "out"))


def watch(patch: pytest.MonkeyPatch, at: object = None, error: BaseException | None = None) -> list[Any]:
    """Notes who is judged where; raises `error` instead when it is `at`."""

    def seen(job: str, args: tuple[Any, ...]) -> object:
        return (Path(args[0].folder).name, args[1]) if job == "fit_and_judge" else None

    return watching.watch(patch, seen, at, error)


def bytes_of(path: Path) -> bytes:
    return (path / "results.csv").read_bytes()


def test_all_scores_stand_in_one_file_with_the_variant_that_tells_them_apart(whole: Path) -> None:
    rows = read(whole / "results.csv")
    assert list(dict.fromkeys((r.scenario, r.variant) for r in rows)) == [
        ("smart_home", "sim"),
        ("game", "all"),
        ("game", "activities"),
    ]
    for run, variant in (("smart_home", "sim"), ("game-all", "all"), ("game-activities", "activities")):
        own = [r._replace(variant=variant) for r in read(whole / run / "results.csv") if r.variant == "sim"]
        assert own == [r for r in rows if (r.scenario, r.variant) == (own[0].scenario, variant)]


def test_every_table_is_there_three_times_and_says_what_it_rests_on(whole: Path) -> None:
    text = (whole / "tables.md").read_text()
    assert all(f"\n## {run}\n" in text for run in RUNS)
    tables = {p.stem for p in (whole / "tables").glob("*.csv")}
    assert tables == {p.stem for p in (whole / "tables").glob("*.tex")}
    assert {"smart-home-smart-home-sim-summary", "game-all-game-all-reward"} <= tables
    assert text.count("Made by `python -m lam_env.benchmark") == len(tables)
    for name in tables:
        lines = (whole / "tables" / f"{name}.csv").read_text().splitlines()
        about = [line for line in lines if line.startswith("# ")]
        body = list(csv.reader(line for line in lines if not line.startswith("# ")))
        assert {len(row) for row in body} == {len(body[0])}
        assert about[0].startswith("# Runs an agent: 2; evaluation seeds 0, 1; ")
        remark = about.index("# Next to nothing.")
        assert all(line.startswith("# Units: ") or "better" in line for line in about[1:remark])
        assert "torch" in about[remark + 1]
        assert "s wall time" in about[remark + 1]
        tex = (whole / "tables" / f"{name}.tex").read_text()
        assert tex.count(r" \\") == len(body)
        assert r"Made by `python -m lam\_env.benchmark" in tex


@pytest.mark.parametrize("at", [("smart_home", "timer"), ("game-activities", "oracle")])
def test_a_stopped_suite_does_the_rest_and_ends_with_the_same_bytes(
    whole: Path, tmp_path: Path, command: list[str], at: object, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        before = watch(patch, at, KeyboardInterrupt())
        with pytest.raises(SystemExit) as stop:
            main(command)
    assert stop.value.code == 130
    said = capsys.readouterr().err
    assert said.endswith(
        f"goes on where this one stopped:\n  python -m lam_env.benchmark {' '.join(command)}\nstopped\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        after = watch(patch)
        assert main(command) == 0
    assert len(before + after) == len(set(before + after)) == 10
    assert at in after
    assert bytes_of(tmp_path / "out") == bytes_of(whole)


def test_a_finished_suite_does_nothing_again(
    copy: Path, whole: Path, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    did = watch(monkeypatch)
    (copy / "results.csv").unlink()
    assert main(command) == 0
    assert (did, bytes_of(copy)) == ([], bytes_of(whole))


def test_scenario_by_scenario_makes_the_same(whole: Path, tmp_path: Path, command: list[str]) -> None:
    out = tmp_path / "out"
    assert main([*command, "scenario=game"]) == 0
    assert {r.scenario for r in read(out / "results.csv")} == {"game"}
    assert main([*command, "scenario=smart_home"]) == 0
    assert bytes_of(out) == bytes_of(whole)
    assert "## game-all\n" in (out / "tables.md").read_text()


def made_by(out: Path) -> dict[str, set[str]]:
    """Run -> by what its tables say that they were made, and in what time."""
    parts = (out / "tables.md").read_text().split("\n## ")[1:]
    return {p.partition("\n")[0]: set(re.findall(r"(?:Made by|\S+ s wall time).*\.", p)) for p in parts}


def test_each_run_keeps_the_command_and_the_time_of_its_own(copy: Path, command: list[str]) -> None:
    """Whatever others of its suite are made later; and nothing changes where nothing is left to do."""
    edit(copy / "smart_home/config.json", command="the first", seconds=5000)
    shutil.rmtree(copy / "game-all")
    assert main([*command, "run=game-all"]) == 0
    made = made_by(copy)
    assert made["smart_home"] == {"Made by `the first`.", "5,000 s wall time."}
    assert any(line.startswith("Made by `python") and "run=game-all`" in line for line in made["game-all"])
    assert not any("run=game-all" in line for line in made["game-activities"])
    assert "the first" in (copy / "tables/smart-home-smart-home-sim-summary.csv").read_text()
    assert main(command) == 0
    assert made_by(copy) == made
    assert "Made by `the first`" in (copy / "smart_home/tables.md").read_text()


def test_tables_of_a_label_that_is_no_longer_there_go_and_other_files_stay(
    copy: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, did = {p.name for p in (copy / "tables").iterdir()}, watch(monkeypatch)
    (copy / "tables/notes.csv").write_text("mine")
    text = (whole.parent / "tiny.yaml").read_text().replace("label: activities", "label: acts")
    (tmp_path / "tiny.yaml").write_text(text)
    assert main([f"suite={tmp_path / 'tiny.yaml'}", f"out={copy}", "workers=1"]) == 0
    after = {p.name for p in (copy / "tables").iterdir()}
    assert did == []
    old, new = before - after, after - before - {"notes.csv"}
    assert {name.replace("-game-activities-", "-game-acts-") for name in old} == new
    assert len(old) >= 4
    assert "notes.csv" in after
    assert {f"game-all-game-all-reward.{end}" for end in ("csv", "tex")} <= after


def test_a_run_takes_the_time_of_its_own_turn(
    whole: Path, tmp_path: Path, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a clock that goes on by a second with each job, and else stands still."""
    from lam_env.experiment.work import made

    now = [1.0]
    monkeypatch.setattr(made.time, "time", lambda: now[0])

    def tick(job: str, args: tuple[Any, ...]) -> None:
        now[0] += 1

    watching.watch(monkeypatch, tick)
    assert main(command) == 0
    seconds = [json.loads((tmp_path / "out" / run / "config.json").read_text())["seconds"] for run in RUNS]
    assert min(seconds) >= 4
    assert sum(seconds) == now[0] - 1


@pytest.mark.parametrize("words", [["run=game-all"], ["scenario=game"], []])
def test_rows_of_a_run_that_was_stopped_stay_when_others_are_made(
    tmp_path: Path, command: list[str], words: list[str]
) -> None:
    out = tmp_path / "out"
    with pytest.MonkeyPatch.context() as patch:
        watch(patch, ("smart_home", "oracle"), KeyboardInterrupt())
        with pytest.raises(SystemExit):
            main([*command, "run=smart_home"])
    before = {r for r in read(out / "smart_home/results.csv") if r.variant == "sim"}
    assert before
    assert main([*command, *words]) == 0
    assert before <= set(read(out / "results.csv"))
    assert ("- not finished: its command goes on with it" in (out / "tables.md").read_text()) == bool(words)


def test_a_mark_of_what_failed_stays_when_others_are_made(tmp_path: Path, command: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        watch(patch, ("game-all", "parrot"), UserError("no seed"))
        assert main([*command, "run=game-all"]) == 1
    assert main([*command, "run=game-activities"]) == 0
    text = (tmp_path / "out/tables.md").read_text()
    assert "| parrot | failed |" in text
    assert "- parrot: no seed" in text


@pytest.mark.parametrize("words", [[], ["scenario=game"], ["run=smart_home"]])
def test_other_agents_than_the_folders_are_refused(
    copy: Path, command: list[str], words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    before = {p: p.read_bytes() for p in copy.rglob("*") if p.is_file()}
    said = refused(main, capsys, *command, *words, "agents=none")
    assert "already holds smart_home with other agents (agents=timer,informed, not none); give another folder" in said
    assert {p: p.read_bytes() for p in copy.rglob("*") if p.is_file()} == before


def test_a_run_that_the_suite_no_longer_has_is_refused(
    copy: Path, command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tiny.yaml").write_text(SUITE)
    said = refused(main, capsys, f"suite={tmp_path / 'tiny.yaml'}", *command[1:])
    assert "already holds the run game-all, which the suite no longer has" in said


def test_a_cell_that_fails_is_marked_and_tried_again(
    whole: Path, tmp_path: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    with pytest.MonkeyPatch.context() as patch:
        watch(patch, ("game-all", "parrot"), UserError("no seed"))
        assert main(command) == 1
    said = capsys.readouterr()
    assert "failed: game-all: parrot: no seed\nthe same command tries again what failed:\n  python -m" in said.err
    assert said.out.count("failed") == 1
    text = (out / "tables.md").read_text()
    assert "| parrot | failed |" in text
    assert "- parrot: no seed" in text
    assert [r.variant for r in read(out / "results.csv") if r.agent == "parrot"].count("all") == 0
    with pytest.MonkeyPatch.context() as patch:
        did = watch(patch)
        assert main(command) == 0
    assert did == [("game-all", "parrot")]
    assert bytes_of(out) == bytes_of(whole)


def test_a_run_that_fails_does_not_stop_the_others(
    whole: Path, tmp_path: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    import lam_env.experiment.jobs as work

    real = work.pretrain_on_log

    def broken(job: Any, *rest: Any) -> None:
        if job.settings.scenario == "smart_home":
            raise UserError("no memory")
        real(job, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(work, "pretrain_on_log", broken)
        assert main(command) == 1
    assert f"failed: smart_home: the run: {tmp_path / 'out' / 'smart_home'}: no memory" in capsys.readouterr().err
    assert {r.variant for r in read(tmp_path / "out/results.csv") if r.scenario == "game"} == {"all", "activities"}
    assert "- the run: " in (tmp_path / "out/tables.md").read_text()
    assert main(command) == 0
    assert bytes_of(tmp_path / "out") == bytes_of(whole)


AGENT = """
class Mine:
    def predict(self, observation, state=None, episode_start=None, deterministic=True):
        assert observation["action_mask"].shape[1] LIMIT
        return observation["action_mask"].argmax(1), state
"""


def test_an_agent_of_ones_own_is_one_more_row_where_it_works(
    copy: Path,
    command: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from lam_env.core import registry

    monkeypatch.syspath_prepend(tmp_path)
    size = len(registry.scenario("game")().vocabulary)
    (tmp_path / "mine_alone.py").write_text(AGENT.replace("LIMIT", f"!= {size}"))
    did = watch(monkeypatch)
    assert main([*command, "agent=mine_alone:Mine"]) == 1
    assert did == [("smart_home", "mine_alone:Mine")]
    assert {r.variant for r in read(copy / "results.csv") if r.agent == "mine_alone:Mine"} == {"sim"}
    assert (copy / "tables.md").read_text().count("| mine_alone:Mine | failed |") == 2
    said = capsys.readouterr().err
    assert said.count("mine_alone:Mine: agent mine_alone:Mine: AssertionError") == 2
    assert "Traceback" not in said
    # its row would be lost
    said = refused(main, capsys, *command)
    assert "smart_home: already holds rows that this command would drop; give agent=mine_alone:Mine too, or" in said
    assert main([*command, "scenario=game"]) == 0
    assert {r.variant for r in read(copy / "results.csv") if r.agent == "mine_alone:Mine"} == {"sim"}


def test_an_agent_that_works_nowhere_is_refused_before_anything_is_written(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "mine_nowhere.py").write_text(AGENT.replace("LIMIT", "== 0"))
    assert "agent mine_nowhere:Mine: AssertionError" in refused(main, capsys, *command, "agent=mine_nowhere:Mine")
    assert not (tmp_path / "out").exists()


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


OTHERS: dict[str, Callable[[Path], object]] = {
    "already holds the suite quick": lambda out: edit(out / "config.json", suite="quick"),
    "already holds a run;": lambda out: shutil.copy(out / "smart_home/config.json", out / "config.json"),
    "config.json: cannot be read": lambda out: (out / "config.json").write_text("{"),
    "smart_home: already holds a run with other settings (train: steps=3, not 256)": lambda out: edit(
        out / "smart_home/config.json", train={"steps": 3}
    ),
    "game-all: holds a run by other versions (Python none": lambda out: edit(out / "game-all/config.json", versions={}),
    "is not empty": lambda out: (out / "config.json").unlink(),
}


@pytest.mark.parametrize(("said", "change"), OTHERS.items(), ids=OTHERS)
def test_a_folder_that_holds_something_else_is_one_line(
    copy: Path, command: list[str], capsys: pytest.CaptureFixture[str], said: str, change: Callable[[Path], object]
) -> None:
    change(copy)
    before = {p: p.read_bytes() for p in copy.rglob("*") if p.is_file()}
    assert said in refused(main, capsys, *command)
    assert {p: p.read_bytes() for p in copy.rglob("*") if p.is_file()} == before


def test_two_at_once_are_refused(copy: Path, command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with RunFolder(copy).locked():
        assert "another run is at work in it" in refused(main, capsys, *command)


def test_a_scenario_that_the_suite_does_not_hold(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(main, capsys, *command, "scenario=traffic")
    assert "no scenario 'traffic' in suite tiny; there are smart_home, game" in said


@pytest.mark.parametrize(
    ("entry", "said"), [("agents: [priorr]", "no agent 'priorr'"), ("world: {dayz: 3}", "no setting 'world.dayz'")]
)
def test_an_error_in_an_entry_names_the_file_and_the_entry(
    entry: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.yaml").write_text(
        f"runs: [{{name: first, scenario: game}}, {{name: x, scenario: game, {entry}}}]"
    )
    with pytest.raises(SystemExit) as caught:
        main([f"suite={tmp_path / 'mine.yaml'}", f"out={tmp_path / 'out'}"])
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith(f"error: suite {tmp_path}/mine.yaml: x: {said}")
    assert not (tmp_path / "out").exists()
