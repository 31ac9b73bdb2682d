"""One run: simulate or import a log -> calibrate to a real one -> pre-train -> fine-tune -> judge -> tables."""

from __future__ import annotations

import dataclasses
import shlex
import sys
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lam_env import launch
from lam_env.config.cli import command_line, to_dict
from lam_env.config.convert import count
from lam_env.core import registry
from lam_env.core.errors import UnwritableError, UserError
from lam_env.core.progress import say, silent
from lam_env.evaluation.report.elements import KNOWING
from lam_env.evaluation.tables import versions
from lam_env.experiment.agent_spec import needs_of, trains_once
from lam_env.experiment.run_folder import TABLES, RunFolder, choose_folder, claim_folder
from lam_env.experiment.score_store import ScoreKey, Scores, ScoreStore
from lam_env.experiment.settings import PRETRAIN, RunSettings
from lam_env.experiment.work.made import Made
from lam_env.experiment.work.scheduler import Waiting, work_through
from lam_env.experiment.work.steps import GATES, REPLAY, SIMULATE, Plan, Steps
from lam_env.launch import Launcher
from lam_env.launch.child import DiedError, Limits, apart
from lam_env.launch.job import one_line
from lam_env.tracking.tracker import check_sinks

if TYPE_CHECKING:
    from lam_env.core.behaviour_tables import BehaviourTables
    from lam_env.evaluation.results import ResultRow
    from lam_env.experiment.agent_check import Tried
    from lam_env.experiment.inputs import Earlier, RealLog
    from lam_env.logs.fidelity import Gate

Jobs = dict[Future[Any], tuple[str, int]]  # each of an agent (or PRETRAIN) and a training seed
FEW = 3  # agents that a line can name
Ended = Callable[[str, int, dict[str, Scores] | None], None]  # is called after each job, with scores if it has any


