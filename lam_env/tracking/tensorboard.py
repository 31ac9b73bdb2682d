"""TensorBoard: an event file in the run folder, `tensorboard --logdir runs`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


class TensorBoard:
    """Scalars by their names; the settings as a text."""

    def __init__(self, folder: Path, config: Mapping[str, object]):
        from tensorboard.summary import Writer

        self._writer = Writer(str(folder / "tensorboard"))

    def curve(self, name: str, value: float, step: int) -> None:
        self._writer.add_scalar(name, value, step)

    def scores(self, scores: Mapping[str, float]) -> None:
        for name, value in scores.items():
            self._writer.add_scalar(name, value, 0)

    def close(self) -> None:
        self._writer.close()


SINKS = {"tensorboard": TensorBoard}
NEEDS = "tensorboard"
