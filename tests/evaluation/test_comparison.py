"""What agents add to counting, and their shares of the oracle."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from lam_env.core import registry
from lam_env.core.catalogue import JUDGE, RETURN
from lam_env.evaluation import comparison, tables
from lam_env.evaluation.results import ResultRow, result_rows

SEEDS = range(4)
Utility = Callable[[int, int], float]  # of a training seed and an evaluation seed


def rows(agent: str, utility: Utility, trained: int = 1, metric: str = JUDGE.id) -> list[ResultRow]:
    return [r for t in range(trained) for s in SEEDS for r in result_rows({metric: utility(t, s)}, "home", agent, s, t)]


NONE, ORACLE = rows("none", lambda t, s: 100.0 * s), rows("oracle", lambda t, s: 100.0 * s + 10 * (s + 1))
COUNTS = rows("plugin_context", lambda t, s: 100.0 * s + 4 * (s + 1))
WORSE = rows("markov1", lambda t, s: 100.0 * s - 50)
TUNED = rows("tuned", lambda t, s: 100.0 * s + (6 + t) * (s + 1), trained=3)  # .6, .7 and .8 of the oracle
EVERYBODY = [*NONE, *WORSE, *COUNTS, *TUNED, *ORACLE]


def test_a_share_is_a_ratio_of_means_and_the_oracles_own_is_1() -> None:
    assert comparison.share_of_oracle(EVERYBODY, "oracle") == (1, 1, 1)
    assert comparison.share_of_oracle(EVERYBODY, "none") == (0, 0, 0)
    assert comparison.share_of_oracle(EVERYBODY, "plugin_context") == pytest.approx((0.4, 0.4, 0.4))
    found = comparison.share_of_oracle(EVERYBODY, "tuned")
    assert found is not None
    assert found.value == pytest.approx(0.7)
    assert found.low < 0.6 < 0.8 < found.high  # three trainings


def test_without_an_oracle_that_helps_there_is_no_share() -> None:
    assert comparison.share_of_oracle([*NONE, *TUNED], "tuned") is None
    assert comparison.share_of_oracle([*NONE, *TUNED, *rows("oracle", lambda t, s: -1.0)], "tuned") is None


def test_the_best_counting_row_is_the_one_that_counts_and_helps_most() -> None:
    assert {"plugin", "plugin_context", "plugin_kind", "markov1", "plugin_own"} <= set(registry.counting_agents())
    assert not {"prior", "ppo_prior", "none", "random", "informed"} & set(registry.counting_agents())
    assert comparison.best_counting(EVERYBODY) == "plugin_context"
    assert comparison.best_counting([*NONE, *WORSE]) == "markov1"
    assert comparison.best_counting([*NONE, *TUNED]) is None


def test_what_is_added_is_paired_and_in_shares_of_the_oracle() -> None:
    found = comparison.added(EVERYBODY, "tuned", "plugin_context")
    assert found is not None
    assert found.of.value == pytest.approx(0.3)
    assert found.of.low > 0  # though seeds differ by hundreds
    assert found.chance is not None
    assert found.chance > 0.95
    less = comparison.added(EVERYBODY, "plugin_context", "tuned")
    assert less is not None
    assert less.of.value == pytest.approx(-0.3)
    assert less.chance == pytest.approx(1 - found.chance, abs=0.02)


def test_without_an_oracle_it_is_in_true_utility() -> None:
    found = comparison.added([*NONE, *COUNTS, *TUNED], "tuned", "plugin_context")
    assert found is not None
    assert found.of.value == pytest.approx(3 * 2.5)
    assert comparison.added(EVERYBODY, "tuned", "absent") is None


def test_of_two_seeds_there_is_neither_interval_nor_chance() -> None:
    found = comparison.added([r for r in EVERYBODY if r.seed < 2], "tuned", "plugin_context")
    assert found is not None
    assert found.of.low == found.of.value == found.of.high == pytest.approx(0.3)
    assert found.chance is None


def test_pairs_by_training_seed_where_both_train() -> None:
    other = rows("plugin_context", lambda t, s: 100.0 * s + (5 + t) * (s + 1), trained=3)
    found = comparison.added([*NONE, *ORACLE, *other, *TUNED], "tuned", "plugin_context")
    assert found is not None
    assert (found.of.low, found.of.high) == pytest.approx((0.1, 0.1))  # each training's is .1


def test_who_earns_the_oracles_reward_and_helps_less_exhausts_the_reward() -> None:
    paid = [
        *rows("oracle", lambda t, s: 1.0 * s, metric=RETURN.id),
        *rows("plugin_context", lambda t, s: s + 0.1, metric=RETURN.id),
        *rows("tuned", lambda t, s: s - 0.1, trained=3, metric=RETURN.id),
    ]
    assert comparison.exhausted([*EVERYBODY, *paid]) == ["plugin_context"]
    table = tables.score_table([*EVERYBODY, *paid], "home", "reward")
    assert any(note.startswith("Reward exhausted: plugin_context earn") for note in table.notes)


def test_tables_hold_everybody_against_the_best_counting_row_but_itself_and_doing_nothing() -> None:
    table = tables.score_table(
        [*EVERYBODY, *rows("none", lambda t, s: 0.0, metric="utility.share_of_oracle")], "home", "reward"
    )
    over = {row[0]: row[table.columns.index("over best counting row")] for row in table.rows}
    assert (over["none"], over["plugin_context"]) == ("", "")
    assert over["tuned"].startswith("0.300 [")
    assert over["oracle"].startswith("0.600")
    assert next(row for row in table.rows if row[0] == "tuned")[table.columns.index("P(above 0)")] > "0.95"
    assert any(note.startswith("The best counting row of these is plugin_context; over it") for note in table.notes)
    alone = tables.score_table([*NONE, *TUNED], "home", "reward")
    assert "over best counting row" not in alone.columns


def test_runs_form_a_grid_unless_a_pair_is_missing() -> None:
    grid = comparison.runs_of(TUNED, "tuned", JUDGE)
    assert grid is not None
    assert grid.shape == (3, 4)
    assert np.array_equal(grid[0], [6, 112, 218, 324])
    flat = comparison.runs_of(TUNED[1:], "tuned", JUDGE)
    assert flat is not None
    assert flat.shape == (11,)
    assert comparison.runs_of(TUNED, "absent", JUDGE) is None
