"""Columns of tables of a known form, found by what they are usually called."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from lam_env.logs.input.csv_files import CsvFile

Usual = dict[str, tuple[str, ...]]  # names by thing


def header(path: Path) -> tuple[str, list[str]]:
    """The sign between columns, and what the first line that is one calls them, in small letters."""
    file, names = CsvFile.of(path).headed(())
    return file.sep, names


def called(names: Sequence[str], usual: Usual) -> dict[str, str]:
    """The column of each thing of which one of the `usual` names is there: the first. `SessionId`, `session_id` and
    `session id:token` are one name."""
    columns: dict[str, str] = {}
    for name in names:
        columns.setdefault(re.sub(r":\w+$|[^a-z0-9]", "", name), name)
    found = {what: [columns[name] for name in forms if name in columns] for what, forms in usual.items()}
    return {what: columns[0] for what, columns in found.items() if columns}


def told(columns: Mapping[str, str]) -> str:
    """The same as `columns=` has it."""
    return ",".join(f"{what}:{column}" for what, column in columns.items())
