"""`info` of a batch of environments, from those of its worlds and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any

import numpy as np

from lam_env.sim.world import World

Info = dict[str, Any]


def batched(infos: Mapping[int, Info], n: int) -> Info:
    """Of some of n worlds, by number: arrays (N,), each with a mask of whose it is as `_name`, nested as they are.

    It is what Gymnasium's `VectorEnv._add_info` makes of them one by one, some times faster.
    """
    found: Info = {}
    nested: dict[str, dict[int, Info]] = {}
    for i, info in infos.items():
        for name, value in info.items():
            if name not in found:
                kind = object if name == "final_obs" else type(value)
                found[name] = None if kind is dict else np.full(n, None) if kind is object else np.zeros(n, kind)
                found[f"_{name}"] = np.zeros(n, bool)
            if found[name] is None:
                nested.setdefault(name, {})[i] = value
            else:
                found[name][i] = value
            found[f"_{name}"][i] = True
    for name, parts in nested.items():
        numbers = all(type(value) is float for info in parts.values() for value in info.values())
        found[name] = _numbers(parts, n) if numbers else batched(parts, n)
    return found


def _numbers(infos: Mapping[int, dict[str, float]], n: int) -> Info:
    """The same of numbers by name."""
    names = {name: k for k, name in enumerate(dict.fromkeys(chain.from_iterable(infos.values())))}
    values, own = np.zeros((len(names), n)), np.zeros((len(names), n), bool)
    for i, numbers in infos.items():
        rows = [names[name] for name in numbers]
        values[rows, i], own[rows, i] = list(numbers.values()), True
    return dict(zip(names, values, strict=True)) | {f"_{name}": own[k] for name, k in names.items()}


@cache
def _all(n: int) -> np.ndarray:
    return np.ones(n, bool)


def batched_steps(worlds: Sequence[World], which: Sequence[int], personal: bool) -> Info:
    """The same of `step_info` where no episode ends, which is nearly always: made without a dictionary a world."""
    n = len(worlds)
    weights = worlds[0].reward_weights  # the names of all terms
    amounts, own, number = np.zeros((len(weights), n)), np.zeros((len(weights), n), bool), dict[str, int]()
    for i in which:
        if terms := worlds[i].reward_terms:  # in the home most steps earn nothing
            for name, amount in terms.items():
                k = number.setdefault(name, len(number))
                amounts[k, i] = amount
                own[k, i] = True
    parts: Info = {}
    for name, k in number.items():
        parts[name], parts[f"_{name}"] = amounts[k], own[k]
    mask = _all(n).copy()
    if len(which) < n:
        mask[:], mask[which] = False, True
    info: Info = {"reward_terms": parts, "_reward_terms": mask, "masked": np.array([w.masked for w in worlds])}
    if personal:
        info["person"] = np.array([w.person for w in worlds])
        info["credit"] = np.array([w.credit for w in worlds])
    for name in ("masked", "person", "credit") if personal else ("masked",):
        if len(which) < n:
            info[name] = np.where(mask, info[name], 0)
        info[f"_{name}"] = mask.copy()
    return info


def merged(info: Info, other: Info) -> Info:
    """What two batches say of different worlds, in `info`."""
    for name, value in other.items():
        if name not in info:
            info[name] = value
        elif isinstance(value, dict):
            merged(info[name], value)
        elif name.startswith("_"):
            info[name] |= value
        else:
            own = other[f"_{name}"]
            info[name][own] = value[own]
    return info


def infos_of(info: Info, n: int) -> list[Info]:
    """Of each of n worlds the `info` that its own environment gives, out of a batch's."""
    own: list[Info] = [{} for _ in range(n)]
    for name, value in info.items():
        if name.startswith("_"):
            continue
        if isinstance(value, dict):
            values: Sequence[Any] = infos_of(value, n)
        else:
            values = value if value.dtype == object else value.tolist()
        for i in np.flatnonzero(info[f"_{name}"]).tolist():
            own[i][name] = values[i]
    return own


def totals_of(info: Info, which: Sequence[int]) -> list[dict[str, float]]:
    """The totals of the episodes that have ended in these worlds, in the autoreset mode SAME_STEP."""
    if not len(which):
        return []
    found = infos_of(info["final_info"]["totals"], max(which) + 1)
    return [found[i] for i in which]
