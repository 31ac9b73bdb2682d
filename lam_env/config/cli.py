"""Settings: frozen dataclasses <- `key=value` on the command line and `config=file.yaml`.

A setting is a field made by `setting(default, doc)`; a group of settings is a field whose default is another such
dataclass; a field whose default is a dictionary collects free-form settings (`world.residents=3`) until it is known
whose they are, and `parse` puts that dataclass in its place.
Types: int, float, str, bool, Literal of names, tuples of int, float or str, and any of them `| None`.
"""

from __future__ import annotations

import dataclasses
import errno
import os
import shlex
import sys
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from typing import Any, TypeVar

from lam_env.config.convert import ConfigError, can_be_set, convert, nearest_first, short, suggestion
from lam_env.config.help import SHIPPED, Group, called, help_text, is_group
from lam_env.core.errors import UserError, own_fault, plain
from lam_env.core.files.inputs import read_text, reason
from lam_env.core.interrupts import as_interrupts, stopped

__all__ = [
    "REQUIRED",
    "ConfigError",
    "Group",
    "as_yaml",
    "cli_errors",
    "command_line",
    "is_code",
    "lasting",
    "override",
    "parse",
    "setting",
    "to_dict",
]

T = TypeVar("T")


Settings = TypeVar("Settings", bound=Group)
REQUIRED: Any = dataclasses.MISSING  # the default of a `setting` that has to be given
LISTED = "--help lists them"
PAID = "what a reward is worth is no setting but `reward_weights` of a scenario (docs/how_to/own_world.md)"
_MOST, _DEEPEST = 1_000, 8  # settings in a file and its nesting
_MOST_VALUES = 100_000  # in a YAML file: aliases can unfold to any number


