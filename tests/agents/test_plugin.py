"""The plug-in agents: known answers of the estimate and of the values."""

import numpy as np
import pytest
from lam_env.agents import plugin
from lam_env.agents.plugin import GAIN, LOSS, REFUSED, SHRINK, PlugIn, PlugInAgent

from lam_env.contracts import Prediction, Training
from lam_env.envs.vector import LamVectorEnv
from lam_env.events import Vocabulary

VOCABULARY = Vocabulary(("none", "a", "b", "c"), patience=(300, 300, 300, 3600))


class Saying:
    """Always says the same of the next action, and of soon."""

    def __init__(self, p, soon=None, vocabulary=VOCABULARY):
        self.p, self.soon, self.vocabulary = np.asarray(p, float), soon, vocabulary

    def start(self, n):
        return 0

    def reset(self, state, rows):
        return state

    def step(self, state, epochs, active):
        n = len(active)
        soon = None if self.soon is None else np.broadcast_to(np.asarray(self.soon, float), (n, len(self.p)))
        return Prediction(np.broadcast_to(self.p, (n, len(self.p))), soon), state


def observation(n=1, hour=0, accepted=(0, 0, 0, 0), refused=(0, 0, 0, 0), mask=(1, 1, 1, 1)):
    epoch = np.zeros((n, 5), np.int64)
    epoch[:, 0] = hour * 3600
    return {
        "tokens": np.zeros((n, 16), np.int64),
        "epoch": epoch,
        "context": np.zeros((n, 0), np.float32),
        "action_mask": np.tile(np.array(mask, np.int8), (n, 1)),
        "feedback": np.tile(np.array([*accepted, *refused], np.float32), (n, 1)),
    }


def plain(p, acceptance=1.0, loss=LOSS, online=False, soon=None, bins=1):
    a = np.full((bins, 4), acceptance) if np.ndim(acceptance) < 2 else np.asarray(acceptance)
    return PlugIn(Saying(p, soon), a, np.full((len(a), 4), loss), online)


def value(policy, seen):
    found, _ = policy.values(seen, policy.predictor.step(0, None, np.ones(len(seen["epoch"]), bool))[0])
    return found


def test_values_are_expected_utilities():
    found = value(plain([0.2, 0.5, 0.3, 0.0]), observation())
    assert found[0, 1] == pytest.approx(GAIN * 0.5 - LOSS * 0.5)
    assert found[0, 2] == pytest.approx(GAIN * 0.3 - LOSS * 0.7)
    assert found[0, 3] == -np.inf  # hardly ever tried
    half = value(plain([0.2, 0.5, 0.3, 0.0], acceptance=0.5), observation())
    assert half[0, 1] == pytest.approx(GAIN * 0.25 - LOSS * 0.75 - REFUSED * 0.25)


def test_it_acts_where_that_is_worth_more_than_nothing():
    even = LOSS / (GAIN + LOSS)
    for p, action in ((even + 0.01, 1), (even - 0.01, 0)):
        assert plain([1 - p, p, 0, 0]).predict(observation())[0].tolist() == [action]
    assert plain([0.1, 0.5, 0.4, 0]).predict(observation(mask=(1, 0, 1, 1)))[0].tolist() == [2]
    assert plain([0.1, 0.9, 0.0, 0], acceptance=0.1).predict(observation())[0].tolist() == [0]


def test_a_slow_device_is_judged_by_soon():
    soon = [0, 0.9, 0.9, 0.9]
    assert plain([0.9, 0.05, 0.05, 0.0], soon=soon).predict(observation())[0].tolist() == [3]
    assert plain([0.9, 0.05, 0.05, 0.0]).predict(observation())[0].tolist() == [0]


def test_parts_of_the_day_have_acceptances_of_their_own():
    acceptance = np.ones((2, 4))
    acceptance[1, 1] = 0.0  # not in the afternoon
    policy = plain([0.2, 0.8, 0, 0], acceptance=acceptance)
    assert [int(policy.predict(observation(hour=h))[0][0]) for h in (1, 11, 12, 23, 25)] == [1, 1, 0, 0, 1]


