"""Returns along one person's trajectory: PPO's rollout buffer where a world's decision points are many persons'.

In a world of persons the next step is somebody else's. What a word to a person was worth shows until they are asked
again: that reward is credited to it (`World.credit`), and its advantage is estimated along their own steps.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any, Self

import numpy as np
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.callbacks import BaseCallback, ConvertCallback
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.type_aliases import MaybeCallback, RolloutBufferSamples

from lam_env.core.errors import UserError

Infos = Sequence[Mapping[str, Any]]  # of one step, an environment each


def _turns_of(infos: Infos) -> np.ndarray:
    return np.array([(info["person"], info["credit"]) for info in infos]).T


class PersonalRolloutBuffer(RolloutBuffer):
    """Needs `Turns` among the callbacks of the learner. Steps whose person is not asked again in the rollout have no
    return yet and are left out. `seed`: of the order of batches."""

    def __init__(self, *args: Any, seed: int = 0, **kwargs: Any):
        self._rng = np.random.default_rng(seed)
        # person and credit (2, n_envs): at the step to be added, and after it
        self._turn = self._next = np.zeros((2, 0))
        super().__init__(*args, **kwargs)

    def begin(self, infos: Infos) -> None:
        """`infos` of a reset."""
        self._turn = self._next = _turns_of(infos)

    def follow(self, infos: Infos) -> None:
        """`infos` of the step that is added next: whose turn comes after it."""
        self._next = _turns_of(infos)

    def state_dict(self) -> dict[str, object]:
        """Of an empty one."""
        return {"order": self._rng.bit_generator.state, "turn": self._turn}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from what `state_dict` gave."""
        self._rng.bit_generator.state = state["order"]
        self._turn = self._next = state["turn"]

    def reset(self) -> None:
        """Empty, for the next rollout."""
        super().reset()
        shape = (self.buffer_size, self.n_envs)
        self.person, self.credit = np.zeros(shape, np.int64), np.zeros(shape, np.float32)
        self.known = np.zeros(shape, bool)

    def add(self, *args: Any, **kwargs: Any) -> None:
        """One step, as `RolloutBuffer` has it, of whose turn it is; UserError where nobody has said that."""
        if not self._turn.size:
            raise UserError("PersonalRolloutBuffer: whose turn is it? Give learn(callback=Turns()) too")
        self.person[self.pos], self.credit[self.pos] = self._turn
        self._turn = self._next
        super().add(*args, **kwargs)

    def compute_returns_and_advantage(self, last_values: object, dones: object) -> None:
        """Generalised advantage estimates (Schulman et al. 2016) along each person's steps."""
        self.advantages[:], self.known[:] = 0, False
        for e in range(self.n_envs):
            following: dict[int, int] = {}  # person -> their next step in this rollout
            people, values, credit = self.person[:, e].tolist(), self.values[:, e].tolist(), self.credit[:, e].tolist()
            for t in range(self.buffer_size - 1, -1, -1):
                if t + 1 < self.buffer_size and self.episode_starts[t + 1, e]:
                    following.clear()  # other people
                if (after := following.get(people[t])) is not None:
                    delta = credit[after] + self.gamma * values[after] - values[t]
                    self.advantages[t, e] = delta + self.gamma * self.gae_lambda * self.advantages[after, e]
                    self.known[t, e] = True
                following[people[t]] = t
        self.returns = self.advantages + self.values

    def get(self, batch_size: int | None = None) -> Generator[RolloutBufferSamples, None, None]:
        """Batches, in an order drawn anew, of the steps whose worth is known."""
        known = np.flatnonzero(self.swap_and_flatten(self.known[:, :, None])[:, 0])
        if not self.generator_ready:
            for name in ("observations", "actions", "values", "log_probs", "advantages", "returns"):
                self.__dict__[name] = self.swap_and_flatten(self.__dict__[name])
            self.generator_ready = True
        order = self._rng.permutation(known)
        parts = -(-len(order) // (batch_size or max(1, len(order))))
        for part in np.array_split(order, parts) if parts else ():  # of like size: advantages are normalised in each
            yield self._get_samples(part)


class Turns(BaseCallback):
    """Tells a `PersonalRolloutBuffer` whose step each is, as `info` says."""

    model: Any

    def _on_training_start(self) -> None:
        if not self.model.num_timesteps:  # else it goes on where it was
            self.model.rollout_buffer.begin(self.training_env.unwrapped.reset_infos)

    def _on_step(self) -> bool:
        infos, fresh = self.locals["infos"], self.training_env.unwrapped.reset_infos
        over = self.locals["dones"]
        self.model.rollout_buffer.follow([fresh[i] if over[i] else info for i, info in enumerate(infos)])
        return True


class _Personal(OnPolicyAlgorithm):
    """Tells its `PersonalRolloutBuffer` whose turn it is."""

    def train(self) -> None:
        if not self.rollout_buffer.known.any():  # type: ignore[attr-defined]
            raise UserError("nobody is asked twice in a rollout, so there is no return to learn from: take more days")
        super().train()

    def learn(self, total_timesteps: int, callback: MaybeCallback = None, *args: Any, **options: Any) -> Self:
        own = callback if isinstance(callback, list) else [] if callback is None else [callback]
        own = [one if isinstance(one, BaseCallback) else ConvertCallback(one) for one in own]
        return super().learn(total_timesteps, [*own, Turns()], *args, **options)


class PersonalPPO(_Personal, PPO):
    """PPO."""


class PersonalA2C(_Personal, A2C):
    """A2C."""
