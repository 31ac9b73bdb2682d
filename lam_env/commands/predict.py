"""python -m lam_env predict logs=export.csv format=csv

Judges predictors on the last days of a log of your own: nothing is simulated, and nobody acts.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from lam_env.config.cli import cli_errors, command_line, parse
from lam_env.core.errors import UserError
from lam_env.experiment.pipeline import Pipeline
from lam_env.experiment.settings import EvalSettings, PredictSettings, RunSettings
from lam_env.launch.job import one_thread


def main(argv: Sequence[str]) -> int:
    one_thread()
    with cli_errors():
        settings = parse(PredictSettings, argv, "python -m lam_env predict")
        if settings.logs is None:
            raise UserError("logs= is missing: give a log of your own, such as logs=export.csv")
        run = Pipeline(run_of(settings), command_line("python -m lam_env predict", argv))
        run.run()
    return 1 if run.failed else 0


def run_of(settings: PredictSettings) -> RunSettings:
    """The run that does it; all else in it is as usual, and without effect."""
    from lam_env.experiment.inputs import usual

    mine = {field.name: getattr(settings, field.name) for field in dataclasses.fields(PredictSettings)}
    mine["eval"] = EvalSettings(folds=settings.eval.folds)
    return dataclasses.replace(usual(RunSettings()), predict=True, **mine)
