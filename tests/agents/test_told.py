"""Plug-ins that are told of dislikes: known answers of acceptance, of what answers say, and of the trial."""

import dataclasses

import numpy as np
import pytest
from lam_env.agents.counting.online import counting
from lam_env.agents.plugin import PlugIn, plugin_context, prices
from lam_env.agents.told import AGENTS, Bayes, Known, weights
from lam_env.scenarios.smart_home import SmartHome
from scripted import Saying

from lam_env.core import registry
from lam_env.core.contracts import Training
from lam_env.core.dislikes import NEVER, Dislikes
from lam_env.core.errors import UserError
from lam_env.core.events import Vocabulary
from lam_env.core.seeds import eval_seeds
from lam_env.envs.recording import simulate_log
from lam_env.envs.vector import LamVectorEnv
from lam_env.evaluation.rollout import rollout
from lam_env.logs.decision_points import decision_points

VOCABULARY = Vocabulary(("none", "a", "b"), feedback=("accept", "reject"))
PAID = {"assist": 1.0, "override": -2.0, "rejection": -2.0, "miss": -0.2}
# by half days, a's cell and b's; the second class dislikes all more
DRAWN = Dislikes(np.array([[NEVER, 0, 1], [NEVER, 2, 3]]), np.array([0.5, 0.5]), np.array([[0.1] * 4, [0.7] * 4]), 1)
ANSWERS = np.array([0.0, -6, -6, 0, 2, 2])  # accepted: most likely not disliked; refused: twice 2 is more than enough


def observation(hour=0, accepted=(0, 0, 0), refused=(0, 0, 0), disliked=None):
    seen = {
        "tokens": np.zeros((1, 16), np.int64),
        "epoch": np.array([[hour * 3600, 0, 0, 0, 0]]),
        "context": np.zeros((1, 0), np.float32),
        "action_mask": np.ones((1, 3), np.int8),
        "heard": np.array([[*accepted, *refused, *[0] * 18]], np.float32),  # in the night
    }
    return seen if disliked is None else seen | {"latent": np.array([[9.0, *disliked, 9.0]], np.float32)}


def common(p=(0.2, 0.8, 0.0)):
    return Saying(VOCABULARY, p), prices(PAID), np.ones((1, 3))


def training_of(home, prior, points=None):
    return Training(
        home.vocabulary,
        "anticipate",
        points,
        points,
        lambda n, **more: LamVectorEnv(n, home, **more),
        home.reward_weights,
        prior=prior,
        dislikes=home.dislikes,
    )


def bayes(p=(0.2, 0.8, 0.0)):
    return Bayes(*common(p), dislikes=DRAWN, weights=ANSWERS)


def test_known_leaves_alone_what_is_disliked_now():
    policy = Known(*common((0.0, 0.5, 0.45)), first=1)
    for disliked, action in (((0, 0, 0), 1), ((0, 1, 0), 2), ((0, 1, 1), 0)):
        assert policy.predict(observation(disliked=disliked))[0].tolist() == [action]
    assert policy.reveal == ("latent",)


def test_bayes_begins_with_what_households_are_like():
    _, belief = bayes().predict(observation())
    assert belief.disliked[0] == pytest.approx([0.4] * 4 + [0.0])
    assert not belief.evidence.any()


def test_refusals_and_acceptances_move_the_window_in_which_they_are_heard():
    policy = bayes()
    _, first = policy.predict(observation())
    _, refused = policy.predict(observation(refused=(0, 2, 0)), first, np.zeros(1, bool))
    assert refused.evidence[0].tolist() == [4.0, 0, 0, 0]
    assert refused.disliked[0, 0] > 0.95
    assert 0.4 < refused.disliked[0, 1] == refused.disliked[0, 3] < 0.7  # less open than was thought
    _, same = policy.predict(observation(refused=(0, 2, 0)), refused, np.zeros(1, bool))
    assert np.array_equal(same.evidence, refused.evidence)  # an answer is heard once
    _, later = policy.predict(observation(13, accepted=(0, 1, 0), refused=(0, 2, 0)), same, np.zeros(1, bool))
    assert later.evidence[0].tolist() == [4.0, 0, -6.0, 0]
    assert later.disliked[0, 2] < 0.01
    assert later.disliked[0, 1] < refused.disliked[0, 1]  # nor so reserved, after all


