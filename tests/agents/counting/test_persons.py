"""Persons with a repertoire of their own: reading is stepping, nothing is known beforehand, what each has is theirs."""

import copy

import numpy as np
import pytest
from bags import log_of, stepped
from hypothesis import given, settings
from hypothesis import strategies as st
from lam_env.agents.counting import ledger, logit, persons
from lam_env.agents.counting.logit import Choices, fitted
from lam_env.agents.counting.persons import SIZE, Common, Persons, repertoires, suits
from lam_env.agents.plain import pack, unpack
from lam_env.agents.predictors.likelihood import blocks_of, mean_nll
from lam_env.agents.states import plain, restored
from lives import PLACES, lives

from lam_env.core.events import Vocabulary
from lam_env.core.units import DAY


def taught(points, blocks=5):
    return Persons.fit(points, blocks_of(points, blocks))


@pytest.fixture(scope="module")
def model():
    return taught(lives())[0]


# -- reading and stepping ----------------------------------------------------------------------------------------------


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 99), st.integers(1, 4), st.floats(0, 1))
def test_reading_equals_stepping(model, seed, people, quiet):
    points = lives(people, 8, seed, quiet)
    read = model.read(points).next
    np.testing.assert_allclose(stepped(model, points).next, read, atol=1e-6)
    np.testing.assert_allclose(read.sum(1), 1, atol=1e-5)
    assert read.min() >= 0


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 99), st.integers(1, 30), st.floats(0, 1))
def test_rows_that_are_asked_for_are_those_of_all(model, seed, at_once, share):
    points = lives(3, 8, seed)
    asked = np.random.default_rng(seed).random(len(points)) < share
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger, "LARGEST", at_once * len(PLACES))
        found = list(model.blocks(points, asked))
    assert all(len(block) <= at_once for block in found)
    expected = model.read(points).next[asked]
    np.testing.assert_array_equal(np.concatenate([np.zeros((0, len(PLACES))), *found]), expected)


def test_nothing_is_known_beforehand(model):
    points = lives(2, 10, 3)
    whole = model.read(points).next
    first = points.world == 0
    for cut in (1, 7, 39):
        np.testing.assert_array_equal(model.read(points.select(np.arange(cut))).next, whole[:cut])
    np.testing.assert_array_equal(model.read(points.select(~first)).next, whole[~first])  # another person tells nothing


def gone_on(model, state, points, rows):
    said = []
    for i in rows:
        prediction, state = model.step(state, points.select(np.array([i, i])), np.ones(2, bool))
        said.append(prediction.next)
    return np.stack(said), state


@pytest.mark.parametrize("how", ["deepcopy", "plain"])
def test_a_copied_state_goes_on_alone(model, how):
    points = lives(1, 20, 4)
    _, state = gone_on(model, model.start(2), points, range(40))
    if how == "deepcopy":
        copied = copy.deepcopy(state)
    else:
        copied = restored(model.start(2), unpack(*pack(plain(state))))
    other, _ = gone_on(model, copied, points, range(60, 80))
    said, _ = gone_on(model, state, points, range(40, 80))
    np.testing.assert_allclose(said[:, 0], model.read(points).next[40:], atol=1e-6)
    assert np.abs(other[-1] - said[-1]).max() > 1e-4  # it has another past


def test_reset_makes_a_person_fresh_and_leaves_the_state_as_it_is(model):
    points = lives(1, 10, 5)
    _, state = gone_on(model, model.start(2), points, range(30))
    after = model.reset(state, np.array([True, False]))
    assert (state.own[0].heard, after.own[0].heard, after.own[1].heard) == (29, 0, 29)
    said, _ = gone_on(model, after, points, range(30, 40))
    fresh, _ = gone_on(model, model.start(2), points, range(30, 40))
    np.testing.assert_array_equal(said[:, 0], fresh[:, 0])
    np.testing.assert_allclose(said[:, 1], model.read(points).next[30:], atol=1e-6)


# -- what is learned ---------------------------------------------------------------------------------------------------


def test_somebody_never_seen_is_soon_known(model):
    """New places are guessed at; after two weeks hers are hers, and the clock tells work from the weekend."""
    points = lives(1, 30, seed=11)
    said, target = model.read(points).next, points.target
    first, late = np.arange(4), np.arange(80, 119)
    assert mean_nll(said[first], target[first]) > 2
    assert mean_nll(said[late], target[late]) < 0.8
    assert (said[late].argmax(1) == target[late]).mean() > 0.75


