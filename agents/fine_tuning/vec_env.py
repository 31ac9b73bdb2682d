"""The batched environment as a VecEnv of Stable-Baselines3, without its per-environment loop."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env.base_vec_env import VecEnv, VecEnvIndices, VecEnvObs, VecEnvStepReturn

from lam_env.core.errors import UserError
from lam_env.core.progress import Note
from lam_env.envs.batch_info import infos_of
from lam_env.envs.vector import LamVectorEnv

from ..guests.encoded import EncodedVectorEnv


def learning_note(step: int, reward: float) -> Note:
    """How a training goes: the mean reward per step since the note before."""
    return Note(f"reward/step {reward:+.4f}", {"reward_per_step": reward}, step)


class LamVecEnv(VecEnv):
    """`LamVectorEnv`, wrapped or not, in the autoreset mode SAME_STEP, for SB3. `infos` are those of the single
    environment; at an episode's end they also hold `terminal_observation`, `TimeLimit.truncated`, `totals` (with the
    true utility as `utility.total`), and as `episode` what SB3's own `Monitor` says: `r` the sum of rewards, `l` the
    number of steps, `t` the seconds since this object was made. `reset_infos` are those of each world's last reset."""

    def __init__(self, env: LamVectorEnv | EncodedVectorEnv, seed: int = 0):
        self.batch = env
        self.env: LamVectorEnv = env.unwrapped  # type: ignore[assignment]
        self._actions: np.ndarray = np.zeros(env.num_envs, np.int64)
        self._return, self._length, self._began = np.zeros(env.num_envs), np.zeros(env.num_envs, np.int64), time.time()
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)
        self.seed(seed)

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """World i gets seed + i with the next reset."""
        self._seeds = [None if seed is None else seed + i for i in range(self.num_envs)]
        return self._seeds

    def reset(self) -> VecEnvObs:
        observation, info = self.batch.reset(seed=self._seeds)
        self._reset_seeds()
        self._return[:], self._length[:] = 0, 0
        self.reset_infos = infos_of(info, self.num_envs)
        return observation

    def state_dict(self) -> dict[str, object]:
        """Where its worlds are and what is carried along, as plain data."""
        carried = self.batch.state_dict() if isinstance(self.batch, EncodedVectorEnv) else None
        sums = {"return": self._return, "length": self._length}
        return {"past": self.env.past(), "carried": carried, "resets": self.reset_infos, **sums}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Come to where another one was, as its worlds have lived."""
        self.env.live_again(state["past"])
        if isinstance(self.batch, EncodedVectorEnv):
            self.batch.load_state_dict(state["carried"])
        self.reset_infos, self._return, self._length = state["resets"], state["return"], state["length"]

    def step_async(self, actions: np.ndarray) -> None:
        self._actions = actions

    def step_wait(self) -> VecEnvStepReturn:
        observation, rewards, terminated, truncated, info = self.batch.step(self._actions)
        ended = terminated | truncated
        self._return += rewards
        self._length += 1
        infos = infos_of(info, self.num_envs)
        elapsed = round(time.time() - self._began, 6)
        for i in np.flatnonzero(ended).tolist():
            own, self.reset_infos[i] = infos[i], infos[i]
            infos[i] = own.pop("final_info") | {
                "terminal_observation": own.pop("final_obs"),
                "TimeLimit.truncated": bool(truncated[i] and not terminated[i]),
                "episode": {"r": float(self._return[i]), "l": int(self._length[i]), "t": elapsed},
            }
            self._return[i], self._length[i] = 0, 0
        return observation, rewards.astype(np.float32), ended, infos

    def close(self) -> None:
        self.env.close()

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[object]:
        """The batch's attribute, once a world asked for."""
        return [getattr(self.env, attr_name) for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: object, indices: VecEnvIndices = None) -> None:
        """Sets it for all worlds; UserError for some of them, which share the batch's attributes."""
        if len(set(self._get_indices(indices))) < self.num_envs:
            raise UserError(f"set_attr {attr_name!r}: all worlds share it; leave `indices` out")
        setattr(self.env, attr_name, value)

    def env_method(
        self, method_name: str, *args: object, indices: VecEnvIndices = None, **kwargs: object
    ) -> list[object]:
        results = getattr(self.env, method_name)(*args, **kwargs)
        return [results[i] for i in self._get_indices(indices)]

    def env_is_wrapped(self, wrapper_class: type, indices: VecEnvIndices = None) -> list[bool]:
        return [wrapper_class is Monitor for _ in self._get_indices(indices)]
