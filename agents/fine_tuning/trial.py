"""Trying a policy in houses that are neither in the training log nor in any table: for settings."""

from __future__ import annotations

import numpy as np

from lam_env.core.contracts import Policy, Training
from lam_env.core.seeds import Use, world_seeds
from lam_env.envs.vector import AT_ONCE

TRIAL_HOUSES = 8


def returns(policy: Policy, training: Training, houses: int = TRIAL_HOUSES) -> np.ndarray:
    """(houses,) the return of one episode in each of so many worlds, which are the same for every policy."""
    n = min(houses, AT_ONCE)
    env = training.make_worlds(n, autoreset=False, reveal=getattr(policy, "reveal", ()))
    seeds = world_seeds(Use.HEAD_CHOICE, houses, training.seed)
    observation, _ = env.reset(seed=seeds[:n], options={"then": seeds[n:]})
    state, start, found = None, np.ones(n, bool), np.zeros(houses)
    lives, following = np.arange(n), n  # whose world each is now, and the next to take the place of one that is over
    while not env.finished.all():
        actions, state = policy.predict(observation, state, start, True)
        observation, rewards, _, start, _ = env.step(actions)
        found[lives] += rewards  # a world that is over earns nothing
        for i in np.flatnonzero(start)[: houses - following]:
            lives[i], following = following, following + 1
    return found


def mean_return(policy: Policy, training: Training, houses: int = TRIAL_HOUSES) -> float:
    """Mean return of one episode in each of `houses` worlds."""
    return float(returns(policy, training, houses).mean())
