"""Columns of text as numbers: codes of names, amounts, times. What is common goes through Arrow in one piece; anything
else is read row by row, which also says what is wrong with it."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lam_env.core.events import LogError
from lam_env.core.units import HOUR, MINUTE
from lam_env.logs.coverage import says_nothing
from lam_env.logs.local_time import (
    LAST,
    NO_OFFSET,
    SECOND,
    UNIVERSAL,
    Clocks,
    Where,
    microseconds,
    read_times,
    unit_of,
)
from lam_env.logs.tables import MAX_VALUE, Texts

UNITS = {"s": 1, "min": MINUTE, "h": HOUR}  # of durations [s]
_LEAST_LENGTH, _LONGEST_OFFSET = len("2026-01-05T07"), len("+01:00")
NAN = "nan"  # how programs write that there is no number
_DIGITS = re.compile(r"[-+]?\d+(\.\d*)?([eE][-+]?\d+)?$")
_COMMA = r"^[-+]?[0-9]*,[0-9]+([eE][-+]?[0-9]+)?( *[a-z]+)?$"
_OFFSET = re.compile(r"([-+])([01]\d|2[0-3]):([0-5]\d)")


def coded(column: pa.Array) -> pa.DictionaryArray:
    """Each different text once, and its number in each row; what is missing is an empty one."""
    if pa.types.is_dictionary(column.type):
        return column
    if column.null_count == len(column):
        return pa.DictionaryArray.from_arrays(np.zeros(len(column), np.int32), [""] if len(column) else [])
    return column.fill_null("").dictionary_encode()


def each(column: pa.Array, of: Callable[[str], object], dtype: type) -> np.ndarray:
    """(n,) what `of` says of each row's text, asked once for each different one; what is missing is an empty one."""
    texts = coded(column)
    return np.array([of(text) for text in texts.dictionary.to_pylist()], dtype)[texts.indices.to_numpy()]


class Codes:
    """Numbers texts in the order in which they come, batch after batch."""

    def __init__(self) -> None:
        self._number: dict[str, int] = {}
        self._parts: list[np.ndarray] = []

    def add(self, column: pa.Array, name_of: Callable[[str], str] = str) -> np.ndarray:
        """(n,) the codes of a batch. `name_of` makes a name of each different text."""
        texts = coded(column)
        index, words = texts.indices.to_numpy(), texts.dictionary.to_pylist()
        number = np.zeros(len(words), np.int32)
        for i in np.flatnonzero(np.bincount(index, minlength=len(words))).tolist():  # others stood in rows left out
            number[i] = self._number.setdefault(name_of(words[i]), len(self._number))
        code = number[index]
        self._parts.append(code)
        return code

    def number_of(self, name: str) -> int:
        """-1 where it has not come yet."""
        return self._number.get(name, -1)

    def texts(self) -> Texts:
        return Texts(np.concatenate(self._parts or [np.zeros(0, np.int32)]), list(self._number))


class Amounts(NamedTuple):
    """value (n,) float64, nan where there is none; empty (n,) bool: a state was there that says nothing (unavailable);
    missing (n,) bool: it says "nan"."""

    value: np.ndarray
    empty: np.ndarray
    missing: np.ndarray


def with_point(column: pa.Array) -> tuple[pa.Array, str]:
    """Numbers that are written with a decimal comma, `21,5` or `1,5 h`, with a point; all else as it is. And the first
    of them, "" for none."""
    comma = pc.match_substring_regex(column, _COMMA).fill_null(False)
    if not (at := np.flatnonzero(comma)[:1]).size:
        return column, ""
    return pc.if_else(comma, pc.replace_substring(column, ",", "."), column), column[at[0]].as_py()


def amounts(what: str, column: pa.Array, where: Where) -> Amounts:
    """Finite numbers; LogError for anything else."""
    if column.null_count == len(column):
        return Amounts(np.full(len(column), np.nan), np.zeros(len(column), bool), np.zeros(len(column), bool))
    column = column.fill_null("")
    try:
        given = pc.cast(pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column), pa.float64())
        value = given.to_numpy(zero_copy_only=False)
        if (np.abs(value[given.is_valid().to_numpy(zero_copy_only=False)]) <= MAX_VALUE).all():
            return Amounts(value, np.zeros(len(value), bool), np.zeros(len(value), bool))
    except pa.ArrowInvalid:
        pass
    texts = column.to_pylist()
    nothing = np.array([says_nothing(text) for text in texts], bool)
    missing = np.array([text.lower() == NAN for text in texts], bool)
    values = [math.nan if nothing[i] else _amount(what, text, i, where) for i, text in enumerate(texts)]
    return Amounts(np.array(values), nothing & ~missing, missing)


def lengths(column: pa.Array, where: Where) -> Amounts:
    """Durations [s]: numbers, which their unit may follow (`90 min`)."""
    column = column.fill_null("")
    if not pc.any(pc.match_substring_regex(column, "[a-z]$")).as_py():
        return amounts("duration", column, where)
    unit = each(column, lambda text: UNITS.get(text.lstrip("0123456789.eE+- "), 1), np.float64)
    told = pc.replace_substring_regex(column, f"(^|[0-9.]) *({'|'.join(UNITS)})$", r"\1")
    value, empty, missing = amounts("duration", told, where)
    return Amounts(value * unit, empty, missing)


