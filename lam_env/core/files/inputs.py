"""One file that somebody names or that an earlier run has left, read with care."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any, NoReturn

from lam_env.core.errors import UserError

# what reading code raises where a file holds something else than it should: the reader makes one UserError of it
BROKEN = (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
_HALF = r"\\u[dD]"  # how an escape of one begins: of a surrogate
MOST_BYTES = 1 << 28  # of a text file of settings, tables or figures


def input_file(path: str | os.PathLike[str]) -> Path:
    """A file that can be read to its end; ValueError for a folder, a pipe (it would never end) or a device. OSError if
    there is none."""
    target = Path(path)
    target.stat()
    if not target.is_file():
        raise ValueError("it is a folder" if target.is_dir() else "it is a pipe or a device, no file")
    return target


def named_path(what: str, given: object) -> Path:
    """The path that a program gives to the function `what`; UserError where it is none."""
    if not isinstance(given, str | os.PathLike):
        raise UserError(f"{what}: {type(given).__name__} is no path; give that of the folder")
    return Path(given)


def read_bytes(path: str | os.PathLike[str], most: int = MOST_BYTES) -> bytes:
    """The same file's content; ValueError if it is longer than `most` bytes."""
    file = input_file(path)
    if file.stat().st_size > most:
        raise ValueError(f"{file.name} is larger than {most:,} bytes")
    return file.read_bytes()


def read_text(path: str | os.PathLike[str], most: int = MOST_BYTES) -> str:
    """As UTF-8."""
    return read_bytes(path, most).decode("utf-8-sig")


def read_json(path: str | os.PathLike[str], most: int = MOST_BYTES) -> Any:
    """What a JSON file holds; ValueError as `json_of`."""
    return json_of(read_text(path, most))


def json_of(text: str | bytes, nan: bool = False) -> Any:
    """What a JSON text holds; ValueError where it holds none, is nested too deep, holds half a sign (which no file can)
    or, unless it may, NaN."""
    try:
        data = json.loads(text, parse_constant=float if nan else _no_number)
        if re.search(_HALF, text) if isinstance(text, str) else re.search(_HALF.encode(), text):
            json.dumps(data, ensure_ascii=False).encode()
        return data
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def reason(error: Exception, most: int = 200) -> str:
    """Why a file could not be read, in a few words of at most so many characters."""
    said = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return " ".join(said.split())[:most]
