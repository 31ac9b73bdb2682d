"""Policies that know what traffic is: the usual, yesterday's fastest, and oracles. All see one traveller at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from lam_env.core.contracts import Policy, Prediction
from lam_env.core.units import DAY
from lam_env.logs.decision_points import DecisionPoints

from .hidden import INTERRUPTION
from .params import TrafficParams
from .roads.supply import Supply
from .words import ARRIVE, USUAL, vocabulary

Predicted = tuple[np.ndarray, Any]


class TripReader:
    """The readings of a batch of observations, by name. `n`: options."""

    def __init__(self, supply: Supply):
        self.n = len(supply.names)
        readings = vocabulary(supply.names)[0].readings
        first = supply.names[0]
        self.first = {kind: readings.index(f"{kind}.{first}") for kind in ("time", "cost", "own", "external")}
        self.usual_at, self.arrive_at = readings.index(USUAL), readings.index(ARRIVE)

    def of(self, observation: Any, kind: str) -> np.ndarray:
        """(N, O) readings `kind.<option>`."""
        found: np.ndarray = observation["context"][:, self.first[kind] : self.first[kind] + self.n]
        return found

    def usual(self, observation: Any) -> np.ndarray:
        """(N,) the action that is her usual option."""
        found: np.ndarray = observation["context"][:, self.usual_at].astype(np.int64)
        return found


class Known:
    """What a rule knows: the region's options and the settings."""

    def __init__(self, supply: Supply, params: TrafficParams):
        self.supply, self.params, self.reading = supply, params, TripReader(supply)


def best_trip(value: np.ndarray, mask: np.ndarray, least: float = 0.0) -> np.ndarray:
    """(N,) the possible action of greatest value, options (N, O); none where no value is above `least`."""
    value = np.where(mask[:, 1:] > 0, value, -np.inf)
    chosen: np.ndarray = np.where(value.max(1) > least, value.argmax(1) + 1, 0)
    return chosen


class Habit(Known):
    """Advises what she always does: useless, and a test that being followed is not being useful."""

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = True
    ) -> Predicted:
        usual, mask = self.reading.usual(observation), observation["action_mask"]
        return np.where(mask[np.arange(len(usual)), usual] > 0, usual, 0), state


class Fastest(Known):
    """Advises everybody what was best for her by yesterday's times. Where many follow, all meet there."""

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = True
    ) -> Predicted:
        p, time = self.params, self.reading.of(observation, "time")
        lag = self.supply.shift[self.supply.slot] + time - observation["context"][:, [self.reading.arrive_at]]
        cost = p.alpha * time + np.maximum(p.gamma * lag, -p.beta * lag)
        return best_trip(-cost, observation["action_mask"], -np.inf), state


class InformedTravellers:
    """The ceiling of prediction: the generator's own chances of what she will do if nobody advises her, exact. As an agent it advises
    the likeliest, which is no help to anybody."""

    reveal = ("latent",)

    def __init__(self, supply: Supply, params: TrafficParams):
        self.n, self.predictor = len(supply.names), TripChances(supply)

    def see(self, points: DecisionPoints, latent: np.ndarray) -> DecisionPoints:
        """Decision points as its predictor reads them."""
        return dataclasses.replace(points, context=latent)

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = True
    ) -> Predicted:
        return best_trip(observation["latent"][:, : self.n], observation["action_mask"]), state


class TripChances:
    """Reads the chances off the hidden state, which stands in the place of the context."""

    def __init__(self, supply: Supply):
        self.vocabulary, self.n = vocabulary(supply.names)[0], len(supply.names)

    def read(self, points: DecisionPoints) -> Prediction:
        p = np.zeros((len(points), self.n + 1))
        p[:, 1:] = points.context[:, : self.n]
        return Prediction(p / p.sum(1, keepdims=True))


