"""The pre-trained predictor as a policy."""

from __future__ import annotations

from lam_env.contracts import Training

from .thresholded import Thresholded, with_best_threshold


class PriorAgent:
    """The shared prior, thresholded."""

    def fit(self, training: Training) -> Thresholded:
        return with_best_threshold(training.prior, training)


NEEDS = ("prior",)
AGENTS = {"prior": PriorAgent}
