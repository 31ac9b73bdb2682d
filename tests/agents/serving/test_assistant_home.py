"""In the simulated home, the assistant on its events does what the policy does on its observations."""

import numpy as np
import pytest
from lam_env.agents.fine_tuning.features import PriorFeatures, standardisation
from lam_env.agents.fine_tuning.heads import AnticipationHead
from lam_env.agents.fine_tuning.policy import TunedPolicy
from lam_env.agents.predictors.pretrain import pretrain
from lam_env.agents.predictors.settings import PredictorSettings
from lam_env.agents.serving.assistant import Assistant
from patience import calls
from policies import bold

from lam_env.core import registry
from lam_env.core.events import AGENT
from lam_env.envs.recording import simulate_log
from lam_env.envs.single import LamEnv
from lam_env.logs.decision_points import decision_points

DAY = 86_400


@pytest.fixture(scope="module")
def home_policy():
    log, _ = simulate_log(registry.scenario("smart_home")(), [1, 2], 2)
    points = decision_points(log)
    settings = PredictorSettings(hidden=16, embedding=8, passes=1, autocast=False)
    prior = pretrain(points.select(points.world == 0), points.select(points.world == 1), settings)
    features = PriorFeatures(prior, *standardisation(points.context))
    return bold(TunedPolicy(features, AnticipationHead(features.layout, (16,))), 2)


@pytest.mark.parametrize("seed", [3, 4])
def test_a_simulated_day_gives_what_the_policy_gives(home_policy, seed):
    env = LamEnv(record=True)
    observation, _ = env.reset(seed=seed)
    world, names, state, heard = env.world, env.vocabulary.actions, None, 0
    assistant, acts, followups = Assistant(home_policy), 0, 0
    assistant.reset(world.start)
    while world.now < world.start + DAY:
        for event in world.records[heard:]:
            if event.kind == AGENT and event.token % 2:  # both ways to say the same
                assistant.did(names[event.token])
            else:
                assistant.observe(event)
        heard = len(world.records)
        assistant.observe(time=world.now)
        batch = {name: array[None] for name, array in observation.items()}
        logits, _ = home_policy.logits(batch, state, None)
        (action,), state = home_policy.predict(batch, state)
        suggestion = assistant.suggest([names[a] for a in np.flatnonzero(observation["action_mask"])])
        assert suggestion.action == names[action]
        for found, expected in ((suggestion.probabilities, state.said.next), (suggestion.soon, state.said.soon)):
            np.testing.assert_allclose(list(found.values()), expected[0], atol=1e-5)
        values = np.array(list(suggestion.values.values()))
        considered = logits[0].numpy() > -1e8
        np.testing.assert_array_equal(np.isfinite(values), considered)
        np.testing.assert_allclose(values[considered], logits[0].numpy()[considered], atol=1e-4)
        acts, followups = acts + (action > 0), followups + int(observation["epoch"][4] > 0)
        observation, *_ = env.step(action)
    assert acts > 20
    assert followups > 20
    assert observation["feedback"].sum() > 0


def test_an_event_takes_little_and_no_more_after_many(home_policy):
    assistant = Assistant(home_policy)
    names = home_policy.features.predictor.vocabulary.actions

    def hear(block):
        for i in range(60):
            assistant.observe(time=(60 * block + i) * 20, action=names[1 + i % 20])
            assistant.suggest()

    hear(0)
    took = [calls(lambda block=block: hear(block)) / 60 for block in range(1, 5)]
    assert took[0] < 300
    assert took[-1] < 1.1 * took[0]
