"""Advice: acting for somebody by changing what they do. What they do anyway is worth nothing.

value(a) = moved(a) (worth(a) - sum_b p(b) worth(b)) - nag + answer(a), p from the prior and worth from the readings
that say per action what it would save the person and others (`Vocabulary.values`; each kind counts as much as the
reward term of that name), or where there are none counted in a trial. It is the exact change of expected worth where
advice takes its probability from all other actions in proportion. moved = (acceptance - p) / (1 - p) is the share of
what they would not have done anyway that advice turns. Acceptance is a logit on few features, pooled over actions: it
is learned from thousands of answers, where a count per option would see a handful. So is what the answer itself is paid
with: who is advised often follows less and is annoyed more.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from lam_env.core.contracts import ActionPredictor, Observation, Prediction, Training
from lam_env.core.events import Vocabulary

from ..carry import CarriedPolicy
from ..memory.heard import ACCEPTED, ANSWERS, OVERRIDDEN, REJECTED, AnswerCounts

if TYPE_CHECKING:
    import torch

Array = TypeVar("Array", np.ndarray, "torch.Tensor")

NAG = "nag"  # the reward term of an advice given
LATELY = "advised"  # the reading, where a scenario has one, of how often the person has been advised lately
SCALE = 10.0  # worths are divided by it where they are features
FEATURES = (
    "1",
    "own",
    "log p",
    "log of the habit's p",
    "advised lately",
    "accepted",
    "refused",
    *("accepted of its kind", "refused of its kind"),
)
PERSONAL = 4  # the first of the features that tell how one person was advised and has answered so far
OF_KIND = 7  # the first of those that tell how the person has answered advice of a kind
RIDGE = 1.0
LEAST = 0.01  # probability that they would do something else, at least


def worth(context: np.ndarray, vocabulary: Vocabulary) -> dict[str, np.ndarray]:
    """Per kind of value reading (N, A): what each action would save; 0 for none."""
    none = np.zeros((len(context), 1), np.float32)
    return {
        kind: np.concatenate([none, context[:, channels]], 1, dtype=np.float32)
        for kind, channels in vocabulary.values().items()
    }


def lately(context: np.ndarray, vocabulary: Vocabulary) -> np.ndarray:
    """(N, 1) how often the person has been advised lately; 0 where no reading tells."""
    at = vocabulary.reading(LATELY)
    return np.zeros((len(context), 1), np.float32) if at is None else context[:, at : at + 1]


def willingness(
    p: Array, own: Array, accepted: Array, refused: Array, often: Array, counts: Array, xp: ModuleType = np
) -> Array:
    """(N, A, F) what acceptance of each action rests on: `FEATURES`. p, own, accepted, refused (N, A); often (N, 1),
    see `lately`; counts (N, COUNTS, A), see `AnswerCounts.by_kind`. `xp`: whose arrays they are, numpy or torch."""
    log_p = xp.log(p + 1e-4)
    features = [xp.ones_like(p), (own / SCALE).clip(-3, 3), log_p, xp.amax(log_p, 1, keepdims=True), often]
    features += [xp.log1p(xp.sum(accepted, 1, keepdims=True)), xp.log1p(xp.sum(refused, 1, keepdims=True))]
    ever = counts[:, ANSWERS:]
    features += [xp.log1p(ever[:, ACCEPTED]), xp.log1p(ever[:, REJECTED] + ever[:, OVERRIDDEN])]
    stacked: Array = xp.stack([xp.broadcast_to(feature, p.shape) for feature in features], 2)
    return stacked


def moved(acceptance: Array, p: Array) -> Array:
    """Share of what they would not have done anyway that advice turns, from the probabilities that they do it with and
    without advice."""
    turned: Array = (acceptance - p).clip(0) / (1 - p).clip(LEAST)
    return turned


def fit_logit(x: np.ndarray, y: np.ndarray, ridge: float = RIDGE, rounds: int = 25) -> np.ndarray:
    """Coefficients (F,) of a logistic regression by Newton's method; x (n, F), y (n,) from 0 to 1, also shares (Papke
    and Wooldridge 1996). `ridge` keeps them finite where answers are few or all alike."""
    x, beta = x.astype(float), np.zeros(x.shape[1])
    for _ in range(rounds):
        p = _logistic(x @ beta)
        gradient = x.T @ (y - p) - ridge * beta
        curvature = (x * (p * (1 - p))[:, None]).T @ x + ridge * np.eye(len(beta))
        step = np.linalg.solve(curvature, gradient)
        beta += step
        if np.abs(step).max() < 1e-8:
            break
    return beta


@dataclass(frozen=True)
class AnswerModel:
    """How people answer advice, as logits on the features of `willingness` and by how much each action (A,) differs
    from the rest: some ask for more than others, a click or a change of plans. `follow` and `follow_by`: that they do
    what is advised and are not annoyed; `upset` and `upset_by`: how far the answer's reward lies between the `best` and
    the `worst` of all answers."""

    follow: np.ndarray
    follow_by: np.ndarray
    upset: np.ndarray
    upset_by: np.ndarray
    best: float = 0.0
    worst: float = 0.0

    @classmethod
    def alike(cls, n_actions: int) -> AnswerModel:
        """In all situations and to all actions."""
        none, each = np.zeros(len(FEATURES)), np.zeros(n_actions)
        return cls(none, each, none, each)

    @classmethod
    def fit(
        cls, x: np.ndarray, advised: np.ndarray, followed: np.ndarray, paid: np.ndarray, n_actions: int, used: int
    ) -> AnswerModel:
        """x (n, F), of which the first `used` features count; advised (n,) the actions; followed (n,) 0 or 1; paid (n,)
        rewards of the answers. The ridge draws actions seldom tried to the rest."""
        best, worst = float(paid.max(initial=0.0)), float(paid.min(initial=0.0))
        share = (best - paid) / (best - worst) if best > worst else np.zeros(len(x))
        features = np.concatenate([x[:, :used], np.eye(n_actions)[advised]], 1)
        rest = np.zeros(len(FEATURES) - used)
        (a, a_by), (b, b_by) = (np.split(fit_logit(features, y), [used]) for y in (followed, share))
        return cls(np.concatenate([a, rest]), a_by, np.concatenate([b, rest]), b_by, best, worst)

    def acceptance(self, x: np.ndarray, actions: int | slice = slice(None)) -> np.ndarray:
        """(N, A) probability that what is advised is done; x (N, A, F), or (N, F) of one action: then (N,)."""
        return _logistic(x @ self.follow.astype(np.float32) + self.follow_by[actions].astype(np.float32))

    def price(self, x: np.ndarray, actions: int | slice = slice(None)) -> np.ndarray:
        """(N, A) reward to be expected of the answer; as `acceptance`."""
        upset = _logistic(x @ self.upset.astype(np.float32) + self.upset_by[actions].astype(np.float32))
        return self.best + (self.worst - self.best) * upset


def _logistic(x: np.ndarray) -> np.ndarray:
    p: np.ndarray = 1 / (1 + np.exp(-x.clip(-30, 30)))
    return p


class AdvicePlugIn(CarriedPolicy):
    """`answers`: how people take advice; `weights`: what a unit of each kind of worth is rewarded with; `nag`: what an
    advice costs; `flat` (A,): worths where no reading tells."""

    def __init__(
        self,
        predictor: ActionPredictor,
        answers: AnswerModel,
        weights: dict[str, float],
        nag: float,
        flat: np.ndarray | None = None,
    ):
        self.predictor, self.answers, self.weights, self.nag = predictor, answers, weights, nag
        self.flat = np.zeros(len(predictor.vocabulary)) if flat is None else flat
        self.counts = AnswerCounts(predictor.vocabulary)

    def scores(self, observation: Observation, said: Prediction) -> np.ndarray:
        """(N, A) value of each advice, -inf where it is not possible; 0 for none."""
        return self.judge(observation, said.next)[0]

    def judge(self, observation: Observation, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The values, and what the acceptance of each action rests on: (N, A, F), see `willingness`."""
        vocabulary, context = self.predictor.vocabulary, observation["context"]
        offered = worth(context, vocabulary)
        own = offered.get("own", np.zeros_like(p))
        accepted, refused = np.split(observation["feedback"], 2, 1)
        x = willingness(p, own, accepted, refused, lately(context, vocabulary), self.counts.by_kind(observation))
        total = self.flat.astype(np.float32) + sum(weight * offered[kind] for kind, weight in self.weights.items())
        gain = total - (p * total).sum(1, keepdims=True)
        value = moved(self.answers.acceptance(x), p) * gain - self.nag + self.answers.price(x)
        value = np.where(observation["action_mask"] > 0, value, -np.inf)
        value[:, 0] = 0.0
        return value, x


def prices(training: Training) -> tuple[dict[str, float], float]:
    """What the reward pays for a unit of each kind of worth, and takes for an advice."""
    paid = training.reward_weights
    return {kind: paid.get(kind, 0.0) for kind in training.vocabulary.values()}, -paid.get(NAG, 0.0)
