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
NIGHT = BEDTIMES[0]  # from then on play may be late


class Bedtime:
    """The belief; `weights` (POINTS,) are probabilities of `BEDTIMES`."""

    __slots__ = ("_hours", "_shares", "weights")

    def __init__(self) -> None:
        self._believe([1 / POINTS] * POINTS)

    @property
    def mean(self) -> float:
        """[h] of the day on which the night begins."""
        return self._hours[POINTS]

    def begins(self, hour: float) -> None:
        """A session begins."""
        if hour > NIGHT:
            self._see([START if hour > bed else 1.0 for bed in BEDTIMES])

    def chooses(self, hour: float, leaves: bool, usual: float, sleepy: float) -> None:
        """Logs out or plays on, unadvised; `usual`: log-odds of logging out before bedtime, which each hour after it
        raises by `sleepy`."""
        if hour > NIGHT:
            sign = -1 if leaves else 1  # the probability of what was done is 1 / (1 + exp(sign * log-odds of leaving))
            before = 1 / (1 + exp(sign * usual))  # for whoever has not gone past bedtime
            k = bisect_left(BEDTIMES, hour)
            past = [1 / (1 + exp(sign * (usual + sleepy * (hour - bed)))) for bed in BEDTIMES[:k]]
            self._see(past + [before] * (POINTS - k))

    def after(self, hour: float) -> float:
        """[h] after bedtime to be expected, counting 0 before it."""
        k = bisect_left(BEDTIMES, hour)
        return hour * self._shares[k] - self._hours[k]

    def late(self, hour: float, minutes: float) -> float:
        """[min] to be expected after bedtime of the last `minutes` before an hour of the night."""
        return 60 * (self.after(hour) - self.after(hour - minutes / 60)) if hour > NIGHT else 0.0

    def ahead(self, hour: float, minutes: Iterable[float]) -> list[float]:
        """The same of each of these `minutes` after the hour."""
        shares, hours, already = self._shares, self._hours, self.after(hour)
        late = []
        for m in minutes:
            then = hour + m / 60
            k = bisect_left(BEDTIMES, then)
            late.append(60 * (then * shares[k] - hours[k] - already) if k else 0.0)
        return late

    def _see(self, likelihoods: list[float]) -> None:
        weights = [w * x for w, x in zip(self.weights, likelihoods)]  # noqa: B905
        total = sum(weights)
        self._believe([w / total for w in weights])

    def _believe(self, weights: list[float]) -> None:
        """With sums over the earliest bedtimes: of probabilities, and of probabilities times hours."""
        self.weights = weights
        share = hours = 0.0
        self._shares, self._hours = [0.0], [0.0]
        for w, bed in zip(weights, BEDTIMES):  # noqa: B905
            share += w
            hours += w * bed
            self._shares.append(share)
            self._hours.append(hours)
