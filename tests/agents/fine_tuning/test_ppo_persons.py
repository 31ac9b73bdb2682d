"""Fine-tuning where the decision points of a world are those of many persons, in a world whose best advice is known."""

import dataclasses
import functools

import numpy as np
import pytest
from lam_env.agents.fine_tuning import start
from lam_env.agents.fine_tuning.features import encoder_of
from lam_env.agents.fine_tuning.heads import AdviceHead, PlainHead
from lam_env.agents.fine_tuning.learner import points_a_day
from lam_env.agents.fine_tuning.ppo import PPOAgent
from lam_env.agents.fine_tuning.rollout_buffer import PersonalRolloutBuffer, Turns
from lam_env.agents.fine_tuning.vec_env import LamVecEnv
from lam_env.agents.guests.encoded import EncodedVectorEnv
from lam_env.agents.simple import Silent
from people import A, Best, Knowing, Trips, habits
from stable_baselines3 import PPO
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecNormalize

from lam_env.core.contracts import Training
from lam_env.core.errors import UserError
from lam_env.core.tuning import TrainSettings
from lam_env.core.units import DAY
from lam_env.envs.recording import simulate_log
from lam_env.envs.vector import LamVectorEnv
from lam_env.evaluation.rollout import rollout
from lam_env.logs.decision_points import decision_points

FAST = TrainSettings(envs=16, rollout=64, days=2, batch=256, gamma=0.0, learning_rate=5e-3)


@functools.cache
def log(people=3):
    return decision_points(simulate_log(Trips(people=people), [0, 1], 4)[0])


def training(steps, seed=0, people=3, settings=FAST):
    scenario = Trips(days=2.0, people=people)

    def make_env(n, **options):
        return LamVectorEnv(n, scenario, **options)

    paid, points, tuned = scenario.reward_weights, log(people), dataclasses.replace(settings, steps=steps)
    return Training(
        scenario.vocabulary, "advise", points, points, make_env, paid, prior=Knowing(), tuning=tuned, seed=seed
    )


@functools.cache
def known_best():
    return np.mean([t["reward.return"] for t in rollout(Best(), Trips(days=10.0), list(range(50, 66)))])


def share_of_best(policy, deterministic=True):
    found = rollout(policy, Trips(days=10.0), list(range(50, 66)), deterministic=deterministic)
    return np.mean([t["reward.return"] for t in found]) / known_best()


