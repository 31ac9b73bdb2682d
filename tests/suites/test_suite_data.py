"""Suites of real logs: where they lie, those that are not there, and a table for each that is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from plain_log import plain_log

from lam_env.commands.benchmark import main
from lam_env.core.errors import UserError
from lam_env.evaluation.results import read
from lam_env.suites import suite as suites
from lam_env.suites.settings import BenchmarkSettings
from lam_env.suites.suite_runner import chosen, run_settings, with_logs

RUN = (
    "  - {name: NAME, label: NAME, scenario: smart_home, logs: homes/NAME.csv, format: csv, predict: yes, "
    "agents: [markov2, prior], predictor: {passes: 1, hidden: 8, members: 1, parts: 'nets,counts'}}\n"
)


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """Of two logs, of which the folder data holds the first."""
    (tmp_path / "data" / "homes").mkdir(parents=True)
    (tmp_path / "data" / "homes" / "first.csv").write_text(plain_log(0), encoding="utf-8")
    path = tmp_path / "logs.yaml"
    path.write_text("about: Next to nothing.\nruns:\n" + "".join(RUN.replace("NAME", n) for n in ("first", "second")))
    return path


def test_logs_that_are_missing_are_left_out_and_said(
    suite: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    words = [f"suite={suite}", f"out={out}", f"data={data}", "workers=1"]
    assert main(words) == 0
    said = capsys.readouterr()
    assert f"left out: second: no log at {data}/homes/second.csv\n" in said.err
    assert "first:" not in said.err
    assert [path.name for path in out.iterdir() if path.is_dir() and (path / "results.csv").exists()] == ["first"]
    rows = read(out / "results.csv")
    assert {(row.scenario, row.variant) for row in rows} == {("smart_home", "log first")}
    assert {row.agent for row in rows} == {"markov2", "prior", "prior.nets", "prior.counts"}
    assert json.loads((out / "first" / "config.json").read_text())["logs"] == str(data / "homes" / "first.csv")
    # it comes later: the same command makes what is lacking
    before = (out / "first" / "results.csv").read_bytes()
    (data / "homes" / "second.csv").write_text(plain_log(1), encoding="utf-8")
    assert main(words) == 0
    assert "left out" not in capsys.readouterr().err
    assert {row.variant for row in read(out / "results.csv")} == {"log first", "log second"}
    assert (out / "first" / "results.csv").read_bytes() == before
    assert "\n## first\n" in (text := (out / "tables.md").read_text())
    assert "\n## second\n" in text


def test_a_suite_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("error: suite= is missing: give one of default, ")


@pytest.mark.parametrize("data", [None, "nowhere"])
def test_where_none_of_the_logs_is_there_a_line_says_what_to_give(
    suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], data: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        main([f"suite={suite}", f"out={tmp_path / 'out'}", *([f"data={data}"] if data else [])])
    assert caught.value.code == 2
    folder = f"{data}/homes" if data else "homes"
    assert capsys.readouterr().err.splitlines() == [
        f"left out: first: no log at {folder}/first.csv",
        f"left out: second: no log at {folder}/second.csv",
        f"error: suite {suite}: none of its logs is there; data=FOLDER says where they lie",
    ]
    assert not (tmp_path / "out").exists()


def test_without_a_folder_logs_lie_where_the_command_is_given(
    suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path / "data")
    settings = BenchmarkSettings(suite=str(suite))
    (run,), absent = with_logs(suites.load(str(suite)).runs, settings)
    assert absent == ["second: no log at homes/second.csv"]
    assert run.name == "first"
    assert run_settings(run, settings, tmp_path / "out").logs == "homes/first.csv"


def test_runs_that_need_no_log_are_always_there(tmp_path: Path) -> None:
    runs, settings = suites.load("quick").runs, BenchmarkSettings(suite="quick", data=str(tmp_path))
    assert with_logs(runs, settings) == (list(runs), [])
    assert {run_settings(run, settings, tmp_path).logs for run in runs} == {None}


def test_the_published_suite_of_predictions_only_predicts() -> None:
    suite = suites.load("prediction")
    assert "data=FOLDER" in suite.about
    assert all(run.settings.predict and run.settings.logs and run.settings.format for run in suite.runs)
    assert len({run.variant("log") for run in suite.runs}) == len(suite.runs)
    with pytest.raises(UserError, match="none of its logs is there"):
        with_logs(suite.runs, BenchmarkSettings(suite="prediction", data="nowhere"))


def test_files_of_a_log_in_parts_lie_in_the_folder_of_all_logs(tmp_path: Path) -> None:
    for name in ("a-1.csv", "a-2.csv", "late.csv"):
        (tmp_path / name).write_text("")
    path = tmp_path / "parts.yaml"
    entry = "{name: NAME, format: csv, predict: yes, logs: 'a-*.csv', test: TEST}\n"
    named = {"whole": "late.csv", "both": "'late.csv,a-1.csv'", "half": "gone.csv"}
    text = "".join("  - " + entry.replace("NAME", n).replace("TEST", t) for n, t in named.items())
    path.write_text("runs:\n" + text)
    settings = BenchmarkSettings(suite=str(path), data=str(tmp_path))
    there, absent = with_logs(suites.load(str(path)).runs, settings)
    assert [run.name for run in there] == ["whole", "both"]
    assert absent == [f"half: no log at {tmp_path}/gone.csv"]
    files = run_settings(there[1], settings, tmp_path / "out")
    assert (files.logs, files.test) == (f"{tmp_path}/a-*.csv", f"{tmp_path}/late.csv,{tmp_path}/a-1.csv")


def test_some_runs_are_chosen_by_name(suite: Path) -> None:
    of = suites.load(str(suite))
    assert [run.name for run in chosen(of, BenchmarkSettings(run=("second",)))] == ["second"]
    assert len(chosen(of, BenchmarkSettings())) == 2
    with pytest.raises(UserError, match="no run 'secnd' in suite logs; did you mean 'second'"):
        chosen(of, BenchmarkSettings(run=("secnd",)))
    both = BenchmarkSettings(run=("hh102",), scenario=("game",))
    with pytest.raises(UserError, match="no run that is called so is of that scenario"):
        chosen(suites.load("prediction"), both)


def test_the_one_table_names_all_logs_that_are_there(suite: Path, tmp_path: Path) -> None:
    assert main([f"suite={suite}", f"out={tmp_path / 'out'}", f"data={tmp_path / 'data'}", "workers=1"]) == 0
    text = (tmp_path / "out" / "tables" / "all-logs.csv").read_text()
    head, row, *notes = text.splitlines()
    assert head == "log,events,best counting row,pool,pool with trees,reference,CPU s"
    assert row.startswith("first,74,markov2 .")
    assert int(row.rpartition(",")[2]) >= 0  # seconds were kept
    assert any("Left out: second: no log at" in note for note in notes)
    assert (tmp_path / "out" / "tables.md").read_text().index("**all logs**") < 50
