"""Agents that advise: what they know of people's answers comes from a trial of their own."""

from __future__ import annotations

from typing import Any

import numpy as np

from lam_env.core.contracts import Training

from .experiment import try_advice
from .plugin import FEATURES, PERSONAL, AdvicePlugIn, AnswerModel, prices

INTERACTION = "advise"
COPY_GAIN, COPY_COST = 1.0, 0.5  # of a copied habit and of a missed one, for the row that copies


class CopyPlugIn(AdvicePlugIn):
    """The form that suits acting for her, where it does not suit: it pays for being right about her, and so copies her habit."""

    def values(self, observation: Any, p: np.ndarray) -> np.ndarray:
        value = np.where(observation["action_mask"] > 0, COPY_GAIN * p - COPY_COST * (1 - p), -np.inf)
        value[:, 0] = 0.0
        return value


class AdviceAgent:
    """`kinds`: which kinds of worth count (None: all); `personal`: how she was advised and has answered so far tells of her answers."""

    def __init__(
        self, kinds: tuple[str, ...] | None = None, personal: bool = False, kind: type[AdvicePlugIn] = AdvicePlugIn
    ):
        self.kinds, self.personal, self.kind = kinds, personal, kind

    def fit(self, training: Training) -> AdvicePlugIn:
        weights, nag = prices(training)
        if self.kinds is not None:
            weights = {kind: weight for kind, weight in weights.items() if kind in self.kinds}
        heard = try_advice(training)
        used = len(FEATURES) if self.personal else PERSONAL
        answers = AnswerModel.fit(heard.x, heard.answered, heard.y, heard.paid, heard.n_actions, used)
        return self.kind(training.prior, answers, weights, nag, heard.worths(answers, nag))


def plugin_own() -> AdviceAgent:
    """Looks at the person's own saving alone."""
    return AdviceAgent(kinds=("own",))


def plugin_follow() -> AdviceAgent:
    """Copies the habit."""
    return AdviceAgent(kind=CopyPlugIn)


NEEDS = ("prior",)
AGENTS = {"plugin_own": plugin_own, "plugin_follow": plugin_follow}
