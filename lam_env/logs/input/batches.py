"""Rows of a table, batch by batch, as columns of text: of JSON lines and of Parquet; `csv_files` has those of CSV."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lam_env.core.events import LogError
from lam_env.logs.input.files import far
from lam_env.logs.input.records import filled, json_object, objects
from lam_env.logs.input.wrong_rows import Unread

ROWS = 1 << 14  # of a batch of JSON lines or of Parquet
MANY = 1 << 20  # rows of a Parquet file that take a while


class Batch(NamedTuple):
    """n rows. number (n,): of each in its file, from 1; cells: by column (n,) text, null where there is no cell."""

    number: np.ndarray
    cells: dict[str, pa.Array]

    def of(self, rows: np.ndarray) -> Batch:
        """Some of its rows, by their places from 0, which rise; itself if they are all."""
        if len(rows) == len(self.number):
            return self
        taken = pa.array(rows)
        return Batch(self.number[rows], {name: column.take(taken) for name, column in self.cells.items()})


def json_batches(
    path: Path,
    left_out: Counter[str],
    wanted: Sequence[str],
    needed: Sequence[str],
    skip: bool = False,
) -> Iterator[Batch]:
    """The rows of a file with one JSON object a line, which has what is `needed`; numbers become text. With `skip`,
    lines that are none are counted in `left_out`."""
    lines, unread = filled(path, left_out), Unread()
    while some := list(itertools.islice(lines, ROWS)):

        def rows_of(numbers: np.ndarray, some: Sequence[tuple[int, str]] = some) -> list[list[str | None]]:
            return [_row(path, some[i], wanted, needed) for i in numbers.tolist()]

        keep, rows = unread.together(len(some), rows_of, skip)
        cells = {name: pa.array([row[k] for row in rows], pa.string()) for k, name in enumerate(wanted)}
        yield Batch(np.array([some[i][0] for i in keep.tolist()]), cells)
    left_out.update(unread.counted)


def _row(path: Path, numbered: tuple[int, str], wanted: Sequence[str], needed: Sequence[str]) -> list[str | None]:
    at, line = numbered
    row = json_object(path, at, line)
    if not all(name in row for name in (*wanted, *needed)):
        row = _in_small(row)
    if missing := [name for name in needed if name not in row]:
        there_are = f"there are {', '.join(map(str, row))[:160]}"
        raise LogError(f"{path.name}, line {at}: no column {', '.join(missing)}; {there_are}")
    return [_told(f"{path.name}, line {at}", name, row.get(name)) for name in wanted]


def json_columns(path: Path) -> list[str]:
    """What the first object of a file calls its columns, in small letters."""
    return list(_in_small(next(objects(path, Counter()), (1, {}))[1]))


def _in_small(row: dict[str, object]) -> dict[str, object]:
    return {name.lower(): value for name, value in row.items()}


def _told(where: str, name: str, value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise LogError(f"{where}: {name} is {json.dumps(value)[:40]}, neither text nor a number; correct the line")
    return repr(value)


def parquet_columns(path: Path) -> dict[str, str]:
    """What a Parquet file calls its columns, by that in small letters; LogError for a file of another kind."""
    try:
        names = pq.read_schema(path).names
    except (pa.ArrowException, OSError) as error:
        why = str(error).splitlines()[0][:120]
        raise LogError(f"{path.name}: not a Parquet file, or a damaged one ({why}); write it again") from None
    if len({name.lower() for name in names}) < len(names):
        raise LogError(f"{path.name}: a column name occurs twice; rename one")
    return {name.lower(): name for name in names}


def parquet_batches(path: Path, wanted: Sequence[str]) -> Iterator[Batch]:
    """The rows of a Parquet file, its numbers and times as text."""
    called = parquet_columns(path)
    number = 1
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(ROWS, columns=[called[name] for name in wanted], use_threads=False):
                columns: dict[str, Any] = {name: _as_text(path, name, batch.column(called[name])) for name in wanted}
                yield Batch(np.arange(number, number + len(batch)), columns)
                number += len(batch)
                if file.metadata.num_rows >= MANY:
                    far(path, number - 1, file.metadata.num_rows, "rows")
    except (pa.ArrowException, OSError) as error:
        raise LogError(f"{path.name}: damaged Parquet ({str(error).splitlines()[0][:120]}); write it again") from None


def _as_text(path: Path, name: str, column: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_duration(column.type):
        column = pc.divide(column.cast(pa.duration("us")).cast(pa.int64()).cast(pa.float64()), 1e6)
    if pa.types.is_nested(column.type) or pa.types.is_boolean(column.type):
        raise LogError(f"{path.name}: column {name} holds {column.type}, neither text nor numbers; give another")
    return pc.cast(column, pa.string())
