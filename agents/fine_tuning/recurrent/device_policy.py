"""A tuned policy whose predictor and head lie on a device, where its state stays: for batches of many worlds."""

from __future__ import annotations

import copy
from typing import NamedTuple

import numpy as np
import torch

from lam_env.core.contracts import Observation, Policy

from ...carry import PredictorState, Starts
from ...predictors.torch_step import TorchStep
from ...where import exact, placed_on
from ..features import PriorFeatures
from ..policy import TunedPolicy
from .packed import DeviceState, PackedFeatures, Packing, advance


class OnDevice(NamedTuple):
    """host: what is counted there; device: the networks' memory. It goes on in place: do not use a state twice."""

    host: PredictorState
    device: DeviceState


class DevicePolicy:
    """Does what `policy` does, within rounding. A step takes one row a world to the device, and one action back."""

    def __init__(self, policy: TunedPolicy, device: torch.device):
        exact(device)
        own = policy.features
        assert isinstance(own, PriorFeatures)
        self.predictor, self._device = own.predictor, device
        self._features = PackedFeatures(own.predictor, own.mean, own.scale)
        self._packing, self._step = Packing(self._features), TorchStep(own.predictor).to(device)
        self._head, self._generator = copy.deepcopy(policy.head).to(device), torch.Generator().manual_seed(0)

    def _logits(self, observation: Observation, state: OnDevice | None, start: Starts) -> tuple[torch.Tensor, OnDevice]:
        n = len(observation["epoch"])
        packed, host = self._features(observation, None if state is None else state.host, start)
        streams = n * host.people
        if state is None:
            on = DeviceState.fresh(self._step, streams, self._device)
        else:
            on = state.device.grown(self._step, streams)
        rows = torch.as_tensor(packed, device=self._device)
        said = advance(self._step, self._packing, on, rows).word
        word = self._step.mixed(said, *self._packing.counts(rows))
        with torch.no_grad():
            return self._head(self._packing.vector(rows, word)), OnDevice(host, on)

    def probabilities(
        self, observation: Observation, state: OnDevice | None = None, episode_start: Starts = None
    ) -> tuple[np.ndarray, OnDevice]:
        """(N, A) with which `predict` samples, 0 where an action is not possible; and the state."""
        logits, state = self._logits(observation, state, episode_start)
        return torch.softmax(logits.double(), 1).cpu().numpy(), state

    def predict(
        self,
        observation: Observation,
        state: OnDevice | None = None,
        episode_start: Starts = None,
        deterministic: bool = True,
    ) -> tuple[np.ndarray, OnDevice]:
        logits, state = self._logits(observation, state, episode_start)
        if not deterministic:
            u = torch.rand(logits.shape, generator=self._generator).clamp_(1e-9)
            logits = torch.log_softmax(logits, 1) - (-u.log()).log().to(self._device)
        return logits.argmax(1).cpu().numpy(), state


def placed(policy: Policy, device: str) -> Policy:
    """A tuned policy of a prior on a GPU, where that is the device; any other as it is."""
    if not isinstance(policy, TunedPolicy) or not isinstance(policy.features, PriorFeatures):
        return policy
    where = placed_on(device)
    return DevicePolicy(policy, where) if where.type == "cuda" else policy
