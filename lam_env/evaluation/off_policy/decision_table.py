"""Decisions that another system has logged in a table, for estimates of what other policies would have earned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lam_env.config.convert import count
from lam_env.core.events import LogError
from lam_env.evaluation.off_policy.reward_model import standardise
from lam_env.logs.coverage import clean
from lam_env.logs.input.decisions import DecisionRows
from lam_env.logs.input.numbers import Codes

RAREST = 1e-12  # of what is chosen: one weight would outweigh any log
LEVELS = 30  # different texts of a column that the reward model tells apart


@dataclass(frozen=True)
class DecisionTable:
    """n decisions in order of trajectory and time. context: by column (n,) numbers, nan where there is none, or text;
    action (n,): numbers of `actions`; prob, reward (n,); trajectory (n,): whose decisions depend on each other, or
    where nobody is named (`alone`) each its own; policies: by column (n,) probabilities of `action`; left_out: by
    reason; comma: a number that was read as one with a decimal comma."""

    source: str
    context: Mapping[str, np.ndarray]
    action: np.ndarray
    actions: tuple[str, ...]
    prob: np.ndarray
    reward: np.ndarray
    trajectory: np.ndarray
    alone: bool
    policies: Mapping[str, np.ndarray]
    left_out: Mapping[str, int]
    comma: str = ""

    def features(self) -> np.ndarray:
        """(n, F) the context for a model, standardised: numbers, which of them are missing, and each of the most
        frequent texts of a column."""
        parts = [np.zeros(len(self.action))]
        for column in self.context.values():
            if column.dtype.kind == "f":
                missing = np.isnan(column)
                mean = column[~missing].mean() if not missing.all() else 0.0
                parts += [np.where(missing, mean, column), missing] if missing.any() else [column]
            else:
                _, code, n = np.unique(column, return_inverse=True, return_counts=True)
                parts += [code == level for level in np.argsort(-n, kind="stable")[:LEVELS].tolist()]
        return standardise(np.stack(parts, 1, dtype=float, casting="unsafe"))

    def about(self) -> str:
        """How much there is, and what was left out, in words."""
        n, users = len(self.action), len(np.unique(self.trajectory))
        text = f"{self.source}: {n:,} decisions" + ("" if self.alone else f" in {users:,} trajectories")
        out = "; ".join(count(n, reason) for reason, n in self.left_out.items())
        comma = f"; decimal commas: {self.comma} is read as {self.comma.replace(',', '.')}" if self.comma else ""
        return f"{text}, {count(len(self.actions), 'action')}{f' (left out: {out})' if out else ''}{comma}."

    @classmethod
    def load(cls, path: str, columns: str, skip: bool = False) -> DecisionTable:
        """LogError says in one line what a table lacks. `skip`: as in `DecisionRows.read`."""
        left_out = Counter[str]()
        rows = DecisionRows.read(path, columns, left_out, skip).complete(left_out, skip)
        if not len(rows.row):
            raise LogError(f"{path}: holds no decision with an action and a reward; see columns={columns[:80]}")
        prob = rows.probabilities("propensity")
        for i in np.flatnonzero(prob < RAREST)[:1].tolist():
            raise LogError(
                f"{rows.where(i)}: propensity {prob[i]:g} of what was chosen; it must be {RAREST:g} at least"
            )
        if (prob == 1).all():
            why = "all propensities are 1: nothing was left to chance, so nothing tells what others would have brought"
            raise LogError(f"{path}: {why}; log decisions that are drawn, with their probabilities")
        codes = Codes()
        action, trajectory = codes.add(rows.cells["action"], clean).astype(np.int64), rows.trajectory()
        order = np.lexsort((rows.times(), trajectory))
        context = {name: rows.values(role)[order] for role, name in rows.several("context")}
        policies = {name: rows.probabilities(role)[order] for role, name in rows.several("policy")}
        return cls(
            source=path,
            context=context,
            action=action[order],
            actions=tuple(codes.texts().known),
            prob=prob[order],
            reward=rows.numbers("reward")[order],
            trajectory=trajectory[order],
            alone="user" not in rows.cells,
            policies=policies,
            left_out=+left_out,
            comma=rows.comma,
        )
