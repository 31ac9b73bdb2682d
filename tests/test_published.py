"""The published tables are those that the kept scores give."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from published import KEPT, ROOT, Published, keep, made_again, pages, published, put

from lam_env.core.catalogue import RETURN
from lam_env.evaluation import results
from lam_env.evaluation.comparison import ORACLE
from lam_env.evaluation.results import ResultRow
from lam_env.evaluation.tables import score_table
from lam_env.suites import suite as suites

TABLES = [table for text in pages().values() for table in published(text)]
HOME = [table.scenario for table in TABLES].index("smart_home")
each = pytest.mark.parametrize("table", TABLES, ids=lambda t: f"{t.suite}-{t.scenario}-{t.variant}")


@each
def test_a_table_is_what_its_scores_give(table: Published) -> None:
    again, text = (
        [line.rstrip() for line in t.splitlines() if line] for t in (made_again(table).markdown(), table.text)
    )
    assert text[: len(again)] == again


@each
def test_a_table_is_made_of_what_its_suite_asks_for(table: Published) -> None:
    command = table.text.partition("Made by `")[2].partition("`")[0]
    assert command.startswith(f"python -m lam_env.benchmark suite={table.suite}")
    runs = [run for run in suites.load(table.suite).runs if run.settings.scenario == table.scenario]
    kept = results.read(KEPT / f"{table.suite}.csv")
    rows = [r for r in kept if (r.scenario, r.variant) == (table.scenario, table.variant)]
    (run,) = [run for run in runs if run.variant("sim") == table.variant]
    assert {r.train_seed for r in rows if r.agent == "ppo_prior"} == set(run.settings.seed)
    assert {r.seed for r in rows} == set(range(run.settings.eval.seeds))


def rows_of(text: str) -> dict[str, list[str]]:
    lines = [[cell.strip(" `") for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    return {cells[0]: cells for cells in lines if cells}


def test_the_short_table_of_the_readme_is_of_the_whole_one() -> None:
    whole, readme = rows_of(TABLES[HOME].text), rows_of((ROOT / "README.md").read_text(encoding="utf-8"))
    short = {agent: cells for agent, cells in readme.items() if agent in whole and len(cells) == 4}
    assert {"none", "plugin_kind", "plugin_memory", "ppo_prior", "oracle"} <= set(short)
    for agent, (_, top1, share, _) in short.items():
        assert [top1, share] == [whole[agent][1], whole[agent][5]]


def test_every_scenario_has_one_and_nothing_else_is_kept() -> None:
    assert {t.scenario for t in TABLES} == {run.settings.scenario for run in suites.load("default").runs}
    assert {path.stem for path in KEPT.glob("*")} == {t.suite for t in TABLES}


@each
def test_what_is_learned_from_the_reward_earns_less_than_the_oracle(table: Published) -> None:
    """Else nothing more can be learned from it, though more could be done."""
    kept = [r for r in results.read(KEPT / f"{table.suite}.csv") if r.scenario == table.scenario]
    paid = {(r.agent, r.train_seed, r.seed): r.value for r in kept if r.metric == RETURN.id}
    oracle = {seed: value for (agent, _, seed), value in paid.items() if agent == ORACLE}
    for learner in ("plugin_memory", "ppo_prior"):
        pairs = [oracle[seed] > value for (agent, _, seed), value in paid.items() if agent == learner]
        assert len(pairs) >= 80
        assert np.mean(pairs) >= 0.95


ROWS = [
    ResultRow("home", variant, agent, 0, seed, metric, value + seed)
    for variant in ("sim", "ladder:plan", "exploit")
    for agent, value in (("none", 0.0), ("oracle", 3.0))
    for seed in range(3)
    for metric in ("utility.total", "utility.lift", "kpi.light")
]


def test_what_a_suite_has_made_is_kept_and_put_in_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("published.KEPT", tmp_path / "kept")
    (tmp_path / "config.json").write_text(json.dumps({"suite": "full"}), encoding="utf-8")
    results.write(tmp_path / "results.csv", ROWS)
    document = "x\n<!-- table: full home sim -->\nold\n<!-- table: end -->\n"
    document += "y\n<!-- table: game home sim -->\n<!-- table: end -->\n"
    keep(tmp_path, document)
    kept = results.read(tmp_path / "kept" / "full.csv")
    assert {(r.variant, r.metric) for r in kept} == {("sim", "utility.total"), ("sim", "utility.lift")}
    table = score_table(ROWS, "home", "summary").markdown()
    tables = f"# full\n\n## home\n\n{table}\n\n**home (sim): reward**\n\n| a |\n"
    found = put(document, "full", tables)
    assert [t.text.strip() for t in published(found)] == [table.strip(), ""]
    assert found.startswith("x\n<!--")
    assert "\ny\n" in found
    assert put(found, "full", tables) == found
    with pytest.raises(SystemExit, match=r"tables\.md of game has no \*\*home \(sim\)"):
        put(document, "game", "# game\n")
