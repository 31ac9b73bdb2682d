"""Files as they come when something has gone wrong with them: bits, lines, cells, values."""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Callable
from typing import Any

_CELL = re.compile(rb"[^\s,;:=|\"'<>{}\[\]]+")
_DIGITS, _NAME = b"9" * 400, b"a" * 70_000
# fmt: off
TEXTS = (
    *(b"", b" ", b"nan", b"NaN", b"inf", b"-inf", b"Infinity", b"1e308", b"-1e308", b"1e-320", b"1e400", b"-1", b"0"),
    *(b"-0.0", b"0.5", b"1e18", b"9223372036854775807", b"9223372036854775808", b"-9223372036854775809", b"2147483648"),
    *(b"4294967296", b"32768", b"946684799", b"4102444799.9999999", _DIGITS, b"9" * 5000, b"1_000", b"0x10", b"1,5"),
    *(b"null", b"true", b"~", b"none", b"None", b"unavailable", b"[]", b"{}", b"[" * 3000, b'{"a":' * 3000, b"[[1]]"),
    *(b"\x00", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\\ud800", b"\\u0000", b"\\n", b"\xe2\x80\xae\xd7\xa9", b"\xff\xfe"),
    *(b"\xc2\xa0", b"\xe2\x80\xa8", b"\xc2\x85", b"\x0b", b"\x0c", b"\x1c", b"\r", b"\x1b[31m", b"e\xcc\x81", b"\xc3"),
    *(b"\xef\xbc\x91\xef\xbc\x92", b"\xd9\xa3", b"\xc2\xb2", b"\xf0\x9f\x8f\xa0",
      b"a" * 300, _NAME, b"..", b"/dev/zero"),
    *(b"2024-02-30", b"0001-01-01T00:00:00+14:00", b"9999-12-31T23:59:59-23:59", b"2020-01-01T24:00:00", b"24:00"),
    *(b"1970-01-01T00:00:00+00:00", b"2099-12-31T23:59:59-12:00", b"2024-W01-1T00:00", b"2020-06-01T12:00:00Z"),
    *(b'"', b"'", b"\\", b",", b"\t", b";", b":", b"=", b"|", b"#", b"<", b">", b"&", b"&amp;", b"<!DOCTYPE a>"),
    *(b"&a", b"*a", b"<<: *a", b"a: &a [*a]", b"!!python/object:os.system", b"!!binary x", b"? a", b"---", b"%"),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2, 0.5, -0.0, 1e308, -1e308, 1e-320, 2**31, 2**63, -(2**63) - 1, 10**400),
    *(float("nan"), float("inf"), "", " ", "a", "nan", "1", "\x00", "\ud800", "\u202e", "\u00a0", "\u2028", "\x1b[31m"),
    *("\n", "a" * 5000, [], {}, [[]], [None], {"a": 1}, {"": {}}, [1, 2], ["a"], [1] * 3000, [0.5, "a"]),
)
# fmt: on


def bits(content: bytes, draw: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 8))):
        at = draw.randrange(8 * len(changed))
        changed[at // 8] ^= 1 << at % 8
    return bytes(changed)


def parts(content: bytes, draw: random.Random) -> bytes:
    """A part cut off, taken out, doubled, or overwritten."""
    a, b = sorted(draw.randrange(len(content) + 1) for _ in range(2))
    b = min(b, a + draw.choice((1, 4, 64, len(content))))
    part = draw.choice((b"", content[a:b] * 2, b"\0" * (b - a), draw.randbytes(min(64, b - a))))
    return draw.choice((content[:a], content[a:], content[:a] + part + content[b:]))


def lines(content: bytes, draw: random.Random) -> bytes:
    """Lines doubled, taken out, swapped, joined, emptied."""
    rows = content.splitlines(keepends=True)
    i, j = draw.randrange(len(rows)), draw.randrange(len(rows))
    how = draw.randrange(6)
    if how == 0:
        rows.insert(j, rows[i])
    elif how == 1:
        del rows[i]
    elif how == 2:
        rows[i], rows[j] = rows[j], rows[i]
    elif how == 3:
        rows[i] = rows[i].rstrip(b"\r\n") + draw.choice((b"", b"\r", b"\r\n", b"\n\n"))
    elif how == 4:
        rows.insert(i, draw.choice((b"\n", b" \n", *TEXTS)))
    else:
        rows[i:] = []
    return b"".join(rows)


def cells(content: bytes, draw: random.Random) -> bytes:
    """One value in place of another, be it one that no file should hold."""
    found = list(_CELL.finditer(content))
    if not found:
        return content + draw.choice(TEXTS)
    one, other = draw.choice(found), draw.choice(found)
    new = draw.choice((*(draw.choice(TEXTS) for _ in range(4)), other[0], one[0] * 2, one[0] + draw.choice(TEXTS)))
    if draw.random() < 0.05:  # everywhere
        return content.replace(one[0], new)
    return content[: one.start()] + new + content[one.end() :]


def values(content: bytes, draw: random.Random) -> bytes:
    """Nodes of a JSON tree replaced, taken out, renamed or doubled; cells where there is none that can be walked."""
    try:
        tree = json.loads(content)
        for _ in range(draw.choice((1, 1, 1, 2))):
            places = list(_places(tree))
            _change(*draw.choice(places), *draw.choice(places), draw)
        return json.dumps(tree).encode()
    except (ValueError, RecursionError, IndexError):  # no JSON, too deep, empty
        return cells(content, draw)


def _change(inside: Any, key: Any, other: Any, at: Any, draw: random.Random) -> None:
    how = draw.random()
    if how < 0.6:
        inside[key] = draw.choice(VALUES)
    elif how < 0.7 and isinstance(inside, list):
        inside.insert(0, draw.choice(VALUES))
    elif how < 0.8:
        inside[key] = json.loads(json.dumps(other[at]))
    elif isinstance(inside, dict):
        inside[str(draw.choice(VALUES))] = inside.pop(key)
    else:
        del inside[key]


def _places(tree: Any) -> Any:
    for key in list(tree) if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ():
        yield tree, key
        yield from _places(tree[key])


def _by_line(change: Callable[[bytes, random.Random], bytes]) -> Callable[[bytes, random.Random], bytes]:
    def changed(content: bytes, draw: random.Random) -> bytes:
        rows = content.splitlines(keepends=True)
        i = draw.randrange(len(rows))
        rows[i] = change(rows[i].rstrip(b"\n"), draw) + b"\n"
        return b"".join(rows)

    return changed


BINARY = (bits, parts)
KINDS: dict[str, tuple[Callable[[bytes, random.Random], bytes], ...]] = {
    "text": (bits, parts, lines, lines, cells, cells, cells),
    "json": (bits, parts, lines, cells, values, values, values, values),
    "jsonl": (bits, parts, lines, cells, *[_by_line(values)] * 3),
    "binary": BINARY,
}


def changed(content: bytes, kind: str, draw: random.Random, packed: bool) -> bytes:
    """The content after one to three mishaps. `packed`: as gzip, which may be what was damaged."""
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        if content:
            content = draw.choice(KINDS[kind])(content, draw)
    if packed:
        content = gzip.compress(content, 1, mtime=0)
        content = draw.choice(BINARY)(content, draw) if draw.random() < 0.3 else content
        content += draw.choice((b"", b"", b"", b"\0" * 9, gzip.compress(b"\n1", mtime=0)))
    return content
