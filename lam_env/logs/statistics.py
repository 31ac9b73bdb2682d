"""Statistics of how a person spends the days, from a log of actions or activities.

Definitions follow the validation of SHARON (Veronese et al., 2014) and of recorded homes: day counts, gaps, entropies,
profile, persistence, spread of start times; predictability is that of Song et al. (Science 327:1018, 2010).
Only user events count, and only what someone does: token 0 ("none") is no event.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

import numpy as np

from lam_env.core.events import USER, ActionLog
from lam_env.core.units import DAY, HOUR, MINUTE
from lam_env.logs.coverage import Days, days_of
from lam_env.logs.places import of_places

TICKS = (5, 10, 15)  # [min] of the persistence statistic
MORNING = (4.0, 12.0)  # [h] between which a sleep ends that counts as the night's
MOST = 3000  # events of one Lempel-Ziv estimate, whose cost is quadratic


class EventStream(NamedTuple):
    """The events of one person (activities) or one home (device commands) in order of time."""

    start: np.ndarray  # (n,) [s]
    length: np.ndarray  # (n,) [s], 0 where the log has no intervals
    label: np.ndarray  # (n,) token
    days: Days  # that count


def streams(log: ActionLog) -> list[EventStream]:
    """A stream for each person and world of an activity log, for each world of a command log."""
    keep = (log.kind == USER) & (log.token > 0)
    key = log.world[keep].astype(np.int64) * (1 << 16) + (log.user[keep] if log.intervals else 0)
    time = log.time[keep] // log.ticks_per_second
    length = np.nan_to_num(log.value[keep].astype(np.float64)) / log.ticks_per_second
    length = length.astype(np.int64) if log.intervals else np.zeros(len(time), np.int64)
    token = log.token[keep]
    order = np.argsort(key, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(key[order])) + 1) if len(order) else []
    return [EventStream(time[m], length[m], token[m], days_of(log, time[m])) for m in parts]


# --- counts, gaps and clocks


def day_counts(parts: list[EventStream]) -> np.ndarray:
    """Events of each whole day (days,)."""
    counts = [np.bincount(np.searchsorted(p.days.number, p.start // DAY))[1:-1] for p in parts]
    return np.concatenate(counts) if counts else np.zeros(0, int)


def fano(counts: np.ndarray) -> float:
    """Variance over mean: 1 for a Poisson process, more when bursty."""
    return float(counts.var() / counts.mean()) if counts.size and counts.any() else math.nan


def gap_cv(parts: list[EventStream]) -> float:
    """Coefficient of variation of the gaps between starts: 1 for a Poisson process. An absence is no gap."""
    gaps = np.concatenate([np.diff(p.start)[p.days.joined(p.start)] for p in parts] or [np.zeros(0)])
    return float(gaps.std() / gaps.mean()) if gaps.any() else math.nan


def hours(parts: list[EventStream]) -> np.ndarray:
    """Hour of day of each start (n,), 0..23."""
    return np.concatenate([p.start % DAY // HOUR for p in parts] or [np.zeros(0, np.int64)])


def circular_sd(seconds: np.ndarray) -> float:
    """Circular standard deviation [h] of times of day."""
    r = abs(np.exp(2j * np.pi * seconds / DAY).mean())
    return float(math.sqrt(max(0.0, -2 * math.log(r))) * 12 / math.pi) if r > 0 else math.inf


def wake_ups(parts: list[EventStream], sleep: int) -> np.ndarray:
    """Hour [h] at which the last sleep of each whole morning ends."""
    ends: list[float] = []  # the last of each day
    for p in parts:
        end = (p.start + p.length)[p.label == sleep]
        hour = end % DAY / HOUR
        morning = (hour >= MORNING[0]) & (hour < MORNING[1]) & np.isin(end // DAY, p.days.whole)
        ends += {int(d): float(h) for d, h in zip(end[morning] // DAY, hour[morning], strict=True)}.values()
    return np.array(ends)


def persistence(parts: list[EventStream], minutes: int) -> float:
    """Share of moments, `minutes` apart, with the same doing as the moment before; doing nothing counts too."""
    same = total = 0
    for p in parts:
        step = minutes * MINUTE
        # sampled in the middle of ticks that begin with the first act
        # on the days that count, so that an absence takes no memory
        first, day = p.start[0] + step / 2, p.days.number * DAY
        begins = np.r_[0, np.ceil((day[1:] - first) / step)].astype(np.int64)
        ends = np.ceil((np.r_[day[:-1] + DAY, (p.start + p.length).max()] - first) / step).astype(np.int64)
        moment = np.concatenate([np.arange(a, b) for a, b in zip(begins, ends, strict=True)])
        grid = first + moment * step
        i = np.searchsorted(p.start, grid, side="right") - 1
        label = np.where(grid < (p.start + p.length)[i], p.label[i], 0)
        next_to = np.diff(moment) == 1
        same += int((label[1:] == label[:-1])[next_to].sum())
        total += int(next_to.sum())
    return same / total if total else math.nan


# --- information


def entropy(counts: np.ndarray) -> float:
    """Plug-in entropy [bit] of an array of counts."""
    p = np.asarray(counts, float).ravel()
    p = p[p > 0] / p.sum() if p.sum() else p[:0]
    return float(-(p * np.log2(p)).sum())


def jensen_shannon(a: np.ndarray, b: np.ndarray) -> float:
    """Jensen-Shannon divergence [bit] of two arrays of counts."""
    if not a.any() or not b.any():
        return math.nan
    p, q = a / a.sum(), b / b.sum()
    return max(0.0, entropy(p + q) - (entropy(p) + entropy(q)) / 2)


def entropies(label: np.ndarray, hour: np.ndarray) -> tuple[float, float, float]:
    """Entropy [bit] of the labels, given the hour, and given the label before."""
    k = int(label.max()) + 1
    by_hour, by_last = np.zeros((24, k)), np.zeros((k, k))
    np.add.at(by_hour, (hour, label), 1)
    np.add.at(by_last, (label[:-1], label[1:]), 1)
    given_hour = entropy(by_hour) - entropy(by_hour.sum(1))
    return entropy(by_hour.sum(0)), given_hour, entropy(by_last) - entropy(by_last.sum(1))


def lempel_ziv(label: np.ndarray) -> float:
    """Entropy rate [bit per event] by the Lempel-Ziv estimator of Kontoyiannis et al. (1998)."""
    text = "".join(map(chr, (label.astype(int) + 1).tolist()))
    n = len(text)
    if n < 3:
        return math.nan
    total, k = 0, 1
    for i in range(1, n):
        k = max(1, k - 1)  # the shortest new word shrinks by at most one from one place to the next
        while i + k <= n and text.find(text[i : i + k], 0, i) >= 0:
            k += 1
        total += k
    return math.log2(n) * (n - 1) / total


def predictability(rate: float, labels: int) -> float:
    """Limit of top-1 accuracy by Fano's inequality, from an entropy rate [bit] over `labels` labels."""
    if math.isnan(rate) or labels < 2:
        return math.nan
    low, high = 1 / labels, 1.0 - 1e-12
    for _ in range(60):
        p = (low + high) / 2
        bound = -p * math.log2(p) - (1 - p) * math.log2(1 - p) + (1 - p) * math.log2(labels - 1)
        low, high = (p, high) if bound > rate else (low, p)
    return low


