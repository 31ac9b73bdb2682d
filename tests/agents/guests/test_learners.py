"""Other people's learners, from Stable-Baselines3 and sb3-contrib, on the environment that a training hands out."""

import dataclasses
import functools
import sys
import types

import gymnasium as gym
import numpy as np
import pytest
from lam_env.agents.fine_tuning.rollout_buffer import PersonalRolloutBuffer, Turns
from lam_env.agents.guests.learners import ModelPolicy, cut_short, make_env, model_policy
from people import training_of_trips
from stable_baselines3 import A2C, DQN, PPO
from stable_baselines3.common.callbacks import EvalCallback
from stable_baselines3.common.vec_env import VecFrameStack, VecNormalize

from lam_env.core import registry
from lam_env.core.contracts import Training
from lam_env.core.errors import UserError
from lam_env.core.seeds import Use, world_seeds
from lam_env.core.tuning import TrainSettings
from lam_env.evaluation import rollout as rollout_module
from lam_env.evaluation.rollout import rollout
from lam_env.experiment.agent_check import small_training, try_agent

DAYS = {"smart_home": 1, "traffic": 1, "game": 2}
SMALL = {"policy_kwargs": {"net_arch": [8]}, "device": "cpu", "seed": 0}
ROLLOUTS = {**SMALL, "n_steps": 16}
OFF_POLICY = {**SMALL, "buffer_size": 500, "learning_starts": 40, "batch_size": 8}
LEARNERS = {
    "PPO": {**ROLLOUTS, "batch_size": 16},
    "A2C": ROLLOUTS,
    "DQN": OFF_POLICY,
    "MaskablePPO": {**ROLLOUTS, "batch_size": 16},
    "RecurrentPPO": {**ROLLOUTS, "batch_size": 16, "policy_kwargs": {"net_arch": [8], "lstm_hidden_size": 8}},
    "QRDQN": OFF_POLICY,
}


@functools.cache
def made(name):
    return small_training(registry.scenario(name)(days=DAYS[name]))


@pytest.fixture
def training():
    return fresh("smart_home")


def fresh(name):
    """A training that has handed out nothing yet."""
    given = made(name)
    return Training(**{**vars(given), "handed_out": [], "tuning": TrainSettings(steps=100)})


def learned(learner, given, **more):
    kind = {"PPO": PPO, "A2C": A2C, "DQN": DQN}.get(learner) or vars(pytest.importorskip("sb3_contrib"))[learner]
    policy = "MultiInputLstmPolicy" if learner == "RecurrentPPO" else "MultiInputPolicy"
    if more:
        policy = policy.replace("MultiInput", "Mlp")
    return kind(policy, given.make_env(2, **more), **LEARNERS[learner]).learn(given.steps)


class Watching:
    """Counts impossible actions of a policy, and remembers what it was asked."""

    def __init__(self, policy):
        self.policy, self.impossible, self.steps = policy, 0, 0

    def predict(self, observation, state=None, episode_start=None, deterministic=True):
        actions, state = self.policy.predict(observation, state, episode_start, deterministic)
        self.impossible += int((observation["action_mask"][np.arange(len(actions)), actions] == 0).sum())
        self.steps += len(actions)
        return actions, state


@pytest.mark.parametrize("learner", LEARNERS)
def test_they_learn_and_what_they_return_is_judged(learner, training, monkeypatch):
    model = learned(learner, training)
    env = training.handed_out[0]
    assert model.num_timesteps >= training.steps
    assert env.steps == model.num_timesteps < training.steps + 2 * 16 + 2
    policy = Watching(model_policy(model, training))
    monkeypatch.setattr(rollout_module, "AT_ONCE", 2)  # the third world takes the place of the first that is finished
    totals = rollout(policy, training.make_worlds(1).scenario, [0, 1, 2])
    assert len(totals) == 3
    assert policy.steps > 300
    assert 0 < len(env.curve) <= 100


@pytest.mark.parametrize(("name", "learner"), [("traffic", "MaskablePPO"), ("game", "DQN")])
@pytest.mark.parametrize("more", [{}, {"prior": True}])
def test_they_learn_in_other_scenarios(name, learner, more):
    given = fresh(name)
    policy = model_policy(learned(learner, given, **more), given)
    assert rollout(policy, given.make_worlds(1).scenario, [1, 2])


