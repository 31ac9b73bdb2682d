"""Choice models on disk: `model.safetensors`, `config.json`, `manifest.json`. Nothing is ever unpickled."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import torch

from ..files import fill, read_folder, reading, to_json, weights_of, write_folder
from .model import ChoiceModel
from .network import ChoiceSettings

FORMAT = 1
_WEIGHTS, _CONFIG = "model.safetensors", "config.json"
_MOST = {_WEIGHTS: 1 << 28, _CONFIG: 4 << 20}  # [bytes]


def save(model: ChoiceModel, folder: str | os.PathLike[str]) -> None:
    """Writes the model into `folder`, whole or not at all; one that was there is replaced."""
    config = {"settings": dataclasses.asdict(model.settings), **model.names}
    write_folder(Path(folder), {_WEIGHTS: weights_of(model.networks), _CONFIG: to_json(config)}, FORMAT)


def load(folder: str | os.PathLike[str]) -> ChoiceModel:
    """The model saved in `folder`; ModelError if it is incomplete, changed, or not one of ours."""
    folder = Path(folder)
    with reading(folder, "model", "fit"):
        return _load(folder)


def _load(folder: Path) -> ChoiceModel:
    content = read_folder(folder, _MOST, FORMAT)
    config = json.loads(content[_CONFIG])
    names = [_names(config[what]) for what in ("options", "numbers", "things", "traits")]
    settings = _settings(config["settings"])
    with torch.device("meta"):  # shapes first: a hostile config may ask for more memory than there is
        model = ChoiceModel(names[0], names[1], names[2], names[3], settings)
    fill(model.networks, content[_WEIGHTS], _WEIGHTS, _CONFIG)
    return model


def _names(data: Any) -> tuple[str, ...]:
    if not isinstance(data, list) or not all(isinstance(name, str) for name in data):
        raise ValueError("config.json: names are missing")
    return tuple(data)


def _settings(data: Any) -> ChoiceSettings:
    fields = {f.name: f.default for f in dataclasses.fields(ChoiceSettings)}
    if not isinstance(data, dict) or set(data) != set(fields):
        raise ValueError("config.json: settings are not those of this version")
    for name, value in data.items():
        if type(value) is not type(fields[name]):
            raise ValueError(f"config.json: setting {name} is not a {type(fields[name]).__name__}")
    if max(data["members"], data["rank"], data["hidden"], data["embedding"]) > 1024:
        raise ValueError("config.json: a size is above 1024")
    return ChoiceSettings(**data)
