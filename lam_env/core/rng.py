"""Counter-based random streams: every draw is a pure function of (seed, world, actor, purpose, index).

Two worlds of one seed that meet different agents draw the same weather, moods and appetites, because the
index is an occasion (a day, a slot, the number of an act) and never a count of draws so far. The generator is
splitmix64 (Steele, Lea and Flood, OOPSLA 2014) over a key; single draws and blocks give the same numbers.
"""

from __future__ import annotations

import hashlib
import math
from array import array
from functools import lru_cache
from statistics import NormalDist

import numpy as np

from lam_env.core.seeds import checked
from lam_env.core.shared import Shared

_MASK = 0xFFFFFFFFFFFFFFFF
_GOLDEN = 0x9E3779B97F4A7C15
_UNIT = 2.0**-53
_quantile = NormalDist().inv_cdf
_STEP, _FIRST, _SECOND = (np.uint64(x) for x in (_GOLDEN, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
_30, _27, _31, _11 = (np.uint64(x) for x in (30, 27, 31, 11))


def mix(z: int) -> int:
    """The splitmix64 finaliser of a 64-bit integer."""
    z &= _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def key_of(*parts: int | str, key: int = 0) -> int:
    """A 64-bit key of integers and names, the same in any process (no salted hash). `key`: of earlier parts."""
    for part in parts:
        mixed = _mixed_name(part) if isinstance(part, str) else mix(part + _GOLDEN)
        key = mix(key ^ mixed) + 1 & _MASK
    return key


@lru_cache(maxsize=4096)  # purposes are few, and a world has a stream of each
def _mixed_name(name: str) -> int:
    return mix(int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little") + _GOLDEN)


def lognormal(u: float, median: float, sd: float) -> float:
    """The quantile at probability u of a lognormal; `sd` is that of the logarithm."""
    return median * math.exp(sd * _quantile(u))


class Packed(Shared, array):  # of floats
    """Doubles that are read one by one in the time that a list takes, and never written."""

    __slots__ = ()


def packed(draws: np.ndarray) -> Packed:
    return Packed("d", draws.tobytes())


class Stream(Shared):
    """Draws of one purpose. `index` is the occasion."""

    __slots__ = ("_first", "key")

    def __init__(self, key: int):
        self.key, self._first = key, key + _GOLDEN

    def bits(self, index: int) -> int:
        """64 random bits."""
        z = (self._first + index * _GOLDEN) & _MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return z ^ (z >> 31)

    def uniform(self, index: int) -> float:
        """A number in (0, 1)."""
        z = (self._first + index * _GOLDEN) & _MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return (((z ^ (z >> 31)) >> 11) + 0.5) * _UNIT

    def normal(self, index: int) -> float:
        return _quantile(self.uniform(index))

    def block(self, start: int, n: int) -> np.ndarray:
        """uniform(start), ..., uniform(start + n - 1) at once, shape (n,)."""
        z = np.arange(start + 1, start + n + 1, dtype=np.uint64)
        z *= _STEP  # arrays of integers wrap around without a word
        z += np.uint64(self.key)
        z ^= z >> _30
        z *= _FIRST
        z ^= z >> _27
        z *= _SECOND
        z ^= z >> _31
        z >>= _11
        u = z.astype(np.float64)
        u += 0.5
        u *= _UNIT
        return u


class Streams(Shared):
    """The random streams of one world."""

    __slots__ = ("_key", "seed", "world")

    def __init__(self, seed: int, world: int = 0):
        self.seed, self.world = checked(seed), world
        self._key = key_of(self.seed, world)

    def __call__(self, actor: int | str, purpose: str) -> Stream:
        return Stream(key_of(actor, purpose, key=self._key))
