"""What a tuned policy sees: the prior's word, the possible actions and the state of things, as one flat vector."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lam_env.core.contracts import Observation, Prediction, Training
from lam_env.core.errors import UserError
from lam_env.core.events import ActionLog, Vocabulary
from lam_env.core.units import DAY
from lam_env.logs.decision_points import decision_points

from ..advice.plugin import lately, worth
from ..carry import Carried, PredictorState, Starts, slow_actions, update
from ..memory.heard import COUNTS, AnswerCounts
from ..memory.network import PARTS
from ..predictors.network import Predictor
from ..predictors.pool import Pool

NEVER_SEEN = 1e6  # scale of a reading that did not vary
RECENT = 4  # tokens that a policy without a prior sees one-hot


@dataclass(frozen=True)
class Layout:
    """Parts of the vector, each (A,) but the last two.

    next and soon, the prior's probabilities; mask of possible actions; accepted and refused, how often each was so far
    in this episode; COUNTS of how its kind was taken, see `AnswerCounts`; one for each of `worths`, the kinds of value
    readings; then one number, how often the person has been advised lately; rest (R,) for the networks, which begins
    with the part of the day (PARTS,) one-hot. `slow`: actions whose soon counts.
    """

    n_actions: int
    n_rest: int
    slow: tuple[bool, ...]
    worths: tuple[str, ...] = ()

    @property
    def worth(self) -> int:
        """Where the worths begin."""
        return (5 + COUNTS) * self.n_actions

    @property
    def rest(self) -> int:
        """Where the rest begins."""
        return self.worth + len(self.worths) * self.n_actions + 1

    @property
    def n_seen(self) -> int:
        """Width of `seen`."""
        return self.n_rest + (2 + COUNTS) * self.n_actions

    def counts(self, x: Tensor) -> Tensor:
        """(N, COUNTS, A) of vectors (N, size)."""
        return x[:, 5 * self.n_actions : self.worth].reshape(-1, COUNTS, self.n_actions)

    def seen(self, x: Tensor) -> Tensor:
        """(N, n_seen) of vectors (N, size): what a plain network sees."""
        a = self.n_actions
        return torch.cat([x[:, self.rest :], x[:, : 2 * a], torch.log1p(self.counts(x).flatten(1))], 1)

    @property
    def size(self) -> int:
        return self.rest + self.n_rest


class _Features:
    """What both kinds share. mean, scale (C,): of the readings."""

    def __init__(
        self, vocabulary: Vocabulary, mean: np.ndarray, scale: np.ndarray, n_own: int, worths: tuple[str, ...] = ()
    ):
        v = self.vocabulary = vocabulary
        self.mean, self.scale = mean.astype(np.float32), scale.astype(np.float32)
        self.heard = AnswerCounts(v)
        n_rest = PARTS + n_own + len(v.readings) + 4 + 2 * len(v) + 2 + v.n_tokens
        self.layout = Layout(len(v), n_rest, tuple(slow_actions(v.patience).tolist()), worths)

    @property
    def size(self) -> int:
        """Numbers in what a policy sees."""
        return self.layout.size

    def _join(
        self, observation: Observation, word: list[np.ndarray], worths: Iterable[np.ndarray], own: list[np.ndarray]
    ) -> np.ndarray:
        """(N, layout.size) float32. `word`: next and soon; `own`: what of the rest is not shared."""
        counts, context = observation["feedback"], observation["context"]
        by_kind = self.heard.by_kind(observation).reshape(len(counts), -1)
        parts = [
            *(*word, observation["action_mask"], counts, by_kind, *worths, lately(context, self.vocabulary)),
            np.arange(PARTS) == (observation["epoch"][:, :1] % DAY * PARTS // DAY),
            *own,
            (context - self.mean) / self.scale,
            observation["clock"],
            np.log1p(counts),
            np.log1p(counts.reshape(len(counts), 2, -1).sum(2)),  # of all actions: what trust rests on
            np.log1p(observation["since"]) / 6 - 1,
        ]
        return np.concatenate(parts, 1, dtype=np.float32, casting="unsafe")


class PriorFeatures(_Features):
    """With a prior. The rest: its hidden state, readings, clock, feedback, recency."""

    def __init__(self, predictor: Predictor | Pool, mean: np.ndarray, scale: np.ndarray):
        self.predictor = predictor
        v = predictor.vocabulary
        super().__init__(v, mean, scale, predictor.n_hidden + 1, tuple(v.values()))

    def __call__(self, observation: Observation, carry: Carried, starts: Starts) -> tuple[np.ndarray, PredictorState]:
        carry = update(self.predictor, observation, carry, starts)
        return self.vector(observation, carry.said), carry

    def vector(self, observation: Observation, said: Prediction) -> np.ndarray:
        assert said.hidden is not None
        word = [said.next, said.next if said.soon is None else said.soon]
        worths = worth(observation["context"], self.vocabulary).values()
        return self._join(observation, word, worths, [said.hidden, observation["epoch"][:, 4:5]])


class PlainFeatures(_Features):
    """Without a prior: next and soon are zero; the last tokens one-hot stand for the hidden state."""

    predictor = None

    def __init__(self, vocabulary: Vocabulary, mean: np.ndarray, scale: np.ndarray):
        super().__init__(vocabulary, mean, scale, RECENT * vocabulary.n_tokens + 2)

    def __call__(self, observation: Observation, carry: object, starts: object) -> tuple[np.ndarray, None]:
        n, epoch = len(observation["epoch"]), observation["epoch"]
        recent = np.zeros((n, RECENT, self.vocabulary.n_tokens), np.float32)
        np.put_along_axis(recent, observation["tokens"][:, -RECENT:, None], 1.0, 2)
        own = [recent.reshape(n, -1), epoch[:, 4:5], np.log1p(epoch[:, 1:2]) / 6]
        return self._join(observation, [np.zeros((n, 2 * len(self.vocabulary)))], (), own), None


def standardisation(context: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and scale (C,) of the readings of a log; one that never changed tells nothing, whatever it is later."""
    sd = context.std(0)
    return context.mean(0), np.where(sd < 1e-6, NEVER_SEEN, np.maximum(sd, 0.1))


Features = PriorFeatures | PlainFeatures


def encoder_of(source: Training | ActionLog, prior: bool = False) -> Features:
    """The kit's encoder: readings are standardised as in the training's log, or in this one; `prior`: with the
    training's frozen prior's word. UserError: another source."""
    if not isinstance(source, ActionLog | Training):
        raise UserError(
            f"encoder_of: give an ActionLog or a training, not {type(source).__name__}; the log of a run: "
            'lam_env.ActionLog.load("runs/NAME/log/train")'
        )
    points = decision_points(source) if isinstance(source, ActionLog) else source.train
    mean, scale = standardisation(points.context)
    if not prior:
        return PlainFeatures(source.vocabulary, mean, scale)
    if isinstance(source, ActionLog) or source.prior is None:
        raise UserError("an encoder with the prior needs a training that has one")
    return PriorFeatures(source.prior, mean, scale)
