"""Bytes and lines of a file that may be gzipped."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

from lam_env.core.events import LogError

CHUNK = 1 << 16  # [bytes]
LONGEST_LINE = 1 << 20  # [bytes]; a small gzip file can unpack to an endless line


def chunks(path: Path) -> Iterator[bytes]:
    """The file's bytes, unpacked if they are gzip (told by content, not by name)."""
    try:
        with open(path, "rb") as plain:
            packed = plain.read(2) == b"\x1f\x8b"
            plain.seek(0)
            with gzip.open(plain) if packed else plain as stream:
                yield from iter(lambda: stream.read(CHUNK), b"")
    except EOFError:
        raise LogError(f"{path.name}: the gzip file is cut short; copy it again") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise LogError(f"{path.name}: the gzip file is damaged ({error}); copy it again") from None
    except OSError as error:
        raise LogError(f"{path.name}: cannot be read ({error.strerror}); give another file") from None


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """(line number from 1, text with its line end) of a UTF-8 file."""
    number, rest = 0, b""
    for chunk in chunks(path):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            number += 1
            yield number, _decoded(path, number, line + b"\n")
        if len(rest) > LONGEST_LINE:
            raise LogError(f"{path.name}, line {number + 1}: longer than {LONGEST_LINE} bytes; is this a text file?")
    if rest:
        yield number + 1, _decoded(path, number + 1, rest)


def _decoded(path: Path, number: int, line: bytes) -> str:
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError:
        raise LogError(f"{path.name}, line {number}: not UTF-8; convert the file to UTF-8") from None
