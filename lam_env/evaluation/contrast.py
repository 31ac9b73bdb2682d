"""Two runs side by side, or two agents of one: differences of their scores, paired where both have met the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np

from lam_env.core.catalogue import (
    EVENTS,
    JUDGE,
    KPI,
    LIFT,
    NLL,
    OVERRIDE_RATE,
    RETURN,
    SHARE_OF_ORACLE,
    TOP1,
    UNITS,
    Metric,
)
from lam_env.evaluation.comparison import BASELINE, ORACLE, Seeds, aligned, in_common, scores_of
from lam_env.evaluation.estimates import FEWEST, bare, enough, within_differences
from lam_env.evaluation.report.recorder import ByUnit
from lam_env.evaluation.results import ResultRow
from lam_env.evaluation.statistics import (
    Estimate,
    Interval,
    estimated,
    linearised_ratio,
    sd_over,
    unpaired_difference,
)

ACTING, PREDICTING = (LIFT, SHARE_OF_ORACLE, RETURN, TOP1, NLL, OVERRIDE_RATE), (NLL, TOP1)  # the first one judges
_TOLERANCE = 1e-6  # relative: in what platforms differ

T = TypeVar("T")
Pair = tuple[str, str]  # the agent of A and that of B


@dataclass(frozen=True)
class Side:
    """What a run says in one variant. `units`: of an agent and a training seed its sums by day or stream of a log, None
    where the run keeps none."""

    rows: Sequence[ResultRow]
    units: Callable[[str, int], ByUnit | None] = lambda agent, seed: None

    @property
    def is_log(self) -> bool:
        return any(r.metric == UNITS.id for r in self.rows)

    @property
    def on_log(self) -> bool:
        """Whether it is a log's one test part, whose days or streams are drawn, and no folds."""
        return self.is_log and self.seeds() == {0}

    def agents(self) -> list[str]:
        """In their order."""
        return list(dict.fromkeys(r.agent for r in self.rows))

    def seeds(self) -> set[int]:
        """Of evaluation; of a log its folds."""
        return {r.seed for r in self.rows}

    def trained(self, agent: str) -> set[int]:
        """The seeds of its trainings."""
        return {r.train_seed for r in self.rows if r.agent == agent}

    def of(self, agent: str, kinds: tuple[str, ...] = ("",)) -> dict[tuple[int, int, str], float]:
        """(training seed, evaluation seed, metric) -> value, of metrics that begin so."""
        mine = (r for r in self.rows if r.agent == agent and r.metric.startswith(kinds))
        return {(r.train_seed, r.seed, r.metric): r.value for r in mine}

    def by_unit(self, agent: str) -> dict[Seeds, ByUnit]:
        """Of each training that has some."""
        return {(t, 0): units for t in self.trained(agent) if (units := self.units(agent, t)) is not None}


class Contrast(NamedTuple):
    """Means of A and of B, and `of`, B - A. `better`: the probability that B is; None of few seeds. `same`: whether
    both have the same scores, to the last digit."""

    agents: Pair
    metric: Metric
    a: float
    b: float
    of: Interval
    better: float | None
    same: bool


def metrics_of(a: Side, b: Side) -> list[Metric]:
    """What is compared; the first one says who is better."""
    there = {r.metric for r in a.rows} & {r.metric for r in b.rows}
    of = PREDICTING if JUDGE.id not in there else ACTING if LIFT.id in there else (JUDGE, *ACTING)
    return [m for m in of if m.id in there]


def contrasts(a: Side, b: Side, pairs: Iterable[Pair], metrics: Sequence[Metric], paired: bool) -> list[Contrast]:
    """Of each pair and metric that has scores in both. `paired`: as `met_the_same` says."""
    found = (_contrast(a, b, pair, metric, paired) for pair in pairs for metric in metrics)
    return [each for each in found if each is not None]


def _contrast(a: Side, b: Side, pair: Pair, metric: Metric, paired: bool) -> Contrast | None:
    with_it = (BASELINE, ORACLE) if metric == SHARE_OF_ORACLE else ()
    of = JUDGE if with_it else metric
    one, other = ([scores_of(s.rows, n, of) for n in (agent, *with_it)] for s, agent in zip((a, b), pair, strict=True))
    if paired:
        both = aligned([*_matched(a, b, pair, one), *_matched(a, b, pair, other)])
    else:
        both = [*(aligned(one) or []), *(aligned(other) or [])]
    if both is None or len(both) < 2 * len(one):
        return None
    x, y = _score(both[: len(one)]), _score(both[len(one) :])
    if x is None or y is None:
        return None
    if a.on_log:
        estimate, sure = (_by_unit if paired else _apart)(a, b, pair, metric, float(y.mean() - x.mean()))
    elif paired:
        estimate, sure = estimated(y - x), enough(x)
    else:
        estimate, sure = unpaired_difference(estimated(y), estimated(x)), enough(x) and enough(y)
    above = estimate.above() if metric.better == "higher" else 1 - estimate.above()
    whole, same = estimate.interval(), bool(np.array_equal(x, y))
    shown = within_differences(whole, metric) if sure else bare(whole)
    return Contrast(pair, metric, float(x.mean()), float(y.mean()), shown, above if sure else None, same)


