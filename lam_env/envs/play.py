"""Whoever chooses actions in a batch of worlds, one step after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from lam_env.core.contracts import Observation
from lam_env.core.errors import UserError
from lam_env.envs.vector import LamVectorEnv
from lam_env.sim.world import World

Choose = Callable[[Observation, Any, np.ndarray], tuple[np.ndarray, Any]]  # `predict`, by place


class Step(NamedTuple):
    """One step of N worlds. Where one has ended another may have taken its place in `after`."""

    observation: Observation  # in which `actions` were chosen
    state: Any  # of who chose, after choosing
    actions: np.ndarray  # (N,)
    running: np.ndarray  # (N,) bool: the worlds that were not over before
    worlds: list[World]  # that were played
    rewards: np.ndarray  # (N,)
    after: Observation
    ended: np.ndarray  # (N,) bool: those that are over now
    info: dict[str, Any]


def play(choose: Choose, env: LamVectorEnv, seeds: Sequence[int], **options: object) -> Iterator[Step]:
    """One episode of each of these worlds, and of those that follow; `options` as in `LamVectorEnv.reset`."""
    observation, _ = env.reset(seed=seeds, options=options)
    state: Any = None
    ended = np.ones(len(seeds), bool)
    while not env.finished.all():
        actions, state = choose(observation, state, ended)
        actions = check_actions(actions, *observation["action_mask"].shape)
        running, worlds = ~env.finished, list(env.worlds)
        after, rewards, terminated, truncated, info = env.step(actions)
        ended = terminated | truncated
        yield Step(observation, state, actions, running, worlds, rewards, after, ended, info)
        observation = after


def check_actions(actions: object, n: int, n_actions: int) -> np.ndarray:
    """Actions of a policy as integers (n,), or a one-line error that says what is wrong with them."""
    found = np.asarray(actions)
    if found.shape != (n,):
        raise UserError(f"predict returned actions of shape {found.shape}; it must be ({n},), one per observation")
    if found.dtype.kind not in "iu":
        raise UserError(f"predict returned actions of type {found.dtype}; it must be integers")
    if found.min() < 0 or found.max() >= n_actions:
        bad = int(found[(found < 0) | (found >= n_actions)][0])
        raise UserError(f"predict returned action {bad}, outside the space: 0 to {n_actions - 1}")
    return found
