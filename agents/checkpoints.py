"""Checkpoints of one training: what it has come to, as plain data, so that a run that was killed goes on from there."""

from __future__ import annotations

import hashlib
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .files import ModelError, read_folder, reading, write_folder
from .plain import pack, unpack

if TYPE_CHECKING:
    from stable_baselines3.common.callbacks import BaseCallback

FORMAT = 2
LAST = 2  # are kept: the last, and the one before in case the last cannot be read
_ARRAYS, _STATE = "state.safetensors", "state.json"
_MOST = {_ARRAYS: 1 << 30, _STATE: 1 << 28}  # [bytes]


class Checkpoints:
    """Those of a training, in a folder of their own.

    `belongs`: what the training rests on, by name, as plain data; a checkpoint with another is not gone on with.
    `every`: time [s] between two of them, at least; `clock` says how late it is.
    """

    def __init__(
        self,
        folder: Path,
        belongs: Mapping[str, object],
        every: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.folder, self.belongs, self.every, self.clock = folder, dict(belongs), every, clock
        self._about: dict[str, object] = {}
        self._open, self._number, self._since = True, 0, clock()

    def begin(self, start: object) -> Any | None:
        """`start`: what the training begins with, as plain data. Returns the state to go on from, None: from the
        beginning. An agent's second training is not kept."""
        if self._about:
            self._open = False
            return None
        digest = hashlib.sha256(b"".join(pack(start))).hexdigest()
        self._about = {**unpack(*pack(self.belongs)), "start": digest}
        state, wrong = None, list[str]()
        for folder in reversed(self._all()):
            try:
                state = self._read(folder)
            except ModelError as error:
                wrong.append(str(error))
                shutil.rmtree(folder)
                continue
            self._number = int(folder.name)
            break
        if wrong:
            what = "begins anew" if state is None else "goes on from the checkpoint before"
            print(f"{'; '.join(wrong)}: this training {what}", file=sys.stderr)
        self._since = self.clock()
        return state

    def due(self) -> bool:
        return self._open and self.clock() - self._since >= self.every

    def keep(self, state: object) -> None:
        """Writes a checkpoint, whole or not at all, and removes those that are older than the one before."""
        if not self._open:
            return
        self._number += 1
        parts = pack({"about": self._about, "state": state})
        write_folder(self.folder / f"{self._number:06}", dict(zip((_ARRAYS, _STATE), parts, strict=True)), FORMAT)
        for old in self._all()[:-LAST]:
            shutil.rmtree(old)
        self._since = self.clock()

    def callback(self) -> BaseCallback:
        """Of Stable-Baselines3, for `learn`."""
        from .fine_tuning.checkpoint_callback import KeepCheckpoints

        return KeepCheckpoints(self)

    def _all(self) -> list[Path]:
        return sorted(path for path in self.folder.glob("*") if path.name.isdecimal())

    def _read(self, folder: Path) -> Any:
        with reading(folder, "checkpoint", "begin"):
            content = read_folder(folder, _MOST, FORMAT)
            kept = unpack(content[_ARRAYS], content[_STATE])
            about, state = kept["about"], kept["state"]
        for name, mine in self._about.items():
            if about.get(name) != mine:
                raise ModelError(f"{folder}: is a checkpoint of another training ({name} differs)")
        return state
