"""Policies that know what traffic is: the usual, yesterday's fastest, and oracles. All see one traveller at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from lam_env.core.contracts import Policy, Prediction, PredictionCeiling
from lam_env.core.units import DAY
from lam_env.logs.decision_points import DecisionPoints

from .hidden import INTERRUPTION
from .params import TrafficParams
from .roads.supply import Supply
from .words import ARRIVE, USUAL, vocabulary

Predicted = tuple[np.ndarray, Any]


class Rule:
    """A policy that remembers nothing."""

    def advise(self, observation: Any) -> np.ndarray:
        """(N,) actions."""
        raise NotImplementedError

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = True
    ) -> Predicted:
        return self.advise(observation), state


class Known(Rule):
    """A rule that knows the region's options and the settings, and the readings by name. `n`: options."""

    def __init__(self, supply: Supply, params: TrafficParams):
        self.supply, self.params, self.n = supply, params, len(supply.names)
        readings = vocabulary(supply.names)[0].readings
        kinds = ("time", "cost", "own", "external")
        self._first = {kind: readings.index(f"{kind}.{supply.names[0]}") for kind in kinds}
        self._usual, self._arrive = readings.index(USUAL), readings.index(ARRIVE)

    def of(self, observation: Any, kind: str) -> np.ndarray:
        """(N, O) readings `kind.<option>`."""
        return np.asarray(observation["context"][:, self._first[kind] : self._first[kind] + self.n])

    def usual(self, observation: Any) -> np.ndarray:
        """(N,) the action that is the traveller's usual option."""
        return np.asarray(observation["context"][:, self._usual], np.int64)

    def cost(self, observation: Any, time: np.ndarray) -> np.ndarray:
        """(N, O) cost of time and of being early or late [min], by times (N, O) or (O,) [min]."""
        p = self.params
        lag = self.supply.shift[self.supply.slot] + time - observation["context"][:, [self._arrive]]
        return np.asarray(p.alpha * time + np.maximum(p.gamma * lag, -p.beta * lag))


def best_trip(value: np.ndarray, mask: np.ndarray, least: float = 0.0) -> np.ndarray:
    """(N,) the possible action of greatest value, options (N, O); none where no value is above `least`."""
    value = np.where(mask[:, 1:] > 0, value, -np.inf)
    return np.where(value.max(1) > least, value.argmax(1) + 1, 0)


class Habit(Known):
    """Advises what the traveller always does: useless, and a test that being followed is not being useful."""

    def advise(self, observation: Any) -> np.ndarray:
        usual, mask = self.usual(observation), observation["action_mask"]
        return np.where(mask[np.arange(len(usual)), usual] > 0, usual, 0)


class Fastest(Known):
    """Advises everybody what was best for them by yesterday's times. Where many follow, all meet there."""

    def advise(self, observation: Any) -> np.ndarray:
        cost = self.cost(observation, self.of(observation, "time"))
        return best_trip(-cost, observation["action_mask"], -np.inf)


class TripChances:
    """The ceiling of prediction: the generator's own chances, exact, of what the traveller will do without advice."""

    def __init__(self, supply: Supply):
        self.vocabulary, self.n = vocabulary(supply.names)[0], len(supply.names)

    def read(self, points: DecisionPoints) -> Prediction:
        p = np.zeros((len(points), self.n + 1))
        p[:, 1:] = points.context[:, : self.n]
        return Prediction(p / p.sum(1, keepdims=True))


class TrafficOracle(Rule):
    """Greedy on the hidden plan: to each in turn what is worth most to all, knowing what the traveller is about to do
    and how likely they follow, and what everybody else has decided or will decide without advice. `least` [min] it must
    be worth, since advice wears out trust; `selfish`: worth to the traveller alone.

    It does not look ahead to what trust, habits and others' answers will be: a mark, what myopic advice can win, and
    not proved to be the best.
    """

    reveal = ("plan",)

    def __init__(self, least: float = 2.0, selfish: bool = False):
        self.least, self.selfish = least, selfish

    def advise(self, observation: Any) -> np.ndarray:
        plan, mask = observation["plan"], observation["action_mask"]
        a = mask.shape[1]
        return best_trip(plan[:, a + 1 :] if self.selfish else plan[:, 1:a], mask, self.least)


