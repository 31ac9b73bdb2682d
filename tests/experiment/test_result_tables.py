"""The rows and tables at the end of a run."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from lam_env.core.catalogue import PR_AUC, PREDICTION
from lam_env.core.tuning import TrainSettings
from lam_env.evaluation.comparison import added
from lam_env.evaluation.results import write
from lam_env.evaluation.tables import Provenance
from lam_env.experiment.result_tables import closing, final_scores, rows_of_run, tables_in, tables_of_run
from lam_env.experiment.run_folder import RunFolder
from lam_env.experiment.settings import ORDER, EvalSettings, RunSettings
from lam_env.logs.fidelity import Gate

SEEDS = range(3)


def utility(*values: float) -> dict[int, dict[str, float]]:
    return {s: {"utility.total": v, "reward.return": v} for s, v in zip(SEEDS, values, strict=True)}


FOUND = {
    ("sim", "oracle"): [(0, utility(9, 10, 11))],
    ("sim", "prior"): [(1, utility(6, 6, 6)), (0, utility(4, 5, 6))],
    ("sim", "none"): [(0, utility(0, 0, 6))],
    ("ladder:plan", "ladder_plan"): [(0, utility(8, 8, 8))],
    ("log", "prior"): [(0, {0: {"pred.top1": 0.5, "pred.pr_auc": math.nan}})],
}


def test_rows_stand_in_the_order_of_the_tables_with_lift_and_share() -> None:
    rows = rows_of_run("home", FOUND, ORDER)
    assert list(dict.fromkeys((r.variant, r.agent, r.train_seed) for r in rows)) == [
        ("ladder:plan", "ladder_plan", 0),
        ("log", "prior", 0),
        ("sim", "none", 0),
        ("sim", "prior", 0),
        ("sim", "prior", 1),
        ("sim", "oracle", 0),
    ]
    values = {r[1:6]: r.value for r in rows}
    assert values["sim", "prior", 0, 1, "utility.lift"] == 5
    assert values["sim", "prior", 0, 1, "utility.share_of_oracle"] == pytest.approx(
        5 / 8
    )  # the mean lift is (9 + 10 + 5) / 3
    assert values["ladder:plan", "ladder_plan", 0, 2, "utility.lift"] == 2
    assert ("log", "prior", 0, 0, "pred.pr_auc") not in values  # not defined there


def test_the_order_in_which_jobs_end_does_not_matter() -> None:
    turned = {key: found[::-1] for key, found in reversed(FOUND.items())}
    assert rows_of_run("home", turned, ORDER) == rows_of_run("home", FOUND, ORDER)


def test_without_ceiling_or_floor_there_are_still_rows() -> None:
    only = {("sim", "prior"): FOUND["sim", "prior"]}
    assert {r.metric for r in rows_of_run("home", only, ORDER)} == {"utility.total", "reward.return"}
    with_none = only | {("sim", "none"): FOUND["sim", "none"]}
    assert {r.metric for r in rows_of_run("home", with_none, ORDER)} == {
        "utility.total",
        "reward.return",
        "utility.lift",
    }
    assert rows_of_run("home", {}, ORDER) == []


def test_an_agent_of_two_training_seeds_is_compared_with_one_that_does_not_train() -> None:
    rows = [r for r in rows_of_run("home", FOUND, ORDER) if r.variant == "sim"]
    better, worse = added(rows, "prior", "none"), added(rows, "none", "prior")
    assert better is not None
    assert worse is not None
    assert (better.of.value, worse.of.value) == pytest.approx((3.5 / 8, -3.5 / 8))
    assert better.chance == pytest.approx(1 - (worse.chance or 0), abs=0.01)


def test_tables_say_how_they_were_made_and_what_was_left_out() -> None:
    settings = RunSettings(scenario="home", device="cpu")
    rows = rows_of_run("home", FOUND, ORDER)
    text = tables_of_run(rows, settings, "python -m x", 61.4, [], {"my:Agent": "predict raised"})
    for part in (
        "# home",
        "held-out part of the log",
        "Information ladder",
        "| plan | 8.00 | 0.75 |",
        "cpu, 61 s",
        "`python -m x`",
    ):
        assert part in text
    assert "- my:Agent: predict raised" in text
    assert "auto" not in text
    assert "No agent" in tables_of_run([], settings, "", 1.0)


def test_intervals_of_key_figures_end_where_the_scenario_says() -> None:
    found = {"trust": (0.9, 1.0, 1.0), "overrides": (0.0, 0.1, 2.0), "cost": (-1.0, 0.1, 2.0)}
    scores = {s: {f"kpi.{name}": runs[s] for name, runs in found.items()} | {"utility.total": 1.0} for s in SEEDS}
    rows = rows_of_run("smart_home", {("sim", "oracle"): [(0, scores)]}, ORDER)
    (_, tables), *_ = tables_in(rows, "smart_home", Provenance("", "CPU", 1.0, {}))
    (table,) = [t for t in tables if t.title.endswith("key figures")]
    cells = dict(zip(table.columns, table.rows[0], strict=True))
    assert cells["trust at the end"].endswith(", 1.000]")
    assert "[0.000, " in cells["overrides a day"]
    assert "[-" in cells["cost [EUR/day]"]


def test_the_last_screen_fits_100_columns_and_its_command_is_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = RunFolder.create(tmp_path / ("long" * 20), {})
    (folder.log / "train").mkdir(parents=True)
    write(
        folder.path / "results.csv",
        rows_of_run("smart_home", FOUND | {("sim", "my_agents.heating:Careful"): FOUND["sim", "prior"]}, ORDER),
    )
    closing(folder, RunSettings(scenario="smart_home", eval=EvalSettings(seeds=3)), 12)
    lines = capsys.readouterr().out.splitlines()
    (command,) = (line for line in lines if "agent=my_module:MyAgent" in line)
    words = command.split()
    assert words[:5] == ["python", "-m", "lam_env.run", "scenario=smart_home", f"model={folder.path}"]
    assert {"agents=none", "eval.seeds=3"} < set(words)  # no policy is there, and as many seeds are asked for again
    assert not [word for word in words if word.startswith("eval.worlds")]  # which is the usual number
    assert max(len(line) for line in lines if str(tmp_path) not in line) <= 100
    assert "evaluation seeds." in " ".join(lines)
    assert any("my_agents.heating:Careful" in line and "…" not in line for line in lines)
    folder.policy.mkdir(parents=True)
    closing(folder, RunSettings(scenario="smart_home", train=TrainSettings(steps=256, trial=2)), 12)
    assert "agents=ppo_prior agent=my_module:MyAgent train.steps=256 train.trial=2" in capsys.readouterr().out
    closing(folder, RunSettings(scenario="smart_home", agent=("my_agents.heating:Careful",)), 12)
    assert "my_module" not in capsys.readouterr().out  # who has one is not told how to add the first


def test_predictions_of_a_log_fit_eighty_columns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scores = {m.id: 0.123 for m in PREDICTION} | {"sd.pred.top1": 0.01, "pred.units": 9.0, "pred.events": 90.0}
    rows = rows_of_run("home", {("log", "most_frequent"): [(0, {0: scores})]}, ORDER)
    folder = RunFolder.create(tmp_path / "run", {})
    write(folder.path / "results.csv", rows)
    closing(folder, RunSettings(scenario="home"), 12)
    table = [line for line in capsys.readouterr().out.splitlines() if line[:1] in tuple("┏┃┡│└")]
    assert len(table) == 5
    assert max(map(len, table)) <= 80
    assert PR_AUC.heading in tables_of_run(rows, RunSettings(scenario="home", device="cpu"), "", 1.0)


def test_a_twin_that_fails_says_so_before_what_is_won(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gates = [(0, {0: {"fidelity.tstr": 0.0, "fidelity.wake_up": 1.0}})]
    run = {("twin", a): scores for (variant, a), scores in FOUND.items() if variant == "sim"}
    rows = rows_of_run("home", {**run, ("twin", "resident"): gates}, [*ORDER, "resident"])
    folder = RunFolder.create(tmp_path / "run", {})
    write(folder.path / "results.csv", rows)
    closing(folder, RunSettings(scenario="home"), 12)
    said = capsys.readouterr().out
    assert said.startswith("WARNING: the twin fails 1 of 2 gates of credibility (tstr)")
    assert "home (twin): in brief" in said
    gate = Gate("trained on simulated", "fidelity.tstr", (0.5,), (0.1,), "above", False)
    text = tables_of_run(rows, RunSettings(scenario="home", device="cpu"), "", 1.0, [gate])
    assert text.index("trained on simulated") < text.index("lift")


def test_trackers_get_what_tables_say() -> None:
    scores = final_scores(rows_of_run("home", FOUND, ORDER))
    assert scores["sim/oracle/utility.share_of_oracle"] == 1
    assert scores["sim/none/utility.share_of_oracle"] == 0
    assert scores["sim/prior/utility.share_of_oracle"] == pytest.approx(3.5 / 8)
    assert scores["log/prior/pred.top1"] == 0.5
