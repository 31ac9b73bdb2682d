"""Keeping the best of a training: by greedy return in worlds that are neither trained on nor in any table."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.callbacks import BaseCallback

from lam_env.core.contracts import Policy, Training

from .trial import returns


class Best(BaseCallback):
    """Tries the module that is tuned, a head or more, at the start, `checks` times on the way, and at the end; `state`
    is that of the best.

    One run of PPO is noisy: late updates can lose what earlier ones had won. `policy_of(module)` makes a policy of it.
    It takes the place of the best so far if its mean return is higher, and higher than that of the first one by more
    than `train.certain` standard errors, paired by world.
    """

    def __init__(
        self,
        module: torch.nn.Module,
        policy_of: Callable[[torch.nn.Module], Policy],
        training: Training,
        checks: int = 6,
    ):
        super().__init__()
        self._module, self._policy_of, self._training = module, policy_of, training
        self._every = max(training.steps // checks, 20_000)
        self._next = self._every
        self.state: dict[str, torch.Tensor] = {}
        self._best: np.ndarray | None = None  # returns by world
        self._first: np.ndarray | None = None

    def consider(self) -> None:
        """Judge the module as it is now."""
        self.judge(returns(self._policy_of(copy.deepcopy(self._module)), self._training))

    def judge(self, reached: np.ndarray) -> None:
        """The module as it is now, by the return that it has reached in each trial world."""
        if self._best is None or self._first is None:
            self._first = reached
        elif not (reached.mean() > self._best.mean() and _higher(reached, self._first, self._training.tuning.certain)):
            return
        self.state, self._best = copy.deepcopy(self._module.state_dict()), reached

    @property
    def unbeaten(self) -> bool:
        """Whether the first one is still the best."""
        first, best = self._first, self._best
        return first is not None and best is not None and np.array_equal(first, best)

    def kept(self) -> torch.nn.Module:
        """The module as it was when it was best."""
        self._module.load_state_dict(self.state)
        return self._module

    def state_dict(self) -> dict[str, object]:
        return {"next": self._next, "head": self.state, "returns": self._best, "first": self._first}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._next, self.state = state["next"], state["head"]
        self._best, self._first = state["returns"], state["first"]

    def _on_training_start(self) -> None:
        if not self.state:  # else it goes on from a checkpoint
            self.consider()

    def _on_training_end(self) -> None:
        self.consider()

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:  # after the updates of the rollout before
        if self.num_timesteps >= self._next:
            self._next += self._every
            self.consider()


def _higher(x: np.ndarray, y: np.ndarray, certain: float) -> bool:
    """Whether the mean of x is above that of y by more than so many standard errors of the paired difference."""
    error = (x - y).std(ddof=1) / math.sqrt(len(x)) if certain and len(x) > 1 else 0.0
    return bool(x.mean() > y.mean() + certain * error)
