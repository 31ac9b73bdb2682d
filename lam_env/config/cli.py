"""Settings: frozen dataclasses <- `key=value` on the command line and `config=file.yaml`.

A setting is a field made by `setting(default, doc)`; a group of settings is a field whose default is another such
dataclass; a field whose default is a dictionary collects free-form settings (`world.residents=3`) until it is known
whose they are, and `parse` puts that dataclass in its place.
Types: int, float, str, bool, Literal of names, tuples of int, float or str, and any of them `| None`.
"""

from __future__ import annotations

import dataclasses
import os
import sys
import textwrap
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NoReturn, TypeVar, get_args, get_origin

from lam_env.config.convert import ConfigError, can_be_set, convert, short, suggestion
from lam_env.core.errors import UserError

__all__ = ["ConfigError", "as_yaml", "cli_errors", "help_text", "is_code", "override", "parse", "setting", "to_dict"]

T = TypeVar("T")
_MOST, _DEEPEST = 1_000, 8  # settings in a file and its nesting: YAML's aliases can unfold to any number


def setting(
    default: Any, doc: str | Callable[[], str], low: float | None = None, high: float | None = None, code: bool = False
) -> Any:
    """A field of a settings dataclass. `doc`: one sentence, shown by --help, or what makes it. `low`, `high`: bounds.

    `code`: the value may name Python code (`module:Attribute`); a config file may not give it such a value.
    """
    metadata = {"doc": doc, "low": low, "high": high, "code": code}
    if isinstance(default, dict):
        return dataclasses.field(default_factory=lambda: dict(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def parse(
    cls: type[T],
    argv: Sequence[str],
    prog: str,
    base: Callable[[T], T] | None = None,
) -> T:
    """The settings that `argv` gives; later ones win over earlier ones, and all of them over the config file.

    --help and --print-config print and leave. `base` makes, of these settings, those that hold where neither `argv` nor
    a file says something else, with a dataclass in the place of each free-form group. It is not asked for --help alone.
    """
    from_files: dict[str, Any] = {}
    given: dict[str, str] = {}
    settings = cls()
    wants = {"--help": False, "--print-config": False}
    for argument in argv:
        if not argument.isprintable():
            raise ConfigError(f"{argument!r} holds a sign that cannot be printed")
        word = "--help" if argument == "-h" else argument
        if word in wants:
            wants[word] = True
            continue
        key, equals, value = argument.partition("=")
        if not equals or not key or key.startswith("-"):
            hint = f"{key.lstrip('-') or 'key'}=..." if key.startswith("-") else "key=value"
            raise ConfigError(f"{argument!r} is no setting: write {hint}, or --help for the list")
        if key == "config":
            from_files |= _read_file(settings, value)
        else:
            given[key] = value
    settings = override(cls(), from_files | given)
    if base and not (wants["--help"] and len(argv) == 1):
        settings = override(base(settings), from_files | given)
    if wants["--help"]:
        print(help_text(settings, prog))
        raise SystemExit(0)
    if wants["--print-config"]:
        print(as_yaml(settings), end="")
        raise SystemExit(0)
    return settings


def override(instance: T, values: Mapping[str, Any], prefix: str = "") -> T:
    """`instance` (a frozen dataclass) with `values` put in: dotted or nested keys; text, or values of the right type.

    `prefix` is what the keys are called in messages: override(params, {"residents": "3"}, prefix="world").
    """
    known, head = _fields(instance), prefix + "." if prefix else ""
    changes: dict[str, Any] = {}
    for key, value in _flatten(values):
        _place(changes, instance, key.split("."), key, value, head, known)
    new: T = _replaced(instance, changes, head)
    return new


def to_dict(instance: Any) -> dict[str, Any]:
    """Settings as plain nested values (tuples as lists): what JSON and YAML hold, and what `override` takes back;
    fields of other types, which nobody can set, are left out."""
    out: dict[str, Any] = {}
    hints = typing.get_type_hints(type(instance))
    for field in dataclasses.fields(instance):
        value = getattr(instance, field.name)
        if dataclasses.is_dataclass(value):
            out[field.name] = to_dict(value)
        elif isinstance(value, dict) or can_be_set(hints[field.name]):
            out[field.name] = list(value) if isinstance(value, tuple) else value
    return out


def as_yaml(instance: Any) -> str:
    """The settings as a config file; what a file may not say stands there as a comment."""
    import yaml

    data = to_dict(instance)
    kept_out = {k: data.pop(k) for k in list(data) if is_code(instance, k, data[k])}
    text: str = yaml.safe_dump(data, sort_keys=False, allow_unicode=True)
    return "".join(f"# {k}: {v} (command line only)\n" for k, v in kept_out.items()) + text


def help_text(settings: Any, prog: str) -> str:
    """The --help page: every setting with its value and its sentence."""
    about = (type(settings).__doc__ or "").strip()
    rows = [*_help_rows(settings, ""), ("config=FILE.yaml", "read settings from a file; the command line wins")]
    width = min(34, max(len(left) for left, _ in rows) + 2)
    lines = [f"usage: {prog} [key=value ...] [--print-config]", "", about, "", "settings and their values:"]
    for left, doc in rows:
        body = textwrap.wrap(doc, 118 - width) or [""]
        if len(left) > width - 2:
            lines.append("  " + left)
            left = ""
        lines += [f"  {left:{width}}{body[0]}", *(f"  {'':{width}}{more}" for more in body[1:])]
    return "\n".join(line.rstrip() for line in lines)


@contextmanager
def cli_errors() -> Iterator[None]:
    """Around a command's main (also as a decorator): a user's error is one line on stderr and exit code 2."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # whoever read the output has seen enough, as `| head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except UserError as error:
        print("error:", " ".join(str(error).split()), file=sys.stderr)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        raise SystemExit(130) from None


def _place(
    changes: dict[str, Any], instance: Any, path: list[str], key: str, value: Any, prefix: str, known: list[str]
) -> None:
    """Puts `value` into the tree of changes, as the type of its field."""
    name, rest = path[0], path[1:]
    field = {f.name: f for f in dataclasses.fields(instance) if f.init}.get(name)
    if field is None:
        _unknown(key, prefix, known)
    old, hint = getattr(instance, name), typing.get_type_hints(type(instance))[name]
    if dataclasses.is_dataclass(old):
        if not rest:
            inside = ", ".join(f"{prefix}{key}.{f.name}" for f in dataclasses.fields(old))
            raise ConfigError(f"{prefix}{key} is a group of settings: give one of {inside}")
        _place(changes.setdefault(name, {}), old, rest, key, value, prefix, known)
    elif isinstance(old, dict):
        if not rest or not all(rest):
            raise ConfigError(f"{prefix}{name} is a group of settings: write {prefix}{name}.KEY=value")
        changes[name] = {**changes.get(name, old), ".".join(rest): value}
    elif rest:
        _unknown(key, prefix, known)
    else:
        changes[name] = convert(prefix + key, hint, value, field.metadata)


def _replaced(instance: Any, changes: dict[str, Any], prefix: str) -> Any:
    """All changes of a dataclass at once, so that its own check never meets half of them."""
    new = {
        name: _replaced(old, value, f"{prefix}{name}.") if dataclasses.is_dataclass(old) else value
        for name, value in changes.items()
        for old in (getattr(instance, name),)
    }
    try:
        return dataclasses.replace(instance, **new)
    except UserError:
        raise
    except ValueError as error:  # the dataclass's own check of its values
        if prefix and str(error).startswith(prefix):  # it says itself which setting it is about
            raise ConfigError(str(error)) from None
        given = ", ".join(f"{prefix}{name}={short(value)}" for name, value in changes.items())
        raise ConfigError(f"{given}: {error}") from None


def _unknown(key: str, prefix: str, known: list[str]) -> NoReturn:
    names = [prefix + k for k in known]
    raise ConfigError(f"no setting {prefix + key!r}; {suggestion(prefix + key, names, '--help lists them')}")


def _flatten(values: Mapping[str, Any]) -> list[tuple[str, Any]]:
    out: list[tuple[str, Any]] = []

    def walk(part: Mapping[str, Any], head: str, depth: int) -> None:
        for key, value in part.items():
            if not isinstance(key, str):
                raise ConfigError(f"no setting {short(key)}: the name of a setting is a word")
            if depth > _DEEPEST:
                raise ConfigError(f"{head}{key} lies in more than {_DEEPEST} groups of settings")
            if isinstance(value, Mapping):
                walk(value, f"{head}{key}.", depth + 1)
            else:
                out.append((head + key, value))
            if len(out) > _MOST:
                raise ConfigError(f"more than {_MOST} settings")

    walk(values, "", 0)
    return out


def _read_file(settings: Any, path: str) -> dict[str, Any]:
    import yaml

    try:
        with open(path, encoding="utf-8") as file:
            data = yaml.safe_load(file)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"config={path!r}: cannot be read ({reason}); give a YAML file of settings") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError(f"config={path!r}: is not YAML ({' '.join(str(error).split())[:200]})") from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigError(f"config={path!r}: expected lines of 'key: value', got {short(data)}")
    flat = dict(_flatten(data))
    for key, value in flat.items():
        if is_code(settings, key, value):
            raise ConfigError(
                f"config={path!r}: {key} names Python code, which a file may not; give it on the command line"
            )
    return flat


def is_code(settings: Any, key: str, value: Any) -> bool:
    """Whether a file may not say this: the setting `agent`, and `module:Attribute` where code may be named."""
    fields = {f.name: f for f in dataclasses.fields(settings)}
    may = key in fields and fields[key].metadata.get("code", False)
    words = value if isinstance(value, list | tuple) else (value,)
    return key == "agent" or (may and any(":" in str(word) for word in words))


def _fields(instance: Any) -> list[str]:
    """The dotted names of all settings."""
    names: list[str] = []
    for field in dataclasses.fields(instance):
        value = getattr(instance, field.name)
        inside = _fields(value) if dataclasses.is_dataclass(value) else []
        names += [f"{field.name}.{n}" for n in inside] or [field.name]
    return names


def _help_rows(instance: Any, prefix: str) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    hints = typing.get_type_hints(type(instance))
    for field in dataclasses.fields(instance):
        value, doc = getattr(instance, field.name), field.metadata.get("doc", "")
        doc = doc() if callable(doc) else doc
        if dataclasses.is_dataclass(value):
            rows += _help_rows(value, f"{prefix}{field.name}.")
        elif isinstance(value, dict):
            rows.append((f"{prefix}{field.name}.KEY=...", doc))
        else:
            kind = next(
                (o for o in (*get_args(hints[field.name]), hints[field.name]) if get_origin(o) is Literal), None
            )
            names = f". One of {', '.join(map(str, get_args(kind)))}" if kind else _bounds(field.metadata)
            shown = "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
            shown = ",".join(map(str, value)) if isinstance(value, tuple) else shown
            if len(shown) <= 60:
                rows.append((f"{prefix}{field.name}={shown}", doc + names))
    return rows


def _bounds(limits: Mapping[str, Any]) -> str:
    """The end of the sentence of a number that has two bounds."""
    low, high = limits.get("low"), limits.get("high")
    return "" if low is None or high is None else f" ({low:,} to {high:,})"
