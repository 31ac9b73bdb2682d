"""Other people's learners: the environment that Stable-Baselines3 and sb3-contrib take, their models as policies."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback, ConvertCallback
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.vec_env import VecNormalize, unwrap_vec_normalize
from stable_baselines3.common.vec_env.base_vec_env import VecEnvStepReturn

from lam_env.core.contracts import Training
from lam_env.core.errors import UserError
from lam_env.core.seeds import Use, world_seeds

from ..fine_tuning.features import Features, encoder_of
from ..fine_tuning.vec_env import LamVecEnv, learning_note
from .encoded import EncodedVectorEnv

APART = 1_000  # worlds from one environment handed out to the next
POINTS = 100  # of a learning curve


class GuestVecEnv(LamVecEnv):
    """Draws the learning curve of whoever learns on it. Which people it meets is the training's affair: a learner's
    seed changes nothing of it."""

    def __init__(self, training: Training, n: int, encoder: Features | None = None):
        worlds = training.make_worlds(n)
        self.encoder, self.training, self.curve = encoder, training, list[tuple[int, float]]()
        mine = world_seeds(Use.FINE_TUNING, Use.FINE_TUNING.room, training.seed)[:: max(n, APART)]
        self._own = mine[len(training.handed_out) % len(mine)]
        self.steps, self._earned, self._since, self._every = 0, 0.0, 0, max(n, training.steps // POINTS)
        self._begun = False  # it has told from where it counts
        super().__init__(worlds if encoder is None else EncodedVectorEnv(worlds, encoder), self._own)

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        return super().seed(self._own)

    def state_dict(self) -> dict[str, object]:
        own = {"steps": self.steps, "earned": self._earned, "since": self._since, "curve": self.curve}
        return {**super().state_dict(), "own": own}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        own = state["own"]
        self.steps, self._earned, self._since = own["steps"], own["earned"], own["since"]
        self.curve = [(step, reward) for step, reward in own["curve"]]

    def step_wait(self) -> VecEnvStepReturn:
        if not self._begun:
            self._tell()
        result = super().step_wait()
        self.steps += self.num_envs
        self._since += self.num_envs
        self._earned += float(result[1].sum())
        if self._since >= self._every:
            self.curve.append((self.steps, self._earned / self._since))
            self._earned, self._since = 0.0, 0
            self._tell()
        return result

    def _tell(self) -> None:
        """Of several environments that were handed out the one that is farthest tells."""
        self._begun, total = True, self.training.steps
        if all(self.steps >= other.steps for other in self.training.handed_out):
            note = learning_note(*self.curve[-1]) if self.curve else ""
            self.training.progress("learn", min(self.steps, total), total, note)


def make_env(training: Training, n: int, encode: bool, prior: bool) -> GuestVecEnv:
    """See `Training.make_env`."""
    return GuestVecEnv(training, n, encoder_of(training, prior) if encode or prior else None)


class ModelPolicy:
    """A model of SB3 as the kit's policy: on the kit's observations, in batches of any size. It sees what it learned
    on, and the mask if it asks for one; what the encoder carries and its own recurrent state go along in `state`."""

    def __init__(self, model: BaseAlgorithm | BasePolicy, encoder: Features | None, scaled: VecNormalize | None = None):
        self.model: Any = model
        self.encoder, self.scaled = encoder, scaled
        self.predictor = None if encoder is None else encoder.predictor
        self._masked = "action_masks" in inspect.signature(model.predict).parameters

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = True
    ) -> tuple[np.ndarray, Any]:
        carry, own = (None, None) if state is None else state
        inputs, mask = observation, {"action_masks": observation["action_mask"]} if self._masked else {}
        if self.encoder is not None:
            inputs, carry = self.encoder(observation, carry, episode_start)
        if self.scaled is not None:
            inputs = self.scaled.normalize_obs(inputs)
        actions, own = self.model.predict(inputs, own, episode_start, deterministic, **mask)
        return actions, (carry, own)


def model_policy(result: object, training: Training) -> object:
    """What `fit` returned, as a policy: a model of SB3 on the encoding that it learned on, anything else as it is."""
    if not isinstance(result, BaseAlgorithm | BasePolicy):
        return result
    env = result.get_env() if isinstance(result, BaseAlgorithm) else None
    own = None if env is None else env.unwrapped
    for made in [own] if isinstance(own, GuestVecEnv) else training.handed_out:
        if made.observation_space == result.observation_space:
            return ModelPolicy(result, made.encoder, None if env is None else unwrap_vec_normalize(env))
    if training.make_worlds(1).single_observation_space != result.observation_space:
        raise UserError(
            "fit returned a model that has learned on other observations than those of training.make_env:"
            " return an object whose predict takes the kit's; what load returns is given such an environment too"
        )
    return ModelPolicy(result, None, None if env is None else unwrap_vec_normalize(env))


class _Stop(BaseCallback):
    def __init__(self, steps: int):
        super().__init__()
        self.steps = steps

    def _on_step(self) -> bool:
        return self.n_calls * self.training_env.num_envs < self.steps


@contextlib.contextmanager
def cut_short(steps: int) -> Iterator[None]:
    """While it lasts SB3's learners stop after so many steps, in the middle of a rollout if need be: by default one of
    PPO has 2,048 of each world."""
    init = BaseAlgorithm._init_callback

    def stopping(self: BaseAlgorithm, callback: Any, progress_bar: bool = False) -> BaseCallback:
        own = callback if isinstance(callback, list) else [callback]
        own = [c if isinstance(c, BaseCallback) else ConvertCallback(c) for c in own]
        return init(self, [*own, _Stop(steps)], progress_bar)

    BaseAlgorithm._init_callback = stopping  # type: ignore[method-assign]
    try:
        yield
    finally:
        BaseAlgorithm._init_callback = init  # type: ignore[method-assign]
