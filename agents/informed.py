"""The ceiling of prediction: a net on the hidden state, which no agent sees.

The generator's own probabilities have no closed form where two residents' reaction times compete, so they are estimated: a
memoryless net (the hidden state is Markov) reads the observation's readings and the hidden state, and is trained on the same log.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from lam_env.contracts import Training
from lam_env.errors import UserError
from lam_env.events import Vocabulary
from lam_env.logs.epochs import Epochs

from .predictors.pretrain import pretrain
from .predictors.settings import PredictorSettings
from .thresholded import Thresholded

HIDDEN = "hidden."


def widen(vocabulary: Vocabulary, n_latent: int) -> Vocabulary:
    return dataclasses.replace(
        vocabulary, readings=vocabulary.readings + tuple(f"{HIDDEN}{i}" for i in range(n_latent))
    )


def with_latent(epochs: Epochs, latent: np.ndarray) -> Epochs:
    """Epochs whose context also holds the hidden state (n, L)."""
    if len(latent) != len(epochs):
        raise UserError(f"informed: {len(latent)} rows of hidden state for {len(epochs)} epochs")
    context = np.concatenate([epochs.context, latent.astype(np.float32)], 1)
    return dataclasses.replace(epochs, vocabulary=widen(epochs.vocabulary, latent.shape[1]), context=context)


class Informed(Thresholded):
    """Thresholded on the informed probabilities; is shown `latent`."""

    reveal = ("latent",)

    def predict(self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = True) -> Any:
        seen = dict(observation, context=np.concatenate([observation["context"], observation["latent"]], 1))
        return super().predict(seen, state, episode_start, deterministic)


class InformedAgent:
    """Needs `training.settings["latent"]`: hidden state of the training and the validation log."""

    def fit(self, training: Training) -> Informed:
        if "latent" not in training.settings:
            raise UserError("informed needs a simulated log with its hidden state; leave it out for an imported log")
        train, valid = training.settings["latent"]
        settings = PredictorSettings.for_log(len(train), core="mlp", hidden=256)
        net = pretrain(
            with_latent(training.train, train),
            with_latent(training.valid, valid),
            settings,
            training.seed,
            training.device,
            lambda stage, done, total, note: training.progress("informed ceiling", done, total, note),
        )
        return Informed(net, 0.5)


AGENTS = {"informed": InformedAgent}