def setting(
    default: T,
    doc: str | Callable[[], str],
    low: float | None = None,
    high: float | None = None,
    code: bool = False,
    name: str | None = None,
    may_differ: bool = False,
) -> T:
    """A field of a settings dataclass. `doc`: one sentence, shown by --help, or what makes it. `low`, `high`: bounds.

    `code`: the value may name Python code (`module:Attribute`); a config file may not give it such a value.
    `name`: what users write, where it is not the field's own: "agent.memory", of a field beside `agent`.
    `may_differ`: whoever goes on with what was begun may say something else.
    """
    metadata = {"doc": doc, "low": low, "high": high, "code": code, "name": name, "may_differ": may_differ}
    if isinstance(default, dict):
        return dataclasses.field(default_factory=lambda: copy(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def parse(
    cls: type[Settings], argv: Sequence[str], prog: str, base: Callable[[Settings], Settings] | None = None
) -> Settings:
    """The settings that `argv` gives; later ones win over earlier ones, and all of them over the config file. A list is
    given once.

    --help and --print-config print and leave. `base` makes, of these settings, those that hold where neither `argv` nor
    a file says something else, with a dataclass in the place of each free-form group. It is not asked for --help alone.
    """
    from_files: dict[str, object] = {}
    from_line: dict[str, object] = {}
    settings, words = cls(), {"--help" if argument == "-h" else argument for argument in argv}
    lists = {name for name, value in _flatten(to_dict(settings)) if isinstance(value, list)}
    for argument in argv:
        if not argument.isprintable():
            raise ConfigError(f"{argument!r} holds a sign that cannot be printed")
        if argument in ("-h", "--help", "--print-config"):
            continue
        key, equals, value = argument.partition("=")
        if not equals or not key or key.startswith("-"):
            hint = f"{key.lstrip('-') or 'key'}=..." if key.startswith("-") else "key=value"
            raise ConfigError(f"{argument!r} is no setting: write {hint}, or --help for the list")
        if key == "config":
            if not value.strip():
                raise _empty(key)
            from_files |= _read_file(settings, value)
        elif key in lists and from_line.get(key, value) != value:
            raise ConfigError(f"{key} is given twice: write {key}={from_line[key]},{value}")
        else:
            from_line[key] = value
    settings = override(cls(), from_files | from_line, listed=LISTED)
    if base and not ("--help" in words and len(argv) == 1):
        settings = override(base(settings), from_files | from_line, listed=LISTED)
    if "--help" in words:
        print(help_text(settings, prog))
        raise SystemExit(0)
    if "--print-config" in words:
        print(as_yaml(settings), end="")
        raise SystemExit(0)
    return settings


def override(instance: Settings, values: Mapping[str, object], prefix: str = "", listed: str = "") -> Settings:
    """`instance` (a frozen dataclass) with `values` put in: dotted or nested keys; text, or values of the right type.

    `prefix` is what the keys are called in messages: override(params, {"residents": "3"}, prefix="world"). `listed`
    says there where all of them are listed (default: they are listed there).
    """
    head = prefix + "." if prefix else ""

    def hint(key: str) -> str:
        known = [head + name for name in _names(instance)]
        return suggestion(key, known, PAID if "reward" in key else listed or nearest_first(key, known))

    return _replaced(instance, _flatten(values), head, hint)


def _replaced(
    instance: Settings, values: Iterable[tuple[str, object]], head: str, hint: Callable[[str], str]
) -> Settings:
    """All changes of a dataclass at once, so that its own check never meets half of them. `hint`: what may be meant by
    a name."""
    fields = {called(field): field for field in dataclasses.fields(instance) if field.init}
    hints = typing.get_type_hints(type(instance))
    changes: dict[str, object] = {}
    groups: dict[str, list[tuple[str, object]]] = {}
    for key, value in values:
        name, dot, rest = (key, "", "") if key in fields else key.partition(".")
        old = getattr(instance, fields[name].name) if name in fields else None
        grouped = is_group(old) or isinstance(old, dict)
        if name not in fields or (dot and not grouped):
            raise ConfigError(f"no setting {head + key!r}; {hint(head + key)}")
        if is_group(old) and not dot:
            inside = ", ".join(f"{head}{name}.{f.name}" for f in dataclasses.fields(old))
            raise ConfigError(f"{head}{name} is a group of settings: give one of {inside}")
        if isinstance(old, dict) and not all(rest.split(".")):
            raise ConfigError(f"{head}{name} is a group of settings: write {head}{name}.KEY=value")
        if grouped:
            groups.setdefault(name, []).append((rest, value))
        else:
            new = convert(head + key, hints[fields[name].name], value, fields[name].metadata)
            texts = new if isinstance(new, tuple) else (new,)
            if new != old and any(isinstance(text, str) and not text.strip() for text in texts):
                raise _empty(head + key)
            changes[fields[name].name] = new
    for name, inner in groups.items():
        old = getattr(instance, name)
        changes[name] = (
            {**old, **dict(inner)} if isinstance(old, dict) else _replaced(old, inner, f"{head}{name}.", hint)
        )
    try:
        return dataclasses.replace(instance, **changes)
    except UserError:
        raise
    except ValueError as error:  # the dataclass's own check of its values
        if head and str(error).startswith(head):  # it says itself which setting it is about
            raise ConfigError(str(error)) from None
        words = ", ".join(f"{head}{name}={short(value)}" for name, value in changes.items())
        raise ConfigError(f"{words}: {error}") from None


def _empty(name: str) -> ConfigError:
    return ConfigError(f"{name}: a name or path is empty; give one, or leave {name}= away")


def to_dict(instance: Group) -> dict[str, object]:
    """Settings as plain nested values (tuples as lists): what JSON and YAML hold, and what `override` takes back;
    fields of other types, which nobody can set, are left out."""
    out: dict[str, object] = {}
    hints = typing.get_type_hints(type(instance))
    for field in dataclasses.fields(instance):
        value = getattr(instance, field.name)
        if is_group(value):
            out[field.name] = to_dict(value)
        elif isinstance(value, dict) or can_be_set(hints[field.name]):
            out[called(field)] = list(value) if isinstance(value, tuple) else value
    return out


def lasting(instance: Group) -> dict[str, object]:
    """Those of them that whoever goes on with what was begun has to give again."""
    out, free = to_dict(instance), [f for f in dataclasses.fields(instance) if f.metadata.get("may_differ")]
    return {name: value for name, value in out.items() if name not in map(called, free)}


def as_yaml(instance: Group) -> str:
    """The settings as a config file; what a file may not say stands there as a comment."""
    import yaml

    data = to_dict(instance)
    kept_out = {k: data.pop(k) for k in list(data) if is_code(instance, k, data[k])}
    text: str = yaml.safe_dump(data, sort_keys=False, allow_unicode=True)
    return "".join(f"# {k}: {v} (command line only)\n" for k, v in kept_out.items()) + text


def command_line(program: str, words: Sequence[str]) -> str:
    """What was typed, as it can be pasted into a shell: `words` are what the shell made of it."""
    return " ".join([program, *map(shlex.quote, words)])


@contextmanager
def cli_errors() -> Iterator[None]:
    """Around a command's main (also as a decorator): a user's error is one line on stderr and exit code 2; Ctrl-C,
    SIGTERM and SIGHUP end it with 130."""
    try:
        with as_interrupts():
            try:
                yield
            finally:
                if sys.stdout is not None:  # the caller may have closed it
                    sys.stdout.flush()
    except BrokenPipeError:  # whoever read the output has seen enough, as `| head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except UserError as error:
        print("error:", " ".join(plain(str(error)).split()), file=sys.stderr)
        raise SystemExit(2) from None
    except Exception as error:
        if (line := _unwritable(error) or own_fault(error)) is None:
            raise
        print("error:", line, file=sys.stderr)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        stopped()


def _unwritable(error: Exception) -> str | None:
    """One line where the error is that what is printed cannot be written (a full disk): then a line more fails too. Or
    that no file can be called so."""
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        return f"{short(str(error.filename))}: the name is too long; give a shorter one"
    if isinstance(error, OSError) and error.filename is None and sys.stdout is not None:
        try:
            print(flush=True)
        except OSError as again:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return f"the output cannot be written ({again.strerror}); send it elsewhere"
    return None


def _flatten(values: Mapping[str, object]) -> list[tuple[str, object]]:
    out: list[tuple[str, object]] = []

    def walk(part: Mapping[str, object], head: str, depth: int) -> None:
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
                raise ConfigError(f"more than {_MOST:,} settings")

    walk(values, "", 0)
    return out


def read_yaml(path: str | os.PathLike[str], otherwise: str) -> object:
    """What a YAML file holds, of plain types; ConfigError, which ends in `otherwise` where it cannot be read."""
    import yaml

    class Once(yaml.SafeLoader):
        """Refuses what a second line would silently replace."""

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
            seen = dict[tuple[str, str], int]()
            for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
                line, what = key.start_mark.line + 1, (key.tag, key.value)
                if what in seen:
                    where = f"in lines {seen[what]} and {line}"
                    raise ConfigError(f"{key.value!r} is there twice, {where}; leave one of them away")
                seen[what] = line
            made: dict[object, object] = super().construct_mapping(node, deep)
            return made

    try:
        return _tree(Once(read_text(path)).get_single_data(), iter(range(_MOST_VALUES)))
    except ConfigError:
        raise
    except yaml.YAMLError as error:
        raise ConfigError(f"is not YAML ({reason(error)})") from None
    except RecursionError:
        raise ConfigError("is nested too deep, or holds itself") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot be read ({reason(error)}); {otherwise}") from None


def _tree(value: object, left: Iterator[int]) -> object:
    """The same without aliases: a few lines of them may stand for more values than a memory holds."""
    if next(left, None) is None:
        raise ValueError(f"it stands for more than {_MOST_VALUES:,} values")
    if isinstance(value, dict):
        return {_tree(key, left): _tree(part, left) for key, part in value.items()}
    if isinstance(value, str):
        value.encode()  # a ValueError where an escape stands for half a sign
    return [_tree(part, left) for part in value] if isinstance(value, list) else value


def _read_file(settings: Group, path: str) -> dict[str, object]:
    try:
        data = read_yaml(SHIPPED.get(path, path), "give a YAML file of settings")
        if data is not None and not isinstance(data, dict):
            raise ConfigError(f"expected lines of 'key: value', got {short(data)}")
    except ConfigError as error:
        raise ConfigError(f"config={path!r}: {error}") from None
    flat = dict(_flatten(data or {}))
    for key, value in flat.items():
        if is_code(settings, key, value):
            why = "names Python code, which a file may not; give it on the command line"
            raise ConfigError(f"config={path!r}: {key} {why}")
    return flat


def is_code(settings: Group, key: str, value: object) -> bool:
    """Whether a file may not say this: the setting `agent`, and `module:Attribute` where code may be named."""
    fields = {f.name: f for f in dataclasses.fields(settings)}
    may = key in fields and fields[key].metadata.get("code", False)
    words = value if isinstance(value, list | tuple) else (value,)
    return key == "agent" or (may and any(":" in str(word) for word in words))


def _names(instance: Group) -> list[str]:
    """The dotted names of all settings."""
    names: list[str] = []
    for field in dataclasses.fields(instance):
        value = getattr(instance, field.name)
        inside = _names(value) if is_group(value) else []
        names += [f"{field.name}.{n}" for n in inside] or [called(field)]
    return names
