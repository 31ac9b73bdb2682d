"""Weights & Biases, offline: a folder in the run folder, which `wandb sync` sends if and when its owner wants it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


class WeightsAndBiases:
    """A curve has a step of its own: several are drawn side by side. `WANDB_MODE=online` sends at once."""

    def __init__(self, folder: Path, config: Mapping[str, object]):
        import wandb

        quiet = wandb.Settings(console="off", silent=True, disable_git=True, disable_code=True, x_disable_stats=True)
        mode = os.environ.get("WANDB_MODE", "offline")
        self._run = wandb.init(
            project="lam_env", name=folder.name, dir=str(folder), config=dict(config), mode=mode, settings=quiet
        )
        self._known: set[str] = set()

    def curve(self, name: str, value: float, step: int) -> None:
        at = f"{name}/step"  # a dot would make it a part of the value
        if name not in self._known:
            self._known.add(name)
            self._run.define_metric(name, step_metric=at)
        self._run.log({name: value, at: step})

    def scores(self, scores: Mapping[str, float]) -> None:
        self._run.summary.update(dict(scores))

    def close(self) -> None:
        self._run.finish()


SINKS = {"wandb": WeightsAndBiases}
NEEDS = "wandb"
