"""Counting as strong as it can be: what this household has answered by part of the day and kind of command.

An answer about one lamp tells of all lamps, and one of the morning tells nothing of the evening.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lam_env.core.contracts import Observation, Training
from lam_env.core.events import BAD, GOOD
from lam_env.core.observation import DAY_PARTS
from lam_env.core.units import DAY

from .fine_tuning.trial import returns
from .plugin import PlugIn, plugin_context

GRID = (0.5, 1.0, 2.0, 4.0, 8.0)  # pseudo-counts


class AnswersByKind:
    """Sums what was heard over all actions of a kind."""

    def __init__(self, kinds: np.ndarray, words: tuple[str, ...]):
        """`kinds` (A,): of each action, see `Vocabulary.kinds`; `words`: the vocabulary's feedback."""
        self.same = (kinds[:, None] == kinds).astype(np.float32)
        self.good, self.bad = (np.array([word in those for word in words], np.float32) for those in (GOOD, BAD))

    def __call__(self, observation: Observation) -> tuple[np.ndarray, np.ndarray]:
        """(N, A) how often actions of each one's kind were accepted, and refused, in this part of the day."""
        part = observation["epoch"][:, 0] % DAY * DAY_PARTS // DAY
        counts = observation["heard"].reshape(len(part), DAY_PARTS, len(self.good), len(self.same))
        heard = counts[np.arange(len(part)), part]  # (N, F, A)
        accepted, refused = ((word @ heard) @ self.same for word in (self.good, self.bad))
        return accepted, refused


@dataclass
class PlugInKind(PlugIn):
    """`pseudo`: counts that the acceptance of households in general is worth."""

    pseudo: float = 4.0

    def __post_init__(self) -> None:
        vocabulary = self.predictor.vocabulary
        self.answers = AnswersByKind(vocabulary.kinds(), vocabulary.feedback)

    def own(self, observation: Observation, acceptance: np.ndarray) -> np.ndarray:
        accepted, refused = self.answers(observation)
        own: np.ndarray = (accepted + self.pseudo * acceptance) / (accepted + refused + self.pseudo)
        return own


class PlugInKindAgent:
    """Acceptance in general as `plugin_context` counts it; the pseudo-counts of `GRID` that return most in the worlds
    that settings are chosen in."""

    def fit(self, training: Training) -> PlugInKind:
        counted = plugin_context().fit(training)
        assert isinstance(counted, PlugIn)
        policy = PlugInKind(counted.predictor, counted.prices, counted.acceptance, counted.loss)
        reached = []
        for i, pseudo in enumerate(GRID):
            training.progress("choose pseudo-counts", i, len(GRID), "")
            reached.append(returns(replace(policy, pseudo=pseudo), training).mean())
        training.progress("choose pseudo-counts", len(GRID), len(GRID), "")
        return replace(policy, pseudo=GRID[int(np.argmax(reached))])


NEEDS = ("prior",)
INTERACTION = "anticipate"
COUNTING = True
AGENTS = {"plugin_kind": PlugInKindAgent}
