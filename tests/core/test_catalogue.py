"""The catalogue of metrics against what real runs write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lam_env.scenarios.smart_home import SmartHome
from runs import small_run

from lam_env.commands import benchmark, off_policy, record, run
from lam_env.core import catalogue, registry
from lam_env.core.errors import UserError
from lam_env.envs.check import check_scenario
from lam_env.envs.scenario import ScenarioError
from lam_env.envs.spaces import Meaning
from lam_env.evaluation import results
from lam_env.evaluation.results import ResultRow, ResultsError
from lam_env.experiment.run_folder import RunFolder
from lam_env.experiment.score_store import ScoreKey, ScoreStore
from lam_env.suites.settings import BenchmarkSettings
from lam_env.suites.suite import Entry, Suite
from lam_env.suites.throughput import YARDSTICK

TINY = ["log.worlds=2", "log.days=2", "eval.seeds=1", "agents=prior", "workers=1"]
TINY += ["predictor.passes=1", "predictor.hidden=8", "train.trial=2"]
SIZES = {"game": ("world.days=30", "eval.worlds=16")}  # D30; a life may hold a session or two


@pytest.fixture(scope="module", params=registry.scenario_names())
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A scenario, and the folder of a small run in it."""
    folder = tmp_path_factory.mktemp("made") / "run"
    size = SIZES.get(request.param, ("world.days=2", "eval.worlds=1"))
    assert run.main([f"scenario={request.param}", *size, *TINY, f"out={folder}"]) == 0
    return request.param, folder


def test_a_run_writes_every_entry_and_nothing_else(made: tuple[str, Path]) -> None:
    name, folder = made
    scenario = registry.scenario(name)()
    written = {r.metric for r in results.read(folder / "results.csv")}
    episodes = {m.id for m in (*catalogue.REWARD, catalogue.MASKED)}
    predictions = {metric for metric in catalogue.CATALOGUE if metric.startswith("pred.")}
    predictions -= {metric.id for metric in catalogue.ON_LOGS}
    if scenario.personal:  # each is asked before an action of their own
        predictions -= {catalogue.NLL_ALL.id, catalogue.PR_AUC.id}
    assert written & catalogue.CATALOGUE.keys() == episodes | predictions
    assert _names(catalogue.TERM, written) == set(scenario.reward_weights)
    assert _names(catalogue.UTILITY_TERM, written) == set(scenario.utility_weights)
    assert _names(catalogue.KPI, written) >= set(scenario.key_figures)


def test_key_figures_are_what_their_meaning_says(made: tuple[str, Path]) -> None:
    name, folder = made
    ranges = {f: (m.low, m.high) for f, m in registry.scenario(name).figures.items()}
    found = [(f, r.value) for r in results.read(folder / "results.csv") if (f := catalogue.KPI.name(r.metric))]
    assert {f for f, _ in found} == set(ranges)
    assert [(f, v) for f, v in found if not ranges[f][0] <= v <= ranges[f][1]] == []


def test_every_column_that_tables_name_is_there(made: tuple[str, Path]) -> None:
    name, folder = made
    text = (folder / "tables.md").read_text()
    headings = [m.heading for m in (*catalogue.SUMMARY, *catalogue.REWARD)]
    for heading in (*headings, *registry.scenario(name).key_figures.values()):
        assert f"| {heading} |" in text
    assert f"Units: {catalogue.NLL.heading} [nats]; " in text


def test_other_commands_write_the_rest(tmp_path: Path) -> None:
    log, speed = tmp_path / "log", tmp_path / "speed"
    small_run(tmp_path / "run", days=1)
    assert record.main([f"policy={tmp_path / 'run'}", "worlds=2", f"out={log}"]) == 0
    assert off_policy.main([f"log={log}", "policy=random", f"out={tmp_path / 'off'}"]) == 0
    suite = Suite("throughput", measurements=(Entry(YARDSTICK),))
    benchmark.run(suite, BenchmarkSettings(out=str(speed), steps=60, repeats=1), "python -m lam_env.benchmark")
    written = {r.metric for r in results.read(tmp_path / "off" / "off_policy.csv")}
    written |= {r.metric for r in results.read(speed / "throughput.csv")}
    of_runs = {m.id for m in (*catalogue.REWARD, catalogue.MASKED)}
    assert written == {m for m in catalogue.CATALOGUE if m not in of_runs and not m.startswith(("pred.", "sd."))}


