"""What logs call the states of things, and which end which: the words of `states.yaml`, by meaning."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from lam_env.config.cli import read_yaml

FILE = Path(__file__).with_suffix(".yaml")


class _Known(NamedTuple):
    """`words`: of a meaning; `ends`: of a meaning that begins something, the one that ends it; `at_end`: finds a word
    at the end of a name."""

    words: dict[str, list[str]]
    meaning: dict[str, str]
    ends: dict[str, str]
    at_end: re.Pattern[str]


@functools.cache
def _known() -> _Known:
    words, ends = dict[str, list[str]](), dict[str, str]()
    for pair in read_yaml(str(FILE), ""):  # type: ignore[attr-defined]  # the kit's own file
        begin, end = pair
        ends[begin] = end
        for meaning, others in pair.items():
            bare = (re.sub(r"[\u0300-\u036f]", "", unicodedata.normalize("NFD", word)) for word in others)
            words[meaning] = [meaning, *dict.fromkeys((*others, *bare))]
    meaning = {word: name for name, some in words.items() for word in some}
    either = "|".join(map(re.escape, meaning))
    return _Known(words, meaning, ends, re.compile(rf"(.+)[.:=/ ]({either})", re.IGNORECASE | re.DOTALL))


def meaning_of(word: str) -> str:
    """The English word for a state, "" of a word that is not known as one."""
    return _known().meaning.get(word.strip().lower(), "")


def words_for(state: str) -> list[str]:
    """All words that mean the same, itself among them."""
    return list(dict.fromkeys((state, *_known().words.get(meaning_of(state), ()))))


def parted(name: str) -> tuple[str, str]:
    """A thing and its state, `Licht` and `an` of "Licht an": parted where a known state begins, else at the last
    point."""
    found = _known().at_end.fullmatch(name)
    thing, _, state = name.rpartition(".")
    return (found[1], found[2]) if found is not None else (thing, state)


def pairs_in(names: Iterable[str]) -> list[str]:
    """The states that begin and end something among names, as the first of them has each: `an/aus`."""
    met = dict[str, dict[str, str]]()  # thing -> meaning -> word
    for thing, state in map(parted, names):
        met.setdefault(thing, {}).setdefault(meaning_of(state), state.lower())
    ends, found = _known().ends, dict[tuple[str, str], str]()
    for words in met.values():
        for begin, end in ends.items():
            if begin in words and end in words:
                found.setdefault((begin, end), f"{words[begin]}/{words[end]}")
    return list(found.values())
