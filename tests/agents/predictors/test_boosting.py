"""Boosted trees: features by hand, no look ahead, folds that lack an action, logs that trees do not fit."""

import dataclasses

import numpy as np
import pytest
from bags import log_of, random_log
from hypothesis import given, settings
from hypothesis import strategies as st
from lam_env.agents.predictors.boosting import LAST, BoostedPool, Boosting, features, left_out_of
from lam_env.agents.predictors.likelihood import left_out
from lam_env.agents.predictors.pool import PARTS
from lam_env.agents.predictors.settings import PredictorSettings
from pools import pool_of

from lam_env.core.events import Vocabulary
from lam_env.core.progress import silent
from lam_env.core.units import DAY, HOUR

V = Vocabulary(("none", "tea", "tv"), ("hall",))
NEVER = 7 * 24 * 60  # [min]
FIVE = PredictorSettings(blocks=5, members=2)


def test_features_by_hand():
    at = [8 * HOUR, 8 * HOUR + 90, 20 * HOUR, DAY + 6 * HOUR + 1800]
    points = log_of([[1], [3, 2], [], [1]], at, vocabulary=V)
    points = dataclasses.replace(points, duration=np.array([0, 30, 0, 7], np.float32))
    x = features(points)
    assert x.shape == (4, LAST + 4 + 2 * V.n_tokens)
    last, clock, since, today = np.split(x, [LAST, LAST + 4, LAST + 4 + 4], axis=1)
    assert last.tolist() == [[1, 0, 0, 0, 0], [2, 3, 1, 0, 0], [2, 3, 1, 0, 0], [1, 2, 3, 1, 0]]
    np.testing.assert_allclose(clock[:, 0], [8, 8.025, 20, 6.5])
    assert clock[:, 1].tolist() == [0, 0, 0, 1]  # Monday, Tuesday
    assert clock[:, 2].tolist() == [0, 30, 0, 7]
    assert clock[:, 3].tolist() == [0, 90, 12 * HOUR - 90, 10 * HOUR + 1800]
    assert (since[:, 0] == NEVER).all()
    assert since[:, 1].tolist() == [0, 1.5, 720, 0]
    assert since[:, 2].tolist() == [NEVER, 0, 718.5, 718.5 + 630]
    assert today[:, 1:].tolist() == [[1, 0, 0], [1, 1, 1], [1, 1, 1], [1, 0, 0]]


def test_a_token_of_long_ago_counts_as_never_seen():
    points = log_of([[1], [2], [2]], [0, 6 * DAY, 8 * DAY], vocabulary=V)
    assert features(points)[:, LAST + 4 + 1].tolist() == [0, 6 * 24 * 60, NEVER]


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 59), st.integers(1, 3))
def test_later_rows_and_other_worlds_change_nothing(seed, cut, worlds):
    points, other = random_log(seed, 60, worlds), random_log(seed + 1, 60, worlds)
    first = np.arange(60) < cut
    mixed = {"tokens": np.where(first[:, None], points.tokens, other.tokens), "gap": np.where(first, points.gap, 1)}
    changed = dataclasses.replace(points, **mixed, time=points.time + ~first * 77_000, target=other.target)
    np.testing.assert_array_equal(features(changed)[first], features(points)[first])
    alone = points.select(points.world == points.world[-1])
    np.testing.assert_array_equal(features(points)[-len(alone) :], features(alone))


# -- fits --------------------------------------------------------------------------------------------------------------


def routine(days=10, late=(), seed=0):
    """Tea at 8, tv at 20, tea at 22 or the hall, by chance; `late`: days that end with something else."""
    rng, bags, times = np.random.default_rng(seed), [], []
    for day in range(days):
        last = 4 if day in late else 1
        for hour, token in ((8, 1), (12, 2), (16, 1), (20, 2), (22, last if rng.random() < 0.8 else 3)):
            bags.append([token])
            times.append(day * DAY + hour * HOUR + int(rng.integers(0, 1200)))
    points = log_of(bags, times, vocabulary=Vocabulary(("none", "tea", "tv", "bath", "party")))
    return points.select(np.arange(len(points)) < len(points) - 1)


