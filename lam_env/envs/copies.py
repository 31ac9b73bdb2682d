"""Copies of environments: a running episode as plain data, and worlds that are lived again."""

from __future__ import annotations

import copy
from array import array
from collections.abc import Iterable
from typing import Any, ClassVar, Self, TypedDict

from lam_env.config.convert import suggestion
from lam_env.core.observation import ObservationRow
from lam_env.core.rng import Streams
from lam_env.envs.moment import Moment
from lam_env.envs.scenario import Scenario, ScenarioError
from lam_env.sim.world import World


class Past(TypedDict):
    """A running episode as plain data: with the scenario's settings it says all that has happened in it."""

    seed: int
    episode: int
    day: int
    actions: list[int]


class Lived:
    """What a running episode was begun with, and what the agent has done in it since."""

    __slots__ = ("actions", "day", "episode", "seed")

    def __init__(self, seed: int, episode: int, day: int, actions: Iterable[int] = ()):
        self.seed, self.episode, self.day, self.actions = seed, episode, day, array("H", actions)

    @classmethod
    def none(cls, seed: int) -> Self:
        """Before the first episode of this seed's people."""
        return cls(seed, -1, 0)

    def next(self, day: int) -> Lived:
        """The beginning of the next episode: other people."""
        return Lived(self.seed, self.episode + 1, day)

    def past(self) -> Past:
        return {"seed": self.seed, "episode": self.episode, "day": self.day, "actions": self.actions.tolist()}

    def world(self, scenario: Scenario, row: ObservationRow, record: bool, reveal: tuple[str, ...]) -> World:
        """The world as it stands after all that."""
        streams = Streams(self.seed, self.episode)
        world = scenario.make_world(streams, row, day=self.day, record=record, reveal=reveal)
        _check_terms(world, scenario)
        for action in self.actions:
            world.step(action)
        return world


def _check_terms(world: World, scenario: Scenario) -> None:
    """ScenarioError unless the world books the scenario's terms by its weights: others are never paid."""
    for name, booked in (("reward_weights", world.reward_totals), ("utility_weights", world.utility_totals)):
        asked, paid = getattr(scenario, name), getattr(world, name)
        for term in sorted(asked.keys() - booked.keys()):
            more = suggestion(term, list(booked), f"there are {', '.join(booked)}")
            raise ScenarioError(f"{name} holds {term!r}, which its world does not book; {more}")
        for term in sorted(booked.keys() - asked.keys()):
            raise ScenarioError(f"{name} lacks {term!r}, which its world books")
        if asked != paid:
            raise ScenarioError(f"{name} is not its world's; let make_world say world.{name} = self.{name}")


class Copied:
    """An environment that `copy.deepcopy`, `pickle` and `branch` copy, each copy going on as the first one would.

    Worlds that are `quick` are copied as they stand, others are lived again from their seed and actions: that is right
    for any world that is a function of both. What was set in it from outside is then lost, such as `World.prob`.
    """

    _place: ClassVar[str]  # the attribute that holds its world or worlds

    def branch(self) -> Self:
        """The same at a fraction of the cost, for "what if"; it shares the observation space."""
        return self.moment().branch()

    def moment(self) -> Moment[Self]:
        """This environment as it stands: several branches of it cost half of what `branch` costs each time."""
        parts = ("observation_space", "single_observation_space", "spec")
        return Moment(self, [vars(self)[name] for name in parts if vars(self).get(name) is not None])

    def _quick(self) -> bool:
        raise NotImplementedError

    def _live_again(self) -> None:
        """Make the worlds anew from what has been lived in them."""
        raise NotImplementedError

    def copy_in(self, quick: bool) -> Self:
        """A copy, made in the quick way or by living again, whatever its worlds say of themselves."""
        other = object.__new__(type(self))
        other.__setstate__(copy.deepcopy(self._state(quick)))
        return other

    def _state(self, quick: bool) -> dict[str, Any]:
        return vars(self) if quick else vars(self) | {self._place: None}

    def __getstate__(self) -> dict[str, Any]:
        return self._state(self._quick())

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        if vars(self)[self._place] is None:
            self._live_again()
