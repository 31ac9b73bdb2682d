"""Random streams: pure functions of their key and index, uniform, independent, and the same for ever."""

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lam_env.core.rng import Stream, Streams, key_of, lognormal, mix

N = 40_000
keys = st.integers(0, 2**64 - 1)


@given(keys, st.integers(0, 2**40), st.integers(0, 40))
def test_a_block_is_its_single_draws(key, start, n):
    stream = Stream(key)
    assert stream.block(start, n).tolist() == [stream.uniform(i) for i in range(start, start + n)]


@given(keys, st.lists(st.integers(0, 2**40), max_size=30))
def test_draws_do_not_depend_on_order_or_on_draws_before(key, indices):
    stream = Stream(key)
    found = {i: stream.uniform(i) for i in indices}
    assert {i: stream.uniform(i) for i in reversed(indices)} == found
    assert {i: Stream(key).uniform(i) for i in indices} == found


@given(keys, st.integers(0, 2**60))
def test_draws_are_inside_the_open_interval(key, index):
    assert 0.0 < Stream(key).uniform(index) < 1.0


def test_each_part_of_the_key_makes_another_stream():
    base = (7, 3, "resident0", "plan")
    others = [
        (8, 3, "resident0", "plan"),
        (7, 4, "resident0", "plan"),
        (7, 3, "resident1", "plan"),
        (7, 3, "resident0", "coins"),
    ]
    found = {key_of(*parts) for parts in (base, *others)}
    assert len(found) == 5
    assert Streams(7, 3)("resident0", "plan").key == key_of(*base)
    draws = Stream(key_of(*base)).block(0, 1000)
    for parts in others:
        assert abs(np.corrcoef(draws, Stream(key_of(*parts)).block(0, 1000))[0, 1]) < 0.12, parts


def test_keys_tell_the_order_and_the_kind_of_their_parts():
    assert key_of(1, 2) != key_of(2, 1)
    assert key_of("1") != key_of(1)
    assert key_of("ab", "c") != key_of("a", "bc")
    assert key_of(0) != key_of(0, 0)
    assert key_of(-1) == key_of(2**64 - 1)  # 64 bits of an integer count


def test_neighbouring_keys_do_not_collide():
    assert (
        len({key_of(s, w, a) for s in range(40) for w in range(40) for a in ("home", "climate", 0, 1)}) == 40 * 40 * 4
    )


@pytest.mark.parametrize("seed", range(4))
def test_draws_are_uniform(seed):
    draws = Streams(seed)("anybody", "uniform").block(0, N)
    counts = np.bincount((draws * 100).astype(int), minlength=100)
    assert 55 < ((counts - N / 100) ** 2 / (N / 100)).sum() < 150  # chi-square, 99 degrees: P(outside) is .001
    gap = np.abs(np.sort(draws) - (np.arange(N) + 0.5) / N).max()
    assert gap < 1.95 / math.sqrt(N)  # Kolmogorov-Smirnov at .001


@pytest.mark.parametrize("lag", [1, 2, 16, 64, 144, 512])
def test_neighbouring_indices_are_independent(lag):
    """Occasions are spaced by powers of two (acts), by 144 (slots of a day): no structure there."""
    draws = Streams(11)("anybody", "lags").block(0, N)
    a, b = draws[:-lag], draws[lag:]
    assert abs(np.corrcoef(a, b)[0, 1]) < 3.3 / math.sqrt(N)
    cells = np.histogram2d(a, b, bins=10, range=((0, 1), (0, 1)))[0]
    assert ((cells - len(a) / 100) ** 2 / (len(a) / 100)).sum() < 150


@pytest.mark.parametrize("stride", [64, 2048, 1 << 20])
def test_the_first_draws_of_occasions_far_apart_are_uniform_too(stride):
    stream = Streams(5)("anybody", "strides")
    draws = np.array([stream.uniform(i * stride) for i in range(10_000)])
    counts = np.bincount((draws * 50).astype(int), minlength=50)
    assert ((counts - 200) ** 2 / 200).sum() < 86  # chi-square, 49 degrees, P = .001
    assert abs(np.corrcoef(draws[:-1], draws[1:])[0, 1]) < 0.033


def test_the_same_occasion_in_neighbouring_worlds_is_independent():
    scores = []
    for purpose in (
        "dislikes",
        "personas",
        "plan",
        "coins",
        "tastes",
        "weather",
        "clouds",
        "delays",
        "ratings",
        "prices",
    ):
        first = np.array([Streams(1, w)("home", purpose).uniform(0) for w in range(3_000)])
        scores.append(math.sqrt(len(first)) * np.corrcoef(first[:-1], first[1:])[0, 1])
        scores.append(math.sqrt(12 * len(first)) * (first.mean() - 0.5))
    assert sum(z * z for z in scores) < 45.3  # chi-square, 20 degrees, P = .001


def test_normal_and_lognormal_are_those_of_the_uniform_draw():
    stream = Stream(99)
    for i in range(50):
        z = NormalDist().inv_cdf(stream.uniform(i))
        assert stream.normal(i) == z
        assert lognormal(stream.uniform(i), 12.0, 0.5) == pytest.approx(12.0 * math.exp(0.5 * z))


def test_mix_is_the_finaliser_of_splitmix64():
    """Reference values: the first outputs of splitmix64 with state 0 (Vigna's splitmix64.c)."""
    golden = 0x9E3779B97F4A7C15
    assert [mix(k * golden) for k in (1, 2, 3)] == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert Stream(0).uniform(0) == ((0xE220A8397B1DCDAF >> 11) + 0.5) * 2.0**-53


def test_values_stay_for_ever():
    """A change here changes every world of every seed: give the environments a new version then."""
    assert key_of(0, 0, "home", "personas") == 9709781104687336554
    assert Streams(0, 0)("home", "personas").uniform(0) == 0.854214139977961
    kept = [0.22668037046344897, 0.5941420738404732, 0.3425020193483657]
    assert Streams(12, 3)("resident1", "plan").block(100, 3).tolist() == kept


def test_bits_are_those_of_the_uniform_draw():
    stream = Stream(key_of(3, "bits"))
    for i in range(50):
        assert 0 <= stream.bits(i) < 2**64
        assert stream.uniform(i) == ((stream.bits(i) >> 11) + 0.5) * 2.0**-53
