"""One file that a command writes where its user says, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from lam_env.core.errors import UserError


def output_file(path: str | os.PathLike[str], setting: str = "out") -> Path:
    """Where a file is to be written, links followed; UserError for a folder, a device, or where there is no folder."""
    target = Path(path).resolve()
    if target.is_dir() or not target.parent.is_dir():
        what = "is a folder" if target.is_dir() else "its folder is not there"
        raise UserError(f"{setting}={path}: {what}; give a file")
    if target.exists() and not target.is_file():
        raise UserError(f"{setting}={path}: is a device or a pipe; give a file")
    return target


def write_whole(path: str | os.PathLike[str], write: Callable[[Path], object], setting: str = "out") -> None:
    """`write(part)` fills a file that then takes the place of `path`; UserError if it cannot be written."""
    target = output_file(path, setting)
    part = target.with_name(target.name + ".part")
    try:
        write(part)
        os.replace(part, target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise UserError(f"{setting}={path}: cannot be written ({error.strerror}); give another file") from None
