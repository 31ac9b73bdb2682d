"""The kit's encoder as a wrapper of Gymnasium environments: learners see one vector, not an observation's parts."""

from __future__ import annotations

from typing import Any, SupportsIndex

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorWrapper
from gymnasium.vector.utils import batch_space

from lam_env.core.contracts import Observation, Prediction
from lam_env.core.errors import UserError
from lam_env.envs.vector import LamVectorEnv

from ..carry import PredictorState, carried, plain
from ..fine_tuning.features import Features, PriorFeatures


def space_of(encoder: Features) -> gym.spaces.Box:
    return gym.spaces.Box(-np.inf, np.inf, (encoder.size,), np.float32)


def _last(encoder: Features, observation: Observation, carry: PredictorState | None, index: int) -> np.ndarray:
    """The vector of an episode's very last observation, in world `index`. The prior's word on it is that of the one
    before: it serves a value estimate only."""
    batch = {k: np.asarray(v)[None] for k, v in observation.items()}
    if carry is None or not isinstance(encoder, PriorFeatures):
        return encoder(batch, None, None)[0][0]
    said: Any = (None if part is None else part[index : index + 1] for part in carry.said)
    return encoder.vector(batch, Prediction(*said))[0]


class EncodedEnv(gym.ObservationWrapper[np.ndarray, SupportsIndex, Observation]):
    """A single environment of the kit whose observations are the encoder's vectors (F,). What the encoder carries along
    starts anew with an episode."""

    def __init__(self, env: gym.Env[Observation, SupportsIndex], encoder: Features):
        super().__init__(env)
        self.encoder, self.observation_space = encoder, space_of(encoder)
        self._carry: PredictorState | None = None

    def reset(self, **options: Any) -> tuple[np.ndarray, dict[str, Any]]:
        self._carry = None
        return super().reset(**options)

    def step(self, action: SupportsIndex) -> tuple[np.ndarray, Any, bool, bool, dict[str, Any]]:
        observation: Any  # Gymnasium's stubs say that it is what the wrapper gives
        observation, reward, terminated, truncated, info = self.env.step(action)
        ended = terminated or truncated
        vector = _last(self.encoder, observation, self._carry, 0) if ended else self.observation(observation)
        return vector, reward, terminated, truncated, info

    def observation(self, observation: Observation) -> np.ndarray:
        vector, self._carry = self.encoder({k: np.asarray(v)[None] for k, v in observation.items()}, self._carry, None)
        return vector[0]


class EncodedVectorEnv(VectorWrapper):  # which is generic from Gymnasium 1.4 on
    """The same for a batch: vectors (N, F), and `final_obs` likewise. Gymnasium's own wrapper of observations is for
    other modes of reset."""

    def __init__(self, env: LamVectorEnv, encoder: Features):
        if env.autoreset_mode != AutoresetMode.SAME_STEP:
            raise UserError(
                f"EncodedVectorEnv: the autoreset mode is {env.autoreset_mode.value}; it has to be SameStep"
            )
        super().__init__(env)
        self.encoder, self.single_observation_space = encoder, space_of(encoder)
        self.observation_space = batch_space(self.single_observation_space, env.num_envs)
        self._carry: PredictorState | None = None

    def state_dict(self) -> object:
        """What the encoder carries along, as plain data."""
        return plain(self._carry)

    def load_state_dict(self, state: Any) -> None:
        predictor = self.encoder.predictor
        self._carry = None if predictor is None else carried(predictor, state, self.num_envs)

    def reset(self, **options: Any) -> tuple[np.ndarray, dict[str, Any]]:
        observation, info = self.env.reset(**options)
        vector, self._carry = self.encoder(observation, None, None)
        return vector, info

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        observation, rewards, terminated, truncated, info = self.env.step(actions)
        ended = terminated | truncated
        for i in np.flatnonzero(ended).tolist():
            info["final_obs"][i] = _last(self.encoder, info["final_obs"][i], self._carry, i)
        vector, self._carry = self.encoder(observation, self._carry, ended)
        return vector, rewards, terminated, truncated, info
