"""What a served policy knows of its household or of its persons, on disk: so that a restart forgets nothing."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lam_env.core.errors import UserError
from lam_env.core.files.manifest import MANIFEST

from ..files import ModelError, read_folder, reading, write_folder
from ..fine_tuning.saved import fingerprint
from ..plain import pack, unpack
from ..predictors.network import Predictor
from ..predictors.pool import Pool

FORMAT = 1
_ARRAYS, _STATE = "household.safetensors", "household.json"
_MOST = {_ARRAYS: 1 << 32, _STATE: 1 << 30}  # [bytes]


@dataclass(frozen=True)
class HouseholdState:
    """`about`: whose it is, "home" or "persons"; `state`, as plain data: the predictor's, what is sensed now, which
    acts were accepted and refused and when, and the time. Nothing in it is unpickled."""

    about: str
    state: dict[str, Any]

    def save(self, folder: str | os.PathLike[str], predictor: object) -> None:
        """Whole or not at all; one that was there is replaced."""
        assert isinstance(predictor, Predictor | Pool)  # others are not saved
        if not str(folder):
            raise UserError("save: give a folder")
        if Path(folder).is_file() or (Path(folder).is_dir() and not _is_one(Path(folder))):
            raise UserError(f"{folder}: holds something else than a household, and that would be lost: give another")
        whole = {"about": self.about, "prior": fingerprint(predictor), "state": self.state}
        write_folder(Path(folder), dict(zip((_ARRAYS, _STATE), pack(whole), strict=True)), FORMAT)

    @classmethod
    def load(cls, folder: str | os.PathLike[str], predictor: object, about: str) -> HouseholdState:
        """ModelError if it is incomplete, changed, of another kind, or goes with another predictor."""
        assert isinstance(predictor, Predictor | Pool)
        folder = Path(folder)
        if not (folder / _STATE).is_file():
            raise ModelError(f"{folder}: no household here; give the folder that save has written")
        with reading(folder, "household", "save"):
            content = read_folder(folder, _MOST, FORMAT)
            kept = unpack(content[_ARRAYS], content[_STATE])
            if kept["prior"] != fingerprint(predictor):
                raise ModelError(f"{folder}: the household was saved with another run's model; load it with that run")
            if kept["about"] != about:
                raise ModelError(f"{folder}: is of {kept['about']}, and this run's policy is for {about}")
            return cls(about, kept["state"])


def _is_one(folder: Path) -> bool:
    """Whether a folder is empty or holds a household, and nothing else."""
    names = {path.name for path in folder.iterdir()}
    return not names or (_STATE in names and names <= {_ARRAYS, _STATE, MANIFEST})
