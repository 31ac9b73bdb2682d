"""CSV files: what stands between their columns, where their header is, and their rows, one by one or in batches."""

from __future__ import annotations

import csv
import itertools
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from lam_env.core.events import LogError
from lam_env.logs.input.arrow_csv import batches_of
from lam_env.logs.input.batches import Batch
from lam_env.logs.input.files import LONGEST_LINE, Unpacked, read_lines
from lam_env.logs.input.records import CORRECT, EMPTY
from lam_env.logs.input.wrong_rows import CELLS, SKIP

SEPARATORS = {"tab": "\t", "semicolon": ";", "comma": ",", "bar": "|", "space": " "}  # the likeliest of several first
BEFORE = "line(s) before the header"
WITHIN = "line(s) read as part of a cell of the row above, in quotation marks"
_HEAD = 100  # lines among which a header is looked for
_SAID = re.compile(r'"?sep=(.)"?\s*', re.DOTALL | re.IGNORECASE)  # a first line, which Excel obeys


class CsvFile(NamedTuple):
    """How a CSV file is written: the sign between columns, and how many lines stand before its header, or its first
    row."""

    path: Path
    sep: str = ","
    before: int = 0

    @classmethod
    def of(cls, path: Path, sep: str | None = None, usual: str | None = None) -> CsvFile:
        """A file whose first line may say the sign, `sep=;`. `sep`: what somebody says; `usual`: what it is where
        nobody says it (default: the first of `SEPARATORS` that the file's first line has)."""
        lines = (line for _, line in read_lines(path))
        first = next(lines, "")
        told = _SAID.fullmatch(first)
        if told is None and usual is None:
            usual = next((sign for sign in SEPARATORS.values() if sign in first.strip()), ",")
        return cls(path, sep or (told[1] if told else usual or ","), int(told is not None))

    @property
    def decimal_comma(self) -> bool:
        """May `21,5` be a number? Not where a comma stands between columns."""
        return self.sep != ","

    def lines(self) -> Iterator[tuple[int, str]]:
        """(line number, text) from the header on."""
        return itertools.islice(read_lines(self.path), self.before, None)

    def headed(self, wanted: Collection[str]) -> tuple[CsvFile, list[str]]:
        """The file from its header on, and what that calls the columns, in small letters: of its first lines the one
        that has most of `wanted`, the very first if none has any. A column without a name is called by its number, be
        it that only the first row shows it."""
        lines = list(itertools.islice(self.lines(), _HEAD))
        rows = [_names(line, self.sep) for _, line in lines]
        some = [at for at, (_, line) in enumerate(lines) if line.strip()]
        at = max(some, key=lambda i: len(set(wanted).intersection(rows[i] or ())), default=0)  # the first of equals
        if (names := rows[at] if rows else []) is None:
            where = f"{self.path.name}, line {lines[at][0]}"
            raise LogError(f"{where}: broken CSV (a quotation mark has no partner); {CORRECT}")
        more = next((row[len(names) :] for row in rows[at + 1 :] if row), [])
        names = [*names, *more] if names and not any(more) else names
        return self._replace(before=self.before + at), [name or str(i) for i, name in enumerate(names, 1)]

    def other_sign(self, wanted: Collection[str], names: Collection[str]) -> str | None:
        """The word of the sign between columns by which all that are `wanted` are there, where these `names` lack
        one."""
        others = {} if set(wanted) <= set(names) else SEPARATORS
        found = (word for word, sign in others.items() if set(wanted) <= set(self._replace(sep=sign).headed(wanted)[1]))
        return next(found, None)


def sign_of(sep: str | None) -> str | None:
    """The sign that `sep=` says, by itself or in a word of `SEPARATORS`."""
    sign = SEPARATORS.get(sep or "", sep)
    if sign is not None and (len(sign) != 1 or sign in '"\r\n'):
        raise LogError(f"sep={sep}: give one sign, or {', '.join(SEPARATORS)}")
    return sign


def _names(line: str, sep: str) -> list[str] | None:
    """Of a line; None where it is no whole row."""
    try:
        return [cell.strip().lower() for cell in next(csv.reader([line], delimiter=sep, strict=True), [])]
    except csv.Error:
        return None


