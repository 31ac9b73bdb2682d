"""An environment as it stands, kept so that several futures can go on from it.

It is the one file that pickles. The bytes are made and read here and nowhere else; they are in no file and of no other
process.
"""

from __future__ import annotations

import copy
import io
import pickle
from array import array
from collections.abc import Iterable
from itertools import repeat
from operator import getitem
from types import FunctionType
from typing import Any, Generic, TypeVar, cast

import numpy as np

from lam_env.core.shared import Record, Shared, Swapped

E = TypeVar("E")


class Moment(Generic[E]):
    """What `Copied.moment` gives. `branch` costs about half of what it costs to come to the first one."""

    def __init__(self, env: E, shared: Iterable[object]):
        """`shared`: parts of it that branches share."""
        file = io.BytesIO()
        pickler = _Pickler(file, shared)
        pickler.dump(env)
        self._bytes, self._things = file.getvalue(), pickler.things

    def branch(self) -> E:
        """One future: an environment that goes on by itself."""
        buffers: Any = repeat(self._things)
        return cast(E, pickle.loads(self._bytes, buffers=buffers))  # noqa: S301 -- as said above


class _Pickler(pickle.Pickler):
    """Writes the places of `things` for what is shared or copied at once. That list comes as buffers do, beside the
    bytes."""

    def __init__(self, file: io.BytesIO, shared: Iterable[object]):
        super().__init__(file, 5, buffer_callback=self._within)
        self.things: list[Any] = []
        self._shared = {id(thing) for thing in shared}
        self._list = pickle.PickleBuffer(bytearray(1))

    def _within(self, buffer: pickle.PickleBuffer) -> bool:
        return buffer is not self._list

    def reducer_override(self, thing: Any) -> Any:
        if (isinstance(thing, _SAME) and thing is not _again) or id(thing) in self._shared:
            self.things.append(thing)
            return getitem, (self._list, len(self.things) - 1)
        if isinstance(thing, _AT_ONCE) and not (type(thing) is np.ndarray and thing.dtype.hasobject):
            self.things.append(copy.copy(thing))
            return _again, (self._list, len(self.things) - 1)
        return NotImplemented


def _again(things: list[Any], place: int) -> Any:
    return copy.copy(things[place])


_AT_ONCE = np.ndarray, array, Record, Swapped
_SAME = Shared, type, FunctionType  # the latter two would take the time of an import
