"""The one table of all logs: what its cells are made of, by rows and files that are known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lam_env.core.catalogue import EVENTS, NLL, TOP1, TOP3
from lam_env.core.errors import UserError
from lam_env.evaluation.results import ResultRow
from lam_env.evaluation.tables import Provenance
from lam_env.experiment.jobs import COSTS
from lam_env.experiment.settings import RunSettings
from lam_env.suites.log_table import COLUMNS, table_of_logs
from lam_env.suites.suite import SuiteRun

RUN = SuiteRun("home", RunSettings(seed=(0, 1)), "home", "homes/home.json")
FIGURES = {"lstm": {"top1": 0.4, "top3": 0.7, "nll": 1.25}, "ensemble": {"top1": 0.5, "top3": 0.75, "nll": 1.2}}


def rows(agent: str, top1: float, top3: float, nll: float, seed: int = 0) -> list[ResultRow]:
    values = {TOP1: top1, TOP3: top3, NLL: nll, EVENTS: 1234}
    return [ResultRow("smart_home", "log home", agent, seed, 0, m.id, value) for m, value in values.items()]


ROWS = [
    *rows("markov1", 0.3, 0.6, 2.0),
    *rows("markov2", 0.25, 0.5, 1.9),
    *rows("prior", 0.5, 0.8, 1.5),
    *rows("prior", 0.6, 0.9, 1.7, seed=1),
    *rows("prior.counts", 0.9, 0.9, 0.1),
    *rows("prior_boosted", 0.55, 0.85, 1.4),
]


def cells(folder: Path, reference: Path | None = None, given: list[ResultRow] = ROWS) -> dict[str, str]:
    table = table_of_logs([(RUN, given, folder)], reference and str(reference), Provenance())
    (line,) = table.rows
    return dict(zip(COLUMNS, line, strict=True))


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    (tmp_path / "reference" / "homes").mkdir(parents=True)
    (tmp_path / "reference" / RUN.reference).write_text(json.dumps({"models": FIGURES}))
    return tmp_path / "reference"


def test_a_row_has_the_best_of_what_counts_and_the_means_over_seeds(tmp_path: Path) -> None:
    row = cells(tmp_path)
    assert row["log"] == "home"
    assert row["events"] == "1,234"
    assert row["best counting row"] == "markov2 .250 / .500 / 1.900"  # a part of the pool is none of them
    assert row["pool"] == ".550 / .850 / 1.600"
    assert row["pool with trees"] == ".550 / .850 / 1.400"
    assert (row["reference"], row["CPU s"]) == ("", "")


def test_what_is_lacking_is_an_empty_cell(tmp_path: Path) -> None:
    row = cells(tmp_path, given=rows("markov1", 0.3, 0.6, 10.05))
    assert row["best counting row"] == "markov1 .300 / .600 / 10.050"
    assert (row["pool"], row["pool with trees"]) == ("", "")
    assert cells(tmp_path, given=[])["best counting row"] == ""


@pytest.mark.parametrize("key", ["models", "results"])
def test_figures_by_others_are_those_of_the_least_nll(tmp_path: Path, reference: Path, key: str) -> None:
    (reference / RUN.reference).write_text(json.dumps({key: FIGURES}))
    assert cells(tmp_path, reference)["reference"] == "ensemble .500 / .750 / 1.200"
    (reference / RUN.reference).unlink()
    assert cells(tmp_path, reference)["reference"] == ""


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"models": {"lstm": {"top1": 1}}}', '{"results": 3}'])
def test_a_file_of_figures_that_makes_no_sense_is_one_line(tmp_path: Path, reference: Path, text: str) -> None:
    (reference / RUN.reference).write_text(text)
    with pytest.raises(UserError, match=r"reference: .*home\.json: cannot be read"):
        cells(tmp_path, reference)


def test_seconds_are_those_of_the_pool_and_the_mean_over_seeds(tmp_path: Path) -> None:
    (tmp_path / COSTS).parent.mkdir(parents=True)
    jobs = {"pretrain_on_log-real-0": 10, "predict_on_log-real-prior-0": 4, "pretrain_on_log-real-1": 20}
    for job, seconds in {**jobs, "predict_on_log-real-prior-1": 6, "predict_on_log-real-markov1-0": 99}.items():
        (tmp_path / f"{COSTS}-{job}.json").write_text(str(seconds))
    assert cells(tmp_path)["CPU s"] == "20"


def test_notes_say_what_cells_are_and_what_is_left_out(tmp_path: Path) -> None:
    table = table_of_logs([(RUN, ROWS, tmp_path)], None, Provenance("lam", "cpu"), ["far: no log at far.csv"])
    notes = "\n".join(table.notes)
    assert "top-1 / top-3 / NLL [nats]" in notes
    assert "Training seeds a log: 2 (means)" in notes
    assert "Left out: far: no log at far.csv." in notes
    assert "eference" not in notes
    assert notes.endswith("Made by `lam`.")
