"""Whether what was given for the fields of a dataclass is of the kinds that it names, told in words."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import cache
from numbers import Integral, Real
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from lam_env.config.convert import short

MOST = 1e6  # a number beyond it is a slip, and exponentials of it are not finite


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def faults(given: Any, where: str = "") -> Iterator[str]:
    """What is wrong with each field of a dataclass, and of those in its fields: `quest late: count must be a whole number, not 'a'`."""
    kind: Any = type(given)
    for name, hint in _hints(kind).items():
        yield from _of(getattr(given, name), hint, f"{where}{name}")


def wanted(hint: Any) -> str:
    """A kind in words."""
    args = get_args(hint)
    if hint in (int, float, str):
        return {int: "a whole number", float: f"a number from -{MOST:,.0f} to {MOST:,.0f}", str: "a name"}[hint]
    if isinstance(hint, UnionType):
        return f"{wanted(args[0])}, or None"
    if get_origin(hint) is dict:
        key = "each name" if args[0] is str else "each pair of names, (name, name),"
        return f"a dict that gives {key} a number"
    if Ellipsis in args:
        return "a tuple of names" if args[0] is str else f"a tuple of {args[0].__name__}"
    return f"{len(args)} {'names' if args[0] is str else 'numbers'}"


def _of(given: Any, hint: Any, where: str) -> Iterator[str]:
    origin, args = get_origin(hint), get_args(hint)
    kind = getattr(hint, "__name__", "")
    if dataclasses.is_dataclass(hint):
        if isinstance(given, hint):  # type: ignore[arg-type]
            known = isinstance(given.name, str) and given.name  # type: ignore[attr-defined]
            title = kind.removeprefix("Character").lower()
            yield from faults(given, f"{title} {known}: " if known else f"{where}.")
        else:
            yield f"{where} must be a{'n' * (kind[0] in 'AEIO')} {kind}, not {short(given)}"
    elif origin is tuple:
        many = Ellipsis in args
        if not isinstance(given, tuple | list) or not (many or len(given) == len(args)):
            yield f"{where} must be {wanted(hint)}, not {short(given)}"
        else:
            for i, value in enumerate(given):
                yield from _of(value, args[0], f"{where}[{i}]")
    elif origin is dict:
        if not isinstance(given, dict) or any(True for key in given for _ in _of(key, args[0], "")):
            yield f"{where} must be {wanted(hint)}, not {short(given)}"
        else:
            for key, value in given.items():
                yield from _of(value, args[1], f"{where}[{key!r}]")
    elif not _is(given, hint):
        yield f"{where} must be {wanted(hint)}, not {short(given)}"


def _is(given: Any, hint: Any) -> bool:
    if isinstance(hint, UnionType):
        return given is None or _is(given, get_args(hint)[0])
    if hint is str:
        return isinstance(given, str) and bool(given)
    if isinstance(given, bool) or not isinstance(given, Integral if hint is int else Real):
        return False
    return bool(-MOST <= given <= MOST)  # type: ignore[operator]  # nan is not
