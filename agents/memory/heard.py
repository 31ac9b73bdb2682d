"""Answers heard so far, by what they say of an act, for each action or summed over commands of a kind: an answer about
one lamp tells of all lamps."""

from __future__ import annotations

import numpy as np

from lam_env.core.contracts import Observation
from lam_env.core.events import BAD, GOOD, WRONG, Vocabulary
from lam_env.core.observation import DAY_PARTS
from lam_env.core.units import DAY

# what an act may come to
ACCEPTED, REJECTED, OVERRIDDEN, IN_VAIN = range(4)
ANSWERS = 3  # of these are heard
COUNTS = 2 * ANSWERS  # of each action: see `AnswerCounts.by_kind`
# words of feedback, and what they say an act came to; others say nothing of it
MEANINGS = dict.fromkeys(GOOD, ACCEPTED) | {word: OVERRIDDEN if word in WRONG else REJECTED for word in BAD}


class AnswerCounts:
    """Reads `heard` of an observation."""

    def __init__(self, vocabulary: Vocabulary):
        kinds, words = vocabulary.kinds(), vocabulary.feedback
        self.same = (kinds[:, None] == kinds).astype(np.float32)  # (A, A) whether two actions are of one kind
        meant = [[MEANINGS.get(word) == answer for word in words] for answer in range(ANSWERS)]
        self.meant = np.array(meant, np.float32)  # (ANSWERS, F)

    def by_part(self, observation: Observation) -> np.ndarray:
        """(N, DAY_PARTS, ANSWERS, A) how often each action was accepted, rejected and overridden."""
        n, a = observation["action_mask"].shape
        counts: np.ndarray = self.meant @ observation["heard"].reshape(n, DAY_PARTS, self.meant.shape[1], a)
        return counts

    def by_action(self, observation: Observation) -> np.ndarray:
        """(N, ANSWERS, A) at any time of the day."""
        counts: np.ndarray = self.by_part(observation).sum(1)
        return counts

    def by_kind(self, observation: Observation) -> np.ndarray:
        """(N, COUNTS, A) of actions of each one's kind, in this part of the day, then at any time."""
        counts = self.by_part(observation)
        part = observation["epoch"][:, 0] % DAY * DAY_PARTS // DAY
        both: np.ndarray = np.concatenate([counts[np.arange(len(part)), part], counts.sum(1)], 1) @ self.same
        return both
