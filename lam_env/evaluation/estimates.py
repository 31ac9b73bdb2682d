"""What tables and the report say of a metric's runs: an estimate, and an interval that holds nothing impossible."""

from __future__ import annotations

import numpy as np

from lam_env.core.catalogue import SHARE, Metric
from lam_env.evaluation.statistics import Interval, Runs, Statistic, interval, iqm, paired_difference, t_quantile

FEWEST = 3  # evaluation seeds, days or streams; of two, t's quantile makes nearly any interval as wide as the range


def estimate_metric(runs: Runs, metric: Metric, statistic: Statistic = iqm) -> Interval:
    """Interquartile mean, or another `statistic`, and 95 % interval of scores (n,) or (training seeds, evaluation
    seeds); low = high: none."""
    whole = interval(runs, statistic) if enough(runs) else interval(runs, statistic, draws=1)
    return _within(whole, *metric.range) if enough(runs) else bare(whole)


def estimate_resampled(value: float, sd: float, units: int, metric: Metric) -> Interval:
    """A score with a 95 % interval of t, from its bootstrap standard error over so many `units`; of too few of them
    without. Where all units have the least or the most that there is, drawing tells nothing: then as far as a share
    may lie from 0 or 1 of which so many units are no exception (Clopper and Pearson 1934)."""
    if units < FEWEST:
        return Interval(value, value, value)
    exact = sd == 0 and at_an_end(Interval(value, *SHARE), metric)
    half = 1 - 0.025 ** (1 / units) if exact else t_quantile(0.95, units - 1) * sd
    return _within(Interval(value, value - half, value + half), *metric.range)


def at_an_end(estimate: Interval, metric: Metric) -> bool:
    """Whether it is a share of 0 or 1 that has an interval: on a log then the exact one."""
    return metric.range == SHARE and estimate.value in SHARE and estimate.low != estimate.high


def difference(x: Runs, y: Runs, metric: Metric) -> Interval:
    """Mean of x - y, paired by seed, and its interval."""
    estimate = paired_difference(x, y)
    return within_differences(estimate, metric) if enough(x) else bare(estimate)


def within_differences(estimate: Interval, metric: Metric) -> Interval:
    """A difference's interval, without what two scores cannot differ by."""
    low, high = metric.range
    return _within(estimate, low - high, high - low)


def enough(runs: Runs) -> bool:
    """Whether there are evaluation seeds enough for an interval."""
    return np.shape(runs)[-1] >= FEWEST


def in_text(estimate: Interval, form: str) -> str:
    """An estimate in text, "0.50 [0.40, 0.60]" for a `form` of ".2f"; without an interval its value alone."""
    value, low, high = (format(part, form) for part in estimate)
    return f"{value} [{low}, {high}]" if estimate.low != estimate.high else value


def _within(estimate: Interval, low: float, high: float) -> Interval:
    cut = Interval(estimate.value, max(estimate.low, low), min(estimate.high, high))
    return cut if cut.low <= estimate.value <= cut.high else estimate  # a score outside its range is not hidden


def bare(estimate: Interval) -> Interval:
    """The value alone."""
    return Interval(estimate.value, estimate.value, estimate.value)
