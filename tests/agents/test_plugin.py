"""The plug-in agents: known answers of the estimate and of the values."""

import numpy as np
import pytest
from lam_env.agents.plugin import PlugIn, PlugInAgent, prices
from lam_env.scenarios.smart_home.params import REWARD_WEIGHTS
from scripted import Saying, ScriptedEnv

from lam_env.core.contracts import Training
from lam_env.core.events import Vocabulary
from lam_env.envs.vector import LamVectorEnv

WORDS = ("accept", "reject", "override")
VOCABULARY = Vocabulary(("none", "a", "b", "c"), feedback=WORDS, patience=(300, 300, 300, 3600))


def observation(n=1, hour=0, accepted=(0, 0, 0, 0), rejected=(0, 0, 0, 0), overridden=(0, 0, 0, 0), mask=(1, 1, 1, 1)):
    epoch = np.zeros((n, 5), np.int64)
    epoch[:, 0] = hour * 3600
    heard = np.array([*accepted, *rejected, *overridden, *[0] * 36], np.float32)  # in the night, by word and action
    return {
        "tokens": np.zeros((n, 16), np.int64),
        "epoch": epoch,
        "context": np.zeros((n, 0), np.float32),
        "action_mask": np.tile(np.array(mask, np.int8), (n, 1)),
        "heard": np.tile(heard, (n, 1)),
        "feedback": np.tile(np.r_[accepted, np.add(rejected, overridden)].astype(np.float32), (n, 1)),
    }


def plain(p, acceptance=1.0, online=False, soon=None):
    a = np.full((1, 4), acceptance) if np.ndim(acceptance) < 2 else np.asarray(acceptance)
    return PlugIn(Saying(VOCABULARY, p, soon), prices(REWARD_WEIGHTS), a, online)


def value(policy, seen):
    return policy.scores(seen, policy.predictor.step(0, None, np.ones(len(seen["epoch"]), bool))[0])


def test_values_are_expected_utilities():
    found = value(plain([0.2, 0.5, 0.3, 0.0]), observation())
    assert found[0, 1] == pytest.approx(0.575)  # .5 x 1.2 - .5 x .05
    assert found[0, 2] == pytest.approx(0.325)  # .3 x 1.2 - .7 x .05
    assert found[0, 3] == -np.inf  # hardly ever tried
    half = value(plain([0.2, 0.5, 0.3, 0.0], acceptance=0.5), observation())
    assert half[0, 1] == pytest.approx(-0.225)  # .25 x 1.2 - .25 x 2, the cost of a refusal, - .5 x .05


def test_it_acts_where_that_is_worth_more_than_nothing():
    for acceptance, action in ((0.65, 1), (0.64, 0)):  # even at .5 x 1.2 a - .5 x 2 (1 - a) = .025
        assert plain([0.5, 0.5, 0, 0], acceptance).predict(observation())[0].tolist() == [action]
    assert plain([0.1, 0.5, 0.4, 0]).predict(observation(mask=(1, 0, 1, 1)))[0].tolist() == [2]
    assert plain([0.1, 0.9, 0.0, 0], acceptance=0.1).predict(observation())[0].tolist() == [0]


def test_before_anything_is_counted_it_is_shy():
    training = Training(VOCABULARY, "anticipate", None, None, None, REWARD_WEIGHTS)
    policy = PlugIn.untried(Saying(VOCABULARY, [0.7, 0.29, 0.0, 0.0]), training)
    assert policy.predict(observation())[0].tolist() == [0]
    policy.predictor.p[1] = 0.31
    assert policy.predict(observation())[0].tolist() == [1]


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
    assert policy.predict(observation(rejected=(0, 4, 0, 0)))[0].tolist() == [0]
    assert policy.predict(observation(accepted=(0, 12, 0, 0), overridden=(0, 4, 0, 0)))[0].tolist() == [1]
    assert plain([0.3, 0.7, 0, 0]).predict(observation(rejected=(0, 9, 0, 0)))[0].tolist() == [1]
    # four refusals and four made up that are none halve it: .35 x 1.2 - .35 x 2 - .3 x .05
    assert value(policy, observation(overridden=(0, 4, 0, 0)))[0, 1] == pytest.approx(-0.295)


