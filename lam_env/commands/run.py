"""python -m lam_env.run scenario=smart_home

Trains and judges agents, and writes tables and a report. One pipeline: simulate or import a log -> calibrate, if it is
a real one -> pre-train -> fine-tune -> judge -> tables.
"""

from __future__ import annotations

from collections.abc import Sequence

from lam_env.config.cli import cli_errors, command_line, parse
from lam_env.experiment.pipeline import Pipeline
from lam_env.experiment.settings import RunSettings
from lam_env.experiment.work.steps import REPLAY
from lam_env.launch.job import one_thread


def main(argv: Sequence[str]) -> int:
    one_thread()
    with cli_errors():
        settings = parse(RunSettings, argv, "python -m lam_env.run", _usual)
        run = Pipeline(settings, command_line("python -m lam_env.run", argv))
        run.run()
    return 1 if set(run.failed) - {REPLAY} else 0


def _usual(settings: RunSettings) -> RunSettings:
    from lam_env.experiment.inputs import usual

    return usual(settings)
