"""What a predictor sees of a decision point: the one featuriser that reading a log and stepping share.

Tokens are embedded by the network; the numbers made here are the clock, the gap, the duration, the readings, who did
it where several people share a stream, and, if asked for, how long ago each token was last seen and how often today.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lam_env.core.events import Vocabulary
from lam_env.core.units import DAY
from lam_env.logs.decision_points import DecisionPoints

_WEEK = 7 * 24 * 60  # [min]; time 0 is a Monday 00:00
_HARMONICS = 3  # of the day; more than one lets a small network tell breakfast from lunch
_N_CLOCK = 2 * _HARMONICS + 3
NEVER = 7 * DAY  # [s] tokens not seen for longer count as never seen


def _clock_table() -> np.ndarray:
    minute = np.arange(_WEEK)
    hour, day = 2 * np.pi * (minute % 1440) / 1440, 2 * np.pi * minute / _WEEK
    weekend = (minute >= 5 * 1440) * 1.0
    waves = [wave(k * hour) for k in range(1, _HARMONICS + 1) for wave in (np.sin, np.cos)]
    return np.stack([*waves, np.sin(day), np.cos(day), weekend], 1).astype(np.float32)


_CLOCK = _clock_table()


@dataclass(frozen=True)
class Featuriser:
    """`mean`, `sd` (2 + C,) float32: of log1p gap, log1p duration [s] and of the readings, over the training log.
    `users`: as in `DecisionPoints`."""

    vocabulary: Vocabulary
    mean: np.ndarray
    sd: np.ndarray
    recency: bool = False
    users: int = 0

    @classmethod
    def fit(cls, points: DecisionPoints, recency: bool = False) -> Featuriser:
        columns = [np.log1p(points.gap), np.log1p(points.duration), *points.context.T]
        # column by column: all of it in double precision would be the largest array of a run
        mean, sd = np.array([(c.mean(dtype=np.float64), c.std(dtype=np.float64)) for c in columns]).T
        sd = np.where(sd > 1e-6, sd, 1e6)  # a reading that never changed tells nothing, whatever it is later
        return cls(points.vocabulary, mean.astype(np.float32), sd.astype(np.float32), recency, points.users)

    @property
    def size(self) -> int:
        """Numbers per decision point, F."""
        return _N_CLOCK + len(self.mean) + self.users + (2 * self.vocabulary.n_tokens if self.recency else 0)

    def now(self, points: DecisionPoints) -> np.ndarray:
        """The numbers that need no memory, in an array (n, F) float32 whose other columns are left to fill."""
        n, end = len(points.time), _N_CLOCK + len(self.mean)
        out = np.empty((n, self.size), np.float32)
        out[:, :_N_CLOCK] = _CLOCK[np.asarray(points.time, np.int64) // 60 % _WEEK]
        out[:, _N_CLOCK] = points.gap
        out[:, _N_CLOCK + 1] = points.duration
        waits = out[:, _N_CLOCK : _N_CLOCK + 2]
        np.log1p(waits, out=waits)
        out[:, _N_CLOCK + 2 : end] = points.context
        numbers = out[:, _N_CLOCK:end]
        numbers -= self.mean
        numbers /= self.sd
        if self.users:
            out[:, end : end + self.users] = np.asarray(points.user)[:, None] == np.arange(self.users)
        return out

    def step(self, points: DecisionPoints, last: np.ndarray, today: np.ndarray, day: np.ndarray) -> np.ndarray:
        """Features (n, F) of one decision point per stream. Changes the memory in place: `last` (n, V) int64 time a
        token was last seen, plus one [s] (0 never); `today` (n, V) float32 its count today; `day` (n,) int64 the day,
        plus one."""
        out = self.now(points)
        if self.recency:
            time = np.asarray(points.time, np.int64)
            today[day != time // DAY + 1] = 0
            day[:] = time // DAY + 1
            row, slot = np.nonzero(points.tokens)
            token = points.tokens[row, slot]
            last[row, token] = np.maximum(last[row, token], time[row] + 1)
            np.add.at(today, (row, token), 1)
            _fill_recency(out, time, last, today)
        return out

    def read(self, points: DecisionPoints) -> np.ndarray:
        """Features (n, F) of every row of a log, each world from its start; equal to stepping."""
        out = self.now(points)
        if self.recency:
            bounds = np.r_[points.starts(), len(points)]
            for a, b in zip(bounds[:-1], bounds[1:], strict=True):
                last, today = memory(points.time[a:b], points.tokens[a:b], self.vocabulary.n_tokens)
                _fill_recency(out[a:b], points.time[a:b], last, today)
        return out


def memory(time: np.ndarray, tokens: np.ndarray, n_tokens: int) -> tuple[np.ndarray, np.ndarray]:
    """`last` and `today` after each row of one world, both (n, V)."""
    counts = np.zeros((len(time), n_tokens), np.float32)
    row, slot = np.nonzero(tokens)
    np.add.at(counts, (row, tokens[row, slot]), 1)
    last = np.maximum.accumulate(np.where(counts > 0, time[:, None] + 1, 0), axis=0)
    total = np.cumsum(counts, axis=0)
    day = time // DAY
    turns = np.r_[False, day[1:] != day[:-1]]
    first = np.maximum.accumulate(np.where(turns, np.arange(len(time)), 0))  # first row of the row's day
    before = np.where((first > 0)[:, None], total[np.maximum(first - 1, 0)], 0)
    return last, total - before


def _fill_recency(out: np.ndarray, time: np.ndarray, last: np.ndarray, today: np.ndarray) -> None:
    v = last.shape[1]
    # intervals may overlap, so that a token's end can lie after the present one
    ago = np.where(last > 0, np.clip(time[:, None] + 1 - last, 0, NEVER), NEVER)
    out[:, -2 * v : -v] = np.log1p(ago / 60) / np.log1p(NEVER / 60)
    out[:, -v:] = np.log1p(today)
