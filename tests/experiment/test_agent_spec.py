"""An agent with other settings of training is a row of its own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lam_env.core import registry
from lam_env.core.contracts import Training
from lam_env.core.errors import UserError
from lam_env.envs.recording import simulate_log
from lam_env.experiment.agent_spec import split
from lam_env.experiment.inputs import agents_of
from lam_env.experiment.jobs import Work, fit
from lam_env.experiment.settings import RunSettings
from lam_env.logs.epochs import epochs_of
from lam_env.suites import suite as suites


@given(st.integers(1, 10**9), st.floats(0, 1))
def test_what_differs_is_read(steps, gamma):
    assert split(f"ppo_scratch@steps={steps}@gamma={gamma!r}") == ("ppo_scratch", {"steps": steps, "gamma": gamma})
    assert split("my.module:Agent@home") == ("my.module:Agent@home", {})


@pytest.mark.parametrize(("name", "what"), [
    ("plugin@steps=3", "plugin has no settings of training; ppo_prior and ppo_scratch have"),
    ("ppo_prior@step=3", "unknown setting 'step'; did you mean 'steps'"),
    ("ppo_prior@gamma=high", "gamma must be a number, not 'high'"),
    ("ppo_prior@gamma=2", "gamma must be 0 to 1, not 2"),
    ("ppo_prior@steps=0", "steps must be 1 to"),
    ("ppo@steps=3", "ppo has no settings"),
])  # fmt: skip
def test_a_wrong_one_is_told_in_one_line(name, what):
    with pytest.raises(UserError, match=what) as caught:
        agents_of(RunSettings(scenario="smart_home", agents=(name,)), registry.scenario("smart_home")())
    assert "\n" not in str(caught.value)


def test_its_row_stands_after_the_agent_that_it_differs_from():
    home = registry.scenario("smart_home")()
    asked = ("ppo_prior@gamma=0", "plugin", "ppo_prior", "ppo_scratch@steps=100")
    found = agents_of(RunSettings(scenario="smart_home", agents=asked), home)
    assert found == [
        "none", "plugin", "ppo_scratch@steps=100", "ppo_prior", "ppo_prior@gamma=0", "informed", "oracle"
    ]  # fmt: skip


def test_its_training_differs_and_that_of_others_does_not(monkeypatch, tmp_path):
    seen = []

    class Learner:
        def fit(self, training):
            seen.append((training.steps, training.gamma))
            return self

        def predict(self, observation, state=None, episode_start=None, deterministic=True):
            return np.zeros(len(observation["epoch"]), int), state

    monkeypatch.setattr(registry, "agent", lambda name: {"ppo_prior": Learner}[name])
    made = Work(suites.settings_of({}), str(tmp_path))
    for name in ("ppo_prior@steps=7@gamma=0.5", "ppo_prior"):
        epochs = epochs_of(simulate_log(registry.scenario("smart_home")(days=1), [1], 1)[0])
        training = Training(epochs.vocabulary, "anticipate", epochs, epochs, None, steps=99)
        fit(made, name, training)
    assert seen == [(7, 0.5), (99, None)]
