"""What a tuned policy sees: the prior's word, the possible actions and the state of things, as one flat vector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lam_env.core.contracts import ActionPredictor, Prediction, Training
from lam_env.core.errors import UserError
from lam_env.core.events import Vocabulary
from lam_env.core.units import DAY

from ..advice.plugin import lately, worth
from ..carry import PredictorState, slow_actions, update

PARTS = 6  # parts of the day, four hours each
NEVER_SEEN = 1e6  # scale of a reading that did not vary
RECENT = 4  # tokens that a policy without a prior sees one-hot


@dataclass(frozen=True)
class Layout:
    """Parts of the vector, each (A,) but the last: next and soon, the prior's probabilities; mask of possible actions; accepted and
    refused, how often each was so far in this episode; one for each of `worths`, the kinds of value readings (see advice.py); then how often she has been
    advised lately, one number; rest (R,) for the networks, which begins with the part of the day (PARTS,) one-hot. `slow`: actions whose soon counts."""

    n_actions: int
    n_rest: int
    slow: tuple[bool, ...]
    worths: tuple[str, ...] = ()

    @property
    def rest(self) -> int:
        """Where the rest begins."""
        return (5 + len(self.worths)) * self.n_actions + 1

    @property
    def size(self) -> int:
        return self.rest + self.n_rest


class PriorFeatures:
    """With a prior. The rest: its hidden state, readings, clock, feedback, recency."""

    def __init__(self, predictor: Any, mean: np.ndarray, scale: np.ndarray):
        self.predictor: ActionPredictor = predictor
        self.mean, self.scale = mean.astype(np.float32), scale.astype(np.float32)
        v = predictor.vocabulary
        slow = slow_actions(v.patience)
        n_rest = predictor.n_hidden + _n_rest(v) + 1
        self.layout = Layout(len(v), n_rest, tuple(map(bool, slow)), tuple(v.values()))

    def __call__(
        self, observation: Any, carry: PredictorState | None, starts: np.ndarray | None
    ) -> tuple[np.ndarray, PredictorState]:
        carry = update(self.predictor, observation, carry, starts)
        return self.vector(observation, carry.said), carry

    def vector(self, observation: Any, said: Prediction) -> np.ndarray:
        rest = _rest(observation, self.mean, self.scale)
        soon = said.next if said.soon is None else said.soon
        known = [said.next, soon, observation["action_mask"], observation["feedback"]]
        known += worth(observation["context"], self.predictor.vocabulary).values()
        known.append(lately(observation["context"], self.predictor.vocabulary))
        parts = [*known, _part_of_day(observation), said.hidden, observation["epoch"][:, 4:5], *rest]
        return np.concatenate(parts, 1, dtype=np.float32, casting="unsafe")


class PlainFeatures:
    """Without a prior: next and soon are zero; the last tokens one-hot stand for the hidden state."""

    predictor = None

    def __init__(self, vocabulary: Vocabulary, mean: np.ndarray, scale: np.ndarray):
        self.vocabulary = vocabulary
        self.mean, self.scale = mean.astype(np.float32), scale.astype(np.float32)
        slow = slow_actions(vocabulary.patience)
        n_rest = RECENT * vocabulary.n_tokens + _n_rest(vocabulary) + 2
        self.layout = Layout(len(vocabulary), n_rest, tuple(map(bool, slow)))

    def __call__(self, observation: Any, carry: Any, starts: np.ndarray | None) -> tuple[np.ndarray, None]:
        n, a, k = len(observation["epoch"]), len(self.vocabulary), self.vocabulary.n_tokens
        recent = np.zeros((n, RECENT, k), np.float32)
        np.put_along_axis(recent, observation["tokens"][:, -RECENT:, None], 1.0, 2)
        rest = _rest(observation, self.mean, self.scale)
        gap = np.log1p(observation["epoch"][:, 1:2]) / 6
        known = [np.zeros((n, 2 * a)), observation["action_mask"], observation["feedback"]]
        known.append(lately(observation["context"], self.vocabulary))
        parts = [*known, _part_of_day(observation), recent.reshape(n, -1), observation["epoch"][:, 4:5], gap, *rest]
        return np.concatenate(parts, 1, dtype=np.float32, casting="unsafe"), None


def _n_rest(v: Vocabulary) -> int:
    return PARTS + len(v.readings) + 4 + 2 * len(v) + 2 + v.n_tokens


def _part_of_day(observation: Any) -> np.ndarray:
    one_hot: np.ndarray = np.arange(PARTS) == (observation["epoch"][:, :1] % DAY * PARTS // DAY)
    return one_hot


def _rest(observation: Any, mean: np.ndarray, scale: np.ndarray) -> list[np.ndarray]:
    heard = observation["feedback"]
    both = heard.reshape(len(heard), 2, -1).sum(2)  # accepted and refused of all actions: what trust rests on
    return [
        (observation["context"] - mean) / scale,
        observation["clock"],
        np.log1p(heard),
        np.log1p(both),
        np.log1p(observation["since"]) / 6 - 1,
    ]


def standardisation(context: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and scale (C,) of the readings of a log; one that never changed there tells nothing, whatever it is later."""
    sd = context.std(0)
    return context.mean(0), np.where(sd < 1e-6, NEVER_SEEN, np.maximum(sd, 0.1))


Features = PriorFeatures | PlainFeatures


def encoder_of(training: Training, prior: bool = False) -> Features:
    """The kit's encoder: readings are standardised as in the training's log; `prior`: with the frozen prior's word."""
    mean, scale = standardisation(training.train.context)
    if not prior:
        return PlainFeatures(training.vocabulary, mean, scale)
    if training.prior is None:
        raise UserError("an encoder with the prior needs a training that has one")
    return PriorFeatures(training.prior, mean, scale)
