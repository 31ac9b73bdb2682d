"""When players play: plays cut into sessions, and the statistics of sessions, gaps and returns. Pure functions.

A session ends where the next play begins more than `BREAK` minutes after the last one ended, or never. Definitions of
retention as usual in the industry: day d is the d-th 24 hours after a player's first play.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lam_env.core.events import USER, ActionLog, LogError
from lam_env.core.units import DAY, HOUR

BREAK = 30.0  # [min]
INDICES = (1, 2, 3, 5, 10, 20, 40)  # plays of a session after which the hazard is read
QUANTILES = (0.25, 0.5, 0.75, 0.9)
RETURNS = (1, 7, 30)  # [days]
NO_PLAYS = ("GAP_", "CHURN", "log_out")  # actions beginning so are no plays


@dataclass(frozen=True)
class Plays:
    """player (n,) int64, whole numbers in rising order; time (n,) int64 [s], rising within a player; length (n,)
    float64 [s] of each play (0 where the log does not tell); end [s]: when watching stopped."""

    player: np.ndarray
    time: np.ndarray
    length: np.ndarray
    end: int

    def __post_init__(self) -> None:
        if not len(self.player) or not len(self.player) == len(self.time) == len(self.length):
            raise LogError("plays: there are none, or the columns differ in length; give a log of plays")
        same = np.diff(self.player) == 0
        if (np.diff(self.player) < 0).any() or (np.diff(self.time)[same] < 0).any():
            raise LogError("plays: not in order of player and time; sort them")

    @property
    def first(self) -> np.ndarray:
        """Row of the first play of each player (players,)."""
        return np.flatnonzero(np.r_[True, np.diff(self.player) != 0])

    @property
    def counts(self) -> np.ndarray:
        """Plays of each player (players,)."""
        return np.diff(np.r_[self.first, len(self.player)])


@dataclass(frozen=True)
class Sessions:
    """player (s,); start (s,) [s]; plays (s,): how many; number (s,): the how manieth of its player, from 1; gap (s,)
    float64 [h] from its end to the player's next play, NaN where there is none."""

    player: np.ndarray
    start: np.ndarray
    plays: np.ndarray
    number: np.ndarray
    gap: np.ndarray
    last: np.ndarray  # (s,) [s] start of the last play


def plays_of(log: ActionLog) -> Plays:
    """The plays in a log: users' actions, less those that tell of absence (`NO_PLAYS`). Each stream is a player."""
    is_play = np.array([not name.startswith(NO_PLAYS) for name in log.vocabulary.actions])
    is_play[0] = False
    mine = log.kind == USER
    mine[mine] &= is_play[log.token[mine]]
    if not mine.any():
        raise LogError("plays: the log holds none; give a log of plays")
    player = log.world[mine].astype(np.int64)
    if log.people:
        player = player * log.people + log.user[mine]
    order = np.argsort(player, kind="stable")
    time = log.time[mine] // log.ticks_per_second
    length = np.nan_to_num(log.value[mine].astype(np.float64)) / log.ticks_per_second * log.intervals
    end = max(int(time.max()), *(int(e) // log.ticks_per_second for e in log.end or (0,)))
    return Plays(player[order], time[order], length[order], end)


def sessions_of(plays: Plays, minutes: float = BREAK) -> Sessions:
    """The sessions of all players, in order of player and time."""
    wait = np.r_[np.inf, plays.time[1:] - plays.time[:-1] - plays.length[:-1]]  # [s]
    new = np.r_[True, np.diff(plays.player) != 0]
    begins = np.flatnonzero(new | (wait > minutes * 60))
    player = plays.player[begins]
    fresh = new[begins]
    gap = np.where(np.r_[fresh[1:], True], np.nan, np.r_[wait[begins][1:], np.nan] / HOUR)
    number = np.arange(len(begins)) - np.maximum.accumulate(np.where(fresh, np.arange(len(begins)), 0)) + 1
    ends = np.r_[begins[1:], len(plays.time)]
    return Sessions(player, plays.time[begins], ends - begins, number, gap, plays.time[ends - 1])


def hazard(per_session: np.ndarray, indices: tuple[int, ...] = INDICES) -> np.ndarray:
    """(len(indices),) P(a session ends with its n-th play | it has one), of plays (s,); NaN where none is so long."""
    sizes = np.bincount(per_session, minlength=max(indices) + 1)
    reach = np.cumsum(sizes[::-1])[::-1]
    return np.array([sizes[n] / reach[n] if reach[n] else math.nan for n in indices])


def gap_quantiles(sessions: Sessions, shares: tuple[float, ...] = QUANTILES) -> np.ndarray:
    """(len(shares),) [h] of the gaps between sessions; NaN where nobody came back."""
    gaps = sessions.gap[~np.isnan(sessions.gap)]
    return np.quantile(gaps, shares) if len(gaps) else np.full(len(shares), math.nan)


def returned_by(plays: Plays, days: tuple[int, ...] = RETURNS) -> np.ndarray:
    """(len(days),) share of players seen on or after day d, of those whom the log could show so long; NaN: none."""
    first = plays.time[plays.first]
    stay = (plays.time[np.r_[plays.first[1:], len(plays.time)] - 1] - first) // DAY
    could = [plays.end - first >= d * DAY for d in days]
    return np.array([float((stay[c] >= d).mean()) if c.any() else math.nan for d, c in zip(days, could, strict=True)])


def retention(plays: Plays, days: tuple[int, ...] = RETURNS) -> np.ndarray:
    """(len(days),) share of players seen on day d itself: D1, D7, D30."""
    day = (plays.time - np.repeat(plays.time[plays.first], plays.counts)) // DAY
    return np.array([len(np.unique(plays.player[day == d])) / len(plays.first) for d in days])


def top_share(counts: np.ndarray, share: float = 0.1) -> float:
    """Share of all plays that the most active `share` of players made; `counts`: plays of each player (players,)."""
    counts = np.sort(counts)[::-1]
    return float(counts[: max(1, round(share * len(counts)))].sum() / max(1, counts.sum()))


def play_statistics(plays: Plays, minutes: float = BREAK) -> dict[str, tuple[float, ...]]:
    """What the fidelity report compares, by name."""
    cut = sessions_of(plays, minutes)
    statistics = {
        "plays_per_session": np.quantile(cut.plays, (0.5, 0.9, 0.95)),
        "hazard": hazard(cut.plays),
        "gap_hours": gap_quantiles(cut),
        "next_day": [_share(cut.gap, 20, 28)],
        "returned_by": returned_by(plays),
        "retention": retention(plays),
        "top_share": [top_share(plays.counts)],
        "one_session": [float((np.bincount(np.unique(cut.player, return_inverse=True)[1]) == 1).mean())],
    }
    return {name: tuple(float(x) for x in values) for name, values in statistics.items()}


def _share(gap: np.ndarray, low: float, high: float) -> float:
    gap = gap[~np.isnan(gap)]
    return float(((gap >= low) & (gap < high)).mean()) if len(gap) else math.nan


def check_usable(plays: Plays, what: str = "plays") -> None:
    """LogError where nothing can be learnt of sessions or returns."""
    if len(plays.first) < 2:
        raise LogError(f"{what}: a single player; sessions and returns differ by player: give a log of several")
    if plays.counts.max() < 2:
        raise LogError(
            f"{what}: one play a player: nothing to estimate sessions and gaps from; give a log with several plays"
        )
