"""A suite of runs: each made by the pipeline in a folder of its own, all scores in one results.csv, and its tables."""

from __future__ import annotations

import dataclasses
import re
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from lam_env.config.convert import suggestion
from lam_env.core.errors import UserError
from lam_env.evaluation.results import ResultRow, read
from lam_env.evaluation.tables import Provenance, versions
from lam_env.experiment.pipeline import Pipeline
from lam_env.experiment.run_folder import CONFIG, RunFolder, new_folder
from lam_env.experiment.scheduler import work_through
from lam_env.suites.suite import Suite, SuiteRun

if TYPE_CHECKING:
    from lam_env.experiment.settings import RunSettings
    from lam_env.suites.settings import BenchmarkSettings

Failed = dict[str, dict[str, str]]  # run -> agent -> what went wrong with it


def compare(suite: Suite, settings: BenchmarkSettings, command: str) -> int:
    """Makes what the suite lacks in out=FOLDER, and its tables. Exit code 1: something failed, and is left out."""
    entries = with_logs(chosen(suite, settings.scenario), settings)
    _check_entries(entries, settings)
    with new_folder(settings.out, f"benchmark-{suite.name}", again=True) as path:
        return _compare(suite, entries, settings, command, path)


def _compare(suite: Suite, entries: Sequence[SuiteRun], settings: BenchmarkSettings, command: str, path: Path) -> int:
    began = time.time()
    runs = {run.name: Pipeline(run_settings(run, settings, path), command) for run in entries}
    for pipeline in runs.values():
        pipeline.home = path
    folder, pipelines = RunFolder(path), list(runs.values())
    if (path / CONFIG).exists():
        _check_suite(folder, suite)
    for pipeline in pipelines:
        pipeline.check(strict=False)
    for agent in settings.agent:
        if all(agent in pipeline.failed for pipeline in pipelines):
            raise UserError(pipelines[0].failed[agent])
    with ExitStack() as stack:
        stack.enter_context(folder.locked())
        if (path / CONFIG).exists():
            _check_suite(folder, suite)
            began -= folder.seconds()
        config = {"suite": suite.name, "command": command, "runs": [run.name for run in suite.runs]}
        folder.write_config(config)
        for pipeline in pipelines:
            pipeline.open(stack)
        device = pipelines[0].settings.device
        print(f"suite {suite.name}: {', '.join(runs)}, device {device} -> {path}")
        errors = work_through(pipelines)
        failed: Failed = {}
        for name, pipeline in runs.items():
            if pipeline not in errors:
                pipeline.finish()
            if pipeline in errors or pipeline.failed:
                failed[name] = {**pipeline.failed, **({"the run": str(errors[pipeline])} if pipeline in errors else {})}
        there = {name for name in runs if (path / name / "results.csv").is_file()}
        gathered = [run for run in suite.runs if run.name in there or _finished(path / run.name)]
        folder.write_results(row for run in gathered for row in _rows(path / run.name, run))
        seconds = time.time() - began
        folder.write_config({**config, "seconds": round(seconds, 1)})
        about = Provenance(command, device, seconds, versions(), suite.about)
        marked = {name: pipeline.marked for name, pipeline in runs.items()}
        _write_tables(folder, suite.name, gathered, about, failed, marked)
    print(f"{seconds:,.0f} s. Tables: {path / 'tables.md'}; all scores: {path / 'results.csv'}")
    for name, each in failed.items():
        for agent, why in each.items():
            print(f"failed: {name}: {agent}: {why}", file=sys.stderr)
    if failed:
        print(f"the same command tries again what failed:\n  {pipelines[0].again}", file=sys.stderr)
    return 1 if failed else 0


def chosen(suite: Suite, scenarios: Sequence[str]) -> list[SuiteRun]:
    """The runs of some scenarios; all, if none is named."""
    there_are = list(dict.fromkeys(run.settings.scenario for run in suite.runs))
    for name in scenarios:
        if name not in there_are:
            more = suggestion(name, there_are, f"there are {', '.join(there_are)}")
            raise UserError(f"no scenario {name!r} in suite {suite.name}; {more}")
    return [run for run in suite.runs if not scenarios or run.settings.scenario in scenarios]


