"""A callback of Stable-Baselines3 that keeps checkpoints of on-policy learners, and goes on from the last."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback, CallbackList
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

from lam_env.core.contracts import Checkpoints

from ..plain import generators, optimizer_state, set_generators, set_optimizer
from .vec_env import LamVecEnv


class KeepCheckpoints(BaseCallback):
    """Between two rollouts, when nothing is half done: policy, optimizer, generators, worlds, and what the buffer and
    the other callbacks of `learn` give as `state_dict` and take by `load_state_dict`. The first `learn` is kept."""

    model: Any

    def __init__(self, checkpoints: Checkpoints):
        super().__init__()
        self._checkpoints = checkpoints
        self._kept = False

    def _on_training_start(self) -> None:
        self._kept = False
        if (why := _unfit(self.model)) is not None:
            print(f"no checkpoints of {type(self.model).__name__}: {why}", file=sys.stderr)
            return
        model, self._from = self.model, self.model.num_timesteps
        how = [type(model).__name__, model._total_timesteps, model.n_steps, model.n_envs, self._from]
        kept = self._checkpoints.begin({"how": how, "policy": model.policy.state_dict(), "seen": model._last_obs})
        self._kept = True
        if kept is not None:
            self._load(kept)

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        if self._kept and self.model.num_timesteps > self._from and self._checkpoints.due():
            self._checkpoints.keep(self._state())

    def _on_training_end(self) -> None:
        if self._kept and self.model.num_timesteps >= self.model._total_timesteps:  # else it was stopped in a rollout
            self._checkpoints.keep(self._state())

    def _state(self) -> dict[str, object]:
        model = self.model
        return {
            "policy": model.policy.state_dict(),
            "optimizer": optimizer_state(model.policy.optimizer),
            "steps": model.num_timesteps,
            "updates": model._n_updates,
            "seen": model._last_obs,
            "starts": model._last_episode_starts,
            "episodes": list(model.ep_info_buffer),
            "torch": generators(model.device),
            "numpy": np.random.get_state(legacy=False),  # noqa: NPY002
            "worlds": model.get_env().state_dict(),
            "buffer": _given(model.rollout_buffer),
            "callbacks": [{"calls": one.n_calls, "state": _given(one)} for one in self._all()],
        }

    def _load(self, kept: dict[str, Any]) -> None:
        model = self.model
        model.policy.load_state_dict(kept["policy"])
        set_optimizer(model.policy.optimizer, kept["optimizer"])
        model.num_timesteps, model._n_updates = kept["steps"], kept["updates"]
        model.get_env().load_state_dict(kept["worlds"])
        model._last_obs, model._last_episode_starts = kept["seen"], kept["starts"]
        model.ep_info_buffer.extend(kept["episodes"])
        _take(model.rollout_buffer, kept["buffer"])
        for one, own in zip(self._all(), kept["callbacks"], strict=True):
            one.n_calls, one.num_timesteps = own["calls"], kept["steps"]
            _take(one, own["state"])
        set_generators(model.device, kept["torch"])
        np.random.set_state(kept["numpy"])  # noqa: NPY002

    def _all(self) -> list[BaseCallback]:
        return _flat(self.locals["callback"])


def _flat(callback: BaseCallback) -> list[BaseCallback]:
    inside = callback.callbacks if isinstance(callback, CallbackList) else ()
    return [callback, *(one for part in inside for one in _flat(part))]


def _given(thing: Any) -> object:
    return thing.state_dict() if hasattr(thing, "state_dict") else None


def _take(thing: Any, state: object) -> None:
    if state is not None:
        thing.load_state_dict(state)


def _unfit(model: Any) -> str | None:
    """Why a learner cannot be kept; None if it can."""
    if not isinstance(model, OnPolicyAlgorithm):
        return "its replay buffer is large"
    if hasattr(model, "_last_lstm_states"):
        return "it has a recurrent state of its own"
    if not isinstance(model.get_env(), LamVecEnv):
        return "its environment is wrapped"
    return None
