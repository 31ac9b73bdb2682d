"""Constants of the interpolation: no other single choice is better, and what misleads is left out."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lam_env.agents.counting.constants import FACTORS, GAIN, OFF, Met, best_constant, best_factors

SEEDS = st.integers(0, 2**32 - 1)


def met(seed, n=200):
    """A level that says something: its counts are draws of what follows in one of a few contexts."""
    rng = np.random.default_rng(seed)
    total = rng.integers(0, 30, n)
    return Met(rng.binomial(total, rng.beta(0.4, 0.8, n)), total, 1 + np.minimum(total, rng.integers(1, 6, n)))


def likelihood(levels, factors, size=10):
    p = np.full(len(levels[0].hit), 1 / size)
    for level, factor in zip(levels, factors, strict=True):
        p = level.said(p, factor)
    return np.log(0.999 * p + 0.001 / size).mean()


@given(SEEDS, st.integers(1, 4))
def test_no_other_factor_of_one_level_is_better(seed, n_levels):
    levels = [met(seed + k) for k in range(n_levels)]
    factors = best_factors(levels, 10)
    best = likelihood(levels, factors)
    assert factors[0] != OFF
    for k in range(n_levels):
        for other in (*FACTORS, OFF) if k else FACTORS:
            assert likelihood(levels, [*factors[:k], other, *factors[k + 1 :]]) < best + GAIN
    assert best >= max(likelihood(levels, [factor] * n_levels) for factor in FACTORS) - 1e-12


def test_by_hand():
    level = Met(np.array([3, 0]), np.array([4, 2]), np.array([3, 2]))
    np.testing.assert_allclose(level.said(np.array([0.5, 0.1]), 2.0), [(3 + 6 * 0.5) / 10, (0 + 4 * 0.1) / 6])
    np.testing.assert_array_equal(level.said(np.array([0.5, 0.1]), OFF), [0.5, 0.1])


def test_a_level_that_misleads_says_nothing_and_a_second_count_of_the_same_does_not_help():
    one = met(1)
    wrong = Met(np.zeros(200, int), np.full(200, 50), np.full(200, 5))
    factors = best_factors([one, wrong], 10)
    assert factors == [*best_factors([one], 10), OFF]
    twice = best_factors([one, one], 10)
    assert likelihood([one, one], twice) <= likelihood([one], best_factors([one], 10)) + 0.01


def test_of_many_rows_some_tell_the_factors():
    one = met(2, 150)
    many = Met(*(np.tile(column, 2000) for column in one))
    assert best_factors([many, many], 10) == best_factors([Met(*(column[::3] for column in many))] * 2, 10)


def test_one_constant_for_all():
    hits = [(np.array([0, 4]), np.array([2, 4])), (np.array([1, 0]), np.array([1, 3]))]
    p = np.array([0.3, 0.3])

    def score(c):
        q = p
        for hit, total in hits:
            q = (hit + c * q) / (total + c)
        return math.log(0.999 * q[0] + 0.0001) + math.log(0.999 * q[1] + 0.0001)

    constants = (0.5, 1.0, 4.0, 64.0)
    assert best_constant(constants, p, hits, 10) == pytest.approx(max(constants, key=score))