class KnownAnswers(Known):
    """Greedy on published savings, told how likely this traveller follows each advice: what a perfect memory of answers
    would be worth. It takes for granted that the usual is what they are about to do."""

    reveal = ("latent",)

    def advise(self, observation: Any) -> np.ndarray:
        chance = observation["latent"][:, self.n : 2 * self.n]
        worth = self.of(observation, "own") + self.of(observation, "external")
        return best_trip(chance * worth - INTERRUPTION, observation["action_mask"])


class OracleBatch(Known):
    """Decides the whole day by what is known at midnight: true chances of doing and of following, published savings;
    not what others are advised today."""

    reveal = ("latent",)
    least = 1.0  # [min] that an advice must be worth

    def advise(self, observation: Any) -> np.ndarray:
        n = self.n
        p, chance = observation["latent"][:, :n], observation["latent"][:, n : 2 * n]
        worth = self.of(observation, "own") + self.of(observation, "external")
        gain = worth - (p * worth).sum(1, keepdims=True)
        return best_trip((1 - p) * chance * gain - INTERRUPTION, observation["action_mask"], self.least)


class OracleOptimum(Known):
    """System-optimal shares of the day: what the roads and buses carry without a queue is given out, to each in turn
    the cheapest that is left on empty roads; nothing is said to those in nobody's way. It knows capacities and nobody's
    mind; at full compliance it shows what staggering is worth.
    """

    def __init__(self, supply: Supply, params: TrafficParams):
        super().__init__(supply, params)
        self.quota = shares(supply, params) * params.advised
        self.time = supply.free.mean(0)[supply.way]

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = True
    ) -> Predicted:
        n = len(observation["epoch"])
        day = observation["epoch"][:, 0] // DAY
        counts, when = state if state is not None else (np.zeros((n, self.n)), np.full(n, -1))
        counts = np.where((day != when)[:, None], 0.0, counts)  # who was advised what today
        value = np.where(counts < self.quota, -self.cost(observation, self.time), -np.inf)
        chosen = best_trip(value, observation["action_mask"], -np.inf)
        rows = np.flatnonzero(chosen)
        counts[rows, chosen[rows] - 1] += 1
        worth = self.of(observation, "own") + self.of(observation, "external")
        helps = worth[np.arange(n), np.maximum(chosen - 1, 0)] > 2 * INTERRUPTION  # the usual option is worth 0
        return np.where(helps, chosen, 0), (counts, day)


def shares(supply: Supply, params: TrafficParams) -> np.ndarray:
    """(O,) travellers whom each option can carry without a queue: of a way the capacity of its tightest link in the
    length of a slot, of a bus its seats."""
    if supply.model == "bpr":  # no capacity is one of a queue: equal shares
        return np.full(len(supply.names), params.travellers / len(supply.names) + 1)
    capacity = supply.network.capacity
    carried = []
    for way in range(len(supply.ways)):
        if supply.is_bus[way]:
            carried.append(params.room * params.slot / params.headway)
        else:
            hourly = sum(min(capacity[list(paths[way])]) for paths in supply.paths)
            carried.append(hourly * params.slot / 60)
    return np.asarray(np.array(carried)[supply.way])


def informed(supply: Supply) -> PredictionCeiling:
    """It reads the hidden state in the place of the context."""
    return PredictionCeiling(TripChances(supply), lambda points, latent: dataclasses.replace(points, context=latent))


Make = Callable[[Supply, TrafficParams], Policy]
BASELINES: dict[str, Make] = {
    "habit": Habit,
    "fastest": Fastest,
    "known": KnownAnswers,
    "oracle_so": OracleOptimum,
    "oracle_batch": OracleBatch,
    "oracle": lambda supply, params: TrafficOracle(),
}
