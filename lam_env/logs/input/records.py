"""Which files a log is made of, and their records as JSON: one object a line, or all of a file."""

from __future__ import annotations

import glob
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lam_env.core.events import LogError
from lam_env.core.files.inputs import MOST_BYTES, json_of
from lam_env.logs.input.files import chunks, read_lines
from lam_env.logs.tables import TEST, TRAIN, VALID

EMPTY = "empty line(s)"  # a reason to leave a line out
CORRECT = "correct the line"


def paths_of(text: str) -> list[Path]:
    """The files of `a.csv,b.csv` or `months/*.csv`, in order of their names; one that is not there stands as it is."""
    found: list[Path] = []
    for one in [text] if Path(text).exists() else text.split(","):
        found += sorted(map(Path, glob.glob(one))) or [Path(one)]
    return list(dict.fromkeys(found))


def parts_of(path: str, valid: str | None, test: str | None) -> list[tuple[Path, int]]:
    """The files of a log, which are there, and which part of it each is: `TRAIN`, `VALID` or `TEST`."""
    if valid is not None and test is None:
        raise LogError(f"valid={valid[:80]} validates, and nothing tests; give test= too")
    told = ((path, TRAIN), (valid, VALID), (test, TEST))
    return [(existing(file), part) for paths, part in told if paths is not None for file in paths_of(paths)]


def existing(path: str | Path, what: str = "file") -> Path:
    """The path of a file, which is there."""
    path = Path(path)
    if not path.is_file():
        why = "is a folder" if path.is_dir() else "is a pipe or a device" if path.exists() else "no such file"
        several = f", or several: {path}/*.csv" if path.is_dir() and what == "file" else ""
        raise LogError(f"{path}: {why}; give the path of a {what}{several}")
    return path


def filled(path: Path, left_out: Counter[str]) -> Iterator[tuple[int, str]]:
    """(line number, text) of a file. Empty lines are counted in `left_out`."""
    for number, line in read_lines(path):
        if line.strip():
            yield number, line
        else:
            left_out[EMPTY] += 1


def objects(path: Path, left_out: Counter[str], each: str = "object") -> Iterator[tuple[int, dict[str, object]]]:
    """(line number, record) of a file with one JSON object a line. Empty lines are counted in `left_out`."""
    return ((number, json_object(path, number, line, each)) for number, line in filled(path, left_out))


def json_object(path: Path, number: int, line: str, each: str = "object") -> dict[str, object]:
    """What a line of a file holds."""
    try:
        record = json_of(line, nan=True)
    except ValueError:
        record = None
    if not isinstance(record, dict):
        raise LogError(f"{path.name}, line {number}: not a JSON object; write one {each} a line")
    return record


def json_file(path: Path, smaller: str) -> Any:
    """What a file of one JSON text holds; `smaller`: what to do about one that is too large."""
    text = bytearray()
    for chunk in chunks(path):
        text += chunk
        if len(text) > MOST_BYTES:
            raise LogError(f"{path.name}: larger than {MOST_BYTES:,} bytes; {smaller}")
    try:
        return json_of(bytes(text))
    except ValueError:
        raise LogError(f"{path.name}: not JSON, or cut short; export it again") from None
