"""The kit's batch is Gymnasium's own batch of the single environment, `info` too, in every mode of reset."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import TimeLimit

from lam_env.core import registry
from lam_env.core.errors import UserError
from lam_env.envs.batch_info import infos_of
from lam_env.envs.single import LamEnv
from lam_env.envs.vector import LamVectorEnv

SHORT = {
    "smart_home": {"days": 1, "timer": 3600},
    "traffic": {"days": 1, "travellers": 20, "burn_in": 2},
    "game": {"days": 3},
}
SCENARIOS = registry.scenario_names()
every_scenario = pytest.mark.parametrize("name", SCENARIOS)
every_mode = pytest.mark.parametrize("mode", list(AutoresetMode), ids=lambda mode: mode.value)
N = 3


def settings(name):
    return SHORT.get(name, {"days": 1})


def alike(ours, theirs, where=""):
    """The same to the last bit and type, whatever is nested in it."""
    if isinstance(theirs, dict):
        assert ours.keys() == theirs.keys(), where
        for key in theirs:
            alike(ours[key], theirs[key], f"{where}.{key}")
    elif isinstance(theirs, tuple) or (isinstance(theirs, np.ndarray) and theirs.dtype == object):
        assert type(ours) is type(theirs), where
        for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            alike(a, b, f"{where}[{i}]")
    elif isinstance(theirs, np.ndarray):
        assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape), where
        assert np.array_equal(ours, theirs), where
    else:
        assert ours == theirs, where


def pair(name, mode, steps=None, n=N):
    def make():
        env = LamEnv(name, **settings(name))
        return env if steps is None else TimeLimit(env, steps)

    ours = LamVectorEnv(n, name, autoreset_mode=mode, max_episode_steps=steps, **settings(name))
    return ours, SyncVectorEnv([make] * n, autoreset_mode=mode)


def walk(ours, theirs, wanted, steps=4_000):
    """Both, with the same actions, until each world has ended twice; what was seen at the ends."""
    rng, ends = np.random.default_rng(0), np.zeros(ours.num_envs, int)
    for _ in range(steps):
        masks = ours.action_masks()
        actions = np.where(rng.random(len(masks)) < 0.2, [rng.choice(np.flatnonzero(m)) for m in masks], 0)
        actions = np.where(rng.random(len(masks)) < 0.05, rng.integers(0, masks.shape[1], len(masks)), actions)
        mine, its = ours.step(actions), theirs.step(actions)
        for a, b, what in zip(mine, its, ("observation", "reward", "terminated", "truncated", "info"), strict=True):
            alike(a, b, what)
        over = its[2] | its[3]
        ends += over
        yield over, its[4]
        if ends.min() >= wanted:
            return
    raise AssertionError(f"{ends} episodes have ended")


@every_scenario
@every_mode
def test_a_batch_is_gymnasiums_batch(name, mode):
    ours, theirs = pair(name, mode)
    alike(ours.reset(seed=[5, 11, 2]), theirs.reset(seed=[5, 11, 2]))
    assert ours.metadata["autoreset_mode"] is theirs.metadata["autoreset_mode"] is mode
    assert ours.observation_space == theirs.observation_space
    assert ours.action_space == theirs.action_space
    for over, info in walk(ours, theirs, 2):
        if over.any():
            final = info["final_info"] if mode == AutoresetMode.SAME_STEP else info
            assert {"reward.return", "utility.total"} < final["totals"].keys()
        if over.any() and mode == AutoresetMode.DISABLED:
            alike(ours.reset(options={"reset_mask": over.copy()}), theirs.reset(options={"reset_mask": over.copy()}))


@every_scenario
@every_mode
def test_a_limit_of_steps_is_gymnasiums(name, mode):
    ours, theirs = pair(name, mode, steps=7)
    alike(ours.reset(seed=[1, 2, 3]), theirs.reset(seed=[1, 2, 3]))
    for over, _ in walk(ours, theirs, 3):
        if over.any() and mode == AutoresetMode.DISABLED:
            alike(ours.reset(options={"reset_mask": over.copy()}), theirs.reset(options={"reset_mask": over.copy()}))


@every_scenario
def test_resets_are_gymnasiums(name):
    ours, theirs = pair(name, AutoresetMode.SAME_STEP)
    alike(ours.reset(seed=0), theirs.reset(seed=0))
    some = [np.int64(4), None, 2**64 - 1]
    alike(ours.reset(seed=some), theirs.reset(seed=some))
    alike(ours.reset(), theirs.reset())
    alike(ours.reset(options={"day": 9}), theirs.reset(options={"day": 9}))
    # which day it was is forgotten when an episode begins by itself
    for _ in walk(ours, theirs, 1):
        pass


@every_scenario
def test_two_seeds_share_no_world(name):
    batch = LamVectorEnv(4, name, **settings(name))
    seen = set()
    for seed in range(4):
        batch.reset(seed=np.int64(seed))
        seen |= {w.streams.seed for w in batch.worlds}
    assert seen == set(range(16))
    with pytest.raises(
        UserError, match=r"^seed \d+: a batch of 4 worlds takes seeds from 0 to 4,611,686,018,427,387,903; give"
    ):
        batch.reset(seed=2**62)
    batch.reset(seed=2**62 - 1)


@every_scenario
def test_worlds_that_follow_are_lived_once(name):
    batch = LamVectorEnv(2, name, **settings(name))
    batch.reset(seed=[3, 4], options={"then": [5]})
    lived, steps = [w.streams.seed for w in batch.worlds], 0
    while not batch.finished.all():
        *_, info = batch.step(np.zeros(2, int))
        lived += [w.streams.seed for w in batch.worlds if w.streams.seed not in lived]
        steps += 1
        if batch.finished.any():
            still = infos_of(info, 2)[int(np.flatnonzero(batch.finished)[0])]
            assert still == {} or still.keys() == {"final_obs", "final_info"}
    assert lived == [3, 4, 5]


@pytest.mark.parametrize(("options", "said"), [
    ({"dya": 3}, r"^reset: no option 'dya'; there is day"),
    ({"day": -1}, r"^reset: day -1; give a whole number from 0 to 36,525$"),
    ({"day": 1.5}, r"^reset: day 1\.5; give a whole number"),
    ({"day": "monday"}, r"^reset: day 'monday'; give a whole number"),
    ({"day": 2**70}, r"^reset: day \S+; give a whole number"),
])  # fmt: skip
def test_bad_options_are_one_line_and_change_nothing(options, said):
    single, batch = LamEnv(SCENARIOS[0]), LamVectorEnv(2, SCENARIOS[0])
    for env in (single, batch):
        env.reset(seed=0)
        with pytest.raises(UserError, match=said):
            env.reset(seed=1, options=options)
    assert [single.world.streams.seed, *(w.streams.seed for w in batch.worlds)] == [0, 0, 1]


@pytest.mark.parametrize(("mode", "options", "said"), [
    ("Disabled", {"then": [1]}, '"then" goes with the autoreset mode SAME_STEP'),
    ("Disabled", {"reset_mask": [True, False]}, r"reset_mask has to be \(2,\) bool"),
    ("Disabled", {"reset_mask": np.zeros(2, bool)}, r"reset_mask has to be \(2,\) bool with at least one True"),
])  # fmt: skip
def test_options_of_a_batch_that_cannot_be(mode, options, said):
    with pytest.raises(UserError, match=said):
        LamVectorEnv(2, SCENARIOS[0], autoreset_mode=mode).reset(seed=0, options=options)


@pytest.mark.parametrize(("how", "said"), [
    ({"autoreset_mode": "Never"}, "autoreset_mode 'Never': there are NextStep, SameStep, Disabled"),
    ({"max_episode_steps": 0}, "max_episode_steps must be a whole number from 1 on, not 0"),
    ({"render_mode": "gif"}, "render_mode 'gif': there are ansi, rgb_array"),
    ({"num_envs": 1.5}, r"num_envs must be a whole number from 1 on, not 1\.5"),
])  # fmt: skip
def test_a_batch_that_cannot_be_made(how, said):
    with pytest.raises(UserError, match=said):
        LamVectorEnv(scenario=SCENARIOS[0], **how)


@every_scenario
def test_the_first_reset_of_some_worlds_is_refused(name):
    with pytest.raises(UserError, match="reset_mask goes on from a first reset"):
        LamVectorEnv(2, name, autoreset_mode="Disabled").reset(options={"reset_mask": np.ones(2, bool)})


@every_scenario
def test_samples_are_in_their_space_alone_and_batched(name):
    for env in (LamEnv(name, reveal=("latent", "plan")), LamVectorEnv(3, name)):
        for space in (env.observation_space, env.action_space):
            space.seed(0)
            assert all(space.contains(space.sample()) for _ in range(20))


@every_scenario
@pytest.mark.parametrize("mode", ["ansi", "rgb_array", "rgb_array_list"])
def test_a_batch_draws_what_its_worlds_draw(name, mode):
    batch, singles = LamVectorEnv(2, name, render_mode=mode), [LamEnv(name, render_mode=mode) for _ in range(2)]
    assert batch.render() is None
    batch.reset(seed=[3, 8])
    for env, seed in zip(singles, (3, 8), strict=True):
        env.reset(seed=seed)
    for _ in range(3):
        _, _, terminated, truncated, _ = batch.step(np.zeros(2, int))
        over = terminated | truncated
        for i, env in enumerate(singles):
            env.step(0)
            if over[i]:
                env.reset()
    for ours, env in zip(batch.render(), singles, strict=True):
        alike(np.array(ours), np.array(env.render()))


def test_make_vec_takes_limits_modes_and_wrappers():
    name = "lam/SmartHome-v1"
    batch = gym.make_vec(name, num_envs=2, max_episode_steps=5, autoreset_mode="NextStep", days=1)
    batch.reset(seed=0)
    ends = [batch.step(np.zeros(2, int))[3].tolist() for _ in range(5)]
    assert ends == [[False, False]] * 4 + [[True, True]]
    # Gymnasium itself wraps single environments only in batches of its own
    wrapped = gym.make_vec(name, num_envs=2, vectorization_mode="sync", wrappers=[lambda e: TimeLimit(e, 2)], days=1)
    wrapped.reset(seed=0)
    assert [wrapped.step(np.zeros(2, int))[3].tolist() for _ in range(2)] == [[False, False], [True, True]]


@every_scenario
def test_gymnasiums_wrappers_of_batches_go_round_it(name):
    from gymnasium.wrappers.vector import (
        DictInfoToList,
        FlattenObservation,
        NormalizeObservation,
        RecordEpisodeStatistics,
    )

    batch = LamVectorEnv(2, name, autoreset_mode="NextStep", **settings(name))  # they know no other
    env = NormalizeObservation(FlattenObservation(RecordEpisodeStatistics(batch)))
    seen, _ = env.reset(seed=0)
    assert seen.shape == env.observation_space.shape
    earned = np.zeros(2)
    for _ in range(3_000):
        seen, rewards, terminated, truncated, info = env.step(np.zeros(2, int))
        earned += rewards
        over = terminated | truncated
        if over.any():
            assert np.allclose(info["episode"]["r"][over], earned[over])
            break
    assert over.any()
    assert np.isfinite(seen).all()
    listed = DictInfoToList(LamVectorEnv(2, name, **settings(name)))
    listed.reset(seed=0)
    assert [i.keys() >= {"masked", "reward_terms"} for i in listed.step(np.zeros(2, int))[4]] == [True, True]