def at_size(label: np.ndarray, hour: np.ndarray, n: int) -> tuple[float, float, float, float, float]:
    """Entropies (3), Lempel-Ziv rate and predictability of n events: the mean over blocks that cover the log.

    Plug-in estimates depend on the number of events, so two logs are compared at the same one.
    """
    blocks = np.linspace(0, len(label) - n, math.ceil(len(label) / n)).astype(int)
    rows = []
    for a in blocks:
        part = label[a : a + n]
        rate = lempel_ziv(part[:MOST])
        rows.append((*entropies(part, hour[a : a + n]), rate, predictability(rate, len(np.unique(part)))))
    return tuple(np.mean(rows, axis=0).tolist())


# --- distributions


def kolmogorov_smirnov(a: np.ndarray, b: np.ndarray) -> float:
    """Largest distance between two empirical distribution functions."""
    at = np.concatenate([a, b])
    below = [np.searchsorted(np.sort(x), at, side="right") / len(x) for x in (a, b)]
    return float(np.abs(below[0] - below[1]).max())


def sleep_label(log: ActionLog) -> int:
    """The label that means sleep: of those named so, or else after the bed, the one that takes most time; 0 if there
    is none, as among places."""
    for word in ("sleep", r"(\b|_)bed(\b|_)") if not of_places(log) else ():
        spent = {
            i: float(np.nansum(log.value[(log.kind == USER) & (log.token == i)]))
            for i, name in enumerate(log.vocabulary.actions)
            if re.search(word, name.lower())
        }
        if log.intervals and spent:
            return max(spent, key=lambda i: spent[i])
    return 0


