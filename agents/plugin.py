"""Plug-in agents: expected utility on the prior's probabilities, with what feedback says counted, not learned.

An act that is in time is accepted or refused, any other is in vain: value(a) = gain q acceptance - refusal q (1 -
acceptance) - nuisance (1 - q), q from the prior's next and soon heads, prices from the reward (`prices`). Acceptance is
counted in a trial, per act that the prior hoped for, and shrunk to what the prior alone would say. It is the row that a
tuned policy has to beat, so it gets the same inputs.
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
from .advice.plugin import OF_KIND, PERSONAL, AdvicePlugIn
from .carry import CarriedPolicy, anticipation, slow_actions
from .memory.heard import ANSWERS, AnswerCounts
from .memory.network import PARTS

LEAST = 0.1  # probability of what is considered at all: an argmax over values would pick what was never tried
TRIED = 0.3  # the same in a trial: who is bolder before anything is counted is switched off before it can be
SHRINK = 4.0  # pseudo-counts
Case = Callable[[Observation], np.ndarray]


class Prices(NamedTuple):
    """What an act brings against none: accepted, and what it costs rejected (both less the miss that comes of doing
    nothing), overridden, and in vain."""

    gain: float
    rejection: float
    override: float
    nuisance: float

    @property
    def refusal(self) -> float:
        """Of one kind or the other."""
        return max(self.rejection, self.override)


def prices(paid: Mapping[str, float]) -> Prices:
    """What the reward's terms come to. Where it has no term for one kind of refusal, that costs as the worst of the
    others, for under some name it is paid; other terms that it does not have are never paid: they count 0."""
    miss, refusals = paid.get("miss", 0.0), ("rejection", "override", "nuisance")
    worst = min(0.0, *(paid.get(term, 0.0) for term in refusals))
    rejection, override = (min(0.0, paid.get(term, worst)) for term in refusals[:2])
    nuisance = min(0.0, paid.get("nuisance", 0.0))
    return Prices(paid.get("assist", 0.0) - miss, miss - rejection, -override, -nuisance)


@dataclass
class PlugIn(CarriedPolicy):
    """`acceptance` (bins, A): per part of the day (bins = 1: whole day) and action. `online`: also counts what this
    very household has accepted and refused in this episode. `least`: probability of what is considered."""

    predictor: ActionPredictor
    prices: Prices
    acceptance: np.ndarray
    online: bool = False
    least: float = LEAST

    def __post_init__(self) -> None:
        self.counts = AnswerCounts(self.predictor.vocabulary)

    @classmethod
    def untried(cls, predictor: ActionPredictor, training: Training, online: bool = False) -> Self:
        """Before anything is counted: all is accepted."""
        price, a = prices(training.reward_weights), len(training.vocabulary)
        return cls(predictor, price, np.ones((1, a)), online, TRIED)

    def scores(self, observation: Observation, said: Prediction) -> np.ndarray:
        """(N, A) value of each action."""
        q = anticipation(said, slow_actions(self.predictor.vocabulary.patience))
        good, price = (q * self.accepted(observation)).clip(0, 1), self.prices
        value = price.gain * good - price.refusal * (q - good).clip(0) - price.nuisance * (1 - q)
        value = np.where((observation["action_mask"] > 0) & (q >= self.least), value, -np.inf)
        value[:, 0] = 0.0
        return value

    def part(self, observation: Observation) -> np.ndarray:
        """(N,) of the day."""
        part: np.ndarray = observation["epoch"][:, 0] % DAY * len(self.acceptance) // DAY
        return part

    def accepted(self, observation: Observation) -> np.ndarray:
        """(N, A) acceptance of each action."""
        return self.own(observation, self.acceptance[self.part(observation)])

    def own(self, observation: Observation, acceptance: np.ndarray) -> np.ndarray:
        """(N, A) this household's acceptance of each action, given that of households in general."""
        if not self.online:
            return acceptance
        accepted, refused = np.split(observation["feedback"], 2, 1)
        own: np.ndarray = (accepted + SHRINK * acceptance) / (accepted + refused + SHRINK)
        return own


class PlugInAgent:
    """`bins` parts of the day; feedback is counted in so many `worlds`."""

    def __init__(self, bins: int = 1, worlds: int = 1, online: bool = False):
        self.bins, self.worlds, self.online = bins, worlds, online

    def fit(self, training: Training) -> PlugIn | AdvicePlugIn:
        if training.interaction == "advise":
            return AdviceAgent(features=OF_KIND if self.online else PERSONAL).fit(training)
        before = PlugIn.untried(training.prior, training)
        (counts,) = count(before, training, self.worlds, self.bins)
        return replace(estimate(counts, before), online=self.online)


def count(
    trial: PlugIn, training: Training, worlds: int, bins: int, case: Case | None = None, reveal: tuple[str, ...] = ()
) -> np.ndarray:
    """(cases, 5, bins, A): per part of the day and action tries, probabilities of the tries summed, accepted, rejected,
    overridden; by `case`, where there is one, from observations, which may `reveal` the hidden state, to (N, A) of 0
    and 1."""
    a, slow = len(training.vocabulary), slow_actions(training.vocabulary.patience)
    counts, each = np.zeros((2 if case else 1, 5, bins, a)), np.arange(a)
    heard = trial.counts.by_action
    env = training.make_worlds(worlds, autoreset_mode="Disabled", reveal=reveal)
    for step in play(trial.predict, env, world_seeds(Use.PLUGIN_TRIAL, worlds, training.seed)):
        actions, q = step.actions, anticipation(step.state.said, slow)
        acts = (actions > 0) & step.running
        part, done = step.observation["epoch"][:, 0] % DAY * bins // DAY, actions[acts]
        tried = case(step.observation)[acts, done] if case else np.zeros(len(done), int)
        np.add.at(counts[:, 0], (tried, part[acts], done), 1)
        np.add.at(counts[:, 1], (tried, part[acts], done), q[acts, done])
        answers = np.where(step.ended[:, None, None], 0, heard(step.after) - heard(step.observation))
        answered = case(step.after) if case else np.zeros(answers[:, 0].shape, int)  # as it is when the answer comes
        for k in range(ANSWERS):
            np.add.at(counts[:, 2 + k], (answered, part[:, None], each), answers[:, k])
    return counts


def estimate(counts: np.ndarray, before: PlugIn) -> PlugIn:
    """Acceptance from counts (5, bins, A); a part of the day leans on the whole day."""
    if counts.shape[1] > 1:
        before = _estimate(counts.sum(1, keepdims=True), before)
    return _estimate(counts, before)


def _estimate(counts: np.ndarray, before: PlugIn) -> PlugIn:
    """Acceptances per hoped-for one, shrunk to what was believed before."""
    _, hoped, accepted, *_ = counts
    acceptance = np.minimum((accepted + SHRINK * before.acceptance) / (hoped + SHRINK), 1.0)
    return replace(before, acceptance=acceptance, least=LEAST)


plugin_context = partial(PlugInAgent, bins=PARTS, worlds=8, online=True)


NEEDS = ("prior",)
COUNTING = True
MEANINGS = {
    "plugin": "expected utility on the prior, with acceptance counted in a trial",
    "plugin_context": "`plugin` that also counts by part of the day and household, and where it advises by how the "
    "person was advised and has answered",
}
AGENTS = {"plugin": PlugInAgent, "plugin_context": plugin_context}
