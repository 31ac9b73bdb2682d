"""How much coarser contexts weigh in counts that are interpolated: the constants of greatest likelihood, on rows that
the counts were not made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..predictors.likelihood import smoothed

FACTORS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
OFF = math.inf  # the factor of a level that says nothing
MOST = 100_000  # rows by which factors are chosen
GAIN = 1e-4  # [nats] a round that brings less is the last

Hits = tuple[np.ndarray, np.ndarray]  # of one level, both (n,): counts of each row's target, and of all outcomes


class Met(NamedTuple):
    """Of one level, each (n,): counts of each row's target, counts of all outcomes, and one more than how many
    different ones they are of."""

    hit: np.ndarray
    total: np.ndarray
    kinds: np.ndarray

    def said(self, p: np.ndarray, factor: float) -> np.ndarray:
        """(n,) of the targets, from what coarser levels say, p (n,)."""
        if factor == OFF:
            return p
        constant = factor * self.kinds
        return (self.hit + constant * p) / (self.total + constant)


def best_constant(constants: tuple[float, ...], p: np.ndarray, hits: Sequence[Hits], n_actions: int) -> float:
    """The one constant of the interpolation from p (n,), of the targets, over all levels `hits`."""

    def likelihood(constant: float) -> float:
        q = p
        for hit, total in hits:
            q = (hit + constant * q) / (total + constant)
        return float(np.log(smoothed(q, n_actions)).mean())

    return max(constants, key=likelihood)


def best_factors(levels: Sequence[Met], n_actions: int) -> list[float]:
    """Of each level the factor by which its `kinds` are its constant, or `OFF`, but for the first: by coordinate ascent
    from the best that is one for all."""
    step = max(1, len(levels[0].hit) // MOST)
    some = [Met(*(column[::step] for column in level)) for level in levels]
    start = np.full(len(some[0].hit), 1 / n_actions)

    def likelihood(p: np.ndarray, first: int, factors: Sequence[float]) -> float:
        for level, factor in zip(some[first:], factors[first:], strict=True):
            p = level.said(p, factor)
        return float(np.log(smoothed(p, n_actions)).mean())

    factors = [max(FACTORS, key=lambda factor: likelihood(start, 0, [factor] * len(some)))] * len(some)
    best, before = likelihood(start, 0, factors), -math.inf
    while best - before > GAIN:
        before, p = best, start
        for k, level in enumerate(some):
            for factor in (*FACTORS, OFF) if k else FACTORS:
                if (found := likelihood(level.said(p, factor), k + 1, factors)) > best:
                    best, factors[k] = found, factor
            p = level.said(p, factors[k])
    return factors
