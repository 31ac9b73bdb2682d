"""Bytes and lines of a file that may be gzipped."""

from __future__ import annotations

import contextlib
import gzip
import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from lam_env.core.events import LogError
from lam_env.core.progress import Report, silent

CHUNK = 1 << 16  # [bytes]
LONG = 1 << 25  # [bytes] a smaller file is read before anybody asks how far it is
STEP = 1 << 20  # [bytes] from one word of how far it is to the next
LONGEST_LINE = 1 << 20  # [bytes]; a small gzip file can unpack to an endless line
_OTHERS = {  # how files begin that are no text
    b"PK\x03\x04": "a zip archive, or a spreadsheet; unpack it, or save it as CSV",
    b"SQLite format 3": "an SQLite database; export the table as CSV",
    b"PAR1": "a Parquet file; settings: format=parquet",
    b"%PDF": "a PDF; give a table",
    b"\x89PNG": "a picture; give a table",
    b"BZh": "packed by bzip2; unpack it, or pack it by gzip",
    b"\xfd7zXZ": "packed by xz; unpack it, or pack it by gzip",
    b"7z\xbc\xaf": "packed by 7-Zip; unpack it, or pack it by gzip",
    b"\x28\xb5\x2f\xfd": "packed by zstd; unpack it, or pack it by gzip",
    b"\xff\xfe": "UTF-16; save it as UTF-8",
    b"\xfe\xff": "UTF-16; save it as UTF-8",
}
_watchers: list[Report] = [silent]  # the last one watches; no ContextVar, since Arrow reads in a thread of its own


@contextlib.contextmanager
def watched(report: Report) -> Iterator[None]:
    """Whatever long file is read meanwhile says how far it is."""
    _watchers.append(report)
    try:
        yield
    finally:
        _watchers.pop()


def far(path: Path, done: int, total: int, unit: str) -> None:
    """To whoever watches: so much of a file is read."""
    _watchers[-1](f"read {path.name} [{unit}]", done, total, "")


def chunks(path: Path) -> Iterator[bytes]:
    """The file's bytes, unpacked if they are gzip (told by content, not by name)."""
    try:
        with open(path, "rb") as plain:
            packed = plain.read(2) == b"\x1f\x8b"
            plain.seek(0)
            with gzip.open(plain) if packed else plain as stream:
                yield from _told(path, plain, iter(lambda: stream.read(CHUNK), b""))
    except EOFError:
        raise LogError(f"{path.name}: the gzip file is cut short; copy it again") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise LogError(f"{path.name}: the gzip file is damaged ({error}); copy it again") from None
    except OSError as error:
        raise LogError(f"{path.name}: cannot be read ({error.strerror}); give another file") from None


def _told(path: Path, plain: BinaryIO, parts: Iterable[bytes]) -> Iterator[bytes]:
    """The parts, saying meanwhile how far the file itself is."""
    size, done = os.fstat(plain.fileno()).st_size, 0
    for part in parts:
        yield part
        if size >= LONG and (at := plain.tell()) > done and (at >= done + STEP or at == size):
            done = at
            far(path, done, size, "bytes")


class Unpacked:
    """The same as a file that Arrow reads, once; `lines`: how many have been read."""

    closed = False

    def __init__(self, path: Path):
        self._parts, self._ahead, self._end, self.lines = chunks(path), b"", b"\n", 0

    def read(self, size: int) -> bytes:
        """So many bytes, or all that are left."""
        parts, n = [self._ahead], len(self._ahead)
        while n < size and (part := next(self._parts, b"")):
            self.lines += part.count(b"\n")
            self._end = part[-1:]
            parts.append(part)
            n += len(part)
        if n < size and self._end != b"\n":  # the last line has no end
            self._end = b"\n"
            self.lines += 1
        whole = b"".join(parts)
        self._ahead = whole[size:]
        return whole[:size]


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """(line number from 1, text with its line end) of a UTF-8 file."""
    number, rest = 0, b""
    for at, chunk in enumerate(chunks(path)):
        if not at and (others := [what for sign, what in _OTHERS.items() if chunk.startswith(sign)]):
            raise LogError(f"{path.name}: {others[0]}")
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