def test_what_is_said_of_a_block_rests_on_other_blocks_and_its_own_past():
    points = lives(5, 12)
    model, said = taught(points)
    block = blocks_of(points, 5)
    for b in (0, 3):
        mine = block == b
        alone = Persons(PLACES, persons._table(points.select(~mine)), model.common)
        target = points.target[mine]
        expected = alone.read(points.select(mine)).next[np.arange(mine.sum()), target]
        np.testing.assert_allclose(said[mine], expected, rtol=1e-5)


def test_weights_go_on_with_a_person_who_differs():
    """Most do what they did lately; she never does the same twice running, which no count of others tells."""
    rng = np.random.default_rng(0)
    places = 1 + np.repeat(rng.integers(0, 60, 200), 5)
    crowd = log_of(places[:, None].tolist(), worlds=np.repeat(range(10), 100), vocabulary=PLACES)
    model, _ = taught(crowd)
    odd = log_of([[1 + i % 3] for i in range(300)], vocabulary=PLACES)
    still = Persons(PLACES, model.table, model.common._replace(covariance=np.zeros((SIZE, SIZE))))
    late = slice(100, 299)
    moved, stays = (mean_nll(m.read(odd).next[late], odd.target[late]) for m in (model, still))
    assert moved < stays - 0.01


def test_a_person_who_has_done_everything_does_nothing_new():
    small = Vocabulary(("none", "a", "b"))
    common = Common(np.zeros(SIZE), np.zeros((SIZE, SIZE)))
    points = log_of([[1], [2]] * 4, vocabulary=small)
    model = Persons(small, persons._table(points), common)
    said = model.read(points).next
    np.testing.assert_allclose(said.sum(1), 1, atol=1e-6)
    np.testing.assert_allclose(said[-1, 1:], said[-1, 1])  # weights of zero: all alike
    table = persons._table(points)
    # after a comes b alone; the rest is what is done in all, with a third of each to begin with
    often = (np.array([1, 3, 4]) + 1 / 3) / 9
    np.testing.assert_allclose(model.everybody(1), (np.array([0, 0, 4]) + 4 * often) / 8)
    assert table.total[:, 0].tolist() == [8, 4, 4, 0]


# -- which logs --------------------------------------------------------------------------------------------------------


def test_repertoires_by_hand():
    points = log_of([[1], [2], [], [1], [3], [3], [1]], worlds=[0, 0, 0, 0, 0, 1, 1])
    assert repertoires(points).tolist() == [1, 2, 2, 2, 3, 1, 2]


def test_which_logs_may_be_of_persons():
    points = lives()
    assert suits(points)
    assert not suits(points.select(points.world < 4))  # few persons
    assert not suits(points.select(points.time < DAY))  # hardly anything is done again
    assert not suits(log_of([[1 + i % 80] for i in range(999)], worlds=np.repeat(range(9), 111), vocabulary=PLACES))
    same = lives(1, 30).tokens[:, -1:]  # hundreds do the same
    for people, expected in ((20, True), (400, False)):
        everybody = np.tile(same, (people, 1)).tolist()
        assert suits(log_of(everybody, worlds=np.arange(len(everybody)) // 120, vocabulary=PLACES)) is expected
    few = Vocabulary(("none", *(f"p{i}" for i in range(40))))
    assert not suits(log_of([[1 + i % 2] for i in range(999)], worlds=np.repeat(range(9), 111), vocabulary=few))


# -- the logit ---------------------------------------------------------------------------------------------------------


def test_weights_are_those_that_choices_were_made_by(monkeypatch):
    monkeypatch.setattr(logit, "RIDGE", 1e-6)
    rng, true = np.random.default_rng(0), np.array([1.0, -2.0, 0.5])
    choices = Choices()
    for _ in range(6000):
        x = rng.normal(size=(rng.integers(2, 6), 3))
        choices.add(x, int((x @ true + rng.gumbel(size=len(x))).argmax()))
    weights, covariance = fitted(choices, 3)
    np.testing.assert_allclose(weights, true, atol=0.1)
    # the information of n choices is that of their scores: it says how far off the weights are
    off = (weights - true) / np.sqrt(np.diag(covariance) / 6000)
    assert np.abs(off).max() < 4
    assert np.abs(off).max() > 0.01


def test_of_no_choices_nothing_is_learned():
    weights, covariance = fitted(Choices(), 3)
    assert not weights.any()
    assert not covariance.any()
