"""Plug-in agents: expected utility on the prior's probabilities, with what feedback says counted, not learned.

value(a) = gain acceptance(a) q(a) - loss(a) (1 - acceptance(a) q(a)) - refusal (1 - acceptance(a)) q(a), q from the
prior's next and soon heads, gain and refusal from the reward (`prices`). Acceptance and loss are counted in a trial and
shrunk to what the prior alone would say. It is the row that a tuned policy has to beat, so it gets the same inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple, Self

import numpy as np

from lam_env.core.contracts import ActionPredictor, Observation, Prediction, Training
from lam_env.core.seeds import Use, world_seeds
from lam_env.core.units import DAY
from lam_env.envs.play import play

from .advice.agent import AdviceAgent
from .advice.plugin import AdvicePlugIn
from .carry import CarriedPolicy, anticipation, slow_actions
from .fine_tuning.features import PARTS
from .thresholded import Thresholded, with_best_threshold

VAIN = 0.25  # share of acts in vain that are refused, before any is counted
LEAST = 0.1  # probability of what is considered at all: an argmax over values would pick what was never tried
SHRINK = 4.0  # pseudo-counts
Case = Callable[[Observation], np.ndarray]
REFUSALS = ("override", "rejection", "nuisance")  # reward terms of an act that was not wanted


class Prices(NamedTuple):
    """Of an act: accepted, refused (both less the miss that it saves), and in vain, before any is counted."""

    gain: float
    refusal: float
    vain: float


def prices(paid: Mapping[str, float]) -> Prices:
    """What the reward's terms come to. A term that a scenario does not have is never paid: it counts 0."""
    miss, worst = paid.get("miss", 0.0), min(paid.get(term, 0.0) for term in REFUSALS)
    return Prices(paid.get("assist", 0.0) - miss, miss - worst, -VAIN * worst)


@dataclass
class PlugIn(CarriedPolicy):
    """`acceptance` and `loss` (bins, A): per part of the day (bins = 1: whole day) and action. `online`: also counts
    what this very household has accepted and refused in this episode."""

    predictor: ActionPredictor
    prices: Prices
    acceptance: np.ndarray
    loss: np.ndarray
    online: bool = False

    @classmethod
    def untried(cls, predictor: ActionPredictor, training: Training, online: bool = False) -> Self:
        """Before anything is counted: all is accepted."""
        price, a = prices(training.reward_weights), len(training.vocabulary)
        return cls(predictor, price, np.ones((1, a)), np.full((1, a), price.vain), online)

    def scores(self, observation: Observation, said: Prediction) -> np.ndarray:
        """(N, A) value of each action."""
        q = anticipation(said, slow_actions(self.predictor.vocabulary.patience))
        loss = self.loss[self.part(observation)]
        good = np.clip(q * self.accepted(observation), 0.0, 1.0)
        value = self.prices.gain * good - loss * (1 - good) - self.prices.refusal * (q - good).clip(0)
        value = np.where((observation["action_mask"] > 0) & (q >= LEAST), value, -np.inf)
        value[:, 0] = 0.0
        return value

    def part(self, observation: Observation) -> np.ndarray:
        """(N,) of the day."""
        part: np.ndarray = observation["epoch"][:, 0] % DAY * len(self.acceptance) // DAY
        return part

    def accepted(self, observation: Observation) -> np.ndarray:
        """(N, A) probability that an act that is in time is accepted."""
        acceptance = self.acceptance[self.part(observation)]
        if self.online:
            accepted, refused = np.split(observation["feedback"], 2, 1)
            acceptance = (accepted + SHRINK * acceptance) / (accepted + refused + SHRINK)
        return acceptance


class PlugInAgent:
    """`bins` parts of the day; feedback is counted in so many `worlds`."""

    def __init__(self, bins: int = 1, worlds: int = 1, online: bool = False):
        self.bins, self.worlds, self.online = bins, worlds, online

    def fit(self, training: Training) -> PlugIn | AdvicePlugIn:
        if training.interaction == "advise":
            return AdviceAgent(personal=self.online).fit(training)
        before = PlugIn.untried(training.prior, training)
        (counts,) = count(before, training, self.worlds, self.bins)
        return replace(estimate(counts, before), online=self.online)


def count(
    trial: PlugIn, training: Training, worlds: int, bins: int, case: Case | None = None, reveal: tuple[str, ...] = ()
) -> np.ndarray:
    """(cases, 4, bins, A): per part of the day and action tries, probabilities of the tries summed, accepted, refused;
    by `case`, from observations, which may `reveal` the hidden state, to (N, A) of 0 and 1, where there is one."""
    a, slow = len(training.vocabulary), slow_actions(training.vocabulary.patience)
    counts, each = np.zeros((2 if case else 1, 4, bins, a)), np.arange(a)
    env = training.make_worlds(worlds, autoreset_mode="Disabled", reveal=reveal)
    for step in play(trial.predict, env, world_seeds(Use.PLUGIN_TRIAL, worlds, training.seed)):
        actions, q = step.actions, anticipation(step.state.said, slow)
        acts = (actions > 0) & step.running
        part, done = step.observation["epoch"][:, 0] % DAY * bins // DAY, actions[acts]
        tried = case(step.observation)[acts, done] if case else np.zeros_like(done)
        np.add.at(counts[:, 0], (tried, part[acts], done), 1)
        np.add.at(counts[:, 1], (tried, part[acts], done), q[acts, done])
        answers = np.where(step.ended[:, None], 0, step.after["feedback"] - step.observation["feedback"])
        # as it is when the answer comes
        answered = case(step.after) if case else np.zeros_like(answers, dtype=int)[:, :a]
        np.add.at(counts[:, 2], (answered, part[:, None], each), answers[:, :a])
        np.add.at(counts[:, 3], (answered, part[:, None], each), answers[:, a:])
    return counts


def estimate(counts: np.ndarray, before: PlugIn) -> PlugIn:
    """Acceptance and loss from counts (4, bins, A); a part of the day leans on the whole day."""
    if counts.shape[1] > 1:
        before = _estimate(counts.sum(1, keepdims=True), before)
    return _estimate(counts, before)


def _estimate(counts: np.ndarray, before: PlugIn) -> PlugIn:
    """Acceptances per hoped-for one, and loss per try in vain, each shrunk to what was believed before."""
    tried, hoped, accepted, refused = counts
    acceptance = np.minimum((accepted + SHRINK * before.acceptance) / (hoped + SHRINK), 1.0)
    vain = np.maximum(tried - accepted, 0)
    loss = (before.prices.refusal * refused + SHRINK * before.loss) / (vain + SHRINK)
    return replace(before, acceptance=acceptance, loss=loss)


plugin_context = partial(PlugInAgent, bins=PARTS, worlds=8, online=True)


class PriorAgent:
    """The shared prior, thresholded."""

    def fit(self, training: Training) -> Thresholded:
        return with_best_threshold(training.prior, training)


NEEDS = ("prior",)
AGENTS = {"prior": PriorAgent, "plugin": PlugInAgent, "plugin_context": plugin_context}
