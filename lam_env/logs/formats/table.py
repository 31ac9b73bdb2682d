"""Tables of events, one row each: CSV with any separator, JSON lines, Parquet; text gzipped or not.

Columns are called as what they are, or `columns=` says what is in which:
  time      ISO 8601 with an offset; or without one, or seconds since 1970, and then `zone` must be given; or as
            `time_format` says in the words of strptime; or numbers, `day` and `minute` of it; or only an `order`, a
            number; where `columns=` names none of them, rows are in the order of the file
  user      any name
  action    what was done, "kitchen_light.on"; the sensor's name where `kind` is sensor
  kind      optional: user (default), agent, sensor, reading, feedback
  value     optional number: a reading, a rating
  duration  optional [s], or `end`, a time (of JSON lines where `columns=` says so): then the log is one of activities
  home      optional: `home` picks one of several
Other columns are left alone. A CSV file may begin with lines before its header, which is the line that names most of
the columns that are read, and with Excel's `sep=;`. Several files (`a.csv,b.csv`, `months/*.csv`) are one log; `test`
and `valid` name those that test and validate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from lam_env.core.events import ActionLog, LogError
from lam_env.logs.input import batches, roles
from lam_env.logs.input.batches import Batch
from lam_env.logs.input.csv_files import CsvFile, csv_batches, line_of, sign_of
from lam_env.logs.input.pairs import words_of
from lam_env.logs.input.records import parts_of
from lam_env.logs.input.roles import Roles
from lam_env.logs.input.rows import Rows


def load(
    kind: str,
    path: str,
    *,
    home: str | None = None,
    user: str | None = None,
    zone: str | None = None,
    columns: str | None = None,
    sep: str | None = None,
    wrong_rows: str | None = None,
    time_format: str | None = None,
    ignore: tuple[str, ...] = (),
    sort: bool = False,
    split: str | None = None,
    pairs: tuple[str, ...] = (),
    test: str | None = None,
    valid: str | None = None,
) -> tuple[ActionLog, dict[str, int]]:
    """Files -> their log (one tick = 1 s, local wall time) and the number of lines left out, by reason.

    kind: csv, tsv, jsonl or parquet. user: whose rows are read, of several people. columns, sep, time_format: what the
    table is like; wrong_rows: "skip" leaves rows out that cannot be read; `ignore`: states at the end of actions that
    tell of nothing; sort: rows may be in any order; split: as in `log_of_table`; pairs: states that begin and end an
    activity, "on/off"; test, valid: files of which nothing trains.
    """
    words_of(pairs)  # a fault of theirs is told before anything is read
    rows, left_out = None, Counter[str]()
    written = _Written(sep, wrong_rows == "skip")
    for file, part in parts_of(path, valid, test):
        table = _opened(kind, file, columns, written, left_out)
        rows = rows or Rows(table.roles, ignore, time_format, left_out, skip=wrong_rows == "skip")
        rows.begin(file.name, table.roles, part, table.others, table.line_of, table.decimal_comma)
        for batch in table.batches:
            rows.add(batch)
    assert rows is not None  # there is a path at least
    return rows.log(home, user, zone, sort, split, pairs)


FORMATS = {
    "csv": partial(load, "csv"),
    "tsv": partial(load, "tsv"),
    "jsonl": partial(load, "jsonl"),
    "parquet": partial(load, "parquet"),
}


class _Written(NamedTuple):
    """How a text is written, and whether rows that cannot be read are left out."""

    sep: str | None
    skip: bool


class _Table(NamedTuple):
    """A file: what its columns are, those that are none of them, its rows, the line on which a row begins, and whether
    `21,5` may be a number."""

    roles: Roles
    others: list[str]
    batches: Iterator[Batch]
    line_of: Callable[[int], int] = int
    decimal_comma: bool = False


def _opened(kind: str, file: Path, columns: str | None, written: _Written, left_out: Counter[str]) -> _Table:
    told = None if columns is None else roles.roles_of(columns)
    if kind in ("csv", "tsv"):
        return _opened_csv(kind, file, told, written, left_out)
    if (sep := written.sep) is not None:
        raise LogError(f"{file.name}: sep={sep[:40]} is for format=csv; leave it away")
    if kind == "jsonl":
        if not (names := batches.json_columns(file)):
            raise LogError(f"{file.name}: the file is empty; it needs an object a line")
        may = (name for name in roles.CALLED if name != "end" and (name != "user" or name in names))
        own = told or roles.usual(may)  # what is in no row has no role
        needed = roles.columns_of({role: own[role] for role in roles.NEEDED if role in own})
        roles.check(file.name, own, roles.columns_of(own), told is not None)
        wanted = roles.columns_of(own)
        others = [name for name in names if name not in wanted]
        return _Table(own, others, batches.json_batches(file, left_out, wanted, needed, written.skip))
    names = list(batches.parquet_columns(file))
    own, others = _with_roles(file.name, told, names)
    return _Table(own, others, batches.parquet_batches(file, roles.columns_of(own)))


def _opened_csv(kind: str, path: Path, told: Roles | None, written: _Written, left_out: Counter[str]) -> _Table:
    header = told is None or not roles.numbered(told)
    needed = roles.NEEDED if told is None else roles.columns_of(told) if header else ()
    file = CsvFile.of(path, sign_of(written.sep), usual="\t" if kind == "tsv" else ",")
    file, names = file.headed(needed)
    if not names:
        raise LogError(f"{path.name}: the file is empty; its first line must name {','.join(roles.NEEDED)}")
    if word := file.other_sign(needed, names):
        where = f"{path.name}, line {file.before + 1}"
        raise LogError(f"{where}: no column {', '.join(sorted({*needed} - {*names}))}; or is it sep={word}?")
    if not header:
        names = [str(i + 1) for i in range(len(names))]
    own, others = _with_roles(f"{path.name}, line {file.before + 1}", told, names)
    rows = csv_batches(file, names, header, left_out, roles.columns_of(own), written.skip)
    return _Table(own, others, rows, partial(line_of, file), file.decimal_comma)


def _with_roles(where: str, told: Roles | None, names: Sequence[str]) -> tuple[Roles, list[str]]:
    """The roles of columns of these names, and those that have none."""
    own = told or roles.usual(names)
    roles.check(where, own, names, told is not None)
    wanted = roles.columns_of(own)
    return own, [name for name in names if name not in wanted]
