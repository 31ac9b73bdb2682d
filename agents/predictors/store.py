"""Predictors on disk: `model.safetensors`, `config.json`, `manifest.json`. Nothing is ever unpickled."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from safetensors import SafetensorError

import lam_env
from lam_env.errors import UserError
from lam_env.events import Vocabulary

from .features import Featuriser
from .network import Predictor
from .settings import PredictorSettings

FORMAT = 1
_FILES = ("model.safetensors", "config.json")
_MOST_JSON = 4 << 20  # [bytes]
_MOST_WEIGHTS = 1 << 30


class ModelError(UserError):
    """A model folder that cannot be used; the message says which and why."""


def save(predictor: Predictor, folder: str | os.PathLike[str]) -> None:
    """Writes the predictor into `folder`, whole or not at all; one that was there is replaced."""
    folder = Path(folder)
    part, old = (folder.with_name(f".{folder.name}.{os.getpid()}.{end}") for end in ("part", "old"))
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        weights = {k: v.detach().cpu().contiguous() for k, v in predictor.nets.state_dict().items()}
        config = {
            "settings": dataclasses.asdict(predictor.settings),
            "vocabulary": predictor.vocabulary.to_json(),
            "mean": predictor.featuriser.mean.tolist(),
            "sd": predictor.featuriser.sd.tolist(),
        }
        _write(part / "model.safetensors", safetensors.torch.save(weights))
        _write(part / "config.json", (json.dumps(config, indent=1) + "\n").encode())
        manifest = {
            "format": FORMAT,
            "versions": {"lam_env": lam_env.__version__, "torch": torch.__version__, "numpy": np.__version__},
            "sha256": {name: _digest(part / name) for name in _FILES},
        }
        _write(part / "manifest.json", (json.dumps(manifest, indent=1) + "\n").encode())
        _sync(part)
        if folder.exists():
            os.replace(folder, old)
        os.replace(part, folder)
        _sync(folder.parent)
    finally:
        shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def load(folder: str | os.PathLike[str]) -> Predictor:
    """The predictor saved in `folder`; ModelError if it is incomplete, changed, or not one of ours."""
    folder = Path(folder)
    try:
        return _load(folder)
    except ModelError:
        raise
    except (OSError, ValueError, TypeError, KeyError, RuntimeError, RecursionError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise ModelError(f"{folder}: not a readable model ({reason}); train it again") from None


def _load(folder: Path) -> Predictor:
    if not (folder / "manifest.json").is_file():
        raise ModelError(f"{folder}: no model here (no manifest.json); train one or give another folder")
    manifest = json.loads(_read(folder / "manifest.json", _MOST_JSON))
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ModelError(f"{folder}: the model's format is not {FORMAT}; train it again with this version")
    content = {}
    for name, most in zip(_FILES, (_MOST_WEIGHTS, _MOST_JSON), strict=True):
        content[name] = _read(folder / name, most)
        if hashlib.sha256(content[name]).hexdigest() != manifest["sha256"][name]:
            raise ModelError(
                f"{folder}: {name} is not the file that was saved (sha256 differs); restore or train again"
            )
    config = json.loads(content["config.json"])
    settings, vocabulary = _settings(config["settings"]), Vocabulary.from_json(config["vocabulary"])
    mean, sd = (np.asarray(config[k], np.float32) for k in ("mean", "sd"))
    if mean.shape != (2 + len(vocabulary.readings),) or mean.shape != sd.shape or not (sd > 0).all():
        raise ModelError(f"{folder}: config.json: mean and sd do not fit the vocabulary; train it again")
    if not np.isfinite(mean).all() or not np.isfinite(sd).all():
        raise ModelError(f"{folder}: config.json: mean and sd are not finite; train it again")
    weights = safetensors.torch.load(content["model.safetensors"])
    with torch.device("meta"):  # shapes first: a hostile config may ask for more memory than there is
        expected = Predictor(vocabulary, Featuriser(vocabulary, mean, sd, settings.recency), settings)
    wanted = {k: (tuple(v.shape), v.dtype) for k, v in expected.nets.state_dict().items()}
    if {k: (tuple(v.shape), v.dtype) for k, v in weights.items()} != wanted:
        raise ModelError(f"{folder}: model.safetensors does not hold the arrays that config.json describes")
    if not all(bool(torch.isfinite(v).all()) for v in weights.values()):
        raise ModelError(f"{folder}: model.safetensors holds numbers that are not finite; train it again")
    expected.nets.load_state_dict(weights, assign=True)
    return expected


def _settings(data: Any) -> PredictorSettings:
    fields = {f.name: f for f in dataclasses.fields(PredictorSettings)}
    if not isinstance(data, dict) or set(data) != set(fields):
        raise ValueError("config.json: settings are not those of this version")
    for name, value in data.items():
        default = fields[name].default
        if type(value) is not type(default) and not (isinstance(default, float) and type(value) is int):
            raise ValueError(f"config.json: setting {name} is not a {type(default).__name__}")
    return PredictorSettings(**data)


def _read(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"{path.name} is larger than {most} bytes")
    return content


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