def test_trees_learn_and_the_same_seed_says_the_same():
    points = routine(20)
    trees, said = Boosting.fit(points, FIVE, 0, silent)
    again, said_again = Boosting.fit(points, FIVE, 0, silent)
    _, said_other = Boosting.fit(points, FIVE, 1, silent)
    read = trees.read(points).next
    np.testing.assert_array_equal(read, again.read(points).next)
    some = np.arange(len(points)) % 3 == 1
    np.testing.assert_array_equal(read[some], trees.read(points, some).next)
    np.testing.assert_array_equal(said, said_again)
    assert (said != said_other).any()
    np.testing.assert_allclose(read.sum(1), 1, atol=1e-5)
    hour = points.time // HOUR % 24
    assert read[hour == 8, 2].min() > 0.8  # the tv comes next
    # what is said of the last blocks was said by the fit that has left them out
    for i, left in enumerate(left_out(points, 5, 2)):
        rows = np.flatnonzero(left)
        alone = Boosting(trees.models[i : i + 1], 5).read(points).next
        np.testing.assert_allclose(said[rows], alone[rows, points.target[rows]], rtol=1e-6)
    assert (said[: rows[0] // 2] == 0).all()
    assert not hasattr(trees, "step")


def test_an_action_that_a_fold_lacks_gets_nothing_there_and_the_pool_stays_positive():
    points = routine(10, late=(8, 9))  # the last block is all there is of parties
    trees, said = Boosting.fit(points, FIVE, 0, silent)
    read = trees.read(points).next
    party = points.target == 4
    last = left_out(points, 5, 2)[1]
    assert party.any()
    assert not (party & ~last).any()
    assert (said[party] == 0).all()
    assert Boosting(trees.models[1:], 5).read(points).next[:, 4].max() == 0
    assert read[:, 4].max() > 0  # the other fit knows it
    pool = pool_of(points, acts=False, members=2, blocks=5)
    valid = points.time >= 8 * DAY
    boosted = BoostedPool.fit(pool, points.select(~valid), points.select(valid), 0)
    assert (boosted.weights > 0).all()
    assert boosted.weights.sum() == pytest.approx(1)
    (said,) = map(boosted.pooled, boosted.parts(points, np.ones(len(points), bool)))
    assert said.min() > 0
    np.testing.assert_allclose(said.sum(1), 1, atol=1e-5)


def test_trees_learn_from_other_homes_which_do_not_drown_ones_own():
    own, others, three = routine(3), routine(60, seed=1), PredictorSettings(blocks=3, members=2)
    alone, _ = Boosting.fit(own, three, 0, silent)
    both, _ = Boosting.fit(own, three, 0, silent, others)
    valid = routine(20, seed=2)
    known = [each.read(valid).next[np.arange(len(valid)), valid.target] for each in (alone, both)]
    assert np.log(known[1]).mean() > np.log(known[0]).mean() + 0.05
    # elsewhere they do something else: it counts as much as one's own, however much there is of it
    strange = dataclasses.replace(others, target=np.full(len(others), 3))
    mixed, _ = Boosting.fit(own, three, 0, silent, strange)
    assert 0.2 < mixed.read(valid).next[:, 3].mean() < 0.85  # by their numbers it would be .97


def test_a_boosted_pool_is_its_parts_weighed_and_only_reads():
    points = routine(10)
    pool, valid = pool_of(points, acts=False, members=2, blocks=5), points.time >= 8 * DAY
    told = []
    boosted = BoostedPool.fit(pool, points.select(~valid), points.select(valid), 0, lambda *a: told.append(a[:3]))
    everything = np.ones(len(points), bool)
    (each,) = boosted.parts(points, everything)
    assert tuple(each) == (*PARTS, "boosting")
    expected = sum(w * p for w, p in zip(boosted.weights, each.values(), strict=True))
    np.testing.assert_array_equal(boosted.pooled(each), expected)
    (some,) = boosted.parts(points, valid)
    for name, said in each.items():
        np.testing.assert_array_equal(some[name], said[valid])
    assert boosted.weights[2] > 0.5  # the networks have learned nothing
    assert told == [("boosting", i, 2) for i in range(3)]
    assert not hasattr(boosted, "step")
    # rows that are known are not counted again
    (once,) = boosted.parts(points, everything, known=everything)
    np.testing.assert_array_equal(once["counts"], pool.counts.read(points, everything).next)


# -- logs that trees do not fit ----------------------------------------------------------------------------------------


def test_why_trees_are_left_out():
    five = pool_of(routine(), acts=False, members=2, blocks=5)
    assert left_out_of(routine(), five) == ""
    many = dataclasses.replace(routine(), vocabulary=Vocabulary(("none", *(f"a{i}" for i in range(201)))))
    assert left_out_of(many, five) == "201 actions are more than 200, and a round grows a tree for each"
    most = dataclasses.replace(routine(), vocabulary=Vocabulary(("none", *(f"a{i}" for i in range(200)))))
    assert left_out_of(most, five) == ""
    points = routine()
    same = dataclasses.replace(points, target=np.where(points.time < 8 * DAY - 2 * HOUR, 1, 2))
    assert left_out_of(same, five) == "in some part of the log nothing is done but one action"
    # with one fit, which leaves the last block out, too; what it leaves out does not matter
    other = dataclasses.replace(points, target=np.where(points.time < 3 * DAY, 1, 2))
    assert left_out_of(other, pool_of(routine(), acts=False, members=1, blocks=5)) == ""


@pytest.mark.parametrize("tokens", [62, 63, 64, 254, 255, 256, 300])
def test_as_many_tokens_as_there_may_be(tokens):
    """As categories, or where a column cannot hold so many, as numbers."""
    vocabulary = Vocabulary(("none", "tea", "tv"), tuple(f"s{i}" for i in range(tokens - 2)))
    bags = [[3 + i // 2 % (tokens - 2)] if i % 2 else [1 + i // 2 % 2] for i in range(2 * tokens)]
    points = log_of(bags, np.arange(len(bags)) * 2 * HOUR, vocabulary=vocabulary)
    assert points.tokens.max() == tokens
    trees, _ = Boosting.fit(points, dataclasses.replace(FIVE, members=1), 0, silent)
    np.testing.assert_allclose(trees.read(points).next.sum(1), 1, atol=1e-5)
