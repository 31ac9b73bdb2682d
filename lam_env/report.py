"""python -m lam_env.report run=runs/smart_home-1

Makes a run's report.html again from the files in its folder.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lam_env import registry
from lam_env.config import cli_errors, parse, setting, to_dict
from lam_env.errors import UserError

if TYPE_CHECKING:
    from lam_env.envs.scenario import Scenario

NAME = "report.html"


@dataclass(frozen=True)
class ReportSettings:
    """Make the report of a run again, from its folder alone."""

    run: str | None = setting(None, "the folder that a run has written")
    out: str | None = setting(None, f"file to write (default: {NAME} in that folder)")


def main(argv: Sequence[str]) -> int:
    with cli_errors():
        settings = parse(ReportSettings, argv, "python -m lam_env.report")
        if settings.run is None:
            raise UserError("which run? give run=FOLDER, such as run=runs/smart_home-1")
        path = write_report(Path(settings.run), Path(settings.out) if settings.out else None)
        print(f"written: {path} ({path.stat().st_size / 1e3:,.0f} kB)")
        for line in left_out(Path(settings.run)):
            print(line, file=sys.stderr)
    return 0


def left_out(run: Path) -> list[str]:
    """A line for each episode that the page lacks because its file is missing."""
    from lam_env.evaluation.report.folder import missing_replays, read_run
    from lam_env.evaluation.report.page import AGAIN

    return [
        f"left out: an episode to watch: there is no {run / file}. {AGAIN}"
        for file in missing_replays(read_run(run)).values()
    ]


def write_report(run: Path, out: Path | None = None, scenario: Scenario | None = None) -> Path:
    """Writes the page, whole or not at all, and says where. `scenario`: the run's, if it is at hand."""
    from lam_env.evaluation.report.folder import read_run, understood
    from lam_env.evaluation.report.page import About, render
    from lam_env.runs import RunFolder

    found = read_run(run)
    if scenario is None and found.scenario in registry.scenario_names():  # another scenario's code is not looked for
        scenario = registry.scenario(found.scenario)
    about = About()
    if scenario is not None:
        usual = to_dict(scenario.Params())
        about = About(scenario.key_figures, scenario.reward_weights, tuple(scenario.ladder), usual)
    with understood(run):
        page = render(found, about)
    out = out or run / NAME
    if out.is_dir() or not out.parent.is_dir():
        raise UserError(f"out={out}: {'is a folder' if out.is_dir() else 'its folder is not there'}; give a file")
    try:
        RunFolder(out.parent).write_text(out.name, page)
    except OSError as error:
        raise UserError(f"out={out}: cannot be written ({error.strerror}); give another file") from None
    return out


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
