"""What is said of many outcomes by the few that differ: as it is said of all of them, and in little room."""

import numpy as np
import pytest
from bags import log_of, random_log
from hypothesis import given, settings
from hypothesis import strategies as st
from lam_env.agents.counting import levels as module
from lam_env.agents.counting.backoff import ACTS, NEXT, BackOff
from lam_env.agents.counting.counts import LEVELS
from lam_env.agents.counting.online import counting
from lam_env.agents.predictors.likelihood import blocks_of

from lam_env.core.contracts import Sparse
from lam_env.core.events import Vocabulary

SEEDS, SHARE = st.integers(0, 2**32 - 1), st.floats(0, 1)
# a context has seen many outcomes: any that has seen one; more than a third of them; none
LONG = st.sampled_from([10**6, 3, 1])
IDS = ("markov1", "markov2_clock", "time_table", "markov_online", "most_frequent")


def both(read, rows, long):
    """What is said of the rows, one by one and by the few."""
    with pytest.MonkeyPatch.context() as patch:
        found = list(read(rows))
        patch.setattr(module, "MANY", 1)
        patch.setattr(module, "LONG", long)
        few = list(read(rows))
    assert all(isinstance(block, Sparse) for block in few)
    assert all(isinstance(block, np.ndarray) for block in found)
    assert [len(block) for block in few] == [len(block) for block in found]
    for one, other in zip(few, found, strict=True):
        np.testing.assert_allclose(one.dense(), other, rtol=2e-5, atol=1e-7)
        if len(one.key):  # what is told is no less than what the others say
            row, outcome = np.divmod(one.key, one.common.shape[1])
            assert (np.diff(one.key) > 0).all()
            assert (one.p > one.share[row] * one.common[one.group[row], outcome]).all()
    return few


@pytest.mark.parametrize("name", IDS)
@settings(max_examples=8, deadline=None)
@given(SEEDS, SHARE, LONG)
def test_few_outcomes_say_what_all_do(name, seed, share, long):
    assert name in (*LEVELS, "markov_online")
    predictor, points = counting(name).fit(random_log(1), random_log(2)), random_log(seed, 80)
    rows = np.random.default_rng(seed).random(80) < share
    both(lambda rows: predictor.blocks(points, rows), rows, long)


@pytest.mark.parametrize("contexts", [NEXT, ACTS], ids=["next", "acts"])
@settings(max_examples=12, deadline=None)
@given(SEEDS, SHARE, LONG)
def test_so_do_counts_that_go_on(contexts, seed, share, long):
    train, points = random_log(1), random_log(seed, 80)
    predictor, _ = BackOff.fit(contexts, train, blocks_of(train, 3))
    rng = np.random.default_rng(seed)
    known = rng.random(80) < 0.5
    both(lambda rows: predictor.blocks(points, rows, known), rng.random(80) < share, long)


@pytest.mark.parametrize("name", ["markov3", "markov_online"])
def test_of_thousands_of_outcomes_few_are_told(name):
    """Two hundred rows by five thousand outcomes are a million numbers."""
    vocabulary = Vocabulary(("none", *(f"item{i}" for i in range(5000))))
    items = np.random.default_rng(0).integers(1, 5001, 2000).tolist()
    points = log_of([[i] for i in items], worlds=np.repeat(np.arange(400), 5).tolist(), vocabulary=vocabulary)
    predictor = counting(name).fit(points.select(points.world < 300), points.select(points.world >= 300))
    said = list(predictor.blocks(points, np.arange(2000) >= 1800))
    assert sum(len(block) for block in said) == 200
    assert sum(block.common.size + block.key.size + block.p.size for block in said) < 40_000
    read = predictor.read(points).next
    np.testing.assert_array_equal(np.concatenate([block.dense() for block in said]).astype(np.float32), read[1800:])
    np.testing.assert_allclose(read.sum(1), 1, atol=1e-4)
