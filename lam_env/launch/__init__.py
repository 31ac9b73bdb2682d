"""Where jobs run: in this process, in processes of this machine, on a Ray cluster.

A launcher is a module here with `check(address)`, which raises UserError where it cannot be used, and `LAUNCHER`, a
`Launcher` and context manager made with (workers, progress, address, gpu).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from lam_env.core.progress import Report

if TYPE_CHECKING:
    from lam_env.launch.child import Limits

T = TypeVar("T")


class Launcher(Protocol):
    """Calls `job(*args, report)`; what jobs report reaches `progress`."""

    progress: Report

    def submit(self, job: Callable[..., T], *args: object, limits: Limits | None = None) -> Future[T]:
        """`limits`: the job runs code of the user's own, and has a process of its own."""
        ...

    def finished(self, waiting: set[Future[Any]]) -> set[Future[Any]]:
        """Those of `waiting` that are done; returns when there is one."""
        return wait(waiting, return_when=FIRST_COMPLETED).done

    def result(self, future: Future[T]) -> T:
        """What a job has returned, or its error as one line."""
        ...

    def call(self, job: Callable[..., T], *args: object) -> T:
        """Submit and wait."""
        return self.result(self.submit(job, *args))


def check(name: str, address: str | None) -> None:
    """UserError, if the launcher of that name cannot be used."""
    importlib.import_module(f"lam_env.launch.{name}").check(address)


def make(name: str, workers: int, progress: Report, address: str | None, gpu: bool) -> AbstractContextManager[Launcher]:
    """The launcher of that name. `gpu`: its jobs train on one."""
    module = importlib.import_module(f"lam_env.launch.{name}")
    made: AbstractContextManager[Launcher] = module.LAUNCHER(workers, progress, address, gpu)
    return made
