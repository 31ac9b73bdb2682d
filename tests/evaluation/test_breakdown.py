"""The best predictor in its parts, from rows of results."""

from __future__ import annotations

import pytest

from lam_env.core.catalogue import EVENTS, F1, NLL, PRECISION, TOP1, UNITS, Metric
from lam_env.evaluation.comparison import estimate_of
from lam_env.evaluation.predictions.breakdown import breakdowns, parts_of_group
from lam_env.evaluation.results import ResultRow
from lam_env.evaluation.statistics import t_quantile
from lam_env.evaluation.tables import score_table


def row(agent: str, metric: Metric, value: float, train_seed: int = 0) -> ResultRow:
    return ResultRow("home", "log", agent, train_seed, 0, metric.id, value)


ROWS = [
    *(row("prior", NLL, value, seed) for seed, value in enumerate((1.0, 1.2))),
    *(row("prior", TOP1, value, seed) for seed, value in enumerate((0.6, 0.7))),
    *(row("prior", TOP1.sd, 0.02, seed) for seed in (0, 1)),
    *(row("prior", UNITS, 10, seed) for seed in (0, 1)),
    *(row("prior", PRECISION.at("action", "tea | on"), value, seed) for seed, value in enumerate((0.2, 0.4))),
    row("prior", F1.at("action", "tea | on"), 0.5),
    row("prior", EVENTS.at("action", "tea | on"), 1200),
    row("prior", TOP1.at("hour", "21"), 0.9),
    row("prior", TOP1.at("hour", "08"), 0.1),
    row("markov1", NLL, 2.0),
    row("markov1", TOP1, 0.5),
    row("markov1", TOP1.at("hour", "09"), 0.3),
]


def test_the_best_is_told_in_its_parts() -> None:
    tables = {table.columns[0]: table for table in breakdowns(ROWS)}
    assert set(tables) == {"action", "hour"}
    assert tables["action"].rows == (("tea | on", "0.300", "", "0.500", "1,200"),)
    assert [cells[0] for cells in tables["hour"].rows] == ["08", "21"]  # in order, and none of another's
    assert "\\|" in tables["action"].markdown()


def test_parts_are_means_over_trainings() -> None:
    found = parts_of_group(ROWS, "prior", "action")
    assert found["tea | on"][PRECISION.id] == pytest.approx(0.3)


def test_rows_without_a_predictor_have_no_parts() -> None:
    assert list(breakdowns([row("prior", TOP1.at("hour", "21"), 0.9)])) == []


def test_an_interval_is_students_t_over_days() -> None:
    found = estimate_of(ROWS, "prior", TOP1)
    assert found is not None
    half = t_quantile(0.95, 9) * 0.02
    assert found == pytest.approx((0.65, 0.65 - half, 0.65 + half))
    assert estimate_of(ROWS, "nobody", TOP1) is None
    table = score_table(ROWS, "home", "prediction", "log")
    assert "over 10 days or streams that test, drawn with replacement" in " ".join(table.notes)
    assert table.rows[0][1] == "0.650 [0.605, 0.695]"
    assert table.rows[1][1] == "0.500"


def test_an_interval_holds_nothing_impossible() -> None:
    found = estimate_of([row("a", TOP1, 0.99), row("a", TOP1.sd, 0.3), row("a", UNITS, 3)], "a", TOP1)
    assert found is not None
    assert (found.low, found.high) == (0.0, 1.0)
