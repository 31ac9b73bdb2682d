"""Agents that need no learning, the choice of a threshold, and the adapter to SB3."""

import numpy as np
import pytest
from gymnasium import spaces
from lam_env.agents.fine_tuning.vec_env import LamVecEnv
from lam_env.agents.simple import Random, RandomAgent, Silent, SilentAgent
from lam_env.agents.thresholded import GRID, with_best_threshold
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import VecCheckNan, VecMonitor

from lam_env.core import registry
from lam_env.core.contracts import Policy, Prediction, Training
from lam_env.envs.batch_info import infos_of
from lam_env.envs.vector import LamVectorEnv


def make_env(n, **options):
    return LamVectorEnv(n, "smart_home", days=1, **options)


def seen(mask):
    return {"epoch": np.zeros((len(mask), 5), np.int64), "action_mask": np.asarray(mask, np.int8)}


def test_silent_is_silent():
    actions, state = Silent().predict(seen([[1, 1], [1, 0]]), "kept")
    assert actions.tolist() == [0, 0]
    assert actions.dtype.kind == "i"
    assert state == "kept"


def test_random_takes_every_possible_action_alike_and_no_other():
    policy, counts = Random(0), np.zeros((2, 5))
    for _ in range(6000):
        actions, _ = policy.predict(seen([[1, 1, 1, 1, 1], [1, 0, 1, 0, 0]]))
        counts[[0, 1], actions] += 1
    assert counts[1, [1, 3, 4]].sum() == 0
    assert ((counts[0] - 1200) ** 2 / 1200).sum() < 18.5  # chi-square, 4 degrees, P = .001
    assert abs(counts[1, 0] - 3000) < 3.3 * np.sqrt(1500)


def test_random_depends_on_its_seed_alone():
    def draw(seed):
        policy = RandomAgent().fit(Training(None, "anticipate", None, None, make_env, seed=seed))
        return [policy.predict(seen([[1] * 30] * 4))[0].tolist() for _ in range(10)]

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)


def test_they_are_found_by_name_and_are_policies():
    training = Training(None, "anticipate", None, None, make_env)
    assert isinstance(registry.agent("none")(), SilentAgent)
    for name in ("none", "random"):
        assert isinstance(registry.agent(name)().fit(training), Policy)


class Mistaken:
    """Says at all times that the television is about to be switched on."""

    def __init__(self, vocabulary, p):
        self.vocabulary, self.p = vocabulary, np.zeros(len(vocabulary))
        self.p[vocabulary.action("living.tv.on")] = p

    def start(self, n):
        return 0

    def reset(self, state, rows):
        return state

    def step(self, state, points, active):
        return Prediction(np.broadcast_to(self.p, (len(active), len(self.p)))), state


def test_the_threshold_that_returns_most_is_taken():
    """Switching on the television at all times is bad: of all thresholds, one that forbids it is best."""
    training = Training(make_env(1).vocabulary, "anticipate", None, None, make_env)
    assert with_best_threshold(Mistaken(training.vocabulary, 0.6), training).threshold == min(
        t for t in GRID if t > 0.6
    )


# the adapter to SB3


@pytest.fixture
def adapted():
    return LamVecEnv(make_env(3), seed=5)


def test_the_adapter_gives_what_the_batch_gives(adapted):
    plain = make_env(3)
    expected, _ = plain.reset(seed=[5, 6, 7])
    found = adapted.reset()
    for step in range(100):
        assert all(np.array_equal(found[k], expected[k]) for k in expected)
        actions = np.array([0, 1, 2]) * (step % 5 == 0)
        expected, rewards, _, _, _ = plain.step(actions)
        found, its_rewards, dones, infos = adapted.step(actions)
        assert its_rewards.dtype == np.float32
        assert np.allclose(its_rewards, rewards)
        assert not dones.any()
        assert [info["masked"] for info in infos] == [w.masked for w in plain.worlds]


def test_a_time_limit_is_a_truncation_with_its_last_observation(adapted):
    plain = make_env(3, autoreset_mode="Disabled")
    plain.reset(seed=[5, 6, 7])
    lasts, totals, earned, steps = [None] * 3, [None] * 3, np.zeros(3), np.zeros(3, int)
    while not plain.finished.all():
        steps += ~plain.finished
        observation, rewards, _, truncated, info = plain.step(np.zeros(3, int))
        earned += rewards
        for i in np.flatnonzero(truncated):
            lasts[i] = {k: v[i].copy() for k, v in observation.items()}
            totals[i] = infos_of(info, 3)[i]["totals"]
    adapted.reset()
    ended = np.zeros(3, bool)
    while not ended.all():
        observation, _, dones, infos = adapted.step(np.zeros(3, int))
        for i in np.flatnonzero(dones):
            if ended[i]:
                continue
            info = infos[i]
            assert info["TimeLimit.truncated"] is True
            assert all(np.array_equal(info["terminal_observation"][k], lasts[i][k]) for k in lasts[i])
            assert info["totals"] == totals[i]
            assert info["episode"]["r"] == pytest.approx(earned[i])
            assert info["episode"]["l"] == steps[i]
            assert observation["epoch"][i, 0] < lasts[i]["epoch"][0]  # the next episode has begun
        assert all(("terminal_observation" in info) == done for info, done in zip(infos, dones, strict=True))
        ended |= dones


def test_a_reset_meets_the_seed_once_and_then_fresh_people(adapted):
    first = adapted.reset()
    steps = [adapted.step(np.zeros(3, int))[0]["epoch"][:, 0] for _ in range(40)]
    adapted.reset()
    others = [adapted.step(np.zeros(3, int))[0]["epoch"][:, 0] for _ in range(40)]
    assert not np.array_equal(steps, others)
    assert adapted.seed(5) == [5, 6, 7]
    again = adapted.reset()
    assert all(np.array_equal(first[k], again[k]) for k in first)
    assert np.array_equal(steps, [adapted.step(np.zeros(3, int))[0]["epoch"][:, 0] for _ in range(40)])


def test_the_rest_of_the_contract(adapted):
    adapted.reset()
    assert isinstance(adapted.action_space, spaces.Discrete)
    assert adapted.observation_space == adapted.env.single_observation_space
    masks = adapted.env_method("action_masks", indices=[2, 0])
    assert [m.tolist() for m in masks] == [adapted.env.action_masks()[i].tolist() for i in (2, 0)]
    assert adapted.get_attr("num_envs") == [3, 3, 3]
    assert adapted.has_attr("action_masks")
    assert not adapted.has_attr("no_such_thing")
    assert adapted.env_is_wrapped(VecMonitor) == [False] * 3
    assert (
        adapted.env_is_wrapped(Monitor) == [True] * 3
    )  # what SB3's evaluation asks: `episode` is what a monitor tells
    wrapped = VecCheckNan(adapted, raise_exception=True)
    wrapped.reset()
    for _ in range(20):
        wrapped.step(np.zeros(3, int))
    wrapped.close()
