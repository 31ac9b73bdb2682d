"""Run folders of one log side by side: by how much the pool of each, and its networks, are better or worse on the
held-out events than those of the first folder, with 95 % intervals over whole test days, the same ones for both.

    python tests/logs/paired.py runs/overfitting/hh104 runs/overfitting/hh104-no-L2
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lam_env.core.events import ActionLog
from lam_env.evaluation.metrics import scored
from lam_env.experiment import models
from lam_env.experiment.run_folder import RunFolder
from lam_env.logs.decision_points import day_of_target, decision_points
from lam_env.logs.streams import split_by_protocol

ROWS = ("prior", "prior.nets")
DRAWS = 2000


def losses(folder: Path) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """NLL [nats] of each held-out event, by row, and its day."""
    run = RunFolder(folder)
    log = dataclasses.replace(ActionLog.load(run.log / "real"), timer=None)
    points = decision_points(log, soon=False)
    parts = split_by_protocol(log, points)
    prior, silent = models.load_predictor(run.prior_of_log), lambda *told: None
    pieces = list(models.read_held_out(prior, points, parts, False, 0, silent))
    target = points.target[parts[2]]
    said = {row: np.concatenate([piece[row] for piece in pieces]) for row in ROWS}
    acts, day = target > 0, day_of_target(points)[parts[2]]
    return {row: scored(p, target).losses[acts] for row, p in said.items()}, day[acts]


def interval(gap: np.ndarray, day: np.ndarray, draws: int = DRAWS) -> tuple[float, float, float]:
    """Mean of `gap` (n,) and its 95 % interval: whole days are drawn with replacement."""
    _, index = np.unique(day, return_inverse=True)
    sums, sizes = np.bincount(index, gap), np.bincount(index)
    drawn = np.random.default_rng(0).integers(0, len(sums), (draws, len(sums)))
    low, high = np.quantile(sums[drawn].sum(1) / sizes[drawn].sum(1), [0.025, 0.975])
    return float(gap.mean()), float(low), float(high)


def main(folders: Sequence[str]) -> None:
    base, day = losses(Path(folders[0]))
    print(f"{Path(folders[0]).name}: " + ", ".join(f"{row} {loss.mean():.3f}" for row, loss in base.items()))
    for folder in folders[1:]:
        own, _ = losses(Path(folder))
        gaps = {row: interval(own[row] - base[row], day) for row in ROWS}
        told = ", ".join(f"{row} {mean:+.3f} [{low:+.3f}, {high:+.3f}]" for row, (mean, low, high) in gaps.items())
        print(f"{Path(folder).name}: {told}")


if __name__ == "__main__":
    main(sys.argv[1:])