def test_an_episode_begins_with_a_household_of_which_nothing_is_known():
    policy = bayes()
    _, told = policy.predict(observation(refused=(0, 3, 0)))
    _, told = policy.predict(observation(refused=(0, 6, 0)), told, np.zeros(1, bool))
    assert told.evidence[0, 0] > 0
    _, fresh = policy.predict(observation(), told, np.ones(1, bool))
    assert not fresh.evidence.any()
    assert fresh.disliked[0] == pytest.approx([0.4] * 4 + [0.0])


def test_bayes_stops_after_refusals_and_goes_on_after_acceptances():
    policy, no = bayes((0.1, 0.9, 0.0)), np.zeros(1, bool)
    actions, state = policy.predict(observation())
    assert actions.tolist() == [0]  # .54 x 1.2 - .36 x 1.8 - .1 x .25 x 2 is less than nothing
    actions, state = policy.predict(observation(accepted=(0, 1, 0)), state, no)
    assert actions.tolist() == [1]
    actions, state = policy.predict(observation(accepted=(0, 1, 0), refused=(0, 5, 0)), state, no)
    assert actions.tolist() == [0]
    assert policy.predict(observation(13, accepted=(0, 1, 0), refused=(0, 5, 0)), state, no)[0].tolist() == [0]


def test_what_an_answer_says_is_counted_per_try_and_shrunk_to_all_actions():
    liked, disliked = np.zeros((2, 5, 2, 2))
    liked[0], liked[2], liked[3] = 50.0, 40.0, 5.0  # by half days: 80 % accepted and 10 % refused, of both actions
    disliked[0, :, 1], disliked[3, :, 1] = 20.0, 16.0  # of one action 80 % refused, never accepted
    found = weights(liked, disliked)
    # the pseudo-count of half an answer in 40 and in 200 tries apart, and 4 tries as of all
    assert found[3] == pytest.approx(np.log(0.8 / 0.1), abs=0.05)
    assert found[2] == pytest.approx(found[3], abs=0.02)  # never tried where disliked: as the other
    assert found[1] < found[0] < -4  # never seen is no proof, and more tries are more of one


@pytest.mark.parametrize("households", ["differ", "alike"])
@pytest.mark.parametrize("name", ["known", "bayes"])
def test_the_trial_tells_what_is_disliked_from_what_is_not_in_time(name, households):
    home = SmartHome(days=1, households=households, dislikes=3.0)
    p = np.zeros(len(home.vocabulary))
    p[[home.vocabulary.action(a) for a in ("living.tv.on", "kitchen.light.off")]] = 0.5
    policy = AGENTS[name](worlds=4).fit(training_of(home, Saying(home.vocabulary, p)))
    assert isinstance(policy, PlugIn)
    assert np.isfinite(policy.acceptance).all()
    assert policy.acceptance.shape == (6, len(p))
    if name == "bayes":
        accepted, refused = np.split(policy.weights, 2)
        off = home.vocabulary.action("kitchen.light.off")
        assert accepted[off] < 0 < refused[off]
    env = LamVectorEnv(3, home, reveal=getattr(policy, "reveal", ()))
    (seen, _), state, start = env.reset(seed=[1, 2, 3]), None, np.ones(3, bool)
    for _ in range(100):
        actions, state = policy.predict(seen, state, start)
        for world, action in zip(env.worlds, actions, strict=True):
            assert name != "known" or not world.minds(int(action))
        seen, _, _, start, _ = env.step(actions)


def test_a_scenario_that_draws_no_dislikes_has_no_such_rows():
    assert {"known", "bayes"} <= set(registry.agent_names("anticipate"))
    assert not {"known", "bayes"} & set(registry.agent_names("anticipate", without=("dislikes",)))
    bare = Training(VOCABULARY, "anticipate", None, None, None, PAID, prior=Saying(VOCABULARY, (1.0, 0, 0)))
    with pytest.raises(UserError, match="how dislikes are drawn; leave them out"):
        AGENTS["known"]().fit(bare)
    assert dataclasses.fields(Known)[-1].name == "first"


@pytest.mark.slow
def test_who_knows_more_does_better_on_the_same_houses():
    home = SmartHome()
    log, _ = simulate_log(home, list(range(8)), 14)
    points = decision_points(log, soon=False)
    training = training_of(home, counting("markov3").fit(points, points), points)
    mean = {}
    for name, agent in (("plugin_context", plugin_context), *AGENTS.items()):
        totals = rollout(agent().fit(training), home, eval_seeds([0, 1], 4, "validation"))
        mean[name] = np.mean([t["utility.total"] for t in totals])
    assert mean["known"] > mean["bayes"] > mean["plugin_context"]
