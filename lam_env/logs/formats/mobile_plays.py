"""Plays of a casual mobile game: CSV with the columns player, score >= 0 and time [s since 1970], gzipped or not.

That is the form of "game 1" of Kim et al., PLoS ONE 12(7): e0180735 (2017). A player is a stream (`world`); players
stand in the order of their numbers, and plays in order of time whatever the file's. Actions: PLAY_<s> is a play whose
score (its `value`) lies in [s, next bound); GAP_<length> is logged just before a play that comes more than 30 minutes
after the last one; CHURN ends the stream of a player who has been silent for the last 30 days of the log, gaps of
the whole log aside. Clocks are UTC unless `zone` says where the players are.
"""

from __future__ import annotations

import dataclasses
import datetime
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lam_env.core.events import ActionLog, LogError
from lam_env.core.units import DAY, HOUR
from lam_env.logs.coverage import EMPTY, days_of_many, says_nothing, sound_rows
from lam_env.logs.input.csv_files import read_table
from lam_env.logs.input.records import existing
from lam_env.logs.local_time import EPOCH, LAST, LEAST_NUMBER, SECOND, UNIVERSAL, Clocks, check_no_dates, local_times
from lam_env.logs.play.sessions import BREAK
from lam_env.logs.streams import RecordedStream, log_of_streams
from lam_env.logs.tables import MAX_VALUE

NEEDED = ("player", "score", "time")
SCORES = (0, 10, 50, 100, 200, 500, 1000)
GAPS = (("GAP_6h", 6), ("GAP_24h", 24), ("GAP_3d", 72), ("GAP_14d", 336), ("GAP_long", math.inf))  # [h], up to
SILENT = 30 * DAY  # [s] before the log's end


def load(path: str, *, zone: str | None = None) -> tuple[ActionLog, dict[str, int]]:
    """A file of plays -> its log (one tick = 1 s) and the number of lines left out, by reason."""
    file = existing(path)
    left_out: Counter[str] = Counter()
    rows = list(_rows(file, left_out))
    if not rows:
        raise LogError(f"{file.name}: holds no play; it needs lines of {','.join(NEEDED)}")
    player, score, seconds = (np.array(column) for column in zip(*rows, strict=True))
    keep, reasons = sound_rows([seconds], player, score, seconds)
    player, score, seconds = player[keep], score[keep], seconds[keep]
    order = np.lexsort((seconds, player))
    player, score, seconds = player[order], score[order], seconds[order]
    clocks = Clocks(seconds * SECOND, np.full(len(seconds), UNIVERSAL))
    check_no_dates(seconds, lambda _: file.name)
    local = local_times(clocks, zone or "UTC", lambda _: file.name)
    wall = local.wall // SECOND
    bounds = np.flatnonzero(np.r_[True, player[1:] != player[:-1], True])
    if np.diff(bounds).max() < 2:
        raise LogError(
            f"{file.name}: one play a player (of {len(bounds) - 1}): nothing to estimate sessions from, "
            "and no next play to predict; give a log of at least 2 players who come back, 30 returns in all"
        )
    silent = days_of_many(seconds).between(seconds[bounds[1:] - 1], seconds.max())
    streams = [
        _stream(seconds[a:b], wall[a:b], score[a:b], bool(left))
        for a, b, left in zip(bounds[:-1], bounds[1:], silent >= SILENT, strict=True)
    ]
    log = log_of_streams(streams, file.name, word="PLAY_", least=5, zone=local.zone)
    return dataclasses.replace(log, end=(int(log.time.max()),) * len(streams)), dict(left_out + reasons)


FORMATS = {"mobile_plays": load}


def _rows(path: Path, left_out: Counter[str]) -> Iterator[tuple[int, float, int]]:
    """(player, score, time) of each line."""
    for number, cells in read_table(path, left_out, ",".join(NEEDED), _check_columns):
        if not cells["player"]:
            left_out["line(s) without a player"] += 1
        elif any(says_nothing(cells[name]) for name in NEEDED):
            left_out[EMPTY] += 1
        else:
            yield _play(f"{path.name}, line {number}", *(cells[name] for name in NEEDED))


def _check_columns(where: str, names: list[str]) -> None:
    if missing := [name for name in NEEDED if name not in names]:
        raise LogError(f"{where}: no column {', '.join(missing)}; it needs {','.join(NEEDED)}")


def _play(where: str, player: str, score: str, time: str) -> tuple[int, float, int]:
    try:
        who, points, when = int(player), float(score), float(time)
    except (ValueError, OverflowError):
        cells = f"{player[:20]!r}, {score[:20]!r}, {time[:20]!r}"
        raise LogError(f"{where}: player, score and time must be numbers, not {cells}; correct the line") from None
    if not -(2**62) < who < 2**62:
        raise LogError(f"{where}: player {player[:20]!r} is no number of a player; correct the line")
    if not 0 <= points <= MAX_VALUE:
        raise LogError(f"{where}: a score of {points:g}; it must be a number from 0 on")
    if not LEAST_NUMBER <= when < LAST:
        raise LogError(f"{where}: time {time[:20]!r} is not in seconds since 1970, from 1990 to 2100; correct the line")
    return who, points, int(when)


def _stream(time: np.ndarray, wall: np.ndarray, score: np.ndarray, left: bool) -> RecordedStream:
    """The plays of one player at `time` [s since 1970], `wall` on their clock, with what lies between them; `left`: and
    for good."""
    rows: list[tuple[str, int, float]] = []
    hours = np.diff(time, prepend=time[:1]) / HOUR
    kinds = np.searchsorted(SCORES, score, side="right") - 1
    for when, points, kind, gap in zip(wall.tolist(), score.tolist(), kinds.tolist(), hours.tolist(), strict=True):
        if gap * 60 > BREAK:
            rows.append((next(name for name, most in GAPS if gap <= most), when, math.nan))
        rows.append((f"PLAY_{SCORES[kind]}", when, points))
    if left:
        rows.append(("CHURN", int(wall[-1]), math.nan))
    names, at, value = zip(*rows, strict=True)
    began = EPOCH + datetime.timedelta(seconds=int(wall[0]))
    return RecordedStream(began, np.array(at) - int(wall[0]), names, np.array(value))
