"""Off-policy estimates against values worked out by hand and against bandits and chains whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from bandits import BEST, bandit, better

from lam_env.evaluation.off_policy import estimates
from lam_env.evaluation.off_policy.reward_model import by_action, cross_fitted

# four decisions between two actions; the other policy always takes the second one: weights 0, 2, 4, 2
ACTION, PROB = np.array([0, 1, 1, 1]), np.array([0.5, 0.5, 0.25, 0.5])
REWARD, TARGET = np.array([1.0, 0, 2, 4]), np.tile([0.0, 1.0], (4, 1))
MODEL = np.tile([0.0, 1.0], (4, 1))


def test_estimates_worked_out_by_hand() -> None:
    found = estimates.estimate_policy(TARGET, ACTION, PROB, REWARD, MODEL, np.arange(4))
    assert found.ips.value == (0 + 0 + 8 + 8) / 4
    assert found.snips.value == 16 / 8
    assert found.dr.value == ((1 + 0) + (1 - 2) + (1 + 4) + (1 + 6)) / 4
    assert found.gain.value == found.dr.value - REWARD.mean()
    assert found.effective == pytest.approx(8**2 / (4 + 16 + 4))
    assert found.mean_weight == 2
    assert found.n == 4


def estimate(weights: np.ndarray, unlogged: float = 0.0) -> estimates.PolicyEstimate:
    n = len(weights)
    return estimates.estimate_weights(weights, np.zeros(n), np.ones(n), np.ones(n), np.arange(n), unlogged)


def test_it_says_why_a_log_tells_little_of_a_policy() -> None:
    always = np.tile([0.0, 0.0, 1.0], (4, 1))  # the third action is never logged
    found = estimates.estimate_policy(always, ACTION, PROB, REWARD, np.zeros((4, 3)), np.arange(4))
    assert found.unlogged == 1
    assert [doubt.split()[0] for doubt in found.doubts()] == ["100", "the", "the"]
    assert estimate(np.ones(100)).doubts() == []
    assert estimate(np.tile([0.0, 2.0], 100)).doubts() == []
    assert estimate(np.ones(estimates.FEW - 1)).doubts() == ["the log is worth 29.0 decisions of its own"]
    assert ["mean weight is 0.50" in doubt for doubt in estimate(np.tile([0.0, 1.0], 100)).doubts()] == [True]
    assert ["mean weight is 1.50" in doubt for doubt in estimate(np.tile([1.0, 2.0], 100)).doubts()] == [True]
    assert estimate(np.tile([1.0, 1.1], 100)).doubts() == []  # far beyond chance, and near all the same
    assert estimate(np.ones(100), 0.004).doubts() == ["0.4 % of its choices are actions that were never logged"]


def test_the_interval_of_a_mean_is_students_over_trajectories() -> None:
    values = np.array([1.0, 2, 3, 4])
    each = estimates.ips(np.ones(4), values, np.arange(4))
    half = 3.182446 * values.std(ddof=1) / 2  # t of 3 degrees of freedom
    assert (each.low, each.high) == (pytest.approx(2.5 - half), pytest.approx(2.5 + half))
    # two decisions of one trajectory that say the same are one
    twice = estimates.ips(np.ones(8), np.repeat(values, 2), np.repeat(np.arange(4), 2))
    assert (twice.low, twice.high) == (pytest.approx(each.low), pytest.approx(each.high))
    one = estimates.ips(np.ones(4), values, np.zeros(4))
    assert one.value == 2.5
    assert np.isnan(one.low)


def test_a_policy_that_never_does_what_was_logged_has_no_self_normalised_value() -> None:
    found = estimates.estimate_policy(
        TARGET[:1], np.array([0]), np.array([0.5]), np.array([1.0]), MODEL[:1], np.zeros(1)
    )
    assert np.isnan(found.snips.value)
    assert found.effective == found.mean_weight == found.ips.value == 0
    assert found.dr.value == 1  # what the model says


def test_the_logged_policy_has_the_value_that_it_had() -> None:
    rng = np.random.default_rng(0)
    logged = rng.dirichlet(np.ones(3), 50)
    action = np.array([rng.choice(3, p=p) for p in logged])
    reward = rng.normal(size=50)
    found = estimates.estimate_policy(
        logged, action, logged[np.arange(50), action], reward, np.zeros((50, 3)), np.arange(50)
    )
    assert found.ips.value == found.snips.value == found.dr.value == pytest.approx(reward.mean())
    assert found.effective == pytest.approx(50)


# -- a bandit ----------------------------------------------------------------------------------------------------------


def test_doubly_robust_is_right_if_either_the_model_or_the_probabilities_are() -> None:
    x, mean, logged, action, reward = bandit(200_000, np.random.default_rng(0))
    right, wrong = logged[np.arange(len(x)), action], np.full(len(x), 1 / 3)
    no_model = np.tile([0.3, -0.5, 1.0], (len(x), 1))

    def value(prob: np.ndarray, model: np.ndarray) -> estimates.PolicyEstimate:
        return estimates.estimate_policy(better(x), action, prob, reward, model, np.arange(len(x)))

    for prob, model in ((right, mean), (right, no_model), (wrong, mean)):
        assert value(prob, model).dr.value == pytest.approx(BEST, abs=0.01)
    assert abs(value(wrong, no_model).dr.value - BEST) > 0.05
    assert abs(value(wrong, mean).ips.value - BEST) > 0.05
    # and a good model makes the interval narrow
    widths = [found.high - found.low for found in (value(right, mean).dr, value(right, mean).ips)]
    assert widths[0] < 0.6 * widths[1]


@pytest.mark.parametrize("name", ["ips", "snips", "dr"])
def test_intervals_hold_the_truth_as_often_as_they_say(name: str) -> None:
    """Sixty trajectories of ten decisions that share an offset."""
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(600):
        x, mean, logged, action, reward = bandit(600, rng)
        trajectory = np.repeat(np.arange(60), 10)
        reward = reward + np.repeat(rng.normal(size=60) * 0.3, 10)
        prob = logged[np.arange(600), action]
        found = getattr(estimates.estimate_policy(better(x), action, prob, reward, mean + 0.1, trajectory), name)
        held += found.low <= BEST <= found.high
    assert 0.92 < held / 600 < 0.98


@pytest.mark.parametrize(
    ("window", "expected"), [(1, [1, 2, 4, 8, 16]), (2, [3, 6, 4, 24, 16]), (9, [7, 6, 4, 24, 16])]
)
def test_a_window_sums_what_follows_within_a_trajectory(window: int, expected: list[float]) -> None:
    reward, trajectory = np.array([1.0, 2, 4, 8, 16]), np.array([5, 5, 5, 2, 2])
    assert estimates.windowed(reward, trajectory, window).tolist() == expected


# -- sequences ---------------------------------------------------------------------------------------------------------


def test_per_decision_sampling_worked_out_by_hand() -> None:
    weights, reward = np.array([2.0, 0.5, 1, 0, 2, 2]), np.array([1.0, 2, 4, 1, 1, 1])
    trajectory = np.repeat([7, 3], 3)
    whole = estimates.per_decision_sampling(weights, reward, trajectory, horizon=3)
    assert whole.value.value == ((2 + 1 * 2 + 1 * 4) + 0) / 2
    assert whole.trajectories == 2
    short = estimates.per_decision_sampling(weights, reward, trajectory, horizon=2, gamma=0.5)
    assert short.value.value == ((2 + 0.5 * 1 * 2) + 0) / 2
    assert short.effective == 1


def test_per_decision_sampling_follows_states_that_acts_change_and_the_bandit_view_does_not() -> None:
    """A trusting person pays 1 for the act; each act has an even chance to end the trust, after which it costs 1.
    Logged: acts half the time. Always acting for three decisions: 1 + (1 - 1) / 2 + (1 - 3) / 4 = 1/2 in all. The
    bandit view sees the trust that the logged policy left."""
    rng = np.random.default_rng(2)
    n, steps = 100_000, 3
    trust, action, reward = np.ones(n, bool), np.zeros((n, steps), int), np.zeros((n, steps))
    for t in range(steps):
        action[:, t] = rng.random(n) < 0.5
        reward[:, t] = action[:, t] * np.where(trust, 1.0, -1.0)
        trust &= ~((action[:, t] == 1) & (rng.random(n) < 0.5))
    weights, trajectory = 2.0 * action.ravel(), np.repeat(np.arange(n), steps)
    sequence = estimates.per_decision_sampling(weights, reward.ravel(), trajectory, horizon=3)
    assert sequence.value.value == pytest.approx(0.5, abs=0.05)
    alone = estimates.ips(weights, reward.ravel(), trajectory)
    # trusting at the decisions: 1, 3/4, 9/16
    assert alone.value == pytest.approx(2 * (1 + 0.75 + 0.5625) / 3 - 1, abs=0.02)
    assert 3 * alone.value > 1.5


# -- the model of the reward -------------------------------------------------------------------------------------------


def observation(n: int, actions: int, context: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "clock": np.zeros((n, 4)),
        "context": context,
        "feedback": np.zeros((n, 2 * actions)),
        "ages": np.zeros((n, 16), np.int64),
        "epoch": np.zeros((n, 5), np.int64),
        "since": np.zeros((n, actions)),
        "action_mask": np.ones((n, actions), np.int8),
    }


def test_the_model_learns_what_depends_on_context_and_action() -> None:
    rng = np.random.default_rng(3)
    n, context = 4000, rng.normal(size=(4000, 2))
    action = rng.integers(0, 3, n)
    truth = np.stack([0.5 * context[:, 0], 1 - context[:, 1], -1 - context[:, 1]], 1)
    reward = truth[np.arange(n), action] + rng.normal(size=n) * 0.1
    model = cross_fitted(observation(n, 3, context), action, reward, np.arange(n) // 40)
    assert np.abs(model - truth).max() < 0.1


def test_where_there_are_two_actions_the_model_of_a_table_is_that_of_an_environment() -> None:
    rng = np.random.default_rng(5)
    n, context = 600, rng.normal(size=(600, 3))
    context = (context - context.mean(0)) / context.std(0)
    action, reward, trajectory = rng.integers(0, 2, n), rng.normal(size=n), np.arange(n) // 20
    whole = cross_fitted(observation(n, 2, context), action, reward, trajectory)
    np.testing.assert_allclose(by_action(context, 2, action, reward, trajectory), whole, rtol=1e-9)


def test_actions_of_a_table_have_weights_of_their_own_and_what_was_never_taken_the_mean() -> None:
    x, mean, _, action, reward = bandit(20_000, np.random.default_rng(6))
    context, each = (x[:, None] - x.mean()) / x.std(), np.arange(len(x))
    model = by_action(context, 4, action, reward, each)
    assert np.abs(model[:, :3] - mean).max() < 0.05
    for k in range(5):
        np.testing.assert_allclose(model[each % 5 == k, 3], reward[each % 5 != k].mean())


def test_the_model_never_saw_the_trajectory_that_it_is_asked_about() -> None:
    """Rewards are a trajectory's own constant: there is nothing to learn from others."""
    rng = np.random.default_rng(4)
    constant = rng.normal(size=10)
    trajectory = np.repeat(np.arange(10), 50)
    model = cross_fitted(observation(500, 2, np.zeros((500, 1))), np.zeros(500, int), constant[trajectory], trajectory)
    for k in range(10):
        others = constant[np.arange(10) % 5 != k % 5].mean()
        assert model[trajectory == k, 0] == pytest.approx(others, abs=0.02)
    alone = cross_fitted(observation(5, 2, np.zeros((5, 1))), np.zeros(5, int), np.ones(5), np.zeros(5))
    assert (alone == 0).all()


@pytest.mark.parametrize("prob", [0.0, -0.1, 1.5, np.nan])
def test_refuses_what_is_no_probability(prob: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        estimates.importance(TARGET, ACTION, np.array([0.5, prob, 0.5, 0.5]))


def test_refuses_a_target_that_is_no_distribution() -> None:
    with pytest.raises(ValueError, match="distribution"):
        estimates.importance(2 * TARGET, ACTION, PROB)