def test_among_persons_a_learner_can_be_paid_each_persons_own():
    given = dataclasses.replace(training_of_trips(), tuning=TrainSettings(steps=100), adapter=make_env)
    env = given.make_env(2, encode=True)
    own = {"rollout_buffer_class": PersonalRolloutBuffer, "gamma": 0.0}
    model = PPO("MlpPolicy", env, **LEARNERS["PPO"], **own).learn(given.steps, callback=Turns())
    assert model.rollout_buffer.known.any()
    assert rollout(model_policy(model, given), env.env.scenario, [1])


@pytest.mark.parametrize("more", [{}, {"encode": True}, {"prior": True}])
def test_masks_reach_maskable_ppo_while_it_learns_and_while_it_is_judged(more, training):
    model = learned("MaskablePPO", training, **more)
    env = training.handed_out[0]
    ended = [env.step(env.env.action_masks().argmax(1))[3] for _ in range(300)]
    masked = [info["totals"]["masked"] for infos in ended for info in infos if "totals" in info]
    masked += [world.masked for world in env.env.worlds]
    assert sum(masked) == 0
    policy = Watching(model_policy(model, training))
    scenario = training.make_worlds(1).scenario
    assert sum(t["masked"] for t in rollout(policy, scenario, [1, 2, 3], deterministic=False)) == 0
    assert policy.impossible == 0
    blind = Watching(model_policy(learned("A2C", fresh("smart_home")), training))
    rollout(blind, scenario, [1, 2, 3], deterministic=False)
    assert blind.impossible > 0  # so the count can be other than zero


def test_a_recurrent_state_starts_anew_where_a_world_is_replaced_and_goes_on_elsewhere(training):
    policy = model_policy(learned("RecurrentPPO", training, encode=True), training)
    worlds = training.make_worlds(3)
    first, _ = worlds.reset(seed=0)
    second, *_ = worlds.step(np.zeros(3, int))
    _, state = policy.predict(first, None, np.ones(3, bool))
    _, replaced = policy.predict(second, state, np.array([False, True, False]))
    _, went_on = policy.predict(second, state, np.zeros(3, bool))
    _, began = policy.predict(second, None, np.ones(3, bool))
    for after, anew, on in zip(replaced[1], began[1], went_on[1], strict=True):  # (layers, worlds, units)
        assert np.allclose(after[:, 1], anew[:, 1])
        assert np.allclose(after[:, [0, 2]], on[:, [0, 2]])
        assert not np.allclose(after[:, 1], on[:, 1])


@pytest.mark.parametrize("what", ["model", "policy", "loaded"])
@pytest.mark.parametrize("more", [{}, {"encode": True}, {"prior": True}])
def test_it_is_judged_on_the_encoding_that_it_learned_on(what, more, training, tmp_path):
    model = learned("A2C", training, **more)
    env = training.handed_out[0]
    if what == "loaded":
        model.save(tmp_path / "mine.zip")
    found = {"model": lambda: model, "policy": lambda: model.policy, "loaded": lambda: A2C.load(tmp_path / "mine.zip")}
    policy = model_policy(found[what](), training)
    assert isinstance(policy, ModelPolicy)
    assert (policy.predictor is training.prior) == ("prior" in more)
    env.seed()
    seen, state, start = env.reset(), None, np.ones(2, bool)
    raw = training.make_worlds(2)
    observation, _ = raw.reset(seed=[world.streams.seed for world in env.env.worlds])
    for _ in range(60):
        expected, _ = model.predict(seen, deterministic=True)
        actions, state = policy.predict(observation, state, start, True)
        assert actions.tolist() == expected.tolist()
        seen, _, start, _ = env.step(actions)
        observation, *_ = raw.step(actions)


def test_scaling_by_sb3_goes_along_and_other_wrappers_are_refused(training):
    scaled = VecNormalize(training.make_env(2, encode=True))
    model = A2C("MlpPolicy", scaled, **ROLLOUTS).learn(64)
    worlds = training.make_worlds(2)
    observation, _ = worlds.reset(seed=0)
    policy = model_policy(model, training)
    seen = scaled.normalize_obs(policy.encoder(observation, None, None)[0])
    assert policy.predict(observation)[0].tolist() == model.predict(seen, deterministic=True)[0].tolist()
    stacked = VecFrameStack(training.make_env(2, encode=True), 2)
    with pytest.raises(UserError, match=r"other observations than those of training.make_env"):
        model_policy(A2C("MlpPolicy", stacked, **ROLLOUTS), training)


def test_an_environment_of_ones_own_will_do_and_what_is_no_model_stays_as_it_is(training):
    model = A2C("MultiInputPolicy", gym.make("lam/SmartHome-v1", days=1), **ROLLOUTS).learn(32)
    assert rollout(model_policy(model, training), training.make_worlds(1).scenario, [1, 2, 3])
    own = Watching(None)
    assert model_policy(own, training) is own


