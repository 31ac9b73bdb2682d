"""The batched environment as a VecEnv of Stable-Baselines3, without its per-environment loop."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env.base_vec_env import VecEnv, VecEnvIndices, VecEnvObs, VecEnvStepReturn

from lam_env.core.progress import Note
from lam_env.envs.vector import LamVectorEnv

from ..guests.encoded import EncodedVectorEnv


def learning_note(step: int, reward: float) -> Note:
    """How a training goes: the mean reward per step since the note before."""
    return Note(f"reward/step {reward:+.4f}", {"reward_per_step": reward}, step)


class LamVecEnv(VecEnv):
    """`LamVectorEnv`, wrapped or not, for SB3. A time limit is a truncation: `terminal_observation` and
    `TimeLimit.truncated` are set. `episode` is what SB3's own `Monitor` says at the end of one."""

    def __init__(self, env: LamVectorEnv | EncodedVectorEnv, seed: int = 0):
        self._shown = env
        self.env: LamVectorEnv = env.unwrapped  # type: ignore[assignment]
        self._first_seed: int | None = seed
        self._actions: np.ndarray = np.zeros(env.num_envs, np.int64)
        self._return, self._length, self._began = np.zeros(env.num_envs), np.zeros(env.num_envs, np.int64), time.time()
        # whose step it is in each world, and what their step before has brought: at the last observation, and before
        self.turn = self.before = np.zeros((2, env.num_envs))
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)

    def reset(self) -> VecEnvObs:
        observation, _ = self._shown.reset(seed=self._first_seed)
        self._first_seed = None
        self.turn = self.before = self.env.turns()
        self._return[:], self._length[:] = 0, 0
        return observation

    def step_async(self, actions: np.ndarray) -> None:
        self._actions = actions

    def step_wait(self) -> VecEnvStepReturn:
        observation, rewards, _, ended, info = self._shown.step(self._actions)
        self.before, self.turn = self.turn, self.env.turns()
        self._return += rewards
        self._length += 1
        infos: list[dict[str, object]] = [{} for _ in range(self.num_envs)]
        elapsed = round(time.time() - self._began, 6)
        for i in np.flatnonzero(ended).tolist():
            infos[i] = {
                "terminal_observation": info["final_obs"][i],
                "TimeLimit.truncated": True,
                "totals": info["final_info"][i]["totals"],
                "episode": {"r": float(self._return[i]), "l": int(self._length[i]), "t": elapsed},
            }
            self._return[i], self._length[i] = 0, 0
        return observation, rewards.astype(np.float32), ended.copy(), infos

    def close(self) -> None:
        self.env.close()

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        self._first_seed = seed
        return [seed if seed is None else seed + i for i in range(self.num_envs)]

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[object]:
        return [getattr(self.env, attr_name) for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: object, indices: VecEnvIndices = None) -> None:
        setattr(self.env, attr_name, value)

    def env_method(
        self, method_name: str, *args: object, indices: VecEnvIndices = None, **kwargs: object
    ) -> list[object]:
        answers = getattr(self.env, method_name)(*args, **kwargs)
        return [answers[i] for i in self._get_indices(indices)]

    def env_is_wrapped(self, wrapper_class: type, indices: VecEnvIndices = None) -> list[bool]:
        return [wrapper_class is Monitor for _ in self._get_indices(indices)]
