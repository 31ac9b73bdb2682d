"""The training log, replayed while a predictor is tuned, so that it goes on predicting."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from torch import Tensor

from lam_env.core.contracts import Training
from lam_env.logs.decision_points import DecisionPoints
from lam_env.logs.streams import to_learn_from

from ...predictors.network import Predictor
from ...predictors.pool import Pool
from ...predictors.torch_step import TorchStep
from ...predictors.training import Chunks, chunk_loss

CHUNKS = 4  # in a batch


class Replay:
    """Chunks of the log that `predictor` was trained on; which ones, only `seed` and their `number` say."""

    def __init__(self, training: Training, predictor: Predictor | Pool, device: torch.device):
        networks = predictor.networks
        self._data = Chunks(learned_from(training, predictor), networks.featuriser, networks.settings, device)
        self._seed, self.number = training.seed, 0

    def loss(self, step: TorchStep) -> Tensor:
        """Mean cross-entropy [nats] of the next chunks, over the networks."""
        self.number += 1
        rows, real = self._data.some(np.random.default_rng([self._seed, 23, self.number]), CHUNKS)
        return torch.stack([chunk_loss(net, self._data, rows, real) for net in step.nets.children()]).mean()  # type: ignore[arg-type]


def learned_from(training: Training, predictor: Predictor | Pool) -> DecisionPoints:
    """The rows that networks learn from: of a pool that knows a timer those of events alone."""
    if not isinstance(predictor, Pool) or predictor.acts is None or training.log is None:
        return training.train
    train, _ = to_learn_from(dataclasses.replace(training.log, timer=None))
    return train
