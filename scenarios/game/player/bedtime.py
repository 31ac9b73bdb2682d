"""When a player goes to bed, as starts of sessions, play and logging out at night tell it; the true bedtime is hidden.

A belief over a few bedtimes, equally likely at first, moved by Bayes' rule at night: by sessions that begin, which few
do after bedtime, and by choices to play on or to log out. A choice that was advised tells nothing of it, so no advice
can move it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from math import exp
from statistics import NormalDist

from .traits import BED, BED_SPREAD

POINTS = 7
MORNING = 5.0  # [h] of the day, at which a night is over
START = 0.15  # what a session that begins after bedtime is as likely as before it: an estimate of `calendar.UP_LATE`
# equal slices of the bedtimes of all players; hours go on after midnight: 24.5 is half past
BEDTIMES = [BED + BED_SPREAD * NormalDist().inv_cdf((i + 0.5) / POINTS) for i in range(POINTS)]
_MINUTES = [60 * bed for bed in BEDTIMES]
NIGHT = BEDTIMES[0]  # from then on play may be late


class Bedtime:
    """The belief; `weights` (POINTS,) are probabilities of `BEDTIMES`."""

    __slots__ = ("_shares", "_sums", "weights")

    def __init__(self) -> None:
        self._believe([1 / POINTS] * POINTS)

    @property
    def mean(self) -> float:
        """[h] of the day on which the night begins."""
        return self._sums[POINTS] / 60

    def begins(self, hour: float) -> None:
        """A session begins."""
        if hour > NIGHT:
            self._see([START if hour > bed else 1.0 for bed in BEDTIMES])

    def chooses(self, hour: float, leaves: bool, usual: float, sleepy: float) -> None:
        """Logs out or plays on, unadvised; `usual`: log-odds of logging out before bedtime, which each hour after it
        raises by `sleepy`."""
        k = bisect_left(BEDTIMES, hour)
        if not k:
            return
        sign = -1 if leaves else 1  # the probability of what was done is 1 / (1 + exp(sign * log-odds of leaving))
        before = 1 / (1 + exp(sign * usual))
        past = [1 / (1 + exp(sign * (usual + sleepy * (hour - bed)))) for bed in BEDTIMES[:k]]
        self._see(past + [before] * (POINTS - k))

    def late(self, hour: float, minutes: float) -> float:
        """[min] to be expected after bedtime of the last `minutes` before an hour of the night."""
        end = 60 * hour
        return self._after(end) - self._after(end - minutes)

    def ahead(self, hour: float, minutes: Iterable[float]) -> list[float]:
        """The same of each of these `minutes` after the hour."""
        shares, sums, now = self._shares, self._sums, 60 * hour
        already = self._after(now)
        return [(end := now + m) * shares[k := bisect_left(_MINUTES, end)] - sums[k] - already for m in minutes]

    def _after(self, time: float) -> float:
        """[min] to be expected from bedtime to a time [min], counting 0 before it."""
        k = bisect_left(_MINUTES, time)
        return time * self._shares[k] - self._sums[k]

    def _see(self, likelihoods: list[float]) -> None:
        weights = [w * x for w, x in zip(self.weights, likelihoods)]  # noqa: B905
        total = sum(weights)
        self._believe([w / total for w in weights])

    def _believe(self, weights: list[float]) -> None:
        """With sums over the earliest bedtimes: of probabilities, and of probabilities times minutes."""
        self.weights = weights
        share = total = 0.0
        shares, sums = [0.0], [0.0]
        for w, bed in zip(weights, _MINUTES):  # noqa: B905
            share += w
            total += w * bed
            shares.append(share)
            sums.append(total)
        self._shares, self._sums = shares, sums
