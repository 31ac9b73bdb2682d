"""What people want but not from a machine, as a scenario draws it: for reference rows that are told of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lam_env.core.shared import Shared
from lam_env.core.units import DAY

NEVER = -1  # in the place of a cell: what nobody dislikes
CERTAIN = 60.0  # evidence is cut off there, as a logarithm of odds


@dataclass(frozen=True, eq=False)
class Dislikes(Shared):
    """Standing dislikes of a household, each of a cell: some actions in some windows of the day.

    `cells` (W, A): per window and action its cell, or `NEVER`. `classes` (K,): probabilities of the classes that
    households are of. `p` (K, C): that a household of a class dislikes a cell, whatever else it dislikes. `latent`:
    column of the hidden state from which on (A,) it says what is disliked now.
    """

    cells: np.ndarray
    classes: np.ndarray
    p: np.ndarray
    latent: int

    def cells_at(self, time: np.ndarray) -> np.ndarray:
        """Times (N,) in ticks of a second -> cells (N, A)."""
        found: np.ndarray = self.cells[time % DAY * len(self.cells) // DAY]
        return found

    def posterior(self, evidence: np.ndarray) -> np.ndarray:
        """(N, C + 1) probability that a household dislikes each cell; 0 in the last column, which is that of `NEVER`.

        evidence (N, C): logarithm of P(answers | disliked) / P(answers | not) by cell. Given the class cells are
        independent, so Bayes' rule is exact in closed form: a class counts as its share times the product over cells
        of 1 - p + p exp(evidence).
        """
        odds = np.exp(evidence.clip(-CERTAIN, CERTAIN))[:, None]  # (N, 1, C)
        likelihood = 1 - self.p + self.p * odds  # (N, K, C), of the answers
        log = np.log(self.classes) + np.log(likelihood.clip(1e-300)).sum(2)
        weights = np.exp(log - log.max(1, keepdims=True))
        weights /= weights.sum(1, keepdims=True)
        disliked = (weights[:, :, None] * (self.p * odds / likelihood.clip(1e-300))).sum(1)
        return np.concatenate([disliked, np.zeros((len(evidence), 1))], 1)
