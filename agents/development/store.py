"""Choice models on disk: `model.safetensors`, `config.json`, `manifest.json`. Nothing is ever unpickled."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import torch

from lam_env.core.files.inputs import json_of
from lam_env.logs.choices import NAMES

from ..files import fill, read_folder, reading, settings_of, to_json, weights_of, write_folder
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
        content = read_folder(folder, _MOST, FORMAT)
        config = json_of(content[_CONFIG])
        names = {what: _names(config[what]) for what in NAMES}
        settings = settings_of(ChoiceSettings, config["settings"])
        if max(settings.members, settings.rank, settings.hidden, settings.embedding) > 1024:
            raise ValueError("config.json: a size is above 1024")
        with torch.device("meta"):  # shapes first: a hostile config may ask for more memory than there is
            model = ChoiceModel(names, settings)
        fill(model.networks, content[_WEIGHTS], _WEIGHTS, _CONFIG)
        return model


def _names(data: object) -> tuple[str, ...]:
    if not isinstance(data, list) or not all(isinstance(name, str) for name in data):
        raise ValueError("config.json: names are missing")
    return tuple(data)