def apart_trained(a: Side, b: Side, pair: Pair) -> bool:
    """Whether both have trained several times, and never on the same seed: then trainings are paired in their order,
    which evaluation seeds do not mind."""
    one, other = a.trained(pair[0]), b.trained(pair[1])
    return min(len(one), len(other)) > 1 and not one & other


def _matched(a: Side, b: Side, pair: Pair, of: Iterable[Mapping[Seeds, T]]) -> list[dict[Seeds, T]]:
    """By training seed and evaluation seed, or by the number of the training."""
    return [_ranked(each) if apart_trained(a, b, pair) else dict(each) for each in of]


def _ranked(of: Mapping[Seeds, T]) -> dict[Seeds, T]:
    rank = {t: k for k, t in enumerate(sorted({t for t, _ in of}))}
    return {(rank[t], s): value for (t, s), value in of.items()}


def _score(runs: Sequence[np.ndarray]) -> np.ndarray | None:
    """Runs whose mean is the score; of an agent, nobody and the oracle its share. None: the oracle wins nothing."""
    if len(runs) == 1:
        return runs[0]
    own, none, oracle = runs
    return linearised_ratio(own - none, oracle - none) if (oracle - none).mean() > 0 else None


def _by_unit(a: Side, b: Side, pair: Pair, metric: Metric, value: float) -> tuple[Estimate, bool]:
    """A difference on a log, with its variance over whole days or streams, the same ones for both; trainings are
    averaged. And whether there is a variance."""
    units = _matched(a, b, pair, [a.by_unit(pair[0]), b.by_unit(pair[1])])
    one, other = (list(of.values()) for of in in_common(units))
    events = np.array(one[0]["events"])
    gaps = [np.subtract(_sums(y, metric), _sums(x, metric)) for x, y in zip(one, other, strict=True)]
    n = len(events)
    if n < FEWEST:
        return Estimate(value, 0.0, 1), False
    sd = sd_over(np.repeat(np.arange(n), events), np.repeat(np.mean(gaps, 0) / events, events))
    return Estimate(value, sd**2, n - 1), True


def _sums(of: ByUnit, metric: Metric) -> Sequence[float]:
    return of["right"] if metric == TOP1 else of["losses"]


def _apart(a: Side, b: Side, pair: Pair, metric: Metric, value: float) -> tuple[Estimate, bool]:
    """The same where sums by day or stream are not kept in both."""
    sides, sure = [], True
    for side, agent in ((b, pair[1]), (a, pair[0])):
        sd, units = ([*scores_of(side.rows, agent, m).values()] for m in (metric.sd, UNITS))
        sides.append(Estimate(0.0, float(np.mean(sd)) ** 2 if sd else 0.0, max(units[0] - 1, 1)))
        sure = sure and sides[-1].variance > 0 and units[0] >= FEWEST
    return unpaired_difference(*sides)._replace(value=value), sure


# -- what pairs --------------------------------------------------------------------------------------------------------


def met_the_same(a: Side, b: Side, pairs: Sequence[Pair]) -> bool:
    """Whether both were judged on the same: the same events of a log, with sums by day or stream in both; or the same
    people with the same luck, among whom doing nothing scores alike on the seeds that both have."""
    if not (a.is_log or b.is_log):
        return _alike(a, b, (BASELINE, BASELINE), ("utility.", KPI.prefix))
    return same_events(a, b, pairs) and (not a.on_log or all(_by_units(a, b, pairs)))


def same_events(a: Side, b: Side, pairs: Sequence[Pair]) -> bool:
    """Whether the same actions of a log are held out, each as often, on as many days or streams, and, where sums by
    them are kept, on the same ones. Of other events no difference says who predicts better."""
    actions, pair = EVENTS.at("action", "").id, pairs[0]
    one, other = (
        {metric for *_, metric in side.of(agent, (actions,))} for side, agent in zip((a, b), pair, strict=True)
    )
    days = {(*u["unit"], *u["events"]) for of in _by_units(a, b, pairs) for u in of.values()}
    return one == other and len(days) < 2 and _alike(a, b, pair, (EVENTS.id, UNITS.id))


def _by_units(a: Side, b: Side, pairs: Sequence[Pair]) -> list[dict[Seeds, ByUnit]]:
    return [side.by_unit(agent) for pair in pairs for side, agent in zip((a, b), pair, strict=True)]


def paid_alike(a: Side, b: Side) -> bool:
    """Whether doing nothing earns the same in both; if not, they pay by other prices."""
    return _alike(a, b, (BASELINE, BASELINE), (RETURN.id,))


def _alike(a: Side, b: Side, pair: Pair, kinds: tuple[str, ...]) -> bool:
    one, other = (
        {(seed, metric): value for (_, seed, metric), value in side.of(agent, kinds).items()}
        for side, agent in zip((a, b), pair, strict=True)
    )
    both = one.keys() & other.keys()
    return bool(both) and all(np.isclose(one[key], other[key], rtol=_TOLERANCE) for key in both)
