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


def test_too_few_streams_are_refused_before_anything_is_written(tmp_path: Path, fails: Fails) -> None:
    plays(tmp_path / "few.csv", 5)
    assert "logs=few.csv: log: 5 streams" in fails("logs=few.csv", "format=mobile_plays", *TINY)
    plays(tmp_path / "short.csv", 50, each=3)
    assert "0 streams (runs, players) are too few" in fails("logs=short.csv", "format=mobile_plays", *TINY)
    (tmp_path / "cut.jsonl").write_text("{", encoding="utf-8")
    assert "not a JSON object" in fails("logs=cut.jsonl", "format=slay_the_spire", *TINY)
