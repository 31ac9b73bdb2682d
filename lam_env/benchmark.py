"""python -m lam_env.benchmark suite=throughput out=FOLDER

Published measurements, made from the data in SUITES.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lam_env.config import cli_errors, parse, setting
from lam_env.errors import UserError
from lam_env.measure import WARM_UP, YARDSTICK, Entry, Figure, measure
from lam_env.progress import Progress
from lam_env.values import suggestion

if TYPE_CHECKING:
    from lam_env.evaluation.results import Row
    from lam_env.evaluation.tables import Table

SUITES: dict[str, tuple[Entry, ...]] = {
    "throughput": (
        Entry(YARDSTICK, actions="random"),
        Entry(YARDSTICK, 1024, "random", scale=50),
        Entry("lam/SmartHome-v0"),
        Entry("lam/SmartHome-v0", actions="random"),
        Entry("lam/SmartHome-v0", 16, scale=2),
        Entry("lam/SmartHome-v0", 256, scale=2),
        Entry("lam/Traffic-v0"),
        Entry("lam/Traffic-v0", actions="random"),
        Entry("lam/Game-v0"),
        Entry("lam/Game-v0", actions="random"),
    ),
    "fine_tuning": (
        Entry(YARDSTICK, actions="random"),
        Entry("lam/SmartHome-v0", 16, "ppo_prior"),
        Entry("lam/SmartHome-v0", 256, "ppo_prior", scale=2),
    ),
}


@dataclass(frozen=True)
class BenchmarkSettings:
    """Measure one suite and write its table."""

    suite: str = setting("throughput", f"what to measure; there are {', '.join(SUITES)}")
    out: str | None = setting(None, "folder to write (default: the next free runs/benchmark-N)")
    steps: int = setting(20_000, "environment steps of one measurement", low=1)
    repeats: int = setting(5, "rounds through the suite; the medians are shown", low=1)


def main(argv: Sequence[str]) -> int:
    with cli_errors():
        settings = parse(BenchmarkSettings, argv, "python -m lam_env.benchmark")
        if settings.suite not in SUITES:
            there_are = f"there are {', '.join(SUITES)}"
            raise UserError(f"no suite {settings.suite!r}; {suggestion(settings.suite, list(SUITES), there_are)}")
        run(settings, " ".join(["python -m lam_env.benchmark", *argv]))
    return 0


def run(settings: BenchmarkSettings, command: str) -> None:
    """Measure, print, and write <suite>.csv and <suite>.md."""
    from rich import print as show

    from lam_env.evaluation import results
    from lam_env.runs import RunFolder, choose

    path = choose(settings.out, "benchmark")
    began = time.time()
    with Progress() as progress:
        rounds = measure(SUITES[settings.suite], settings.steps, settings.repeats, progress)
    table = table_of(rounds, settings.suite, command, time.time() - began)
    show(table.rich())
    path.mkdir(parents=True, exist_ok=True)
    results.write(path / f"{settings.suite}.csv", rows_of(rounds))
    RunFolder(path).write_text(f"{settings.suite}.md", table.markdown())
    print(f"written: {path}")


def rows_of(rounds: Sequence[Sequence[Figure]]) -> list[Row]:
    """Every measurement as lines of results; `seed` is the round."""
    from lam_env.evaluation.results import Row

    rows = []
    for r, figures in enumerate(rounds):
        for f in figures:
            where = (f.entry.env, f"batch {f.entry.copies}" if f.entry.copies else "single", f.entry.actions, 0, r)
            rows += [Row(*where, "steps_per_cpu_s", f.steps), Row(*where, "epochs_per_cpu_s", f.epochs)]
            rows.append(Row(*where, "ratio_to_cartpole", f.ratio))
            rows.append(Row(*where, "environment_share", f.share))
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
    columns = ("thousands per CPU second", "steps", "least - most", "epochs", "of CartPole", "environment")
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
