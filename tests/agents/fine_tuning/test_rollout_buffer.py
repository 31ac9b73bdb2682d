"""Returns along one person's steps: against a slow reference, and Stable-Baselines3 where a world is one person's."""

import numpy as np
import pytest
import torch
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st
from lam_env.agents.fine_tuning.rollout_buffer import PersonalRolloutBuffer
from lam_env.agents.fine_tuning.vec_env import LamVecEnv
from people import BUS, Trips
from stable_baselines3.common.buffers import RolloutBuffer

from lam_env.envs.vector import LamVectorEnv

GAMMA, LAMBDA = 0.9, 0.8


def filled(kind, person, credit, values, starts, rewards=None, **more):
    """A buffer of steps (T, N); its observations are their numbers."""
    steps, n = values.shape
    box = spaces.Box(-np.inf, np.inf, (1,), np.float32)
    buffer = kind(steps, box, spaces.Discrete(4), "cpu", LAMBDA, GAMMA, n_envs=n, **more)
    for t in range(steps):
        if kind is PersonalRolloutBuffer:
            buffer.begin([{"person": p, "credit": c} for p, c in zip(person[t], credit[t], strict=True)])
        number = (t * n + np.arange(n))[:, None]
        reward = np.zeros(n) if rewards is None else rewards[t]
        buffer.add(number, number % 4, reward, starts[t], torch.as_tensor(values[t]), torch.zeros(n))
    return buffer


def reference(person, credit, values, starts):
    """Of one world: advantage of each step, None where its person is not asked again in its episode."""
    out = [None] * len(person)
    episode = np.cumsum(starts)
    for t in range(len(person)):
        mine = [k for k in range(t, len(person)) if person[k] == person[t] and episode[k] == episode[t]]
        if len(mine) > 1:
            deltas = [credit[b] + GAMMA * values[b] - values[a] for a, b in zip(mine, mine[1:], strict=False)]
            out[t] = sum((GAMMA * LAMBDA) ** k * delta for k, delta in enumerate(deltas))
    return out


@given(st.integers(1, 40), st.integers(1, 3), st.integers(1, 5), st.floats(0, 0.5), st.integers(0, 10**6))
def test_advantages_are_those_of_each_persons_own_steps(steps, n, people, ends, seed):
    rng = np.random.default_rng(seed)
    person = rng.integers(0, people, (steps, n))
    credit, values = rng.normal(size=(2, steps, n)).astype(np.float32)
    starts = rng.random((steps, n)) < ends
    starts[0] = rng.random() < 0.5
    buffer = filled(PersonalRolloutBuffer, person, credit, values, starts)
    buffer.compute_returns_and_advantage(torch.zeros(n), np.zeros(n))
    for e in range(n):
        wanted = reference(person[:, e], credit[:, e], values[:, e], starts[:, e])
        assert buffer.known[:, e].tolist() == [a is not None for a in wanted]
        assert buffer.advantages[:, e] == pytest.approx([a or 0.0 for a in wanted], abs=1e-5)
    assert np.array_equal(buffer.returns, buffer.advantages + buffer.values)


def test_two_interleaved_persons_by_hand():
    person = np.array([[0], [1], [0], [1], [0]])
    credit = np.array([[9.0], [9.0], [1.0], [2.0], [4.0]], np.float32)  # what the person's step before has brought
    values = np.array([[0.5], [0.0], [1.0], [0.0], [2.0]], np.float32)
    buffer = filled(PersonalRolloutBuffer, person, credit, values, np.eye(5)[0][:, None] > 0)
    buffer.compute_returns_and_advantage(torch.ones(1) * 100, np.zeros(1))
    third = 4.0 + GAMMA * 2 - 1
    first = 1.0 + GAMMA * 1 - 0.5 + GAMMA * LAMBDA * third
    assert buffer.advantages[:, 0] == pytest.approx([first, 2.0, third, 0, 0])
    assert buffer.known[:, 0].tolist() == [True, True, True, False, False]


def test_an_episodes_people_are_not_the_next_ones():
    person, values = np.zeros((4, 1), int), np.zeros((4, 1), np.float32)
    credit = np.array([[0.0], [1.0], [8.0], [2.0]], np.float32)
    starts = np.array([[True], [False], [True], [False]])
    buffer = filled(PersonalRolloutBuffer, person, credit, values, starts)
    buffer.compute_returns_and_advantage(torch.ones(1) * 100, np.ones(1))
    assert buffer.advantages[:, 0].tolist() == [1, 0, 2, 0]
    assert buffer.known[:, 0].tolist() == [True, False, True, False]


