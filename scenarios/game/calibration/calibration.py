"""A game whose players come and go like those of a log: `PlayTables` corrected for what moods add to them.

Moods, bedtimes and budgets of time move the end of a session and leaving about their baseline, and sleep moves gaps. A
baseline taken from the log as it is would miss that: it is found by indirect inference (Gourieroux, Monfort and
Renault, J. Applied Econometrics 8, 1993). Players are simulated and cut off as the log is, what is estimated from them
is compared with what the log gave, and the baseline moves by the difference. Each round meets new players, and later
rounds move it less (Robbins and Monro, 1951), so that their noise cancels out.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np

from lam_env.core.observation import ObservationRows
from lam_env.core.rng import Streams
from lam_env.core.seeds import Use, world_seeds
from lam_env.core.units import DAY
from lam_env.logs.play.likelihood import coming_and_going, unseen
from lam_env.logs.play.sessions import BREAK, INDICES, Plays, Sessions, gap_quantiles, sessions_of
from lam_env.logs.play.tables import MOST_ODDS, PlayTables, estimate_play

from ..params import GameParams
from ..rules.compiled import Compiled
from ..rules.rules import Rules
from ..world.world import GameWorld

FULL, LATER = 4, 5  # rounds that move the baseline by all of the difference, and rounds that move it by 1/2, 1/3, ..
PLAYERS, PLAYS = Use.CALIBRATION.room, 100_000  # of a round, at most
TIMES, LEAST_PLAYS = 3, 20_000  # a round has so many times the log's plays, to be less noisy, but at least so many
FEW = 100  # players, at least
MOST_DAYS = 3650
# first plays of the classes that stand for `INDICES`: the hazard after one play alone is noise
LOW = (1, 2, 3, 4, 7, 14, 28)
SHARES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)  # of the gaps that are compared
LEAST_SD, MOST_SD, MOST_FACTOR = 0.02, 5.0, 20.0  # log-odds; of gaps
Progress = Callable[[str, int, int], None]
T = TypeVar("T")


def calibrate_game(
    source: Plays,
    rules: Rules,
    params: GameParams,
    minutes: float = BREAK,
    progress: Progress = lambda stage, done, total: None,
    plays: int | None = None,
) -> PlayTables:
    """Tables with which this game's players come and go as those of the log did; LogError where it holds too little.

    `minutes` without play end a session of the log; `plays`: about how many are simulated in each round (default: by
    the size of the log).
    """
    progress("estimate [plays]", 0, len(source.time))
    estimates = estimate_play(source, minutes)
    progress("estimate [plays]", len(source.time), len(source.time))
    aim = _aim(sessions_of(source, minutes))
    if plays is None:
        plays = min(PLAYS, max(LEAST_PLAYS, TIMES * len(source.time)))
    players = int(min(PLAYERS, max(FEW, plays / source.counts.mean())))
    hours = 1.001 ** np.arange(len(SHARES)) * np.maximum.accumulate(aim.gaps)  # all different
    tables = dataclasses.replace(
        estimates, shift=(0.0,) * len(INDICES), stretch=tuple((h, 1.0) for h in hours.tolist())
    )
    for i in range(FULL + LATER):
        stage = f"calibrate, round {i + 1} of {FULL + LATER} [players]"
        seeds, game = world_seeds(Use.CALIBRATION, players, i), Compiled(rules, params, tables)
        lived = counted(progress, stage, players, partial(simulate_lives, game, seeds, tables))
        tables = _moved(tables, estimates, aim, lived, 1 / max(1, i + 2 - FULL))
    return tables


def counted(progress: Progress, stage: str, total: int, lives: Callable[[Callable[[int], None]], T]) -> T:
    """What `lives` makes of so many players; it calls back with how many are done, which the progress bar shows."""
    progress(stage, 0, total)
    made = lives(lambda done: progress(stage, done, total))
    progress(stage, total, total)
    return made


def simulate_lives(
    game: Compiled, seeds: Sequence[int], tables: PlayTables, progress: Callable[[int], None] = lambda done: None
) -> Plays:
    """What players do whom nobody advises, as a log like that of the tables: as many days, and they arrive alike."""
    days = min(MOST_DAYS, math.ceil(tables.days) + 1)
    game = Compiled(game.rules, dataclasses.replace(game.params, days=days), tables)
    row = ObservationRows(1, game.words.vocabulary).row(0)
    rng = np.random.default_rng(seeds[0])
    arrivals = np.interp(rng.random(len(seeds)), np.linspace(0, 1, len(tables.arrivals)), tables.arrivals) * DAY
    end = int(min(days, tables.days) * DAY)
    player, time, length = list[int](), list[int](), list[float]()
    for i, (seed, arrival) in enumerate(zip(seeds, arrivals.tolist(), strict=True)):
        world = GameWorld(game, Streams(seed), row, observed=False)
        shift = int(arrival) - world.now  # the first decision is the arrival
        ended, tally = False, world.tally
        while not ended and world.now + shift <= end:
            before, plays = world.now, tally.plays
            ended = world.step(0)
            if tally.plays > plays:
                player.append(i)
                time.append(before + shift)
                length.append(float(world.now - before))
        if i % 100 == 99:
            progress(i + 1)
    return Plays(np.array(player, np.int64), np.array(time, np.int64), np.array(length), end)


@dataclass(frozen=True)
class Aim:
    """What is compared."""

    hazards: np.ndarray  # (7,) log-odds that a session ends with a play of each class
    gaps: np.ndarray  # (7,) quantiles of the gaps [h] at `SHARES`


def _aim(cut: Sessions) -> Aim:
    sizes = np.bincount(np.minimum(cut.plays, 10 * LOW[-1]), minlength=LOW[-1] + 1)
    reach = np.cumsum(sizes[::-1])[::-1]
    classes = [slice(low, high) for low, high in zip(LOW, (*LOW[1:], None), strict=True)]
    ends = np.array([sizes[c].sum() + 0.5 for c in classes])  # half a case more: none is never or always
    goes_on = np.array([reach[c].sum() + 1.0 for c in classes]) - ends
    return Aim(np.log(ends / goes_on), gap_quantiles(cut, SHARES))


def _moved(tables: PlayTables, estimates: PlayTables, aim: Aim, lived: Plays, gain: float) -> PlayTables:
    """The next tables: each number by `gain` of the difference between what the log and what the players gave."""
    cut = sessions_of(lived, estimates.minutes)
    ends, leaves = coming_and_going(cut, lived.end, unseen(cut, lived.end))
    own = tables.ends[2] * (estimates.ends[2] / ends[2]) ** gain
    leaving = np.add(tables.leaves, gain * np.subtract(estimates.leaves, leaves))
    reached = _aim(cut)
    shift = np.add(tables.shift, gain * (aim.hazards - reached.hazards))
    hours, factors = np.array(tables.stretch).T
    if not np.isnan(reached.gaps).any():
        factors = factors * (aim.gaps / reached.gaps) ** gain
    longer = hours * np.clip(factors, 1 / MOST_FACTOR, MOST_FACTOR)
    for k in range(1, len(longer)):  # they keep their order
        longer[k] = max(longer[k], 1.001 * longer[k - 1])
    return dataclasses.replace(
        tables,
        ends=(*tables.ends[:2], min(MOST_SD, max(LEAST_SD, own))),
        leaves=tuple(np.clip(leaving, -MOST_ODDS, MOST_ODDS).tolist()),
        shift=tuple(np.clip(shift, -MOST_ODDS, MOST_ODDS).tolist()),
        stretch=tuple(zip(hours.tolist(), (longer / hours).tolist(), strict=True)),
    )