def test_the_estimate_is_shrunk_to_what_was_believed_before():
    """Ten times `a` alone is possible, eight accepted; ten times `b`, always refused; four times `c`, unanswered."""

    def seen(t):
        mask = (1, t < 10, 10 <= t < 20, t >= 20)
        return observation(accepted=(0, min(t, 8), 0, 0), rejected=(0, 0, np.clip(t - 10, 0, 10), 0), mask=mask)

    prior = Saying(VOCABULARY, [0.0, 0.8, 0.6, 0.5])
    worlds = lambda n, **_: ScriptedEnv([24], seen)  # noqa: E731
    training = Training(VOCABULARY, "anticipate", None, None, worlds, REWARD_WEIGHTS, prior=prior)
    policy = PlugInAgent().fit(training)
    # accepted of those that the prior hoped for (8, 6 and 2), each with four made up: 12 / 12, 4 / 10, 4 / 6
    assert policy.acceptance[0].tolist() == pytest.approx([1.0, 1.0, 0.4, 2 / 3])
    assert policy.least < 0.2


class Impatient(Saying):
    """Believes that the alarm is about to be armed, and disarmed, at any time."""

    def __init__(self, vocabulary):
        p = np.zeros(len(vocabulary))
        p[[vocabulary.action("alarm.armed"), vocabulary.action("living.tv.on")]] = 0.5
        super().__init__(vocabulary, p)


@pytest.mark.parametrize("agent", [PlugInAgent(), PlugInAgent(bins=6, worlds=2, online=True)])
def test_a_trial_counts_what_acts_come_to(agent):
    def make_env(n, **options):
        return LamVectorEnv(n, "smart_home", days=1, **options)

    vocabulary = make_env(1).vocabulary
    policy = agent.fit(
        Training(vocabulary, "anticipate", None, None, make_env, REWARD_WEIGHTS, prior=Impatient(vocabulary))
    )
    assert policy.acceptance.shape == (agent.bins, len(vocabulary))
    assert policy.online == agent.online
    tv, kettle = vocabulary.action("living.tv.on"), vocabulary.action("kitchen.kettle.hot")
    assert policy.acceptance[:, tv].min() < 0.95  # tried, and refused by people who read
    assert policy.acceptance[:, kettle].tolist() == [1.0] * agent.bins  # never tried: as believed before


def test_a_trial_is_repeated_to_the_bit():
    def make_env(n, **options):
        return LamVectorEnv(n, "smart_home", days=1, **options)

    vocabulary = make_env(1).vocabulary
    training = Training(vocabulary, "anticipate", None, None, make_env, REWARD_WEIGHTS, prior=Impatient(vocabulary))
    first, second = PlugInAgent().fit(training), PlugInAgent().fit(training)
    assert np.array_equal(first.acceptance, second.acceptance)


def test_what_an_act_is_worth_is_what_the_reward_pays():
    assert prices(REWARD_WEIGHTS) == pytest.approx((1.2, 1.3, 2.0, 0.05))  # the first two less the miss they save
    assert prices({"assist": 10.0, "miss": -2.0, "rejection": -8.0}) == (12.0, 6.0, 8.0, 0.0)
    assert prices({"assist": 1.0, "nuisance": -0.5}) == (1.0, 0.5, 0.5, 0.5)  # a refusal is a nuisance there
    assert prices({"right": 1.0}) == (0.0, 0.0, 0.0, 0.0)  # terms of other names pay nothing for an act
    twice = PlugIn(Saying(VOCABULARY, [0.2, 0.8, 0, 0]), prices({"assist": 2.0}), np.ones((1, 4)))
    assert value(twice, observation())[0, 1] == pytest.approx(1.6)  # .8 x 2
