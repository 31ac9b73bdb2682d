"""Counts that never stop: known answers, reading equals stepping, no row counts twice, contexts stay apart."""

import bisect
import copy

import numpy as np
import pytest
from bags import VOCABULARY, log_of, random_log, stepped
from hypothesis import given, settings
from hypothesis import strategies as st
from lam_env.agents.counting import backoff
from lam_env.agents.counting.backoff import ACTS, NEXT, BackOff, digits, outcomes, radix
from lam_env.agents.counting.constants import OFF
from lam_env.agents.counting.tables import count_outcomes
from lam_env.agents.plain import pack, unpack
from lam_env.agents.predictors.likelihood import blocks_of
from lam_env.agents.states import plain, restored

from lam_env.core.units import DAY

LEVELS = pytest.mark.parametrize("levels", [NEXT, ACTS], ids=["next", "acts"])
SEEDS = st.integers(0, 2**32 - 1)


def untaught(levels):
    nothing = np.zeros(0, np.int64)
    table = count_outcomes(nothing, nothing, outcomes(levels, VOCABULARY))
    return BackOff(VOCABULARY, dict.fromkeys(levels, 1.0), table)


def taught(levels, points, block=None, factors=None):
    """With factors that nobody chose, 1 each."""
    block = np.zeros(len(points), int) if block is None else block
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backoff, "best_factors", lambda met, size: factors or [1.0] * len(met))
        return BackOff.fit(levels, points, block)


def fitted(levels, points, blocks=3):
    return BackOff.fit(levels, points, blocks_of(points, blocks))


@LEVELS
@settings(max_examples=25)
@given(SEEDS, st.integers(1, 4), st.floats(0, 1))
def test_reading_equals_stepping(levels, seed, worlds, quiet):
    predictor, _ = fitted(levels, random_log(1))
    points = random_log(seed, 60, worlds, quiet)
    read = predictor.read(points).next
    np.testing.assert_allclose(stepped(predictor, points).next, read, atol=1e-5)
    np.testing.assert_allclose(read.sum(1), 1, atol=1e-5)
    assert read.min() > 0


@LEVELS
@settings(max_examples=25)
@given(SEEDS, st.integers(1, 99))
def test_rows_that_are_known_do_not_count_twice(levels, seed, cut):
    """A table of the first rows that goes on with the others has counted what an empty one counts of all: by the
    constants alone they differ."""
    points = random_log(seed, 100, worlds=1)
    known = np.arange(100) < cut
    predictor, _ = taught(levels, points.select(known))
    predictor._kinds = np.ones_like(predictor._kinds)
    said = predictor.read(points, known).next
    expected = untaught(levels).read(points).next
    np.testing.assert_allclose(said[~known], expected[~known], atol=1e-6)
    # without that it is surer of itself
    assert np.abs(predictor.read(points).next[~known] - expected[~known]).max() > 1e-3


def test_interpolation_by_hand():
    points = log_of([[1], [2], [1], [2], [1], [3]])  # targets 2 1 2 1 3 none, all before 3:00
    predictor, _ = taught(NEXT, points)
    said = predictor.read(points, np.ones(6, bool)).next[0]
    p = (np.array([1, 2, 2, 1]) + 5 * 0.25) / 11  # four different ones have followed, and one more
    for _ in range(3):  # the last token; with it the clock, twice
        p = (np.array([0, 0, 2, 1]) + 3 * p) / 6
    for _ in range(3):  # the token before, with the clock, with the one before that: it was a light at first only
        p = (np.array([0, 0, 1, 0]) + 2 * p) / 3
    np.testing.assert_allclose(said, p, atol=1e-6)


def test_a_streams_own_counts_by_hand():
    points = log_of([[1], [2], [1], []])
    said = untaught(NEXT).read(points).next
    np.testing.assert_allclose(said[0], 0.25)
    p = (np.array([0, 1, 1, 0]) + 0.25) / 3  # all that has been: the tv, then the light
    for _ in range(3):
        p = (np.array([0, 0, 1, 0]) + p) / 2  # the light was followed by the tv; before it there was another token
    np.testing.assert_allclose(said[2], p, atol=1e-6)


def test_whether_she_acts_by_hand():
    points = log_of([[1], [2], [], [1]], times=np.arange(4) * 60)
    said = untaught(ACTS).read(points).next[:, 1]
    p = (1 + 0.5) / 2
    for _ in range(3):  # just now something came, in this hour and in its half; only after which token is new
        p = (1 + p) / 2
    np.testing.assert_allclose(said[:3], [0.5, p, (1 + 0.5) / 3])  # a minute of silence is new as well


def test_acts_at_a_known_time_of_the_day():
    half_hours = np.arange(20 * 48) * 1800
    eight = half_hours % DAY == 8 * 3600
    points = log_of([[1] if acts else [] for acts in eight], half_hours)
    train = np.arange(len(points)) < 15 * 48
    predictor, left_out = fitted(ACTS, points.select(train), 5)
    before = np.r_[eight[1:], False]  # the decision point before it
    assert left_out[before[train]].min() > 0.5
    said = predictor.read(points, train).next[:, 1]
    assert said[~train & before].min() > 0.8
    assert said[~train & ~before].max() < 0.05
    # nobody acts in a sixth week: that is learned on the way, without another fit
    silent = log_of([[] for _ in half_hours], half_hours)
    chances = stepped(predictor, silent).next[before, 1]
    assert (np.diff(chances) < 0).all()
    assert chances[-1] < 0.6 < chances[0]


