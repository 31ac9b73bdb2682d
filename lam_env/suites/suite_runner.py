"""A suite of runs: each made by the pipeline in a folder of its own, all scores in one results.csv, and its tables."""

from __future__ import annotations

import dataclasses
import re
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lam_env.config.convert import suggestion
from lam_env.core.errors import UserError
from lam_env.evaluation.report.reader import read_about, understood
from lam_env.evaluation.results import ResultRow, read
from lam_env.evaluation.tables import Provenance, Table, versions
from lam_env.experiment.pipeline import Pipeline
from lam_env.experiment.run_folder import CONFIG, RunFolder, new_folder
from lam_env.experiment.work.scheduler import work_through
from lam_env.logs.input.records import paths_of
from lam_env.suites.log_table import table_of_logs
from lam_env.suites.suite import Suite, SuiteRun

if TYPE_CHECKING:
    from lam_env.experiment.settings import RunSettings
    from lam_env.suites.settings import BenchmarkSettings

Failed = dict[str, dict[str, str]]  # run -> agent -> what went wrong with it


def compare(suite: Suite, settings: BenchmarkSettings, command: str) -> int:
    """Makes what the suite lacks in out=FOLDER, and its tables. Exit code 1: something failed, and is left out."""
    entries, absent = with_logs(chosen(suite, settings), settings)
    _check_entries(entries, settings)
    with new_folder(settings.out, f"benchmark-{suite.name}", again=True) as path:
        return _compare(suite, entries, absent, settings, command, path)


def _compare(
    suite: Suite,
    entries: Sequence[SuiteRun],
    absent: Sequence[str],
    settings: BenchmarkSettings,
    command: str,
    path: Path,
) -> int:
    began = time.time()
    runs = {run.name: Pipeline(run_settings(run, settings, path), command) for run in entries}
    for pipeline in runs.values():
        pipeline.home = path
    folder, pipelines = RunFolder(path), list(runs.values())
    _check_held(folder, suite, settings)
    for pipeline in pipelines:
        pipeline.check(strict=False)
    for agent in settings.agent:
        if all(agent in pipeline.failed for pipeline in pipelines):
            raise UserError(pipelines[0].failed[agent])
    with ExitStack() as stack:
        stack.enter_context(folder.locked())
        _check_held(folder, suite, settings)
        if (path / CONFIG).exists():
            began -= folder.seconds()
        config = {"suite": suite.name, "command": command, "runs": [run.name for run in suite.runs]}
        tables = folder.config().get("tables") if (path / CONFIG).exists() else None
        folder.write_config({**config, "tables": tables})
        for pipeline in pipelines:
            pipeline.open(stack)
        device = pipelines[0].settings.device
        print(f"suite {suite.name}: {', '.join(runs)}, device {device} -> {path}")
        errors = work_through(pipelines)
        failed: Failed = {}
        for name, pipeline in runs.items():
            if pipeline in errors or pipeline.failed:
                failed[name] = {**pipeline.failed, **({"the run": str(errors[pipeline])} if pipeline in errors else {})}
        gathered = [run for run in suite.runs if _has_rows(path / run.name)]
        folder.write_results(row for run in gathered for row in _rows(path / run.name, run))
        seconds = time.time() - began
        held = [_held(path / run.name, run, suite.about, failed.get(run.name, {})) for run in gathered]
        about = Provenance(command, device, seconds, versions(), suite.about)
        if {each.about.command for each in held} != {command}:
            about = Provenance(remark=f"{suite.about} What made it stands under the tables of each log.".strip())
        kept = _write_tables(folder, suite.name, held, _of_logs(gathered, path, settings, about, absent))
        for name in map(str, tables if isinstance(tables, list) else []):
            if name not in kept:  # of an earlier command, and called otherwise by now
                (path / "tables" / Path(name).name).unlink(missing_ok=True)
        folder.write_config({**config, "tables": kept, "seconds": round(seconds, 1)})
    print(f"{seconds:,.0f} s. Tables: {path / 'tables.md'}; all scores: {path / 'results.csv'}")
    for name, each in failed.items():
        for agent, why in each.items():
            print(f"failed: {name}: {agent}: {why}", file=sys.stderr)
    if failed:
        print(f"the same command tries again what failed:\n  {pipelines[0].again}", file=sys.stderr)
    return 1 if failed else 0


