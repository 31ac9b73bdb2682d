"""A simulated person as data, and what drives their life on SimPy's clock."""

from __future__ import annotations

from collections.abc import Generator
from operator import index
from typing import Any

from lam_env.core.errors import UserError
from lam_env.sim.schedule import Call, Schedule

ASKED = -1  # yielded by who waits for the agent's word
MOST_TURNS = 100_000  # that a person may take at one instant
Habits = Generator[int, int, None]  # yields times [ticks] or ASKED; what comes back is the agent's word


class User:
    """One person, or several who live in step. Subclasses give `behave`, their life.

    `behave` yields the time until which nothing happens to the person, or ASKED once the world has asked them. To be
    copied with its world in the quick way it keeps its place in fields and nothing in variables of its own across a
    yield: begun anew it must come to the yield at which it stood, and change nothing on the way. A person who does
    otherwise is right too, in a world that is not `quick`; so is an ordinary process of SimPy, by `world.env.process`.
    """

    __slots__ = ("index",)

    def __init__(self, index: int):
        self.index = index  # of the world's persons; events carry it

    def behave(self, world: Any) -> Habits:
        """The person's life in `world`: yields ticks until which nothing happens, or ASKED."""
        raise NotImplementedError(f"{type(self).__name__}.behave is missing: yield times until which nothing happens")


class Course:
    """Goes on with a person's `behave` when the time has come that it yielded, or with the agent's word.

    A generator cannot be copied. A copied course has none, and begins it anew where the person stands.
    """

    __slots__ = ("_env", "_habits", "_instant", "_turns", "_waits", "person", "world")

    def __init__(self, env: Schedule, person: User, world: Any):
        self._env, self.person, self.world = env, person, world
        self._habits: Habits | None = None
        self._waits = False  # for the agent's word
        self._instant = self._turns = 0  # how often `now` has been yielded at this one

    def __getstate__(self) -> tuple[None, dict[str, object]]:
        kept = {name: getattr(self, name) for name in ("_env", "person", "world", "_waits", "_instant", "_turns")}
        return None, kept | {"_habits": None}

    def begin(self, _: object = None) -> None:
        """By an event of the world, not while it is made: what a person plans must not be seen before."""
        self._habits = self.person.behave(self.world)
        if not isinstance(self._habits, Generator):
            raise UserError(f"{self._name}: `behave` is no generator: it has to yield times, or ASKED")
        self._go_on(None)  # type: ignore[arg-type]  # is what begins a generator

    def hear(self, word: int) -> None:
        """The agent's word (0: none) to a person who waits for it; UserError: they do not."""
        if not self._waits:
            raise UserError(f"{self._name} was asked, but waits for no answer: `behave` has to yield ASKED then")
        self._go_on(word)

    def _go_on(self, word: int) -> None:
        habits = self._habits
        if habits is None:  # of a copied world
            habits = self._habits = self.person.behave(self.world)
            next(habits)
        try:
            until: object = habits.send(word)
        except StopIteration:
            self._waits = False
            return
        self._waits = until == ASKED
        if self._waits:
            if not self.world.asked:
                raise UserError(f"{self._name}: `behave` yields ASKED and nobody was asked: call world.ask before")
            return
        time = until if isinstance(until, int) else self._whole(until)
        if time <= self._env.now:
            self._check(time, self._env.now)
        self._env.put(time, Call(self._go_on, 0))

    def _check(self, time: int, now: int) -> None:
        """UserError where a time that is not after now would stop the world."""
        if time < now:
            when = f"{time}, which is before now, {now}; yield the time itself, such as world.now + {time}"
            raise UserError(f"{self._name}: `behave` yields {when}")
        self._turns = self._turns + 1 if now == self._instant else 1
        self._instant = now
        if self._turns > MOST_TURNS:
            often = f"the time that it is, {now}, more than {MOST_TURNS:,} times; yield a later one"
            raise UserError(f"{self._name}: `behave` yields {often}, such as world.now + 1")

    def _whole(self, until: object) -> int:
        try:
            return index(until)  # type: ignore[arg-type]
        except TypeError:
            what = "times in whole ticks, or ASKED; a process of SimPy begins by world.env.process"
            raise UserError(f"{self._name}: `behave` yields {until!r}, but has to yield {what}") from None

    @property
    def _name(self) -> str:
        return f"{type(self.person).__name__} {self.person.index}"
