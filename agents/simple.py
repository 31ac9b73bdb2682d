"""Agents that need no learning."""

from __future__ import annotations

import numpy as np

from lam_env.core.contracts import Observation, Training
from lam_env.core.rng import Stream, key_of


class Silent:
    """Never acts."""

    def predict(
        self, observation: Observation, state: object = None, episode_start: object = None, deterministic: bool = True
    ) -> tuple[np.ndarray, object]:
        return np.zeros(len(observation["epoch"]), np.int64), state


class Random:
    """Any possible action, none included, with equal probability."""

    def __init__(self, seed: int):
        self.stream, self.count = Stream(key_of(seed, "random agent")), 0

    def probabilities(
        self, observation: Observation, state: object = None, episode_start: object = None
    ) -> tuple[np.ndarray, object]:
        """(N, A) of each action, and the state."""
        possible = (observation["action_mask"] > 0).astype(float)
        return possible / possible.sum(1, keepdims=True), state

    def predict(
        self, observation: Observation, state: object = None, episode_start: object = None, deterministic: bool = True
    ) -> tuple[np.ndarray, object]:
        mask = observation["action_mask"]
        draws = self.stream.block(self.count, mask.size).reshape(mask.shape)
        self.count += mask.size
        return np.where(mask > 0, draws, -1.0).argmax(1), state


class SilentAgent:
    """Fits nothing."""

    def fit(self, training: Training) -> Silent:
        return Silent()


class RandomAgent:
    """Fits nothing; its seed is the training seed."""

    def fit(self, training: Training) -> Random:
        return Random(training.seed)


NEEDS = ()
MEANINGS = {"none": "never acts", "random": "any possible action"}
AGENTS = {"none": SilentAgent, "random": RandomAgent}
