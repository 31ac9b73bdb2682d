"""Agents that advise: what they know of people's answers comes from a trial of their own."""

from __future__ import annotations

from functools import partial

import numpy as np

from lam_env.core.contracts import Observation, Prediction, Training

from .experiment import try_advice
from .plugin import PERSONAL, AdvicePlugIn, AnswerModel, prices

INTERACTION = "advise"
COPY_GAIN, COPY_COST = 1.0, 0.5  # of a copied habit and of a missed one, for the row that copies


class CopyPlugIn(AdvicePlugIn):
    """The form that suits acting for a person, where it does not suit: it pays for being right about them, and so
    copies their habit."""

    def scores(self, observation: Observation, said: Prediction) -> np.ndarray:
        p = said.next
        value = np.where(observation["action_mask"] > 0, COPY_GAIN * p - COPY_COST * (1 - p), -np.inf)
        value[:, 0] = 0.0
        return value


class AdviceAgent:
    """`kinds`: which kinds of worth count (None: all); `features`: how many of `FEATURES` tell how an advice is taken,
    up to `PERSONAL` nothing of the person's answers so far, up to `OF_KIND` not those of its kind."""

    def __init__(
        self,
        kinds: tuple[str, ...] | None = None,
        features: int = PERSONAL,
        kind: type[AdvicePlugIn] = AdvicePlugIn,
    ):
        self.kinds, self.features, self.kind = kinds, features, kind

    def fit(self, training: Training) -> AdvicePlugIn:
        weights, nag = prices(training)
        if self.kinds is not None:
            weights = {kind: weight for kind, weight in weights.items() if kind in self.kinds}
        trial = try_advice(training)
        answers = AnswerModel.fit(trial.x, trial.action, trial.followed, trial.paid, trial.n_actions, self.features)
        return self.kind(training.prior, answers, weights, nag, trial.worths(answers, nag))


plugin_own = partial(AdviceAgent, kinds=("own",))  # looks at the person's own saving alone
plugin_follow = partial(AdviceAgent, kind=CopyPlugIn)  # copies the habit
NEEDS = ("prior",)
COUNTING = True
MEANINGS = {
    "plugin_own": "where one advises: the plug-in that looks at a person's own saving alone",
    "plugin_follow": "where one advises: the plug-in that copies the habit",
}
AGENTS = {"plugin_own": plugin_own, "plugin_follow": plugin_follow}