def up_to(what: str, column: pa.Array, most: float, where: Where) -> np.ndarray:
    """(n,) numbers from 0 to `most`, or to the next whole one."""
    number, *_ = amounts(what, column, where)
    for i in np.flatnonzero(~((number >= 0) & (number < most + 1)))[:1].tolist():
        raise LogError(f"{where(i)}: {what} {column[i].as_py()!r}; it must be a number from 0 to {most:,g}")
    return number


def _amount(what: str, text: str, row: int, where: Where) -> float:
    if not text:
        return math.nan
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not abs(number) <= MAX_VALUE:
        remedy = "write it as 1234.5" if "," in text else "correct the line"
        raise LogError(f"{where(row)}: {what} {text[:40]!r} is not a finite number; {remedy}")
    return number


def clocks(column: pa.Array, form: str | None, where: Where) -> Clocks:
    """Times as `read_times` reads them, or in a `form` of strptime's."""
    column = column.fill_null("")
    if form is not None:
        return _in_form(column, form, where)
    return _whole(column) or read_times(column.to_pylist(), where)


def _whole(column: pa.Array) -> Clocks | None:
    """A column that is all seconds since 1970, or all ISO 8601 times with an offset, or all without; else None."""
    try:
        return _seconds(column) if _DIGITS.match(column[0].as_py()) else _iso(column)
    except (pa.ArrowInvalid, IndexError):
        return None


def _seconds(column: pa.Array) -> Clocks | None:
    value = pc.cast(column, pa.float64()).to_numpy()
    units = [unit_of(end) for end in (value.min(), value.max())]
    if units[0] is None or units[0] != units[1]:
        return None
    return Clocks((value * units[0]).astype(np.int64), np.full(len(value), UNIVERSAL, np.int64))


def _iso(column: pa.Array) -> Clocks | None:
    if not pc.all(pc.greater_equal(pc.binary_length(column), _LEAST_LENGTH)).as_py():  # a date without an hour
        return None
    signs = [pc.binary_slice(column.cast(pa.binary()), at, at + 1 or None) for at in (-_LONGEST_OFFSET, -1)]
    known = [pc.unique(sign).to_pylist() for sign in signs]
    if not {b"+", b"-"}.isdisjoint(known[0]) or not {b"Z", b"z"}.isdisjoint(known[1]):
        offset = each(pc.utf8_slice_codeunits(column, start=-_LONGEST_OFFSET), _offset, np.int64)
    else:
        offset = np.full(len(column), NO_OFFSET, np.int64)
    bare = offset == NO_OFFSET
    if bare.any() and not bare.all():
        return None
    said = pc.cast(column, pa.timestamp("us", None if bare.any() else "UTC"))
    time = said.cast(pa.int64()).to_numpy() + np.where(offset > NO_OFFSET, offset, 0) * SECOND
    return Clocks(time, offset) if ((time >= 0) & (time < LAST * SECOND)).all() else None


def _offset(end: str) -> int:
    """[s] of the last characters of a time."""
    if end[-1:] in ("Z", "z"):
        return UNIVERSAL
    told = _OFFSET.fullmatch(end)
    return NO_OFFSET if told is None else int(told[1] + "1") * (int(told[2]) * HOUR + int(told[3]) * MINUTE)


def has_hour(form: str) -> bool:
    """Does a form of times say more than the day?"""
    return not _directives(form).isdisjoint("HI")


def _directives(form: str) -> set[str]:
    return set(re.findall(r"%(.)", form))


def _in_form(column: pa.Array, form: str, where: Where) -> Clocks:
    told = _directives(form)
    if not told & set("Yy") or ("I" in told and "p" not in told):
        why = "has hours of half a day (%I) and no %p" if told & set("Yy") else "has no year"
        raise LogError(f"time_format={form[:60]}: {why}; write %Y-%m-%d %H:%M for 2026-01-05 07:00")
    if told <= set("YymdHMSbBIpj"):
        read = pc.strptime(column, format=form, unit="us", error_is_null=True)
        times = read.cast(pa.int64()).fill_null(-1).to_numpy()
        offset = np.full(len(times), NO_OFFSET, np.int64)
    else:  # an offset, for one, which Arrow forgets
        each = [_strptime(text, form) for text in column.to_pylist()]
        times, offset = np.array(each, np.int64).reshape(-1, 2).T
    for row in np.flatnonzero((times < 0) | (times >= LAST * SECOND))[:1].tolist():
        raise LogError(f"{where(row)}: {column[row].as_py()[:60]!r} is not as time_format={form} says; correct one")
    return Clocks(times, np.full(len(times), UNIVERSAL, np.int64) if form[-1:] == "Z" else offset)


def _strptime(text: str, form: str) -> tuple[int, int]:
    """(-1, NO_OFFSET) for what is not of that form."""
    try:
        return microseconds(datetime.datetime.strptime(text, form))
    except (ValueError, OverflowError):
        return -1, NO_OFFSET
