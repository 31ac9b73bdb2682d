"""Trying a policy in worlds that are neither in the training log nor in any table: for settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from lam_env.core.contracts import Policy, Training, complete
from lam_env.core.seeds import Use, world_seeds
from lam_env.envs.play import play
from lam_env.envs.vector import AT_ONCE

P = TypeVar("P", bound=Policy)
FEW = 8  # worlds


def best(policies: Sequence[P], training: Training, what: str) -> P:
    """The one that returns most in the mean, of few settings of `what` in a quarter of the worlds in which heads are
    chosen, and at least `FEW` of them; of equals the first."""
    reached, worlds = [], min(training.tuning.trial, max(FEW, training.tuning.trial // 4))
    for i, policy in enumerate(policies):
        training.progress(what, i, len(policies), "")
        reached.append(returns(policy, training, worlds).mean())
    training.progress(what, len(policies), len(policies), "")
    return policies[int(np.argmax(reached))]


def returns(policy: Policy, training: Training, worlds: int | None = None) -> np.ndarray:
    """The return of one episode in each of so many worlds (`train.trial`, if not said), the same for every policy."""
    worlds = training.tuning.trial if worlds is None else worlds
    n = min(worlds, AT_ONCE)
    env = training.make_worlds(n, reveal=complete(policy).reveal)
    seeds, sums = world_seeds(Use.HEAD_CHOICE, worlds, training.seed), np.zeros(worlds)
    lives, following = np.arange(n), n  # whose world each is now, and the next to take the place of one that is over
    for step in play(
        lambda seen, state, ended: policy.predict(seen, state, ended, True), env, seeds[:n], then=seeds[n:]
    ):
        sums[lives] += step.rewards  # a world that is over earns nothing
        for i in np.flatnonzero(step.ended)[: worlds - following]:
            lives[i], following = following, following + 1
    return sums