def with_logs(runs: Sequence[SuiteRun], settings: BenchmarkSettings) -> list[SuiteRun]:
    """Those whose real log is there, or that need none; says which are left out."""
    there = []
    for run in runs:
        path = _log_of(run, settings)
        if path is None or Path(path).exists():
            there.append(run)
        else:
            print(f"left out: {run.name}: no log at {path}", file=sys.stderr)
    if not there:
        raise UserError(f"suite {settings.suite}: none of its logs is there; data=FOLDER says where they lie")
    return there


def _log_of(run: SuiteRun, settings: BenchmarkSettings) -> str | None:
    logs = run.settings.logs
    return logs if logs is None or settings.data is None else str(Path(settings.data) / logs)


def run_settings(run: SuiteRun, settings: BenchmarkSettings, path: Path) -> RunSettings:
    """A run's settings, with what the command says."""
    return dataclasses.replace(
        run.settings,
        agents=settings.agents or run.settings.agents,
        agent=settings.agent,
        agent_memory=settings.agent_memory,
        agent_timeout=settings.agent_timeout,
        out=str(path / run.name),
        logs=_log_of(run, settings),
        device=settings.device,
        workers=settings.workers,
        launcher=settings.launcher,
        ray=settings.ray,
    )


def _check_entries(runs: Iterable[SuiteRun], settings: BenchmarkSettings) -> None:
    """UserError, if the world or the agents of an entry are wrong: they are the file's, not the command's."""
    from lam_env.experiment.inputs import agents_of
    from lam_env.experiment.policies import scenario_made

    for run in runs:
        try:
            agents_of(run.settings, scenario_made(run.settings.scenario, run.settings.world))
        except UserError as error:
            raise UserError(f"suite {settings.suite}: {run.name}: {error}") from None


def _check_suite(folder: RunFolder, suite: Suite) -> None:
    held = folder.config().get("suite")
    if held != suite.name:
        what = "a run" if held is None else f"the suite {str(held)[:60]}"
        raise UserError(f"out={folder.path}: already holds {what}; give another folder or leave `out` away")


def _finished(path: Path) -> bool:
    """Whether an earlier command has made this run."""
    return (path / CONFIG).is_file() and RunFolder(path).config().get("finished") is True


def _rows(path: Path, run: SuiteRun) -> list[ResultRow]:
    return [row._replace(variant=run.variant(row.variant)) for row in read(path / "results.csv")]


def _write_tables(
    folder: RunFolder,
    suite: str,
    runs: Iterable[SuiteRun],
    about: Provenance,
    failed: Failed,
    marked: Mapping[str, Sequence[str]],
) -> None:
    """tables.md, and each table as CSV and LaTeX in tables/; the summaries on the screen."""
    from lam_env.experiment.result_tables import console_tables, tables_in

    rows, parts = read(folder.path / "results.csv"), [f"# {suite}"]
    (folder.path / "tables").mkdir(exist_ok=True)
    for run in runs:
        own, scenario = {row.variant for row in _rows(folder.path / run.name, run)}, run.settings.scenario
        mine = [row for row in rows if row.scenario == scenario and row.variant in own]
        parts.append(f"## {run.name}")
        for heading, tables in tables_in(mine, scenario, about, marked.get(run.name, ())):
            parts += [f"### {heading}", *(table.markdown() for table in tables)]
            for table in tables:
                name = f"tables/{re.sub(r'[^a-z0-9]+', '-', f'{run.name} {table.title}'.lower()).strip('-')}"
                folder.write_text(f"{name}.csv", table.csv())
                folder.write_text(f"{name}.tex", table.latex())
        if left_out := failed.get(run.name):
            parts.append("### Failed\n\n" + "\n".join(f"- {a}: {why}" for a, why in left_out.items()))
        console_tables(mine, scenario, [run.variant(kind) for kind in ("log", "sim")], marked.get(run.name, ()))
    folder.write_text("tables.md", "\n\n".join(parts) + "\n")
