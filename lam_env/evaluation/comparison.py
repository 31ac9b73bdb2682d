"""How agents compare: scores paired by seed, shares of the oracle, and what an agent adds to counting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from lam_env.core import registry
from lam_env.core.catalogue import (
    ACCEPT_RATE,
    JUDGE,
    NOOP_RATE,
    OVERRIDE_RATE,
    RETURN,
    SHARE_OF_ORACLE,
    UNITS,
    Metric,
)
from lam_env.evaluation.estimates import enough, estimate_metric, estimate_resampled
from lam_env.evaluation.results import ResultRow
from lam_env.evaluation.statistics import Interval, linearised_ratio, mean, probability_above, ratio_of_means

BASELINE, ORACLE = "none", "oracle"  # the floor of a share, and the mark that it is of

Seeds = tuple[int, int]  # of a training, and of an evaluation
Scores = dict[Seeds, float]
T = TypeVar("T")


class Difference(NamedTuple):
    """What one agent adds to another. `of`: in shares of the oracle's lift, or in true utility where there is none;
    `chance`: probability that the mean difference is above 0; None of few seeds."""

    of: Interval
    chance: float | None


def runs_of(rows: Iterable[ResultRow], agent: str, metric: Metric) -> np.ndarray | None:
    """An agent's scores, shape (training seeds, evaluation seeds), or (n,) where a pair is missing; None: no score."""
    scores = scores_of(rows, agent, metric)
    return _grid(scores) if scores else None


def estimate_of(rows: Sequence[ResultRow], agent: str, metric: Metric) -> Interval | None:
    """An agent's score and its interval: on a log the mean, over folds where there are several, else over days or
    streams drawn with replacement; elsewhere over seeds. The share of the oracle is a ratio of means, so that the
    oracle's own is 1. None: no score."""
    if metric == SHARE_OF_ORACLE:
        return share_of_oracle(rows, agent)
    runs, sd, units, own = (runs_of(rows, agent, m) for m in (metric, metric.sd, UNITS, metric.units))
    if runs is None:
        return None
    if units is None:
        return estimate_metric(runs, metric)
    if np.shape(runs)[-1] > 1:
        return estimate_metric(runs, metric, mean)
    over = int(units.max() if own is None else own.min())  # a part is not there on all days
    return estimate_resampled(float(np.mean(runs)), 0.0 if sd is None else float(np.mean(sd)), over, metric)


def share_of_oracle(rows: Sequence[ResultRow], agent: str) -> Interval | None:
    """Mean lift over the oracle's mean lift, with its interval paired by seed; None where one of them is missing."""
    paired = _paired(rows, agent, BASELINE, ORACLE)
    if paired is None:
        return None
    own, none, oracle = paired
    return _ratio(own - none, oracle - none) if (oracle - none).mean() > 0 else None


def idle(rows: Iterable[ResultRow]) -> list[str]:
    """Agents that never act, but for the baseline: they win what it wins."""
    acts: dict[str, bool] = {}
    for r in rows:
        if r.metric == NOOP_RATE.id and r.agent != BASELINE:
            acts[r.agent] = acts.get(r.agent, False) or r.value < 1
    return [agent for agent, acted in acts.items() if not acted]


def best_counting(rows: Sequence[ResultRow]) -> str | None:
    """The row that counts and has the highest mean true utility; None where none does."""
    counting = registry.counting_agents()
    means = {a: np.mean(runs) for a in counting if (runs := runs_of(rows, a, JUDGE)) is not None}
    return max(sorted(means), key=lambda a: means[a]) if means else None


def added(rows: Sequence[ResultRow], agent: str, baseline: str) -> Difference | None:
    """What `agent` adds to `baseline`, paired by evaluation seed and, where both train, by training seed."""
    with_oracle = _paired(rows, agent, baseline, BASELINE, ORACLE)
    if with_oracle is not None and (with_oracle[3] - with_oracle[2]).mean() > 0:
        own, other, none, oracle = with_oracle
        of, runs = _ratio(own - other, oracle - none), linearised_ratio(own - other, oracle - none)
    elif (alone := _paired(rows, agent, baseline)) is not None:
        own, other = alone
        of, runs = _ratio(own - other, np.ones_like(own)), own - other
    else:
        return None
    return Difference(of, probability_above(runs) if enough(own) else None)


def exhausted(rows: Sequence[ResultRow]) -> list[str]:
    """Agents whose mean feedback reward is not below the oracle's though their true utility is: who learns from that
    reward has nothing more to gain."""
    out = []
    for agent in dict.fromkeys(r.agent for r in rows):
        paid, worth = (_paired(rows, agent, ORACLE, metric=metric) for metric in (RETURN, JUDGE))
        if agent == ORACLE or paid is None or worth is None:
            continue
        if paid[0].mean() >= paid[1].mean() and worth[0].mean() < worth[1].mean():
            out.append(agent)
    return out


def _ratio(x: np.ndarray, y: np.ndarray) -> Interval:
    estimate = ratio_of_means(x, y)
    return estimate if enough(x) else Interval(estimate.value, estimate.value, estimate.value)


def scores_of(rows: Iterable[ResultRow], agent: str, metric: Metric) -> Scores:
    """(training seed, evaluation seed) -> score; where an agent has not acted there is no share of its acts."""
    of = [r for r in rows if r.agent == agent and r.metric in (metric.id, NOOP_RATE.id)]
    idle = {(r.train_seed, r.seed) for r in of if r.metric == NOOP_RATE.id and r.value >= 1}
    left_out = idle if metric in (ACCEPT_RATE, OVERRIDE_RATE) else ()
    scores = {(r.train_seed, r.seed): r.value for r in of if r.metric == metric.id}
    return {seeds: value for seeds, value in scores.items() if seeds not in left_out}


def _paired(rows: Sequence[ResultRow], *agents: str, metric: Metric = JUDGE) -> list[np.ndarray] | None:
    """The agents' scores, as `aligned`."""
    return aligned([scores_of(rows, agent, metric) for agent in agents])


def aligned(scores: Sequence[Scores]) -> list[np.ndarray] | None:
    """On the seeds that all have, of one shape; None where there are none."""
    return [_grid(of) for of in common] if (common := in_common(scores)) else None


def in_common(of: Sequence[Mapping[Seeds, T]]) -> list[dict[Seeds, T]]:
    """What each has on the seeds that all have; who trains once stands against every training. Empty: none."""
    several = [trained for each in of if len(trained := {t for t, _ in each}) > 1]
    trained = set().union(*several) or {t for t, _ in of[0]}
    spread = [
        {(t, s): value for (_, s), value in each.items() for t in trained} if len({t for t, _ in each}) == 1 else each
        for each in of
    ]
    both = sorted(set(spread[0]).intersection(*spread[1:]))
    return [{seeds: each[seeds] for seeds in both} for each in spread] if both else []


def _grid(scores: Mapping[Seeds, float]) -> np.ndarray:
    trained, seeds = sorted({t for t, _ in scores}), sorted({s for _, s in scores})
    if len(scores) < len(trained) * len(seeds):
        return np.array([scores[k] for k in sorted(scores)])
    return np.array([[scores[t, s] for s in seeds] for t in trained])
