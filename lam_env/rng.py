"""Counter-based random streams: every draw is a pure function of (seed, world, actor, purpose, index).

Two worlds of one seed that meet different agents draw the same weather, moods and appetites, because the
index is an occasion (a day, a slot, the number of an act) and never a count of draws so far. The generator is
splitmix64 (Steele, Lea and Flood, OOPSLA 2014) over a key; single draws and blocks give the same numbers.
"""

from __future__ import annotations

import hashlib
import math
from statistics import NormalDist

import numpy as np

_MASK = 0xFFFFFFFFFFFFFFFF
_GOLDEN = 0x9E3779B97F4A7C15
_UNIT = 2.0**-53
_NORMAL = NormalDist()


def mix(z: int) -> int:
    """The splitmix64 finaliser of a 64-bit integer."""
    z &= _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def key_of(*parts: int | str) -> int:
    """A 64-bit key of integers and names; independent of the process (no salted hash)."""
    key = 0
    for part in parts:
        if isinstance(part, str):
            part = int.from_bytes(hashlib.blake2b(part.encode(), digest_size=8).digest(), "little")
        key = mix(key ^ mix((part + _GOLDEN) & _MASK)) + 1 & _MASK
    return key


class Stream:
    """Draws of one purpose. `index` is the occasion."""

    __slots__ = ("key",)

    def __init__(self, key: int):
        self.key = key

    def uniform(self, index: int) -> float:
        """A number in (0, 1)."""
        z = (self.key + (index + 1) * _GOLDEN) & _MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return (((z ^ (z >> 31)) >> 11) + 0.5) * _UNIT

    def normal(self, index: int) -> float:
        return _NORMAL.inv_cdf(self.uniform(index))

    def lognormal(self, index: int, median: float, sd: float) -> float:
        """`sd` is that of the logarithm."""
        return median * math.exp(sd * self.normal(index))

    def block(self, start: int, n: int) -> np.ndarray:
        """uniform(start), ..., uniform(start + n - 1) at once, shape (n,)."""
        with np.errstate(over="ignore"):
            z = np.arange(start + 1, start + n + 1, dtype=np.uint64) * np.uint64(_GOLDEN) + np.uint64(self.key)
            z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            z = z ^ (z >> np.uint64(31))
        return ((z >> np.uint64(11)).astype(np.float64) + 0.5) * _UNIT


class Streams:
    """The random streams of one world."""

    __slots__ = ("seed", "world")

    def __init__(self, seed: int, world: int = 0):
        self.seed, self.world = seed, world

    def __call__(self, actor: int | str, purpose: str) -> Stream:
        return Stream(key_of(self.seed, self.world, actor, purpose))
