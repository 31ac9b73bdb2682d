"""Files and folders that are written whole or not at all, and are on the disk when that is said."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import quote

from lam_env.core.errors import UnwritableError, UserError
from lam_env.core.files.inputs import reason


def replace(target: Path, fill: Callable[[Path], object], remedy: str = "make room, or give another folder") -> None:
    """`fill(part)` makes a file or a folder, which then takes the place of `target`. UnwritableError, which ends in
    `remedy`, if that cannot be done: then what was there stays."""
    part, old = (target.with_name(f".{target.name}.{os.getpid()}.{end}") for end in ("part", "old"))
    try:
        _remove(part)
        fill(part)
        _sync(part)
        if part.is_dir() and target.exists():
            os.replace(target, old)
        os.replace(part, target)
        _sync_entries(target.parent)
    except OSError as error:
        why = reason(error) if target.parent.is_dir() else "its folder is gone"
        raise UnwritableError(f"{target}: cannot be written ({why}); {remedy}") from None
    finally:
        if old.exists() and not target.exists():  # failed between the two
            os.replace(old, target)
        _remove(part)
        _remove(old)


def replace_text(target: Path, text: str) -> None:
    """The same of a text file."""
    replace(target, lambda part: part.write_text(text, encoding="utf-8"))


def file_name(name: str) -> str:
    """How files are called after an agent, which may be `module:Class` or `NAME@steps=9`: with signs that every system
    allows."""
    return quote(name.replace(":", "-").replace("@", "-"), safe="=")


def tidy(folders: Iterable[Path]) -> None:
    """Removes what a process that was killed has left half done in these folders, and gives back what it had taken."""
    for folder in folders:
        for old in folder.glob(".*.old"):
            target = old.with_name(old.name[1:].rpartition(".")[0].rpartition(".")[0])
            if not target.exists():
                os.replace(old, target)
            _remove(old)
        for part in folder.glob("*.part"):
            _remove(part)


def output_file(path: str | os.PathLike[str], setting: str = "out") -> Path:
    """Where a file is to be written, links followed; UserError for a folder, a device, or where none can be written."""
    target = Path(path).resolve()
    if target.is_dir() or not target.parent.is_dir():
        what = "is a folder" if target.is_dir() else "its folder is not there"
        raise UserError(f"{setting}={path}: {what}; give a file")
    if target.exists() and not target.is_file():
        raise UserError(f"{setting}={path}: is a device or a pipe; give a file")
    try:
        with tempfile.TemporaryFile(dir=target.parent):
            pass
    except OSError as error:
        raise UnwritableError(f"{setting}={path}: cannot be written ({error.strerror}); give another file") from None
    return target


def write_whole(path: str | os.PathLike[str], write: Callable[[Path], object], setting: str = "out") -> None:
    """`write(part)` makes the file that a command's user names; UserError if it cannot be written."""
    target = output_file(path, setting)
    try:
        replace(target, write, "give another file")
    except UnwritableError as error:
        why = str(error).removeprefix(f"{target}")
        raise UnwritableError(f"{setting}={path}{why}") from None


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """A file, or all files of a folder."""
    if path.is_dir():
        for inside in path.iterdir():
            _sync(inside)
        _sync_entries(path)
        return
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _sync_entries(folder: Path) -> None:
    """The names in a folder; there are file systems that cannot."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
