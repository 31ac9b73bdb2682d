"""A pool of networks and counts: reading equals stepping, with and without a timer; what it carries; what it says."""

import copy
import dataclasses

import numpy as np
import pytest
from bags import VOCABULARY, log_of, random_log, stepped
from hypothesis import given, settings
from hypothesis import strategies as st
from lam_env.agents.carry import carried, plain, update
from lam_env.agents.plain import pack, unpack
from lam_env.agents.predictors.likelihood import mean_nll
from lam_env.agents.predictors.pool import PARTS, Pool
from lam_env.agents.predictors.settings import CORES
from people import VOCABULARY as OF_PERSONS
from pools import pool_of, untrained

from lam_env.core.events import Vocabulary
from lam_env.core.observation import WINDOW

PATIENT = dataclasses.replace(VOCABULARY, patience=(0, 300, 900, 4500))
BOTH = pytest.mark.parametrize("acts", [False, True], ids=["events alone", "timer"])


def timed_log(seed=0, **more):
    return random_log(seed, **{"n": 90, "quiet": 0.6, "vocabulary": PATIENT, "timer": 900, **more})


# -- reading and stepping ----------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("core", CORES)
def test_reading_equals_stepping(core, acts):
    pool, points = pool_of(timed_log(), acts, core=core), timed_log(1)
    read, said = pool.read(points), stepped(pool, points)
    for name, part in read._asdict().items():
        np.testing.assert_allclose(getattr(said, name), part, atol=1e-4, err_msg=name)
    assert read.hidden.shape == (len(points), pool.n_hidden) == (len(points), 8)
    assert read.next.std(0).min() > 1e-3
    assert pool.read(points, hidden=False).hidden is None


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.floats(0, 1))
def test_reading_equals_stepping_whenever_something_happens(seed, worlds, quiet):
    pool, points = pool_of(timed_log()), timed_log(seed, n=40, worlds=worlds, quiet=quiet)
    np.testing.assert_allclose(stepped(pool, points).next, pool.read(points).next, atol=1e-4)


@BOTH
def test_probabilities(acts):
    pool, points = pool_of(timed_log(), acts), timed_log(2)
    read = pool.read(points)
    np.testing.assert_allclose(read.next.sum(1), 1, atol=1e-5)
    assert read.next.min() > 0
    assert read.soon.min() >= 0
    assert read.soon.max() <= 1
    if acts:
        np.testing.assert_allclose(read.next[:, 0], pool.acts.read(points).next[:, 0], atol=1e-6)
        # the factor says when, the parts say what: as they said at the last moment at which something came
        quiet = np.flatnonzero((points.tokens[1:, -1] == 0) & (np.diff(points.world) == 0)) + 1
        given_acts = read.next[:, 1:] / read.next[:, 1:].sum(1, keepdims=True)
        np.testing.assert_allclose(given_acts[quiet], given_acts[quiet - 1], atol=1e-5)
        assert np.abs(read.next[quiet] - read.next[quiet - 1]).max() > 1e-3


def test_what_comes_soon_is_what_comes_at_one_of_the_moments_until_then():
    pool, points = pool_of(timed_log()), timed_log(2)
    read = pool.read(points)
    acts = 1 - read.next[:, 0]
    # 300 s: the next of the timer's moments, of 900 s, is the nearest there is; 4500 s: five of them
    for action, moments in ((1, 1), (2, 1), (3, 5)):
        share = read.next[:, action] / acts
        np.testing.assert_allclose(read.soon[:, action], share * (1 - (1 - acts) ** moments), rtol=1e-4)
    assert (read.soon[:, 0] == 0).all()


def test_where_hardly_anything_is_ever_done_probabilities_still_sum_to_one():
    """A sensor sees something thousands of times before she acts: "none" is 1 but for what rounding takes."""
    points = log_of([[4] if i % 3 else [] for i in range(6000)] + [[1], [4]], timer=600)
    pool = pool_of(points)
    pool = Pool(pool.networks, pool.counts, np.array([0.0, 1.0]), pool.acts)
    assert pool.counts.read(points).next[:, 0].max() == 1
    read = pool.read(points)
    np.testing.assert_allclose(read.next.sum(1), 1, atol=1e-5)
    assert np.isfinite(read.soon).all()


def test_rows_that_are_known_are_not_counted_again():
    pool, points = pool_of(timed_log()), timed_log(0)
    known = np.arange(len(points)) < 60
    twice, once = pool.read(points), pool.read(points, known=known)
    first = points.world == points.world[0]
    assert np.abs(twice.next - once.next)[known & first].max() > 1e-3
    only = pool.read(points, known=np.ones(len(points), bool)).next
    np.testing.assert_array_equal(once.next[known], only[known])
    # neither when it happens nor what it is
    for read in (once, twice):
        read.next[:, 1:] /= read.next[:, 1:].sum(1, keepdims=True)
    assert np.abs(twice.next - once.next)[known & first, 1:].max() > 1e-3


def test_an_empty_log_is_read():
    for acts in (False, True):
        assert pool_of(timed_log(), acts).read(timed_log().select(slice(0, 0))).next.shape == (0, 4)


# -- the pool and its parts --------------------------------------------------------------------------------------------


