"""Which jobs runs of one worker do, and how one of them is made to fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lam_env.core.progress import Report
from lam_env.experiment.work.scheduler import labelled
from lam_env.launch.child import apart
from lam_env.launch.job import run_job


def watch(
    patch: pytest.MonkeyPatch,
    seen: Callable[[str, tuple[Any, ...]], object],
    at: object = None,
    error: BaseException | None = None,
) -> list[Any]:
    """Notes what `seen` makes of each job's name and arguments, unless it is None; raises `error` instead at `at`."""
    did: list[Any] = []

    def step(job: Callable[..., Any], args: tuple[Any, ...], report: Report) -> Any:
        of, given = job, args
        while of in (apart, labelled):
            of, given = given[1:]
        if (what := seen(of.__name__, given)) is not None:
            if what == at and error is not None:
                raise error
            did.append(what)
        return run_job(job, args, report)

    patch.setattr("lam_env.launch.local.run_job", step)
    return did
