"""Plug-in agents: expected utility on the prior's probabilities, with what feedback says counted, not learned.

value(a) = gain * acceptance(a) * q(a) - loss(a) * (1 - acceptance(a) * q(a)), with q from the prior's next and soon
heads. Acceptance and loss are counted in a trial and shrunk to what the prior alone would say. It is the row that a tuned policy has
to beat, so it gets the same inputs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lam_env.core.contracts import ActionPredictor, Training
from lam_env.core.seeds import Use, world_seeds
from lam_env.logs.epochs import DAY

from .advice.agent import AdviceAgent
from .advice.plugin import AdvicePlugIn
from .carry import anticipation, listen, slow_actions
from .fine_tuning.features import PARTS
from .thresholded import Thresholded, with_best_threshold

GAIN, LOSS = 1.2, 0.5  # of an assist (with the miss it saves), and of acting in vain before anything is counted
REFUSED = 1.8  # mean cost of an override or a rejection
SHRINK = 4.0  # pseudo-counts


class PlugIn:
    """`acceptance` and `loss` (bins, A): per part of the day (bins = 1: whole day) and action. `online`: also counts
    what this very household has accepted and refused in this episode."""

    def __init__(self, predictor: ActionPredictor, acceptance: np.ndarray, loss: np.ndarray, online: bool = False):
        self.predictor, self.acceptance, self.loss, self.online = predictor, acceptance, loss, online
        self.slow = slow_actions(predictor.vocabulary.patience)

    def values(self, observation: Any, said: Any) -> tuple[np.ndarray, np.ndarray]:
        """(N, A) value of each action and the probability q behind it."""
        q = anticipation(said, self.slow)
        part = observation["epoch"][:, 0] % DAY * len(self.acceptance) // DAY
        acceptance, loss = self.acceptance[part], self.loss[part]
        if self.online:
            a = q.shape[1]
            accepted, refused = observation["feedback"][:, :a], observation["feedback"][:, a:]
            acceptance = (accepted + SHRINK * acceptance) / (accepted + refused + SHRINK)
        good = np.clip(q * acceptance, 0.0, 1.0)
        value = GAIN * good - loss * (1 - good) - REFUSED * (q - good).clip(0)
        return np.where((observation["action_mask"] > 0) & (q >= 0.1), value, -np.inf), q

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = True
    ) -> Any:
        state = listen(self.predictor, observation, state, episode_start)
        value, _ = self.values(observation, state.said)
        value[:, 0] = 0.0
        return value.argmax(1), state


class PlugInAgent:
    """`bins` parts of the day; `houses` weeks of feedback are counted."""

    def __init__(self, bins: int = 1, houses: int = 1, online: bool = False):
        self.bins, self.houses, self.online = bins, houses, online

    def fit(self, training: Training) -> PlugIn | AdvicePlugIn:
        if training.interaction == "advise":
            return AdviceAgent(personal=self.online).fit(training)
        a = len(training.vocabulary)
        trial = PlugIn(training.prior, np.ones((1, a)), np.full((1, a), LOSS))
        counts, share, loss = self._count(trial, training), trial.acceptance, trial.loss
        if self.bins > 1:  # a part of the day leans on the whole day
            whole = [x.sum(0, keepdims=True) for x in counts]
            share, loss = _estimate(whole, share, loss)
        return PlugIn(training.prior, *_estimate(counts, share, loss), online=self.online)

    def _count(self, trial: PlugIn, training: Training) -> list[np.ndarray]:
        """Per part of the day and action: tries, probabilities of the tries summed, accepted, refused."""
        n, a = self.houses, len(training.vocabulary)
        env = training.make_worlds(n, autoreset=False)
        observation, _ = env.reset(seed=world_seeds(Use.PLUGIN_TRIAL, n, training.seed))
        counts = [np.zeros((self.bins, a)) for _ in range(4)]
        state, start, rows = None, np.ones(n, bool), np.arange(n)
        while not env.finished.all():
            state = listen(training.prior, observation, state, start)
            value, q = trial.values(observation, state.said)
            value[:, 0] = 0.0
            actions = value.argmax(1)
            acts = (actions > 0) & ~env.finished
            part = observation["epoch"][:, 0] % DAY * self.bins // DAY
            np.add.at(counts[0], (part[acts], actions[acts]), 1)
            np.add.at(counts[1], (part[acts], actions[acts]), q[rows, actions][acts])
            before = observation["feedback"]
            observation, _, _, start, _ = env.step(actions)
            heard = np.where(start[:, None], 0, observation["feedback"] - before)
            np.add.at(counts[2], part, heard[:, :a])
            np.add.at(counts[3], part, heard[:, a:])
        return counts


def _estimate(counts: list[np.ndarray], share: np.ndarray, loss: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Acceptances per hoped-for one, and loss per try in vain, each shrunk to `share` and `loss`."""
    tried, hoped, accepted, refused = counts
    acceptance = np.minimum((accepted + SHRINK * share) / (hoped + SHRINK), 1.0)
    vain = np.maximum(tried - accepted, 0)
    return acceptance, (REFUSED * refused + SHRINK * loss) / (vain + SHRINK)


def plugin_context() -> PlugInAgent:
    return PlugInAgent(bins=PARTS, houses=8, online=True)


class PriorAgent:
    """The shared prior, thresholded."""

    def fit(self, training: Training) -> Thresholded:
        return with_best_threshold(training.prior, training)


NEEDS = ("prior",)
AGENTS = {"prior": PriorAgent, "plugin": PlugInAgent, "plugin_context": plugin_context}
