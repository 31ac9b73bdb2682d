"""Whoever chooses actions in a batch of worlds, one step after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, NamedTuple

import numpy as np

from lam_env.core.contracts import Observation, State
from lam_env.core.errors import UserError
from lam_env.core.units import DAY
from lam_env.envs.vector import LamVectorEnv
from lam_env.sim.world import World

Choose = Callable[[Observation, State | None, np.ndarray], tuple[np.ndarray, State]]  # `predict`, by place


class Step(NamedTuple, Generic[State]):
    """One step of N worlds. Where one has ended another may have taken its place in `after`."""

    observation: Observation  # in which `actions` were chosen
    state: State  # of who chose, after choosing
    actions: np.ndarray  # (N,)
    running: np.ndarray  # (N,) bool: the worlds that were not over before
    worlds: list[World]  # that were played
    rewards: np.ndarray  # (N,)
    after: Observation
    ended: np.ndarray  # (N,) bool: those that are over now
    terminated: np.ndarray  # (N,) bool: of those, the ones that were not cut off by time
    info: dict[str, Any]


def play(choose: Choose[State], env: LamVectorEnv, seeds: Sequence[int], **options: object) -> Iterator[Step[State]]:
    """One episode of each of these worlds, and of those that follow; `options` as in `LamVectorEnv.reset`."""
    observation, _ = env.reset(seed=seeds, options=options)
    state: State | None = None
    ended = np.ones(len(seeds), bool)
    while not env.finished.all():
        actions, state = choose(observation, state, ended)
        actions = check_actions(actions, *observation["action_mask"].shape)
        running, worlds = ~env.finished, list(env.worlds)
        after, rewards, terminated, truncated, info = env.step(actions)
        ended = terminated | truncated
        yield Step(observation, state, actions, running, worlds, rewards, after, ended, terminated, info)
        observation = after


def world_days(worlds: Sequence[World]) -> tuple[int, int]:
    """How many days these worlds have lived together, and how many they will have."""
    day = worlds[0].second * DAY
    return sum(w.now - w.start for w in worlds) // day, sum(w.end - w.start for w in worlds) // day


def check_actions(actions: object, n: int, n_actions: int) -> np.ndarray:
    """Actions of a policy as integers (n,), or a one-line error that says what is wrong with them."""
    whole = np.asarray(actions)
    if whole.shape != (n,):
        raise UserError(f"predict returned actions of shape {whole.shape}; it must be ({n},), one per observation")
    if whole.dtype.kind not in "iu":
        raise UserError(f"predict returned actions of type {whole.dtype}; it must be integers")
    if (outside := whole[(whole < 0) | (whole >= n_actions)]).size:
        raise UserError(f"predict returned action {outside[0]}, outside the space: 0 to {n_actions - 1}")
    return whole