def read_table(
    path: Path, left_out: Counter[str], columns: str, check: Callable[[str, list[str]], None], sep: str = ","
) -> Iterator[tuple[int, dict[str, str]]]:
    """(line number, cell by column) of a CSV file. Columns are called as its first line says, in small letters;
    `check(where, columns)` refuses what does not do. `columns`: what an empty file is told to have. Empty lines are
    counted in `left_out`."""
    rows = csv_rows(CsvFile(path, sep))
    header = [name.lower() for name in next(rows, (1, []))[1]]
    if not header:
        raise LogError(f"{path.name}: the file is empty; its first line must name {columns}")
    check(f"{path.name}, line 1", header)
    for number, cells in rows:
        if not cells:
            left_out[EMPTY] += 1
        elif len(cells) != len(header):
            where = f"{path.name}, line {number}"
            raise LogError(f"{where}: {len(cells)} cells but {len(header)} columns; {CORRECT}")
        else:
            yield number, dict(zip(header, cells, strict=True))


def csv_rows(file: CsvFile, wanted: str = CORRECT) -> Iterator[tuple[int, list[str]]]:
    """(number of its last line, cells without blanks around them) of each row of a CSV file, from its header on;
    `wanted`: what to do about a first line that is none."""
    number = 1

    def text() -> Iterator[str]:
        nonlocal number
        for at, line in file.lines():
            number = at
            yield line

    try:
        for cells in csv.reader(text(), delimiter=file.sep, strict=True):
            yield number, [cell.strip() for cell in cells]
    except csv.Error as error:
        what = CORRECT if number > 1 else wanted
        raise LogError(f"{file.path.name}, line {number}: broken CSV ({error}); {what}") from None


def csv_batches(
    file: CsvFile,
    names: Sequence[str],
    header: bool,
    left_out: Counter[str],
    wanted: Sequence[str],
    skip: bool = False,
) -> Iterator[Batch]:
    """The rows of a CSV file whose columns have these `names`, without its first line where that is a `header`. Empty
    lines, and those before the header, are counted in `left_out`; with `skip` rows with a cell too many or too few are
    too, in place of a LogError."""
    path, before = file.path, file.before + int(header)
    content, number, wrong = Unpacked(path, "utf-8" if skip else None), before + 1, list[int]()

    def of_wrong(row: pa_csv.InvalidRow) -> str:
        if not skip or row.text.count('"') % 2:  # a mark that is not closed would swallow the rest
            return "error"
        wrong.append(row.number)
        return "skip"

    try:
        reader = batches_of(
            content,
            pa_csv.ReadOptions(use_threads=False, block_size=LONGEST_LINE, column_names=list(names), skip_rows=before),
            pa_csv.ParseOptions(
                delimiter=file.sep,
                newlines_in_values=True,
                ignore_empty_lines=False,
                # of text that is no UTF-8, which `skip` has seen to, it ends in a traceback
                invalid_row_handler=of_wrong if skip else None,
            ),
            pa_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), include_columns=list(wanted), strings_can_be_null=False
            ),
        )
        for batch in reader:
            cells = {name: pc.utf8_trim_whitespace(batch.column(name)) for name in wanted}
            at = np.arange(number, number + len(batch) + len(wrong))
            at = at[~np.isin(at, wrong)][: len(batch)] if wrong else at
            number = int(at[-1]) + 1 if len(at) else number
            yield _without_empty(Batch(at, cells), left_out)
        number = max(number, *(row + 1 for row in wrong)) if wrong else number
        # a mark that is not closed swallows lines, without a word where the cell is not read
        reasons = {BEFORE: file.before, WITHIN: max(0, content.lines - number + 1)}
        if wrong:
            reasons[f"{CELLS}, the first in line {line_of(file, wrong[0])}"] = len(wrong)
        left_out.update({why: n for why, n in reasons.items() if n})
    except (pa.ArrowException, OSError) as error:
        for _ in read_lines(path):  # says which line it is, of a file that is cut short or damaged
            pass
        _refuse(file, str(error), f"{CORRECT}, or say {SKIP}")


_WRONG = re.compile(r"Row #(\d+): Expected (\d+) columns, got (\d+): (.*)", re.DOTALL)


def line_of(file: CsvFile, row: int) -> int:
    """The line on which a row of a CSV file begins: the same number, but for line breaks within cells above it."""
    last = file.before
    try:
        for number, (end, _) in enumerate(csv_rows(file), file.before + 1):
            if number == row:
                return last + 1
            last = end
    except LogError:  # the fault itself may hide it
        pass
    return row


def _refuse(file: CsvFile, error: str, remedy: str) -> None:
    name = file.path.name
    if row := _WRONG.search(error):
        number, columns, cells, text = row.groups()
        number = line_of(file, int(number))
        why = f"{cells} cells but {columns} columns"
        if text.count('"') % 2:
            why, remedy = "broken CSV (a quotation mark has no partner)", CORRECT
        raise LogError(f"{name}, line {number}: {why}; {remedy}")
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
