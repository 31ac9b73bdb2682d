"""Predictors on disk: `model.safetensors`, `config.json`, `manifest.json`, of a pool also `counts.safetensors`. Nothing
is ever unpickled."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import safetensors.numpy
import torch

from lam_env.core.casts import narrow
from lam_env.core.events import Vocabulary
from lam_env.core.files.inputs import json_of
from lam_env.logs.decision_points import MOST_USERS

from ..counting.backoff import ACTS, NEXT, BackOff, outcomes
from ..counting.counts import CountTable
from ..files import ModelError, fill, read_folder, reading, settings_of, to_json, weights_of, write_folder
from .features import Featuriser
from .network import Predictor
from .pool import Pool
from .settings import PredictorSettings

FORMAT = 3
_WEIGHTS, _CONFIG, _COUNTS = "model.safetensors", "config.json", "counts.safetensors"
_MOST = {_WEIGHTS: 1 << 30, _CONFIG: 4 << 20}  # [bytes]
_MOST_COUNTS = {_COUNTS: 1 << 30}
_MOST_COUNTED = 1 << 40  # so often nothing happens; sums of such numbers are still finite


def save(predictor: Predictor | Pool, folder: str | os.PathLike[str]) -> None:
    """Writes the predictor into `folder`, whole or not at all; one that was there is replaced."""
    write_folder(Path(folder), files_of(predictor), FORMAT)


def files_of(predictor: Predictor | Pool) -> dict[str, bytes]:
    """All that `load` needs, by name."""
    pool = predictor if isinstance(predictor, Pool) else None
    networks = predictor.networks
    config = {
        "settings": dataclasses.asdict(networks.settings),
        "timer": predictor.timer,
        "vocabulary": predictor.vocabulary.to_json(),
        "mean": networks.featuriser.mean.tolist(),
        "sd": networks.featuriser.sd.tolist(),
        "users": networks.featuriser.users,
        "pool": None if pool is None else {name: counts.alpha for name, counts in _counts(pool).items()},
    }
    return {**known(predictor), _CONFIG: to_json(config)}


def known(predictor: Predictor | Pool) -> dict[str, bytes]:
    """What it has learned, as files."""
    if not isinstance(predictor, Pool):
        return {_WEIGHTS: weights_of(predictor.nets)}
    arrays = {"weights": predictor.weights}
    for name, counts in _counts(predictor).items():
        arrays |= {f"{name}.contexts": counts.table.keys, f"{name}.counts": counts.table.counts}
    return {_WEIGHTS: weights_of(predictor.networks.nets), _COUNTS: safetensors.numpy.save(arrays)}


def _counts(pool: Pool) -> dict[str, BackOff]:
    return {"next": pool.counts, **({} if pool.acts is None else {"acts": pool.acts})}


def load(folder: str | os.PathLike[str], format_version: int = FORMAT) -> Predictor | Pool:
    """The predictor saved in `folder`; ModelError if it is incomplete, changed, or not one of ours. `format_version`:
    of a folder that holds other things too."""
    folder = Path(folder)
    with reading(folder, "model", "train"):
        content = read_folder(folder, _MOST, format_version)
        config = json_of(content[_CONFIG])
        settings = settings_of(PredictorSettings, config["settings"])
        vocabulary = Vocabulary.from_json(config["vocabulary"])
        mean, sd = (narrow(f"config.json: {k}", config[k], np.float32) for k in ("mean", "sd"))
        if mean.shape != (2 + len(vocabulary.readings),) or mean.shape != sd.shape or not (sd > 0).all():
            raise ModelError(f"{folder}: config.json: mean and sd do not fit the vocabulary; train it again")
        if not np.isfinite(mean).all() or not np.isfinite(sd).all():
            raise ModelError(f"{folder}: config.json: mean and sd are not finite; train it again")
        users = config.get("users", 0)  # older ones are told of nobody
        if type(users) is not int or not 0 <= users <= MOST_USERS:
            raise ModelError(f"{folder}: config.json: users is no number from 0 to {MOST_USERS}; train it again")
        timer = config["timer"]
        if timer is not None and (type(timer) is not int or timer < 1):
            raise ModelError(f"{folder}: config.json: timer is no number of seconds; train it again")
        with torch.device("meta"):  # shapes first: a hostile config may ask for more memory than there is
            featuriser = Featuriser(vocabulary, mean, sd, settings.recency, users)
            expected = Predictor(vocabulary, featuriser, settings, timer)
        fill(expected.nets, content[_WEIGHTS], _WEIGHTS, _CONFIG)
        if config["pool"] is None:
            return expected
        arrays = safetensors.numpy.load(read_folder(folder, _MOST_COUNTS, format_version)[_COUNTS])
        return _pool(expected, config["pool"], arrays)


def _pool(networks: Predictor, alphas: Mapping[str, object], arrays: Mapping[str, np.ndarray]) -> Pool:
    """ValueError if the arrays are not those of a pool."""
    levels, counts = {"next": NEXT, "acts": ACTS}, dict[str, BackOff]()
    for name, alpha in alphas.items():
        contexts, table = arrays[f"{name}.contexts"], arrays[f"{name}.counts"]
        size = outcomes(levels[name], networks.vocabulary)
        if contexts.dtype != np.int64 or table.dtype != np.float32 or contexts.ndim != 1:
            raise ValueError(f"{_COUNTS}: {name} is no table of counts")
        if table.shape != (len(contexts) + 1, size) or (np.diff(contexts) <= 0).any():
            raise ValueError(f"{_COUNTS}: {name} is no table of counts")
        if not ((table >= 0) & (table < _MOST_COUNTED)).all() or table[-1].any():
            raise ValueError(f"{_COUNTS}: {name} holds numbers that are no counts")
        if type(alpha) is not float or not 1e-6 <= alpha <= 1e6:
            raise ValueError(f"{_CONFIG}: pool: {name} is no number from 1e-6 to 1e6")
        made = CountTable(contexts, table, table.sum(1, keepdims=True))
        counts[name] = BackOff(networks.vocabulary, levels[name], made, alpha)
    weights = arrays["weights"]
    if weights.shape != (2,) or not (weights >= 0).all() or not abs(float(weights.sum()) - 1) < 1e-3:
        raise ValueError(f"{_COUNTS}: weights are no shares")
    return Pool(networks, counts["next"], weights, counts.get("acts"))
