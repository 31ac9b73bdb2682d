"""The batched environment as a VecEnv of Stable-Baselines3, without its per-environment loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env.base_vec_env import VecEnv

from lam_env.core.catalogue import RETURN
from lam_env.envs.vector import LamVectorEnv

from .features import Features, PriorFeatures


class LamVecEnv(VecEnv):
    """`LamVectorEnv` for SB3. A time limit is a truncation: `terminal_observation` and `TimeLimit.truncated` are set."""

    def __init__(self, env: LamVectorEnv, seed: int = 0):
        self.env = env
        self._first_seed: int | None = seed
        self._actions: np.ndarray = np.zeros(env.num_envs, np.int64)
        # whose step it is in each world, and what her step before has brought: at the last observation, at that before it
        self.asked = self.before = np.zeros((2, env.num_envs))
        super().__init__(env.num_envs, self._space(), env.single_action_space)

    def _space(self) -> spaces.Space[Any]:
        return self.env.single_observation_space

    def encode(self, observation: Any, starts: np.ndarray) -> Any:
        """What the learner sees of a batch of observations (N, ...)."""
        return observation

    def encode_final(self, observation: Any, index: int) -> Any:
        """What the learner sees of the last observation of world `index`."""
        return observation

    def reset(self) -> Any:
        observation, _ = self.env.reset(seed=self._first_seed)
        self._first_seed = None
        self.asked = self.before = self.env.asked()
        return self.encode(observation, np.ones(self.num_envs, bool))

    def step_async(self, actions: np.ndarray) -> None:
        self._actions = actions

    def step_wait(self) -> Any:
        observation, rewards, _, ended, info = self.env.step(self._actions)
        self.before, self.asked = self.asked, self.env.asked()
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        if ended.any():
            for i in np.flatnonzero(ended).tolist():
                totals = info["final_info"][i]["totals"]
                infos[i] = {
                    "terminal_observation": self.encode_final(info["final_obs"][i], i),
                    "TimeLimit.truncated": True,
                    "totals": totals,
                    "episode": {"r": totals[RETURN.id], "l": 0},
                }
        return self.encode(observation, ended), rewards.astype(np.float32), ended.copy(), infos

    def close(self) -> None:
        self.env.close()

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        self._first_seed = seed
        return [seed if seed is None else seed + i for i in range(self.num_envs)]

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        return [getattr(self.env, attr_name, None) for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        setattr(self.env, attr_name, value)

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        found = getattr(self.env, method_name)(*args, **kwargs)
        return [found[i] for i in self._get_indices(indices)]

    def env_is_wrapped(self, wrapper_class: type, indices: Any = None) -> list[bool]:
        return [False for _ in self._get_indices(indices)]


class FeatureVecEnv(LamVecEnv):
    """Adds the prior's word to each observation: it is carried here, one epoch at a time, outside the learner."""

    def __init__(self, env: LamVectorEnv, features: Features):
        self.features = features
        self._carry: Any = None
        super().__init__(env)

    def _space(self) -> spaces.Space[Any]:
        return spaces.Box(-np.inf, np.inf, (self.features.layout.size,), np.float32)

    def encode(self, observation: Any, starts: np.ndarray) -> np.ndarray:
        vector, self._carry = self.features(observation, self._carry, starts)
        return vector

    def encode_final(self, observation: Any, index: int) -> np.ndarray:
        # the prior's word on the very last observation is that of the one before: it serves a value estimate only
        batch = {k: np.asarray(v)[None] for k, v in observation.items()}
        if self._carry is None or not isinstance(self.features, PriorFeatures):
            return self.features(batch, None, None)[0][0]
        said = self._carry.said
        row = type(said)(*(None if part is None else part[index : index + 1] for part in said))
        return self.features.vector(batch, row)[0]
