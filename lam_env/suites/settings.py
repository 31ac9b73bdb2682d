"""Settings of `python -m lam_env.benchmark`, one sentence each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lam_env.config.cli import setting
from lam_env.experiment.settings import LAUNCHER, MEMORY, TIMEOUT, RaySettings
from lam_env.suites import suite as suites


@dataclass(frozen=True)
class BenchmarkSettings:
    """Make one suite of runs or measurements, and its tables."""

    suite: str | None = setting(None, f"what to make: {', '.join(suites.names())}, or a file my_suite.yaml")
    out: str | None = setting(
        None, "folder to write (default: the next free runs/benchmark-...); the same command goes on in it"
    )
    data: str | None = setting(None, "runs: folder in which their real logs lie (default: where the command is given)")
    reference: str | None = setting(None, "runs: folder of figures by others, which stand beside those of real logs")
    run: tuple[str, ...] = setting((), "runs: only those called so (default: all)")
    scenario: tuple[str, ...] = setting((), "runs: only those in these scenarios (default: all)")
    agents: tuple[str, ...] = setting((), "runs: agents to judge, by id (default: those of the suite)", code=True)
    agent: tuple[str, ...] = setting((), "runs: your own agents, as module:Class, one more row each", code=True)
    agent_memory: float | None = setting(None, "runs: " + MEMORY, low=0.01, name="agent.memory")
    agent_timeout: float = setting(600.0, "runs: " + TIMEOUT, low=1, name="agent.timeout")
    device: Literal["auto", "cpu", "cuda"] = setting("auto", "runs: where networks are trained")
    workers: int = setting(2, "runs: processes; the results are the same with any number", low=1, high=64)
    launcher: Literal["local", "ray"] = setting("local", "runs: " + LAUNCHER)
    ray: RaySettings = RaySettings()
    steps: int = setting(20_000, "measurements: environment steps of one", low=1)
    repeats: int = setting(5, "measurements: rounds through the suite; the medians are shown", low=1)
