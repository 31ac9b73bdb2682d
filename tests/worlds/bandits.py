"""A bandit whose truth is known, as arrays and as a table that another system might have logged."""

from __future__ import annotations

from pathlib import Path

import numpy as np

COLUMNS = "context:x+device,action:offer,propensity:p,reward:paid"
NAMES = np.array(["red", "green", "blue"])
BEST = 0.75  # E max(x, 1 - x), what `better` earns


def bandit(n: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """A context in [0, 1], three actions, reward with mean x, 1 - x and .4: context, means and probabilities (n, 3),
    actions and rewards."""
    x = rng.random(n)
    mean = np.stack([x, 1 - x, np.full(n, 0.4)], 1)
    logged = np.stack([0.1 + 0.5 * x, 0.6 - 0.5 * x, np.full(n, 0.3)], 1)
    action = (logged.cumsum(1) < rng.random(n)[:, None]).sum(1)
    return x, mean, logged, action, mean[np.arange(n), action] + rng.normal(size=n) * 0.3


def better(x: np.ndarray) -> np.ndarray:
    """Takes the better of the first two."""
    return np.stack([x > 0.5, x <= 0.5, np.zeros(len(x))], 1).astype(float)


def table(path: Path, n: int = 2_000, seed: int = 0, users: int = 0) -> Path:
    """The same as a CSV file. p_better: with which `better` takes what was taken; `users` take turns, and have the
    column `who` and a clock `step`."""
    rng = np.random.default_rng(seed)
    x, _, logged, action, reward = bandit(n, rng)
    device = np.where(rng.random(n) < 0.5, "phone", "desk")
    row = np.arange(n)
    columns = {"x": x, "device": device, "offer": NAMES[action], "p": logged[row, action], "paid": reward}
    columns |= {"p_better": better(x)[row, action]}
    if users:
        columns |= {"who": row % users, "step": row // users}
    lines = (",".join(map(str, cells)) for cells in zip(*columns.values(), strict=True))
    path.write_text("\n".join([",".join(columns), *lines]) + "\n")
    return path