def _names(family: catalogue.Family, written: set[str]) -> set[str]:
    return {name for metric in written if (name := family.name(metric))}


UNKNOWN = ["pred.top2", "reward.utility", "kpi.", "lift", "pred.top1@week:3", "pred.top1@hour:", "pred.top2@hour:07"]


@pytest.mark.parametrize("metric", UNKNOWN)
def test_whoever_writes_an_unknown_metric_is_refused_at_once(metric: str, tmp_path: Path) -> None:
    row = ResultRow("home", "sim", "prior", 0, 1, metric, 0.5)
    with pytest.raises(ResultsError, match=rf"results\.csv: {metric} of prior .*: no metric '{metric}'; ") as caught:
        results.write(tmp_path / "results.csv", [row])
    assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match=f"no metric '{metric}'"):
        ScoreStore(RunFolder(tmp_path), {}).keep(ScoreKey("sim", "prior", 0), {"": {1: {metric: 0.5}}})
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_kept_scores_of_an_unknown_metric_are_to_be_made_again(tmp_path: Path) -> None:
    cells = ScoreStore(RunFolder.create(tmp_path, {}), {})
    cells.keep(ScoreKey("sim", "prior", 0), {"": {1: {catalogue.UTILITY.id: 0.5}}})
    (file,) = (tmp_path / "cells").iterdir()
    file.write_text(file.read_text().replace("utility.total", "reward.utility"))
    with pytest.raises(UserError, match=r"no metric 'reward.utility'.*; delete it to have it made again"):
        cells.read()


def test_entries_differ_and_hold_what_tables_need() -> None:
    for metric in catalogue.CATALOGUE.values():
        assert catalogue.metric(metric.id) is metric
        assert metric.heading
        assert metric.range[0] < metric.range[1]
    for columns in (catalogue.PREDICTION, catalogue.REWARD, catalogue.SUMMARY):
        assert len({m.heading for m in columns}) == len(columns)


def test_what_a_scenario_names_has_its_range_and_unit() -> None:
    columns = {m.id: m for m in SmartHome.figure_columns()}
    assert columns["kpi.trust"].range == columns["kpi.automation_share"].range == catalogue.SHARE
    assert columns["kpi.overrides"].range == catalogue.NOT_NEGATIVE
    assert columns["kpi.cost"].range == catalogue.ANY  # what the sun yields is paid for
    assert catalogue.metric("utility.dark").unit == catalogue.UTILITY.unit
    assert catalogue.UTILITY_TERM.name("utility.lift") == ""
    assert catalogue.KPI.metric("cost", "cost [EUR/day]").heading == "cost [EUR/day]"


def test_parts_and_errors_of_a_metric_are_metrics() -> None:
    of_hour = catalogue.metric("pred.top1@hour:07")
    assert (of_hour.heading, of_hour.range) == ("07", catalogue.SHARE)
    assert catalogue.metric("pred.f1@action:mail@home:on").heading == "mail@home:on"
    assert catalogue.metric(of_hour.sd.id) == of_hour.sd
    assert catalogue.metric(of_hour.units.id) == of_hour.units
    assert catalogue.metric("sd.pred.nll").unit == "nats"
    assert catalogue.metric(catalogue.NLL_GAP_SD.id) is catalogue.NLL_GAP_SD


class Bare(SmartHome):
    figures = {"trust": Meaning("how far they trust it", low=0, high=1)}  # noqa: RUF012


def test_of_a_figure_without_a_meaning_an_interval_has_no_end() -> None:
    ranges = {m.id: m.range for m in Bare.figure_columns()}
    assert ranges.pop("kpi.trust") == catalogue.SHARE
    assert set(ranges.values()) == {catalogue.ANY}


class Clash(SmartHome):
    id = "broken"
    utility_weights = {**SmartHome.utility_weights, "lift": 1.0}  # noqa: RUF012


class Unheard(SmartHome):
    id = "broken"
    key_figures = {"costs": "cost"}  # noqa: RUF012


@pytest.mark.parametrize(
    ("scenario", "what"),
    [
        (Clash, "a term of utility must not be called lift: so is a metric of all scenarios"),
        (Unheard, "key_figures that kpis does not give: costs"),
    ],
)
def test_a_scenario_that_names_what_is_not_there_is_told(scenario: Callable[[], Any], what: str) -> None:
    with pytest.raises(ScenarioError, match=what):
        check_scenario(scenario(), steps=20)
