"""What is said of two runs: tables, words, CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

import pytest

from lam_env.core.catalogue import EVENTS, JUDGE, LIFT, NLL, RETURN, UNITS, Metric
from lam_env.evaluation import two_runs
from lam_env.evaluation.contrast import Contrast, Side
from lam_env.evaluation.results import ResultRow
from lam_env.evaluation.statistics import Interval

LONG = "my_module_of_agents:MyVeryOwnAgent"
HOW = ("10 evaluation seeds", "more narrow it")


def of(
    agent: str, value: float, half: float, better: float | None, metric: Metric = LIFT, same: bool = False
) -> Contrast:
    return Contrast((agent, agent), metric, 2.0, 2 + value, Interval(value, value - half, value + half), better, same)


def rows(agent: str, metric: Metric, trained: Iterable[int], seeds: Iterable[int]) -> list[ResultRow]:
    return [ResultRow("home", "sim", agent, t, s, metric.id, 1.0) for t in trained for s in seeds]


def side(trained: Iterable[int], seeds: Iterable[int]) -> Side:
    return Side(rows("mine", JUDGE, trained, list(seeds)))


def test_each_is_better_worse_or_not_told_apart() -> None:
    found = [of("a", 0.5, 0.2, 0.99), of("b", -0.5, 0.2, 0.01), of("c", 0.1, 0.2, 0.8), of("d", 0.1, 0, None)]
    found += [of("a", -9, 1, 0.0, RETURN), of("e", -0.3, 0.1, 0.99, NLL), of("f", 0, 0, 0.5, same=True)]
    assert two_runs.reading(found, *HOW) == [
        "B's a is better than A's: lift +0.500 [+0.300, +0.700], with 10 evaluation seeds.",
        "B's b is worse than A's: lift -0.500 [-0.700, -0.300], with 10 evaluation seeds.",
        "B's c cannot be told apart from A's: lift +0.100 [-0.100, +0.300], with 10 evaluation seeds; more narrow it.",
        "B's d is not told apart from A's: lift +0.100 has no interval of 10 evaluation seeds; more narrow it.",
        "B's e is better than A's: NLL -0.300 [-0.400, -0.200], with 10 evaluation seeds.",
        "The same in A and B, to the last digit: f.",
    ]
    tiny = two_runs.reading([of("a", -4e-6, 1e-6, 0.99, NLL)], *HOW)[0]
    assert tiny.startswith("B's a is better than A's: NLL -4.0e-06 [-5.0e-06, -3.0e-06], with")
    across = of("a", 0.5, 0, 1.0)._replace(agents=("mine", "yours"))
    assert two_runs.reading([across], *HOW)[0].startswith("B's yours is better than A's mine: lift +0.500, with")


def test_a_table_fits_80_columns_whatever_agents_are_called() -> None:
    found = [of(LONG, -1234.5, 234.5, 0.01, metric) for metric in (LIFT, RETURN)] + [of("b", -12.34, 5.6, 0.01)]
    table = two_runs.table_of(found, "fresh simulated people")
    assert [row[0] for row in table.rows][1:] == ["  lift", "  feedback reward", "b", "  lift"]
    assert table.rows[1] == ("  lift", "2", "-1,232", "-1,234 [-1,469, -1,000]", "0.01")
    widths = [max(map(len, column)) for column in zip(*table.rows, strict=True)]
    assert sum(widths) + 3 * len(widths) + 1 <= 80


def test_a_pair_alone_has_no_heading_and_who_is_the_same_no_rows() -> None:
    found = [of("a", 0.5, 0.2, 0.99), of("b", 0, 0, 0.5, same=True)]
    assert [row[0] for row in two_runs.table_of(found, "").rows] == ["lift"]
    assert [row[0] for row in two_runs.table_of(found[1:], "").rows] == ["lift"]


def test_a_csv_has_numbers_and_no_interval_of_few_seeds() -> None:
    found = [("sim", True, of("a", 0.5, 0.2, 0.99)), ("log", False, of("d", 1 / 3, 0, None, NLL))]
    first, other = csv.DictReader(io.StringIO(two_runs.as_csv(found)))
    assert tuple(first) == two_runs.FIELDS
    assert [first[k] for k in ("variant", "agent_a", "metric", "paired")] == ["sim", "a", LIFT.id, "yes"]
    assert [float(first[k]) for k in ("a", "b", "difference", "low", "high", "p_better")] == [
        2,
        2.5,
        0.5,
        0.3,
        0.7,
        0.99,
    ]
    assert [other[k] for k in ("difference", "low", "high", "p_better", "paired")] == ["0.3333333333", "", "", "", "no"]


@pytest.mark.parametrize(
    ("a", "b", "paired", "said"),
    [
        (
            side((0, 1), range(5)),
            side((0, 1), range(5)),
            True,
            ["Same people and luck: on evaluation seeds 0 to 4 doing nothing scores alike. Differences are paired."],
        ),
        (
            side((0, 1, 2), range(5)),
            side((1, 2), (0, 1, 2)),
            True,
            [
                "Same people and luck: on evaluation seeds 0 to 2 doing nothing scores alike. Differences are paired.",
                "Left out, having no pair: evaluation seeds 3, 4 of A.",
                "Left out, having no pair: training seeds 0 of A.",
            ],
        ),
        (
            side((0, 1), (0,)),
            side((2, 3), (0,)),
            True,
            [
                "Same people and luck: on evaluation seed 0 doing nothing scores alike. Differences are paired.",
                "Trainings are on other seeds, and paired in their order.",
            ],
        ),
        (
            side((0,), (0,)),
            side((0, 1), (0,)),
            False,
            [
                "Other people or luck: on evaluation seed 0 doing nothing scores otherwise. Differences are unpaired.",
                "One training in A: how others would come out (seed=0,1,2) is in no interval.",
            ],
        ),
        (
            side((0,), (0,)),
            side((5,), (1,)),
            False,
            [
                "Other people or luck: no evaluation seed is in both. Differences are unpaired.",
                "One training each: how others would come out (seed=0,1,2) is in no interval.",
            ],
        ),
    ],
)
def test_what_both_have_met_is_said(a: Side, b: Side, paired: bool, said: list[str]) -> None:
    assert two_runs.met_in_words(a, b, [("mine", "mine")], paired) == said


def test_on_a_log_it_is_said_too() -> None:
    def log(seeds: Iterable[int], kept: bool) -> Side:
        units = {"unit": [0], "events": [1], "right": [1], "losses": [0.1]}
        of = [r for m in (NLL, EVENTS, UNITS) for r in rows("mine", m, (0,), seeds)]
        return Side(of, lambda agent, seed: units if kept else None)  # type: ignore[arg-type, return-value]

    def said(a: Side, b: Side, paired: bool) -> str:
        return two_runs.met_in_words(a, b, [("mine", "mine")], paired)[0]

    whole, folds, older = log((0,), True), log((1, 2, 3), False), log((0,), False)
    assert said(whole, whole, True).endswith("paired by day or stream.")
    assert said(folds, folds, True).endswith("paired by fold.")
    assert said(whole, older, False).startswith("B keeps no sums by day of mine")
    assert two_runs.amount(whole, whole, ("mine", "mine"), True)[0] == "1 day or stream"
    assert two_runs.amount(folds, folds, ("mine", "mine"), True)[0] == "3 folds"


def test_how_much_there_is() -> None:
    pair = ("mine", "mine")
    assert two_runs.amount(side((0,), range(1)), side((0,), range(9)), pair, True)[0] == "1 evaluation seed"
    several = side((0, 1, 2), range(10))
    assert two_runs.amount(several, several, pair, True)[0] == "10 evaluation seeds and 3 trainings"
    assert (
        two_runs.amount(side((0,), range(3)), several, pair, False)[0]
        == "3 and 10 evaluation seeds and 1 and 3 trainings"
    )
