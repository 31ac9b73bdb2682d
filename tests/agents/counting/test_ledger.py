"""What a stream has done, by context: as counting by hand, whole or in pieces, with and without forgetting."""

import copy
from collections import Counter, defaultdict

import numpy as np
import pytest
from bags import random_log
from hypothesis import given
from hypothesis import strategies as st
from lam_env.agents.counting import ledger as module
from lam_env.agents.counting.ledger import CountsSoFar, Ledger, pieces
from lam_env.agents.counting.tables import count_outcomes
from lam_env.agents.plain import pack, unpack

EVENTS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), max_size=60)  # context, outcome


def dense(ledger, contexts, size):
    level, outcome, counts = ledger.of(contexts)
    out = np.zeros((len(contexts), size, counts.shape[1]))
    out[level, outcome] = counts
    return out


def matrix(followed, n, size):
    """(n, size) of counts none of which is told twice."""
    row, outcome, count = followed
    assert (count > 0).all()
    out = np.zeros((n, size))
    np.add.at(out, (row, outcome), count)
    np.testing.assert_array_equal(followed.total(n), out.sum(1))
    for k in range(size):
        np.testing.assert_array_equal(followed.hits(np.arange(n), np.full(n, k), size), out[:, k])
    return out


@given(EVENTS, st.sampled_from([(1.0,), (1.0, 0.9, 0.5), (0.97,)]))
def test_counts_are_those_of_one_loop(events, decays):
    """Each count of a context is multiplied whenever the context comes, and the outcome's is one more."""
    ledger, by_hand = Ledger(decays), defaultdict(lambda: np.zeros((5, len(decays))))
    for context, outcome in events:
        ledger.add([context, -1 - context], outcome)
        by_hand[context] *= decays
        by_hand[context][outcome] += 1
    for again in (ledger, copy.deepcopy(ledger), Ledger.of_state(unpack(*pack(ledger.state_dict())))):
        found = dense(again, [3, 0, 1, -1, 2, 99], 5)
        for row, context in zip(found, [3, 0, 1, 0, 2, 99], strict=True):
            np.testing.assert_allclose(row, by_hand[context], rtol=1e-12)


def test_a_copy_goes_on_alone():
    one = Ledger()
    one.add([7], 1)
    other = copy.deepcopy(one)
    other.add([7], 2)
    assert dense(one, [7], 3)[0, :, 0].tolist() == [0, 1, 0]
    assert dense(other, [7], 3)[0, :, 0].tolist() == [0, 1, 1]


def test_what_decays_is_forgotten_in_the_end_and_what_does_not_never():
    ledger = Ledger((1.0, 0.9))
    ledger.add([0], 1)
    for _ in range(5000):
        ledger.add([0], 2)
    found = dense(ledger, [0], 3)[0]
    assert found[1].tolist() == [1, 0]
    np.testing.assert_allclose(found[2], [5000, 10])


def test_room_is_taken_by_what_was_met_alone():
    """Thirty thousand outcomes: a matrix of contexts by outcomes would hold nearly a thousand million numbers."""
    rng, ledger = np.random.default_rng(0), Ledger()
    for context, outcome in zip(range(30_000), rng.integers(0, 30_000, 30_000).tolist(), strict=True):
        ledger.add([context], outcome)
    assert sum(array.nbytes for array in ledger.state_dict().values()) < 4_000_000
    assert ledger.of([5])[2].tolist() == [[1]]


@given(st.integers(0, 99), st.integers(1, 40), st.floats(0, 1))
def test_counts_so_far_do_not_depend_on_the_pieces(seed, rows, share):
    points, rng = random_log(seed, 60, 3), np.random.default_rng(seed)
    context, follows = rng.integers(0, 4, (2, 60))
    known, asked = rng.random(60) < 0.3, rng.random(60) < share
    so_far, counts, expected = CountsSoFar(points, context, follows, 4, known), defaultdict(Counter), []
    for i in range(60):
        expected.append([counts[points.world[i], context[i]][y] for y in range(4)])
        if not known[i]:
            counts[points.world[i], context[i]][follows[i]] += 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "LARGEST", 4 * rows)
        cuts = list(pieces(asked, 4))
    assert all(len(at) <= rows for at in cuts)
    assert [i for at in cuts for i in at] == np.flatnonzero(asked).tolist()
    found = [matrix(so_far.of(at), len(at), 4) for at in cuts]
    np.testing.assert_array_equal(np.concatenate([np.zeros((0, 4)), *found]), np.array(expected)[asked])


@given(EVENTS)
def test_a_table_is_the_matrix_of_its_counts(events):
    key, outcome = np.array(events, np.int64).reshape(-1, 2).T * np.array([[10], [1]])
    counts = np.zeros((4, 5))
    np.add.at(counts, (key // 10, outcome), 1)
    table = count_outcomes(key, outcome, 5)
    asked = np.array([20, 0, 35, 10, 30, -7])
    rows = table.rows(asked)
    expected = [counts[k // 10] if k in key else np.zeros(5) for k in asked.tolist()]
    np.testing.assert_array_equal(matrix(table.of_rows(rows), 6, 5), expected)
    np.testing.assert_array_equal(table.total[rows, 0], np.sum(expected, 1))
    for y in range(5):
        np.testing.assert_array_equal(table.hits(rows, np.full(6, y)), np.array(expected)[:, y])
