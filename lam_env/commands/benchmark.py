"""python -m lam_env.benchmark suite=quick out=FOLDER

Makes published tables, and measures speed, from the suites in lam_env/suites/.
"""

from __future__ import annotations

import dataclasses
import os
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lam_env.config.cli import cli_errors, command_line, parse
from lam_env.core.catalogue import DECISIONS, ENVIRONMENT, OF_CARTPOLE, STEPS
from lam_env.core.errors import UserError
from lam_env.core.files.outputs import replace_text
from lam_env.core.progress import Progress
from lam_env.launch.job import one_thread
from lam_env.suites import suite as suites
from lam_env.suites.settings import BenchmarkSettings
from lam_env.suites.suite import Suite
from lam_env.suites.throughput import WARM_UP, YARDSTICK, Measurement, measure

if TYPE_CHECKING:
    from lam_env.evaluation.results import ResultRow
    from lam_env.evaluation.tables import Table


SPREAD = "least - most"
LONG = 36  # characters of the name of a measurement that stands in one line of the screen


def main(argv: Sequence[str]) -> int:
    one_thread()
    with cli_errors():
        settings = parse(BenchmarkSettings, argv, "python -m lam_env.benchmark")
        if settings.suite is None:
            raise UserError(f"suite= is missing: give one of {', '.join(suites.names())}, or a file my_suite.yaml")
        suite = suites.load(settings.suite)
        command = command_line("python -m lam_env.benchmark", argv)
        if suite.runs:
            from lam_env.suites.suite_runner import compare

            return compare(suite, settings, command)
        for name in ("run", "scenario", "agents", "agent"):
            if getattr(settings, name):
                raise UserError(f"suite {suite.name} measures speed: leave {name}= away")
        run(suite, settings, command)
    return 0


def run(suite: Suite, settings: BenchmarkSettings, command: str) -> None:
    """Measure, print, and write <suite>.csv and <suite>.md."""
    from lam_env.experiment.run_folder import new_folder

    with new_folder(settings.out, "benchmark") as path:
        _measure(suite, settings, command, path)


def _measure(suite: Suite, settings: BenchmarkSettings, command: str, path: Path) -> None:
    from lam_env.evaluation import results

    began = time.time()
    with Progress() as progress:
        rounds = measure(suite.measurements, settings.steps, settings.repeats, progress)
    table = table_of(rounds, suite.name, command, time.time() - began)
    brief(table).show()
    path.mkdir(parents=True, exist_ok=True)
    results.write(path / f"{suite.name}.csv", measurement_rows(rounds))
    replace_text(path / f"{suite.name}.md", table.markdown())
    print(f"written: {path}")


def measurement_rows(rounds: Sequence[Sequence[Measurement]]) -> list[ResultRow]:
    """Every measurement as lines of results; `seed` is the round."""
    from lam_env.evaluation.results import ResultRow

    rows = []
    for r, figures in enumerate(rounds):
        for f in figures:
            where = (f.entry.env, f"batch {f.entry.copies}" if f.entry.copies else "single", f.entry.actions, 0, r)
            rates = {STEPS: f.steps, DECISIONS: f.points, OF_CARTPOLE: f.ratio, ENVIRONMENT: f.share}
            rows += [ResultRow(*where, m.id, value) for m, value in rates.items()]
    return rows


def brief(table: Table) -> Table:
    """What 80 columns hold of it: long names in two lines, no ranges, and the environment's share where it tells
    anything."""
    left_out = {SPREAD, DECISIONS.heading}
    if {row for (row,) in table.only([ENVIRONMENT.heading]).rows} == {"100%"}:
        left_out.add(ENVIRONMENT.heading)
    shown = table.only(name for name in table.columns if name not in left_out)
    rows = (("\n".join(name.rsplit(" ", 1)) if len(name) > LONG else name, *cells) for name, *cells in shown.rows)
    heads = tuple(f"{name.capitalize()}: " for name in left_out)
    notes = tuple(note for note in table.notes if not note.startswith(heads))
    return dataclasses.replace(shown, rows=tuple(rows), notes=notes)


def table_of(rounds: Sequence[Sequence[Measurement]], suite: str, command: str, seconds: float) -> Table:
    from lam_env.evaluation.tables import Provenance, Table, versions

    lines = []
    for figures in zip(*rounds, strict=True):
        steps = [f.steps / 1e3 for f in figures]
        points = statistics.median(f.points for f in figures) / 1e3
        ratio, share = statistics.median(f.ratio for f in figures), statistics.median(f.share for f in figures)
        rates = f"{statistics.median(steps):,.1f}", f"{min(steps):,.1f} - {max(steps):,.1f}", f"{points:,.1f}"
        lines.append((figures[0].entry.name, *rates, f"{ratio:.2f}", f"{share:.0%}"))
    headings = [m.heading for m in (DECISIONS, OF_CARTPOLE, ENVIRONMENT)]
    columns = ("thousands per CPU second", "steps", SPREAD, *headings)
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    load += f", OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', '')}"
    about = Provenance(command, f"{os.cpu_count()} cores{load}", seconds, versions())
    notes = (
        f"Medians of {len(rounds)} rounds in which the environments take turns, in one process.",
        f"Single: with the resets of its episodes. Batch: steps of all its worlds together, after the first {WARM_UP}.",
        "Decisions: steps less the follow-up steps at one instant.",
        f"Of CartPole: steps against those of one {YARDSTICK} in the same round.",
        "Environment: its share of the time; the rest is the prior's, the policy's and the updates'.",
        *about.lines(),
    )
    return Table(suite, columns, tuple(lines), notes)
