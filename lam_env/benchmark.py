"""python -m lam_env.benchmark suite=quick out=FOLDER

Published tables and measurements, made from the suites in lam_env/suites/.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lam_env import suites
from lam_env.catalogue import ENVIRONMENT, EPOCHS, OF_CARTPOLE, STEPS
from lam_env.config import cli_errors, parse, setting
from lam_env.errors import UserError
from lam_env.launch.local import one_thread
from lam_env.measure import WARM_UP, YARDSTICK, Figure, measure
from lam_env.progress import Progress
from lam_env.settings import LAUNCHER, RaySettings
from lam_env.suites import Suite

if TYPE_CHECKING:
    from lam_env.evaluation.results import Row
    from lam_env.evaluation.tables import Table


@dataclass(frozen=True)
class BenchmarkSettings:
    """Make one suite of runs or measurements, and its tables."""

    suite: str = setting("throughput", f"what to make: {', '.join(suites.names())}, or a file my_suite.yaml")
    out: str | None = setting(
        None, "folder to write (default: the next free runs/benchmark-...); the same command goes on in it"
    )
    scenario: tuple[str, ...] = setting((), "runs: only those in these scenarios (default: all)")
    agents: tuple[str, ...] = setting((), "runs: agents to judge, by id (default: those of the suite)", code=True)
    agent: tuple[str, ...] = setting((), "runs: your own agents, as module:Class, one more row each", code=True)
    device: Literal["auto", "cpu", "cuda"] = setting("auto", "runs: where networks are trained")
    workers: int = setting(2, "runs: processes; the results are the same with any number", low=1, high=64)
    launcher: Literal["local", "ray"] = setting("local", "runs: " + LAUNCHER)
    ray: RaySettings = RaySettings()
    steps: int = setting(20_000, "measurements: environment steps of one", low=1)
    repeats: int = setting(5, "measurements: rounds through the suite; the medians are shown", low=1)


def main(argv: Sequence[str]) -> int:
    one_thread()
    with cli_errors():
        settings = parse(BenchmarkSettings, argv, "python -m lam_env.benchmark")
        suite = suites.load(settings.suite)
        command = " ".join(["python -m lam_env.benchmark", *argv])
        if suite.runs:
            from lam_env.compare import compare

            return compare(suite, settings, command)
        for name in ("scenario", "agents", "agent"):
            if getattr(settings, name):
                raise UserError(f"suite {suite.name} measures speed: leave {name}= away")
        run(suite, settings, command)
    return 0


def run(suite: Suite, settings: BenchmarkSettings, command: str) -> None:
    """Measure, print, and write <suite>.csv and <suite>.md."""
    from lam_env.evaluation import results
    from lam_env.runs import RunFolder, choose

    path = choose(settings.out, "benchmark")
    began = time.time()
    with Progress() as progress:
        rounds = measure(suite.measurements, settings.steps, settings.repeats, progress)
    table = table_of(rounds, suite.name, command, time.time() - began)
    table.show()
    path.mkdir(parents=True, exist_ok=True)
    results.write(path / f"{suite.name}.csv", rows_of(rounds))
    RunFolder(path).write_text(f"{suite.name}.md", table.markdown())
    print(f"written: {path}")


def rows_of(rounds: Sequence[Sequence[Figure]]) -> list[Row]:
    """Every measurement as lines of results; `seed` is the round."""
    from lam_env.evaluation.results import Row

    rows = []
    for r, figures in enumerate(rounds):
        for f in figures:
            where = (f.entry.env, f"batch {f.entry.copies}" if f.entry.copies else "single", f.entry.actions, 0, r)
            found = {STEPS: f.steps, EPOCHS: f.epochs, OF_CARTPOLE: f.ratio, ENVIRONMENT: f.share}
            rows += [Row(*where, m.id, value) for m, value in found.items()]
    return rows


def table_of(rounds: Sequence[Sequence[Figure]], suite: str, command: str, seconds: float) -> Table:
    from lam_env.evaluation.tables import About, Table, versions

    lines = []
    for figures in zip(*rounds, strict=True):
        steps = [f.steps for f in figures]
        lines.append(
            (
                figures[0].entry.name,
                f"{statistics.median(steps) / 1e3:,.1f}",
                f"{min(steps) / 1e3:,.1f} - {max(steps) / 1e3:,.1f}",
                f"{statistics.median(f.epochs for f in figures) / 1e3:,.1f}",
                f"{statistics.median(f.ratio for f in figures):.2f}",
                f"{statistics.median(f.share for f in figures):.0%}",
            )
        )
    columns = (
        "thousands per CPU second",
        "steps",
        "least - most",
        *(m.heading for m in (EPOCHS, OF_CARTPOLE, ENVIRONMENT)),
    )
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    load += f", OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', '')}"
    about = About(command, f"{os.cpu_count()} cores{load}", seconds, versions())
    notes = (
        f"Medians of {len(rounds)} rounds in which the environments take turns, in one process.",
        f"Single: with the resets of its episodes. Batch: steps of all its worlds together, after the first {WARM_UP}.",
        "Epochs: steps less the follow-up steps at one instant.",
        f"Of CartPole: steps against those of one {YARDSTICK} in the same round.",
        "Environment: its share of the time; the rest is the prior's, the policy's and the updates'.",
        *about.lines(),
    )
    return Table(suite, columns, tuple(lines), notes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
