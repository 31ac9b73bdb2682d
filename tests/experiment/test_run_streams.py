"""A real log of many short streams through the whole pipeline, on next to nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import spire

from lam_env.commands.run import main
from lam_env.evaluation.results import read

TINY = ["predictor.passes=1", "predictor.hidden=8", "workers=1", "agents=most_frequent,markov1,prior"]
Fails = Callable[..., str]


def plays(path: Path, players: int, each: int = 6) -> str:
    rows = [
        f"{p},{(p * 37 + i * 101) % 1500},{1_400_000_000 + p * 500 + i * i * 1000}"
        for p in range(players)
        for i in range(each)
    ]
    path.write_text("player,score,time\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("what", "scenario"),
    [("slay_the_spire", "smart_home"), ("mobile_plays", "smart_home"), ("mobile_plays", "traffic")],
)
def test_predictions_of_held_out_streams_are_all_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], what: str, scenario: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if what == "slay_the_spire":
        spire.write(tmp_path / "log", *(spire.run(1_546_376_628 + i * 9_000, victory=i % 2 == 0) for i in range(20)))
    else:
        plays(tmp_path / "log", 20)
    assert main([f"scenario={scenario}", "logs=log", f"format={what}", "out=out", *TINY]) == 0
    said = capsys.readouterr().out
    assert "streams to train, validate and test on: 14, 2, 4" in said
    assert "predictions are all there is" in said
    rows = read(tmp_path / "out" / "results.csv")
    parts = {"prior.nets", "prior.counts", "prior.boosting", "prior_boosted"}
    assert {row.agent for row in rows if row.metric == "pred.nll"} == {"most_frequent", "markov1", "prior", *parts}
    assert {row.variant for row in rows} == {"log"}
    assert "held-out part of the log" in (tmp_path / "out" / "tables.md").read_text(encoding="utf-8")


def test_sessions_of_one_event_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"s{i},{1_767_592_800 + 90 * i + k},a{k}" for i in range(30) for k in range(1 if i % 3 == 0 else 2)]
    (tmp_path / "clicks.csv").write_text("\n".join(["session,time,item", *rows]) + "\n", encoding="utf-8")
    words = (f"logs={tmp_path / 'clicks.csv'}", "format=clicks", f"out={tmp_path / 'out'}", "predict=yes")
    assert main([*words, *TINY[:-1], "agents=most_frequent"]) == 0
    said = capsys.readouterr().out
    sizes = said.partition("streams to train, validate and test on: ")[2].partition("\n")[0].split(", ")
    assert sum(map(int, sizes)) == 20
    assert "left out: 10 streams too short for one event to be predicted from another" in said


def test_too_few_streams_are_refused_before_anything_is_written(tmp_path: Path, fails: Fails) -> None:
    plays(tmp_path / "few.csv", 5)
    assert "logs=few.csv: log: 5 streams" in fails("logs=few.csv", "format=mobile_plays", *TINY)
    plays(tmp_path / "short.csv", 50, each=3)
    assert "0 streams (runs, players) are too few" in fails("logs=short.csv", "format=mobile_plays", *TINY)
    (tmp_path / "cut.jsonl").write_text("{", encoding="utf-8")
    assert "not a JSON object" in fails("logs=cut.jsonl", "format=slay_the_spire", *TINY)


def test_places_of_persons_are_counted_for_each_and_nothing_is_trained_that_cannot_help(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    stays = [  # each has a home and three places of their own, and goes there in turn
        f"{person},{person * 50 + (0 if i % 2 else 1 + i // 2 % 3)},2026-03-{1 + i // 4:02d}T{6 * (i % 4):02d}:00"
        for person in range(6)
        for i in range(100)
    ]
    stays += [f"{p},{p * 50 + 4 + k},2026-03-27T{k // 2:02d}:{k % 2}0" for p in range(6) for k in range(40)]
    (tmp_path / "log.csv").write_text("\n".join(["user,action,time", *stays]) + "\n", encoding="utf-8")
    words = ["logs=log.csv", "format=csv", "zone=Europe/Berlin", "split=per_user", "sort=yes", "predict=yes", "out=out"]
    assert main([*words, *TINY]) == 0
    said = capsys.readouterr().out
    assert "no networks: 264 actions are more than 200, each of which few persons do" in said
    nll = {row.agent: row.value for row in read(tmp_path / "out" / "results.csv") if row.metric == "pred.nll"}
    assert set(nll) == {"most_frequent", "markov1", "prior", "prior.counts"}
    assert nll["prior"] == nll["prior.counts"] < nll["most_frequent"] - 0.5
    tables = (tmp_path / "out" / "tables.md").read_text(encoding="utf-8")
    assert "Counts go on in the test, by what has happened until then: prior, prior.counts." in tables
    files = sorted(path.name for path in (tmp_path / "out" / "model" / "prior-real").iterdir())
    assert files == ["config.json", "counts.safetensors", "manifest.json"]
    # the same command finds the run as it was
    before = (tmp_path / "out" / "results.csv").read_bytes()
    assert main([*words, *TINY]) == 0
    assert (tmp_path / "out" / "results.csv").read_bytes() == before
