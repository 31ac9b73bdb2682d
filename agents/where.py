"""Devices by name."""

from __future__ import annotations

import torch
from torch import Tensor

from lam_env.core.errors import UserError


def on_host(tensor: Tensor) -> bool:
    """Whether asking for its values makes nobody wait."""
    return tensor.device.type == "cpu"


def placed_on(device: str) -> torch.device:
    """Of a training: where "auto" has not been decided, the processor."""
    return torch.device("cpu") if device == "auto" else named(device)


def named(device: str) -> torch.device:
    """cpu | cuda | cuda:i; UserError for another, or one that is not there."""
    kind, _, number = device.partition(":")
    if kind not in ("cpu", "cuda") or (number and not number.isdecimal()) or (number and kind == "cpu"):
        raise UserError(f"device {device!r} is unknown; choose auto, cpu or cuda")
    if device != "cpu" and not torch.cuda.is_available():
        raise UserError(f"device {device!r}: this machine has no CUDA device; choose auto or cpu")
    if number and int(number) >= (there := torch.cuda.device_count()):
        raise UserError(f"device {device!r}: this machine has {there}, numbered from 0")
    return torch.device(device)


def exact(device: torch.device) -> None:
    """Single precision means it on a GPU, too: cuDNN would round the products of recurrent networks to ten bits, and a
    stretch of steps would not say what its steps have said."""
    if device.type == "cuda":
        torch.backends.cudnn.allow_tf32 = False
