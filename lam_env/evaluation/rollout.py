"""Rollouts: policies in fresh worlds, one batch of worlds an evaluation seed, the same worlds for every agent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lam_env.core.catalogue import LIFT, NOOP_RATE, SHARE_OF_ORACLE, UTILITY
from lam_env.core.contracts import Policy
from lam_env.core.errors import UserError
from lam_env.core.progress import Report
from lam_env.envs.scenario import Scenario
from lam_env.envs.vector import AT_ONCE, LamVectorEnv


def rollout(
    policy: Policy,
    scenario: Scenario,
    world_seeds: Sequence[int],
    *,
    day: int = 0,
    deterministic: bool = True,
    progress: Report | None = None,
    stage: str = "evaluate",
    watch: Callable[..., None] | None = None,
) -> list[dict[str, float]]:
    """Totals of one episode in each world, with `NOOP_RATE`: the share of epochs at which it does nothing.

    A policy with an attribute `reveal` is shown what it names of the hidden state. `watch` is told of every step: which of the worlds
    were played, observation, actions, which of them were running, rewards, the next observation, the worlds, and the last observation of those that
    have ended (None if none has), whose place in the next one another may have taken.
    """
    n = min(len(world_seeds), AT_ONCE)
    env = LamVectorEnv(n, scenario, reveal=getattr(policy, "reveal", ()), autoreset=False)
    observation, _ = env.reset(seed=world_seeds[:n], options={"day": day, "then": world_seeds[n:]})
    state: Any = None
    start = np.ones(n, bool)
    totals: list[dict[str, float]] = [{} for _ in world_seeds]
    lives, begun = np.arange(n), n  # which world each place holds
    epochs, silent, steps = np.zeros(len(world_seeds)), np.zeros(len(world_seeds)), 0
    while not env.finished.all():
        actions, state = policy.predict(observation, state, start, deterministic)
        running = ~env.finished
        actions = check_actions(actions, n, len(env.vocabulary))
        epochs[lives] += running
        silent[lives] += running & (actions == 0)
        before, worlds = observation, list(env.worlds)
        observation, rewards, _, start, info = env.step(actions)
        if not np.isfinite(rewards).all():
            bad = np.flatnonzero(~np.isfinite(rewards))[0]
            raise UserError(
                f"the reward of action {actions[bad]} is {rewards[bad]}; look at the scenario's reward terms"
            )
        if watch is not None:
            watch(lives, before, actions, running, rewards, observation, worlds, info.get("final_obs"))
        steps += int(running.sum())
        for i in np.flatnonzero(start):
            totals[lives[i]] = info["final_info"][i]["totals"]
            if begun < len(world_seeds):
                lives[i], begun = begun, begun + 1
        if progress is not None and steps % (128 * n) < n:
            lived = np.mean([(w.now - w.start) / w.second for w in env.worlds]) // 86_400
            whole = int(scenario.days)
            progress(stage, int((begun - n + lived / whole * n) * whole / len(world_seeds)), whole, f"{steps:,} epochs")
    if progress is not None:
        progress(stage, int(scenario.days), int(scenario.days), f"{steps:,} epochs")
    for k, found in enumerate(totals):
        found[NOOP_RATE.id] = float(silent[k] / epochs[k])
        if wrong := [name for name, value in found.items() if not np.isfinite(value)]:
            raise UserError(f"{wrong[0]} is {found[wrong[0]]}; look at the scenario's terms and key figures")
    return totals


def check_actions(actions: Any, n: int, n_actions: int) -> np.ndarray:
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


def per_seed(totals: list[dict[str, float]], seeds: Sequence[int]) -> dict[int, dict[str, float]]:
    """Means over the worlds of each evaluation seed."""
    worlds, found = len(totals) // len(seeds), {}
    for k, seed in enumerate(seeds):
        batch = totals[k * worlds : (k + 1) * worlds]
        found[seed] = {name: float(np.mean([t[name] for t in batch])) for name in batch[0]}
    return found


def add_lift(scores: dict[str, dict[int, dict[str, float]]]) -> None:
    """`LIFT` over the same people without an agent, and `SHARE_OF_ORACLE`: a seed's lift over the oracle's mean lift.
    `scores`: agent -> seed -> metric -> value, with the agents `none` and `oracle`."""
    none = scores["none"]
    for by_seed in scores.values():
        for seed, found in by_seed.items():
            found[LIFT.id] = found[UTILITY.id] - none[seed][UTILITY.id]
    best = float(np.mean([found[LIFT.id] for found in scores["oracle"].values()])) if "oracle" in scores else 0.0
    for by_seed in scores.values():
        for found in by_seed.values():
            if best > 0:
                found[SHARE_OF_ORACLE.id] = found[LIFT.id] / best
