"""The state of a training as plain data: dicts, lists, numbers, text, arrays and tensors, to bytes and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import safetensors.numpy
import torch

from lam_env.core.errors import UserError

ARRAY, TENSOR = "@array", "@tensor"  # in the place of one: its number


def pack(state: object) -> tuple[bytes, bytes]:
    """The arrays and tensors as safetensors, and all else as JSON; UserError for what is no plain data."""
    arrays: dict[str, np.ndarray] = {}

    def plain(value: Any) -> object:
        if isinstance(value, torch.Tensor | np.ndarray):
            kind, number = ARRAY, str(len(arrays))
            if isinstance(value, torch.Tensor):
                kind, value = TENSOR, value.detach().cpu().numpy()
            arrays[number] = np.asarray(value, order="C")
            return {kind: number}
        if isinstance(value, Mapping) and all(isinstance(name, str) for name in value):
            return {name: plain(part) for name, part in value.items()}
        if isinstance(value, list | tuple):
            return [plain(part) for part in value]
        if isinstance(value, np.generic):
            return value.item()
        if value is None or isinstance(value, str | int | float):
            return value
        raise UserError(f"a checkpoint holds plain data, and {type(value).__name__} is none")

    text = json.dumps(plain(state))
    return safetensors.numpy.save(arrays), text.encode()


def unpack(content: bytes, text: bytes) -> Any:
    """What `pack` was given; tuples come back as lists, numbers of numpy as Python's."""
    arrays = safetensors.numpy.load(content)

    def back(value: dict[str, Any]) -> object:
        if ARRAY in value:
            return np.array(arrays[value[ARRAY]])
        return torch.from_numpy(np.array(arrays[value[TENSOR]])) if TENSOR in value else value

    return json.loads(text, object_hook=back)


def optimizer_state(optimizer: torch.optim.Optimizer) -> dict[str, object]:
    """By parameter; rates and the like are settings."""
    return {str(number): state for number, state in optimizer.state_dict()["state"].items()}


def set_optimizer(optimizer: torch.optim.Optimizer, kept: Mapping[str, object]) -> None:
    state = {int(number): state for number, state in kept.items()}
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})


def generators(device: torch.device) -> dict[str, torch.Tensor]:
    """torch's own generators."""
    cuda = {"cuda": torch.cuda.get_rng_state(device)} if device.type == "cuda" else {}
    return {"cpu": torch.get_rng_state(), **cuda}


def set_generators(device: torch.device, kept: Mapping[str, torch.Tensor]) -> None:
    torch.set_rng_state(kept["cpu"])
    if device.type == "cuda":
        torch.cuda.set_rng_state(kept["cuda"], device)
