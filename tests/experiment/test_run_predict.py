"""predict=yes: predictors are judged on a real log, and nobody acts."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from lam_env.agents.predictors.pool import Pool
from lam_env.agents.predictors.store import load
from plain_log import plain_log

from lam_env.commands.run import main
from lam_env.core.catalogue import NLL, NLL_GAP, NLL_GAP_SD, TOP1
from lam_env.core.events import ActionLog
from lam_env.evaluation.comparison import estimate_of
from lam_env.evaluation.metrics import prediction_metrics
from lam_env.evaluation.results import ResultRow, read
from lam_env.experiment.result_tables import console_tables
from lam_env.logs.decision_points import decision_points, split_by_day

TINY = ["predictor.passes=1", "predictor.hidden=8", "predictor.members=1", "workers=1"]
WORDS = ["logs=log.csv", "format=csv", "predict=yes", "out=out", *TINY]
PARTS = ("prior.nets", "prior.counts", "prior.boosting")
Fails = Callable[..., str]


def judged(folder: Path, patch: pytest.MonkeyPatch, *more: str, text: str | None = None) -> list[ResultRow]:
    """The scores of a run in `folder` on the plain log, or on another."""
    patch.chdir(folder)
    (folder / "log.csv").write_text(plain_log(0) if text is None else text, encoding="utf-8")
    assert main([*WORDS, *more]) == 0
    return read(folder / "out" / "results.csv")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the run on the plain log has been."""
    folder = tmp_path_factory.mktemp("predict")
    with pytest.MonkeyPatch.context() as patch:
        judged(folder, patch, "agents=markov2,prior")
    return folder


def test_all_rows_are_those_of_predictors_on_the_log(whole: Path) -> None:
    rows = read(whole / "out" / "results.csv")
    assert {row.variant for row in rows} == {"log"}
    assert {row.metric.split(".")[0] for row in rows} == {"pred", "sd", "units"}
    assert {row.agent for row in rows} == {"markov2", "prior", "prior_boosted", *PARTS}
    for row in (NLL, TOP1):
        assert len([r for r in rows if r.metric == row.id]) == 6


def test_a_part_is_compared_with_its_whole(whole: Path) -> None:
    rows = read(whole / "out" / "results.csv")
    score = {(row.agent, row.metric): row.value for row in rows}
    assert {row.agent for row in rows if row.metric == NLL_GAP.id} == {"prior", *PARTS}
    for part, of in [("prior", "prior_boosted"), ("prior.nets", "prior"), ("prior.boosting", "prior_boosted")]:
        gap = score[part, NLL.id] - score[of, NLL.id]
        assert score[part, NLL_GAP.id] == pytest.approx(gap, abs=1e-6)
        assert 0 < score[part, NLL_GAP_SD.id] < 1
    assert score["prior.nets", NLL_GAP.id] > 1  # a pass is not enough


def test_counts_go_on_in_what_is_held_out_from_where_training_left_them(whole: Path) -> None:
    out = whole / "out"
    log = dataclasses.replace(ActionLog.load(out / "log" / "real"), timer=None)
    points, pool = decision_points(log, soon=False), load(out / "model" / "prior-real")
    train, valid, test = split_by_day(points)
    assert isinstance(pool, Pool)
    score = {(row.agent, row.metric): row.value for row in read(out / "results.csv")}
    everything = np.ones(len(test), bool)
    for name, predictor in (("prior", pool.given_acts), ("prior.counts", pool.counts)):
        goes_on, stays = (predictor.read(points, known=known).next[test] for known in (train | valid, everything))
        nll = prediction_metrics(goes_on, points.target[test])[NLL.id]
        assert score[name, NLL.id] == pytest.approx(nll, abs=1e-6)
        assert np.abs(goes_on - stays).max() > 0.01


def test_nobody_acts_and_nothing_is_simulated(whole: Path) -> None:
    out = whole / "out"
    assert sorted(path.name for path in (out / "log").iterdir()) == ["real"]
    assert [path.name for path in (out / "model").iterdir()] == ["prior-real"]
    config = json.loads((out / "config.json").read_text())
    assert config["finished"] is True
    assert config["predict"] is True
    tables = (out / "tables.md").read_text()
    assert tables.count("\n## ") == 1
    assert "| prior_boosted |" in tables
    page = (out / "report.html").read_text()
    for words in ("ROC-AUC by action", "by hour of the day", "the most frequent actions", "right where it is surest"):
        assert words in tables
        assert words in page
    assert "f-surest" in page
    assert "over the held-out part of the log." in page
    assert 'data-of="macro-F1"' in page  # what a phone shows before a number
    assert not re.search("smart_home|evaluation worlds", page.replace(str(out), ""))


