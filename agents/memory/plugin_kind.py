"""Counting as strong as it can be: what this household has answered by part of the day and kind of command.

An answer about one lamp tells of all lamps, and one of the morning tells nothing of the evening.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from lam_env.core.contracts import Observation, Training

from ..fine_tuning.trial import best
from ..plugin import PlugIn, plugin_context
from .heard import ACCEPTED, ANSWERS

GRID = (0.5, 1.0, 2.0, 4.0)  # pseudo-counts


@dataclass
class PlugInKind(PlugIn):
    """`pseudo`: counts that the acceptance of households in general is worth."""

    pseudo: float = 1.0

    def own(self, observation: Observation, acceptance: np.ndarray) -> np.ndarray:
        answered = self.counts.by_kind(observation)[:, :ANSWERS]
        own: np.ndarray = (answered[:, ACCEPTED] + self.pseudo * acceptance) / (answered.sum(1) + self.pseudo)
        return own


class PlugInKindAgent:
    """Households in general as `plugin_context` counts them; the pseudo-counts of `GRID` that return most in the worlds
    that settings are chosen in."""

    def fit(self, training: Training) -> PlugInKind:
        counted = plugin_context().fit(training)
        policy = PlugInKind(**{f.name: getattr(counted, f.name) for f in fields(PlugIn)})
        return best([replace(policy, pseudo=pseudo) for pseudo in GRID], training, "pseudo-counts")


NEEDS = ("prior",)
INTERACTION = "anticipate"
COUNTING = True
MEANINGS = {
    "plugin_kind": "where one acts for people: `plugin` that counts by kind of command and part of the day: what one "
    "lamp was answered tells of all lamps",
}
AGENTS = {"plugin_kind": PlugInKindAgent}