@given(st.floats(0, 1), st.integers(0, 99))
@settings(max_examples=20)
def test_a_pool_loses_no_more_than_its_parts_on_average(weight, seed):
    """Jensen: so it is never worse than the worst of them."""
    pool, points = pool_of(timed_log(), acts=False), timed_log(seed, n=40)
    pool = Pool(pool.networks, pool.counts, np.array([weight, 1 - weight]))
    (parts,) = pool.parts(points, np.ones(len(points), bool))
    losses = [mean_nll(p, points.target) for p in parts.values()]
    assert mean_nll(pool.read(points).next, points.target) <= np.dot(pool.weights, losses) + 1e-4


@BOTH
def test_with_all_weight_a_part_speaks_alone(acts):
    pool, points = pool_of(timed_log(), acts), timed_log(3)
    for name, weights in zip(PARTS, ((1, 0), (0, 1)), strict=True):
        alone = Pool(pool.networks, pool.counts, np.array(weights))
        (said,) = alone.parts(points, np.ones(len(points), bool))
        np.testing.assert_allclose(alone.read(points).next, said[name], atol=1e-7)
    assert alone.given_acts.acts is None


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("more", [{}, {"readout": 0, "recency": True}], ids=["readout", "no readout, recency"])
def test_members_stepped_as_one_batch_say_their_mean(core, more):
    points = timed_log()
    together = untrained(points, core=core, members=3, **more)
    said = stepped(together, points)
    alone = [stepped(together.member(i), points) for i in range(3)]
    np.testing.assert_allclose(said.next, np.mean([a.next for a in alone], axis=0), atol=1e-5)
    np.testing.assert_allclose(said.soon, np.mean([a.soon for a in alone], axis=0), atol=1e-5)
    np.testing.assert_allclose(said.hidden, np.concatenate([a.hidden for a in alone], axis=1), atol=1e-5)
    assert np.abs(alone[0].next - alone[1].next).max() > 1e-2


def test_a_vocabulary_of_one_action():
    vocabulary = Vocabulary(("none", "tea"))
    points = timed_log(vocabulary=vocabulary)
    read = pool_of(points).read(points)
    np.testing.assert_allclose(read.next.sum(1), 1, atol=1e-6)
    np.testing.assert_allclose(read.soon[:, 1], read.next[:, 1], atol=1e-6)  # patience: 300 s, the timer 900 s


# -- what it carries ---------------------------------------------------------------------------------------------------


def gone_on(pool, state, points, rows):
    """Two streams alike -> what is said of them, (rows, 2, A), and the state."""
    said = []
    for i in rows:
        prediction, state = pool.step(state, points.select(np.array([i, i])), np.ones(2, bool))
        said.append(prediction.next)
    return np.stack(said), state


@BOTH
@pytest.mark.parametrize("core", ["lstm", "transformer"])
def test_a_copy_of_the_state_leaves_it_alone(core, acts):
    points = timed_log(4, worlds=1)
    pool = pool_of(timed_log(), acts, core=core)
    _, state = gone_on(pool, pool.start(2), points, range(30))
    gone_on(pool, copy.deepcopy(state), points, range(60, 90))
    said, _ = gone_on(pool, state, points, range(30, 60))
    np.testing.assert_allclose(said[:, 0], pool.read(points).next[30:60], atol=1e-4)


@BOTH
def test_reset_makes_rows_fresh(acts):
    points = timed_log(4, worlds=1)
    pool = pool_of(timed_log(), acts)
    _, state = gone_on(pool, pool.start(2), points, range(30))
    after, _ = gone_on(pool, pool.reset(state, np.array([True, False])), points, range(30, 60))
    fresh, _ = gone_on(pool, pool.start(2), points, range(30, 60))
    np.testing.assert_allclose(after[:, 0], fresh[:, 0], atol=1e-6)
    np.testing.assert_allclose(after[:, 1], pool.read(points).next[30:60], atol=1e-4)
    assert np.abs(after[:, 0] - after[:, 1]).max() > 1e-2


def observation(users, token, time):
    n = len(users)
    epoch, seen = np.zeros((n, 5), np.int64), np.zeros((n, WINDOW), np.int64)
    epoch[:, 0], epoch[:, 1], epoch[:, 2], epoch[:, 3], seen[:, -1] = time, 60, users, token > 0, token
    return {"tokens": seen, "epoch": epoch, "context": np.zeros((n, len(OF_PERSONS.readings)), np.float32)}


@BOTH
def test_a_world_of_persons_goes_on_from_plain_data(acts):
    """As from a checkpoint: persons, a reset and quiet moments among what has been."""
    rng = np.random.default_rng(0)
    pool, carry = pool_of(timed_log(vocabulary=OF_PERSONS), acts), None
    steps = [
        observation(rng.integers(0, 3, 2), rng.integers(0, 4, 2) * rng.integers(0, 2, 2), 60 * t) for t in range(60)
    ]
    for t, shown in enumerate(steps[:40]):
        carry = update(pool, shown, carry, np.array([False, t == 20]))
    again = carried(pool, unpack(*pack(plain(carry))), 2)
    assert again.people == carry.people >= 3
    for shown in steps[40:]:
        carry, again = (update(pool, shown, state, np.zeros(2, bool)) for state in (carry, again))
        for one, other in zip(carry.said, again.said, strict=True):
            np.testing.assert_array_equal(one, other)
    assert carried(pool, plain(None), 2) is None
