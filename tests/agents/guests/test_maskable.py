"""sb3-contrib's MaskablePPO as a row of the tables."""

import sys

import numpy as np
import pytest
from lam_env.agents.fine_tuning.heads import SILENT
from lam_env.agents.guests.learners import model_policy
from lam_env.agents.guests.maskable import MaskableAgent

from lam_env.core import registry
from lam_env.core.errors import UserError
from lam_env.core.tuning import TrainSettings
from lam_env.experiment.agent_check import small_training


def fitted(**tuning):
    training = small_training(registry.scenario("smart_home")(days=1))
    training.tuning = TrainSettings(steps=1, envs=2, rollout=2, batch=4, epochs=1, **tuning)
    return MaskableAgent().fit(training), training


@pytest.mark.parametrize("start", ["silent", "uniform", None])
def test_it_begins_as_it_is_told(start):
    pytest.importorskip("sb3_contrib")
    model, _ = fitted(start=start, learning_rate=0.0)
    assert float(model.policy.action_net.bias.detach()[0]) == (SILENT if start == "silent" else 0.0)


def test_a_silent_start_hardly_ever_acts():
    pytest.importorskip("sb3_contrib")
    model, training = fitted(start="silent", learning_rate=0.0)
    policy, env = model_policy(model, training), training.make_worlds(8)
    (observation, _), state = env.reset(seed=list(range(8))), None
    actions = []
    for _ in range(40):
        chosen, state = policy.predict(observation, state, None, False)
        actions.append(chosen)
        observation, *_ = env.step(chosen)
    assert np.mean(np.array(actions) > 0) < 0.05  # of some twenty possible actions, each e^-7 as likely


def test_without_sb3_contrib_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "sb3_contrib", None)
    with pytest.raises(UserError, match=r"^maskable_ppo needs sb3-contrib: pip install 'lam-env\[contrib\]'$"):
        fitted()
