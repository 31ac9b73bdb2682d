"""Rollouts: policies in fresh worlds, one batch of worlds an evaluation seed, the same worlds for every agent."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from lam_env.core.catalogue import LIFT, NOOP_RATE, SHARE_OF_ORACLE, UTILITY
from lam_env.core.contracts import Observation, Policy, complete
from lam_env.core.errors import UserError
from lam_env.core.progress import Report, silent
from lam_env.envs.batch_info import totals_of
from lam_env.envs.play import play, world_days
from lam_env.envs.scenario import Scenario
from lam_env.envs.vector import AT_ONCE, LamVectorEnv


def rollout(
    policy: Policy,
    scenario: Scenario,
    world_seeds: Sequence[int],
    *,
    day: int = 0,
    deterministic: bool = True,
    progress: Report = silent,
    stage: str = "evaluate",
    watch: Callable[..., None] | None = None,
) -> list[dict[str, float]]:
    """Totals of one episode in each world, with `NOOP_RATE`: the share of decision points at which it does nothing.

    A policy with an attribute `reveal` is shown what it names of the hidden state. `watch` is called at every step:
    which of the worlds were played, observation, actions, which of them were running, rewards, the next observation,
    the worlds, and the last observation of those that have ended (None if none has), whose place in the next one
    another may have taken.
    """
    n = min(len(world_seeds), AT_ONCE)
    env = LamVectorEnv(n, scenario, reveal=complete(policy).reveal)
    totals: list[dict[str, float]] = [{} for _ in world_seeds]
    lives, begun, days = np.arange(n), n, int(scenario.days)  # `lives`: which world each place holds
    points, idle, steps = np.zeros(len(world_seeds)), np.zeros(len(world_seeds)), 0

    total = days * len(world_seeds)  # [world-days]
    progress(stage, 0, total, "")

    def choose(observation: Observation, state: object, start: np.ndarray) -> tuple[np.ndarray, object]:
        return policy.predict(observation, state, start, deterministic)

    for step in play(choose, env, world_seeds[:n], day=day, then=world_seeds[n:]):
        actions, running, rewards = step.actions, step.running, step.rewards
        points[lives] += running
        idle[lives] += running & (actions == 0)
        if not np.isfinite(rewards).all():
            bad = np.flatnonzero(~np.isfinite(rewards))[0]
            reward = f"the reward of action {actions[bad]} is {rewards[bad]}"
            raise UserError(f"{reward}; look at the scenario's reward terms")
        if watch is not None:
            last = step.info.get("final_obs")
            watch(lives, step.observation, actions, running, rewards, step.after, step.worlds, last)
        steps += int(running.sum())
        over = np.flatnonzero(step.ended).tolist()
        for i, found in zip(over, totals_of(step.info, over), strict=True):
            totals[lives[i]] = found
            if begun < len(world_seeds):
                lives[i], begun = begun, begun + 1
        if steps % (128 * n) < n:
            progress(stage, (begun - n) * days + world_days(env.worlds)[0], total, f"{steps:,} decisions")
    progress(stage, total, total, f"{steps:,} decisions")
    for k, scores in enumerate(totals):
        scores[NOOP_RATE.id] = float(idle[k] / points[k])
        if wrong := [name for name, value in scores.items() if not np.isfinite(value)]:
            raise UserError(f"{wrong[0]} is {scores[wrong[0]]}; look at the scenario's terms and key figures")
    return totals


def per_seed(totals: list[dict[str, float]], seeds: Sequence[int]) -> dict[int, dict[str, float]]:
    """Means over the worlds of each evaluation seed."""
    worlds = len(totals) // len(seeds)
    batches = {seed: totals[k * worlds : (k + 1) * worlds] for k, seed in enumerate(seeds)}
    return {s: {name: float(np.mean([t[name] for t in batch])) for name in batch[0]} for s, batch in batches.items()}


def add_lift(scores: dict[str, dict[int, dict[str, float]]]) -> None:
    """`LIFT` over the same people without an agent, and `SHARE_OF_ORACLE`: a seed's lift over the oracle's mean lift.
    `scores`: agent -> seed -> metric -> value, with the agents `none` and `oracle`."""
    none = scores["none"]
    for by_seed in scores.values():
        for seed, each in by_seed.items():
            each[LIFT.id] = each[UTILITY.id] - none[seed][UTILITY.id]
    best = float(np.mean([each[LIFT.id] for each in scores["oracle"].values()])) if "oracle" in scores else 0.0
    for by_seed in scores.values():
        for each in by_seed.values():
            if best > 0:
                each[SHARE_OF_ORACLE.id] = each[LIFT.id] / best
