"""A survey after a session, which some players answer: how absorbing it was, and how satisfied they are.

An answer is the share of a few moments, recalled at random, that were so: binomial, so its mean is the truth, as in
experience sampling (Csikszentmihalyi and Larson 1987, Validity and reliability of the experience-sampling method).
Whether a player answers is a matter of chance alone, which nobody can raise. So an answer less what was paid, over the
probability of an answer, makes up in the mean for what is paid wrongly without it: a control variate.
"""

from __future__ import annotations

MOMENTS = 10  # recalled: an assumption
USUAL = 0.5  # satisfaction that `return` is paid for, where nobody answers


def recalled(share: float, u: float) -> float:
    """Share of `MOMENTS` moments that were so, where `share` of all are; u: a uniform draw."""
    if share >= 1:
        return 1.0
    odds, k = share / (1 - share), 0
    chance: float = (1 - share) ** MOMENTS
    while u >= chance and k < MOMENTS:
        u -= chance
        chance *= odds * (MOMENTS - k) / (k + 1)
        k += 1
    return k / MOMENTS


class Session:
    """A session as a survey asks about it: minutes, those times flow, those that count, and those times the flow that
    has been paid for."""

    __slots__ = ("counted", "flow", "minutes", "paid")

    def __init__(self) -> None:
        self.minutes = self.flow = self.counted = self.paid = 0.0

    def add(self, minutes: float, flow: float, counted: float, likely: float) -> None:
        """A play of so many minutes [min] and such flow [0, 1]; `likely`: the flow that is paid for."""
        self.minutes += minutes
        self.flow += minutes * flow
        self.counted += counted
        self.paid += counted * likely

    def share(self) -> float:
        """Of its time in flow [0, 1]."""
        return self.flow / self.minutes if self.minutes else 0.0

    def owed(self, answer: float) -> float:
        """[min] of flow that an answer tells of, beyond what has been paid."""
        return answer * self.counted - self.paid
