"""python -m lam_env.run scenario=smart_home

One pipeline: simulate or import a log -> calibrate, if it is a real one -> pre-train -> fine-tune -> judge -> tables.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from typing import Any

from lam_env import registry
from lam_env.config import cli_errors, parse, to_dict
from lam_env.errors import UserError
from lam_env.launch.local import LocalLauncher
from lam_env.progress import Progress
from lam_env.runs import RunFolder, choose
from lam_env.settings import ALWAYS, ORDER, RunSettings

NEEDS_PRIOR = ("prior", "plugin", "plugin_context", "ppo_prior")
UNTRAINED = ("none", "random", "oracle", "motion")  # one row whatever the training seed
ON_A_LOG = ("most_frequent", "time_table", "markov1", "markov2", "markov3", "markov2_clock", "markov_online", "prior")


def main(argv: Sequence[str]) -> int:
    with cli_errors():
        settings = parse(RunSettings, argv, "python -m lam_env.run", _groups)
        Pipeline(settings, " ".join(["python -m lam_env.run", *argv])).run()
    return 0


def _groups(settings: RunSettings) -> dict[str, Any]:
    return {"world": registry.scenario(settings.scenario).Params()}


class Pipeline:
    """One run. Everything that can be wrong with the settings is found before anything is written."""

    def __init__(self, settings: RunSettings, command: str):
        self.settings, self.command = settings, command
        self.scenario = registry.scenario(settings.scenario)(**settings.world)
        self.agents = self._agents()
        self._check_log()
        self.start = RunFolder.open(settings.model) if settings.model else None
        if settings.device == "cuda" and importlib.util.find_spec("torch") is None:
            raise UserError("device=cuda needs torch")
        self.path = choose(settings.out, settings.scenario)
        self.began = time.time()
        self.rows: dict[tuple[str, str], list[Any]] = {}

    # -- before anything is written ------------------------------------------------------------------------------------

    def _agents(self) -> list[str]:
        """The agents to judge, in the order of the tables."""
        own, known = list(self.scenario.baselines()), registry.agent_names()
        every = [a for a in ORDER if a in known or a in own]
        rungs = self.scenario.ladder.values()
        every += [a for a in own if a not in every] + [a for a in known if a not in (*every, *own, *rungs)]
        wanted = self.settings.agents or tuple(every)
        for name in wanted:
            if ":" not in name and name not in every:
                from lam_env.values import suggestion

                raise UserError(f"no agent {name!r}{suggestion(name, every)}; there are {', '.join(every)}")
        floor = [a for a in ALWAYS if a in every]
        chosen = [a for a in every if a in wanted or a in floor]
        custom = [*self.settings.agent, *(a for a in wanted if ":" in a)]
        for name in custom:
            registry.agent(name)
        return chosen[:-2] + custom + chosen[-2:] if chosen[-1] == "oracle" else chosen + custom

    def _check_log(self) -> None:
        s = self.settings
        if s.logs is None:
            if s.format or s.home or s.zone:
                raise UserError("format, home and zone say how to read a log: give logs=PATH too")
            return
        if s.format is None:
            raise UserError(f"logs={s.logs}: say its format, format={'|'.join(registry.importer_names())}")
        self.importer = registry.importer(s.format)
        if not Path(s.logs).exists():
            raise UserError(f"logs={s.logs}: no such file or folder")

    # -- the pipeline ----------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """All stages. An interrupt leaves a folder that can be gone on from."""
        from lam_env.work import Work, try_agent

        os.environ.setdefault("OMP_NUM_THREADS", "1")
        sys.path.insert(0, os.getcwd())
        imported = self._import() if self.settings.logs else None
        s = dataclasses.replace(self.settings, device=_device(self.settings.device))
        self.work = Work(s, str(self.path), tuple(sorted(self.settings.world.items())))
        for name in (a for a in self.agents if ":" in a):
            try_agent(self.work, name)
        config = {**to_dict(s), "command": self.command, "versions": _versions(), "agents_judged": self.agents}
        self.folder = RunFolder.create(self.path, config)
        print(f"{s.scenario}: {len(self.agents)} agents, {s.eval.seeds} evaluation seeds, device {s.device} -> {self.path}")
        try:
            with Progress() as progress, LocalLauncher(s.workers, progress) as launcher:
                self._stages(imported, progress, launcher)
        except KeyboardInterrupt:
            self._write()
            print(f"\nstopped; {self.path} holds what was finished. Go on from its models:", file=sys.stderr)
            print(f"  python -m lam_env.run scenario={s.scenario} model={self.path}", file=sys.stderr)
            raise
        self._close()

    def _import(self) -> Any:
        s = self.settings
        log, left_out = self.importer(s.logs, home=s.home, zone=s.zone)
        days = len(set((log.time[log.kind == 0] // log.ticks_per_second // 86_400).tolist()))
        print(f"{s.logs}: {int((log.kind == 0).sum()):,} events, {days} days, {len(log.vocabulary) - 1} actions")
        for reason, count in left_out.items():
            print(f"  left out: {count:,} {reason}")
        if days < 5:
            raise UserError(f"logs={s.logs}: {days} days are too few to train, validate and test on; give at least 5")
        return dataclasses.replace(log, meta={**log.meta, "real": True})

    def _stages(self, imported: Any, progress: Progress, launcher: LocalLauncher) -> None:
        from lam_env import twin
        from lam_env.envs.record import simulate_log
        from lam_env.work import train_seeds

        s = self.settings
        variant = "sim"
        if imported is not None:
            imported.save(self.folder.log / "real")
            variant = "twin" if imported.intervals else "sim"
            self._judge_on_log(launcher)
            if imported.intervals:
                self.work = twin.calibrated(self.work, imported, self.folder, progress)
                self._add_fidelity(twin.fidelity(self.work, imported, self.folder, launcher, progress))
            else:
                mapped = twin.in_the_home(imported, self.work.scenario().vocabulary)
                if mapped is None:
                    print("none of the log's actions is a command of the scenario's home: no agent can act in its twin")
                    return
        if self.start is not None and imported is None:
            self._start_from(self.start)
        else:
            for seed in s.seed[:1]:
                log, _ = simulate_log(self.work.scenario(), train_seeds(s, seed), s.log.days, progress=progress)
                log.save(self.folder.log / "train")
        self._judge(variant, launcher)

    def _start_from(self, earlier: RunFolder) -> None:
        """Take over log, prior and policy of an earlier run."""
        import shutil

        for name in ("log/train", "model/prior"):
            if not (earlier.path / name).is_dir():
                raise UserError(f"model={earlier.path}: has no {name}; give a run that got as far as pre-training")
            shutil.copytree(earlier.path / name, self.path / name, dirs_exist_ok=True)

    def _judge_on_log(self, launcher: LocalLauncher) -> None:
        """Prediction rows of the real log's held-out days."""
        from lam_env.work import predict_on_log, pretrain

        for seed in self.settings.seed:
            launcher.submit(pretrain, self.work, "real", seed).result()
            names = [a for a in ON_A_LOG if a in self.agents or a == "prior"]
            jobs = {launcher.submit(predict_on_log, self.work, a, seed): a for a in names}
            for job, name in jobs.items():
                self._add("log", name, seed, job.result()[""])
        self._write()

    def _judge(self, variant: str, launcher: LocalLauncher) -> None:
        """Pre-train, then fit and judge every agent; what does not need the prior runs beside it."""
        from lam_env.work import fit_and_judge, pretrain, prior_path

        first = self.settings.seed[0]
        jobs: dict[Future[Any], tuple[str, int]] = {}

        def submit(names: list[str], seed: int) -> None:
            for name in names:
                if seed == first or name not in UNTRAINED:
                    jobs[launcher.submit(fit_and_judge, self.work, name, seed)] = (name, seed)

        everything = not self.settings.agents
        ladder = {agent: rung for rung, agent in self.scenario.ladder.items()} if everything else {}
        exploits = list(self.scenario.exploits()) if everything else []
        extra = [a for a in ladder if a not in self.agents]
        missing = [seed for seed in self.settings.seed if not prior_path(self.work, "train", seed).is_dir()]
        for seed in missing:
            jobs[launcher.submit(pretrain, self.work, "train", seed)] = ("pretrain", seed)
        for seed in self.settings.seed:
            free = [a for a in self.agents if not _needs_prior(a)]
            submit(sorted(free, key=lambda a: a not in ("informed", "ppo_scratch")), seed)
            if seed not in missing:
                submit([a for a in self.agents if _needs_prior(a)], seed)
        submit(exploits, first)
        waiting = set(jobs)
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for job in done:
                name, seed = jobs[job]
                found = job.result()
                before = set(jobs)
                if name == "pretrain":
                    submit([a for a in self.agents if _needs_prior(a)], seed)
                elif name == "informed" and seed == first:  # the rungs of the ladder build on its net
                    submit(extra, seed)
                waiting |= set(jobs) - before
                for suffix, scores in (found or {}).items():
                    where = variant + (f"-{suffix}" if suffix else "")
                    if name in self.agents:
                        self._add(where, name, seed, scores)
                    if name in exploits:
                        self._add("exploit", name, seed, scores)
                    if name in ladder and not suffix and seed == first:
                        self._add(f"ladder:{ladder[name]}", name, seed, scores)
            self._write()

    # -- results -------------------------------------------------------------------------------------------------------

    def _add(self, variant: str, agent: str, train_seed: int, scores: dict[int, dict[str, float]]) -> None:
        self.rows.setdefault((variant, agent), []).append((0 if agent in UNTRAINED else train_seed, scores))

    def _add_fidelity(self, gates: list[Any]) -> None:
        for gate in gates:
            if gate.passed is not None:
                self._add("twin", "resident", 0, {0: {gate.metric_id: float(gate.passed)}})
        self.gates = gates

    def _write(self) -> None:
        from lam_env.summary import rows_of_run, tables_of_run

        rows = rows_of_run(self.settings.scenario, self.rows, self.agents)
        if rows:
            self.folder.write_results(rows)
            text = tables_of_run(rows, self.settings, self.command, time.time() - self.began, getattr(self, "gates", None))
            self.folder.write_text("tables.md", text)

    def _close(self) -> None:
        from lam_env.summary import closing

        self._write()
        closing(self.folder, self.settings, time.time() - self.began)


def _needs_prior(name: str) -> bool:
    if ":" not in name:
        return name in NEEDS_PRIOR
    return "prior" in getattr(registry.agent(name), "needs", ())


def _device(device: str) -> str:
    if device != "auto":
        if device == "cuda":
            import torch

            if not torch.cuda.is_available():
                raise UserError("device=cuda: this machine has no CUDA device; choose auto or cpu")
        return device
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _versions() -> dict[str, str]:
    from lam_env.evaluation.tables import versions

    return versions()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
