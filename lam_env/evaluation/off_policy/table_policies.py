"""What a policy would have chosen in the contexts of a table of decisions: the same each time, anything alike, or what
an object of somebody's own answers.

It is asked once for all n decisions, with the context by column: arrays (n,) of numbers (nan where there is none) or of
text. `predict(context)` returns names of actions (n,), or these and a state, as Stable-Baselines3 does;
`probabilities(context)` a dictionary from names to probabilities, (n,) or one for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from lam_env.config.convert import suggestion
from lam_env.core.errors import UserError
from lam_env.evaluation.off_policy.decision_table import DecisionTable
from lam_env.logs.coverage import clean

SAME = "always:"  # before the action's name
RANDOM = "random"


class Answer(NamedTuple):
    """p (n, A): probabilities of `actions`, which are those of the table and after them others."""

    p: np.ndarray
    actions: tuple[str, ...]


def by_name(table: DecisionTable, name: str) -> Answer:
    """Of `random`, alike among all actions that were logged, and `always:ACTION`."""
    k, kind = len(table.actions), name.removeprefix(SAME)
    if name == RANDOM:
        p = np.full(k, 1 / k)
    elif kind not in table.actions or kind == name:
        known = [*table.policies, RANDOM, *(SAME + action for action in table.actions)]
        hint = suggestion(name, known, f"there are {', '.join(known)[:300]}, or module:Class")
        raise UserError(f"policy={name}: no policy for {table.source}; {hint}")
    else:
        p = (np.array(table.actions) == kind).astype(float)
    return Answer(np.broadcast_to(p, (len(table.action), k)), table.actions)


def answer_of(table: DecisionTable, policy: Any, sampled: bool) -> Answer:
    """What an object answers: `predict`, or `probabilities` where it is `sampled` or has no other."""
    context = {name: column.copy() for name, column in table.context.items()}
    if hasattr(policy, "probabilities") and (sampled or not hasattr(policy, "predict")):
        return _of_probabilities(table, policy.probabilities(context))
    if not hasattr(policy, "predict"):
        raise UserError("it has neither predict nor probabilities")
    said = policy.predict(context)
    chosen = np.asarray(said[0] if isinstance(said, tuple) and len(said) == 2 else said)
    n = len(table.action)
    if chosen.shape != (n,):
        raise UserError(f"predict returned actions of shape {chosen.shape}, not ({n},)")
    names, code = np.unique([clean(str(name)) for name in chosen.tolist()], return_inverse=True)
    return _placed(table, {name: (code == i).astype(float) for i, name in enumerate(names.tolist())})


def _of_probabilities(table: DecisionTable, said: object) -> Answer:
    n = len(table.action)
    if not isinstance(said, Mapping) or not said:
        raise UserError(f"probabilities returned {type(said).__name__}; give a dictionary, action: (n,) probabilities")
    columns = {}
    for name, p in said.items():
        column = np.asarray(p, float)
        if column.shape not in ((), (n,)):
            raise UserError(f"probabilities returned for {name!s:.40} an array of shape {column.shape}, not ({n},)")
        columns[clean(str(name))] = np.broadcast_to(column, n)
    total = np.sum(list(columns.values()), 0)
    if not all((p >= 0).all() for p in columns.values()) or not (np.abs(total - 1) <= 1e-4).all():
        raise UserError("probabilities of a decision must not be negative, and their sum must be 1")
    return _placed(table, columns)


def _placed(table: DecisionTable, columns: Mapping[str, np.ndarray]) -> Answer:
    actions = tuple(dict.fromkeys([*table.actions, *columns]))
    nothing = np.zeros(len(table.action))
    return Answer(np.stack([columns.get(action, nothing) for action in actions], 1), actions)
