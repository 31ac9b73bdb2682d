"""What is done next, as weights: by the hour and by the act before, fitted together as a log-linear model (generalised
iterative scaling, Darroch and Ratcliff 1972)."""

from __future__ import annotations

import numpy as np

from lam_env.logs.nights import Acts

FEWEST = 10  # cases from which anything is estimated
BOUND = 10.0  # by which an hour or the act before makes an act more or less likely at most: hours that lend each other
# cases would have others grow without end
SEQUEL = 0.1  # weight of what follows an act at any hour, beside the weights by hour, which sum to 1
NIGHT = 24  # context after the 24 hours: the night


def choice_weights(
    acts: Acts, context: np.ndarray, free: np.ndarray, k: int, sleep: int, rounds: int = 12
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Weights by hour (24, K) and of the night (K,), follow factors (K, K), `again` (K,) and `sequel` (K, K): by
    expectation and maximisation, as a return to the act before the last may come from either.
    """
    label = acts.label
    rows = np.flatnonzero(free[2:] & acts.joined[1:] & acts.joined[:-1]) + 2
    before, last, now, when = label[rows - 2], label[rows - 1], label[rows], context[rows]
    may = (when != NIGHT) & (before != last) & (before != sleep) & free[rows - 2]
    back = may & (now == before)
    again = np.zeros(k)
    chance = np.bincount(before[may], minlength=k)
    weight, follow = np.ones((25, k)), np.ones((k, k))
    for i in range(rounds):
        p = weight[when] * follow[last]
        p = p[np.arange(len(rows)), now] / np.maximum(p.sum(1), 1e-300)
        r = again[before] if i > 1 else np.full(len(rows), 0.3)
        returned = np.where(back, r / np.maximum(r + (1 - r) * p, 1e-300), 0.0) if i else np.zeros(len(rows))
        again = np.bincount(before, returned, minlength=k) / (chance + FEWEST)
        weight, follow = _weights(when, last, now, 1 - returned, k)
    pairs = np.zeros((k, k))
    day = when != NIGHT
    np.add.at(pairs, (last[day], now[day]), 1)
    return weight[:24], weight[24], follow, again, SEQUEL * pairs / np.maximum(pairs.sum(1, keepdims=True), 1)


def _weights(
    context: np.ndarray, last: np.ndarray, following: np.ndarray, count: np.ndarray, k: int, rounds: int = 60
) -> tuple[np.ndarray, np.ndarray]:
    """P(next | context, last) ~ weight[context, next] x follow[last, next]: (25, K) and (K, K)."""
    cases = np.zeros((25, k, k))
    np.add.at(cases, (context, last, following), count)
    times, by_context, by_last = cases.sum(2), cases.sum(1), cases.sum(0)
    blurred = by_context.copy()  # hours are few: let neighbours help
    blurred[:24] = 0.6 * by_context[:24] + 0.2 * (np.roll(by_context[:24], 1, 0) + np.roll(by_context[:24], -1, 0))
    blurred *= by_context.sum(1, keepdims=True) / np.maximum(blurred.sum(1, keepdims=True), 1e-12)
    mix = by_last.sum(0) / max(by_last.sum(), 1)
    weight, follow = np.tile(mix, (25, 1)), np.ones((k, k))
    prior = 0.5 * mix + 1e-9
    for _ in range(rounds):
        for table, target, axis in ((weight, blurred, 1), (follow, by_last, 0)):
            p = weight[:, None, :] * follow[None]
            p *= (times / np.maximum(p.sum(2), 1e-300))[:, :, None]
            table *= np.sqrt((target + prior) / (p.sum(axis) + prior))
            usual = mix if table is weight else 1.0
            np.clip(table, usual / 100, usual * BOUND, out=table)
    return weight, follow
