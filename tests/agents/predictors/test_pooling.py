"""How a pool is fitted: weights with known answers, what each part leaves out, few days, the same bytes again."""

import dataclasses
import functools

import numpy as np
import pytest
import torch
from bags import log_of, stepped
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from killed import Dying, Killed
from lam_env.agents.counting.backoff import NEXT, BackOff
from lam_env.agents.counting.persons import Persons
from lam_env.agents.predictors.likelihood import blocks_of, joined, left_out, most_blocks, split_without
from lam_env.agents.predictors.pooling import (
    BELIEF,
    MASS,
    LeftOut,
    counts_of,
    fit_pool,
    nets_left_out_of,
    smoothed,
    weights_of,
)
from lam_env.agents.predictors.settings import PredictorSettings
from lam_env.agents.predictors.store import known
from lives import PLACES, lives
from pools import untrained

from lam_env.core.errors import UserError
from lam_env.core.events import Vocabulary
from lam_env.core.units import DAY, HOUR
from lam_env.logs.decision_points import day_of_target

# -- weights -----------------------------------------------------------------------------------------------------------


def test_a_part_that_is_always_right_gets_nearly_all():
    likelihood = np.array([np.ones(500), np.full(500, 0.01)])
    weights = weights_of(likelihood, np.array([0.1, 0.9]))
    # what is left to the other is its belief, of mass 5 among 505
    np.testing.assert_allclose(weights[1], 0.9 * MASS / (MASS + 500), rtol=0.02)


def test_parts_that_say_the_same_stay_as_they_were_believed_in():
    belief = np.array([0.5, 0.3, 0.2])
    likelihood = np.tile(np.linspace(0.01, 1, 40), (3, 1))
    np.testing.assert_allclose(weights_of(likelihood, 10 * belief), belief)  # its sum does not matter
    np.testing.assert_array_equal(weights_of(np.ones((3, 0)), belief), belief)


@pytest.mark.parametrize("mass", [1.0, 5.0, 50.0])
def test_weights_of_two_parts_of_which_one_is_right_each_time(mass):
    """w = (mass belief + rows) / (mass + all rows)."""
    likelihood = np.array([[1.0] * 30 + [0.0] * 10, [0.0] * 30 + [1.0] * 10])
    weights = weights_of(likelihood, np.array([0.5, 0.5]), mass)
    np.testing.assert_allclose(weights, (mass / 2 + np.array([30, 10])) / (mass + 40))


POSITIVE = st.floats(1e-4, 1)


@given(
    hnp.arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(0, 20)), elements=POSITIVE),
    st.lists(POSITIVE, min_size=4, max_size=4),
    st.floats(0.1, 50),
)
def test_weights_are_shares_and_better_than_the_belief(likelihood, belief, mass):
    belief = np.array(belief[: len(likelihood)])
    belief /= belief.sum()

    def posterior(weights):
        return np.log(weights @ likelihood).sum() + mass * (belief * np.log(weights)).sum()

    weights = weights_of(likelihood, belief, mass)
    assert weights.min() > 0
    assert weights.sum() == pytest.approx(1)
    assert posterior(weights) >= posterior(belief) - 1e-9
    rng = np.random.default_rng(0)
    for other in rng.dirichlet(np.ones(len(belief)), 20):  # it is concave: there is no better place
        assert posterior(weights) >= posterior(np.maximum(other, 1e-12)) - 1e-2


def test_no_probability_is_taken_for_certain():
    np.testing.assert_allclose(smoothed(np.array([0.0, 0.5, 1.0]), 4), [0.00025, 0.49975, 0.99925])


# -- blocks ------------------------------------------------------------------------------------------------------------


