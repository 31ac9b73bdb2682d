"""A guard against drift: what a predictor loses while it is tuned is taken back."""

from __future__ import annotations

import copy
import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from lam_env.core.contracts import Policy, Training, complete
from lam_env.core.units import DAY

from ..plain import optimizer_state, set_optimizer
from ..predictors.likelihood import smoothed
from .best import Best
from .trial import returns


class Guard(Best):
    """Also watches the policy's predictor, on the training's validation rows.

    At each check the mean return in trial worlds, top-1 accuracy and likelihood are held against the best so far. Where
    one is lower by more than its own standard error (of worlds, and of days), weights and optimizer go back to where
    they were at the last check that was good, and the predictor's rate is halved: what is left in the end is
    `train.tune=frozen`. `note` hears the accuracy; without `trials` there are no returns to watch.
    """

    def __init__(
        self,
        actor: torch.nn.Module,
        policy_of: Callable[[torch.nn.Module], Policy],
        training: Training,
        note: Callable[..., None],
        trials: bool = True,
    ):
        super().__init__(actor, policy_of, training)
        self._note, self._trials = note, trials
        self._good: dict[str, Any] = {}  # weights, optimizer and scale at the last good check
        self._highest: dict[str, float] = {}
        self.trips: list[tuple[int, str]] = []  # (steps, what fell)

    def state_dict(self) -> dict[str, object]:
        return {**super().state_dict(), "good": self._good, "highest": self._highest, "trips": self.trips}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self._good, self._highest = state["good"], state["highest"]
        self.trips = [(step, what) for step, what in state["trips"]]
        self._scale(0.5 ** len(self.trips))

    def consider(self) -> None:
        policy = self._policy_of(copy.deepcopy(self._module))
        measured = prediction_by_day(policy, self._training)
        reached = returns(policy, self._training) if self._trials else None
        if reached is not None:
            measured = {"return": reached, **measured}
        self._note(top1=float(measured["top-1"].mean()))
        fallen = [name for name, each in measured.items() if self._fell(name, each)]
        if fallen:
            self._go_back(fallen, measured)
            return
        for name, each in measured.items():
            self._highest[name] = max(self._highest.get(name, -math.inf), float(each.mean()))
        self._good = {
            "policy": copy.deepcopy(self.model.policy.state_dict()),
            "optimizer": copy.deepcopy(optimizer_state(self.model.policy.optimizer)),
        }
        if reached is None:
            self.state = copy.deepcopy(self._module.state_dict())
        else:
            self.judge(reached)

    def _fell(self, name: str, each: np.ndarray) -> bool:
        if name not in self._highest:
            return False
        error = each.std(ddof=1) / math.sqrt(len(each)) if len(each) > 1 else math.inf
        return not self._highest[name] - each.mean() <= error  # what is not a number has fallen

    def _scale(self, by: float) -> None:
        for group in self.model.policy.optimizer.param_groups:
            if "scale" in group:
                group["scale"] *= by

    def _go_back(self, fallen: list[str], measured: dict[str, np.ndarray]) -> None:
        learner: Any = self.model.policy
        learner.load_state_dict(self._good["policy"])
        set_optimizer(learner.optimizer, copy.deepcopy(self._good["optimizer"]))
        learner.forget()  # what was remembered with the weights that are taken back
        self._scale(0.5)
        self.trips.append((self.num_timesteps, fallen[0]))
        what = ", ".join(f"{name} {self._highest[name]:.4g} -> {measured[name].mean():.4g}" for name in fallen)
        print(
            f"drift guard, step {self.num_timesteps:,}: {what}; the updates since the last check are taken back, and"
            f" the predictor learns at {0.5 ** len(self.trips):.3g} of its first rate",
            file=sys.stderr,
        )


def prediction_by_day(policy: Policy, training: Training) -> dict[str, np.ndarray]:
    """Of each world's days in the validation rows: top-1 accuracy where the user acts, as tables have it, and the
    log-likelihood [nats] of all decision points, which says whether acts are expected in time."""
    predictor, points = complete(policy).predictor, training.valid
    assert predictor is not None
    p, target = predictor.read(points).next, np.asarray(points.target, np.int64)
    chosen = np.log(smoothed(p[np.arange(len(p)), target].astype(np.float64), p.shape[1]))
    _, day = np.unique(np.stack([points.world, points.time // DAY]), axis=1, return_inverse=True)
    day, acts = day.ravel(), target > 0
    hit = p[acts, 1:].argmax(1) == target[acts] - 1
    return {"top-1": _means(day[acts], hit), "log-likelihood": _means(day, chosen)}


def _means(of: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Of the values of each number in `of` that there is."""
    rows = np.bincount(of)
    return (np.bincount(of, values) / np.maximum(rows, 1))[rows > 0]
