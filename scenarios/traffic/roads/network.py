"""Road networks with link performance functions, and the demand for trips between their zones.

Nodes are numbered from 0 and the first `zones` of them are the zones, where trips begin and end. A node below
`first_thru` (the first-thru-node rule of TNTP files) is a zone that no trip may pass through.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from lam_env.core.casts import narrow
from lam_env.core.errors import UserError

MAX_NODES = 10_000_000  # a larger number is a misprint, and would ask for all memory
NUMBERS = ("free_flow_time", "capacity", "b", "power", "length", "toll", "fixed")


class NetworkError(UserError):
    """A network or a demand that makes no sense."""


def _zero() -> np.ndarray:
    return np.zeros(1)


@dataclass(frozen=True, eq=False)
class RoadNetwork:
    """Links between nodes. A link takes free_flow_time * (1 + b * (flow / capacity) ** power) + fixed.

    Units are those of the source; those of the networks made here are given. All arrays have shape (links,) and are
    read-only; a single number stands for all links. Raises NetworkError.
    """

    name: str
    zones: int
    nodes: int
    tail: np.ndarray  # node where a link begins
    head: np.ndarray  # node where it ends
    free_flow_time: np.ndarray  # [min]
    capacity: np.ndarray  # [veh/h]
    b: np.ndarray  # >= 0
    power: np.ndarray  # 0 or >= 1
    length: np.ndarray = field(default_factory=_zero)  # [km]
    toll: np.ndarray = field(default_factory=_zero)  # money
    fixed: np.ndarray = field(default_factory=_zero)  # cost that does not depend on flow [min], such as a toll
    mode: tuple[str, ...] = ()  # mode of every link; empty: all are "car"
    first_thru: int = 0  # zones below it cannot be passed through
    xy: np.ndarray | None = None  # (nodes, 2) coordinates

    def __post_init__(self) -> None:
        if not 1 <= self.zones <= self.nodes <= MAX_NODES:
            self._refuse(f"{self.zones} zones of {self.nodes} nodes; give 1 <= zones <= nodes <= {MAX_NODES:,}")
        if not 0 <= self.first_thru <= self.zones:
            self._refuse(f"first through node {self.first_thru}; only zones (below {self.zones}) can be closed")
        n = len(np.atleast_1d(self.tail))
        for name in ("tail", "head", *NUMBERS):
            kind = np.int64 if name in ("tail", "head") else np.float64
            values = np.atleast_1d(getattr(self, name))
            if values.shape not in ((n,), (1,)):
                self._refuse(f"{name} has shape {values.shape}; give one number for each of the {n} links")
            column = np.broadcast_to(narrow(f"network {self.name!r}: {name}", values, kind, NetworkError), (n,)).copy()
            column.flags.writeable = False
            object.__setattr__(self, name, column)
        fault = first_fault(self.nodes, {name: getattr(self, name) for name in ("tail", "head", *NUMBERS)})
        if fault is not None:
            self._refuse(f"link {fault[0]} {fault[1]}")
        object.__setattr__(self, "mode", tuple(self.mode) or ("car",) * n)
        if len(self.mode) != n:
            self._refuse(f"{len(self.mode)} modes; give one for each of the {n} links")
        if self.xy is not None and np.shape(self.xy) != (self.nodes, 2):
            self._refuse(f"xy has shape {np.shape(self.xy)}; give ({self.nodes}, 2)")

    def _refuse(self, what: str) -> None:
        raise NetworkError(f"network {self.name!r}: {what}")

    @property
    def links(self) -> int:
        return len(self.tail)

    def only(self, mode: str) -> RoadNetwork:
        """The links of one mode, in their order."""
        of = np.array([m == mode for m in self.mode], bool)
        if not of.any():
            self._refuse(f"no links of mode {mode!r}; there are {', '.join(sorted(set(self.mode)))}")
        columns: dict[str, Any] = {name: getattr(self, name)[of] for name in ("tail", "head", *NUMBERS)}
        return replace(self, mode=(mode,) * int(of.sum()), **columns)


def first_fault(nodes: int, columns: Mapping[str, np.ndarray]) -> tuple[int, str] | None:
    """The first link (by index) that makes no sense, and why; columns as in `RoadNetwork`."""
    tail, head, power = columns["tail"], columns["head"], columns["power"]
    checks = [(f"has no node as its {end}: nodes are 0 to {nodes - 1}", end) for end in ("tail", "head")]
    wrong = {what: (columns[end] < 0) | (columns[end] >= nodes) for what, end in checks}
    wrong["starts and ends at the same node; remove it"] = tail == head
    for name in NUMBERS:
        wrong[f"has no finite {name}; correct it"] = ~np.isfinite(columns[name])
    wrong["has a capacity that is not positive; correct it"] = columns["capacity"] <= 0
    for name in ("free_flow_time", "b", "power", "length", "fixed"):
        wrong[f"has a negative {name}; correct it"] = columns[name] < 0
    # the slope at zero flow would be infinite
    wrong["has a power between 0 and 1; it must be 0 or at least 1"] = (power > 0) & (power < 1)
    faults = [(int(bad.argmax()), what) for what, bad in wrong.items() if bad.any()]
    return min(faults, key=lambda fault: fault[0]) if faults else None


@dataclass(frozen=True, eq=False)
class Demand:
    """Trips between pairs of different zones, each pair once, ordered by origin and destination. Arrays are read-only.

    Raises NetworkError.
    """

    origin: np.ndarray  # (pairs,) zone where the trips begin
    destination: np.ndarray  # (pairs,) zone where they end
    volume: np.ndarray  # (pairs,) [veh], above 0

    def __post_init__(self) -> None:
        origin, destination = (np.asarray(a, np.int64) for a in (self.origin, self.destination))
        volume = np.asarray(self.volume, np.float64)
        if not origin.shape == destination.shape == volume.shape == (len(origin),):
            raise NetworkError("demand: give as many origins as destinations and volumes")
        if not len(volume):
            raise NetworkError("demand: no trips between different zones; give at least one")
        if not (np.isfinite(volume) & (volume > 0)).all():
            raise NetworkError("demand: volumes must be positive and finite; leave out pairs without trips")
        if (origin == destination).any() or min(origin.min(), destination.min()) < 0:
            raise NetworkError("demand: trips lead from one zone to another; leave out those within a zone")
        order = np.lexsort((destination, origin))
        for name, column in (("origin", origin), ("destination", destination), ("volume", volume)):
            ordered = column[order]
            ordered.flags.writeable = False
            object.__setattr__(self, name, ordered)
        if len(order) > len(np.unique(np.stack([origin, destination]), axis=1)[0]):
            raise NetworkError("demand: a pair of zones is given twice; add up its volumes")

    @property
    def total(self) -> float:
        """All trips [veh]."""
        return float(self.volume.sum())

    def scaled(self, share: float) -> Demand:
        """The same pairs with `share` (> 0) of their volume."""
        return replace(self, volume=self.volume * share)
