"""Simulated logs: people living without an agent, written down."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from lam_env.envs.scenario import Scenario
from lam_env.envs.vector import LamVectorEnv
from lam_env.events import ActionLog
from lam_env.sim.world import World


def with_days(scenario: Scenario, days: int) -> Scenario:
    """The same scenario with episodes of another length."""
    import copy

    other = copy.copy(scenario)
    other.params = dataclasses.replace(scenario.params, days=days)
    return other


def simulate_log(
    scenario: Scenario,
    seeds: list[int],
    days: int,
    *,
    first_day: int = 0,
    latent: bool = False,
    progress: Callable[[str, int, int, str], None] = lambda stage, done, total, note: None,
    stage: str = "simulate",
) -> tuple[ActionLog, np.ndarray | None]:
    """The log of worlds `seeds` over `days` days, with nobody acting for them; log world i is that of seeds[i].

    `latent`: also the hidden state at every epoch, (n, L) float16 in the order of the log's epochs.
    """
    scenario = with_days(scenario, days)
    n = len(seeds)
    env = LamVectorEnv(n, scenario, record=True, reveal=("latent",) if latent else (), autoreset=False)
    env.reset(seed=seeds, options={"day": first_day})
    silent, steps = np.zeros(n, np.int64), 0
    shown = np.empty((1024 if latent else 1, *env.rows.latent.shape), np.float16)  # by epoch; grows
    shown[0], seen = env.rows.latent, 1
    began, total = np.array([w.start for w in env.worlds]), sum(w.end - w.start for w in env.worlds)
    length, second = np.full(n, 1), env.worlds[0].second
    asked = [env.rows.epoch[:, 2].copy()]
    while not env.finished.all():
        running = ~env.finished
        env.step(silent)
        length[running & ~env.finished] += 1
        if scenario.personal:
            asked.append(env.rows.epoch[:, 2].copy())
        if latent:
            if seen == len(shown):
                shown = np.concatenate([shown, np.empty_like(shown)])
            shown[seen], seen = env.rows.latent, seen + 1
        steps += int(running.sum())
        if steps % (64 * n) < n:
            done = sum(w.now for w in env.worlds) - int(began.sum())
            progress(stage, done // second // 86_400, total // second // 86_400, f"{steps:,} epochs")
    progress(stage, total // second // 86_400, total // second // 86_400, f"{steps:,} epochs")
    log = log_of(env.worlds, len(env.worlds[0].persons) if scenario.personal else 0)  # type: ignore[attr-defined]
    if not latent:
        return log, None
    hidden = [shown[: length[i], i] for i in range(n)]
    if scenario.personal:  # person by person, as their epochs come
        hidden = [h[np.argsort([a[i] for a in asked[: length[i]]], kind="stable")] for i, h in enumerate(hidden)]
    return log, np.concatenate(hidden)


def log_of(worlds: list[World], people: int = 0, **meta: Any) -> ActionLog:
    """The log that recording worlds have kept. `people`: persons in each, where each is a stream of her own."""
    # world by world: all events at once, as objects, would be most of what a run needs of memory
    parts = [ActionLog.from_events(w.records or (), w.vocabulary).columns for w in worlds]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    columns["world"] = np.repeat(np.arange(len(worlds), dtype=np.int32), [len(part["time"]) for part in parts])
    return ActionLog(
        columns,
        worlds[0].vocabulary,
        ticks_per_second=worlds[0].second,
        people=people,
        start=tuple(w.start for w in worlds),
        end=tuple(w.end for w in worlds),
        meta=meta,
    )
