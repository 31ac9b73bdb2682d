"""Records from JSON: dataclasses whose fields' types are checked, so that nothing odd is found later on."""

from __future__ import annotations

import dataclasses
import types
import typing
from typing import Any, Literal, TypeVar, Union

import numpy as np

from lam_env.core.casts import narrow

T = TypeVar("T")
_WORDS = {float: "number", int: "whole number", str: "text", bool: "truth", tuple: "list", dict: "mapping"}


def record_of(kind: type[T], data: object, **given: object) -> T:
    """The dataclass `kind` from what JSON holds, and `given` fields as they are; ValueError where one is missing,
    unknown or of another type. Types: int, float, str, bool, literals, arrays of numbers, each perhaps `| None`;
    tuples, mappings and other dataclasses of these; `object` is anything."""
    if not isinstance(data, dict):
        raise ValueError(f"{kind.__name__} is no mapping")
    fields: dict[str, Any] = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    hints = typing.get_type_hints(kind)
    if unknown := [str(name)[:40] for name in data if name not in fields]:
        raise ValueError(f"{unknown[0]!r} is unknown")
    for name, field in fields.items():
        needed = field.default is field.default_factory is dataclasses.MISSING
        if needed and name not in data and name not in given:
            raise ValueError(f"{name} is missing")
    return kind(**{name: _typed(name, hints[name], value) for name, value in data.items()}, **given)


def _typed(name: str, hint: Any, value: Any) -> Any:
    origin, inside = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return None if value is None else _typed(name, next(k for k in inside if k is not types.NoneType), value)
    if dataclasses.is_dataclass(hint):
        return record_of(hint, value)  # type: ignore[arg-type]
    if hint is np.ndarray:
        return narrow(name, value, np.float64)
    if origin is tuple and isinstance(value, list | tuple):
        kinds = inside[:1] * len(value) if inside[-1] is Ellipsis else inside
        if len(kinds) == len(value):
            return tuple(_typed(name, kind, one) for kind, one in zip(kinds, value, strict=True))
    elif origin is dict and isinstance(value, dict):
        return {str(key): _typed(f"{name} of {str(key)[:40]!r}", inside[1], one) for key, one in value.items()}
    elif hint is float and type(value) in (int, float):
        return float(narrow(name, value, np.float64))
    elif hint is object or type(value) is hint or (origin is Literal and value in inside):
        return value
    length = f" of {len(inside)}" if origin is tuple and inside[-1] is not Ellipsis else ""
    raise ValueError(f"{name} is no {_WORDS.get(origin or hint, 'word that is known')}{length}")