class TrafficOracle:
    """Greedy on the hidden plan: to each in turn what is worth most to all, knowing what she is about to do, her chance of following, and
    what everybody else has decided or will decide without advice. `least` [min] it must be worth, since advice wears out trust.

    It does not look ahead to what trust, habits and others' answers will be: a ceiling of myopic advice, not a proof of optimality.
    """

    reveal = ("plan",)

    def __init__(self, least: float = 2.0, selfish: bool = False):
        self.least, self.selfish = least, selfish

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = True
    ) -> Predicted:
        plan, mask = observation["plan"], observation["action_mask"]
        a = mask.shape[1]
        return best_trip(plan[:, a + 1 :] if self.selfish else plan[:, 1:a], mask, self.least), state


class OracleBatch(Known):
    """Decides the whole day by what is known at midnight: true chances of doing and of following, published savings; not what others are told
    today."""

    reveal = ("latent",)
    least = 1.0  # [min] that an advice must be worth

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = True
    ) -> Predicted:
        n = self.reading.n
        p, chance = observation["latent"][:, :n], observation["latent"][:, n : 2 * n]
        worth = self.reading.of(observation, "own") + self.reading.of(observation, "external")
        gain = worth - (p * worth).sum(1, keepdims=True)
        return best_trip((1 - p) * chance * gain - INTERRUPTION, observation["action_mask"], self.least), state


class OracleOptimum(Known):
    """System-optimal shares of the day: what the roads and buses carry without a queue is given out, to each in turn the cheapest that is
    left on empty roads; nothing is said to those in nobody's way. It knows capacities and nobody's mind; at full
    compliance it shows what staggering is worth.
    """

    def __init__(self, supply: Supply, params: TrafficParams):
        super().__init__(supply, params)
        self.quota = shares(supply, params) * params.advised
        self.time = supply.free.mean(0)[supply.way]
        self.shift = supply.shift[supply.slot]

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = True
    ) -> Predicted:
        p, n = self.params, len(observation["epoch"])
        day = observation["epoch"][:, 0] // DAY
        given, when = state if state is not None else (np.zeros((n, self.reading.n)), np.full(n, -1))
        given = np.where((day != when)[:, None], 0.0, given)
        lag = self.shift + self.time - observation["context"][:, [self.reading.arrive_at]]
        cost = p.alpha * self.time + np.maximum(p.gamma * lag, -p.beta * lag)
        left = given < self.quota
        chosen = best_trip(np.where(left, -cost, -np.inf), observation["action_mask"], -np.inf)
        rows = np.flatnonzero(chosen)
        given[rows, chosen[rows] - 1] += 1
        worth = self.reading.of(observation, "own") + self.reading.of(observation, "external")
        helps = worth[np.arange(n), np.maximum(chosen - 1, 0)] > 2 * INTERRUPTION  # what she usually does is worth 0
        return np.where(helps, chosen, 0), (given, day)


def shares(supply: Supply, params: TrafficParams) -> np.ndarray:
    """(O,) travellers whom each option can carry without a queue: of a way the capacity of its tightest link in the length of a slot, of a
    bus its seats."""
    if supply.model == "bpr":  # no capacity is one of a queue: equal shares
        return np.full(len(supply.names), params.travellers / len(supply.names) + 1)
    capacity = supply.network.capacity
    found = []
    for way in range(len(supply.ways)):
        if supply.is_bus[way]:
            found.append(params.room * params.slot / params.headway)
        else:
            hourly = sum(min(capacity[list(paths[way])]) for paths in supply.paths)
            found.append(hourly * params.slot / 60)
    carried: np.ndarray = np.array(found)[supply.way]
    return carried


Make = Callable[[Supply, TrafficParams], Policy]
BASELINES: dict[str, Make] = {
    "habit": Habit,
    "fastest": Fastest,
    "oracle_so": OracleOptimum,
    "oracle_batch": OracleBatch,
    "informed": InformedTravellers,
    "oracle": lambda supply, params: TrafficOracle(),
}
