"""What copies of a world need not copy: things that never change.

A copied world goes on as the first one would. `copy.deepcopy` of it is cheap if what never changes says so here.
"""

from __future__ import annotations

import copy
from typing import Self, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Shared:
    """Never changes once it is made: a copy of whoever holds it holds the same one."""

    __slots__ = ()

    def __deepcopy__(self, memo: object) -> Self:
        return self


class Swapped:
    """Has parts in whose place others come, and none of which ever changes: its copy has the same ones at first."""

    __slots__ = ()

    def __deepcopy__(self, memo: object) -> Self:
        return copy.copy(self)


class Fixed(Shared, dict[K, V]):
    """A dictionary that nobody writes to any more, nor to what it holds."""

    __slots__ = ()


class Record(list[V]):
    """A list of things that never change, though others come and go: its copy holds the same ones."""

    __slots__ = ()

    def __copy__(self) -> Record[V]:
        return Record(self)

    def __deepcopy__(self, memo: object) -> Record[V]:
        return Record(self)
