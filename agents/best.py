"""Keeping the best of a training: by greedy return in houses that are neither trained on nor in any table."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from stable_baselines3.common.callbacks import BaseCallback

from lam_env.contracts import Policy, Training

from .trial import TRIAL_HOUSES, mean_return


class Best(BaseCallback):
    """Tries the head at the start, `checks` times on the way, and at the end; `state` is that of the best.

    One run of PPO is noisy: late updates can lose what earlier ones had won. `policy_of(head)` makes a policy of it.
    """

    def __init__(
        self,
        head: Any,
        policy_of: Callable[[Any], Policy],
        training: Training,
        checks: int = 6,
        houses: int = TRIAL_HOUSES,
    ):
        super().__init__()
        self._head, self._policy_of, self._training = head, policy_of, training
        self._houses = houses
        self._every = max(training.steps // checks, 20_000)
        self._next = self._every
        self.found: list[tuple[int, float]] = []  # (steps, mean return)
        self.state: dict[str, Any] = {}

    def consider(self, steps: int) -> None:
        """Judge the head as it is now."""
        score = mean_return(self._policy_of(copy.deepcopy(self._head)), self._training, self._houses)
        if not self.found or score > max(known for _, known in self.found):
            self.state = copy.deepcopy(self._head.state_dict())
        self.found.append((steps, score))

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:  # after the updates of the rollout before
        if self.num_timesteps >= self._next:
            self._next += self._every
            self.consider(self.num_timesteps)
