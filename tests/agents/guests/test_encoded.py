"""The kit's encoder around environments: the same vectors single, batched and for SB3, those that PPO learns from."""

import dataclasses
import functools

import gymnasium as gym
import numpy as np
import pytest
from lam_env.agents.fine_tuning.features import PlainFeatures, encoder_of
from lam_env.agents.fine_tuning.ppo import PPOAgent
from lam_env.agents.fine_tuning.vec_env import LamVecEnv
from lam_env.agents.guests.encoded import EncodedEnv, EncodedVectorEnv

from lam_env.core import registry
from lam_env.core.errors import UserError
from lam_env.core.events import Vocabulary
from lam_env.core.observation import WINDOW
from lam_env.core.tuning import TrainSettings
from lam_env.envs.recording import simulate_log
from lam_env.envs.single import LamEnv
from lam_env.envs.vector import LamVectorEnv
from lam_env.experiment.agent_check import small_training
from lam_env.logs.decision_points import decision_points

DAYS = {"smart_home": 1, "traffic": 1, "game": 2}


@functools.cache
def training(name):
    return small_training(registry.scenario(name)(days=DAYS[name]))


def walk(env, steps, act):
    """What is seen of so many steps, each with whether the one before it ended the episode."""
    seen, out = env.reset(seed=7)[0], []
    for t in range(steps):
        out.append(seen)
        seen, *_ = env.step(act(t))
    return np.array(out)


def test_a_known_observation_gives_a_known_vector():
    encoder = PlainFeatures(Vocabulary(("none", "a"), ("s",), ("r",)), np.array([2.0]), np.array([4.0]))
    seen = {
        "tokens": np.zeros((1, WINDOW), np.int64),
        "epoch": np.array([[5 * 3600, 6, 0, 0, 1]]),
        "clock": np.array([[0.1, 0.2, 0.3, 0.4]], np.float32),
        "context": np.array([[10.0]], np.float32),
        "since": np.expm1(np.array([[6.0, 0.0, 12.0]])).astype(np.float32),
        "feedback": np.array([[0, 3, 0, 1]], np.float32),
        "heard": np.zeros((1, 0), np.float32),
        "action_mask": np.array([[1, 0]], np.int8),
    }
    seen["tokens"][0, -2:] = [1, 2]
    token = np.eye(3)
    expected = [0] * 4 + [1, 0] + [0, 3, 0, 1] + [0] * 12 + [0]  # no prior; mask; answers, also by kind; advised lately
    expected += [0, 1, 0, 0, 0, 0, *token[0], *token[0], *token[1], *token[2]]  # from four to eight; last tokens
    expected += [1, np.log(7) / 6, 2, 0.1, 0.2, 0.3, 0.4]  # follow-up, time since the last, scaled reading, clock
    expected += [*np.log1p([0, 3, 0, 1]), *np.log1p([3, 1]), 0, -1, 1]
    assert encoder(seen, None, None)[0][0].tolist() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", DAYS)
@pytest.mark.parametrize("prior", [False, True])
def test_single_and_batch_see_the_same_through_ends_and_resets(name, prior):
    given = training(name)
    encoder, worlds = encoder_of(given, prior), given.make_worlds(3)
    batch = EncodedVectorEnv(worlds, encoder)
    singles = [EncodedEnv(LamEnv(worlds.scenario), encoder) for _ in range(3)]
    seen, _ = batch.reset(seed=[7, 8, 9])
    mine = np.array([env.reset(seed=7 + i)[0] for i, env in enumerate(singles)])
    assert seen.dtype == np.float32
    assert batch.observation_space.shape == seen.shape == (3, *singles[0].observation_space.shape)
    ends = 0
    for t in range(2000):
        assert np.allclose(seen, mine, atol=1e-5)
        actions = np.where(t % 3 == 0, worlds.action_masks().cumsum(1).argmax(1), 0)  # the last possible one
        seen, rewards, terminated, truncated, info = batch.step(actions)
        for i, env in enumerate(singles):
            mine[i], reward, *over, _ = env.step(actions[i])
            assert (reward, over) == (rewards[i], [terminated[i], truncated[i]])
            if any(over):
                assert np.allclose(info["final_obs"][i], mine[i], atol=1e-5)
                mine[i], ends = env.reset()[0], ends + 1
        if ends >= 3:
            break
    assert ends >= 3
    assert np.isfinite(seen).all()


def test_a_learner_of_sb3_sees_what_the_batch_shows_and_so_does_the_kits_own():
    given = training("smart_home")
    encoder = encoder_of(given, prior=True)
    tuned = dataclasses.replace(given, tuning=TrainSettings(envs=3, batch=384))
    for env in (
        LamVecEnv(EncodedVectorEnv(given.make_worlds(3), encoder), seed=7),
        given.make_env(3, prior=True),
        PPOAgent().learner(tuned, encoder).get_env(),
    ):
        env.seed(7)
        seen, first = env.reset(), env.env.worlds[0].streams.seed
        batch = EncodedVectorEnv(given.make_worlds(3), encoder)
        expected, _ = batch.reset(seed=range(first, first + 3))
        for _ in range(50):
            assert np.array_equal(seen, expected)
            seen, *_ = env.step(np.zeros(3, int))
            expected, *_ = batch.step(np.zeros(3, int))


def test_the_wrappers_are_gymnasiums_and_pass_on_what_is_below():
    given = training("smart_home")
    single = EncodedEnv(LamEnv(given.make_worlds(1).scenario), encoder_of(given))
    assert isinstance(single, gym.ObservationWrapper)
    single.reset(seed=0)
    assert single.get_wrapper_attr("action_masks")().shape == (single.action_space.n,)
    assert isinstance(EncodedVectorEnv(given.make_worlds(2), encoder_of(given)).unwrapped, LamVectorEnv)


def test_numbers_are_of_a_size_that_networks_take():
    """Where an observation has times of a hundred thousand seconds."""
    for name in DAYS:
        env = EncodedVectorEnv(training(name).make_worlds(4), encoder_of(training(name)))
        seen = walk(env, 100, lambda t: np.zeros(4, int))
        assert np.abs(seen).max() < 60, name


def test_without_a_prior_there_is_no_encoder_with_one():
    given = training("smart_home")
    with pytest.raises(UserError, match="needs a training that has one"):
        encoder_of(type(given)(given.vocabulary, "anticipate", given.train, given.valid, given.make_worlds), prior=True)


def test_a_log_alone_gives_the_encoder_that_a_training_on_it_has():
    log, _ = simulate_log(registry.scenario("smart_home")(), seeds=[3], days=1)
    points = decision_points(log)
    known = dataclasses.replace(training("smart_home"), train=points)
    env = LamEnv("smart_home", days=1)
    seen = walk(EncodedEnv(env, encoder_of(log)), 20, lambda t: 0)
    assert seen.tobytes() == walk(EncodedEnv(env, encoder_of(known)), 20, lambda t: 0).tobytes()
    with pytest.raises(UserError, match="an encoder with the prior needs a training that has one"):
        encoder_of(log, prior=True)


def test_the_folder_of_a_run_is_no_source_of_an_encoder():
    with pytest.raises(
        UserError, match=r"^encoder_of: give an ActionLog or a training, not str; the log of a run: \S+$"
    ):
        encoder_of("runs/smart_home-1")
