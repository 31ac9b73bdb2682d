"""Plug-in agents: expected utility on the prior's probabilities, with what feedback says counted, not learned.

An act is in time with probability t q, q from the prior's next and soon heads; then it is accepted, or rejected. Any
other is overridden, or in vain. value(a) = t q (gain acceptance - rejection (1 - acceptance)) - (1 - t q) (override
wrong + nuisance (1 - wrong)), prices from the reward (`prices`). Acceptance, t and `wrong` are counted in a trial and
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
from .memory.heard import ANSWERS, AnswerCounts
from .memory.network import PARTS

LEAST = 0.1  # probability of what is considered at all: an argmax over values would pick what was never tried
TRIED = 0.3  # the same in a trial: who is bolder before anything is counted is switched off before it can be
SHRINK = 4.0  # pseudo-counts
OVERRIDES = 0.1  # share of acts out of time that are overridden, before any is counted
Case = Callable[[Observation], np.ndarray]


class Prices(NamedTuple):
    """What an act brings against none: accepted, and what it costs rejected (both less the miss that comes of doing
    nothing), overridden, and in vain."""

    gain: float
    rejection: float
    override: float
    nuisance: float


def prices(paid: Mapping[str, float]) -> Prices:
    """What the reward's terms come to. A term that a scenario does not have is never paid: it counts 0."""
    assist, miss, *lost = (paid.get(term, 0.0) for term in ("assist", "miss", "rejection", "override", "nuisance"))
    rejection, override, nuisance = lost
    return Prices(assist - miss, miss - min(rejection, 0.0), -min(override, 0.0), -min(nuisance, 0.0))


@dataclass
class PlugIn(CarriedPolicy):
    """Counted shares, (bins, A), by part of the day (bins = 1: whole day) and action: `acceptance` of what is in time,
    `timely` of what the prior hopes to be in time, `wrong` of the rest: overridden. `online`: also counts what this
    very household has accepted and rejected in this episode. `least`: probability of what is considered."""

    predictor: ActionPredictor
    prices: Prices
    acceptance: np.ndarray
    timely: np.ndarray
    wrong: np.ndarray
    online: bool = False
    least: float = LEAST

    def __post_init__(self) -> None:
        self.counts = AnswerCounts(self.predictor.vocabulary)

    @classmethod
    def untried(cls, predictor: ActionPredictor, training: Training, online: bool = False) -> Self:
        """Before anything is counted: all that is in time is accepted."""
        one = np.ones((1, len(training.vocabulary)))
        return cls(predictor, prices(training.reward_weights), one, one, OVERRIDES * one, online, TRIED)

    def scores(self, observation: Observation, said: Prediction) -> np.ndarray:
        """(N, A) value of each action."""
        q, part = anticipation(said, slow_actions(self.predictor.vocabulary.patience)), self.part(observation)
        own, wrong, price = self.accepted(observation), self.wrong[part], self.prices
        in_time = q * self.timely[part]
        value = in_time * (price.gain * own - price.rejection * (1 - own))
        value -= (1 - in_time) * (price.override * wrong + price.nuisance * (1 - wrong))
        value = np.where((observation["action_mask"] > 0) & (q >= self.least), value, -np.inf)
        value[:, 0] = 0.0
        return value

    def part(self, observation: Observation) -> np.ndarray:
        """(N,) of the day."""
        part: np.ndarray = observation["epoch"][:, 0] % DAY * len(self.acceptance) // DAY
        return part

    def accepted(self, observation: Observation) -> np.ndarray:
        """(N, A) acceptance of each action that is in time."""
        return self.own(observation, self.acceptance[self.part(observation)])

    def own(self, observation: Observation, acceptance: np.ndarray) -> np.ndarray:
        """(N, A) this household's acceptance of each action, given that of households in general."""
        if not self.online:
            return acceptance
        accepted, rejected = self.counts.by_action(observation)[:, :2].swapaxes(0, 1)
        own: np.ndarray = (accepted + SHRINK * acceptance) / (accepted + rejected + SHRINK)
        return own


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
        tried = case(step.observation)[acts, done] if case else 0
        np.add.at(counts, (tried, 0, part[acts], done), 1)
        np.add.at(counts, (tried, 1, part[acts], done), q[acts, done])
        answers = np.where(step.ended[:, None, None], 0, heard(step.after) - heard(step.observation))
        answered = case(step.after) if case else 0  # as it is when the answer comes
        for k in range(ANSWERS):
            np.add.at(counts, (answered, 2 + k, part[:, None], each), answers[:, k])
    return counts


def estimate(counts: np.ndarray, before: PlugIn) -> PlugIn:
    """Shares from counts (5, bins, A); a part of the day leans on the whole day."""
    if counts.shape[1] > 1:
        before = _estimate(counts.sum(1, keepdims=True), before)
    return _estimate(counts, before)


def _estimate(counts: np.ndarray, before: PlugIn) -> PlugIn:
    """Each share shrunk to what was believed before."""
    tried, hoped, accepted, rejected, overridden = counts
    in_time = accepted + rejected
    return replace(
        before,
        acceptance=(accepted + SHRINK * before.acceptance) / (in_time + SHRINK),
        timely=np.minimum((in_time + SHRINK * before.timely) / (hoped + SHRINK), 1.0),
        wrong=(overridden + SHRINK * before.wrong) / (np.maximum(tried - in_time, overridden) + SHRINK),
        least=LEAST,
    )


plugin_context = partial(PlugInAgent, bins=PARTS, worlds=8, online=True)


NEEDS = ("prior",)
COUNTING = True
AGENTS = {"plugin": PlugInAgent, "plugin_context": plugin_context}
