"""python -m lam_env play_report path=plays.csv.gz

Estimates from a log how players come and go. It draws players from the estimate, and says how like the log they are.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np

from lam_env.config.cli import cli_errors, command_line, parse, setting
from lam_env.core import registry
from lam_env.core.errors import UserError
from lam_env.core.events import ActionLog
from lam_env.core.files.outputs import output_file
from lam_env.core.progress import Progress
from lam_env.logs import fidelity
from lam_env.logs.coverage import said
from lam_env.logs.play.draw import draw
from lam_env.logs.play.fidelity import play_gates
from lam_env.logs.play.sessions import BREAK, plays_of
from lam_env.logs.play.tables import estimate_play

PROGRAM = "python -m lam_env play_report"


@dataclass(frozen=True)
class PlayReportSettings:
    """Estimate play behaviour from a log, and compare the log with players drawn from it, or with a simulated log."""

    path: str | None = setting(None, "file of plays")
    format: str = setting("mobile_plays", "its format")
    zone: str | None = setting(None, "the players' time zone (Europe/Berlin), where the times do not say")
    simulated: str | None = setting(
        None, "folder of a simulated log to compare with (default: players drawn from the estimate)"
    )
    out: str | None = setting(None, "file for the estimated tables, as JSON")
    seed: int = setting(0, "seed of the drawn players", low=0)
    minutes: float = setting(BREAK, "minutes without play after which a session is over", low=1, high=1440)


def main(argv: Sequence[str]) -> int:
    with cli_errors():
        print(run(parse(PlayReportSettings, argv, PROGRAM)))
        print(f"Python {platform.python_version()}, lam-env {version('lam-env')}, numpy {np.__version__}.  ")
        print(f"Made by `{command_line(PROGRAM, argv)}`.")
    return 0


def run(s: PlayReportSettings) -> str:
    """The report; writes the tables where asked to."""
    if s.path is None:
        raise UserError("path: give the file of plays, path=plays.csv.gz")
    if s.out is not None:
        output_file(s.out)
    other = ActionLog.load(s.simulated) if s.simulated else None
    with Progress() as progress:
        log, left_out = registry.IMPORTERS.get(s.format)(s.path, zone=s.zone)
        source = plays_of(log)
        progress("estimate [plays]", 0, len(source.time))
        tables = estimate_play(source, s.minutes)
        progress("estimate [plays]", len(source.time), len(source.time))
        players = len(source.first)
        progress("draw [plays]", 0, 0)
        drawn = draw(tables, players, np.random.default_rng(s.seed)) if other is None else plays_of(other)
        progress("draw [plays]", len(drawn.time), len(drawn.time))
    if s.out is not None:
        tables.save(s.out)
    head = f"{s.path}: {len(source.time):,} plays of {players:,} players over {tables.days:.0f} days"
    lines = [head, *(f"  {line}" for line in said(log, left_out)), *tables.lines()]
    what = f"{players:,} players drawn from the tables, seed {s.seed}" if other is None else str(s.simulated)
    report = fidelity.fidelity_table(play_gates(source, drawn))
    return "\n".join([*lines, "", f"**source: the log; simulated: {what}**", "", report, ""])