def test_online_it_learns_what_this_household_refuses():
    policy = plain([0.3, 0.7, 0, 0], online=True)
    assert policy.predict(observation())[0].tolist() == [1]
    assert policy.predict(observation(refused=(0, 4, 0, 0)))[0].tolist() == [0]
    assert policy.predict(observation(accepted=(0, 12, 0, 0), refused=(0, 4, 0, 0)))[0].tolist() == [1]
    assert plain([0.3, 0.7, 0, 0]).predict(observation(refused=(0, 9, 0, 0)))[0].tolist() == [1]
    shrunk = (0 + SHRINK * 1.0) / (4 + SHRINK)
    good = 0.7 * shrunk
    expected = GAIN * good - LOSS * (1 - good) - REFUSED * (0.7 - good)
    assert value(policy, observation(refused=(0, 4, 0, 0)))[0, 1] == pytest.approx(expected)


def test_the_estimate_is_shrunk_to_what_was_believed_before():
    tried, hoped = np.array([[0.0, 10.0, 10.0, 4.0]]), np.array([[0.0, 8.0, 6.0, 2.0]])
    accepted, refused = np.array([[0.0, 8.0, 0.0, 0.0]]), np.array([[0.0, 0.0, 10.0, 0.0]])
    before = np.ones((1, 4)), np.full((1, 4), LOSS)
    acceptance, loss = plugin._estimate([tried, hoped, accepted, refused], *before)
    expected = [1.0, 1.0, SHRINK / (6 + SHRINK), SHRINK / (2 + SHRINK)]  # accepted of those that the prior hoped for
    assert acceptance[0].tolist() == pytest.approx(expected)
    vain = [0, 2, 10, 4]
    expected = [(REFUSED * r + SHRINK * LOSS) / (v + SHRINK) for r, v in zip((0, 0, 10, 0), vain, strict=True)]
    assert loss[0].tolist() == pytest.approx(expected)


class Impatient(Saying):
    """Believes that the alarm is about to be armed, and disarmed, at any time."""

    def __init__(self, vocabulary):
        p = np.zeros(len(vocabulary))
        p[[vocabulary.action("alarm.armed"), vocabulary.action("living.tv.on")]] = 0.5
        super().__init__(p, vocabulary=vocabulary)


@pytest.mark.parametrize("agent", [PlugInAgent(), PlugInAgent(bins=6, houses=2, online=True)])
def test_a_trial_counts_what_is_refused(agent):
    def make_env(n, **options):
        return LamVectorEnv(n, "smart_home", days=1, **options)

    vocabulary = make_env(1).vocabulary
    policy = agent.fit(Training(vocabulary, "anticipate", None, None, make_env, prior=Impatient(vocabulary)))
    assert policy.acceptance.shape == policy.loss.shape == (agent.bins, len(vocabulary))
    assert policy.online == agent.online
    tv, kettle = vocabulary.action("living.tv.on"), vocabulary.action("kitchen.kettle.hot")
    assert policy.acceptance[:, tv].min() < 0.95  # tried, and refused by people who read
    assert policy.acceptance[:, kettle].tolist() == [1.0] * agent.bins  # never tried: as believed before
    assert np.allclose(policy.loss[:, kettle], LOSS)
    assert np.isfinite(policy.loss).all()


def test_a_trial_is_repeated_to_the_bit():
    def make_env(n, **options):
        return LamVectorEnv(n, "smart_home", days=1, **options)

    vocabulary = make_env(1).vocabulary
    training = Training(vocabulary, "anticipate", None, None, make_env, prior=Impatient(vocabulary))
    first, second = PlugInAgent().fit(training), PlugInAgent().fit(training)
    assert np.array_equal(first.acceptance, second.acceptance)
    assert np.array_equal(first.loss, second.loss)
