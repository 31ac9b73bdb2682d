"""What the head of a report's page says: nothing that it cannot know, and doubts before what is won."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lam_env.evaluation.report.page import ScenarioNotes, sections
from lam_env.evaluation.report.reader import RunFiles, read_run
from lam_env.evaluation.report.sections_scores import tiles
from lam_env.evaluation.results import ResultRow, write

UTILITY = {"none": -10.0, "ppo_prior": -4.0, "oracle": 10.0}


def rows(variant: str = "sim", seeds: int = 2) -> list[ResultRow]:
    """Each seed one better than the one before, whoever acts."""
    out = []
    for agent, value in UTILITY.items():
        for seed in range(seeds):
            scores = {"utility.total": value + seed, "utility.lift": value + 10}
            scores |= {"pred.top1": 1.0} if agent == "ppo_prior" else {}
            out += [ResultRow("home", variant, agent, 0, seed, metric, v) for metric, v in scores.items()]
    return out


def gates(**passed: float) -> list[ResultRow]:
    return [ResultRow("home", "twin", "resident", 0, 0, f"fidelity.{name}", v) for name, v in passed.items()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "report").mkdir()
    (tmp_path / "config.json").write_text('{"scenario": "home"}')
    gate = {"name": "x", "metric_id": "g", "source": [1.0], "simulated": [2.0], "accept": "< 2", "note": ""}
    (tmp_path / "report/about.json").write_text(json.dumps({"gates": [gate | {"passed": False}], "failed": {}}))
    return tmp_path


def read_of(folder: Path, found: list[ResultRow]) -> RunFiles:
    write(folder / "results.csv", found)
    return read_run(folder)


def test_of_few_seeds_there_are_no_intervals_and_of_one_no_shares(folder: Path) -> None:
    found = tiles(read_of(folder, rows()))
    assert ("30%", "2 evaluation seeds, so no interval") in [tile[1:] for tile in found]
    assert [tile[1:] for tile in tiles(read_of(folder, rows(seeds=1)))] == [
        ("1.00", "1 evaluation seed, so no interval"),
        ("+6", "1 evaluation seed, so no interval"),
    ]


def test_the_oracle_is_not_held_against_itself(folder: Path) -> None:
    found = tiles(read_of(folder, [r for r in rows() if r.agent != "ppo_prior"]))
    assert [what for what, _, _ in found] == ["lift in true utility, per person and day"]


def test_of_a_log_the_best_predictor_comes_first_and_a_twin_that_fails_before_what_is_won(folder: Path) -> None:
    log = [
        ResultRow("home", "log", agent, 0, 0, metric, value)
        for agent, top1, nll in (("prior", 0.5, 1.5), ("markov1", 0.25, 1.0))
        for metric, value in (("pred.top1", top1), ("pred.nll", nll))
    ]
    run = read_of(folder, [*log, *gates(tstr=0, wake_up=1), *rows("twin")])
    found = tiles(run)
    assert found[0] == ("next event of the log known", "25%", "by markov1, the best on the log")
    two = [log[0]._replace(metric="pred.units", value=2), *log]
    assert tiles(read_of(folder, two))[0][2] == "by markov1, the best on the log; 2 days or streams alone"
    assert found[2][1:] == ("1", "tstr")
    assert "of 2 gates of credibility are failed by the twin" in found[2][0]
    assert found[3][0] == "next action known, by ppo_prior"
    made = {s.id: s.text for s in sections(run, ScenarioNotes()) if not s.missing}
    assert list(made).index("gates") < list(made).index("overview")
    assert made["overview"].startswith("WARNING: the twin fails 1 of 2 gates of credibility (tstr)")
    believed = sections(read_of(folder, [*gates(tstr=1), *rows("twin")]), ScenarioNotes())
    assert not any("WARNING" in s.text for s in believed)
