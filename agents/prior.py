"""The shared prior as a policy."""

from __future__ import annotations

from lam_env.core.contracts import Training

from .thresholded import Thresholded, with_best_threshold


class PriorAgent:
    """Thresholded."""

    def fit(self, training: Training) -> Thresholded:
        return with_best_threshold(training.prior, training)


NEEDS = ("prior",)
MEANINGS = {"prior": "the pre-trained predictor: a network, of a real log a pool; acts above a threshold"}
AGENTS = {"prior": PriorAgent}
