"""Pipelines by turns: while one waits for its jobs, those of the others are done."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from lam_env import launch
from lam_env.core.errors import UserError
from lam_env.core.interrupts import undisturbed
from lam_env.core.progress import Progress, Report
from lam_env.experiment.settings import RunSettings
from lam_env.experiment.work.steps import Steps, Whole
from lam_env.launch import Launcher
from lam_env.launch.child import Limits
from lam_env.launch.job import one_line
from lam_env.tracking.tracker import Tracking

# of a pipeline's stages: each time the jobs without one of which they cannot go on
Waiting = Iterator[set[Future[Any]]]
UNITS = {  # of the stages that begin so
    "simulate": "world-days",
    "judge": "world-days",
    "score": "events",
    "boosting": "fits",
    "threshold": "thresholds",
    "pseudo-counts": "values",
    "trial of acts": "world-days",
    "pre-training": "updates",
    "train": "updates",
    "ceiling": "updates",
    "fine-tune": "steps",
    "PPO": "steps",
    "learn": "steps",
    "replay": "episodes",
}


class Scheduled(Protocol):
    """One run, as far as its turns go."""

    path: Path
    settings: RunSettings
    config: dict[str, object]
    steps: Steps

    @property
    def again(self) -> str:
        """The command that goes on with it."""
        ...

    def stages(self, launcher: Launcher) -> Waiting: ...

    def stopped(self) -> None:
        """Leaves the folder whole, and says what it holds."""
        ...

    def final_scores(self) -> dict[str, float]: ...


T = TypeVar("T")
Run = TypeVar("Run", bound=Scheduled)


class Labelled(Launcher):
    """A launcher whose jobs say for which pipeline they are."""

    def __init__(self, launcher: Launcher, label: str):
        self.launcher, self.label = launcher, label
        self.progress = _labelled(launcher.progress, label)

    def finished(self, waiting: set[Future[Any]]) -> set[Future[Any]]:
        return self.launcher.finished(waiting)

    def result(self, future: Future[T]) -> T:
        return self.launcher.result(future)

    def submit(self, job: Callable[..., T], *args: object, limits: Limits | None = None) -> Future[T]:
        return self.launcher.submit(labelled, self.label, job, args, limits=limits)


def labelled(label: str, job: Callable[..., T], args: tuple[object, ...], report: Report) -> T:
    """The job, with `label` before all that it reports."""
    return job(*args, _labelled(report, label))


def _labelled(report: Report, label: str) -> Report:
    def report_of(stage: str, done: int, total: int, note: str = "") -> None:
        report(f"{label}: {stage}", done, total, note)

    return report_of


def work_through(pipelines: Sequence[Run]) -> dict[Run, UserError]:
    """All stages of all of them, in the jobs of one launcher: while one waits the others go on. Returns those that
    could not be finished, and why. The first one's settings say which launcher. On this machine as many are begun as
    there are workers, and another when one ends."""
    settings, todo, began = pipelines[0].settings, deque(pipelines), time.monotonic()
    at_once = settings.workers if settings.launcher == "local" else len(pipelines)
    active: dict[Run, Waiting] = {}
    errors: dict[Run, UserError] = {}
    waiting: dict[Run, set[Future[Any]]] = {}

    def go_on(one: Run) -> None:
        waiting.pop(one, None)
        try:
            waiting[one] = next(active[one])
        except StopIteration:
            del active[one]
        except (UserError, OSError) as error:
            del active[one]
            one.stopped()
            errors[one] = UserError(f"{one.path}: {one_line(error)}")
        if one not in active:
            one.steps.drop(*one.steps.left)
        tell()

    def tell() -> None:
        progress.whole(*Whole.of((p.steps for p in pipelines), time.monotonic() - began))

    def hear(stage: str, done: int, total: int, note: str) -> None:
        with_units(progress)(stage, done, total, note)
        label, _, what = stage.rpartition(": ")
        for one in pipelines:
            if label in ("", one.path.name):
                one.steps.hears(what, done, total)
        tell()

    try:
        first, alone = pipelines[0], len(pipelines) == 1
        with (
            Progress() as progress,
            Tracking(settings.track if alone else (), first.path, first.config) as tracking,
            _launcher(settings, tracking.hears(hear)) as launcher,
        ):
            tell()
            while todo or waiting:
                while todo and len(active) < at_once:
                    one = todo.popleft()
                    active[one] = one.stages(launcher if alone else Labelled(launcher, one.path.name))
                    go_on(one)
                done = launcher.finished(set().union(*waiting.values())) if waiting else set()
                for one in [p for p, jobs in waiting.items() if jobs & done]:
                    go_on(one)
            if settings.track and alone and not errors:
                tracking.scores(first.final_scores())
    except KeyboardInterrupt:
        with undisturbed():
            for one in (*active, *todo):
                one.stopped()
            print(f"the same command goes on where this one stopped:\n  {pipelines[0].again}", file=sys.stderr)
        raise
    except UserError as error:  # the launcher's own
        for one in (*active, *todo):
            one.stopped()
            errors[one] = UserError(f"{one.path}: {one_line(error)}")
    return errors


def _launcher(settings: RunSettings, progress: Report) -> AbstractContextManager[Launcher]:
    gpu = settings.device == "cuda"
    return launch.make(settings.launcher, settings.workers, progress, settings.ray.address, gpu)


def with_units(progress: Report) -> Report:
    """Says of each stage what it is counted in."""

    def report(stage: str, done: int, total: int, note: str) -> None:
        what = stage.rpartition(": ")[2]
        unit = next((unit for head, unit in UNITS.items() if what.startswith(head)), "")
        progress(f"{stage} [{unit}]" if unit else stage, done, total, note)

    return report
