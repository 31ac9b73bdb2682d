"""python -m lam_env.scenarios.game.cohort players=10000 days=30

The lives of players whom nobody advises: retention, session statistics, and whether they are credible.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lam_env.config import cli_errors, override, parse, setting
from lam_env.logs.plays import hazard
from lam_env.progress import Progress

from .compiled import Compiled
from .gates import HAZARDS, Cohort, gates, live
from .params import GameParams
from .rules import RULES

FIRST_SEED = 5_000_000  # of players whom no training and no evaluation meets
SHOWN = (0, 1, 2, 3, 5, 7, 10, 14, 21, 28, 29)


@dataclass(frozen=True)
class CohortSettings:
    """Live through the first days of many players."""

    players: int = setting(10_000, "players", low=1, high=10_000_000)
    days: int = setting(30, "days of each life", low=2, high=3650)
    seed: int = setting(0, "other players", low=0, high=1000)
    world: dict[str, Any] = setting({}, "settings of the game, such as world.preset=mobile")


def report(cohort: Cohort) -> str:
    """Retention curve, statistics and gates as text."""
    lines = ["day of life  " + " ".join(f"{d:>5}" for d in SHOWN if d < cohort.days)]
    lines.append("plays        " + " ".join(f"{cohort.retention[d]:5.3f}" for d in SHOWN if d < cohort.days))
    hazards = hazard(cohort.per_session, HAZARDS)
    q = np.percentile(cohort.per_session, (50, 90, 95, 99))
    lines += [
        "",
        f"players {len(cohort.plays):,}, sessions {len(cohort.per_session):,}, plays {int(cohort.plays.sum()):,}",
        f"plays a session: median {q[0]:.0f}, p90 {q[1]:.0f}, p95 {q[2]:.0f}, p99 {q[3]:.0f}",
        "session ends after play " + ", ".join(f"{n}: {ends:.2f}" for n, ends in zip(HAZARDS, hazards, strict=True)),
        f"share of time in flow {cohort.flow:.2f}; level after a week: mean {cohort.level_7.mean():.1f}",
        "",
        f"{'gate':26}{'here':32}{'real logs':36}{'accepted':34}",
    ]
    for g in gates(cohort):
        lines.append(f"{g.name:26}{g.value:32}{g.real:36}{g.accept:34}{'ok' if g.passed else 'NOT MET'}")
    return "\n".join(lines)


def main(argv: Sequence[str]) -> int:
    with cli_errors():
        settings = parse(
            CohortSettings, argv, "python -m lam_env.scenarios.game.cohort", lambda s: {"world": GameParams()}
        )
        params = override(GameParams(), {**settings.world, "days": settings.days}, prefix="world")
        began, n = time.process_time(), settings.players
        first = FIRST_SEED + settings.seed * 10_000_000
        with Progress() as progress:
            progress("live [players]", 0, n)
            cohort = live(
                Compiled(RULES, params), range(first, first + n), lambda done: progress("live [players]", done, n)
            )
            progress("live [players]", n, n)
        print(report(cohort))
        print(f"\n{time.process_time() - began:.1f} s of CPU time")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
