"""Bytes and lines of a file that may be gzipped, and need not be UTF-8."""

from __future__ import annotations

import codecs
import contextlib
import gzip
import itertools
import os
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from lam_env.core.events import LogError
from lam_env.core.progress import Report, silent

CHUNK = 1 << 16  # [bytes]
LONG = 1 << 25  # [bytes] a smaller file is read before anybody asks how far it is
STEP = 1 << 20  # [bytes] from one word of how far it is to the next
LONGEST_LINE = 1 << 20  # [bytes]; a small gzip file can unpack to an endless line
_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}  # first bytes
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
}
_CONTROLS = re.compile(rb"[\0-\x08\x0e-\x19]")  # signs that no text has
WINDOWS = "cp1252"  # what a table that is not UTF-8 is most often in
_watchers: list[Report] = [silent]  # the last one watches; no ContextVar, since Arrow reads in a thread of its own


@dataclass(eq=False)
class _Said:
    """What somebody says that text is in, and whether any was read."""

    encoding: str | None
    used: bool = False


_said = [_Said(None)]  # the last one holds


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


@contextlib.contextmanager
def written_in(encoding: str | None) -> Iterator[None]:
    """Text that is read meanwhile is in an encoding, as somebody says; None: in UTF-8, unless somebody outside says
    otherwise. LogError where there is none of that name, or no text is read."""
    if encoding is None:
        yield
        return
    try:
        "".encode(encoding)
    except (LookupError, UnicodeError, ValueError):
        why = "there is none of that name; cp1252 is Windows', others are latin-1, utf-16"
        raise LogError(f"encoding={encoding[:40]}: {why}") from None
    said = _Said(encoding)
    _said.append(said)
    try:
        yield
    finally:
        _said.remove(said)
    if not said.used:
        raise LogError(f"encoding={encoding[:40]}: what is read here is no text; leave it away")


def chunks(path: Path, otherwise: str | None = None) -> Iterator[bytes]:
    """A text file's bytes, unpacked if they are gzip (told by content, not by name). What is `written_in` an encoding,
    and UTF-16 that says so in its first bytes, becomes UTF-8. otherwise: what else it is decoded from."""
    parts = unpacked(path)
    first = next(parts, b"")
    encoding = _encoding(path, first) or otherwise
    parts = itertools.chain([first], parts)
    return parts if encoding is None else _utf8(path, parts, encoding)


def in_other_letters(path: Path) -> bool:
    """Does `chunks` make UTF-8 of what is something else?"""
    return _encoding(path, next(unpacked(path), b"")) is not None


def _encoding(path: Path, first: bytes) -> str | None:
    """Of a text that begins so."""
    for one in _said:
        one.used = True
    said = _said[-1].encoding
    shown = next((name for mark, name in _MARKS.items() if first.startswith(mark)), None)
    if said is None:
        return shown if shown == "utf-16" else None  # UTF-8 is what is read
    name = codecs.lookup(said).name
    if shown is not None and not name.startswith((shown, "utf-32")):
        raise LogError(f"{path.name}: not in {name}: its first bytes say {shown}; leave encoding= away")
    return shown if shown == "utf-16" and name != "utf-32" else said


def _utf8(path: Path, parts: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    decoder, lines = codecs.getincrementaldecoder(encoding)(), 1
    try:
        for part in itertools.chain(parts, [b""]):
            text = decoder.decode(part, final=not part)
            lines += text.count("\n")
            if text:
                yield text.encode()
    except UnicodeError as error:
        if isinstance(error, UnicodeDecodeError):
            lines += error.object[: error.start].count(b"\n")
        raise LogError(f"{path.name}, line {lines}: not in {encoding}; say another encoding=") from None


def unpacked(path: Path) -> Iterator[bytes]:
    """The file's bytes as they are, unpacked if they are gzip."""
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
    """The same to be read piece by piece, once; `lines`: how many have been read."""

    def __init__(self, path: Path, otherwise: str | None = None):
        self._parts, self._ahead, self._end, self.lines = chunks(path, otherwise), b"", b"\n", 0

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
    """(line number from 1, text with its line end) of a file in UTF-8, unless `encoding=` says otherwise."""
    for number, line in _lines(path):
        try:
            yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            is_utf8(path)
            what = f"not UTF-8; save it as UTF-8, or is it encoding={WINDOWS}?"
            raise LogError(f"{path.name}, line {number}: {what}") from None


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    number, rest = 0, b""
    for at, chunk in enumerate(chunks(path)):
        if not at and (others := [what for sign, what in _OTHERS.items() if chunk.startswith(sign)]):
            raise LogError(f"{path.name}: {others[0]}")
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            number += 1
            yield number, line + b"\n"
        if len(rest) > LONGEST_LINE:
            raise LogError(f"{path.name}, line {number + 1}: longer than {LONGEST_LINE} bytes; is this a text file?")
    if rest:
        yield number + 1, rest


def is_utf8(path: Path) -> bool:
    """Also of UTF-16, if its first bytes say so, which is read as well. LogError where no encoding fits."""
    with contextlib.suppress(UnicodeDecodeError):
        for _ in codecs.iterdecode(chunks(path), "utf-8"):
            pass
        return True
    first: dict[bool, int] = {}  # line of signs beyond ASCII, by whether they are UTF-8: read slowly, to name lines
    for number, line in _lines(path):
        if line.isascii():
            continue
        try:
            line.decode()
            first.setdefault(True, number)
        except UnicodeDecodeError:
            first.setdefault(False, number)
            if _CONTROLS.search(line):
                raise LogError(f"{path.name}, line {number}: no text; give a log, or say its format") from None
        if len(first) == 2:
            lines = f"line {first[True]} is UTF-8, line {first[False]} is not"
            remedy = "encoding= cannot help: turn each part into UTF-8 (as iconv does), or export it anew"
            raise LogError(f"{path.name}: mixed encodings: {lines}; {remedy}")
    return False
