"""Which formats can read a file: each importer is tried on its beginning."""

from __future__ import annotations

import contextlib
import functools
import inspect
import itertools
import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lam_env.core import registry
from lam_env.core.contracts import Importer
from lam_env.core.errors import UserError
from lam_env.core.events import USER, ActionLog
from lam_env.logs.input.files import WINDOWS, chunks, is_utf8, read_lines, written_in

LINES = 3_000  # of a text that an importer is tried on
TABLES = ("csv", "tsv", "jsonl", "parquet")
HOMES = "settings: home="  # in the words of a format that knows what a file holds
ZONE = "UTC"  # of a trial: any will do
YOURS = "YOUR/ZONE"  # in its place in a command, where a run refuses it: habits of another zone are hours off
SETTINGS: tuple[str, ...] = ("home", "user", "zone", "columns", "sep", "encoding", "wrong_rows", "time_format")
SETTINGS += ("ignore", "sort", "split", "pairs", "test", "valid")  # of how a log is read, for formats that take them
ASKED: dict[str, Any] = {"zone": ZONE, "sort": True, "wrong_rows": "skip"}  # by importers, in their messages


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


def importer_of(name: str, how: Mapping[str, Any]) -> Importer:
    """The one of a format; UserError where there is none, or it takes not all settings of `how`."""
    importer = registry.IMPORTERS.get(name)
    own = inspect.signature(importer).parameters
    takes = {*own, "encoding"}
    if unknown := [one for one in how if one not in takes]:
        known = ", ".join(one for one in SETTINGS if one in takes)
        raise UserError(f"format={name} takes no {', '.join(unknown)}; of these settings it takes {known}")
    if "encoding" in own:  # an importer of one's own that opens files by itself
        return importer

    @functools.wraps(importer)
    def read(path: str, *, encoding: str | None = None, **others: Any) -> tuple[ActionLog, dict[str, int]]:
        with written_in(encoding):
            return importer(path, **others)

    return read


def read_somehow(path: Path | str, name: str, guess: bool = False, **how: Any) -> Reading:
    """The file (or files) in a format, with the settings `how` and what else it asks for, as `ASKED` has it. UserError
    where that does not help. `guess`: it may well be of another format, so that no row is left out of it, unless it is
    a plain table."""
    importer = importer_of(name, how)
    takes = inspect.signature(importer).parameters
    more: dict[str, Any] = {}
    while True:
        try:
            return Reading(name, {**how, **more}, *importer(str(path), **how, **more))
        except UserError as error:
            known = takes.keys() - how.keys() - more.keys()
            known -= {"wrong_rows"} if guess and name not in TABLES else set()
            asked = {key: value for key, value in ASKED.items() if key in known and f"{key}=" in str(error)}
            if not asked:
                raise
            more |= asked


def that_read(path: Path, **how: Any) -> list[str]:
    """The formats that can read the beginning of a file, or a folder; those of a kind of log come before plain tables,
    those that leave less out first. UserError where one can but for a home that must be picked."""
    found, several = [], None
    with written_in(how.get("encoding")), beginning(path, how.get("encoding")) as part:
        for name in registry.IMPORTERS.names():
            try:
                found.append(read_somehow(part, name, guess=True, **how))
            except UserError as error:
                several = several or (UserError(f"format={name}: {error}") if HOMES in str(error) else None)
            except Exception:
                continue
    if several is not None and not found:
        raise several
    return [one.format for one in sorted(found, key=lambda one: (one.format in TABLES, -one.share))]


@contextlib.contextmanager
def beginning(path: Path, encoding: str | None = None) -> Iterator[Path]:
    """A path under which the first lines of a long text stand, by the same name; anything else as it is."""
    if kind_of(path) not in ("csv", "jsonl"):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder) / path.name
        with open(part, "w", encoding=encoding or "utf-8", newline="") as file:
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


def has_text(path: Path) -> bool:
    """Does anything but blanks stand in a file?"""
    return any(chunk.strip() for chunk in chunks(path))


def line_of_nul(path: Path) -> int | None:
    """Number of the line in which the beginning of a file has a byte that no text has; None for a folder too."""
    before, nul, _ = (b"" if path.is_dir() else next(chunks(path), b"")).partition(b"\0")
    return before.count(b"\n") + 1 if nul else None


def encoding_of(path: Path) -> str | None:
    """What a text is most likely in, where it is not UTF-8; else None."""
    return WINDOWS if kind_of(path) in ("csv", "jsonl") and not is_utf8(path) else None