class Pipeline:
    """One run. Everything that can be wrong with what it is given is found before anything is written.

    `check`, then after `open` all `stages`, then `close`; `stopped` in their place leaves a folder that the same
    settings go on with.
    """

    def __init__(self, settings: RunSettings, command: str):
        from lam_env.experiment.inputs import agents_of, check_seeds
        from lam_env.experiment.policies import judged_in, scenario_made

        self.made = Made(command)
        check_seeds(settings.seed)
        check_sinks(settings.track)
        self.scenario = scenario_made(settings.scenario, settings.world)
        self.agents = agents_of(settings, self.scenario)
        judged_in(self.scenario, settings.eval.world)  # UserError, if agents cannot act there
        self.name = "predict" if settings.predict else settings.scenario
        self.path = choose_folder(settings.out, self.name, again=True)
        self.settings = settings
        self.rows: dict[tuple[str, str], list[tuple[int, Scores]]] = {}
        self.failed: dict[str, str] = {}  # agent -> what went wrong with it
        self.tried: dict[str, Tried] = {}  # agents of one's own
        self.gates: list[Gate] = []
        self.news = False  # whether anything has been judged, in place of taken over
        self.home: Path | None = None  # the folder that the command names, where it is not the run's own
        self.real: RealLog | None = None
        self.earlier: Earlier | None = None
        self.tables: tuple[BehaviourTables, ...] = ()  # of the people whom a real log is about

    def run(self) -> None:
        """All stages. A run that is stopped leaves a folder that is whole, and can be gone on with."""
        self.check()
        with ExitStack() as stack:
            self.open(stack)
            s = self.settings
            what = f"{count(len(self.agents), 'agent')}, {count(s.eval.seeds, 'evaluation seed')}"
            print(f"{self.name}: {'predictors' if s.predict else what}, device {s.device} -> {self.path}")
            if errors := work_through([self]):
                raise errors[self]
            self.close()

    # -- before anything is written ------------------------------------------------------------------------------------

    def check(self, strict: bool = True) -> None:
        """Reads log and earlier run, and tries one's own agents; unless `strict`, one that fails is left out."""
        from lam_env.experiment.agent_check import try_own
        from lam_env.experiment.inputs import check_world, device_of, earlier_run, predictors_of, real_log, run_before
        from lam_env.experiment.jobs import candidates
        from lam_env.experiment.logs import real as real_logs
        from lam_env.experiment.policies import scenario_made

        self.made.go()
        launch.check(self.settings.launcher, self.settings.ray.address)
        self.real = real_log(self.settings, self.scenario)  # says what it read before torch, which takes seconds
        self.settings = s = dataclasses.replace(self.settings, device=device_of(self.settings, self.path))
        for rows in (100, 1_000_000):
            candidates(s, rows, pooled=rows == 100)
        self.earlier = earlier_run(s, self.scenario) if s.model else None
        source = self.real or self.earlier
        self.tables = source.tables if source else ()
        if self.tables:
            self.settings = s = dataclasses.replace(s, world=real_logs.with_residents(s.world, len(self.tables)))
            self.scenario = scenario_made(s.scenario, s.world, self.tables)
        if s.predict:
            self.agents = predictors_of(s, self.scenario, self.agents)
        run_before(s, self.path, self.agents)
        check_world(s.scenario, self.scenario)
        for name in filter(registry.names_code, self.agents):
            try:
                self.tried[name] = apart(self._limits, try_own, (name, s.scenario, s.world, self.tables), silent)
            except UserError as error:
                why = f"agent {name}: {error}" if isinstance(error, DiedError) else str(error)
                if strict:
                    raise UserError(why) from None
                self.failed[name] = why
        self.made.halt()

    def open(self, stack: ExitStack) -> None:
        """The folder, a new one or that of a run which was stopped, kept from others until `stack` ends."""
        from lam_env.experiment.inputs import run_before
        from lam_env.experiment.jobs import RunContext
        from lam_env.experiment.logs.real import gates_before

        s = self.settings
        if s.out is None:  # another run may have begun meanwhile
            self.path = claim_folder(self.name)
        self.folder = RunFolder(self.path)
        stack.enter_context(self.folder.locked())
        about = {"command": self.made.command, "versions": versions(), "agents_judged": self.agents}
        self.config: dict[str, object] = {**to_dict(s), **about, "finished": False, "prepared": False}
        if (before := run_before(s, self.path, self.agents)) is not None:
            self.made.take_over(before, self.folder.seconds())
            self.config["prepared"] = before.get("prepared") is True
            self.folder.tidy()
        else:
            RunFolder.create(self.path, self.config)
        self.cells = ScoreStore(self.folder, {name: tried.source for name, tried in self.tried.items()})
        self.known, self.gates = self.cells.read(), gates_before(self.path)
        self.work = RunContext(s, str(self.path.absolute()))
        self.plan = Plan(self.scenario, s, self.agents, self._needs, self.failed)
        self.variant = "twin" if self.tables else "sim"
        made = bool(self.config["prepared"] or self.earlier or (self.real and self.real.acts))
        first = [*([GATES] if self.real and self.tables and not self.gates else []), *([] if made else [SIMULATE])]
        steps = self.plan.steps(self.real is not None, (self.variant, first) if self._acts else None)
        events = len(self.real.log) if self.real else 0
        self.steps = Steps((step for step in steps if step not in self.known), self._needs, events)
        self._write_config()

    # -- the pipeline --------------------------------------------------------------------------------------------------

    def stages(self, launcher: Launcher) -> Waiting:
        """From the log to the last tables."""
        self.made.go()
        yield from self._stages(launcher)
        self.made.halt()  # so that one wall time stands in all that is written
        self._write()
        self._write_config(finished=True)
        self._write_report()

    def _stages(self, launcher: Launcher) -> Waiting:
        from lam_env.experiment.jobs import simulate_training_log
        from lam_env.experiment.logs.real import fidelity, passed
        from lam_env.experiment.replays import all_there, keep_replays
        from lam_env.logs.streams import folds

        real, earlier, tables = self.real, self.earlier, self.tables
        if real is not None:
            name = "train" if real.acts else "real"
            if not self.config["prepared"]:
                real.save(self.folder.log, name)
            if not (n := self.settings.eval.folds):
                yield from self._judge_on_log(name, launcher)
            for k, part in enumerate(folds(real.log, n) if n else (), 1):
                part.save(self.folder.log / f"{name}-{k}")
                yield from self._judge_on_log(f"{name}-{k}", launcher, k)
        if not self._acts:
            if not self.settings.predict:
                why = "the log holds no commands of the scenario's home, so no agent can act in it"
                say(f"{why}: predictions are all there is", indent="")
            return
        if tables:
            self.folder.write_json(TABLES, [one.to_json() for one in tables])
        if real is not None and tables:
            self.gates = self.gates or fidelity(self.work, real.log, launcher, launcher.progress)
            self._add("twin", "resident", 0, {0: passed(self.gates)})
            self.steps.over(GATES)
        if not self.config["prepared"]:
            if earlier is not None:
                earlier.copy_to(self.folder, same_world=self.settings.world == earlier.world)
            elif real is None or not real.acts:
                made = launcher.submit(simulate_training_log, self.work)
                yield {made}
                launcher.result(made)
                self.steps.over(SIMULATE)
            self.config["prepared"] = True
            self._write_config()
        yield from self._judge(self.variant, launcher)
        if not self.news and all_there(self.work):
            return
        made = launcher.submit(keep_replays, self.work)
        yield {made}
        try:
            launcher.result(made)
        except UnwritableError:
            raise
        except UserError as error:  # results do not rest on it
            self.failed[REPLAY] = str(error)

    def _judge_on_log(self, log_name: str, launcher: Launcher, fold: int = 0) -> Waiting:
        """Prediction rows of the real log's held-out days; a fold stands in the place of an evaluation seed."""
        from lam_env.experiment.logs.real import predict_on_log

        jobs: Jobs = {}
        kind = f"log-{fold}" if fold else "log"

        def submit(name: str, seed: int) -> None:
            if (scores := self.known.get(ScoreKey(kind, name, seed))) is not None:
                ended(name, seed, scores)
            else:
                jobs[launcher.submit(predict_on_log, self.work, log_name, name, seed)] = (name, seed)

        def ended(name: str, seed: int, scores: dict[str, Scores] | None) -> None:
            self.steps.over(ScoreKey(kind, name, seed))
            for row, each in (scores or {}).items():
                self._add("log", row, seed, {fold: each[0]})
            if name == PRETRAIN:
                submit("prior", seed)

        made = self._pretrain(kind, log_name, launcher)
        for name in self.plan.counting:
            submit(name, 0)
        for seed in (s for s in self.settings.seed if (PRETRAIN, s) not in made.values()):
            submit("prior", seed)
        jobs |= made
        yield from self._work_off(kind, jobs, launcher, ended)

    @property
    def _acts(self) -> bool:
        """Whether agents are judged in worlds."""
        return not self.settings.predict and (self.real is None or bool(self.tables) or self.real.acts)

    @property
    def _limits(self) -> Limits:
        return Limits.of(self.settings.agent_memory, self.settings.agent_timeout)

    def _needs(self, name: str) -> tuple[str, ...]:
        """What an agent needs. Code of one's own is not looked at in this process."""
        return self.tried[name].needs if name in self.tried else needs_of(self.scenario, name)

    def _judge(self, variant: str, launcher: Launcher) -> Waiting:
        """Pre-train, then fit and judge every agent; what does not need the prior runs beside it."""
        from lam_env.experiment.jobs import fit_and_judge

        plan, first = self.plan, self.settings.seed[0]
        jobs = self._pretrain(variant, "train", launcher)
        later = {seed for _, seed in jobs.values()}

        def submit(names: list[str], seed: int) -> None:
            for name, trained in plan.made_with((n for n in names if n not in self.failed), seed):
                if (scores := self.known.get(ScoreKey(variant, name, trained))) is not None:
                    ended(name, trained, scores)
                else:
                    limits = self._limits if name in self.tried else None
                    jobs[launcher.submit(fit_and_judge, self.work, name, trained, limits=limits)] = (name, trained)

        def ended(name: str, seed: int, by_variant: dict[str, Scores] | None) -> None:
            self.steps.over(ScoreKey(variant, name, seed))
            for suffix, scores in (by_variant or {}).items():
                if name in self.agents:
                    self._add(variant + (f"-{suffix}" if suffix else ""), name, seed, scores)
                if name in plan.exploits:
                    self._add("exploit", name, seed, scores)
                if name in plan.ladder and not suffix and (seed == first or trains_once(self.scenario, name)):
                    self._add(f"ladder:{plan.ladder[name]}", name, seed, scores)
            if name in (PRETRAIN, KNOWING):
                submit(plan.late if name == PRETRAIN else plan.last, seed)

        for seed in self.settings.seed:
            submit(plan.early if seed in later else plan.early + plan.late, seed)
        submit(plan.exploits, first)
        self._write()
        yield from self._work_off(variant, jobs, launcher, ended)

    def _pretrain(self, kind: str, log_name: str, launcher: Launcher) -> Jobs:
        """The jobs that make the priors of a log, those that are not there."""
        from lam_env.experiment.jobs import pretrain_on_log, prior_path

        jobs: Jobs = {}
        for seed in self.settings.seed:
            if prior_path(self.work, log_name, seed).is_dir():
                self.steps.drop(ScoreKey(kind, PRETRAIN, seed))
            else:
                jobs[launcher.submit(pretrain_on_log, self.work, log_name, seed)] = (PRETRAIN, seed)
        return jobs

    def _work_off(self, kind: str, jobs: Jobs, launcher: Launcher, ended: Ended) -> Waiting:
        """Keeps what the jobs return, until none is left; `ended` may submit more. An agent that fails in a world is
        left out."""
        while jobs:
            yield set(jobs)
            for job in [j for j in jobs if j.done()]:
                name, seed = jobs.pop(job)
                scores = None
                try:
                    scores = launcher.result(job)
                except UnwritableError:
                    raise
                except UserError as error:
                    if name == PRETRAIN or kind.startswith("log"):
                        raise
                    self.failed.setdefault(name, str(error))
                    self.steps.drop(*(step for step in self.steps.left if step.agent == name))
                if scores is not None:
                    self.cells.keep(ScoreKey(kind, name, seed), scores)
                    self.news = self.news or not kind.startswith("log")
                self.folder.drop_checkpoints(name, seed)
                ended(name, seed, scores)
            self._write()

    # -- results -------------------------------------------------------------------------------------------------------

    def _add(self, variant: str, agent: str, train_seed: int, scores: Scores) -> None:
        self.rows.setdefault((variant, agent), []).append((train_seed, scores))

    def _rows(self) -> list[ResultRow]:
        """All scores so far but those of agents that failed."""
        from lam_env.experiment.result_tables import rows_of_run

        sound = {key: scores for key, scores in self.rows.items() if key[1] not in self.failed}
        return rows_of_run(self.settings.scenario, sound, self.agents)

    def _write(self) -> None:
        from lam_env.evaluation.report.recorder import ABOUT, about_of
        from lam_env.experiment.result_tables import tables_of_run

        rows, made = self._rows(), self.made.by(self.steps.done > 0)
        self.failed = dict(sorted(self.failed.items()))  # whichever was the first to fail
        self.folder.write_results(rows)
        text = tables_of_run(rows, self.settings, *made, self.gates, self.failed, self.marked)
        self.folder.write_text("tables.md", text)
        self._write_config()
        self.folder.write_json(ABOUT, about_of(self.gates, self.failed))

    def final_scores(self) -> dict[str, float]:
        from lam_env.experiment.result_tables import final_scores

        return final_scores(self._rows())

    @property
    def marked(self) -> list[str]:
        """Agents whose rows say that they failed."""
        return [name for name in self.failed if name in self.agents]

    def stopped(self) -> None:
        """Leaves the folder whole, and says what it holds."""
        try:
            self.folder.tidy()
            if self.made.going:  # else what an earlier command has made stays
                self._write()
                self._write_report()
        except (UserError, OSError) as error:
            print(f"\nnot finished; {one_line(error)}", file=sys.stderr)
            return
        log, judged = any(self.folder.log.glob("*/")), {agent for _, agent in self.rows}
        wanted = dict.fromkeys([*self.agents, "prior"] if self.real else self.agents)  # a log always has its prior
        missing = [agent for agent in wanted if agent not in judged]
        results = f"the results of {len(wanted) - len(missing)} of {len(wanted)} agents"
        results += f" (not yet of {', '.join(missing)})" if 0 < len(missing) <= FEW else ""
        holds = ["its settings", *(["the log"] if log else []), *([results] if len(missing) < len(wanted) else [])]
        print(f"\nnot finished; {self.path} holds {', '.join(holds)}", file=sys.stderr)

    @property
    def again(self) -> str:
        """The command that goes on with this run."""
        command = self.made.command
        named = any(word.startswith("out=") for word in shlex.split(command))
        return command if named else command_line(command, [f"out={self.home or self.path}"])

    def _write_config(self, **more: object) -> None:
        command, seconds = self.made.by(self.steps.done > 0)
        self.folder.write_config({**self.config, "command": command, "seconds": round(seconds, 1), **more})

    def _write_report(self) -> None:
        from lam_env.experiment.report_page import write_report

        write_report(self.path, scenario=self.scenario)

    def close(self) -> None:
        """The closing screen."""
        from lam_env.experiment.result_tables import closing

        closing(self.folder, self.settings, self.made.seconds, self.marked)
        for name, why in self.failed.items():
            print(f"left out: {name}: {why}", file=sys.stderr)
