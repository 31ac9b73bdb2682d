"""What a tuned policy sees: the prior's word, the possible actions and the state of things, as one flat vector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lam_env.contracts import ActionPredictor, Prediction
from lam_env.events import Vocabulary

from .carry import Carry, anticipation, listen, slow_actions

RECENT = 4  # tokens that a policy without a prior sees one-hot


@dataclass(frozen=True)
class Layout:
    """Slices of the vector: q (A,) probabilities of being in time, next (A,), mask (A,), rest (R,) for the networks."""

    n_actions: int
    n_rest: int

    @property
    def size(self) -> int:
        return 3 * self.n_actions + self.n_rest


class PriorFeatures:
    """With a prior: q, next, mask | hidden state of the prior, log-odds, readings, clock, feedback, recency."""

    def __init__(self, predictor: Any, mean: np.ndarray, scale: np.ndarray):
        self.predictor: ActionPredictor = predictor
        self.mean, self.scale = mean.astype(np.float32), scale.astype(np.float32)
        v = predictor.vocabulary
        self.slow = slow_actions(v.patience)
        self.layout = Layout(len(v), predictor.n_hidden + _n_rest(v) + 1)

    def __call__(self, observation: Any, carry: Carry | None, starts: np.ndarray | None) -> tuple[np.ndarray, Carry]:
        carry = listen(self.predictor, observation, carry, starts)
        return self.vector(observation, carry.said), carry

    def vector(self, observation: Any, said: Prediction) -> np.ndarray:
        q = anticipation(said, self.slow)
        rest = _rest(observation, self.mean, self.scale)
        parts = [q, said.next, observation["action_mask"], said.hidden, observation["epoch"][:, 4:5], *rest]
        return np.concatenate(parts, 1, dtype=np.float32, casting="unsafe")


class PlainFeatures:
    """Without a prior: q and next are zero; the last tokens one-hot stand for the hidden state."""

    def __init__(self, vocabulary: Vocabulary, mean: np.ndarray, scale: np.ndarray):
        self.vocabulary = vocabulary
        self.mean, self.scale = mean.astype(np.float32), scale.astype(np.float32)
        self.layout = Layout(len(vocabulary), RECENT * vocabulary.n_tokens + _n_rest(vocabulary) + 2)

    def __call__(self, observation: Any, carry: Any, starts: np.ndarray | None) -> tuple[np.ndarray, None]:
        n, a, k = len(observation["epoch"]), len(self.vocabulary), self.vocabulary.n_tokens
        recent = np.zeros((n, RECENT, k), np.float32)
        np.put_along_axis(recent, observation["tokens"][:, -RECENT:, None], 1.0, 2)
        rest = _rest(observation, self.mean, self.scale)
        gap = np.log1p(observation["epoch"][:, 1:2]) / 6
        parts = [
            np.zeros((n, 2 * a)),
            observation["action_mask"],
            recent.reshape(n, -1),
            observation["epoch"][:, 4:5],
            gap,
            *rest,
        ]
        return np.concatenate(parts, 1, dtype=np.float32, casting="unsafe"), None


def _n_rest(v: Vocabulary) -> int:
    return len(v.readings) + 4 + 2 * len(v) + 2 + v.n_tokens


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
    """Mean and scale (C,) of the readings of a log."""
    return context.mean(0), np.maximum(context.std(0), 0.1)