@LEVELS
def test_what_is_said_of_a_block_is_what_the_others_and_its_own_past_say(levels):
    points = random_log(3, 150, worlds=3)
    block = blocks_of(points, 3)  # the worlds: what came last is the same without the others
    size = outcomes(levels, VOCABULARY)
    target = np.minimum(points.target, size - 1)
    factors = [0.5, 2.0, 8.0, 1.0, 0.25, 4.0, 16.0][: len(levels)]
    factors[2] = OFF  # that level says nothing
    predictor, said = taught(levels, points, block, factors)
    assert list(predictor.factors) == [level for level in levels if level != levels[2]]
    for b in range(3):
        others, _ = taught(levels, points.select(block != b), factors=factors)
        rows = np.flatnonzero(block == b)
        expected = others.read(points, known=block != b).next[rows, target[rows]]
        np.testing.assert_allclose(said[rows], expected, rtol=1e-4)
    _, chosen = BackOff.fit(levels, points, block)
    mean = [np.log(0.999 * p + 0.001 / size).mean() for p in (said, chosen)]
    assert mean[0] < mean[1]


def test_within_a_stream_no_other_block_counts_twice():
    """Of one level, which is the same everywhere: (count + c / 4) / (all + c)."""
    points = random_log(6, 90, worlds=1)
    block = blocks_of(points, 3)
    predictor, said = BackOff.fit(("",), points, block)
    for i in (0, 20, 45, 89):
        counted = (block != block[i]) | (np.arange(90) < i)
        hits = (points.target[counted] == points.target[i]).sum()
        constant = predictor.factors[""] * (1 + len(np.unique(points.target[block != block[i]])))
        assert said[i] == pytest.approx((hits + constant / 4) / (counted.sum() + constant))


# contexts as numbers: of a moment that is (tokens, latest first; time; seconds since the last; quiet)
MOMENTS = st.tuples(
    st.tuples(*[st.integers(0, VOCABULARY.n_tokens - 1)] * 3),
    st.integers(0, 30 * DAY),
    st.one_of(st.integers(0, 7 * 3600), st.sampled_from([60, 300, 600, 1800, 3600, 3 * 3600, 6 * 3600])),
    st.booleans(),
)


def context_by_hand(name, moment):
    (last, second, third), time, since, quiet = moment
    clock = time % DAY
    values = {
        **{"quiet": quiet, "last": last, "second": second, "third": third},
        **{"6h": clock // 21_600, "3h": clock // 10_800, "1h": clock // 3600, "half": clock // 1800},
        "since": bisect.bisect([m * 60 for m in (1, 5, 10, 30, 60, 180, 360)], since),
    }
    return name, *(values[word] for word in name.split())


@LEVELS
@settings(max_examples=300)
@given(MOMENTS, MOMENTS)
def test_contexts_have_one_number_if_and_only_if_they_are_the_same(levels, one, other):
    tokens, times, since, quiet = (np.array(column) for column in zip(one, other, strict=True))
    numbers = digits(tokens, times, times - since, quiet) @ radix(levels, VOCABULARY.n_tokens)
    names = [context_by_hand(name, moment) for moment in (one, other) for name in levels]
    flat = numbers.ravel().tolist()
    assert [a == b for a in names for b in names] == [a == b for a in flat for b in flat]


# what is carried


def gone_on(predictor, state, points, rows):
    said = []
    for i in rows:
        prediction, state = predictor.step(state, points.select(np.array([i, i])), np.ones(2, bool))
        said.append(prediction.next)
    return np.stack(said), state


@LEVELS
@pytest.mark.parametrize("how", ["deepcopy", "plain"])
def test_a_copied_state_goes_on_alone(levels, how):
    points = random_log(4, 90, worlds=1, quiet=0.3)
    predictor = untaught(levels)
    _, state = gone_on(predictor, predictor.start(2), points, range(40))
    if how == "deepcopy":
        copied = copy.deepcopy(state)
    else:
        copied = restored(predictor.start(2), unpack(*pack(plain(state))))
    for name, array in vars(state).items():
        assert getattr(copied, name).dtype == array.dtype
        if name != "own":
            np.testing.assert_array_equal(getattr(copied, name), array)
    expected = predictor.read(points).next
    other, _ = gone_on(predictor, copied, points, range(60, 90))
    said, _ = gone_on(predictor, state, points, range(40, 90))
    np.testing.assert_allclose(said[:, 0], expected[40:], atol=1e-5)
    assert np.abs(other[-1] - said[-1]).max() > 1e-4  # it has another past


@LEVELS
def test_reset_makes_rows_fresh_and_leaves_the_state_as_it_is(levels):
    points = random_log(5, 60, worlds=1)
    predictor = untaught(levels)
    _, state = gone_on(predictor, predictor.start(2), points, range(30))
    counted = state.own[0].state_dict()
    after = predictor.reset(state, np.array([True, False]))
    said, _ = gone_on(predictor, after, points, range(30, 60))
    fresh, _ = gone_on(predictor, predictor.start(2), points, range(30, 60))
    np.testing.assert_array_equal(said[:, 0], fresh[:, 0])
    np.testing.assert_allclose(said[:, 1], predictor.read(points).next[30:], atol=1e-5)
    for name, array in state.own[0].state_dict().items():
        np.testing.assert_array_equal(array, counted[name])
