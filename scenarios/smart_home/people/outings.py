"""The life of somebody of whom it is known when they are out: what they do at home is a persona's."""

from __future__ import annotations

from collections.abc import Iterator

from lam_env.core.behaviour_tables import BehaviourTables
from lam_env.core.rng import Streams
from lam_env.core.shared import Shared
from lam_env.core.units import DAY
from lam_env.sim.routine import Act, Routine

from .personas import persona

OUT, INSTEAD = "out", "relax"  # the act of all other places; what a persona who would be out does at home
BEFORE = 2 * DAY  # [s] that stays are lived before the world begins: somebody may be out then
FIRST, TURNS = 96, 32  # of the ordinals of outings: those of acts at home are lower


def routine_of(tables: BehaviourTables, name: str, streams: Streams, actor: str) -> Routine | Stays:
    """How a resident lives. `tables` of stays do not say what is done at home: then that is the persona's, `name`."""
    if not tables.home:
        return Routine(tables, streams, actor)
    own, _ = persona(name, streams(actor, "persona"))
    return Stays(Routine(own, streams, actor), Routine(tables, streams, f"{actor}'s stays"))


class Stays(Shared):
    """The acts of somebody whose `stays` are known; `tables`: of what is done at home."""

    def __init__(self, at_home: Routine, stays: Routine):
        self.at_home, self.stays, self.tables = at_home, stays, at_home.tables

    def acts(self, start: int) -> Iterator[Act]:
        """Endless and without holes from `start` [s]."""
        return Outings(self.at_home, self.stays, start)


class Outings:
    """Acts without holes from `start` [s]: those of `at_home` while `stays` have the person at home, else OUT."""

    __slots__ = ("_act", "_acts", "_home", "_instead", "_out", "_stay", "_stays", "_t")

    def __init__(self, at_home: Routine, stays: Routine, start: int):
        self._home = stays.tables.activities.index(stays.tables.home)
        self._out, self._instead = (at_home.tables.activities.index(name) for name in (OUT, INSTEAD))
        self._acts, self._stays = at_home.acts(start), stays.acts(max(0, start - BEFORE), asleep=False)
        self._t, self._act, self._stay = start, next(self._acts), next(self._stays)

    def __iter__(self) -> Iterator[Act]:
        return self

    def __next__(self) -> Act:
        t = self._t
        while self._stay.end <= t:
            self._stay = next(self._stays)
        stay = self._stay
        if stay.activity != self._home:  # at another place, or on the way
            self._t = stay.end
            return Act(t, stay.end, self._out, FIRST + stay.ordinal % TURNS, stay.day)
        while self._act.end <= t:
            self._act = next(self._acts)
        act = self._act
        self._t = end = min(act.end, stay.end)
        return Act(t, end, self._instead if act.activity == self._out else act.activity, act.ordinal, act.day)