def test_a_learning_is_repeated_to_the_bit_from_its_seed():
    first, again = ([p.tolist() for p in learned("A2C", fresh("smart_home")).policy.parameters()] for _ in range(2))
    assert first == again


def test_no_seed_of_a_learner_leads_into_worlds_of_the_tables(training):
    first, second = training.make_env(2), training.make_env(2)
    room, met = world_seeds(Use.FINE_TUNING, Use.FINE_TUNING.room, training.seed), []
    for env, seed in ((first, 0), (first, Use.TEST.first), (second, 0)):
        env.seed(seed)
        env.reset()
        met.append({world.streams.seed for world in env.env.worlds})
        assert met[-1] <= set(room)
    assert met[0] == met[1]
    assert not met[0] & met[2]


def test_the_curve_and_the_progress_are_of_what_was_earned():
    told = []
    given = Training(
        **{**vars(fresh("smart_home")), "tuning": TrainSettings(steps=400), "progress": lambda *said: told.append(said)}
    )
    env, rewards = given.make_env(2), []
    env.reset()
    for _ in range(200):
        rewards.append(env.step(np.array([5, 0]))[1])
    steps, means = zip(*env.curve, strict=True)
    assert steps == tuple(range(4, 401, 4))
    assert means == pytest.approx(np.reshape(rewards, (100, 4)).mean(1), abs=1e-6)
    assert [(stage, done, total) for stage, done, total, _ in told] == [("learn", s, 400) for s in (0, *steps)]
    assert told[-1][3].values == {"reward_per_step": means[-1]}


def test_sb3_evaluates_on_it_without_a_warning(training):
    callback = EvalCallback(training.make_env(1), n_eval_episodes=1, eval_freq=20, verbose=0)
    model = A2C("MultiInputPolicy", training.make_env(2), **ROLLOUTS).learn(64, callback=callback)
    assert callback.last_mean_reward > -np.inf
    assert model.num_timesteps == 64


# -- the trial before a run --------------------------------------------------------------------------------------------


def test_a_trial_is_cheap_whatever_a_learner_takes_for_a_rollout(training):
    def count(local, _):
        calls.append(local["self"].num_timesteps)
        return True

    for callback in (None, count, [EvalCallback(training.make_env(1), eval_freq=10**6, verbose=0)]):
        calls, env = [], training.make_env(4)
        with cut_short(64):
            PPO("MultiInputPolicy", env, **SMALL).learn(training.steps, callback=callback)
        assert env.steps == 64
        assert callback is not count or calls == list(range(4, 65, 4))
    env = training.make_env(2)
    PPO("MultiInputPolicy", env, **LEARNERS["PPO"]).learn(100)
    assert env.steps == 128  # whole rollouts again


class Guest:
    """By default a rollout of these is 8,192 steps."""

    def fit(self, training):
        assert training.steps == 64
        return PPO("MultiInputPolicy", training.make_env(4), device="cpu").learn(training.steps)


class Astray:
    def fit(self, training):
        PPO("MultiInputPolicy", training.make_env(4), device="cpu").learn(training.steps)


class NotInstalled:
    def fit(self, training):
        raise ModuleNotFoundError("No module named 'sb3_contrib'", name="sb3_contrib.common")


def test_a_guest_is_tried_before_a_run(monkeypatch):
    monkeypatch.setitem(sys.modules, "guest_agents", types.SimpleNamespace(**globals()))
    scenario = registry.scenario("smart_home")(days=1)
    try_agent(scenario, "guest_agents:Guest")
    with pytest.raises(UserError, match="Astray: fit must return an object with predict, not NoneType"):
        try_agent(scenario, "guest_agents:Astray")
    with pytest.raises(UserError, match=r"No module named 'sb3_contrib' .*; pip install 'lam-env\[contrib\]'$"):
        try_agent(scenario, "guest_agents:NotInstalled")


def test_where_sb3_contrib_is_missing_it_is_told_how_to_get_it(tmp_path, monkeypatch):
    (tmp_path / "their_contrib.py").write_text("from sb3_contrib import MaskablePPO")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "sb3_contrib", None)
    with pytest.raises(UserError, match=r"their_contrib cannot be imported: .*; pip install 'lam-env\[contrib\]'$"):
        try_agent(registry.scenario("smart_home")(), "their_contrib:Agent")


def test_without_an_adapter_the_way_around_is_told():
    with pytest.raises(UserError, match="use make_worlds"):
        Training(None, "anticipate", None, None, None).make_env(1)