def days_log(days, actions=3, worlds=1, timed=False, seed=0):
    """Somebody who does one thing after another from 8:00 to 18:00, nearly always; `timed`: looked at every half hour,
    too. The last row, which has no target, is left out."""
    rng = np.random.default_rng(seed)
    rows = []
    for world in range(worlds):
        for half in range(days * 48):
            hour = half % 48 / 2
            acts = hour in (8, 10, 12, 14, 16, 18)
            token = 1 + (int(hour) // 2 + int(rng.random() < 0.2)) % actions
            if acts or timed:
                rows.append((world, half * 1800, [token] if acts else []))
    world, times, bags = zip(*rows, strict=True)
    vocabulary = Vocabulary(("none", "tea", "tv", "bath")[: actions + 1])
    points = log_of(bags, times, world, vocabulary, 1800 if timed else None)
    return points.select(np.r_[points.world[1:] == points.world[:-1], False])


def parts(points):
    """What trains and what validates: the last day, or the last streams."""
    if points.world[-1]:
        valid = points.world >= points.world[-1] - 1
    else:
        day = day_of_target(points)
        valid = day == day[-1] if day[0] < day[-1] else np.arange(len(points)) >= len(points) // 2
    return points.select(~valid), points.select(valid)


@pytest.mark.parametrize(("worlds", "days"), [(1, 12), (2, 9), (7, 3)])
@pytest.mark.parametrize("members", [1, 3, 5])
def test_rows_are_left_out_once_by_whole_days_or_streams(worlds, days, members):
    points = days_log(days, worlds=worlds)
    block, each = blocks_of(points, 5), left_out(points, 5, members)
    assert set(block) == set(range(5))
    np.testing.assert_array_equal(np.sum(each, axis=0), block >= 5 - members)  # of fewer members the last blocks
    unit = points.world if worlds >= 5 else day_of_target(points)
    for left in each:
        assert set(unit[left]).isdisjoint(unit[~left])
        train, reading, judged = split_without(points, left)
        np.testing.assert_array_equal(train.time, points.time[~left])
        np.testing.assert_array_equal(reading.target[judged], points.target[left])
        # each of its streams is read from its start, and nothing after the last row that judges
        assert set(reading.world) == set(points.world[left])
        assert judged[-1]
        for world in set(reading.world):
            rows = reading.time[reading.world == world]
            np.testing.assert_array_equal(rows, points.time[points.world == world][: len(rows)])
    sizes = np.bincount(block)
    assert sizes.max() <= 2 * sizes.min() + 6


def test_what_trains_and_what_validates_is_all_there_is_in_order():
    points = days_log(6, worlds=3)
    for valid in (points.world == 2, points.time >= 4 * DAY):
        together, judged = joined(points.select(~valid), points.select(valid))
        for name, column in points.columns().items():
            np.testing.assert_array_equal(together.columns()[name], column)
        np.testing.assert_array_equal(judged, valid)


def test_a_day_on_which_nobody_acts_is_no_block_of_its_own():
    points = days_log(4, timed=True)
    night = (day_of_target(points) == 1) | (day_of_target(points) == 2)
    points = dataclasses.replace(
        points, tokens=np.where(night[:, None], 0, points.tokens), target=np.where(night, 0, points.target)
    )
    assert most_blocks(points, 5) == 2
    for block in range(2):
        assert (points.target[blocks_of(points, 2) == block] > 0).any()


def test_what_is_left_out_is_said_by_the_member_that_has_not_seen_it():
    points = days_log(10, timed=True)
    nets = untrained(points, members=3, blocks=5)
    block = blocks_of(points, 5)
    _, counted = BackOff.fit(NEXT, points, block)
    left = LeftOut.of(nets, points, counted)
    np.testing.assert_array_equal(left.rows, (block >= 2) & (points.target > 0))
    rows = np.flatnonzero(left.rows)
    said = [nets.member(block[i] - 2).read(points).next[i, points.target[i]] for i in rows[:: len(rows) // 8]]
    np.testing.assert_allclose(left.likelihood["nets"][:: len(rows) // 8], said, rtol=1e-5)
    np.testing.assert_array_equal(left.likelihood["counts"], counted[rows])
    expected = [smoothed(p, 4) for p in left.likelihood.values()]
    np.testing.assert_array_equal(left.weights(), weights_of(np.stack(expected), np.array([0.4, 0.25])))
    # trees that know everything
    assert left.weights(boosting=np.ones(len(rows))).argmax() == 2
    assert list(BELIEF) == ["nets", "boosting", "counts"]


def test_of_few_days_all_parts_of_a_pool_that_began_elsewhere_count_alike_and_of_many_the_best():
    for n, low, high in ((20, 1 / 3, 0.4), (5000, 0.9, 1.0)):
        left = LeftOut(days_log(1), np.ones(n, bool), {"nets": np.ones(n), "counts": np.full(n, 0.1)}, started=True)
        weights = left.weights(boosting=np.full(n, 0.1))
        assert low < weights[0] < high
        np.testing.assert_allclose(weights[1], weights[2])
        np.testing.assert_allclose(weights.sum(), 1)


def test_a_member_learns_nothing_of_what_it_leaves_out():
    """One pass, so that there is nothing to stop on."""
    points = days_log(10)
    last = blocks_of(points, 5) == 4
    other = dataclasses.replace(points, target=np.where(last, 1 + points.target % 3, points.target))
    one, two = (fitted(log, members=2).networks.nets for log in (points, other))
    same = [
        all(torch.equal(a, b) for a, b in zip(one[m].parameters(), two[m].parameters(), strict=True)) for m in range(2)
    ]
    assert same == [False, True]  # the last member has left the last block out


# -- the whole fit -----------------------------------------------------------------------------------------------------


def quick(points, **more):
    return PredictorSettings.for_log(len(points), True, **{"passes": 1, "hidden": 8, "embedding": 4, **more})


def fitted(points, timed=None, seed=0, checkpoints=None, **more):
    timed = None if timed is None else parts(timed)
    return fit_pool(*parts(points), quick(points, **more), timed, seed, checkpoints=checkpoints)


@pytest.mark.parametrize(("days", "members"), [(9, 5), (4, 4), (2, 2)])
def test_few_days_make_fewer_blocks(days, members):
    points = days_log(days)
    pool = fitted(points)
    assert (pool.networks.settings.members, pool.networks.settings.blocks) == (members, members)
    assert pool.weights.sum() == pytest.approx(1)
    read = pool.read(points)
    np.testing.assert_allclose(read.next.sum(1), 1, atol=1e-5)
    assert pool.acts is None


def test_of_a_single_day_nothing_can_be_left_out():
    with pytest.raises(UserError, match="at least two days or streams, to leave one out; give a longer log") as caught:
        fitted(days_log(1))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("timed", [False, True])
def test_one_action_only(timed):
    points = days_log(6, actions=1)
    pool = fitted(points, days_log(6, actions=1, timed=True) if timed else None, members=2)
    read = pool.read(days_log(6, actions=1, timed=timed))
    assert np.isfinite(read.next).all()
    assert timed or read.next[-1, 1] > 0.5


def test_streams_are_left_out_whole():
    points = days_log(2, worlds=8)
    pool = fitted(points, members=2)
    assert (pool.networks.settings.members, pool.networks.settings.blocks) == (2, 5)
    assert np.isfinite(pool.read(points).next).all()


def test_what_comes_is_learned_from_events_and_when_from_all_moments():
    points, timed = days_log(10), days_log(10, timed=True)
    pool, apart = fitted(points, timed, members=1), fitted(points, members=1)
    # the parts are those of events alone
    files, alone = known(pool), known(apart)
    assert files["model.safetensors"] == alone["model.safetensors"]
    np.testing.assert_array_equal(pool.counts.table.counts, apart.counts.table.counts)
    np.testing.assert_array_equal(pool.weights, apart.weights)
    assert (pool.timer, pool.networks.timer, apart.timer) == (1800, 1800, None)
    said = 1 - pool.read(timed).next[:, 0]
    late, due = timed.time > 8 * DAY, timed.target > 0
    assert said[late & due].min() > 0.7
    assert said[late & ~due].max() < 0.3


@functools.cache
def undisturbed():
    return known(fitted(*KEPT, seed=5, members=2, passes=8))


KEPT = days_log(5), days_log(5, timed=True)


def test_same_seed_same_bytes():
    assert known(fitted(*KEPT, seed=5, members=2, passes=8)) == undisturbed()
    assert known(fitted(*KEPT, seed=6, members=2, passes=8)) != undisturbed()


@pytest.mark.parametrize("ats", [(3,), (5, 9)])
def test_a_fit_that_was_killed_ends_with_the_same_bytes(tmp_path, ats):
    for at in ats:
        with pytest.raises(Killed):
            fitted(*KEPT, seed=5, members=2, passes=8, checkpoints=Dying(tmp_path, at))
    again = Dying(tmp_path)
    assert known(fitted(*KEPT, seed=5, members=2, passes=8, checkpoints=again)) == undisturbed()
    assert not again.from_start


def test_the_nets_of_a_pool_leave_blocks_out():
    """Five a fifth each; a single one a tenth, for it has to do with the rest."""
    for rows, changes, expected in (
        (100, {}, (5, 5)),
        (1_000_000, {}, (1, 10)),
        (100, {"members": 1}, (1, 10)),
        (100, {"members": 7}, (7, 7)),
        (100, {"members": 2}, (2, 5)),
    ):
        chosen = PredictorSettings.for_log(rows, pooled=True, **changes)
        assert (chosen.members, chosen.blocks) == expected
    assert PredictorSettings.for_log(100).blocks == 0
    assert PredictorSettings.for_log(100, pooled=True).hidden < PredictorSettings.for_log(100).hidden
    assert PredictorSettings.for_log(100, pooled=True, hidden=17).hidden == 17
    with pytest.raises(UserError, match="blocks = 2 must be at least members = 3, or 0"):
        PredictorSettings(members=3, blocks=2)


# -- persons of their own ----------------------------------------------------------------------------------------------


def test_the_counts_are_those_that_say_more_of_what_is_left_out():
    own = lives(6, 20)
    for points, kind in ((own, Persons), (days_log(6, worlds=6), BackOff)):
        counts, said = counts_of(points, 5)
        assert type(counts) is kind
        assert said.shape == (len(points),)
    # everybody does the same: a chain of all of them knows better than what each has done
    rng = np.random.default_rng(0)
    chain = rng.permutation(99)[np.cumsum(rng.random((9, 400)) < 0.9, axis=1) % 99] + 1
    same = log_of(chain.reshape(-1, 1).tolist(), worlds=np.repeat(range(9), 400), vocabulary=PLACES)
    assert type(counts_of(same, 5)[0]) is BackOff


def test_a_pool_of_networks_and_persons_steps_as_it_reads():
    points = lives(6, 12)
    pool = fitted(points, members=2)
    assert isinstance(pool.counts, Persons)
    assert pool.weights[1] > 0.5  # a pass teaches networks little
    read = pool.read(points)
    np.testing.assert_allclose(stepped(pool, points).next, read.next, atol=1e-5)
    assert read.hidden.shape == (len(points), 8)


def test_many_places_of_few_persons_each_are_counted_alone():
    places = Vocabulary(("none", *(f"p{i}" for i in range(300))))
    points = lives(6, 12, places=places)
    late = points.time > 9 * DAY
    pool = fit_pool(points.select(~late), points.select(late), quick(points))
    assert pool.nets is None
    assert nets_left_out_of(pool.counts).startswith("300 actions are more than 200, each of which few persons do")
    read = pool.read(points)
    assert (read.soon, read.hidden) == (None, None)
    np.testing.assert_allclose(stepped(pool, points).next, read.next, atol=1e-6)
    (said,) = pool.parts(points, points.time > 9 * DAY)
    assert list(said) == ["counts"]
    np.testing.assert_array_equal(pool.whole(said), read.next[points.time > 9 * DAY])
    # of whom nothing was seen before, such counts say little: networks stay beside them
    others = fitted(points)
    assert isinstance(others.counts, Persons)
    assert others.nets is not None
    # where everybody does all of it, networks have a column for each of two thousand
    many = Vocabulary(("none", *(f"p{i}" for i in range(2001))))
    chain = log_of([[1 + i % 2001] for i in range(4002)], np.arange(4002) * HOUR, vocabulary=many)
    pool = fit_pool(*parts(chain), quick(chain))
    assert pool.nets is None
    assert nets_left_out_of(pool.counts) == "2,001 actions are more than 2,000, and networks have a column for each"