def chosen(suite: Suite, settings: BenchmarkSettings) -> list[SuiteRun]:
    """The runs of some scenarios, or some by name; all, if none is named."""
    runs = list(suite.runs)
    kinds: dict[str, Callable[[SuiteRun], str]] = {
        "scenario": lambda run: run.settings.scenario,
        "run": lambda run: run.name,
    }
    for kind, of in kinds.items():
        there_are, wanted = list(dict.fromkeys(of(run) for run in suite.runs)), getattr(settings, kind)
        for name in wanted:
            if name not in there_are:
                more = suggestion(name, there_are, f"there are {', '.join(there_are)}")
                raise UserError(f"no {kind} {name!r} in suite {suite.name}; {more}")
        runs = [run for run in runs if not wanted or of(run) in wanted]
    if not runs:
        raise UserError(
            f"suite {suite.name}: no run that is called so is of that scenario; leave run= or scenario= away"
        )
    return runs


def with_logs(runs: Sequence[SuiteRun], settings: BenchmarkSettings) -> tuple[list[SuiteRun], list[str]]:
    """Those whose real log is there, or that need none; and which are left out, and why, which it says."""
    there, absent = [], []
    for run in runs:
        files = _files_of(run, settings).values()
        if lacks := next((path for path in files if not any(map(Path.exists, paths_of(path)))), None):
            absent.append(f"{run.name}: no log at {lacks}")
            print(f"left out: {absent[-1]}", file=sys.stderr)
        else:
            there.append(run)
    if not there:
        raise UserError(f"suite {settings.suite}: none of its logs is there; data=FOLDER says where they lie")
    return there, absent


def _files_of(run: SuiteRun, settings: BenchmarkSettings) -> dict[str, str]:
    """The settings that name files of its log, as they lie in the folder of all logs."""
    named = {name: getattr(run.settings, name) for name in ("logs", "test", "valid")}
    folder = Path(settings.data or "")
    return {k: ",".join(str(folder / one) for one in paths.split(",")) for k, paths in named.items() if paths}


