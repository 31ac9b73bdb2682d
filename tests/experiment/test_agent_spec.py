"""An agent with other settings of training is a row of its own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lam_env.agents.fine_tuning.features import encoder_of
from people import Tuned, training_of_trips

from lam_env.config.cli import parse
from lam_env.core import registry
from lam_env.core.contracts import Training
from lam_env.core.errors import UserError
from lam_env.core.tuning import TrainSettings
from lam_env.envs.recording import simulate_log
from lam_env.experiment.agent_spec import split, tuning_of
from lam_env.experiment.inputs import agents_of, usual
from lam_env.experiment.jobs import RunContext, fit_agent
from lam_env.experiment.settings import RunSettings
from lam_env.logs.decision_points import decision_points
from lam_env.suites import suite as suites


@given(st.integers(1, 10**9), st.floats(0, 1))
def test_what_differs_is_read(steps, gamma):
    name = f"ppo_prior@steps={steps}@gamma={gamma!r}"
    assert split(name) == ("ppo_prior", {"steps": str(steps), "gamma": repr(gamma)})
    assert tuning_of(TrainSettings(envs=3), registry.scenario("smart_home")(), name) == TrainSettings(
        steps=steps, gamma=gamma, envs=3
    )
    assert split("my.module:Agent@home") == ("my.module:Agent@home", {})


@pytest.mark.parametrize(("name", "what"), [
    ("plugin@steps=3", "plugin has no settings of training; maskable_ppo, ppo_prior, ppo_scratch have"),
    ("ppo_prior@step=3", "ppo_prior@step=3: no setting 'step'; did you mean 'steps'"),
    ("ppo_prior@lr", "ppo_prior@lr: no setting 'lr'"),
    ("ppo_prior@gamma=high", "gamma: expected a number, got 'high'"),
    ("ppo_prior@gamma=2", "gamma: expected at least 0 and at most 1, got '2'"),
    ("ppo_prior@steps=0", "steps: expected at least 1"),
    ("ppo@steps=3", "ppo has no settings"),
    ("ppo_prior@start=silent", "agent ppo_prior@start=silent: train.start=silent is for plain heads"),
    ("ppo_prior@head=plain@start=counted", "train.start=counted is for structured heads"),
    ("ppo_scratch@tune=full", "agent ppo_scratch@tune=full: tune is of agents on the prior, and ppo_scr"),
    ("maskable_ppo@steps=9@kl=1", "kl is of agents on the prior, and maskable_ppo is on none; leave it away"),
    ("ppo_prior@kl=1", "agent ppo_prior@kl=1: kl is of a predictor that is tuned too; add @tune=full"),
    ("ppo_scratch@start=counted", "agent ppo_scratch@start=counted: train.start=counted is for structured heads"),
])  # fmt: skip
def test_a_wrong_one_is_told_in_one_line(name, what):
    with pytest.raises(UserError, match=what) as caught:
        agents_of(RunSettings(scenario="smart_home", agents=(name,)), registry.scenario("smart_home")())
    assert "\n" not in str(caught.value)


def test_what_tunes_a_predictor_counts_where_the_name_or_the_run_tunes_it():
    home = registry.scenario("smart_home")()
    named = RunSettings(scenario="smart_home", agents=("ppo_prior@tune=full@kl=1",))
    run = RunSettings(scenario="smart_home", agents=("ppo_prior@kl=1",), train=TrainSettings(tune="readout"))
    assert agents_of(named, home)[-2] == "ppo_prior@tune=full@kl=1"
    assert agents_of(run, home)[-2] == "ppo_prior@kl=1"


def test_its_row_stands_after_the_agent_that_it_differs_from():
    home = registry.scenario("smart_home")()
    asked = ("ppo_prior@gamma=0", "plugin", "ppo_prior", "ppo_scratch@steps=100")
    found = agents_of(RunSettings(scenario="smart_home", agents=asked), home)
    assert found == [
        "none", "plugin", "ppo_scratch@steps=100", "ppo_prior", "ppo_prior@gamma=0", "oracle"
    ]  # fmt: skip


def test_its_training_differs_and_that_of_others_does_not(monkeypatch, tmp_path):
    seen = []

    class Learner:
        def fit(self, training):
            seen.append((training.tuning.steps, training.tuning.gamma))
            return self

        def predict(self, observation, state=None, episode_start=None, deterministic=True):
            return np.zeros(len(observation["epoch"]), int), state

    monkeypatch.setattr(registry, "agent", lambda name: {"ppo_prior": Learner}[name])
    made = RunContext(suites.settings_of({}), str(tmp_path))
    for name in ("ppo_prior@steps=7@gamma=0.5", "ppo_prior"):
        points = decision_points(simulate_log(registry.scenario("smart_home")(days=1), [1], 1)[0])
        training = Training(points.vocabulary, "anticipate", points, points, None, tuning=TrainSettings(steps=99))
        fit_agent(made, name, training)
    assert seen == [(7, 0.5), (99, 0.99)]


def made_with(name, *words):
    """(gamma, worlds, learning rate) of the PPO that an agent makes where a run is given these words."""
    settings = parse(RunSettings, ["scenario=people:Tuned", *words], "run", usual)
    given = training_of_trips()
    given.tuning = tuning_of(settings.train, Tuned(), name)
    agent = registry.agent(split(name)[0])()
    model = agent.learner(given, encoder_of(given, agent.prior))
    return model.gamma, 4 * model.n_envs, model.lr_schedule(1.0)


def test_a_scenario_says_how_ppo_is_tuned_in_it_and_for_single_agents():
    assert made_with("ppo_prior") == (0.5, 8, 1e-3)
    assert made_with("ppo_scratch") == (0.25, 8, 1e-3)


def test_the_command_line_wins_over_the_scenario_and_the_name_over_both():
    assert made_with("ppo_prior", "train.gamma=0.75", "train.learning_rate=0.5") == (0.75, 8, 0.5)
    assert made_with("ppo_scratch", "train.gamma=0.75", "train.envs=16") == (0.75, 16, 1e-3)
    assert made_with("ppo_scratch@gamma=1@envs=4", "train.gamma=0.75") == (1.0, 4, 1e-3)


@pytest.mark.parametrize(("key", "what"), [
    ("train.gama", "no setting 'train.gama'; did you mean 'train.gamma'"),
    ("ppo_scratch@gama", "agent ppo_scratch@gama=0.5: no setting 'gama'; did you mean 'gamma'"),
    ("plugin@gamma", "plugin has no settings of training"),
])  # fmt: skip
def test_a_scenarios_wrong_default_is_told_in_one_line(monkeypatch, key, what):
    monkeypatch.setattr(Tuned, "defaults", {key: 0.5})
    with pytest.raises(UserError, match=what) as caught:
        usual(RunSettings(scenario="people:Tuned"))
    assert "\n" not in str(caught.value)
