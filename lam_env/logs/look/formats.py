"""Which formats can read a file: each importer is tried on its beginning."""

from __future__ import annotations

import contextlib
import inspect
import itertools
import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lam_env.core import registry
from lam_env.core.errors import UserError
from lam_env.core.events import USER, ActionLog
from lam_env.logs.input.files import chunks, read_lines

LINES = 3_000  # of a text that an importer is tried on
TABLES = ("csv", "tsv", "jsonl", "parquet")
HOMES = "settings: home="  # in the words of a format that knows what a file holds
ASKS = ("zone=", "sort=yes")
ZONE = "UTC"  # of a trial: any will do


class Reading(NamedTuple):
    """A file as `format` reads it with the settings `how`: its log, and what was left out, by reason."""

    format: str
    how: Mapping[str, Any]
    log: ActionLog
    left_out: Mapping[str, int]

    @property
    def share(self) -> float:
        """Of all that was met, what became an event of a user."""
        events = int((self.log.kind == USER).sum())
        return events / max(1, events + sum(self.left_out.values()))


def read_somehow(path: Path | str, name: str, **how: Any) -> Reading:
    """The file (or files) in a format, with the settings `how` and what else it asks for: a time zone, or its rows
    sorted. Where that does not help, the UserError that asks for neither, if there is one."""
    importer = registry.IMPORTERS.get(name)
    takes = inspect.signature(importer).parameters
    errors: list[UserError] = []
    for more in ({}, {"zone": ZONE}, {"sort": True}, {"zone": ZONE, "sort": True}):
        if not all(key in takes and key not in how for key in more):
            continue
        try:
            log, left_out = importer(str(path), **how, **more)
        except UserError as error:
            errors.append(error)
        else:
            return Reading(name, {**how, **more}, log, left_out)
    raise next((error for error in errors if not any(word in str(error) for word in ASKS)), errors[0])


def that_read(path: Path, **how: Any) -> list[str]:
    """The formats that can read the beginning of a file, or a folder; those of a kind of log come before plain tables,
    those that leave less out first. UserError where one can but for a home that must be picked."""
    found, several = [], None
    with beginning(path) as part:
        for name in registry.IMPORTERS.names():
            try:
                found.append(read_somehow(part, name, **how))
            except UserError as error:
                several = several or (UserError(f"format={name}: {error}") if HOMES in str(error) else None)
            except Exception:
                continue
    if several is not None and not found:
        raise several
    return [one.format for one in sorted(found, key=lambda one: (one.format in TABLES, -one.share))]


@contextlib.contextmanager
def beginning(path: Path) -> Iterator[Path]:
    """A path under which the first lines of a long text stand, by the same name; anything else as it is."""
    if not is_lines(path):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder) / path.name
        with part.open("w", encoding="utf-8", newline="") as file:
            file.writelines(line for _, line in itertools.islice(read_lines(path), LINES))
        yield part


def kind_of(path: Path) -> str | None:
    """Which kind of table a file may be: csv, jsonl or parquet; None for a folder, a database, JSON or XML in one
    piece."""
    start = b"" if path.is_dir() else next(chunks(path), b"")[: 1 << 15]
    if start.startswith(b"PAR1"):
        return "parquet"
    plain = start.lstrip()
    if path.is_dir() or b"\0" in start or plain[:1] == b"<":
        return None
    if plain[:1] not in (b"{", b"["):
        return "csv"
    try:
        return "jsonl" if isinstance(json.loads(plain.partition(b"\n")[0]), dict) else None
    except ValueError:
        return None


def is_lines(path: Path) -> bool:
    """Is it a text of which a part makes sense?"""
    return kind_of(path) in ("csv", "jsonl")
