"""Answers heard so far, summed over commands of a kind: an answer about one lamp tells of all lamps."""

from __future__ import annotations

import numpy as np

from lam_env.core.contracts import Observation
from lam_env.core.events import BAD, GOOD, Vocabulary
from lam_env.core.observation import DAY_PARTS
from lam_env.core.units import DAY

COUNTS = 4  # of each action: see `HeardByKind.__call__`


class HeardByKind:
    """Reads `heard` of an observation."""

    def __init__(self, vocabulary: Vocabulary):
        kinds, words = vocabulary.kinds(), vocabulary.feedback
        self.same = (kinds[:, None] == kinds).astype(np.float32)  # (A, A) whether two actions are of one kind
        self.meant = np.array([[word in those for word in words] for those in (GOOD, BAD)], np.float32)  # (2, F)

    def __call__(self, observation: Observation) -> np.ndarray:
        """(N, COUNTS, A) how often actions of each one's kind were accepted and refused in this part of the day, then
        how often at any time."""
        n, a = observation["action_mask"].shape
        counts = self.meant @ observation["heard"].reshape(n, DAY_PARTS, len(self.meant[0]), a)  # (N, DAY_PARTS, 2, A)
        part = observation["epoch"][:, 0] % DAY * DAY_PARTS // DAY
        now_and_ever = np.concatenate([counts[np.arange(n), part], counts.sum(1)], 1)
        by_kind: np.ndarray = now_and_ever @ self.same
        return by_kind
