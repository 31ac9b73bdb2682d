"""Counting predictors: known answers, reading equals stepping, smoothing, the online chain."""

import numpy as np
import pytest
from bags import VOCABULARY, log_of, random_log, stepped
from hypothesis import given
from hypothesis import strategies as st
from lam_env.agents.counting.counts import ALPHAS, LEVELS, CountPredictor
from lam_env.agents.counting.history import DEPTH, of_log, push
from lam_env.agents.counting.online import OnlineMarkov, counting
from lam_env.agents.predictors.likelihood import mean_nll, split_of

from lam_env.core.units import DAY
from lam_env.logs.decision_points import BAG

IDS = (*LEVELS, "markov_online")


@pytest.mark.parametrize("name", IDS)
def test_reading_equals_stepping(name):
    train, other = random_log(1), random_log(2)
    predictor = counting(name).fit(train, other)
    read = predictor.read(other).next
    assert read.shape == (len(other), len(VOCABULARY))
    np.testing.assert_allclose(stepped(predictor, other).next, read, atol=2e-6)
    np.testing.assert_allclose(read.sum(1), 1, atol=1e-5)
    assert read.min() > 0


@given(st.lists(st.lists(st.integers(1, 5), max_size=BAG), min_size=1, max_size=12))
def test_history_is_the_last_tokens_of_the_stream(bags):
    points = log_of(bags)
    history = of_log(points)
    last, said = np.zeros((1, DEPTH), np.int64), []
    for i, bag in enumerate(bags):
        said += bag
        want = ([0] * DEPTH + said)[-DEPTH:][::-1]
        last = push(last, points.tokens[i : i + 1])
        assert last[0].tolist() == want == history.last[i].tolist()
        assert history.quiet[i] == (not bag)


def test_history_does_not_leak_between_worlds():
    history = of_log(log_of([[1], [2], [3], [], [4]], worlds=[0, 0, 1, 1, 2]))
    assert history.last.tolist() == [[1, 0, 0], [2, 1, 0], [3, 0, 0], [3, 0, 0], [4, 0, 0]]


@pytest.mark.parametrize(("name", "plain"), [("time_table", ("", "quiet")), ("markov2_clock", LEVELS["markov2"])])
def test_without_a_clock_no_context_counts_twice(name, plain):
    bags = [[1 + i * i % 5 % 3] for i in range(60)]
    order, clock = (log_of(bags, np.arange(60) * step) for step in (7 * DAY, 5 * 3600))
    nothing = order.select(slice(0, 0))
    assert counting(name).fit(order, nothing).levels == plain
    assert counting(name).fit(clock, nothing).levels == LEVELS[name]
    online = OnlineMarkov().fit(order, nothing)
    assert online.own_levels == ("quiet last", "quiet last second")
    np.testing.assert_allclose(stepped(online, order).next, online.read(order).next, atol=2e-6)


def test_most_frequent_is_the_smoothed_frequency():
    train = log_of([[1], [1], [1], [2]])  # targets: 1, 1, 2 and, last, none
    predictor = CountPredictor("most_frequent").fit(train, train.select(slice(0, 0)))
    assert predictor.alpha == 1.0  # nothing to choose it on
    np.testing.assert_allclose(predictor.read(train).next[0], [1.25 / 5, 2.25 / 5, 1.25 / 5, 0.25 / 5], atol=1e-6)


def test_interpolation_by_hand():
    train = log_of([[1], [2], [1], [2], [1], [3]])
    predictor = CountPredictor("markov1").fit(train, train.select(slice(0, 0)))
    base = (np.array([1, 2, 2, 1]) + 0.25) / 7  # targets 2 1 2 1 3 none
    base = (np.array([1, 2, 2, 1]) + base) / 7  # never quiet: the same counts again
    after_1 = (np.array([0, 0, 2, 1]) + base) / 4
    np.testing.assert_allclose(predictor.read(train).next[0], after_1, atol=1e-6)


def test_an_order_two_chain_needs_order_two():
    # after 1 comes 2 or 3 in turn: only the token before 1 tells
    train = log_of([[t] for t in (1, 2, 1, 3) * 60])
    score = {
        n: mean_nll(counting(n).fit(train, train).read(train).next, train.target)
        for n in ("markov1", "markov2", "markov3")
    }
    assert score["markov1"] > 0.3
    assert score["markov2"] < 0.05
    assert score["markov3"] < 0.05