class Statistics(NamedTuple):
    """Of one log; units of `numbers` as in the functions above, NaN where it is too short or has no durations."""

    numbers: dict[str, float]
    hour_profile: np.ndarray  # (24,) events that begin in each hour of the day
    durations: dict[str, np.ndarray]  # label -> (n,) [min]
    start_sd: dict[str, float]  # label -> circular sd of its starts [h]


def statistics(log: ActionLog) -> Statistics:
    """All statistics of a log."""
    parts = [p for p in streams(log) if len(p.start)]
    none = np.zeros(0, np.int64)
    start, length, label = (np.concatenate([none, *(p[i] for p in parts)]) for i in range(3))
    hour, counts = hours(parts), day_counts(parts)
    odd = np.concatenate([(p.start // DAY - p.start[0] // DAY) % 2 == 1 for p in parts] or [np.zeros(0, bool)])
    weekend = start // DAY % 7 >= 5
    names = {int(i): log.vocabulary.actions[i] for i in np.unique(label)}

    def profile(rows: np.ndarray) -> np.ndarray:
        return np.bincount(hour[rows], minlength=24)

    def mix(rows: np.ndarray) -> np.ndarray:
        return np.bincount(label[rows], minlength=len(log.vocabulary))

    h0, given_hour, given_last, rate, limit = at_size(label, hour, len(label)) if len(label) > 2 else [math.nan] * 5
    pairs = {(int(a), int(b)) for p in parts for a, b in zip(p.label[:-1], p.label[1:], strict=True)}
    sleep = sleep_label(log)
    wake = wake_ups(parts, sleep) if sleep else np.zeros(0)
    cv = gap_cv(parts)
    still = {f"same_after_{m}": persistence(parts, m) if log.intervals else math.nan for m in TICKS}
    numbers = {
        "events": len(label),
        "days": sum(len(p.days.number) for p in parts),
        "labels": len(names),
        "per_day_mean": float(counts.mean()) if counts.size else math.nan,
        "per_day_sd": float(counts.std()) if counts.size else math.nan,
        "fano": fano(counts),
        "gap_cv": cv,
        "burstiness": (cv - 1) / (cv + 1),
        "entropy": h0,
        "entropy_given_hour": given_hour,
        "entropy_given_last": given_last,
        "lempel_ziv": rate,
        "predictability": limit,
        **still,
        "nonzero_transitions": len(pairs) / len(names) ** 2 if names else math.nan,
        "profile_odd_even": jensen_shannon(profile(odd), profile(~odd)),
        "profile_weekend": jensen_shannon(profile(weekend), profile(~weekend)),
        "mix_odd_even": jensen_shannon(mix(odd), mix(~odd)),
        "wake_up_mean": float(wake.mean()) if wake.size else math.nan,
        "wake_up_sd": float(wake.std()) if wake.size > 1 else math.nan,
    }
    durations = {name: length[label == i] / MINUTE for i, name in names.items()} if log.intervals else {}
    start_sd = {name: circular_sd(start[label == i] % DAY) for i, name in names.items()}
    return Statistics(numbers, profile(np.ones(len(hour), bool)), durations, start_sd)
