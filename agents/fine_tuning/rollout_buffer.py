"""Returns along one person's trajectory: PPO's rollout buffer where a world's decision points are many persons'.

In a world of persons the next step is somebody else's. What a word to a person was worth shows until they are asked
again: that reward is credited to it (`World.credit`), and its advantage is estimated along their own steps.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.type_aliases import RolloutBufferSamples


class PersonalRolloutBuffer(RolloutBuffer):
    """`asked`: what tells, at each `add`, whose step it is and what their step before has brought: an object whose
    `before` is two arrays (n_envs,). Steps whose person is not asked again in the rollout have no return yet and are
    left out. `seed`: of the order of batches."""

    def __init__(self, *args: Any, asked: Any, seed: int = 0, **kwargs: Any):
        self.asked, self._rng = asked, np.random.default_rng(seed)
        super().__init__(*args, **kwargs)

    def reset(self) -> None:
        super().reset()
        shape = (self.buffer_size, self.n_envs)
        self.person, self.credit = np.zeros(shape, np.int64), np.zeros(shape, np.float32)
        self.known = np.zeros(shape, bool)

    def add(self, *args: Any, **kwargs: Any) -> None:
        self.person[self.pos], self.credit[self.pos] = self.asked.before
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
        known = np.flatnonzero(self.swap_and_flatten(self.known[:, :, None])[:, 0])
        if not self.generator_ready:
            for name in ("observations", "actions", "values", "log_probs", "advantages", "returns"):
                self.__dict__[name] = self.swap_and_flatten(self.__dict__[name])
            self.generator_ready = True
        order = self._rng.permutation(known)
        parts = -(-len(order) // (batch_size or max(1, len(order))))
        for part in np.array_split(order, parts) if parts else ():  # of like size: advantages are normalised in each
            yield self._get_samples(part)
