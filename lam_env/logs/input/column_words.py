"""What logs call their columns: the words of `column_words.yaml`, by role."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lam_env.config.cli import read_yaml

FILE = Path(__file__).with_suffix(".yaml")


class _Known(NamedTuple):
    """`roles`: words in one form, by role; `units`: what each word for a unit means; `small`: words without a role."""

    roles: dict[str, list[str]]
    every: frozenset[str]
    units: dict[str, str]
    small: frozenset[str]


@functools.cache
def _known() -> _Known:
    told: Any = read_yaml(str(FILE), "")  # the kit's own file
    roles = {role: list(dict.fromkeys(f for one in some for f in _forms(one))) for role, some in told["roles"].items()}
    units = {word: unit for unit, some in told["units"].items() for word in some}
    return _Known(roles, frozenset(word for some in roles.values() for word in some), units, frozenset(told["small"]))


def words() -> Mapping[str, Sequence[str]]:
    """What columns of each role are called, as `called` has it, the likeliest first."""
    return _known().roles


def is_known(name: str) -> bool:
    return called(name) in _known().every


def called(name: str, is_time: bool = False) -> str:
    """The known word that a column's name is, else the name in one form: of durations without its unit; without small
    words, "heure de début"; of a column of times by the word that says begin or end, "data inizio"."""
    known, parts = _known(), _parts(name)
    every, durations = known.every, known.roles["duration"]
    if (whole := "".join(parts)) in every:
        return whole
    parts = [part for part in parts if part not in known.small]
    if parts and parts[-1] in known.units and (bare := "".join(parts[:-1])) in durations:
        return bare
    if (bare := "".join(parts)) in every:
        return bare
    said = [part for role in ("end", "time") for part in parts if is_time and part in known.roles[role]]
    return said[0] if said else whole


def unit(name: str) -> str:
    """The unit that the name of a column of durations says, as `duration:` has it; "" for none."""
    parts = _parts(name)
    return _known().units.get(parts[-1], "") if parts else ""


def _parts(name: str) -> list[str]:
    """Its words, without accents."""
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    return re.findall("[a-z0-9]+", plain)


def _forms(word: str) -> list[str]:
    """One without accents, and as German has it without umlauts: `gerat`, `geraet`."""
    return [
        "".join(_parts(form)) for form in (word, re.sub(r"([aou])\u0308", r"\1e", unicodedata.normalize("NFD", word)))
    ]
