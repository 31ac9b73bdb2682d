"""The shared prior as a policy."""

from __future__ import annotations

from lam_env.core.contracts import Training

from .thresholded import Thresholded, with_best_threshold


class PriorAgent:
    """Thresholded."""

    def fit(self, training: Training) -> Thresholded:
        return with_best_threshold(training.prior, training)


NEEDS = ("prior",)
AGENTS = {"prior": PriorAgent}
