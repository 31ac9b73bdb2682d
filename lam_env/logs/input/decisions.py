"""Rows of tables of logged decisions, one each, as any system that chooses by chance can write them.

`columns=` says which columns it has:
  context     what was known when it was decided: numbers and text
  action      what was chosen
  propensity  the probability with which it was chosen
  reward      what it brought; where there is none, the decision is left out
  policy      probabilities with which other policies would have chosen the action of the row
  user        whose decisions depend on each other; without it each decision stands alone
  time        when, or a number: the order of a user's decisions; without it rows are in order
Of context and policy there may be several columns: names with a plus between them, or with a star for any letters.
"""

from __future__ import annotations

import fnmatch
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lam_env.config.convert import suggestion
from lam_env.core.events import LogError
from lam_env.logs.coverage import clean
from lam_env.logs.input import batches
from lam_env.logs.input.batches import Batch
from lam_env.logs.input.csv_files import CsvFile, csv_batches, line_of
from lam_env.logs.input.numbers import Codes, amounts, clocks, each, with_point
from lam_env.logs.input.records import parts_of
from lam_env.logs.input.roles import Roles, Template, columns_of, numbered, roles_of
from lam_env.logs.input.wrong_rows import Unread, refused
from lam_env.logs.look.formats import kind_of

ROLES = {
    "context": "what was known",
    "action": "what was chosen",
    "propensity": "with which probability",
    "reward": "what it brought",
    "policy": "probabilities of other policies for what was chosen",
    "user": "whose decisions depend on each other",
    "time": "when, or a number",
}
NEEDED, SEVERAL = ("action", "propensity", "reward"), ("context", "policy")
EXAMPLE = "columns=context:age+device,action:offer,propensity:p,reward:clicked"
NO_ACTION, NO_REWARD = "decision(s) without an action", "decision(s) without a reward"
Place = Callable[[int], str]  # of a row, from 1, of a file


@dataclass(frozen=True)
class DecisionRows:
    """n rows of files: `file` and `row` (n,) of each, cells (n,) text by role, such as `reward` and `context:age`;
    places: of each file, what says where a row of it is; comma: a number that is written with a decimal comma."""

    places: Sequence[Place]
    file: np.ndarray
    row: np.ndarray
    cells: Mapping[str, pa.Array]
    comma: str = ""

    @classmethod
    def read(cls, path: str, columns: str, left_out: Counter[str], skip: bool = False) -> DecisionRows:
        """All of the files, which have the same `columns`. LogError says what is lacking; `left_out`: empty lines, and
        with `skip` rows that cannot be read."""
        told = roles_of(columns, ROLES, EXAMPLE)
        if lacking := [role for role in NEEDED if role not in told]:
            raise LogError(f"columns={columns[:80]}: no {', '.join(lacking)}; write {EXAMPLE}")
        if "time" in told and "user" not in told:
            raise LogError(f"columns={columns[:80]}: time without a user says nothing; name whose, or leave it away")
        files = [file for file, _ in parts_of(path, None, None)]
        roles: Roles = {}
        parts: list[tuple[int, Batch]] = []
        places, commas = [], list[bool]()
        for number, file in enumerate(files):
            own, rows, place, decimal_comma = _opened(file, told, left_out, skip)
            if number and own != roles:
                raise LogError(f"{file.name}: has not the columns of {files[0].name}; give them the same")
            roles = own
            places.append(place)
            commas.append(decimal_comma)
            parts += [(number, batch) for batch in rows]
        nothing = pa.array([], pa.string())
        cells = {
            role: pa.concat_arrays([nothing, *(template.of(batch.cells) for _, batch in parts)])
            for role, template in roles.items()
        }
        found = ""
        for role in cells if all(commas) else ():
            if role not in ("action", "user", "time"):
                cells[role], comma = with_point(cells[role])
                found = found or comma
        return cls(
            places,
            np.repeat([number for number, _ in parts], [len(batch.number) for _, batch in parts]),
            np.concatenate([np.zeros(0, int), *(batch.number for _, batch in parts)]),
            cells,
            found,
        )

    def complete(self, left_out: Counter[str], skip: bool = False) -> DecisionRows:
        """Those with an action and a reward; the others are counted. With `skip` so are those of which reward or
        propensity is no number."""
        if skip:
            unread = Unread()
            keep, _ = unread.together(len(self.row), lambda some: self._of(some)._checked(), skip)
            left_out.update(unread.counted)
            return self._of(keep).complete(left_out)
        nothing = each(self.cells["action"], lambda text: not clean(text), bool)
        unknown = np.isnan(self.numbers("reward")) & ~nothing
        left_out.update({NO_ACTION: int(nothing.sum()), NO_REWARD: int(unknown.sum())})
        return self._of(np.flatnonzero(~nothing & ~unknown))

    def _of(self, rows: np.ndarray) -> DecisionRows:
        cells = {role: column.take(pa.array(rows)) for role, column in self.cells.items()}
        return DecisionRows(self.places, self.file[rows], self.row[rows], cells, self.comma)

    def _checked(self) -> None:
        """LogError for a row of which a number is none."""
        for role in ("reward", "propensity"):
            self.numbers(role)

    def where(self, i: int) -> str:
        return self.places[self.file[i]](int(self.row[i]))

    def several(self, role: str) -> list[tuple[str, str]]:
        """Of a role that may have several columns: each as a role of its own, and its name."""
        return [(one, one.removeprefix(f"{role}:")) for one in self.cells if one.startswith(f"{role}:")]

    def numbers(self, role: str) -> np.ndarray:
        """(n,) nan where there is none."""
        try:
            return amounts(role, self.cells[role], self.where).value
        except LogError as error:
            raise refused(error) from None

    def values(self, role: str) -> np.ndarray:
        """(n,) numbers where all that stands there are, else text."""
        column = self.cells[role].fill_null("")
        try:
            amounts(role, pc.unique(column), str)
        except LogError:
            coded = column.dictionary_encode()
            return np.array(coded.dictionary.to_pylist())[coded.indices.to_numpy()]
        return self.numbers(role)

    def probabilities(self, role: str) -> np.ndarray:
        """(n,) from 0 to 1; LogError for a row that has none, and guesses what it is instead."""
        p = self.numbers(role)
        for i in np.flatnonzero(~((p >= 0) & (p <= 1)))[:1].tolist():
            if np.isnan(p[i]):
                raise LogError(f"{self.where(i)}: no {role}; a decision without a probability cannot be weighed")
            guess = "not its logarithm" if (p[~np.isnan(p)] <= 0).all() else "neither percent nor 1 / p"
            raise LogError(f"{self.where(i)}: {role} {p[i]:g}; it must be a probability from 0 to 1, {guess}")
        return p

    def trajectory(self) -> np.ndarray:
        """(n,) numbers: whose, or each its own."""
        if "user" not in self.cells:
            return np.arange(len(self.row))
        codes = Codes()
        user = codes.add(self.cells["user"], clean)
        for i in np.flatnonzero(user == codes.number_of(""))[:1].tolist():
            raise LogError(f"{self.where(i)}: no user; correct the line")
        return user.astype(np.int64)

    def times(self) -> np.ndarray:
        """(n,) by which rows are in order."""
        if "time" not in self.cells:
            return np.arange(len(self.row))
        order = self.values("time")
        if order.dtype.kind != "f":
            return clocks(self.cells["time"], None, self.where).time
        for i in np.flatnonzero(np.isnan(order))[:1].tolist():
            raise LogError(f"{self.where(i)}: no time; correct the line")
        return order