def test_the_clock_tells_morning_from_evening():
    times = np.sort(np.r_[np.arange(40) * 86_400 + 8 * 3600, np.arange(40) * 86_400 + 20 * 3600])
    bags = [[4]] + [[1] if i % 2 else [2] for i in range(1, 80)]
    train = log_of(bags, times)
    p = counting("time_table").fit(train, train).read(train).next
    assert p[2, 1] > 0.9  # morning: the light comes next
    assert p[3, 2] > 0.9
    flat = counting("most_frequent").fit(train, train).read(train).next
    assert flat[2, 1] < 0.6


def test_quiet_decisions_keep_the_history_but_are_a_context_of_their_own():
    # a light is followed by nothing, then, from the quiet decision point, by the tv
    train = log_of([[1], [], [2], []] * 50)
    p = counting("markov1").fit(train, train).read(train).next
    assert p[4].argmax() == 0
    assert p[5].argmax() == 2
    assert p[7].argmax() == 1


@pytest.mark.parametrize("name", ["markov2", "markov_online"])
def test_inactive_streams_keep_their_state(name):
    points = random_log(3, n=60, worlds=1)
    predictor = counting(name).fit(points, points)
    state = predictor.start(2)
    for i in range(30):
        row = points.select(np.array([i, 30 + i]))
        _, state = predictor.step(state, row, np.array([True, False]))
    fresh = predictor.start(1)
    late, _ = predictor.step(state, points.select(np.array([40, 40])), np.array([False, True]))
    want, _ = predictor.step(fresh, points.select(np.array([40])), np.array([True]))
    np.testing.assert_allclose(late.next[1], want.next[0])


@pytest.mark.parametrize("name", ["markov3", "markov_online"])
def test_reset_makes_rows_fresh(name):
    points = random_log(4, n=60, worlds=1)
    predictor = counting(name).fit(points, points)
    state = predictor.start(2)
    for i in range(20):
        _, state = predictor.step(state, points.select(np.array([i, i])), np.ones(2, bool))
    state = predictor.reset(state, np.array([True, False]))
    quiet = int(np.flatnonzero(points.tokens[:, -1] == 0)[0])  # only the history can tell the two rows apart
    said, _ = predictor.step(state, points.select(np.array([quiet, quiet])), np.ones(2, bool))
    fresh, _ = predictor.step(predictor.start(1), points.select(np.array([quiet])), np.ones(1, bool))
    np.testing.assert_allclose(said.next[0], fresh.next[0])
    assert np.abs(said.next[1] - fresh.next[0]).max() > 1e-3


def test_the_online_chain_learns_a_stream_that_differs_from_the_population():
    crowd = log_of([[1], [2]] * 200)
    odd = log_of([[1], [3]] * 200, worlds=np.full(400, 7))
    online = OnlineMarkov().fit(crowd, odd)
    still = counting("markov2_clock").fit(crowd, odd)
    late = slice(300, 399)
    gain = mean_nll(still.read(odd).next[late], odd.target[late]) - mean_nll(
        online.read(odd).next[late], odd.target[late]
    )
    assert gain > 1
    assert online.read(odd).next[398, 3] > 0.8


def test_online_counts_never_see_their_own_target():
    points = random_log(5)
    predictor = OnlineMarkov().fit(points, points)
    whole = predictor.read(points).next
    part = predictor.read(points.select(slice(0, 100))).next
    np.testing.assert_allclose(part, whole[:100], atol=1e-6)


def test_alpha_is_the_best_on_validation():
    train, valid = random_log(6), random_log(7)
    predictor = CountPredictor("markov2").fit(train, valid)
    chosen, scores = predictor.alpha, {}
    for predictor.alpha in ALPHAS:
        scores[predictor.alpha] = mean_nll(predictor.read(valid).next, valid.target)
    # worlds 0 to 2 are in both logs, so fit() read the validation rows as their continuation: near, not equal
    assert scores[chosen] <= min(scores.values()) + 0.01


def test_continued_reads_the_training_days_first():
    log = log_of([[1], [2], [3], [1], [2]])
    _, reading, judged = split_of(log.select(slice(0, 3)), log.select(slice(3, 5)))
    assert judged.tolist() == [False] * 3 + [True] * 2
    assert (reading.tokens == log.tokens).all()
    _, alone, judged = split_of(log_of([[1]], worlds=[4]), log)
    assert len(alone) == 5
    assert judged.all()


def test_nll_by_hand():
    p = np.array([[0.5, 0.5], [1.0, 0.0]])
    want = -np.log([0.999 * 0.5 + 0.0005, 0.0005]).mean()
    assert mean_nll(p, np.array([0, 1])) == pytest.approx(want)
