"""python -m lam_env report run=runs/smart_home-1

Makes a run's report.html again from the files in its folder.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lam_env.config.cli import cli_errors, parse, setting
from lam_env.core.errors import UserError
from lam_env.experiment.report_page import NAME, left_out, write_report


@dataclass(frozen=True)
class ReportSettings:
    """Make the report of a run again, from its folder alone."""

    run: str | None = setting(None, "the folder that a run has written")
    out: str | None = setting(None, f"file to write (default: {NAME} in that folder)")


def main(argv: Sequence[str]) -> int:
    with cli_errors():
        settings = parse(ReportSettings, argv, "python -m lam_env report")
        if settings.run is None:
            raise UserError("which run? give run=FOLDER, such as run=runs/smart_home-1")
        path = write_report(Path(settings.run), Path(settings.out) if settings.out else None)
        print(f"written: {path} ({path.stat().st_size / 1e3:,.0f} kB)")
        for line in left_out(Path(settings.run)):
            print(line, file=sys.stderr)
    return 0
