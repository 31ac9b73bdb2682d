"""States that begin and end, `bed.on` and `bed.off`, as activities with a duration: `pairs=on/off`.

An end closes the begin before it of the same name and user; of names where more begins have an end so, of anybody, as
of a lamp that one switches on and another off: it was whose the begin is. Another begin says that the end of the first
is lost. Other words for the same states, in any language of `states.yaml`, are read as they are: `bed.an`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from lam_env.config.convert import count
from lam_env.core.events import LogError
from lam_env.logs.input.states import words_for
from lam_env.logs.tables import Texts

NO_END, NO_BEGIN = "begin(s) without an end", "end(s) without a begin"
ENDS = "end(s) of an activity, of which its begin tells the duration"
NONE, BEGIN, END = range(3)


class Activities(NamedTuple):
    """action: names without their states; keep (n,) bool: rows that are no state, and begins that have an end;
    following (n,): the row that ends a begin, -1 for none; left_out: what is not kept, by reason; met: how many rows
    end in each word."""

    action: Texts
    keep: np.ndarray
    following: np.ndarray
    left_out: dict[str, int]
    met: Counter[str]


def words_of(pairs: Sequence[str]) -> dict[str, int]:
    """What each state of `on/off` is, in small letters, and each word that means the same."""
    words: dict[str, int] = {}
    for pair in pairs:
        begin, slash, end = _halves(pair)
        begins, ends = (dict.fromkeys(words_for(word), kind) for word, kind in ((begin, BEGIN), (end, END)))
        known = [word for word, kind in words.items() if (begins | ends).get(word, kind) != kind]
        if not slash or not begin or not end or "/" in end or known or begins.keys() & ends.keys():
            raise LogError(f"pairs={pair[:40]}: give two states, each once, such as pairs=on/off,open/closed")
        words |= begins | ends
    return words


def _halves(pair: str) -> tuple[str, str, str]:
    begin, slash, end = (part.strip().lower() for part in pair.partition("/"))
    return begin, slash, end


def never_met(pairs: Sequence[str], met: Mapping[str, int]) -> list[str]:
    """What to say of each of `pairs` of which no row ends in one half, or in both; met: rows, by word."""
    said = []
    for pair in pairs:
        begin, _, end = _halves(pair)
        rows = {half: sum(met.get(word, 0) for word in words_for(half)) for half in (begin, end)}
        absent = [half for half, n in rows.items() if not n]
        if absent:
            lost = "".join(f", which leaves out {count(n, 'row')} in {half}" for half, n in rows.items() if n)
            said.append(f"pairs={pair}: no action ends in {' or '.join(absent)}{lost}")
    return said


def activities(
    action: Texts, user: np.ndarray, part: np.ndarray, own: np.ndarray, moment: np.ndarray, words: dict[str, int]
) -> Activities:
    """Of n rows at `moment` (n,). user (n,) int: whose they are; part (n,) int: of the log, of which none closes
    another's; own (n,) bool: those that may be a state."""
    state = re.compile(rf"(.+)[.:=/ ]({'|'.join(map(re.escape, words))})", re.IGNORECASE | re.DOTALL)
    found = [state.fullmatch(name.strip()) for name in action.known]
    names = Texts.of(name if match is None else match[1] for name, match in zip(action.known, found, strict=True))
    kinds = np.array([NONE if match is None else words[match[2].lower()] for match in found], np.int8)
    code, kind = names.code[action.code], np.where(own, kinds[action.code], NONE)
    by_user = _following(moment, kind, code, part, user)
    of_anybody = _following(moment, kind, code, part)
    more = np.bincount(code[of_anybody >= 0], minlength=len(names.known))
    more -= np.bincount(code[by_user >= 0], minlength=len(names.known))
    following = np.where((more > 0)[code], of_anybody, by_user)
    ended = np.zeros(len(code), bool)
    ended[following[following >= 0]] = True
    counts = {
        ENDS: int(ended.sum()),
        NO_END: int(((kind == BEGIN) & (following < 0)).sum()),
        NO_BEGIN: int(((kind == END) & ~ended).sum()),
    }
    # what is no state keeps its whole name: a sensor's, for one
    known = [*names.known, *action.known]
    code = np.where(kind == NONE, action.code + len(names.known), code)
    left_out = {why: n for why, n in counts.items() if n}
    rows, met = np.bincount(action.code[own], minlength=len(found)), Counter[str]()
    for match, n in zip(found, rows.tolist(), strict=True):
        met[match[2].lower() if match is not None else ""] += n
    return Activities(Texts(code, known), (kind == NONE) | (following >= 0), following, left_out, met)


def _following(moment: np.ndarray, kind: np.ndarray, *same: np.ndarray) -> np.ndarray:
    """(n,) the end that comes next to each begin among the rows alike in all columns `same`, -1 for none."""
    rows = np.flatnonzero(kind)
    rows = rows[np.lexsort((rows, moment[rows], *(column[rows] for column in same)))]
    alike = np.all([column[rows][1:] == column[rows][:-1] for column in same], axis=0)
    closed = np.flatnonzero(alike & (kind[rows][:-1] == BEGIN) & (kind[rows][1:] == END))
    following = np.full(len(kind), -1)
    following[rows[closed]] = rows[closed + 1]
    return following
