"""Text -> typed values of settings, and what to say when it does not fit."""

from __future__ import annotations

import contextlib
import difflib
import math
import reprlib
import types
from collections.abc import Mapping, Sequence
from typing import Literal, Union, get_args, get_origin

from lam_env.core.errors import UserError

_WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
_FEW, _LISTED = 6, 30  # names that a message can list beside others, and where they are all it can say


class ConfigError(UserError):
    """A setting that does not exist or does not fit."""


def suggestion(name: str, known: Sequence[str], otherwise: str) -> str:
    """The end of a message about an unknown name. Of dotted names it is one of the same group, or of one that is
    called much like it."""
    group, _, tail = name.rpartition(".")
    inside = {k.rpartition(".")[2]: k for k in known if group and k.rpartition(".")[0] == group}
    if inside:  # the group is right: its name must not make all in it look alike
        close = [inside[k] for k in difflib.get_close_matches(tail, inside, n=1, cutoff=0.6)]
        if not close and len(inside) <= _FEW:
            return f"there are {', '.join(inside.values())}"
        return f"did you mean {close[0]!r}?" if close else otherwise
    while group and not any(k.startswith(group + ".") for k in known):
        group = group.rpartition(".")[0]
    if group:  # of this one alone, where what is in it begins alike
        start = len(group) + 1
        heads = {k: k[start:].partition(".")[0] for k in known if k.startswith(group + ".")}
        alike = difflib.get_close_matches(name[start:].partition(".")[0], set(heads.values()), cutoff=0.6)
        known = [k for k, head in heads.items() if head in alike]
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if not close:  # the right name without its group
        close = [k for k in known if k.rpartition(".")[2] == tail][:1]
    return f"did you mean {close[0]!r}?" if close else otherwise


def nearest_first(name: str, known: Sequence[str]) -> str:
    """Names that there are, those first that are spelt most alike; of many the first."""
    found = sorted(known, key=lambda k: -difflib.SequenceMatcher(None, name, k).ratio())
    more = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
    return f"there are {', '.join(found[:_LISTED])}{more}"


def convert(key: str, hint: object, value: object, limits: Mapping[str, float | None]) -> object:
    """`value`, a text or a plain Python value, as the type `hint`, within limits["low"] and limits["high"].

    `key` is what messages call it. "null" is None where the type allows None; so is "none", unless it may be a word.
    """
    kinds = _kinds(hint)
    if types.NoneType in get_args(hint):
        # "none" is an action, an agent, a word
        words = ("null",) if str in (*kinds, *get_args(kinds[0])) else ("null", "none")
        if value is None or (isinstance(value, str) and value.lower() in words):
            return None
    if not can_be_set(hint):
        raise ConfigError(f"{key} cannot be set this way: it is no number, word or list of them")
    kind = kinds[0]
    if get_origin(kind) is tuple:
        if isinstance(value, str):
            text = value.strip().removeprefix("[").removesuffix("]")
            value = [part.strip() for part in text.split(",")] if text.strip() else []
        if not isinstance(value, list | tuple):
            value = [value]
        inside = get_args(kind)
        if inside[-1] is not Ellipsis and len(value) != len(inside):
            raise ConfigError(f"{key}: expected {len(inside)} numbers with commas between them, got {short(value)}")
        return tuple(_one(key, inside[0], item, limits) for item in value)
    return _one(key, kind, value, limits)


def _kinds(hint: object) -> list[object]:
    """Of a type hint, all that may be but None."""
    options = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    return [o for o in options if o is not types.NoneType]


def can_be_set(hint: object) -> bool:
    """Whether `convert` knows this type."""
    kinds = _kinds(hint)
    return len(kinds) == 1 and _is_supported(kinds[0])


def _one(key: str, kind: object, value: object, limits: Mapping[str, float | None]) -> object:
    if get_origin(kind) is Literal:
        names = [str(n) for n in get_args(kind)]
        if value not in names:
            more = suggestion(str(value), names, "") if isinstance(value, str) else ""
            raise ConfigError(f"{key}: expected one of {', '.join(names)}, got {short(value)}; {more}".rstrip("; "))
        return value
    new: str | float | None
    if kind is bool:
        new = value if isinstance(value, bool) else _WORDS.get(value.lower()) if isinstance(value, str) else None
        expected = "true or false"
    elif kind is str:
        new = value if isinstance(value, str) and value.isprintable() else None
        expected = "printable text"
    else:
        new = _number(value, whole=kind is int)
        expected = "a whole number" if kind is int else "a number"
    if new is None:
        raise ConfigError(f"{key}: expected {expected}, got {short(value)}")
    low, high = limits.get("low"), limits.get("high")
    if isinstance(new, int | float) and ((low is not None and new < low) or (high is not None and new > high)):
        bounds = " and ".join(f"{what} {b:,}" for what, b in (("at least", low), ("at most", high)) if b is not None)
        raise ConfigError(f"{key}: expected {bounds}, got {short(value)}")
    if isinstance(new, int | float) and not abs(new) < (2**63 if kind is int else math.inf):
        raise ConfigError(f"{key}: {short(value)} is too large a number")
    return new


def _number(value: object, whole: bool) -> float | None:
    """The number that a text or number says, which may be too large; 1e5 and 100_000 are whole. None: it says none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        if whole and isinstance(value, str | int):
            with contextlib.suppress(ValueError):
                return int(value)
        number = float(value)
    except OverflowError:
        return math.inf
    except ValueError:
        return None
    if not math.isfinite(number):  # a word, or more digits than fit
        return None if math.isnan(number) or "inf" in str(value).lower() else number
    return number if not whole else int(number) if number.is_integer() else None


def _is_supported(kind: object) -> bool:
    if get_origin(kind) is tuple:
        inside = get_args(kind)
        if inside and inside[-1] is not Ellipsis:  # so many numbers
            return len(set(inside)) == 1 and inside[0] in (int, float)
        return len(inside) == 2 and inside[0] in (int, float, str)
    return get_origin(kind) is Literal or kind in (int, float, str, bool)


def short(value: object) -> str:
    """A value for a message: one line and never long, whatever it is."""
    return reprlib.repr(value).replace("\n", " ")


def count(n: object, what: str) -> str:
    """ "1 part", "3,000 parts"; where the noun does not stand last, "2 rows of a home" of "row(s) of a home"."""
    number, end = (f"{n:,}", "" if n == 1 else "s") if isinstance(n, int) else (n, "s")
    return f"{number} {what.replace('(s)', end) if '(s)' in what else f'{what}{end}'}"
