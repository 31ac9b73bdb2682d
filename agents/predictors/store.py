"""Predictors on disk: `model.safetensors`, `config.json`, `manifest.json`. Nothing is ever unpickled."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import numpy as np
import torch

from lam_env.core.casts import narrow
from lam_env.core.events import Vocabulary
from lam_env.core.files.inputs import json_of

from ..files import ModelError, fill, read_folder, reading, settings_of, to_json, weights_of, write_folder
from .features import Featuriser
from .network import Predictor
from .settings import PredictorSettings

FORMAT = 2
_WEIGHTS, _CONFIG = "model.safetensors", "config.json"
_MOST = {_WEIGHTS: 1 << 30, _CONFIG: 4 << 20}  # [bytes]


def save(predictor: Predictor, folder: str | os.PathLike[str]) -> None:
    """Writes the predictor into `folder`, whole or not at all; one that was there is replaced."""
    config = {
        "settings": dataclasses.asdict(predictor.settings),
        "timer": predictor.timer,
        "vocabulary": predictor.vocabulary.to_json(),
        "mean": predictor.featuriser.mean.tolist(),
        "sd": predictor.featuriser.sd.tolist(),
    }
    write_folder(Path(folder), {_WEIGHTS: weights_of(predictor.nets), _CONFIG: to_json(config)}, FORMAT)


def load(folder: str | os.PathLike[str]) -> Predictor:
    """The predictor saved in `folder`; ModelError if it is incomplete, changed, or not one of ours."""
    folder = Path(folder)
    with reading(folder, "model", "train"):
        content = read_folder(folder, _MOST, FORMAT)
        config = json_of(content[_CONFIG])
        settings = settings_of(PredictorSettings, config["settings"])
        vocabulary = Vocabulary.from_json(config["vocabulary"])
        mean, sd = (narrow(f"config.json: {k}", config[k], np.float32) for k in ("mean", "sd"))
        if mean.shape != (2 + len(vocabulary.readings),) or mean.shape != sd.shape or not (sd > 0).all():
            raise ModelError(f"{folder}: config.json: mean and sd do not fit the vocabulary; train it again")
        if not np.isfinite(mean).all() or not np.isfinite(sd).all():
            raise ModelError(f"{folder}: config.json: mean and sd are not finite; train it again")
        timer = config["timer"]
        if timer is not None and (type(timer) is not int or timer < 1):
            raise ModelError(f"{folder}: config.json: timer is no number of seconds; train it again")
        with torch.device("meta"):  # shapes first: a hostile config may ask for more memory than there is
            expected = Predictor(vocabulary, Featuriser(vocabulary, mean, sd, settings.recency), settings, timer)
        fill(expected.nets, content[_WEIGHTS], _WEIGHTS, _CONFIG)
        return expected
