"""Rows of a table file, batch by batch, as columns of text: CSV with any separator, JSON lines, Parquet."""

from __future__ import annotations

import csv
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from lam_env.core.events import LogError
from lam_env.logs.input.files import LONGEST_LINE, chunks, read_lines
from lam_env.logs.input.records import EMPTY, objects

WITHIN = "line(s) within a cell in quotation marks"
ROWS = 1 << 14  # of a batch of JSON lines or of Parquet


class Batch(NamedTuple):
    """n rows. number (n,): of each in its file, from 1; cells: by column (n,) text, null where there is no cell."""

    number: np.ndarray
    cells: dict[str, pa.Array]


def csv_columns(path: Path, sep: str) -> list[str]:
    """What the first line of a CSV file calls its columns, in small letters."""
    first = next(read_lines(path), (1, ""))[1]
    try:
        names = next(csv.reader([first], delimiter=sep, strict=True), [])
    except csv.Error as error:
        raise LogError(f"{path.name}, line 1: broken CSV ({error}); correct the line") from None
    return [name.strip().lower() for name in names]


def csv_batches(
    path: Path, sep: str, names: Sequence[str], header: bool, left_out: Counter[str], wanted: Sequence[str]
) -> Iterator[Batch]:
    """The rows of a CSV file whose columns have these `names`, without its first line where that is a `header`. Empty
    lines are counted in `left_out`."""
    text = pa.string()
    try:
        with pa.OSFile(str(path)) as plain:
            packed = plain.read(2) == b"\x1f\x8b"
            plain.seek(0)
            reader = pa_csv.open_csv(
                pa.CompressedInputStream(plain, "gzip") if packed else plain,
                pa_csv.ReadOptions(
                    use_threads=False, block_size=LONGEST_LINE, column_names=list(names), skip_rows=int(header)
                ),
                pa_csv.ParseOptions(delimiter=sep, newlines_in_values=True, ignore_empty_lines=False),
                pa_csv.ConvertOptions(
                    column_types=dict.fromkeys(names, text), include_columns=list(wanted), strings_can_be_null=False
                ),
            )
            number = 1 + int(header)
            for batch in reader:
                cells = {name: pc.utf8_trim_whitespace(batch.column(name)) for name in wanted}
                at = np.arange(number, number + len(batch))
                number += len(batch)
                yield _without_empty(Batch(at, cells), left_out)
        # a mark that is not closed swallows lines, without a word where the cell is not read
        lines, end = 0, b"\n"
        for chunk in chunks(path):
            lines, end = lines + chunk.count(b"\n"), chunk[-1:]
        lines += end != b"\n"
        if lines >= number:
            left_out[WITHIN] += lines - number + 1
    except (pa.ArrowException, OSError) as error:
        for _ in read_lines(path):  # says which line it is, of a file that is cut short, damaged or not UTF-8
            pass
        _refuse(path.name, str(error))


# a handler of wrong rows would do, but ends in a traceback where their text is no UTF-8
_WRONG = re.compile(r"Row #(\d+): Expected (\d+) columns, got (\d+): (.*)", re.DOTALL)


def _refuse(name: str, error: str) -> None:
    if row := _WRONG.search(error):
        number, columns, cells, text = row.groups()
        why = f"{cells} cells but {columns} columns"
        if text.count('"') % 2:
            why = "broken CSV (a quotation mark has no partner)"
        raise LogError(f"{name}, line {number}: {why}; correct the line")
    if not any(empty in error for empty in ("Empty CSV file", "Could not skip initial")):  # a header and no more
        raise LogError(f"{name}: broken CSV ({error.splitlines()[0][:120]}); correct it")


def _without_empty(batch: Batch, left_out: Counter[str]) -> Batch:
    lengths = sum(pc.binary_length(column).to_numpy(zero_copy_only=False) for column in batch.cells.values())
    full = np.asarray(lengths) > 0
    if full.all():
        return batch
    left_out[EMPTY] += int((~full).sum())
    mask = pa.array(full)
    return Batch(batch.number[full], {name: column.filter(mask) for name, column in batch.cells.items()})


def json_batches(path: Path, left_out: Counter[str], wanted: Sequence[str], needed: Sequence[str]) -> Iterator[Batch]:
    """The rows of a file with one JSON object a line, which has what is `needed`; numbers become text."""
    records = ((at, {name.lower(): value for name, value in row.items()}) for at, row in objects(path, left_out))
    while some := list(itertools.islice(records, ROWS)):
        for at, row in some:
            if missing := [name for name in needed if name not in row]:
                there_are = f"there are {', '.join(map(str, row))[:160]}"
                raise LogError(f"{path.name}, line {at}: no column {', '.join(missing)}; {there_are}")
        cells = {
            name: pa.array([_told(f"{path.name}, line {at}", name, row.get(name)) for at, row in some], pa.string())
            for name in wanted
        }
        yield Batch(np.array([at for at, _ in some]), cells)


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
