"""Differences between two runs against values worked out by hand, and how often their intervals hold the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lam_env.core.catalogue import (
    EVENTS,
    JUDGE,
    LIFT,
    NLL,
    OVERRIDE_RATE,
    RETURN,
    SHARE_OF_ORACLE,
    TOP1,
    UNITS,
    Metric,
)
from lam_env.evaluation import comparison, contrast
from lam_env.evaluation.contrast import Contrast, Side
from lam_env.evaluation.report.recorder import ByUnit
from lam_env.evaluation.results import ResultRow

Score = Callable[[int, int], float]  # of a training seed and an evaluation seed
TEN = range(10)
LUCK = np.random.default_rng(3).normal(0, 5, 10)  # of the people of each seed
NOISE = np.random.default_rng(4).normal(0, 0.2, (8, 10))


def rows(agent: str, score: Score, metric: Metric = JUDGE, trained: Iterable[int] = (0,), seeds: Iterable[int] = TEN):
    """Rows of one agent."""
    return [ResultRow("home", "sim", agent, t, s, metric.id, float(score(t, s))) for t in trained for s in seeds]


def judged(own: float, trained: Iterable[int] = (0,), seeds: Iterable[int] = TEN, people: float = 0) -> Side:
    """A run whose agent helps by `own`, the oracle by 10; `people`: so much other ones."""
    seeds = list(seeds)

    def of(agent: str, help: Score, trained: Iterable[int]) -> list[ResultRow]:
        utility = rows(agent, lambda t, s: LUCK[s] + people + help(t, s), JUDGE, trained, seeds)
        return utility + rows(agent, help, LIFT, trained, seeds)

    none, oracle = of("none", lambda t, s: 0.0, (0,)), of("oracle", lambda t, s: 10.0, (0,))
    share = rows("mine", lambda t, s: own / 10, SHARE_OF_ORACLE, trained, seeds)
    return Side([*none, *of("mine", lambda t, s: own + NOISE[t, s], trained), *share, *oracle])


def one(
    a: Side, b: Side, metric: Metric, paired: bool | None = None, agents: tuple[str, str] = ("mine",) * 2
) -> Contrast:
    pairs = [agents]
    both = contrast.contrasts(a, b, pairs, [metric], contrast.met_the_same(a, b, pairs) if paired is None else paired)
    assert len(both) == 1
    return both[0]


def test_the_same_run_differs_by_nothing() -> None:
    a = judged(2)
    assert contrast.metrics_of(a, a) == [LIFT, SHARE_OF_ORACLE]
    for metric in (LIFT, SHARE_OF_ORACLE, JUDGE):
        found = one(a, a, metric)
        assert (found.of, found.better, found.same) == ((0.0, 0.0, 0.0), 0.5, True)


def test_a_shift_of_all_seeds_is_found_whole_and_surely() -> None:
    found = one(judged(2), judged(2.5), LIFT)
    assert not found.same
    assert found.of == pytest.approx((0.5, 0.5, 0.5))
    assert (found.b - found.a, found.better) == (pytest.approx(0.5), pytest.approx(1))
    back = one(judged(2.5), judged(2), LIFT)
    assert (back.of, back.better) == (pytest.approx((-0.5, -0.5, -0.5)), pytest.approx(0))


def test_pairs_hold_no_luck_that_both_have_and_what_is_unpaired_holds_it_twice() -> None:
    b = Side([r._replace(value=r.value + 0.5 + NOISE[5, r.seed]) if r.agent == "mine" else r for r in judged(2).rows])
    paired, apart = one(judged(2), b, JUDGE), one(judged(2), b, JUDGE, paired=False)
    assert paired.of.value == pytest.approx(apart.of.value)
    assert paired.of.high - paired.of.low < 0.5
    assert apart.of.high - apart.of.low == pytest.approx(2 * 2.1 * 5 * LUCK.std(ddof=1) / 5 * 0.2**0.5, rel=0.1)
    assert paired.better is not None
    assert apart.better is not None
    assert paired.better > 0.99 > apart.better > 0.5


def test_a_share_of_the_oracle_differs_as_tables_say_of_two_agents() -> None:
    side = judged(2, trained=(0, 1, 2))
    more = [r._replace(agent="other", value=r.value + 1 + NOISE[7, r.seed]) for r in side.rows if r.agent == "mine"]
    both = Side([*side.rows, *more])
    found, table = (
        one(both, both, SHARE_OF_ORACLE, agents=("mine", "other")),
        comparison.added(both.rows, "other", "mine"),
    )
    assert table is not None
    assert found.of == pytest.approx(table.of)
    assert found.better == pytest.approx(table.chance)
    assert found.a == pytest.approx(0.2 + NOISE[:3].mean() / 10)


def test_of_losses_and_overrides_the_lower_one_is_better() -> None:
    for metric in (NLL, OVERRIDE_RATE):
        a, b = (Side(rows("mine", lambda t, s, d=d: 0.3 + d + NOISE[0, s] / 9, metric)) for d in (0.1, 0.0))
        found = one(a, b, metric, paired=True)
        assert (found.of.value, found.better) == (pytest.approx(-0.1), pytest.approx(1))


def test_seeds_that_one_run_lacks_have_no_pair() -> None:
    a, b = judged(2, trained=(0, 1, 2), seeds=range(5)), judged(3, trained=(0, 1, 2, 3))
    found = one(a, b, LIFT)
    assert found.a == pytest.approx(2 + NOISE[:3, :5].mean())
    assert found.b == pytest.approx(3 + NOISE[:3, :5].mean())


def test_trainings_on_other_seeds_are_paired_in_their_order() -> None:
    found = one(judged(2, trained=(0, 1, 2)), judged(3, trained=(4, 5, 6, 7)), LIFT)
    assert found.a == pytest.approx(2 + NOISE[:3].mean())
    assert found.b == pytest.approx(3 + NOISE[4:7].mean())
    shares = one(judged(2, trained=(0, 1, 2)), judged(3, trained=(4, 5, 6)), SHARE_OF_ORACLE)
    assert shares.of.value == pytest.approx(found.of.value / 10)
    assert found.better is not None
    assert found.better > 0.99


def test_one_training_stands_against_each_of_several() -> None:
    found = one(judged(2, trained=(1,)), judged(3, trained=(0, 1, 2)), LIFT)
    gaps = 1 + NOISE[:3] - NOISE[1]
    assert found.of.value == pytest.approx(gaps.mean())


def test_of_two_seeds_there_is_no_interval() -> None:
    found = one(judged(2, seeds=range(2)), judged(3, seeds=range(2)), LIFT)
    assert (found.of.low, found.of.high, found.better) == (found.of.value, found.of.value, None)
    apart = one(judged(2, seeds=range(2)), judged(3), LIFT, paired=False)
    assert apart.better is None


def test_what_one_of_them_lacks_is_not_compared() -> None:
    a = judged(2)
    assert contrast.contrasts(a, a, [("mine", "absent"), ("mine", "mine")], [NLL, RETURN], True) == []
    useless = Side([r for r in a.rows if r.agent != "oracle"])
    assert contrast.contrasts(a, useless, [("mine", "mine")], [SHARE_OF_ORACLE], True) == []
    worse = Side([r._replace(value=r.value - 20) if r.agent == "oracle" else r for r in a.rows])
    assert contrast.contrasts(worse, worse, [("mine", "mine")], [SHARE_OF_ORACLE], True) == []


def test_nobody_tells_whether_the_people_are_the_same() -> None:
    a, pairs = judged(2), [("mine", "mine")]
    assert contrast.met_the_same(a, judged(5), pairs)
    assert contrast.met_the_same(a, Side([r._replace(value=r.value * (1 + 1e-9)) for r in a.rows]), pairs)
    assert contrast.met_the_same(a, judged(2, seeds=range(3)), pairs)
    assert not contrast.met_the_same(a, judged(2, people=0.01), pairs)
    assert not contrast.met_the_same(a, Side([r._replace(seed=r.seed + 10) for r in a.rows]), pairs)
    assert not contrast.met_the_same(a, Side([r for r in a.rows if r.agent != "none"]), pairs)
    paid = [Side([*a.rows, *rows("none", lambda t, s, p=p: p * s, RETURN)]) for p in (1.0, 2.0)]
    assert contrast.met_the_same(*paid, pairs)
    assert [contrast.paid_alike(paid[0], other) for other in paid] == [True, False]


@given(st.lists(st.floats(-100, 100), min_size=3, max_size=8), st.floats(-100, 100))
def test_whichever_is_called_a_the_difference_has_the_same_size(scores: list[float], shift: float) -> None:
    a, b = (Side(rows("mine", lambda t, s, d=d: scores[s] + d * s, seeds=range(len(scores)))) for d in (0.0, shift))
    there, back = one(a, b, JUDGE, paired=True), one(b, a, JUDGE, paired=True)
    assert there.of == pytest.approx((-back.of.value, -back.of.high, -back.of.low))
    assert there.better == pytest.approx(1 - back.better)  # type: ignore[operator]


@pytest.mark.parametrize("paired", [True, False])
def test_an_interval_holds_the_truth_nineteen_times_in_twenty(paired: bool) -> None:
    rng, hits, above = np.random.default_rng(0), 0, 0
    for _ in range(400):
        people = rng.normal(0, 1, (2, 10))
        scores = people[0] + rng.normal(0, 0.5, 10), people[0 if paired else 1] + 0.3 + rng.normal(0, 0.5, 10)
        a, b = (Side(rows("mine", lambda t, s, of=of: of[s])) for of in scores)
        found = one(a, b, JUDGE, paired)
        assert found.better is not None
        hits += found.of.low <= 0.3 <= found.of.high
        above += found.better > 0.975
        assert (found.better > 0.975) == (found.of.low > 0)
    assert 0.92 < hits / 400 < 0.98
    assert above > (40 if paired else 4)


# -- on a log ----------------------------------------------------------------------------------------------------------


def on_log(
    losses: list[list[float]], right: list[int] | None = None, days: list[int] | None = None, sd: float = 0.1
) -> Side:
    """A run on a log: of each day the losses of its events."""
    units: ByUnit = {
        "unit": days or list(range(len(losses))),
        "events": [len(day) for day in losses],
        "right": right or [0] * len(losses),
        "losses": [sum(day) for day in losses],
    }
    n = sum(units["events"])
    scores = {NLL: sum(units["losses"]) / n, TOP1: sum(units["right"]) / n, NLL.sd: sd, EVENTS: n, UNITS: len(losses)}
    return Side(
        [r for m, v in scores.items() for r in rows("mine", lambda t, s, v=v: v, m, seeds=(0,))], lambda *of: units
    )


def test_days_of_a_log_are_drawn_whole_and_the_same_ones_for_both() -> None:
    a = on_log([[1.0, 1.0], [3.0, 3.0], [5.0, 5.0]], right=[1, 0, 2])
    assert contrast.metrics_of(a, a) == [NLL, TOP1]
    assert one(a, a, NLL).of == (0, 0, 0)
    b = on_log([[0.5, 0.5], [2.5, 2.5], [4.5, 4.5]], right=[2, 1, 2])
    found = one(a, b, NLL)
    assert (found.of, found.better) == (pytest.approx((-0.5, -0.5, -0.5)), pytest.approx(1))  # on every day the same
    top1 = one(a, b, TOP1)
    assert (top1.a, top1.b) == (0.5, pytest.approx(5 / 6))
    gaps = np.array([0.5, 0.5, 0.0])
    half = 4.302653 * gaps.std(ddof=1) / 3**0.5  # t of 2 degrees of freedom
    assert top1.of.value - top1.of.low == pytest.approx(half, rel=0.05)
    assert top1.of.high == 1  # shares differ by no more
    mixed = on_log([[0.0, 2.0], [2.0, 4.0], [4.0, 6.0]])
    assert one(a, mixed, NLL).of == pytest.approx((0, 0, 0), abs=1e-12)  # events of one day that differ cancel out


def test_other_days_and_other_numbers_of_events_are_other_events() -> None:
    a, pairs = on_log([[1.0], [2.0], [3.0]]), [("mine", "mine")]
    for b in (on_log([[1.0], [2.0], [3.0]], days=[7, 8, 9]), on_log([[1.0], [2.0, 2.0], [3.0]])):
        assert not contrast.same_events(a, b, pairs)
        assert not contrast.met_the_same(a, b, pairs)


def test_without_sums_by_day_differences_have_the_standard_errors_of_both() -> None:
    a, pairs = on_log([[1.0], [2.0], [3.0]], sd=0.3), [("mine", "mine")]
    silent = Side(on_log([[1.0], [2.0], [4.0]], sd=0.4).rows)  # of an earlier version
    assert contrast.same_events(a, silent, pairs)
    assert not contrast.met_the_same(a, silent, pairs)
    found = one(a, silent, NLL)
    df = 0.25**2 / ((0.09**2 + 0.16**2) / 2)
    assert found.of.high - found.of.value == pytest.approx(contrast_t(df) * 0.5, rel=1e-6)


def test_the_same_moments_under_other_names_are_other_events() -> None:
    a, pairs = on_log([[1.0], [2.0], [3.0]]), [("mine", "mine")]
    tea, lamp, twice = (
        Side([*a.rows, *rows("mine", lambda t, s, n=n: n, EVENTS.at("action", name), seeds=(0,))], a.units)
        for name, n in (("tea", 3), ("lamp", 3), ("tea", 2))
    )
    assert contrast.met_the_same(tea, tea, pairs)
    assert not contrast.met_the_same(tea, lamp, pairs)
    assert not contrast.met_the_same(tea, twice, pairs)


def contrast_t(df: float) -> float:
    from scipy.stats import t

    return float(t.ppf(0.975, df))


def test_folds_pair_where_each_tests_on_as_many_events() -> None:
    def folds(shift: float, events: int = 9) -> Side:
        scores = {
            NLL: lambda s: LUCK[s] + shift + NOISE[0, s] * shift,
            EVENTS: lambda s: events + s,
            UNITS: lambda s: 3,
        }
        return Side(
            [r for m, of in scores.items() for r in rows("mine", lambda t, s, of=of: of(s), m, seeds=(1, 2, 3, 4))]
        )

    a, pairs = folds(0), [("mine", "mine")]
    assert contrast.met_the_same(a, folds(0.5), pairs)
    gaps = 0.5 * (1 + NOISE[0, 1:5])
    found = one(a, folds(0.5), NLL)
    assert found.of.value == pytest.approx(gaps.mean())
    assert found.of.high - found.of.value == pytest.approx(3.182446 * gaps.std(ddof=1) / 2, rel=0.05)
    assert not contrast.met_the_same(a, folds(0.5, events=8), pairs)
    assert one(a, folds(0.5, events=8), NLL).of.high > found.of.high
    assert not contrast.met_the_same(a, on_log([[1.0], [2.0]]), pairs)
    assert one(a, on_log([[1.0], [2.0]]), NLL).better is None


def test_one_day_alone_has_no_interval() -> None:
    found = one(on_log([[1.0, 2.0]]), on_log([[1.0, 3.0]]), NLL)
    assert (found.of, found.better) == ((0.5, 0.5, 0.5), None)


def test_intervals_over_days_hold_the_truth() -> None:
    """A fortnight of days that differ, five events each."""
    rng, hits = np.random.default_rng(0), 0
    for _ in range(200):
        day = rng.normal(2, 1, (14, 1))
        a, b = (day + shift + rng.normal(0, 0.3, (14, 1)) + rng.normal(0, 1, (14, 5)) for shift in (0, 0.1))
        found = one(on_log(a.tolist()), on_log(b.tolist()), NLL)
        hits += found.of.low <= 0.1 <= found.of.high
    assert 0.9 < hits / 200 < 0.99
