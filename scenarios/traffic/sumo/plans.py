"""What is handed over to SUMO: who leaves when on which route, on every day of an episode under a policy's advice."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from lam_env.core.contracts import Policy, complete
from lam_env.core.errors import UserError
from lam_env.core.rng import Stream, key_of
from lam_env.envs.single import LamEnv

from ..baselines import Rule
from ..params import TrafficParams
from ..scenario import Traffic
from ..units import DAY, MINUTE
from ..world.diary import Diary
from ..world.world import EVENING, TrafficWorld

Days = Callable[[int], None]  # gets how many days are over


@dataclass(frozen=True, eq=False)
class Plans:
    """A day's n trips."""

    day: int
    share: tuple[float, ...]  # of each link's capacity on this day
    paths: tuple[tuple[int, ...], ...]  # link indices
    departs: np.ndarray  # (n,) [ms after midnight]
    arrives: np.ndarray  # (n,) [ms after midnight], as the kit has it
    wish: np.ndarray  # (n,) wanted arrival [ms after midnight]
    path: np.ndarray  # (n,) a path's number in `paths`, -1 by bus
    # (n,) [min] cost beside time and arrival: waiting, standing, what they have against the bus, a minute for an advice
    other: np.ndarray

    def __post_init__(self) -> None:
        if len({array.shape for array in (self.departs, self.arrives, self.wish, self.path, self.other)}) > 1:
            raise ValueError("plans: give one number of each kind for each trip")

    @classmethod
    def of(cls, world: TrafficWorld, diary: Diary) -> Plans:
        supply, people, who = world.supply, world.people, np.flatnonzero(diary.goes)
        midnight, ways = diary.day * DAY, len(supply.ways)
        bus = diary.by_bus[who]
        # who never arrived is counted until the evening, as in the world
        arrives = np.where(np.isfinite(diary.arrives), diary.arrives, midnight + EVENING)
        return cls(
            day=diary.day,
            share=diary.share,
            paths=tuple(path for routes in supply.paths for path in routes),
            departs=diary.departs[who] - midnight,
            arrives=arrives[who] - midnight,
            wish=diary.reference - midnight + diary.arrive[who] * MINUTE,
            path=np.where(bus, -1, people.pair[who] * ways + supply.way[diary.chosen[who]]),
            other=diary.extra[who] + np.where(bus, people.dislikes_bus[who], 0.0) + (diary.advice[who] > 0),
        )

    @property
    def drives(self) -> np.ndarray:
        """(n,) bool"""
        return np.asarray(self.path >= 0)

    def minutes(self, arrives: np.ndarray) -> np.ndarray:
        """(n,) travel times [min], for arrivals [ms]."""
        return np.asarray((arrives - self.departs) / MINUTE)

    def cost(self, params: TrafficParams, arrives: np.ndarray) -> np.ndarray:
        """(n,) generalised cost [min], with a minute for an advice shown, for arrivals [ms]."""
        late = (arrives - self.wish) / MINUTE
        cost = params.alpha * self.minutes(arrives) + self.other
        return np.asarray(cost + np.maximum(params.gamma * late, -params.beta * late))


class NoAdvice(Rule):
    """Advises nothing."""

    def advise(self, observation: Any) -> np.ndarray:
        return np.zeros(len(observation["epoch"]), np.int64)


class Anything(Rule):
    """Advises something possible or nothing, at random."""

    def __init__(self) -> None:
        self.stream, self.count = Stream(key_of(0, "random advice")), 0

    def advise(self, observation: Any) -> np.ndarray:
        mask = observation["action_mask"]
        draws = self.stream.block(self.count, mask.size).reshape(mask.shape)
        self.count += mask.size
        return np.where(mask > 0, draws, -1.0).argmax(1)


def days_of(scenario: Traffic, policy: Policy, seed: int, over: Days = lambda days: None) -> list[Plans]:
    """The plans of every day of the episode in the world of this seed."""
    env = LamEnv(scenario, reveal=complete(policy).reveal, record=True)
    observation, _ = env.reset(seed=seed)
    world = cast(TrafficWorld, env.world)
    diaries = world.diaries = deque(d for d in world.diaries if d.day >= world.first_day)  # and all that follow
    state: Any = None
    start, done, known = np.ones(1, bool), False, -1
    while not done:
        one = {name: array[None] for name, array in observation.items()}
        actions, state = policy.predict(one, state, start, True)
        start = np.zeros(1, bool)
        observation, _, _, done, _ = env.step(int(actions[0]))
        if len(diaries) > known:
            known = len(diaries)
            over(known)
    if len(diaries) < scenario.params.days:  # a world keeps two, and runs to its first question by itself
        raise UserError(f"seed {seed}: days went by before anybody could be advised; take more world.travellers")
    return [Plans.of(world, diary) for diary in diaries]