def test_a_day_has_as_many_questions_as_its_persons_are_asked():
    points = log()
    days = {(w // 3, t // DAY) for w, t in zip(points.world.tolist(), points.time.tolist(), strict=True)}
    assert len(days) == 10  # four days from four in the morning touch five, in two worlds
    assert points_a_day(points) == -(-len(points) // 10)
    assert points_a_day(points.select(points.world < 3)) == pytest.approx(points_a_day(points), abs=5)
    one_day = points.select((points.world < 3) & (points.time // DAY == 1))
    assert points_a_day(one_day) == len(one_day) > 40
    assert points_a_day(dataclasses.replace(one_day, people=1)) == -(-len(one_day) // 3)
    assert points_a_day(one_day.select(np.zeros(0, int))) == 0


@pytest.mark.parametrize("settings", [FAST, TrainSettings(), TrainSettings(envs=6, batch=96, days=1, rollout=10)])
def test_the_learner_waits_for_some_days_of_everybody(settings):
    agent, given = PPOAgent(prior=True), training(100, settings=settings)
    model = agent.learner(given, encoder_of(given, agent.prior))  # and without a warning that batches are torn
    assert type(model.rollout_buffer) is PersonalRolloutBuffer
    assert model.n_envs == settings.envs // 4
    least = max(settings.rollout, settings.days * points_a_day(log()))
    assert least <= model.n_steps < least + settings.batch
    assert type(model.policy.head) is AdviceHead
    plain = PPOAgent(prior=False)
    assert type(plain.learner(given, encoder_of(given)).policy.head) is PlainHead


def test_one_person_a_world_learns_as_a_world_that_is_one_stream():
    agent, given = PPOAgent(prior=True), training(100, people=1)
    model = agent.learner(given, encoder_of(given, agent.prior))
    assert type(model.rollout_buffer) is RolloutBuffer
    assert (model.n_envs, model.n_steps) == (FAST.envs, FAST.rollout)


def test_what_the_learner_sees_is_the_word_on_the_person_asked():
    features = encoder_of(training(0), prior=True)
    env = LamVecEnv(EncodedVectorEnv(LamVectorEnv(2, Trips(days=0.5)), features), seed=3)
    seen, worth = env.reset(), features.layout.worth
    for _ in range(200):
        people = [w.person for w in env.env.worlds]
        assert np.allclose(seen[:, :A], [habits(p) for p in people])
        assert np.allclose(seen[:, worth + A + 1 : worth + 2 * A], [list(w.row.context[4:]) for w in env.env.worlds])
        seen, _, dones, infos = env.step(np.zeros(2, int))
        for i in np.flatnonzero(dones):
            assert np.isfinite(infos[i]["terminal_observation"]).all()


def test_a_rollout_pays_each_step_what_its_own_person_brought():
    """Others are asked in between: an advice taken brings its worth, any other its nag, and silence nothing."""
    agent, given = PPOAgent(prior=True), training(100, people=10, settings=dataclasses.replace(FAST, days=3))
    features = encoder_of(given, agent.prior)
    model = agent.learner(given, features)
    model.learn(1)
    part = next(model.rollout_buffer.get(None))
    x, action, paid = part.observations.numpy(), part.actions[:, 0].numpy().astype(int), part.returns.numpy()
    assert len(x) > 1000
    rows, begin = np.arange(len(x)), features.layout.worth
    external, own = x[:, begin : begin + A][rows, action], x[:, begin + A : features.layout.rest][rows, action]
    worth = 0.1 * (external + own)
    taken = np.abs(paid + 0.1 - worth) < 1e-4
    assert paid[action == 0] == pytest.approx(0, abs=1e-6)
    assert (taken | (np.abs(paid + 0.1) < 1e-4))[action > 0].all()
    assert 0.2 < taken[action > 0].mean() < 0.8


def test_ppo_from_the_plug_in_is_near_the_best():
    policy = PPOAgent(prior=True).fit(training(2_000))
    assert type(policy.head) is AdviceHead
    assert share_of_best(Silent()) == 0
    assert share_of_best(policy) > 0.92  # what is counted of persons, who are alike here, costs a little


def test_ppo_learns_what_advice_is_worth_from_credits_alone(monkeypatch):
    """It begins at a plug-in that believes in nothing: all that it knows in the end comes from returns."""

    class Ignorant:
        def __init__(self, **_):
            pass

        def fit(self, given):
            from lam_env.agents.advice.plugin import AdvicePlugIn, AnswerModel

            return AdvicePlugIn(given.prior, AnswerModel.alike(len(given.vocabulary)), {}, 0.0)

    monkeypatch.setattr(start, "AdviceAgent", Ignorant)
    agent = PPOAgent(prior=True)
    ignorant = agent.fit(training(0, people=10))
    assert share_of_best(ignorant, deterministic=False) < 0.4
    policy = agent.fit(training(6_000, people=10))  # returns along the worlds' steps lead to less than half of this
    assert share_of_best(policy) > 0.9
    assert agent.curve[-1][1] > agent.curve[0][1] + 0.3


def test_ppo_from_scratch_comes_near_it_too():
    policy = PPOAgent(prior=False).fit(training(8_000))
    assert share_of_best(policy) > 0.9


def test_a_training_is_repeated_to_the_bit_and_another_seed_gives_another():
    heads = [PPOAgent(prior=False).fit(training(1_000, s)).head.state_dict() for s in (3, 3, 4)]
    same, other = ([bool((heads[0][k] == h[k]).all()) for k in h] for h in heads[1:])
    assert all(same)
    assert not all(other)


def guest(n):
    worlds = EncodedVectorEnv(LamVectorEnv(n, Trips(days=0.5)), encoder_of(training(0)))
    env = VecNormalize(LamVecEnv(worlds, seed=3), norm_reward=False)  # what goes round it keeps the infos
    return PPO("MlpPolicy", env, n_steps=6, batch_size=3, seed=0, rollout_buffer_class=PersonalRolloutBuffer)


def test_a_buffer_whose_learner_has_not_the_callback_says_so():
    with pytest.raises(UserError, match=r"whose turn is it\? Give learn\(callback=Turns\(\)\) too$"):
        guest(1).learn(2)


@pytest.mark.parametrize("calls", [1, 3])
def test_whose_turn_it_is_is_known_when_learning_goes_on(calls):
    people = []

    class Look(BaseCallback):
        def _on_step(self):
            people.append([world.person for world in self.training_env.unwrapped.env.worlds])
            return True

    model = guest(2)
    for k in range(calls):
        model.learn(600, callback=[Turns(), Look()], reset_num_timesteps=k == 0)
    assert model.rollout_buffer.person.tolist() == people[-7:-1]


def test_where_nobody_is_asked_twice_there_is_nothing_to_learn_from():
    class Once(PersonalRolloutBuffer):
        def compute_returns_and_advantage(self, last_values, dones):
            super().compute_returns_and_advantage(last_values, dones)
            self.known[:] = False

    agent, learning = PPOAgent(prior=False), training(64)
    model = agent.learner(learning, encoder_of(learning))
    model.rollout_buffer.__class__ = Once
    with pytest.raises(UserError, match="nobody is asked twice in a rollout"):
        model.learn(64)
