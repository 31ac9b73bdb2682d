"""An estimate of the ceiling of prediction: a net on the hidden state, which no agent sees.

The generator's own probabilities have no closed form where two residents' reaction times compete, so they are
estimated: a memoryless net (the hidden state is Markov) reads the readings and the hidden state, and is trained on the
same log.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from lam_env.core.contracts import Observation, PredictionCeiling, Training
from lam_env.core.errors import UserError
from lam_env.logs.decision_points import DecisionPoints

from .carry import Carried, CarriedPolicy, PredictorState, Starts
from .plugin import PlugIn
from .predictors.network import Predictor
from .predictors.pool import Pool
from .predictors.pretrain import pretrain
from .predictors.settings import PredictorSettings
from .predictors.store import load, save

HIDDEN = "hidden."
PASSES = 8  # of its log; fewer where the run's predictor is told to read its own less often


def with_latent(points: DecisionPoints, latent: np.ndarray, kind: type = np.float32) -> DecisionPoints:
    """Decision points whose context also holds the hidden state (n, L), as numbers of `kind`."""
    if len(latent) != len(points):
        raise UserError(f"informed: {len(latent):,} rows of hidden state for {len(points):,} decision points")
    context: np.ndarray = np.concatenate([points.context, latent], 1, dtype=kind, casting="same_kind")
    readings = points.vocabulary.readings + tuple(f"{HIDDEN}{i}" for i in range(latent.shape[1]))
    vocabulary = dataclasses.replace(points.vocabulary, readings=readings)
    return dataclasses.replace(points, vocabulary=vocabulary, context=context)


class SeesHidden(CarriedPolicy):
    """A policy that is shown `latent` and reads it as further readings."""

    reveal = ("latent",)
    see = staticmethod(with_latent)

    def predict(
        self, observation: Observation, state: Carried = None, episode_start: Starts = None, deterministic: bool = True
    ) -> tuple[np.ndarray, PredictorState]:
        context = np.concatenate([observation["context"], observation["latent"]], 1)
        return super().predict(observation | {"context": context}, state, episode_start, deterministic)


class InformedPlugIn(SeesHidden, PlugIn):
    """The plug-in rule on the informed probabilities."""


def hidden_predictor(training: Training) -> Predictor | Pool:
    """The net on the hidden state, trained on a log of its own that shows it."""
    saved = training.informed
    if saved is not None and saved.is_dir():
        return load(saved)
    if training.hidden_log is None:
        raise UserError("informed needs a simulator that shows its hidden state; leave it out")
    points, latent = training.hidden_log()
    worlds = np.unique(points.world)
    held = points.world >= worlds[-max(1, len(worlds) // 8)]
    # half precision where the readings allow it, as the hidden state comes: it is the largest array of a run
    kind = np.float16 if np.abs(points.context).max(initial=0) < 6e4 else np.float32
    train, valid = (with_latent(points.select(rows), latent[rows], kind) for rows in (~held, held))
    del points, latent  # hundreds of megabytes
    settings = PredictorSettings.for_log(
        len(train) + len(valid), core="mlp", hidden=256, passes=min(PASSES, training.passes or PASSES)
    )

    def report(stage: str, done: int, total: int, note: str) -> None:
        training.progress("ceiling", done, total, note)

    net = pretrain(train, valid, settings, training.seed, training.device, report, training.checkpoints)
    if saved is not None:
        saved.parent.mkdir(parents=True, exist_ok=True)
        save(net, saved)
    return net


class InformedAgent:
    """Needs `training.hidden_log`."""

    def fit(self, training: Training) -> PredictionCeiling:
        return PredictionCeiling(hidden_predictor(training), with_latent)


class LadderActivity:
    """The rung "activity" of the information ladder: the plug-in rule on the informed probabilities."""

    def fit(self, training: Training) -> InformedPlugIn:
        return InformedPlugIn.untried(hidden_predictor(training), training, online=True)


NEEDS = ("latent",)
MEANINGS = {
    "informed": "an estimate of the ceiling of prediction: a net on the hidden state, which no agent sees; it does "
    "not act",
    "ladder_activity": "a rung of the information ladder between `prior` and `oracle`: the greedy rule on what "
    "`informed` expects",
}
AGENTS = {"informed": InformedAgent, "ladder_activity": LadderActivity}
