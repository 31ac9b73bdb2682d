"""python -m lam_env.run scenario=smart_home

One pipeline: simulate or import a log -> calibrate, if it is a real one -> pre-train -> fine-tune -> judge -> tables.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lam_env import launch, registry
from lam_env.cells import Cell, Cells, Found
from lam_env.config import cli_errors, parse, to_dict
from lam_env.errors import UserError
from lam_env.launch.local import WorkerDiedError, one_thread
from lam_env.runs import CONFIG, RunFolder, check_same, choose
from lam_env.settings import COUNTING, RunSettings
from lam_env.track import check_sinks
from lam_env.turns import Waiting, work_through

REPLAY = "replay"  # among what failed: no agent
LONGEST = ("informed", "ppo_scratch", "ppo_prior")  # begun first, so that no worker is left alone with one at the end

if TYPE_CHECKING:
    from lam_env.inputs import Earlier, RealLog


def main(argv: Sequence[str]) -> int:
    one_thread()
    with cli_errors():
        settings = parse(RunSettings, argv, "python -m lam_env.run", _groups, _defaults)
        run = Pipeline(settings, " ".join(["python -m lam_env.run", *argv]))
        run.run()
    return 1 if set(run.failed) - {REPLAY} else 0


def _groups(settings: RunSettings) -> dict[str, Any]:
    return {"world": registry.scenario(settings.scenario).Params()}


def _defaults(settings: RunSettings) -> dict[str, Any]:
    defaults: dict[str, Any] = registry.scenario(settings.scenario).defaults
    return defaults


class Pipeline:
    """One run. Everything that can be wrong with what it is given is found before anything is written.

    `check`, then after `open` all `stages`, then `close`; `stopped` in their place leaves a folder that the same settings go on with.
    """

    def __init__(self, settings: RunSettings, command: str):
        from lam_env.inputs import agents_of, check_seeds, earlier_settings

        self.command, self.began = command, time.time()
        check_seeds(settings.seed)
        check_sinks(settings.track)
        made = registry.scenario(settings.scenario)
        if settings.model:
            self.earlier_world, log = earlier_settings(settings)
            settings = dataclasses.replace(settings, world={**self.earlier_world, **settings.world}, log=log)
        self.scenario = made(**settings.world)
        self.agents = agents_of(settings, self.scenario)
        self.path = choose(settings.out, settings.scenario, again=True)
        self.settings = settings
        self.rows: dict[tuple[str, str], list[Any]] = {}
        self.failed: dict[str, str] = {}  # agent -> what went wrong with it
        self.gates: list[Any] = []
        self.news = False  # whether anything has been judged, in place of taken over
        self.home: Path | None = None  # the folder that the command names, where it is not the run's own
        self.real: RealLog | None = None
        self.earlier: Earlier | None = None

    def run(self) -> None:
        """All stages. A run that is stopped leaves a folder that is whole, and can be gone on with."""
        self.check()
        with ExitStack() as stack:
            self.open(stack)
            s = self.settings
            print(
                f"{s.scenario}: {len(self.agents)} agents, {s.eval.seeds} evaluation seeds, device {s.device} -> {self.path}"
            )
            if errors := work_through([self]):
                raise errors[self]
            self.close()

    # -- before anything is written ------------------------------------------------------------------------------------

    def check(self, strict: bool = True) -> None:
        """Reads the log and the earlier run, and tries one's own agents; if not `strict`, one that fails is left out."""
        from lam_env.inputs import earlier_run, real_log
        from lam_env.trial import try_agent
        from lam_env.work import predictor_settings

        launch.check(self.settings.launcher, self.settings.ray.address)
        self.settings = s = dataclasses.replace(self.settings, device=_device(self.settings.device))
        if self.settings.out is not None and (self.path / CONFIG).exists():
            check_same(RunFolder.open(str(self.path)), s, _versions())
        self.real = real_log(s, self.scenario)
        for rows in (100, 1_000_000):
            predictor_settings(s, rows)
        self.earlier = earlier_run(s, self.scenario, self.earlier_world, s.log) if s.model else None
        for name in (a for a in self.agents if ":" in a):
            try:
                try_agent(self.scenario, name)
            except UserError as error:
                if strict:
                    raise
                self.failed[name] = str(error)

    def open(self, stack: ExitStack) -> None:
        """The folder, a new one or that of a run which was stopped, kept from others until `stack` ends."""
        from lam_env.work import Work

        s = self.settings
        if s.out is None:  # another run may have begun meanwhile
            self.path = choose(None, s.scenario)
        self.folder = RunFolder(self.path)
        stack.enter_context(self.folder.locked())
        config = {**to_dict(s), "command": self.command, "versions": _versions(), "agents_judged": self.agents}
        self.config = {**config, "finished": False, "prepared": False}
        if s.out is not None and (self.path / CONFIG).exists():
            before = check_same(self.folder, s, self.config["versions"])
            self.began -= float(before.get("seconds") or 0.0)
            self.config["prepared"] = before.get("prepared") is True
            self.folder.tidy()
            self._write_config()
        else:
            RunFolder.create(self.path, self.config)
        self.cells = Cells(self.folder)
        self.kept = self.cells.read()
        self.work = Work(s, str(self.path.absolute()), tuple(sorted(s.world.items())))

    # -- the pipeline --------------------------------------------------------------------------------------------------

    def stages(self, launcher: Any) -> Waiting:
        """From the log to the last agent's scores."""
        from lam_env import twin
        from lam_env.replays import all_there, keep_replays
        from lam_env.work import simulate_training_log

        real, earlier = self.real, self.earlier
        tables = real.tables if real else earlier.tables if earlier else None
        if real is not None:
            name = "train" if real.acts else "real"
            if not self.config["prepared"]:
                real.log.save(self.folder.log / name)
            yield from self._judge_on_log(name, launcher)
        if real is not None and tables is None and not real.acts:
            said = "the log holds no commands of the scenario's home, so no agent can act in it: predictions are all there is"
            print(said)
            return
        if tables is not None:
            self.work = twin.housed(self.work, tables)
        if real is not None and tables is not None:
            self._add_fidelity(twin.fidelity(self.work, real.log, launcher, launcher.progress))
        if not self.config["prepared"]:
            if earlier is not None:
                earlier.copy_to(self.folder, same_world=self.settings.world == earlier.world)
            elif real is None or not real.acts:
                made = launcher.submit(simulate_training_log, self.work)
                yield {made}
                launcher.result(made)
            self.config["prepared"] = True
            self._write_config()
        yield from self._judge("sim" if tables is None else "twin", launcher)
        if not self.news and all_there(self.work):
            return
        made = launcher.submit(keep_replays, self.work)
        yield {made}
        try:
            launcher.result(made)
        except WorkerDiedError:
            raise
        except UserError as error:  # results do not rest on it
            self.failed[REPLAY] = str(error)

    def _judge_on_log(self, log_name: str, launcher: Any) -> Waiting:
        """Prediction rows of the real log's held-out days."""
        from lam_env.work import predict_on_log, pretrain, prior_path

        missing = [s for s in self.settings.seed if not prior_path(self.work, log_name, s).is_dir()]
        made = {launcher.submit(pretrain, self.work, log_name, seed): ("pretrain", seed) for seed in missing}
        jobs: dict[Future[Any], tuple[str, int]] = {}

        def submit(name: str, seed: int) -> None:
            if (found := self.kept.get(Cell("log", name, seed))) is not None:
                self._add("log", name, seed, found[""])
            else:
                jobs[launcher.submit(predict_on_log, self.work, log_name, name, seed)] = (name, seed)

        for name in (a for a in COUNTING if a in self.agents):
            submit(name, 0)
        for seed in (s for s in self.settings.seed if s not in missing):
            submit("prior", seed)
        jobs |= made
        while jobs:
            yield set(jobs)
            for job in [j for j in jobs if j.done()]:
                name, seed = jobs.pop(job)
                found = launcher.result(job)
                if name == "pretrain":
                    submit("prior", seed)
                    continue
                self.cells.keep(Cell("log", name, seed), found)
                self._add("log", name, seed, found[""])
        self._write()

    def _judge(self, variant: str, launcher: Any) -> Waiting:
        """Pre-train, then fit and judge every agent; what does not need the prior runs beside it."""
        from lam_env.work import fit_and_judge, needs_prior, pretrain, prior_path, trains_once

        first, everything = self.settings.seed[0], not self.settings.agents
        jobs: dict[Future[Any], tuple[str, int]] = {}
        ladder = {agent: rung for rung, agent in self.scenario.ladder.items()} if everything else {}
        exploits = list(self.scenario.exploits()) if everything else []
        ordered = sorted(self.agents, key=lambda a: a not in LONGEST)
        late = [a for a in ordered if needs_prior(self.scenario, a)]
        early = [a for a in ordered if a not in late]

        def submit(names: list[str], seed: int) -> None:
            for name in (n for n in names if n not in self.failed):
                once = trains_once(self.scenario, name)
                if seed != first and once:
                    continue
                trained = 0 if once else seed
                if (found := self.kept.get(Cell(variant, name, trained))) is not None:
                    take(name, trained, found)
                else:
                    jobs[launcher.submit(fit_and_judge, self.work, name, trained)] = (name, trained)

        def take(name: str, seed: int, found: Found) -> None:
            for suffix, scores in found.items():
                where = variant + (f"-{suffix}" if suffix else "")
                if name in self.agents:
                    self._add(where, name, seed, scores)
                if name in exploits:
                    self._add("exploit", name, seed, scores)
                if name in ladder and not suffix and (seed == first or trains_once(self.scenario, name)):
                    self._add(f"ladder:{ladder[name]}", name, seed, scores)
            if name == "informed" and seed == first:  # the rungs of the ladder build on its net
                submit([a for a in ladder if a not in self.agents], seed)

        missing = [seed for seed in self.settings.seed if not prior_path(self.work, "train", seed).is_dir()]
        for seed in missing:
            jobs[launcher.submit(pretrain, self.work, "train", seed)] = ("pretrain", seed)
        for seed in self.settings.seed:
            submit(early if seed in missing else early + late, seed)
        submit(exploits, first)
        self._write()
        while jobs:
            yield set(jobs)
            for job in [j for j in jobs if j.done()]:
                name, seed = jobs.pop(job)
                try:
                    found = launcher.result(job)
                except WorkerDiedError:
                    raise
                except UserError as error:
                    if name == "pretrain":
                        raise
                    self.failed.setdefault(name, str(error))
                    continue
                if name == "pretrain":
                    submit(late, seed)
                else:
                    self.cells.keep(Cell(variant, name, seed), found)
                    self.news = True
                    take(name, seed, found)
            self._write()

    # -- results -------------------------------------------------------------------------------------------------------

    def _add(self, variant: str, agent: str, train_seed: int, scores: dict[int, dict[str, float]]) -> None:
        self.rows.setdefault((variant, agent), []).append((train_seed, scores))

    def _add_fidelity(self, gates: list[Any]) -> None:
        self.gates = gates
        found = {gate.metric_id: float(gate.passed) for gate in gates if gate.passed is not None}
        self._add("twin", "resident", 0, {0: found})

    def _write(self) -> None:
        from lam_env.evaluation.report.keep import ABOUT
        from lam_env.summary import about_of, rows_of_run, tables_of_run

        kept = {key: found for key, found in self.rows.items() if key[1] not in self.failed}
        rows = rows_of_run(self.settings.scenario, kept, self.agents)
        self.folder.write_results(rows)
        seconds = time.time() - self.began
        self.folder.write_text(
            "tables.md", tables_of_run(rows, self.settings, self.command, seconds, self.gates, self.failed, self.marked)
        )
        self._write_config()
        self.folder.write_json(ABOUT, about_of(self.gates, self.failed))

    def final_scores(self) -> dict[str, float]:
        """As in the tables: variant/agent/metric -> interquartile mean over all seeds."""
        from lam_env.catalogue import CATALOGUE
        from lam_env.evaluation.statistics import iqm
        from lam_env.evaluation.tables import runs_of
        from lam_env.summary import rows_of_run

        kept = {key: found for key, found in self.rows.items() if key[1] not in self.failed}
        rows, found = rows_of_run(self.settings.scenario, kept, self.agents), {}
        for variant, agent, metric in dict.fromkeys((r.variant, r.agent, r.metric) for r in rows):
            if metric not in CATALOGUE:  # a scenario's own
                continue
            runs = runs_of([r for r in rows if r.variant == variant], agent, CATALOGUE[metric])
            if runs is not None:
                found[f"{variant}/{agent}/{metric}"] = float(iqm(runs.ravel()))
        return found

    @property
    def marked(self) -> list[str]:
        """Agents whose rows say that they failed."""
        return [name for name in self.failed if name in self.agents]

    def stopped(self) -> None:
        """Leaves the folder whole, and says what it holds."""
        self.folder.tidy()
        self._write()
        self._write_report()
        log, judged = (self.folder.log / "train").is_dir(), {agent for _, agent in self.rows}.intersection(self.agents)
        holds = ["its settings", *(["the log"] if log else [])]
        holds += [f"the results of {len(judged)} of {len(self.agents)} agents"] if judged else []
        print(f"\nnot finished; {self.path} holds {', '.join(holds)}", file=sys.stderr)

    @property
    def again(self) -> str:
        """The command that goes on with this run."""
        named = any(word.startswith("out=") for word in self.command.split(" "))
        return self.command if named else f"{self.command} out={self.home or self.path}"

    def _write_config(self, **more: Any) -> None:
        self.folder.write_config({**self.config, "seconds": round(time.time() - self.began, 1), **more})

    def _write_report(self) -> None:
        from lam_env.evaluation.report.page import About
        from lam_env.report import write_report

        s = self.scenario
        write_report(self.path, about=About(s.key_figures, s.reward_weights, tuple(s.ladder)))

    def finish(self, finished: bool = True) -> None:
        """The last tables."""
        self._write()
        self._write_config(finished=finished)
        self._write_report()

    def close(self) -> None:
        """The last tables, and the closing screen."""
        from lam_env.summary import closing

        self.finish()
        closing(self.folder, self.settings, time.time() - self.began, self.marked)
        for name, why in self.failed.items():
            print(f"left out: {name}: {why}", file=sys.stderr)


def _device(device: str) -> Any:
    if importlib.util.find_spec("torch") is None:
        raise UserError("torch is not installed: pip install torch")
    return str(importlib.import_module("lam_env.agents.predictors.pretrain").pick_device(device))


def _versions() -> dict[str, str]:
    from lam_env.evaluation.tables import versions

    return versions()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
