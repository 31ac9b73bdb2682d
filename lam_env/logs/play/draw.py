"""Draws the plays of a population from `PlayTables` with no game in between, to be held against the log."""

from __future__ import annotations

import numpy as np

from lam_env.core.units import DAY, HOUR
from lam_env.logs.play.sessions import Plays
from lam_env.logs.play.tables import PlayTables

_MOST = 1000  # plays of a session, and sessions of a player: beyond lies only what a mistaken table would give


def draw(tables: PlayTables, players: int, rng: np.random.Generator) -> Plays:
    """The plays of so many players over the days of the log; who is still there at its end is cut off as in a log."""
    a, b, s = tables.ends
    c, d, e, f = tables.leaves
    z = rng.standard_normal(players)
    now = _quantiles(tables.arrivals, rng.random(players)) * DAY
    end = tables.days * DAY
    who = np.arange(players)
    plays: list[tuple[np.ndarray, np.ndarray]] = []  # (player, time)
    for number in range(1, _MOST):
        left = now[who] < end
        who = who[left]
        if not len(who):
            break
        size = np.zeros(players, np.int64)
        playing = who
        for n in range(1, _MOST):
            plays.append((playing, now[playing].copy()))
            size[playing] = n
            stops = rng.random(len(playing)) < _logistic(a + b * np.log(n) + s * z[playing])
            playing = playing[~stops]
            if not len(playing):
                break
            now[playing] += _quantiles(tables.pauses, rng.random(len(playing)))
        gone = rng.random(len(who)) < _logistic(c + d * np.log(number) + e * np.log(size[who]) + f * z[who])
        who = who[~gone]
        now[who] += gaps(tables, len(who), rng) * HOUR
    player, times = (np.concatenate(column) for column in zip(*plays, strict=True))
    time = np.floor(times).astype(np.int64)
    player, time = player[time <= end], time[time <= end]
    order = np.lexsort((time, player))
    return Plays(player[order], time[order], np.zeros(len(order)), int(end))


def gaps(tables: PlayTables, n: int, rng: np.random.Generator) -> np.ndarray:
    """(n,) gaps between sessions [h], all longer than the break."""
    least = tables.minutes / 60
    weights = np.array([part.weight for part in tables.gaps])
    which = rng.choice(len(weights), n, p=weights / weights.sum())
    center, spread = (np.array([getattr(p, name) for p in tables.gaps])[which] for name in ("center", "spread"))
    normal = np.array([p.kind == "normal" for p in tables.gaps])[which]
    z = rng.standard_normal(n)
    hours = np.where(normal, center + spread * z, least + center * np.exp(np.where(normal, 0, spread * z)))
    return np.maximum(hours, least + 1 / HOUR)


def _quantiles(values: tuple[float, ...], p: np.ndarray) -> np.ndarray:
    return np.interp(p, np.linspace(0, 1, len(values)), values)


def _logistic(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(x, -50, 50)))
