"""What predictors carry from step to step: a dataclass whose arrays have a row per stream, or which holds such."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

S = TypeVar("S")


def each(function: Callable[[list[np.ndarray]], np.ndarray], *states: Any) -> Any:
    """A state made of what `function` makes of a list of the states' arrays."""
    first = states[0]
    if isinstance(first, np.ndarray):
        return function(list(states))
    if not dataclasses.is_dataclass(first):
        return first
    names = [f.name for f in dataclasses.fields(first)]
    made: Any = type(first)
    return made(*(each(function, *(getattr(state, name) for state in states)) for name in names))


def fresh(state: S, other: S, rows: np.ndarray) -> S:
    """The state with `rows` (mask or index) as in `other`; those given stay as they are."""
    mask: np.ndarray | None = None

    def chosen(arrays: list[np.ndarray]) -> np.ndarray:
        nonlocal mask
        old, new = arrays
        if mask is None:
            mask = np.zeros(len(old), bool)
            mask[rows] = True
        return np.where(np.reshape(mask, (-1,) + (1,) * (old.ndim - 1)), new, old) if old.size else old

    made: S = each(chosen, state, other)
    return made


def put(state: Any, rows: np.ndarray | int, other: Any) -> None:
    """Writes `other` into `rows` of a state, in place."""
    if isinstance(state, np.ndarray):
        state[rows] = other
    elif dataclasses.is_dataclass(state):
        for field in dataclasses.fields(state):
            put(getattr(state, field.name), rows, getattr(other, field.name))


def plain(state: Any) -> Any:
    """As plain data: dicts, lists and arrays of numbers."""
    if dataclasses.is_dataclass(state):
        return {f.name: plain(getattr(state, f.name)) for f in dataclasses.fields(state)}
    if isinstance(state, np.ndarray) and state.dtype == object:
        return [one.state_dict() for one in state]
    return state


def restored(state: Any, kept: Any) -> Any:
    """What `plain` was given; `state`: one of the same form."""
    if dataclasses.is_dataclass(state):
        made: Any = type(state)
        return made(*(restored(getattr(state, f.name), kept[f.name]) for f in dataclasses.fields(state)))
    if isinstance(state, np.ndarray) and state.dtype == object:
        out = np.empty(len(kept), object)
        out[:] = [type(one).of_state(each) for one, each in zip(state, kept, strict=True)]
        return out
    return kept
