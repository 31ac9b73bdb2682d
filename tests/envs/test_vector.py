"""A batch of worlds is, bit for bit, as many single environments; what it hands out stays as it was."""

import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.wrappers import Autoreset

from lam_env.core import registry
from lam_env.core.errors import UserError
from lam_env.envs.single import LamEnv
from lam_env.envs.vector import LamVectorEnv

SCENARIOS = registry.scenario_names()
every_scenario = pytest.mark.parametrize("name", SCENARIOS)


def bits(observation):
    return {k: (v.dtype, v.shape, v.tobytes()) for k, v in observation.items()}


def row(observations, i):
    return {k: v[i] for k, v in observations.items()}


def choose(rng, masks, kind):
    """One action a world: none, any, or now and then one that is possible."""
    n, a = masks.shape
    if kind == "none":
        return np.zeros(n, np.int64)
    if kind == "any":
        return rng.integers(0, a, n)
    possible = np.array([rng.choice(np.flatnonzero(m)) for m in masks])
    return np.where(rng.random(n) < 0.3, possible, 0)


@every_scenario
def test_revealed_and_recorded_batches_are_single_environments_too(name):
    how = {"reveal": ("latent", "plan"), "record": True}
    batch, env = LamVectorEnv(2, name, autoreset_mode="Disabled", **how), LamEnv(name, **how)
    seen, _ = batch.reset(seed=[4, 9])
    own, _ = env.reset(seed=9)
    over = False
    for k in range(200):
        assert bits(own) == bits(row(seen, 1))
        if over:
            break
        seen, (own, _, *ends, _) = batch.step(np.full(2, k % 3))[0], env.step(k % 3)
        over = any(ends)
    assert {"latent", "plan"} <= own.keys()
    assert repr(batch.worlds[1].records) == repr(env.world.records)
    assert len(env.world.records) > 20


@every_scenario
def test_reset_without_a_seed_goes_on_to_fresh_people(name):
    batch, env = LamVectorEnv(2, name), LamEnv(name)
    first, _ = batch.reset(seed=7)
    env.reset(seed=15)  # the second of the batch's
    again = [batch.reset()[0] for _ in range(2)]
    for seen in again:
        assert bits(env.reset()[0]) == bits(row(seen, 1))

    def life(seed=None):
        batch.reset(seed=seed)
        return np.stack([batch.step(np.zeros(2, int))[0]["epoch"] for _ in range(50)])

    one, two = life(seed=7), life()
    assert not np.array_equal(one, two)
    assert np.array_equal(one, life(seed=7))
    assert not np.array_equal(one[:, 0], one[:, 1])
    assert bits(batch.reset(seed=7)[0]) == bits(first)


@every_scenario
def test_without_any_seed_two_batches_differ(name):
    def seeds():
        batch = LamVectorEnv(2, name)
        batch.reset()
        return [w.streams.seed for w in batch.worlds]

    assert seeds() != seeds()


@every_scenario
def test_nothing_is_shared_between_steps(name):
    rng = np.random.default_rng(0)
    batch, env = LamVectorEnv(2, name), Autoreset(LamEnv(name))
    kept = [batch.reset(seed=0)[0], env.reset(seed=0)[0]]
    infos = [env.step(0)[4] for _ in range(2)]
    for _ in range(30):
        actions = choose(rng, batch.action_masks(), "any")
        kept += [batch.step(actions)[0], env.step(actions[0])[0]]
        infos.append(env.step(0)[4])
    before = [bits(o) for o in kept]
    for o in (*kept[-4:-2], *kept[:2]):
        for p in kept[-2:]:
            assert not any(np.shares_memory(o[k], p[k]) for k in o)
    for _ in range(200):
        batch.step(choose(rng, batch.action_masks(), "any"))
        env.step(0)
    assert [bits(o) for o in kept] == before
    terms = [i["reward_terms"] for i in infos if "reward_terms" in i]  # all but those of resets
    assert len({id(t) for t in terms}) == len(terms) > 20
    last = kept[-2]
    for value in last.values():
        value[:] = 77  # what an agent does to its observation changes no world
    assert not any((v == 77).all() for v in batch.step(np.zeros(2, int))[0].values())


@every_scenario
def test_a_masked_action_is_executed_as_none_and_counted(name):
    acting, idle = (LamVectorEnv(2, name, autoreset_mode="Disabled") for _ in range(2))
    acting.reset(seed=2)
    idle.reset(seed=2)
    refused = np.zeros(2, int)
    for _ in range(300):
        masked = [np.flatnonzero(~m) for m in acting.action_masks()]
        actions = np.array([m[0] if len(m) else 0 for m in masked])
        refused += (actions > 0) & ~acting.finished
        one, two = acting.step(actions), idle.step(np.zeros(2, int))
        assert bits(one[0]) == bits(two[0])
        assert np.array_equal(one[1], two[1])
    assert refused.all()
    assert [w.masked for w in acting.worlds] == refused.tolist()
    assert [w.agent_acts for w in acting.worlds] == [0, 0]
    env = LamEnv(name)
    env.reset(seed=2)
    while env.action_masks().all():  # in some scenarios somebody else's turn comes first
        assert env.step(0)[4]["masked"] == 0
    assert env.step(np.flatnonzero(~env.action_masks())[0])[4]["masked"] == 1


@pytest.mark.parametrize(
    "actions", [[0], [0, 0, 0], [[0, 0]], [0, -1], [0, 10_000], ["a", "b"], [0.0, 1.0], [[0], 1], None]
)
def test_actions_outside_the_space_raise_and_change_nothing(actions):
    batch = LamVectorEnv(2, SCENARIOS[0])
    seen, _ = batch.reset(seed=0)
    with pytest.raises(UserError, match=r"^step: actions .+ give an array of 2 whole numbers from 0 to \d+, one for"):
        batch.step(actions)
    assert bits(batch.rows.observe()) == bits(seen)


@pytest.mark.parametrize("action", [-1, 10_000, "a", None, 0.5, [0], np.zeros((2, 2))], ids=str)
def test_an_action_outside_the_space_of_a_single_environment_raises(action):
    env = LamEnv(SCENARIOS[0])
    seen, _ = env.reset(seed=0)
    with pytest.raises(
        UserError, match=r"^step: action .+ is not in the action space; give a whole number from 0 to \d+$"
    ):
        env.step(action)
    assert env.world.now == seen["epoch"][0]


@pytest.mark.parametrize(("kind", "action"), [(LamEnv, 0), (LamVectorEnv, np.zeros(1, int))])
def test_stepping_before_reset_raises(kind, action):
    with pytest.raises(ResetNeeded, match="call reset before step"):
        kind(scenario=SCENARIOS[0]).step(action)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"num_envs": 0}, "num_envs must be a whole number from 1 on, not 0"),
        ({"num_envs": 2, "reveal": ("future",)}, "reveal="),
        ({"num_envs": 2, "reveal": "plan"}, "reveal='plan': give a list"),
    ],
)
def test_what_a_batch_cannot_be_made_of_is_said_in_one_line(how, message):
    with pytest.raises(UserError, match=message) as error:
        LamVectorEnv(scenario=SCENARIOS[0], **how)
    assert "\n" not in str(error.value)


def test_a_wrong_number_of_seeds_raises():
    with pytest.raises(UserError, match="reset needs 2 seeds, not 3"):
        LamVectorEnv(2, SCENARIOS[0]).reset(seed=[1, 2, 3])
