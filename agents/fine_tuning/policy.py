"""The policy that fine-tuning gives."""

from __future__ import annotations

import numpy as np
import torch

from lam_env.core.contracts import Observation, Prediction

from ..carry import Carried, Starts, check_batch
from .features import Features, PriorFeatures


class TunedPolicy:
    """A trained head on its features, with SB3's `predict`; carries the prior in its state. `with_prior`: it is saved
    with its predictor, which lies nowhere else."""

    def __init__(self, features: Features, head: torch.nn.Module, seed: int = 0, with_prior: bool = False):
        self.with_prior = with_prior
        self.features, self.head = features, head.cpu().eval()
        self.predictor = features.predictor
        self._generator = torch.Generator().manual_seed(seed)

    def logits(self, observation: Observation, state: Carried, episode_start: Starts) -> tuple[torch.Tensor, Carried]:
        check_batch(observation, self.features.vocabulary)
        vector, state = self.features(observation, state, episode_start)
        with torch.no_grad():
            return self.head(torch.from_numpy(vector)), state

    def scores(self, observation: Observation, said: Prediction) -> np.ndarray:
        """(N, A) logits, given what the prior has said."""
        assert isinstance(self.features, PriorFeatures)
        with torch.no_grad():
            scored: np.ndarray = self.head(torch.from_numpy(self.features.vector(observation, said))).numpy()
        return scored

    def probabilities(
        self, observation: Observation, state: Carried = None, episode_start: Starts = None
    ) -> tuple[np.ndarray, Carried]:
        """(N, A) with which `predict` samples, 0 where an action is not possible; and the state."""
        logits, state = self.logits(observation, state, episode_start)
        return torch.softmax(logits.double(), 1).numpy(), state

    def predict(
        self, observation: Observation, state: Carried = None, episode_start: Starts = None, deterministic: bool = True
    ) -> tuple[np.ndarray, Carried]:
        logits, state = self.logits(observation, state, episode_start)
        if not deterministic:
            u = torch.rand(logits.shape, generator=self._generator).clamp_(1e-9)
            logits = torch.log_softmax(logits, 1) - (-u.log()).log()
        return logits.argmax(1).numpy(), state