@pytest.mark.parametrize("seed", range(4))
def test_a_world_of_one_person_gives_stable_baselines_own_advantages(seed):
    """Up to the last step of each episode, whose value stands in for what is not known yet."""
    rng, steps = np.random.default_rng(seed), 30
    values, rewards = rng.normal(size=(2, steps, 1)).astype(np.float32)
    starts = rng.random((steps, 1)) < 0.15
    starts[0] = True
    credit = np.r_[np.zeros((1, 1)), rewards[:-1]]  # one person's, so a step's reward is told at the next
    own = filled(PersonalRolloutBuffer, np.zeros((steps, 1), int), credit, values, starts)
    own.compute_returns_and_advantage(torch.zeros(1), np.zeros(1))
    bounds = [*np.flatnonzero(starts), steps]
    for first, end in zip(bounds, bounds[1:], strict=False):
        last = end - 1
        assert own.known[first:end, 0].tolist() == [True] * (last - first) + [False]
        if last > first:
            part = slice(first, last)
            theirs = filled(RolloutBuffer, *(a[part] for a in (credit, credit, values, starts, rewards)))
            theirs.compute_returns_and_advantage(torch.as_tensor(values[last]), np.zeros(1))
            assert own.advantages[part] == pytest.approx(theirs.advantages, abs=1e-5)
            assert own.returns[part] == pytest.approx(theirs.returns, abs=1e-5)


def sampled(buffer, batch):
    return [part.observations[:, 0].int().tolist() for part in buffer.get(batch)]


def test_steps_without_a_successor_are_never_sampled_and_all_others_once_a_pass():
    rng = np.random.default_rng(0)
    person, starts = rng.integers(0, 4, (50, 3)), rng.random((50, 3)) < 0.1
    credit, values = rng.normal(size=(2, 50, 3)).astype(np.float32)
    buffer = filled(PersonalRolloutBuffer, person, credit, values, starts, seed=1)
    buffer.compute_returns_and_advantage(torch.zeros(3), np.zeros(3))
    wanted = np.flatnonzero(buffer.known).tolist()
    advantages, returns = buffer.advantages.ravel().copy(), buffer.returns.ravel().copy()
    assert 80 < len(wanted) < 120
    orders = []
    for batch in (16, None, 16):
        found = sampled(buffer, batch)
        sizes = {len(part) for part in found}
        assert max(sizes) <= (batch or 150)
        assert max(sizes) - min(sizes) <= 1  # none is a handful whose spread means nothing
        orders.append([number for part in found for number in part])
        assert sorted(orders[-1]) == wanted
    assert orders[0] != orders[1] != orders[2]
    for part in buffer.get(32):
        number = part.observations[:, 0].int().numpy()
        assert np.array_equal(part.advantages.numpy(), advantages[number])
        assert np.array_equal(part.returns.numpy(), returns[number])
        assert np.array_equal(part.old_values.numpy(), values.ravel()[number])
        assert np.array_equal(part.actions[:, 0].numpy(), number % 4)


def test_the_order_of_batches_comes_from_the_seed():
    def order(seed):
        person, ones = np.zeros((20, 2), int), np.ones((20, 2), np.float32)
        buffer = filled(PersonalRolloutBuffer, person, ones, ones, ones > 2, seed=seed)
        buffer.compute_returns_and_advantage(torch.zeros(2), np.zeros(2))
        return sampled(buffer, 8)

    assert order(3) == order(3)
    assert order(3) != order(4)


def test_a_rollout_in_which_nobody_is_asked_twice_gives_no_batches():
    person, zeros = np.arange(5)[:, None], np.zeros((5, 1), np.float32)
    buffer = filled(PersonalRolloutBuffer, person, zeros, zeros, zeros > 0)
    buffer.compute_returns_and_advantage(torch.zeros(1), np.zeros(1))
    assert sampled(buffer, 4) == sampled(buffer, None) == []


def test_a_new_rollout_forgets_the_last_one():
    person, ones = np.zeros((5, 1), int), np.ones((5, 1), np.float32)
    buffer = filled(PersonalRolloutBuffer, person, ones, ones, ones > 1)
    buffer.compute_returns_and_advantage(torch.zeros(1), np.zeros(1))
    assert buffer.known.sum() == 4
    buffer.reset()
    assert not buffer.known.any()
    assert not buffer.credit.any()
    assert buffer.pos == 0


def test_the_infos_tell_whose_turn_it_is_and_what_their_last_one_brought():
    env = LamVecEnv(LamVectorEnv(3, Trips(days=0.5)), seed=4)
    seen = env.reset()
    rewards, brought = 0.0, 0.0
    assert [i["person"] for i in env.reset_infos] == seen["epoch"][:, 2].tolist()
    for t in range(300):
        seen, reward, dones, infos = env.step(np.full(3, BUS if t % 2 else 0))
        infos = [env.reset_infos[i] if over else infos[i] for i, over in enumerate(dones)]
        assert [i["person"] for i in infos] == seen["epoch"][:, 2].tolist()
        credit = np.array([i["credit"] for i in infos])
        assert credit.tolist() == [w.credit for w in env.env.worlds]
        assert (credit[dones] == 0).all()
        rewards, brought = rewards + reward.sum(), brought + credit.sum()
    assert abs(rewards) > 1
    assert brought == pytest.approx(rewards, rel=0.25)  # less what is left open when episodes end
