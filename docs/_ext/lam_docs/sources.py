"""Pages and docstrings as the site shows them: text in, text out."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator

_FENCE = r"(?:^<!-- (?P<note>[^\n]*?) -->\n)?^(?P<ticks>`{3,})(?P<language>[^\n]*)\n(?P<body>.*?)^(?P=ticks)$"
_COMMENT = r"<!--.*?-->\n?"
_INTERVAL = r"\[(?P<low>[-+.\d]+), (?P<high>[-+.\d]+)\]"
_ITEM = re.compile(r"([\w`\"][\w`\". ,*@=]*?): (.*)")
_COLUMNS = re.compile(r"(\S.*?)(?:\s{2,}|: )(\S.*)")


def shown(page: str, depth: int = 0) -> str:
    """A page, `depth` folders below the site's, as the site has it: without its HTML comments, which tell tests how to
    run it (one that names a block's file is a caption), and without links to files that are no pages. No interval is
    broken at the end of a line."""

    def replace(found: re.Match[str]) -> str:
        if found["low"] is not None:
            return f"[{found['low']},\N{NO-BREAK SPACE}{found['high']}]"
        if found["ticks"] is None:
            return ""
        how, _, what = (found["note"] or "").partition(":")
        ticks, language, body = found["ticks"], found["language"], found["body"]
        if how == "file" and re.fullmatch(r"\w*", language):
            return f"{ticks}{{code-block}} {language or 'text'}\n:caption: {what.strip()}\n\n{body}{ticks}"
        return f"{ticks}{language}\n{body}{ticks}"

    page = re.sub(f"{_FENCE}|{_COMMENT}|{_INTERVAL}", replace, page, flags=re.M | re.S)
    return re.sub(rf"\[([^\]]*)\]\((?:\.\./){{{depth + 1}}}[^)]*\)", r"\1", page)


def as_rst(docstring: list[str]) -> list[str]:
    """A docstring of the kit, lines of plain English, as reStructuredText. Lines `name: text` become a list, as do
    indented lines `name   text`; all that is not between backticks stands as it is written."""
    out: list[str] = []
    for paragraph in _paragraphs(docstring):
        items = list(_items(paragraph, 0, _ITEM))
        out += _bullets(items) if len(items) > 1 else _prose(paragraph)
        out.append("")
    return out


def _paragraphs(lines: list[str]) -> Iterator[list[str]]:
    part: list[str] = []
    for line in [*lines, ""]:
        if line.strip():
            part.append(line.rstrip())
        elif part:
            yield part
            part = []


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _items(lines: list[str], indent: int, form: re.Pattern[str]) -> list[tuple[str, str]]:
    """(name, text) of each line that stands at `indent`, with what is indented under it; none if one is no item."""
    items: list[tuple[str, str]] = []
    for line in lines:
        if _indent(line) > indent and items:
            name, text = items[-1]
            items[-1] = name, f"{text} {line.strip()}"
        elif (found := form.fullmatch(line.strip())) is not None:
            items.append((found[1], found[2]))
        else:
            return []
    return items


def _bullets(items: list[tuple[str, str]]) -> list[str]:
    return [f"* {inline(name if '`' in name else f'`{name}`')}: {inline(text)}" for name, text in items]


def _prose(lines: list[str]) -> list[str]:
    """Text, and what is indented in it: a list, or as it stands."""
    out: list[str] = []
    while lines:
        indented = _indent(lines[0]) > 0
        end = next((i for i, line in enumerate(lines) if (_indent(line) > 0) != indented), len(lines))
        part, lines = lines[:end], lines[end:]
        if not indented:
            out += [inline(" ".join(part)), ""]
        elif items := _items(part, min(map(_indent, part)), _COLUMNS):
            out += [*_bullets(items), ""]
        else:
            out += ["::", "", *textwrap.indent(textwrap.dedent("\n".join(part)), "   ").splitlines(), ""]
    return out


def inline(text: str) -> str:
    """Text whose only markup are backticks around code, as reStructuredText."""
    out = ""
    for i, part in enumerate(text.split("`")):
        if i % 2 and part.strip():
            out += f"\\ ``{part.strip()}``\\ "
        elif not i % 2:
            out += re.sub(r"(?<=\w)_(?!\w)", r"\_", re.sub(r"([\\*|])", r"\\\1", part))
    return re.sub(r"^\\ |\\ $|(?<=\s)\\ (?=``)|(?<=``)\\ (?=[\s.,:;)?!]|$)", "", out)


def signature(text: str) -> str:
    """A signature whose types have short names, and no default that is no Python."""
    return re.sub(r"<(?:[^<>]|<[^<>]*>)*>", "...", re.sub(r"~(?:\w+\.)+", "", text))


def remarks(cls: type) -> dict[str, tuple[str, str]]:
    """Name -> (type, comment) of the fields that a class writes down, with the comments beside or above them."""
    lines = textwrap.dedent(inspect.getsource(cls)).splitlines()
    (body,) = (node.body for node in ast.parse("\n".join(lines)).body if isinstance(node, ast.ClassDef))
    found: dict[str, tuple[str, str]] = {}
    for node in body:
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            continue
        beside = lines[(node.end_lineno or 1) - 1][node.end_col_offset or 0 :].partition("#")[2].strip()
        above: list[str] = []
        for line in reversed(lines[: node.lineno - 1]):
            if not line.strip().startswith("#"):
                break
            above.insert(0, line.strip().lstrip("# "))
        found[node.target.id] = ast.unparse(node.annotation), beside or " ".join(above)
    return found
