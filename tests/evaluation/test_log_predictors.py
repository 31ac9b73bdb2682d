"""What is said of the predictors of a real log: the best, parts that beat their whole, and what that rests on."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lam_env.core.catalogue import NLL_GAP_SD
from lam_env.evaluation.log_predictors import best_in_words, best_predictor, notes_on_counts, notes_on_parts
from lam_env.evaluation.metrics import prediction_metrics, scored
from lam_env.evaluation.results import ResultRow, result_rows
from lam_env.evaluation.statistics import sd_over


def rows(agent: str, **scores: float | tuple[float, ...]) -> list[ResultRow]:
    """Scores by training seed."""
    return [
        ResultRow("home", "log", agent, seed, 0, f"pred.{metric}", value)
        for metric, values in scores.items()
        for seed, value in enumerate(values if isinstance(values, tuple) else (values,))
    ]


TABLE = [
    *rows("none", ece=0.1),
    *rows("markov2", top1=0.5, nll=1.2),
    *rows("prior", top1=(0.55, 0.65), nll=(1.0, 1.3)),
    *rows("prior_boosted", top1=(0.7, 0.8), nll=(1.05, 1.15)),
    *rows("prior.nets", top1=0.9, nll=0.2),
]


def test_the_best_has_the_least_nll_on_average_parts_included() -> None:
    assert best_predictor(TABLE) == "prior.nets"
    whole = [row for row in TABLE if row.agent != "prior.nets"]
    assert best_predictor(whole) == "prior_boosted"
    assert best_predictor([row for row in whole if row.agent != "prior_boosted"]) == "prior"
    assert best_predictor([row for row in TABLE if not row.agent.startswith("prior")]) == "markov2"
    assert best_predictor(rows("b", nll=1.0) + rows("a", nll=1.0)) == "a"  # whatever the order of rows
    assert best_predictor(rows("none", ece=0.1)) is None


def test_the_best_is_named_in_a_line() -> None:
    said = best_in_words([row for row in TABLE if row.agent != "prior.nets"])
    assert said == "Best on the log: prior_boosted, NLL 1.1 nats.\nIt knows 75% of the next events."
    assert best_in_words(rows("none", ece=0.1)) == "No predictor was judged on the log."


def test_what_the_best_knows_has_its_interval_and_how_many_events_it_rests_on() -> None:
    one = rows("prior", top1=0.5, nll=1.25, units=11, events=1234)
    assert best_in_words(one).splitlines()[1] == "It knows 50% of the next 1,234 events."  # all days alike
    spread = [row._replace(metric=f"sd.{row.metric}", value=0.1) for row in one[:2]]
    said = best_in_words(one + spread)  # 2.228 is t's quantile of ten degrees of freedom
    assert said == (
        "Best on the log: prior, NLL 1.25 [1.03, 1.47] nats.\nIt knows 50% [28%, 72%] of the next 1,234 events."
    )


def test_of_two_days_or_streams_nothing_is_said_of_how_sure_it_is() -> None:
    two = rows("prior", top1=0.96, nll=0.2, units=2, events=50) + rows("prior.nets", nll_gap=-0.1)
    two += [ResultRow("home", "log", "prior", 0, 0, "sd.pred.top1", 0.04)]
    two += [ResultRow("home", "log", "prior.nets", 0, 0, NLL_GAP_SD.id, 0.0)]
    assert best_in_words(two).splitlines()[1:] == [
        "It knows 96% of the next 50 events.",
        "Tested on 2 days or streams alone: too few to tell how it does on others.",
    ]
    assert notes_on_parts(two) == []
    three = [row._replace(value=3.0) if row.metric == "pred.units" else row for row in two]
    assert notes_on_parts(three) == [
        "WARNING: prior.nets beats prior, of which it is a part, by 0.100 nats; "
        "predictor.parts=nets leaves the other parts out."
    ]


def test_of_folds_all_events_count_and_of_training_seeds_their_mean() -> None:
    cells = [(t, fold) for t in (0, 1) for fold in (1, 2)]
    each = {"pred.top1": 0.5, "pred.nll": 1.0, "pred.units": 2.0}
    grid = [row for t, k in cells for row in result_rows(each | {"pred.events": 30.0 * k}, "h", "a", k, t, "log")]
    assert best_in_words(grid).endswith("It knows 50% of the next 90 events.")


@pytest.mark.parametrize(
    ("gap", "sd", "noted"),
    [
        (-0.05, 0.02, True),
        (-0.05, 0.05, False),
        (-0.01, 0.02, False),
        (-0.0005, 0.0, False),  # that is nothing
        (0.3, 0.02, False),
        ((-0.2, 0.1), 0.04, True),
        ((-0.2, 0.1), 0.06, False),
    ],
)
def test_a_part_is_named_that_is_better_than_its_whole_by_more_than_a_deviation(
    gap: float | tuple[float, ...], sd: float, noted: bool
) -> None:
    of_gap = [ResultRow("home", "log", "prior.counts", 0, 0, NLL_GAP_SD.id, sd)]
    notes = notes_on_parts(TABLE + rows("prior.counts", nll_gap=gap) + of_gap + rows("prior.nets", nll_gap=-9.0))
    assert len(notes) == noted
    if noted:
        by = f"{-np.mean(gap):.3f} nats (sd {sd:.3f})"
        assert notes == [f"WARNING: prior.counts beats prior, of which it is a part, by {by}."]


def test_whose_counts_go_on_is_said() -> None:
    assert notes_on_counts(TABLE) == []  # networks learn nothing in the test
    there = TABLE + rows("prior.counts", nll=1.0) + rows("markov_online", nll=1.0)
    said = "Counts go on in the test, by what has happened until then: "
    assert notes_on_counts(there) == [f"{said}prior, prior_boosted, prior.counts, markov_online."]
    assert notes_on_counts(rows("markov_online", nll=1.0)) == [f"{said}markov_online."]


def test_losses_by_hand() -> None:
    probs = np.array([[0.5, 0.3, 0.2], [0.9, 0.05, 0.05], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    losses = scored(probs, np.array([1, 0, 1, 2])).losses
    smooth = [-math.log(0.999 * p + 0.0005) for p in (0.6, 0.0, 0.5)]  # nothing is known of the last: none is sure
    np.testing.assert_allclose(losses, [smooth[0], 0, smooth[1], smooth[2]])
    assert prediction_metrics(probs, np.array([1, 0, 1, 2]))["pred.nll"] == pytest.approx(np.mean(smooth))


def test_the_deviation_over_units_is_that_of_their_means() -> None:
    values = np.random.default_rng(0).normal(size=400)
    day = np.arange(400) // 4
    means = values.reshape(100, 4).mean(1)
    assert sd_over(day, values, draws=4000) == pytest.approx(means.std() / 10, rel=0.05)
    assert sd_over(np.arange(400), values, draws=4000) == pytest.approx(values.std() / 20, rel=0.05)
    # what a day has in common does not average out within it: four events a day are one
    alike = np.repeat(values[:100], 4)
    assert sd_over(day, alike, draws=4000) == pytest.approx(values[:100].std() / 10, rel=0.05)
    assert sd_over(np.arange(400), alike, draws=4000) < 0.6 * sd_over(day, alike, draws=4000)
    # of three days as of many
    assert sd_over(day[:12], values[:12], draws=20_000) == pytest.approx(means[:3].std(ddof=1) / 3**0.5, rel=0.03)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=20), st.floats(-5, 5))
def test_where_all_days_are_the_same_there_is_no_deviation(units: list[int], value: float) -> None:
    assert sd_over(np.array([*units, 6]), np.full(len(units) + 1, value), draws=50) == pytest.approx(0, abs=1e-12)
    alone = [*units, units[0]]
    if len(set(alone)) == 1:  # of one day nothing can be said
        assert math.isnan(sd_over(np.array(alone), np.arange(len(alone)), draws=50))
