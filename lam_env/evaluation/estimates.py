"""What tables and the report say of a metric's runs: an estimate, and an interval that holds nothing impossible."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lam_env.evaluation.statistics import Interval, improvement_paired, interval, paired_difference

FEWEST = 3  # evaluation seeds; of two, t's quantile makes nearly any interval as wide as the metric's range
SHARE, NOT_NEGATIVE = (0.0, 1.0), (0.0, np.inf)
RANGES = {
    "pred.top1": SHARE,
    "pred.top3": SHARE,
    "pred.macro_f1": SHARE,
    "pred.nll": NOT_NEGATIVE,
    "pred.nll_all": NOT_NEGATIVE,
    "pred.brier": (0.0, 2.0),
    "pred.ece": SHARE,
    "pred.pr_auc": SHARE,
    "reward.noop_rate": SHARE,
    "reward.precision": SHARE,
    "reward.harm": NOT_NEGATIVE,
}
Scores = np.ndarray | Sequence[float]


def range_of(metric: str) -> tuple[float, float]:
    """Least and largest value that a metric can have; figures of a scenario that are called a share or a rate are shares."""
    usual = SHARE if metric.endswith(("_rate", "_share")) else (-np.inf, np.inf)
    return RANGES.get(metric, usual)


def estimate(runs: Scores, metric: str) -> Interval:
    """Interquartile mean and 95 % interval of scores (n,) or (training seeds, evaluation seeds); low = high: none."""
    return _within(interval(runs), *range_of(metric)) if enough(runs) else _bare(interval(runs, draws=1))


def difference(x: Scores, y: Scores, metric: str) -> Interval:
    """Mean of x - y, paired by seed, and its interval."""
    low, high = range_of(metric)
    found = paired_difference(x, y)
    return _within(found, low - high, high - low) if enough(x) else _bare(found)


def improvement(x: Scores, y: Scores) -> Interval:
    """P(x > y), paired by seed, and its interval."""
    found = improvement_paired(x, y)
    return found if enough(x) else _bare(found)


def enough(runs: Scores) -> bool:
    """Whether there are evaluation seeds enough for an interval."""
    return np.shape(runs)[-1] >= FEWEST


def told(found: Interval, form: str) -> str:
    """An estimate in text, "0.50 [0.40, 0.60]" for a `form` of ".2f"; without an interval its value alone."""
    value, low, high = (format(part, form) for part in found)
    return f"{value} [{low}, {high}]" if found.low != found.high else value


def _within(found: Interval, low: float, high: float) -> Interval:
    cut = Interval(found.value, max(found.low, low), min(found.high, high))
    return cut if cut.low <= found.value <= cut.high else found  # a score outside its range is not hidden


def _bare(found: Interval) -> Interval:
    return Interval(found.value, found.value, found.value)
