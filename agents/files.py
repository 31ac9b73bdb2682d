"""Folders of a few files with a manifest: written whole or not at all, read only if nothing in them has changed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
import safetensors.torch
import torch
from safetensors import SafetensorError

import lam_env
from lam_env.core.errors import UserError
from lam_env.core.files.inputs import BROKEN, reason
from lam_env.core.files.manifest import MANIFEST, listed, read_files, write_manifest
from lam_env.core.files.outputs import replace
from lam_env.core.files.records import record_of

T = TypeVar("T")


class ModelError(UserError):
    """A model folder that cannot be used; the message says which and why."""


def write_folder(folder: Path, files: Mapping[str, bytes], format_version: int) -> None:
    """`files` (name -> content) and their manifest; a folder of such that was there is replaced. UserError where a
    file stands, or a folder that holds anything else."""
    _check_replaceable(folder, files)
    versions = {"lam_env": lam_env.__version__, "torch": torch.__version__, "numpy": np.__version__}

    def fill(part: Path) -> None:
        part.mkdir()
        for name, content in files.items():
            (part / name).write_bytes(content)
        write_manifest(part, format_version, versions=versions)

    folder.parent.mkdir(parents=True, exist_ok=True)
    replace(folder, fill)


def _check_replaceable(folder: Path, files: Mapping[str, bytes]) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UserError(f"{folder}: is a file; give another folder")
    ours = {*files, MANIFEST, *listed(folder)}
    if foreign := sorted(path.name for path in folder.iterdir() if path.name not in ours):
        raise UserError(f"{folder}: holds {foreign[0]!r}, which is no part of what was saved; give another folder")


def read_folder(folder: Path, most: Mapping[str, int], format_version: int) -> dict[str, bytes]:
    """The contents of the files named in `most` (name -> largest size [bytes]); ValueError if one was changed,
    ModelError if it is no such folder."""
    if not (folder / MANIFEST).is_file():
        raise ModelError(f"{folder}: no model here (no {MANIFEST}); train one or give another folder")
    return read_files(folder, most, format_version)


@contextmanager
def reading(folder: Path, what: str, again: str) -> Iterator[None]:
    """Whatever is wrong with the `what` that is read from `folder` becomes a ModelError, which says to `again` it."""
    try:
        yield
    except ModelError:
        raise
    except (*BROKEN, RuntimeError, SafetensorError) as error:
        raise ModelError(f"{folder}: not a readable {what} ({reason(error)}); {again} it again") from None


def weights_of(module: torch.nn.Module) -> bytes:
    """The weights of a module, as `fill` takes them."""
    return safetensors.torch.save({k: v.detach().cpu().contiguous() for k, v in module.state_dict().items()})


def fill(module: torch.nn.Module, content: bytes, name: str, about: str) -> None:
    """Gives a module, which may lie on the device "meta", the weights in the file `name`; ValueError if they are not
    the finite arrays that the file `about` describes."""
    weights = safetensors.torch.load(content)
    forms = [{k: (v.shape, v.dtype) for k, v in arrays.items()} for arrays in (weights, module.state_dict())]
    if forms[0] != forms[1]:
        raise ValueError(f"{name} does not hold the arrays that {about} describes")
    if not all(bool(torch.isfinite(v).all()) for v in weights.values()):
        raise ValueError(f"{name} holds numbers that are not finite")
    module.load_state_dict(weights, assign=True)


def settings_of(kind: type[T], data: object) -> T:
    """Settings, of which `kind` is the dataclass, as they stood in a config.json; ValueError if they do not fit."""
    if not isinstance(data, dict) or set(data) != set(vars(kind())):
        raise ValueError("config.json: settings are not those of this version")
    return record_of(kind, data)


def to_json(data: object) -> bytes:
    return (json.dumps(data, indent=1) + "\n").encode()
