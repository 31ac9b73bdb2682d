"""Documents as a reader follows them: their blocks are saved and run, in their order, with small settings."""

from __future__ import annotations

import ast
import contextlib
import csv
import datetime
import importlib
import io
import os
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import lam_env

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts
)
DOCUMENTS = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", *PAGES)
TEXTS = {name: (ROOT / name).read_text(encoding="utf-8") for name in DOCUMENTS}
every_document = pytest.mark.parametrize("name", DOCUMENTS)


def prose(document: str) -> str:
    """A document without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", document, flags=re.M | re.S)


class Block(NamedTuple):
    """A fenced block: its language, the comment right before it, its text."""

    language: str
    note: str
    text: str


def blocks(document: str) -> list[Block]:
    found = re.finditer(r"(?:^<!-- ([^\n]*) -->\n)?^```(\w*)\n(.*?)^```$", document, re.M | re.S)
    return [Block(m[2], m[1] or "", m[3]) for m in found]


@contextlib.contextmanager
def reader(folder: Path) -> Iterator[Path]:
    """In `folder`, whose modules are forgotten afterwards."""
    before, path = Path.cwd(), list(sys.path)
    os.chdir(folder)
    try:
        yield folder
    finally:
        os.chdir(before)
        sys.path[:] = path
        for module in folder.glob("*.py"):
            sys.modules.pop(module.stem, None)


def save(document: str) -> None:
    """The files that a document shows, here."""
    for block in blocks(document):
        how, _, what = block.note.partition(":")
        if how == "file":
            name = what.split(",")[0].strip()
            Path(name).write_text(_days(block.text) if name.endswith(".csv") else block.text, encoding="utf-8")


def follow(document: str) -> None:
    """Does all that a document says, here.

    A comment before a block says how: `file:` saves it, `run with:` adds settings that make it small.
    """
    save(document)
    for block in blocks(document):
        how, _, what = block.note.partition(":")
        if block.language == "python" and how != "file":
            exec(compile(block.text, "the document", "exec"), {"__name__": "document"})
        elif how == "run with":
            (line,) = block.text.splitlines()
            module, *argv = shlex.split(line.removeprefix("python -m "))
            _run(module, [*argv, *what.split()])


def _run(module: str, argv: list[str]) -> None:
    try:
        assert importlib.import_module("lam_env.__main__" if module == "lam_env" else module).main(argv) == 0
    except SystemExit:  # the error is on stderr
        pytest.fail(f"python -m {module} {' '.join(argv)}", pytrace=False)


def _days(text: str, days: int = 14) -> str:
    """The day that a CSV shows, day after day."""
    header, *rows = csv.reader(io.StringIO(text))
    lines = [",".join(header)]
    for day in range(days):
        for time, *rest in rows:
            later = datetime.datetime.fromisoformat(time) + datetime.timedelta(days=day, minutes=7 * day % 5)
            lines.append(",".join([later.isoformat(), *rest]))
    return "\n".join(lines) + "\n"


def agents_of(results: Path, variant: str) -> set[str]:
    with results.open(encoding="utf-8") as file:
        return {row["agent"] for row in csv.DictReader(file) if row["variant"] == variant}


def foreign_imports(text: str) -> list[str]:
    """Imports of the kit that take more than its public names; a scenario may name modules of its own."""
    out = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            out += [a.name for a in node.names if a.name.startswith("lam_env.")]
        elif isinstance(node, ast.ImportFrom) and node.module == "lam_env":
            out += [f"lam_env.{a.name}" for a in node.names if a.name not in lam_env.__all__]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("lam_env."):
            out += [str(node.module)] if not str(node.module).startswith("lam_env.scenarios.") else []
    return out
