"""Choices among offered options (a card of three, a class of thirteen): what development is learnt from."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from lam_env.core.events import LogError

LEAST = 10  # groups that can be split in three at all
NAMES = ("options", "numbers", "things", "traits")
_ROWS = ("offered", "chosen", "group", "context", "held", "features")  # arrays with a row for each choice


@dataclass(frozen=True)
class Choices:
    """n choices in order of time, each among at most K options.

    options: names; option 0 is "none" (to take nothing). offered (n, K) int64: indices of options, -1 for no more.
    chosen (n,) int64: column of `offered`. group (n,) int64: the run or character, numbered from 0 in order of time.
    context (n, F) float32, named `numbers`: the state in which the choice was made, at about unit scale.
    held (n, S) float32, named `things`: how many of each thing the chooser holds (cards, relics; 1 for a race).
    features (n, K, G) float32, named `traits`: of each option in this choice (upgraded; how many are held already).
    """

    options: tuple[str, ...]
    numbers: tuple[str, ...]
    things: tuple[str, ...]
    traits: tuple[str, ...]
    offered: np.ndarray
    chosen: np.ndarray
    group: np.ndarray
    context: np.ndarray
    held: np.ndarray
    features: np.ndarray

    def __post_init__(self) -> None:
        n, k = self.offered.shape
        shapes = {"chosen": (n,), "group": (n,), "context": (n, len(self.numbers)), "held": (n, len(self.things))}
        shapes["features"] = (n, k, len(self.traits))
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise LogError(f"choices: {name} must be {shape}, not {getattr(self, name).shape}")
        if not self.options or self.options[0] != "none":
            raise LogError('choices: option 0 must be "none"')
        if n and (self.offered.max() >= len(self.options) or not ((self.chosen >= 0) & (self.chosen < k)).all()):
            raise LogError("choices: an option that has no name, or a choice outside the offered set")
        if n and (self.offered[np.arange(n), self.chosen] < 0).any():
            raise LogError("choices: something was chosen that was not offered")
        if (np.diff(self.group) < 0).any():
            raise LogError("choices: not in order of their groups")
        for name in ("context", "held", "features"):
            if not np.isfinite(getattr(self, name)).all():
                raise LogError(f"choices: {name} holds numbers that are not finite")

    def __len__(self) -> int:
        return len(self.chosen)

    def names(self) -> dict[str, tuple[str, ...]]:
        """Of options, numbers, things and traits."""
        return {what: getattr(self, what) for what in NAMES}

    def select(self, rows: np.ndarray) -> Choices:
        """Rows by mask or index."""
        return dataclasses.replace(self, **{name: getattr(self, name)[rows] for name in _ROWS})

    def joined(self, more: Choices) -> Choices:
        """These and then `more`, of the same names."""
        rows = {name: np.concatenate([getattr(self, name), getattr(more, name)]) for name in _ROWS}
        return Choices(self.options, self.numbers, self.things, self.traits, **rows)

    def there(self) -> np.ndarray:
        """(n, K) bool: where an option is on offer."""
        return self.offered >= 0

    def split(self, parts: tuple[float, float] = (0.7, 0.1)) -> tuple[Choices, Choices, Choices]:
        """Train, validation and test by whole groups in order of time: the last groups test."""
        groups = int(self.group.max()) + 1 if len(self) else 0
        a, b = (int(share * groups + 1e-9) for share in (parts[0], sum(parts)))
        train, valid, test = (
            self.select((low <= self.group) & (self.group < high)) for low, high in pairwise((0, a, b, groups))
        )
        if groups < LEAST or not (len(train) and len(valid) and len(test)):
            raise LogError(
                f"choices: {groups:,} runs or characters are too few to train, validate and test; at least {LEAST}"
            )
        return train, valid, test
