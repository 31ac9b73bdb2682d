"""An ending says whether it was one: who has left for good terminates an episode, a time limit truncates it."""

import warnings

import gymnasium as gym
import numpy as np
import pytest
from lam_env.agents.fine_tuning.vec_env import LamVecEnv

from lam_env.core import registry
from lam_env.envs.single import LamEnv
from lam_env.envs.vector import LamVectorEnv


def endings(env, seeds):
    """(terminated, truncated, info, the world) of the step that ends each episode."""
    for seed in seeds:
        env.reset(seed=seed)
        over = (False, False)
        while not any(over):
            *_, terminated, truncated, info = env.step(0)
            over = (terminated, truncated)
        yield terminated, truncated, info, env.unwrapped.world


def test_who_has_left_for_good_terminates_and_who_still_plays_is_truncated():
    found = list(endings(LamEnv("game"), range(60)))
    assert all(terminated != truncated for terminated, truncated, _, _ in found)
    assert [terminated for terminated, *_ in found] == [w.reward_totals["churn"] == 1 for *_, w in found]
    assert 10 < sum(terminated for terminated, *_ in found) < 58
    for _, _, info, world in found:  # what people get is counted per day of the whole episode, however it ends
        assert world.now == world.end
        assert info["totals"]["utility.total"] == pytest.approx(world.utility() / 30)


@pytest.mark.parametrize(("name", "short"), [("smart_home", {"days": 1}), ("traffic", {"days": 2, "travellers": 20})])
def test_elsewhere_nothing_but_the_time_limit_ends(name, short):
    assert [found[:2] for found in endings(LamEnv(name, **short), [0, 1])] == [(False, True)] * 2


def test_stable_baselines_gives_no_value_to_who_is_gone():
    env, infos = LamVecEnv(LamVectorEnv(8, "game"), seed=0), []
    env.reset()
    while len(infos) < 40:
        churned = [w.reward_totals["churn"] for w in env.env.worlds]
        *_, dones, found = env.step(np.zeros(8, int))
        assert not any(churned)  # an episode ends with the step in which somebody leaves
        infos += [found[i] for i in np.flatnonzero(dones)]
    for info in infos:
        assert info["TimeLimit.truncated"] == (info["reward_terms"].get("churn", 0) == 0)
    assert len({info["TimeLimit.truncated"] for info in infos}) == 2


def test_an_old_id_makes_the_new_world_and_says_so_once():
    assert registry.scenario_version("game") == 2
    with pytest.warns(DeprecationWarning, match="lam/Game-v0 is out of date.*v2") as said:
        old = gym.make("lam/Game-v0")
    assert len(said) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        new = gym.make("lam/Game-v2")
        others = [gym.make(f"lam/{name}-v1") for name in ("SmartHome", "Traffic")]
    assert {type(env.unwrapped) for env in (old, new, *others)} == {LamEnv}
    assert [found[:2] for found in endings(old, range(9))] == [found[:2] for found in endings(new, range(9))]


@pytest.mark.parametrize(
    "env", [LamEnv("game"), gym.make("lam/Game-v2"), LamVectorEnv(2, "game"), LamVecEnv(LamVectorEnv(2, "game"))]
)
def test_a_closed_environment_says_so(env):
    """As Gymnasium's own that hold processes do."""
    env.reset()
    for _ in range(2):
        env.close()
    for call in (env.reset, lambda: env.step(0 if isinstance(env, gym.Env) else np.zeros(2, int))):
        with pytest.raises(gym.error.ClosedEnvironmentError, match=r"^the environment is closed: make another$"):
            call()