def test_scores_have_intervals_over_days_and_the_terminal_is_narrow(
    whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = read(whole / "out" / "results.csv")
    top1 = estimate_of(rows, "prior_boosted", TOP1)
    assert top1 is not None
    assert top1.low < top1.value < top1.high
    assert f"{top1.value:.3f} [{top1.low:.3f}, {top1.high:.3f}]" in (whole / "out" / "tables.md").read_text()
    console_tables(rows, "smart_home", ("log",))
    said = capsys.readouterr().out.splitlines()
    assert max(len(line) for line in said if line.startswith(("┃", "│"))) <= 80


def test_the_best_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    rows = judged(tmp_path, monkeypatch, "agents=most_frequent,prior")
    nll = {row.agent: row.value for row in rows if row.metric == NLL.id}
    best = min(nll, key=lambda name: nll[name])
    assert best != "most_frequent"
    said, told = capsys.readouterr()
    for stage in ("score most_frequent", "pre-training", "boosting", "score prior"):  # no step without a line
        assert f"/3] {stage}: " in told
    top1 = estimate_of(rows, best, TOP1)
    assert top1 is not None
    assert f"Best on the log: {best}, NLL {nll[best]:.3g} [" in said
    assert f"\nIt knows {top1.value:.0%} [{top1.low:.0%}, {top1.high:.0%}] of the next " in said
    assert f"{top1.value:.3f} [{top1.low:.3f}, {top1.high:.3f}]" in said  # in the table, too


def test_a_finished_run_is_not_made_again(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lam_env.experiment import jobs
    from lam_env.experiment.logs import real as real_logs

    shutil.copytree(whole / "out", tmp_path / "out")
    before = (tmp_path / "out" / "results.csv").read_bytes()
    for module, job in ((jobs, "pretrain_on_log"), (real_logs, "predict_on_log")):
        monkeypatch.setattr(module, job, lambda *a: pytest.fail("made again"))
    judged(tmp_path, monkeypatch, "agents=markov2,prior")
    assert (tmp_path / "out" / "results.csv").read_bytes() == before


def test_a_run_on_a_log_whose_test_part_is_a_single_day_is_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    head, *lines = plain_log(0).splitlines()
    text = "\n".join([head, *(line for line in lines if line < "2024-01-13"), ""])
    before = judged(tmp_path, monkeypatch, "agents=markov1,prior", text=text)
    assert not any(row.metric.startswith("sd.") for row in before)  # nothing varies over one day
    assert "on 1 day or stream: of fewer than 3 there are no intervals" in capsys.readouterr().out
    assert judged(tmp_path, monkeypatch, "agents=markov1,prior", text=text) == before


def test_what_is_held_out_teaches_nothing(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other commands in the last days, at the same times: the saved predictor is the same to the byte."""
    head, *lines = plain_log(0).splitlines()
    late = [line.split(",") for line in lines if line[:10] >= "2024-01-25"]
    changed = [f"{time},{user},radio.on" for time, user, _ in late]
    text = "\n".join([head, *lines[: -len(late)], *changed, ""])
    judged(tmp_path, monkeypatch, "agents=prior", text=text)
    for name in ("model.safetensors", "counts.safetensors", "config.json"):
        one, other = (folder / "out" / "model" / "prior-real" / name for folder in (whole, tmp_path))
        assert one.read_bytes() == other.read_bytes()
    one, other = (
        [row.value for row in read(folder / "out" / "results.csv") if (row.agent, row.metric) == ("prior", NLL.id)]
        for folder in (whole, tmp_path)
    )
    assert one != other


@pytest.mark.parametrize(
    ("parts", "rows"),
    [("nets", {"prior"}), ("nets,counts", {"prior", "prior.nets", "prior.counts"})],
)
def test_parts_are_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: str, rows: set[str]) -> None:
    found = judged(tmp_path, monkeypatch, f"predictor.parts={parts}", "agents=prior")
    assert {row.agent for row in found} == rows


def test_whoever_predicts_no_log_is_refused_by_name(fails: Fails, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(plain_log(0))
    for name in ("oracle", "ppo_prior"):
        said = fails(*WORDS, f"agents=markov2,{name}")
        assert f"agents={name}: it acts, and predicts no log by itself; there are most_frequent, " in said
        assert "ppo_prior" not in said.partition("there are")[2]
    assert not (tmp_path / "out").exists()


def test_a_real_log_is_needed(fails: Fails) -> None:
    assert "predict=yes judges predictors on a real log: give logs=PATH too" in fails("predict=yes")


def test_what_is_wrong_with_the_log_is_still_one_line(fails: Fails, tmp_path: Path) -> None:
    (tmp_path / "few.csv").write_text("\n".join(plain_log(0).splitlines()[:30]))
    said = fails("logs=few.csv", "format=csv", "predict=yes", *TINY)
    assert "2 days are too few to train, validate and test on; give at least 5" in said


def test_a_scenario_of_persons_reads_a_log_that_is_only_predicted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = judged(tmp_path, monkeypatch, "scenario=traffic", "agents=markov1", "predictor.parts=nets")
    assert {(row.scenario, row.variant, row.agent) for row in rows} == {
        ("traffic", "log", "markov1"),
        ("traffic", "log", "prior"),
    }
