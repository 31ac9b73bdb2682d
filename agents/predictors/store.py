"""Predictors on disk: `config.json`, `manifest.json`, of networks `model.safetensors`, of a pool `counts.safetensors`.
Nothing is ever unpickled."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
import torch

from lam_env.core.casts import narrow
from lam_env.core.events import Vocabulary
from lam_env.core.files.inputs import json_of
from lam_env.logs.decision_points import MOST_USERS

from ..counting.backoff import ACTS, NEXT, BackOff, outcomes
from ..counting.persons import SIZE, Common, Persons
from ..counting.tables import CountTable
from ..files import ModelError, fill, read_folder, reading, settings_of, to_json, weights_of, write_folder
from .features import Featuriser
from .network import Predictor
from .pool import Pool
from .settings import MOST_WEIGHTS, PredictorSettings

FORMAT = 4
_WEIGHTS, _CONFIG, _COUNTS = "model.safetensors", "config.json", "counts.safetensors"
_MOST = {_WEIGHTS: MOST_WEIGHTS + (1 << 20), _CONFIG: 1 << 26}  # [bytes]; 30,000 names are some megabytes
_MOST_COUNTS = {_COUNTS: 1 << 34}  # 24 bytes at most a row of the log and context: more rows than a log may have
_TABLE = {"keys": np.int64, "first": np.int64, "outcomes": np.int32, "counts": np.float32}
_COMMON = ("weights", "covariance")  # of `Common`
_MOST_COUNTED = 1 << 40  # so often nothing happens; sums of such numbers are still finite


def save(predictor: Predictor | Pool, folder: str | os.PathLike[str]) -> None:
    """Writes the predictor into `folder`, whole or not at all; one that was there is replaced."""
    write_folder(Path(folder), files_of(predictor), FORMAT)


def files_of(predictor: Predictor | Pool) -> dict[str, bytes]:
    """All that `load` needs, by name."""
    pool = predictor if isinstance(predictor, Pool) else None
    nets = predictor if isinstance(predictor, Predictor) else predictor.nets
    config = {
        "settings": None if nets is None else dataclasses.asdict(nets.settings),
        "timer": predictor.timer,
        "vocabulary": predictor.vocabulary.to_json(),
        "mean": None if nets is None else nets.featuriser.mean.tolist(),
        "sd": None if nets is None else nets.featuriser.sd.tolist(),
        "users": 0 if nets is None else nets.featuriser.users,
        "pool": None if pool is None else {name: _number(counts) for name, counts in _counts(pool).items()},
    }
    return {**known(predictor), _CONFIG: to_json(config)}


def known(predictor: Predictor | Pool) -> dict[str, bytes]:
    """What it has learned, as files."""
    if isinstance(predictor, Predictor):
        return {_WEIGHTS: weights_of(predictor.nets)}
    arrays = {"weights": predictor.weights}
    for name, counts in _counts(predictor).items():
        arrays |= {f"{name}.{part}": getattr(counts.table, part) for part in _TABLE}
        if isinstance(counts, Persons):
            arrays |= {f"{name}.{part}": getattr(counts.common, part) for part in _COMMON}
    files = {_COUNTS: safetensors.numpy.save(arrays)}
    return files if predictor.nets is None else {_WEIGHTS: weights_of(predictor.nets.nets), **files}


def _counts(pool: Pool) -> dict[str, BackOff | Persons]:
    name = "persons" if isinstance(pool.counts, Persons) else "next"
    return {name: pool.counts, **({} if pool.acts is None else {"acts": pool.acts})}


def _number(counts: BackOff | Persons) -> float | dict[str, float]:
    """What was chosen of counts, besides what they are."""
    return counts.common.mass if isinstance(counts, Persons) else dict(counts.factors)


def load(folder: str | os.PathLike[str], format_version: int = FORMAT) -> Predictor | Pool:
    """The predictor saved in `folder`; ModelError if it is incomplete, changed, or not one of ours. `format_version`:
    of a folder that holds other things too."""
    folder = Path(folder)
    with reading(folder, "model", "train"):
        config = json_of(read_folder(folder, {_CONFIG: _MOST[_CONFIG]}, format_version)[_CONFIG])
        vocabulary, timer = Vocabulary.from_json(config["vocabulary"]), config["timer"]
        if timer is not None and (type(timer) is not int or timer < 1):
            raise ModelError(f"{folder}: config.json: timer is no number of seconds; train it again")
        nets = None
        if config["settings"] is not None or config["pool"] is None:
            nets = _networks(folder, config, vocabulary, read_folder(folder, _MOST, format_version)[_WEIGHTS])
        if config["pool"] is None:
            assert nets is not None
            return nets
        arrays = safetensors.numpy.load(read_folder(folder, _MOST_COUNTS, format_version)[_COUNTS])
        return _pool(nets, vocabulary, config, arrays)


def _networks(folder: Path, config: Mapping[str, Any], vocabulary: Vocabulary, weights: bytes) -> Predictor:
    settings = settings_of(PredictorSettings, config["settings"])
    mean, sd = (narrow(f"config.json: {k}", config[k], np.float32) for k in ("mean", "sd"))
    if mean.shape != (2 + len(vocabulary.readings),) or mean.shape != sd.shape or not (sd > 0).all():
        raise ModelError(f"{folder}: config.json: mean and sd do not fit the vocabulary; train it again")
    if not np.isfinite(mean).all() or not np.isfinite(sd).all():
        raise ModelError(f"{folder}: config.json: mean and sd are not finite; train it again")
    users = config.get("users", 0)  # older ones are told of nobody
    if type(users) is not int or not 0 <= users <= MOST_USERS:
        raise ModelError(f"{folder}: config.json: users is no number from 0 to {MOST_USERS:,}; train it again")
    with torch.device("meta"):  # shapes first: a hostile config may ask for more memory than there is
        featuriser = Featuriser(vocabulary, mean, sd, settings.recency, users)
        made = Predictor(vocabulary, featuriser, settings, config["timer"])
    fill(made.nets, weights, _WEIGHTS, _CONFIG)
    return made


def _pool(
    nets: Predictor | None, vocabulary: Vocabulary, config: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> Pool:
    """ValueError if the arrays are not those of a pool."""
    chosen = dict(config["pool"].items())
    if set(chosen) - {"acts"} not in ({"next"}, {"persons"}):
        raise ValueError(f"{_CONFIG}: pool: {', '.join(chosen)} are no counts")
    counts = {}
    for name, levels in {"next": NEXT, "acts": ACTS}.items():
        if name in chosen:
            factors = _factors(name, levels, chosen[name])
            counts[name] = BackOff(vocabulary, factors, _table(name, arrays, outcomes(levels, vocabulary)))
    weights = arrays["weights"]
    if weights.shape != (2,) or not (weights >= 0).all() or not abs(float(weights.sum()) - 1) < 1e-3:
        raise ValueError(f"{_COUNTS}: weights are no shares")
    if "next" in counts:
        return Pool(nets, counts["next"], weights, counts.get("acts"), config["timer"])
    mass = _checked_number("persons", chosen["persons"])
    common = Common(arrays["persons.weights"], arrays["persons.covariance"], mass)
    if any(part.dtype != np.float64 or not np.isfinite(part).all() for part in common[:2]):
        raise ValueError(f"{_COUNTS}: persons holds weights that are none")
    if common.weights.shape != (SIZE,) or common.covariance.shape != (SIZE, SIZE):
        raise ValueError(f"{_COUNTS}: persons holds weights that are none")
    persons = Persons(vocabulary, _table("persons", arrays, len(vocabulary)), common)
    return Pool(nets, persons, weights, counts.get("acts"), config["timer"])


def _factors(name: str, levels: tuple[str, ...], chosen: object) -> dict[str, float]:
    """By level, in their order; the first is there."""
    if not isinstance(chosen, dict) or levels[0] not in chosen or not chosen.keys() <= {*levels}:
        raise ValueError(f"{_CONFIG}: pool: {name} has not the factors of its levels")
    return {level: _checked_number(name, chosen[level]) for level in levels if level in chosen}


def _checked_number(name: str, number: object) -> float:
    if type(number) is not float or not 1e-6 <= number <= 1e6:
        raise ValueError(f"{_CONFIG}: pool: {name} is no number from 1e-6 to 1e6")
    return number


def _table(name: str, arrays: Mapping[str, np.ndarray], size: int) -> CountTable:
    """ValueError if the arrays are not those of a table of counts."""
    parts = {part: arrays[f"{name}.{part}"] for part in _TABLE}
    if any(parts[part].dtype != kind or parts[part].ndim != 1 for part, kind in _TABLE.items()):
        raise ValueError(f"{_COUNTS}: {name} is no table of counts")
    keys, first, known, counts = parts.values()
    if len(first) != len(keys) + 2 or (np.diff(keys) <= 0).any() or len(known) != len(counts):
        raise ValueError(f"{_COUNTS}: {name} is no table of counts")
    if first[0] != 0 or not first[-2] == first[-1] == len(known) or (np.diff(first) < 0).any():
        raise ValueError(f"{_COUNTS}: {name} is no table of counts")
    row = np.repeat(np.arange(len(keys) + 1), np.diff(first))
    if ((known < 0) | (known >= size)).any() or (np.diff(row * size + known) <= 0).any():
        raise ValueError(f"{_COUNTS}: {name} holds outcomes that are none")
    if not ((counts > 0) & (counts < _MOST_COUNTED)).all():
        raise ValueError(f"{_COUNTS}: {name} holds numbers that are no counts")
    return CountTable.of(keys, first, known, counts, size)