def _opened(file: Path, told: Roles, left_out: Counter[str], skip: bool) -> tuple[Roles, Iterator[Batch], Place, bool]:
    """What the columns of a file are, each on its own, its rows, what says where one is, and whether `21,5` may be a
    number."""
    kind = kind_of(file)
    if kind is None:
        raise LogError(f"{file.name}: no table; give one of CSV, JSON lines or Parquet")
    csv = CsvFile(file)
    if kind == "parquet":
        names = list(batches.parquet_columns(file))
    elif kind == "jsonl":
        names = batches.json_columns(file)
    else:
        csv, names = CsvFile.of(file).headed(())
    if not names:
        raise LogError(f"{file.name}: the file is empty; its first line must name the columns")
    if len(set(names)) != len(names):
        raise LogError(f"{file.name}: a column name occurs twice; rename one")
    bare = kind == "csv" and numbered(_single(told, [])) > 0
    if bare:
        names = [str(i + 1) for i in range(len(names))]
    roles = _single(told, names)
    for column in columns_of(roles):
        if column not in names:
            there_are = f"there are {', '.join(names)[:160]}"
            raise LogError(f"{file.name}: no column {column[:40]!r}; {suggestion(column, names, there_are)}")
    wanted = columns_of(roles)
    if kind == "csv":
        rows = csv_batches(csv, names, not bare, left_out, wanted, skip)
        return roles, rows, lambda row: f"{file.name}, line {line_of(csv, row)}", csv.decimal_comma
    if kind == "parquet":
        rows = batches.parquet_batches(file, wanted)
    else:
        needed = columns_of({role: roles[role] for role in NEEDED})
        rows = batches.json_batches(file, left_out, wanted, needed, skip)
    return roles, rows, lambda row: f"{file.name}, line {row}", False


def _single(told: Roles, names: Sequence[str]) -> Roles:
    """Roles of one column each; of several columns, those among `names` that no other role has."""
    others = columns_of({role: template for role, template in told.items() if role not in SEVERAL})
    roles: dict[str, Template] = {}
    for role, template in told.items():
        if role not in SEVERAL:
            roles[role] = template
            continue
        text = "".join(template.parts)
        for pattern in [text] if text in names else map(str.strip, text.split("+")):
            found = [name for name in fnmatch.filter(names, pattern) if name not in others] or [pattern]
            roles |= {f"{role}:{name}": Template(("", name, "")) for name in found}
    return roles
