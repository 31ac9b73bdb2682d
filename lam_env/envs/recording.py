"""Simulated logs: people living without an agent, written down."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lam_env.core.events import ActionLog, Protocol
from lam_env.core.progress import Report, silent
from lam_env.envs.play import world_days
from lam_env.envs.scenario import Scenario
from lam_env.envs.vector import LamVectorEnv
from lam_env.sim.persons import PersonalWorld
from lam_env.sim.world import World


def timer_of(scenario: Scenario) -> int | None:
    """Quiet time [ticks] after which the scenario's worlds raise a decision point (None: never)."""
    if scenario.personal:
        return None
    env = LamVectorEnv(1, scenario)  # its worlds say so themselves
    env.reset(seed=0)
    return env.worlds[0].timer


def simulate_log(
    scenario: Scenario,
    seeds: Sequence[int],
    days: int,
    *,
    first_day: int = 0,
    latent: bool = False,
    progress: Report = silent,
    stage: str = "simulate",
) -> tuple[ActionLog, np.ndarray | None]:
    """The log of worlds `seeds` over `days` days, with nobody acting for them; log world i is that of seeds[i].

    `latent`: also the hidden state at every decision point, (n, L) float16 in the order of the log's decision points.
    """
    scenario = scenario.with_params(days=days)
    n = len(seeds)
    env = LamVectorEnv(n, scenario, record=True, reveal=("latent",) if latent else (), autoreset_mode="Disabled")
    env.reset(seed=seeds, options={"day": first_day})
    nothing, steps = np.zeros(n, np.int64), 0
    # hidden states of the worlds that still run, step by step: most worlds may end long before the last
    latents, persons, worlds = [env.rows.latent.astype(np.float16)], [env.rows.epoch[:, 2].copy()], [np.arange(n)]
    columns: list[dict[str, np.ndarray]] = [{} for _ in range(n)]
    progress(stage, *world_days(env.worlds), "")
    while not env.finished.all():
        running = ~env.finished
        env.step(nothing)
        ended = np.flatnonzero(running & env.finished)
        for i in ended.tolist():  # events as objects would be most of what a run needs of memory
            columns[i], env.worlds[i].records = _columns(env.worlds[i]), None
        if latent:
            rows = np.flatnonzero(~env.finished)
            worlds.append(rows)
            latents.append(env.rows.latent[rows].astype(np.float16))
            persons.append(env.rows.epoch[rows, 2])
        steps += int(running.sum())
        if steps % (64 * n) < n:
            progress(stage, *world_days(env.worlds), f"{steps:,} decisions")
    total = world_days(env.worlds)[1]
    progress(stage, total, total, f"{steps:,} decisions")
    log = log_of(env.worlds, columns)
    if not latent:
        return log, None
    # world by world, in a world of persons one after another, as the decision points of the log come
    person, world = np.concatenate(persons) * scenario.personal, np.concatenate(worlds)
    return log, np.concatenate(latents)[np.lexsort((person, world))]


def _columns(world: World) -> dict[str, np.ndarray]:
    return ActionLog.from_events(world.records or (), world.vocabulary).columns


def log_of(worlds: Sequence[World], parts: list[dict[str, np.ndarray]] | None = None) -> ActionLog:
    """The log that recording worlds have kept, all of one kind. `parts`: their columns, if taken off already."""
    first = worlds[0]
    parts = [_columns(w) for w in worlds] if parts is None else parts
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    columns["world"] = np.repeat(np.arange(len(worlds), dtype=np.int32), [len(part["time"]) for part in parts])
    return ActionLog(
        columns,
        first.vocabulary,
        ticks_per_second=first.second,
        people=len(first.persons) if isinstance(first, PersonalWorld) else 0,
        start=tuple(w.start for w in worlds),
        end=tuple(w.end for w in worlds),
        timer=first.timer,
        protocol=Protocol("worlds"),
    )
