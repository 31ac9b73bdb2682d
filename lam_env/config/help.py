"""What settings there are, for people to read: --help, and the reference."""

from __future__ import annotations

import dataclasses
import shutil
import textwrap
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, TypeGuard, get_args, get_origin

SHIPPED = {path.stem: path for path in Path(__file__).parent.glob("*.yaml")}  # files of settings that have a name
_SHOWN = 60  # signs of a value that --help shows


class Group(Protocol):
    """A dataclass of settings, whichever."""

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[object]]]


class Setting(NamedTuple):
    """A setting as --help and the reference show it."""

    name: str  # dotted; of a group of free-form settings it ends in KEY
    value: str  # as it is typed
    kind: str  # its type, in words
    doc: str
    limits: str  # what it may be, as it follows on the sentence


def settings_of(instance: Group, prefix: str = "") -> list[Setting]:
    """All settings, those of groups too, in their order."""
    found: list[Setting] = []
    hints = typing.get_type_hints(type(instance))
    for field in dataclasses.fields(instance):
        value, doc = getattr(instance, field.name), field.metadata.get("doc", "")
        doc = doc() if callable(doc) else doc
        if is_group(value):
            found += settings_of(value, f"{prefix}{field.name}.")
        elif isinstance(value, dict):
            found.append(Setting(f"{prefix}{field.name}.KEY", "...", "settings", doc, ""))
        else:
            hint, low, high, limits = hints[field.name], field.metadata.get("low"), field.metadata.get("high"), ""
            if names := _names_of(hint):
                limits = f". One of {', '.join(map(str, names))}"
            elif low is not None and high is not None:
                limits = f" ({low:,} to {high:,})"
            text = "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
            text = ",".join(map(str, value)) if isinstance(value, tuple) else text
            found.append(Setting(f"{prefix}{called(field)}", text, kind_of(hint), doc, limits))
    return found


def _names_of(hint: Any) -> tuple[Any, ...]:
    """The names of a Literal, alone or among others; none of another type."""
    return next((get_args(h) for h in (*get_args(hint), hint) if get_origin(h) is Literal), ())


def kind_of(hint: Any) -> str:
    """A type of settings in words: "number", "text or null", "whole numbers"."""
    one = {int: "whole number", float: "number", str: "text", bool: "yes or no", type(None): "null"}
    if hint in one:
        return one[hint]
    if get_origin(hint) is Literal:
        return "name"
    if get_origin(hint) is tuple:
        first, *more = get_args(hint)
        several = "texts" if first is str else f"{one.get(first, 'name')}s"
        return f"{len(more) + 1} {several}" if more and more[-1] is not Ellipsis else several
    return " or ".join(kind_of(part) for part in get_args(hint)) or str(getattr(hint, "__name__", hint))


def help_text(settings: Group, prog: str) -> str:
    """The --help page: every setting with its value and its sentence."""
    about = (type(settings).__doc__ or "").strip()
    rows = [(f"{s.name}={s.value}", f"{s.doc}{s.limits}") for s in settings_of(settings) if len(s.value) <= _SHOWN]
    files = f"read settings from a file, or the kit's own: {', '.join(sorted(SHIPPED))}; the command line wins"
    rows.append(("config=FILE.yaml", files))
    usage = f"usage: {prog} [key=value ...] [--print-config]"
    return "\n".join([usage, "", *textwrap.wrap(about, _columns()), "", "settings and their values:", listing(rows)])


def listing(rows: Sequence[tuple[str, str]]) -> str:
    """Names and what is said of each, beside them, broken to the width of the terminal."""
    width = min(34, max(len(left) for left, _ in rows) + 2)
    lines = []
    for left, doc in rows:
        body = textwrap.wrap(doc, _columns() - 2 - width) or [""]
        if len(left) > width - 2:
            lines.append("  " + left)
            left = ""
        lines += [f"  {left:{width}}{body[0]}", *(f"  {'':{width}}{more}" for more in body[1:])]
    return "\n".join(line.rstrip() for line in lines)


def _columns() -> int:
    return min(120, max(64, shutil.get_terminal_size().columns))


def called(field: dataclasses.Field[object]) -> str:
    return field.metadata.get("name") or field.name


def is_group(value: object) -> TypeGuard[Group]:
    return dataclasses.is_dataclass(value)
