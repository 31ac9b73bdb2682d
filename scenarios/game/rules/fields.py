"""Whether the values of a dataclass are of the kinds and within the bounds that its fields name, told in words."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from functools import cache
from numbers import Integral, Real
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from lam_env.config.convert import short

MOST = 1e6  # a number beyond it is a slip, and exponentials of it are not finite
KINDS = {int: "a whole number", float: f"a number from -{MOST:,.0f} to {MOST:,.0f}", str: "a name"}


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def faults(record: Any, where: str = "") -> Iterator[str]:
    """What is wrong with the fields, and with those of dataclasses in them: `quest late: needs must be a tuple ...`.

    The bounds are those of the fields that are a `setting`; they hold for each number in a tuple or dict.
    """
    kind: Any = type(record)
    for f in dataclasses.fields(kind):
        yield from _of(getattr(record, f.name), _hints(kind)[f.name], f"{where}{f.name}", f.metadata)


def _words(hint: Any) -> str:
    """A kind in words."""
    args = get_args(hint)
    if hint in KINDS:
        return KINDS[hint]
    if isinstance(hint, UnionType):
        return f"{_words(args[0])}, or None"
    if get_origin(hint) is dict:
        key = "each name" if args[0] is str else "each pair of names, (name, name),"
        return f"a dict that gives {key} a number"
    if Ellipsis in args:
        return "a tuple of names" if args[0] is str else f"a tuple of {args[0].__name__}"
    return f"{len(args)} {'names' if args[0] is str else 'numbers'}"


def _of(value: Any, hint: Any, where: str, bounds: Mapping[str, Any]) -> Iterator[str]:
    origin, args = get_origin(hint), get_args(hint)
    if dataclasses.is_dataclass(hint):
        kind = getattr(hint, "__name__", "")
        if not isinstance(value, hint):  # type: ignore[arg-type]
            yield f"{where} must be a{'n' * (kind[0] in 'AEIO')} {kind}, not {short(value)}"
            return
        known = isinstance(value.name, str) and value.name  # type: ignore[attr-defined]
        yield from faults(value, f"{kind.removeprefix('Character').lower()} {known}: " if known else f"{where}.")
    elif not _is(value, hint):
        yield f"{where} must be {_words(hint)}, not {short(value)}"
    elif origin is tuple:
        for i, part in enumerate(value):
            yield from _of(part, args[0], f"{where}[{i}]", bounds)
    elif origin is dict:
        for key, part in value.items():
            yield from _of(part, args[1], f"{where}[{key!r}]", bounds)
    elif bounds and bounds["low"] is not None and value is not None and not bounds["low"] <= value <= bounds["high"]:
        yield f"{where} must lie between {bounds['low']:g} and {bounds['high']:g}, not {value:g}"


def _is(value: Any, hint: Any) -> bool:
    """Is it of this kind? Of what a tuple or dict holds, only the keys are looked at."""
    origin, args = get_origin(hint), get_args(hint)
    if isinstance(hint, UnionType):
        return value is None or _is(value, args[0])
    if origin is tuple:
        return isinstance(value, tuple | list) and (Ellipsis in args or len(value) == len(args))
    if origin is dict:
        return isinstance(value, dict) and not any(True for key in value for _ in _of(key, args[0], "", {}))
    if hint is str:
        return isinstance(value, str) and bool(value)
    if isinstance(value, bool) or not isinstance(value, Integral if hint is int else Real):
        return False
    return bool(-MOST <= value <= MOST)  # type: ignore[operator]  # nan is not
