"""What different homes call the same: labels of activities and commands, and the common names of `labels.yaml`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lam_env.config.cli import ConfigError, read_yaml
from lam_env.core.errors import UserError

FILE = Path(__file__).with_suffix(".yaml")


def words_of(label: str) -> str:
    """The words of a label in one form: `Watch_TV` and `tv.watch` are alike."""
    return " ".join(sorted(re.findall(r"[^\W_]+", label.lower())))


@dataclass(frozen=True)
class Labels:
    """`name`: of the words of a label, its common name; `wider`: of a common name, the one of which it is a kind."""

    name: Mapping[str, str]
    wider: Mapping[str, str]

    @classmethod
    def read(cls, own: str | None = None) -> Labels:
        """The kit's names; what a file of one's `own` says of a label comes first. UserError says what is wrong with
        it."""
        above, names = _lines(FILE)
        if own is not None:
            more, others = _lines(Path(own))
            above, names = above | more, names | others
        wider = {label: above[label] for label in names if label in above}
        for label in wider:
            seen = [label]
            while (label := wider.get(label, "")) and label not in seen:
                seen.append(label)
            if label:
                raise UserError(f"{own or FILE}: {label!r} is a kind of itself; list it on one side alone")
        return cls({label: name for label, name in above.items() if label not in names}, wider)

    def names_of(self, label: str) -> list[str]:
        """The common name of a label, or its words where it has none, and those of which that is a kind."""
        words = words_of(label)
        names = [self.name.get(words, words)]
        while (wider := self.wider.get(names[-1])) is not None:
            names.append(wider)
        return names

    def synonyms(self, others: Iterable[str], own: Sequence[str], times: np.ndarray) -> dict[str, str]:
        """What others say -> what one's own log says: the same words, else the same common name, else the next wider
        one, else a kind of it; of several the one that is met most often. `times` (len(own),): how often each is."""
        often = [own[i] for i in np.argsort(-np.asarray(times), kind="stable")]
        words, same, kinds = dict[str, str](), dict[str, str](), dict[str, str]()
        for label in often:
            name, *wider = self.names_of(label)
            words.setdefault(words_of(label), label)
            same.setdefault(name, label)
            for each in wider:
                kinds.setdefault(each, label)
        out = {}
        for label in others:
            names = self.names_of(label)
            found = [words.get(words_of(label)), *map(same.get, names), kinds.get(names[0])]
            if (best := next(filter(None, found), None)) is not None:
                out[label] = best
        return out


def _lines(path: Path) -> tuple[dict[str, str], set[str]]:
    """Of a file: the name above each label, and all names."""
    remedy = "write lines of `common name: [label, label]`"
    try:
        data = read_yaml(path, "give a YAML file")
    except ConfigError as error:
        raise UserError(f"{path}: {error}") from None
    if not isinstance(data, dict):
        raise UserError(f"{path}: holds no names; {remedy}")
    above = dict[str, str]()
    for name, labels in data.items():
        if not isinstance(name, str) or not isinstance(labels, list) or not all(isinstance(x, str) for x in labels):
            raise UserError(f"{path}: {name}: what it is called is no list of words; {remedy}")
        for label in map(words_of, labels):
            if above.setdefault(label, words_of(name)) != words_of(name):
                raise UserError(f"{path}: {label!r} is listed twice, under {above[label]!r} and {name!r}; leave one")
    return above, set(map(words_of, data))