def run_settings(run: SuiteRun, settings: BenchmarkSettings, path: Path) -> RunSettings:
    """A run's settings, with what the command says."""
    return dataclasses.replace(
        run.settings,
        agents=settings.agents or run.settings.agents,
        agent=settings.agent,
        agent_memory=settings.agent_memory,
        agent_timeout=settings.agent_timeout,
        out=str(path / run.name),
        **_files_of(run, settings),  # type: ignore[arg-type]
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


def _check_held(folder: RunFolder, suite: Suite, settings: BenchmarkSettings) -> None:
    """UserError, if the folder holds something else, or rows that the command would drop."""
    if not (folder.path / CONFIG).exists():
        return
    at, remedy = f"out={folder.path}", "give another folder or leave `out` away"
    config, held = folder.config(), {run.name: run for run in suite.runs if _has_rows(folder.path / run.name)}
    if (of := config.get("suite")) != suite.name:
        what = "a run" if of is None else f"the suite {str(of)[:60]}"
        raise UserError(f"{at}: already holds {what}; {remedy}")
    named = config.get("runs")
    for name in named if isinstance(named, list) else []:
        if name not in {run.name for run in suite.runs} and _has_rows(folder.path / str(name)):
            raise UserError(f"{at}: already holds the run {name}, which the suite no longer has; {remedy}")
    for name, run in held.items():
        before = RunFolder(folder.path / name).config()
        had, now = before.get("agents"), list(settings.agents or run.settings.agents)
        if had != now:
            how = f"agents={_listed(had)}, not {_listed(now)}"
            raise UserError(f"{at}: already holds {name} with other agents ({how}); {remedy}")


def _listed(agents: object) -> str:
    return ",".join(map(str, agents)) if isinstance(agents, list) and agents else "those of a usual run"


def _has_rows(path: Path) -> bool:
    """Whether this or an earlier command has judged somebody in this run."""
    return (path / CONFIG).is_file() and (path / "results.csv").is_file()


class Held(NamedTuple):
    """A run as it lies in its folder, whichever command made it."""

    run: SuiteRun
    about: Provenance
    failed: Mapping[str, str]
    marked: Sequence[str]  # agents whose rows say that they failed


def _held(path: Path, run: SuiteRun, remark: str, failed: Mapping[str, str]) -> Held:
    """`failed`: what this command could not do."""
    folder, told = RunFolder(path), read_about(path).failed
    config = folder.config()
    with understood(path / CONFIG):
        made = {str(name): str(number) for name, number in dict(config["versions"]).items()}  # type: ignore[call-overload]
        judged = list(config["agents_judged"])  # type: ignore[call-overload]
    about = Provenance(str(config.get("command")), str(config.get("device")), folder.seconds(), made, remark)
    if config.get("finished") is not True and not failed:
        told["not finished"] = "its command goes on with it"
    return Held(run, about, {**told, **failed}, [agent for agent in told if agent in judged])


def _rows(path: Path, run: SuiteRun) -> list[ResultRow]:
    return [row._replace(variant=run.variant(row.variant)) for row in read(path / "results.csv")]


def _write_tables(
    folder: RunFolder,
    suite: str,
    held: Iterable[Held],
    of_logs: Table | None,
) -> list[str]:
    """tables.md, and each table as CSV and LaTeX in tables/, whose files are returned; on the screen the summaries, of
    logs all in one."""
    from lam_env.experiment.result_tables import console_tables, log_of, tables_in

    rows, parts, files = read(folder.path / "results.csv"), [f"# {suite}"], list[str]()
    (folder.path / "tables").mkdir(exist_ok=True)

    def keep(table: Table, name: str) -> None:
        stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        for file, text in ((f"{stem}.csv", table.csv()), (f"{stem}.tex", table.latex())):
            folder.write_text(f"tables/{file}", text)
            files.append(file)

    if of_logs is not None:
        parts.append(of_logs.markdown())
        keep(of_logs, of_logs.title)
    for run, about, failed, marked in held:
        own, scenario = {row.variant for row in _rows(folder.path / run.name, run)}, run.settings.scenario
        mine = [row for row in rows if row.scenario == scenario and row.variant in own]
        parts.append(f"## {run.name}")
        for heading, tables in tables_in(mine, scenario, about, marked, log_of(run.settings)):
            parts += [f"### {heading}", *(table.markdown() for table in tables)]
            for table in tables:
                keep(table, f"{run.name} {table.title}")
        if failed:
            parts.append("### Failed\n\n" + "\n".join(f"- {a}: {why}" for a, why in failed.items()))
        if not run.settings.predict:
            variants = [run.variant(kind) for kind in ("log", "sim")]
            console_tables(mine, scenario, variants, marked, log_of(run.settings))
    folder.write_text("tables.md", "\n\n".join(parts) + "\n")
    if of_logs is not None:
        of_logs.show()
    return files


def _of_logs(
    runs: Sequence[SuiteRun], path: Path, settings: BenchmarkSettings, about: Provenance, absent: Sequence[str]
) -> Table | None:
    """The one table of all real logs that are only predicted from; None where there is none."""
    predicted = [run for run in runs if run.settings.predict]
    if not predicted:
        return None
    return table_of_logs(
        [(run, _rows(path / run.name, run), path / run.name) for run in predicted], settings.reference, about, absent
    )
