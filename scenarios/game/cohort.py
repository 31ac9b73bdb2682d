"""python -m lam_env.scenarios.game.cohort players=10000 days=30

The lives of players whom nobody advises: retention, session statistics, and whether they are credible. With
`plays=LOG`, players calibrated to that log beside it.
"""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from lam_env.config.cli import cli_errors, command_line, override, parse, setting
from lam_env.core import registry
from lam_env.core.errors import UserError
from lam_env.core.progress import Progress
from lam_env.core.seeds import Use, world_seeds
from lam_env.logs import fidelity
from lam_env.logs.coverage import said
from lam_env.logs.play import fidelity as play_fidelity
from lam_env.logs.play.sessions import BREAK, check_usable, plays_of

from .calibration.calibration import calibrate_game, counted, simulate_lives
from .calibration.gates import Cohort, cohort_gates, live
from .params import GameParams
from .rules.compiled import Compiled
from .rules.rules import RULES

PROGRAM = "python -m lam_env.scenarios.game.cohort"
SHOWN = (0, 1, 2, 3, 5, 7, 10, 14, 21, 28, 29)  # days


@dataclass(frozen=True)
class CohortSettings:
    """Live through the first days of many players; or calibrate players to a log of plays, and compare them with it."""

    players: int = setting(10_000, "players", low=1, high=Use.COHORT.room)
    days: int | None = setting(None, "days of each life (default: 30, or as many as the log has)", low=2, high=3650)
    seed: int = setting(0, "other players", low=0, high=Use.COHORT.seeds - 1)
    plays: str | None = setting(None, "file of plays that the players are calibrated to")
    format: str = setting("mobile_plays", "its format")
    zone: str | None = setting(None, "the log's time zone (Europe/Berlin), where the times do not say")
    minutes: float = setting(BREAK, "minutes without play after which a session of the log is over", low=1, high=1440)
    out: str | None = setting(None, "file for the calibrated tables, as JSON: a game takes them as world.tables=FILE")
    world: Any = setting({}, "settings of the game, such as world.tables=FILE")


def report(cohort: Cohort) -> str:
    """Retention curve, statistics and gates as text."""
    lines = ["day of life  " + " ".join(f"{d:>5}" for d in SHOWN if d < cohort.days)]
    lines.append("plays        " + " ".join(f"{cohort.retention[d]:5.3f}" for d in SHOWN if d < cohort.days))
    q = np.percentile(cohort.per_session, (50, 90, 95, 99))
    lines += [
        "",
        f"players {len(cohort.plays):,}, sessions {len(cohort.per_session):,}, plays {int(cohort.plays.sum()):,}",
        f"plays a session: median {q[0]:.0f}, p90 {q[1]:.0f}, p95 {q[2]:.0f}, p99 {q[3]:.0f}",
        f"share of time in flow {cohort.flow:.2f}; level after a week: mean {cohort.level_7.mean():.1f}",
        "",
        "**source: real logs; simulated: these players**",
        "",
        fidelity.fidelity_table(cohort_gates(cohort)),
    ]
    return "\n".join(lines)


def main(argv: Sequence[str]) -> int:
    with cli_errors():
        settings = parse(CohortSettings, argv, PROGRAM, lambda s: CohortSettings(world=GameParams()))
        params = override(settings.world, {"days": settings.days or 30}, "world")
        began = time.process_time()
        print(default(settings, params) if settings.plays is None else beside_the_log(settings, params))
        print(f"\nPython {platform.python_version()}, lam-env {version('lam-env')}, numpy {np.__version__}; ", end="")
        print(f"{time.process_time() - began:.1f} s of CPU time.  ")
        print(f"Made by `{command_line(PROGRAM, argv)}`.")
    return 0


def default(s: CohortSettings, params: GameParams) -> str:
    """The report of the players of `params`."""
    if s.out is not None:
        raise UserError(f"out={s.out}: nothing is calibrated; give the log, plays=FILE")
    game = Compiled(RULES, params)
    seeds = world_seeds(Use.COHORT, s.players, s.seed)
    with Progress() as progress:
        cohort = counted(progress, "live [players]", s.players, partial(live, game, seeds))
    return report(cohort)


def beside_the_log(s: CohortSettings, params: GameParams) -> str:
    """The report of players calibrated to a log; writes their tables where asked to."""
    if s.days is not None:
        raise UserError(f"days={s.days}: beside a log, players live as many days as the log has; leave it out")
    if params.tables is not None:
        raise UserError("world.tables and plays: the tables are made from the plays; leave one of them out")
    if s.out is not None and not Path(s.out).resolve().parent.is_dir():
        raise UserError(f"out={s.out}: there is no folder {Path(s.out).resolve().parent}")
    load = registry.IMPORTERS.get(s.format)
    if not Path(str(s.plays)).exists():
        raise UserError(f"plays={s.plays}: no such file; give a log of plays, and its format= if not {s.format}")
    with Progress() as progress:
        log, left_out = load(str(s.plays), zone=s.zone)
        source = plays_of(log)
        check_usable(source)
        tables = calibrate_game(source, RULES, params, s.minutes, progress)
        game = Compiled(RULES, params, tables)
        seeds = world_seeds(Use.COHORT, s.players, s.seed)
        lived = counted(progress, "live [players]", s.players, partial(simulate_lives, game, seeds, tables))
    if s.out is not None:
        tables.save(s.out)
    return "\n".join([
        f"{s.plays}: {len(source.time):,} plays of {len(source.first):,} players over {tables.days:.0f} days",
        *(f"  {line}" for line in said(log, left_out)),
        "corrected for what moods, bedtimes and budgets of time do in the game:",
        *tables.lines(),
        "",
        f"**source: the log; simulated: {s.players:,} players of the game whom nobody advises, seed {s.seed}**",
        "",
        fidelity.fidelity_table(play_fidelity.play_gates(source, lived)),
    ])  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
