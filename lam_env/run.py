"""python -m lam_env.run scenario=smart_home

One pipeline: simulate or import a log -> calibrate, if it is a real one -> pre-train -> fine-tune -> judge -> tables.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import signal
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from lam_env import registry
from lam_env.config import cli_errors, parse, to_dict
from lam_env.errors import UserError
from lam_env.launch.local import ONE_THREAD, LocalLauncher, Report, WorkerDiedError, one_line
from lam_env.progress import Progress
from lam_env.runs import RunFolder, choose
from lam_env.settings import COUNTING, RunSettings
from lam_env.track import Tracking, check_sinks

if TYPE_CHECKING:
    from lam_env.inputs import Earlier, RealLog

UNITS = {  # of the stages that begin so
    "simulate": "world-days",
    "judge": "days",
    "pre-training": "updates",
    "train": "updates",
    "informed": "updates",
    "fine-tune": "steps",
    "PPO": "steps",
    "replay": "episodes",
}


def main(argv: Sequence[str]) -> int:
    for name, value in ONE_THREAD.items():  # before torch is loaded, here and in the processes to come
        os.environ.setdefault(name, value)
    with cli_errors():
        settings = parse(RunSettings, argv, "python -m lam_env.run", _groups, _defaults)
        Pipeline(settings, " ".join(["python -m lam_env.run", *argv])).run()
    return 0


def _groups(settings: RunSettings) -> dict[str, Any]:
    return {"world": registry.scenario(settings.scenario).Params()}


def _defaults(settings: RunSettings) -> dict[str, Any]:
    defaults: dict[str, Any] = registry.scenario(settings.scenario).defaults
    return defaults


class Pipeline:
    """One run. Everything that can be wrong with what it is given is found before anything is written."""

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
        self.path = choose(settings.out, settings.scenario)
        self.settings = settings
        self.rows: dict[tuple[str, str], list[Any]] = {}
        self.failed: dict[str, str] = {}  # agent -> what went wrong with it
        self.gates: list[Any] = []

    def run(self) -> None:
        """All stages. A run that is stopped leaves a folder that is whole, and can be gone on from."""
        real, earlier = self._check()
        from lam_env.work import Work

        s = self.settings
        if s.out is None:  # another run may have begun meanwhile
            self.path = choose(None, s.scenario)
        config = {**to_dict(s), "command": self.command, "versions": _versions(), "agents_judged": self.agents}
        self.config = {**config, "finished": False}
        self.folder = RunFolder.create(self.path, self.config)
        self.work = Work(s, str(self.path), tuple(sorted(s.world.items())))
        print(
            f"{s.scenario}: {len(self.agents)} agents, {s.eval.seeds} evaluation seeds, device {s.device} -> {self.path}"
        )
        try:
            with (
                Progress() as progress,
                Tracking(s.track, self.path, self.config) as tracking,
                LocalLauncher(s.workers, tracking.hears(_with_units(progress))) as launcher,
            ):
                self._stages(real, earlier, launcher)
                if s.track:
                    tracking.scores(self._final_scores())
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            self._stopped()
            signal.signal(signal.SIGINT, signal.default_int_handler)
            raise
        except (UserError, OSError) as error:
            self._stopped()
            raise UserError(f"{self.path}: {one_line(error)}") from None
        self._close()

    # -- before anything is written ------------------------------------------------------------------------------------

    def _check(self) -> tuple[RealLog | None, Earlier | None]:
        """Reads the log and the earlier run, and tries one's own agents."""
        from lam_env.inputs import earlier_run, real_log
        from lam_env.trial import try_agent
        from lam_env.work import predictor_settings

        real = real_log(self.settings, self.scenario)
        self.settings = s = dataclasses.replace(self.settings, device=_device(self.settings.device))
        for rows in (100, 1_000_000):
            predictor_settings(s, rows)
        earlier = earlier_run(s, self.scenario, self.earlier_world, s.log) if s.model else None
        for name in (a for a in self.agents if ":" in a):
            try_agent(self.scenario, name)
        return real, earlier

    # -- the pipeline --------------------------------------------------------------------------------------------------

    def _stages(self, real: RealLog | None, earlier: Earlier | None, launcher: LocalLauncher) -> None:
        from lam_env import twin
        from lam_env.replays import keep_replays
        from lam_env.work import simulate_training_log

        tables = real.tables if real else earlier.tables if earlier else None
        if real is not None:
            name = "train" if real.acts else "real"
            real.log.save(self.folder.log / name)
            self._judge_on_log(name, launcher)
        if real is not None and tables is None and not real.acts:
            said = "the log holds no commands of the scenario's home, so no agent can act in it: predictions are all there is"
            print(said)
            return
        if tables is not None:
            self.work = twin.housed(self.work, tables)
        if real is not None and tables is not None:
            self._add_fidelity(twin.fidelity(self.work, real.log, launcher, launcher.progress))
        if earlier is not None:
            earlier.copy_to(self.folder, same_world=self.settings.world == earlier.world)
        elif real is None or not real.acts:
            simulate_training_log(self.work, launcher.progress)
        self._judge("sim" if tables is None else "twin", launcher)
        try:
            launcher.call(keep_replays, self.work)
        except WorkerDiedError:
            raise
        except UserError as error:  # results do not rest on it
            self.failed["replay"] = str(error)

    def _judge_on_log(self, log_name: str, launcher: LocalLauncher) -> None:
        """Prediction rows of the real log's held-out days."""
        from lam_env.work import predict_on_log, pretrain

        seeds = self.settings.seed
        made = [launcher.submit(pretrain, self.work, log_name, seed) for seed in seeds]
        jobs = {
            (a, 0): launcher.submit(predict_on_log, self.work, log_name, a, 0) for a in COUNTING if a in self.agents
        }
        for seed, job in zip(seeds, made, strict=True):
            launcher.result(job)
            jobs["prior", seed] = launcher.submit(predict_on_log, self.work, log_name, "prior", seed)
        for (name, seed), job in jobs.items():
            self._add("log", name, seed, launcher.result(job)[""])
        self._write()

    def _judge(self, variant: str, launcher: LocalLauncher) -> None:
        """Pre-train, then fit and judge every agent; what does not need the prior runs beside it."""
        from lam_env.work import fit_and_judge, needs_prior, pretrain, prior_path, trains_once

        first, everything = self.settings.seed[0], not self.settings.agents
        jobs: dict[Future[Any], tuple[str, int]] = {}
        ladder = {agent: rung for rung, agent in self.scenario.ladder.items()} if everything else {}
        exploits = list(self.scenario.exploits()) if everything else []
        late = [a for a in self.agents if needs_prior(self.scenario, a)]
        early = sorted((a for a in self.agents if a not in late), key=lambda a: a not in ("informed", "ppo_scratch"))

        def submit(names: list[str], seed: int) -> None:
            for name in names:
                once = trains_once(self.scenario, name)
                if seed == first or not once:
                    job = launcher.submit(fit_and_judge, self.work, name, 0 if once else seed)
                    jobs[job] = (name, 0 if once else seed)

        missing = [seed for seed in self.settings.seed if not prior_path(self.work, "train", seed).is_dir()]
        for seed in missing:
            jobs[launcher.submit(pretrain, self.work, "train", seed)] = ("pretrain", seed)
        for seed in self.settings.seed:
            submit(early if seed in missing else early + late, seed)
        submit(exploits, first)
        while jobs:
            for job in launcher.finished(set(jobs)):
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
                elif name == "informed" and seed == first:  # the rungs of the ladder build on its net
                    submit([a for a in ladder if a not in self.agents], seed)
                for suffix, scores in (found or {}).items():
                    where = variant + (f"-{suffix}" if suffix else "")
                    if name in self.agents:
                        self._add(where, name, seed, scores)
                    if name in exploits:
                        self._add("exploit", name, seed, scores)
                    if name in ladder and not suffix and (seed == first or trains_once(self.scenario, name)):
                        self._add(f"ladder:{ladder[name]}", name, seed, scores)
            self._write()

    # -- results -------------------------------------------------------------------------------------------------------

    def _add(self, variant: str, agent: str, train_seed: int, scores: dict[int, dict[str, float]]) -> None:
        self.rows.setdefault((variant, agent), []).append((train_seed, scores))

    def _add_fidelity(self, gates: list[Any]) -> None:
        self.gates = gates
        found = {gate.metric_id: float(gate.passed) for gate in gates if gate.passed is not None}
        self._add("twin", "resident", 0, {0: found})

    def _write(self) -> None:
        from lam_env.summary import about_of, rows_of_run, tables_of_run

        kept = {key: found for key, found in self.rows.items() if key[1] not in self.failed}
        rows = rows_of_run(self.settings.scenario, kept, self.agents)
        self.folder.write_results(rows)
        seconds = time.time() - self.began
        self.folder.write_text(
            "tables.md", tables_of_run(rows, self.settings, self.command, seconds, self.gates, self.failed)
        )
        self.folder.write_json("report/about.json", about_of(self.gates, self.failed))

    def _final_scores(self) -> dict[str, float]:
        """As in the tables: variant/agent/metric -> interquartile mean over all seeds."""
        from lam_env.evaluation.statistics import iqm
        from lam_env.evaluation.tables import runs_of
        from lam_env.summary import rows_of_run

        kept = {key: found for key, found in self.rows.items() if key[1] not in self.failed}
        rows, found = rows_of_run(self.settings.scenario, kept, self.agents), {}
        for variant, agent, metric in dict.fromkeys((r.variant, r.agent, r.metric) for r in rows):
            runs = runs_of([r for r in rows if r.variant == variant], agent, metric)
            if runs is not None and metric.startswith(("reward.", "pred.")):
                found[f"{variant}/{agent}/{metric}"] = float(iqm(runs.ravel()))
        return found

    def _stopped(self) -> None:
        """Leaves the folder whole, and says what it is good for."""
        self.folder.tidy()
        self._write()
        self._write_config()
        self._write_report()
        log, judged = (self.folder.log / "train").is_dir(), {agent for _, agent in self.rows}
        holds = ["its settings", *(["the log"] if log else [])]
        holds += [f"the results of {len(judged)} of {len(self.agents)} agents"] if judged else []
        print(f"\nnot finished; {self.path} holds {', '.join(holds)}", file=sys.stderr)
        if log and self.folder.prior.is_dir():
            kept = [
                word for word in self.command.split(" ") if not word.startswith(("model=", "out=", "logs=", "log."))
            ]
            print("go on from its models:", file=sys.stderr)
            print(f"  {' '.join(kept)} model={self.path}", file=sys.stderr)
        else:
            again = f"delete {self.path} or give another out=" if self.settings.out else f"{self.path} can be deleted"
            print(f"there is no model to go on from yet: give the same command again; {again}", file=sys.stderr)

    def _write_config(self, **more: Any) -> None:
        self.folder.write_config({**self.config, "seconds": round(time.time() - self.began, 1), **more})

    def _write_report(self) -> None:
        from lam_env.evaluation.report.page import About
        from lam_env.report import write_report

        s = self.scenario
        write_report(self.path, about=About(s.key_figures, s.reward_weights, tuple(s.ladder)))

    def _close(self) -> None:
        from lam_env.summary import closing

        self._write()
        self._write_config(finished=True)
        self._write_report()
        closing(self.folder, self.settings, time.time() - self.began)
        for name, why in self.failed.items():
            print(f"left out: {name}: {why}", file=sys.stderr)


def _with_units(progress: Report) -> Report:
    """Says of each stage what it is counted in."""

    def report(stage: str, done: int, total: int, note: str) -> None:
        unit = next((unit for head, unit in UNITS.items() if stage.startswith(head)), "")
        progress(f"{stage} [{unit}]" if unit else stage, done, total, note)

    return report


def _device(device: str) -> Any:
    if importlib.util.find_spec("torch") is None:
        raise UserError("torch is not installed: pip install torch")
    return str(importlib.import_module("lam_env.agents.predictors.pretrain").pick_device(device))


def _versions() -> dict[str, str]:
    from lam_env.evaluation.tables import versions

    return versions()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
