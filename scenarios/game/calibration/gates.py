"""Are the players credible? Statistics of a cohort that nobody advises, beside those of real logs.

Real numbers: mobile_plays (26 thousand players of a mobile game), Cookie Cats (90 thousand players: D1 .445, D7 .186),
industry reports (D1 .25 to .40, D7 .10 to .20, D30 .03 to .07).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lam_env.core.observation import ObservationRows
from lam_env.core.rng import Streams
from lam_env.logs.fidelity import Gate
from lam_env.logs.play.sessions import hazard, top_share

from ..rules.compiled import Compiled
from ..world.tally import PlayTally
from ..world.world import GameWorld

HAZARDS = (1, 2, 3, 5, 10, 20)  # plays after which the hazard of a session's end is shown
QUARTILES = (25, 50, 75, 90)
RETENTION = {  # day: target, how near, in real logs, and usual in the industry
    1: (0.40, 0.05, (0.445,), "industry .25 to .40"),
    7: (0.17, 0.05, (0.186,), "industry .10 to .20"),
    30: (0.05, 0.02, (), "industry .03 to .07"),
}


@dataclass(frozen=True)
class Cohort:
    """Lives of many players."""

    days: int
    retention: np.ndarray  # (days,) share who play on each day of their life
    plays: np.ndarray  # of each player
    per_session: np.ndarray  # plays of each session
    gaps: np.ndarray  # [h] between sessions, also beyond the end
    level_7: np.ndarray  # level of each player after a week
    flow: float  # share of time in flow
    minutes: float  # played by all


def live(game: Compiled, seeds: Sequence[int], progress: Callable[[int], None] = lambda done: None) -> Cohort:
    """The lives of players `seeds` without an agent."""
    row = ObservationRows(1, game.words.vocabulary).row(0)
    tallies: list[PlayTally] = []
    for done, seed in enumerate(seeds):
        world = GameWorld(game, Streams(seed), row, observed=False)
        while not world.step(0):
            pass
        tallies.append(world.tally)
        if done % 100 == 99:
            progress(done + 1)
    days = game.params.days
    active = np.zeros(days)
    for t in tallies:
        active[[d for d in t.days if d < days]] += 1
    minutes = sum(t.minutes for t in tallies)
    return Cohort(
        days,
        active / len(tallies),
        np.array([t.plays for t in tallies]),
        np.array([p for t in tallies for p in t.per_session]),
        np.array([g for t in tallies for g in t.gaps]),
        np.array([t.level_7 for t in tallies]),
        sum(t.flow for t in tallies) / max(1.0, minutes),
        minutes,
    )


def cohort_gates(cohort: Cohort) -> list[Gate]:
    """The gates that an unadvised cohort of default players has to pass."""
    gates = []
    for day, (target, near, real, note) in RETENTION.items():
        at = min(day, cohort.days - 1)  # the 30th day is the last of an episode
        if at < day - 1:
            continue
        value = float(cohort.retention[at])
        accept = f"{target:.2f} +- {near:.2f}"
        gates.append(_gate(f"D{day}", real, (value,), accept, abs(value - target) <= near, note))
    median, p95 = (float(x) for x in np.percentile(cohort.per_session, (50, 95)))
    ok = 2 <= median <= 6 and p95 > 3 * median
    gates.append(_gate("plays a session: median, p95", (2.0, 10.0), (median, p95), "median 2 to 6, p95 > 3 x that", ok))
    ends = tuple(hazard(cohort.per_session, HAZARDS).tolist())
    falls = all(a > b for a, b in zip(ends, ends[1:], strict=False))
    name = f"session ends after play {'/'.join(map(str, HAZARDS))}"
    gates.append(_gate(name, (0.489, 0.379, 0.321, 0.227, 0.148, 0.106), ends, "falls", falls))
    top = top_share(cohort.plays)
    gates.append(_gate("share of plays of the top 10 %", (0.635,), (top,), ".45 to .70", 0.45 <= top <= 0.70))
    gaps = tuple(np.percentile(cohort.gaps, QUARTILES).tolist())
    a_day = float(((cohort.gaps > 20) & (cohort.gaps < 28)).mean())
    beside = float(((cohort.gaps > 28) & (cohort.gaps < 36)).mean())
    ok = a_day > beside and 2 <= gaps[0] <= 12 and 15 <= gaps[1] <= 30 and gaps[3] > 5 * gaps[1]
    name = f"gap between sessions [h]: {', '.join(f'p{q}' for q in QUARTILES)}"
    gates.append(_gate(name, (5.04, 21.9, 92.9, 452.0), gaps, "near, bump at a day, heavy tail", ok))
    return gates


def _gate(
    name: str, real: tuple[float, ...], here: tuple[float, ...], accept: str, passed: bool, note: str = ""
) -> Gate:
    return Gate(name, f"fidelity.game.{name.split(':')[0].replace(' ', '_')}", real, here, accept, passed, note)
