"""A predictor as a policy: do what the user is about to do, if that is probable enough."""

from __future__ import annotations

from functools import partial
from typing import TypeVar

import numpy as np

from lam_env.core.contracts import ActionPredictor, Observation, Prediction, Training
from lam_env.logs.decision_points import DecisionPoints

from .carry import CarriedPolicy
from .counting.online import counting
from .fine_tuning.trial import best

GRID = (0.2, 0.35, 0.5, 0.65, 0.8, 0.95)


class Thresholded(CarriedPolicy):
    """The most probable possible action, where its probability of coming next reaches `threshold`."""

    def __init__(self, predictor: ActionPredictor, threshold: float):
        self.predictor, self.threshold = predictor, threshold

    def scores(self, observation: Observation, said: Prediction) -> np.ndarray:
        """(N, A) probabilities, -inf of what is not possible; at 0, none, what they have to exceed."""
        number = said.next.dtype.type
        scored = np.where(observation["action_mask"] > 0, said.next, number(-np.inf))
        # who reaches the threshold acts, but for what is impossible nobody does
        scored[:, 0] = np.nextafter(number(self.threshold), number(-1)) if self.threshold else 0
        return scored


P = TypeVar("P", bound=Thresholded)


def with_best_threshold(
    predictor: ActionPredictor,
    training: Training,
    kind: type[P] = Thresholded,  # type: ignore[assignment]
) -> P:
    """The threshold of `GRID` with the best return in worlds kept for such choices. Advice is what is most probable,
    however probable: there is no harm in time that a threshold could avoid."""
    if training.interaction == "advise":
        return kind(predictor, 0.0)
    return best([kind(predictor, threshold) for threshold in GRID], training, "threshold")


def unfitted(predictor: ActionPredictor) -> Thresholded:
    """Without worlds to choose a threshold in: what is more probable than not. Advice as in `with_best_threshold`."""
    return Thresholded(predictor, 0.0 if predictor.vocabulary.values() else 0.5)


class CountingAgent:
    """A count-based predictor, thresholded."""

    def __init__(self, name: str):
        self.name = name

    def predictor(self, train: DecisionPoints, valid: DecisionPoints) -> ActionPredictor:
        return counting(self.name).fit(train, valid)

    def fit(self, training: Training) -> Thresholded:
        return with_best_threshold(self.predictor(training.train, training.valid), training)


NEEDS = ("log",)
COUNTING = True
MEANINGS = {
    "most_frequent": "counts actions; like all that count, it acts above a threshold",
    "time_table": "counts by the hour",
    "markov1": "counts by the last event",
    "markov2": "counts by the last two events",
    "markov3": "counts by the last three events",
    "markov2_clock": "counts by the last two events and the hour",
    "markov_online": "`markov2_clock` that goes on counting in the home where it is",
}
AGENTS = {
    "most_frequent": partial(CountingAgent, "most_frequent"),
    "time_table": partial(CountingAgent, "time_table"),
    "markov1": partial(CountingAgent, "markov1"),
    "markov2": partial(CountingAgent, "markov2"),
    "markov3": partial(CountingAgent, "markov3"),
    "markov2_clock": partial(CountingAgent, "markov2_clock"),
    "markov_online": partial(CountingAgent, "markov_online"),
}
