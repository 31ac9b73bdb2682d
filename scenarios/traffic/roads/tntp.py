"""Reader of TNTP files, the format of Transportation Networks for Research
(github.com/bstabler/TransportationNetworks).

A network file has lines `<KEY> value`, then a link a line, ended by `;`: tail, head, capacity, length, free-flow time,
B, power, speed, toll, type. A trips file has `Origin o`, then `destination : trips;`. `~` begins a comment. Files may
be gzipped. Nodes are numbered from 1 there and from 0 here. What makes no sense raises a TntpError of one line.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import numpy as np

from lam_env.core.events import LogError
from lam_env.logs.input.files import read_lines

from .cost import link_cost
from .network import MAX_NODES, Demand, NetworkError, RoadNetwork, first_fault
from .routes import least_cost

COLUMNS = ("tail", "head", "capacity", "length", "free_flow_time", "b", "power", "speed", "toll", "type")
TOTAL = 0.01  # by so much a table's sum may differ from the total it states: published ones are rounded


class TntpError(NetworkError):
    """A TNTP file that cannot be used; says which, where, and what to do."""


class _File:
    """Lines of one file without comments: (number, text), the metadata first."""

    def __init__(self, path: str | Path):
        self.path = Path(path)
        if not self.path.is_file():
            raise TntpError(f"{self.path}: no such file; give the path of a .tntp or .tntp.gz file")

    def fail(self, line: int | None, what: str) -> NoReturn:
        raise TntpError(f"{self.path.name}{'' if line is None else f', line {line}'}: {what}")

    def read(self) -> Iterator[tuple[int, str]]:
        empty = True
        try:
            for number, text in read_lines(self.path):
                empty = empty and not text.strip()
                # the header of the columns is metadata that looks like a comment
                text = text.partition("~")[0].strip()
                if text:
                    yield number, text
        except LogError as error:
            raise TntpError(str(error)) from None
        if empty:
            self.fail(None, "the file is empty; copy it again")

    def with_metadata(self, *needed: str) -> tuple[dict[str, float], Iterator[tuple[int, str]]]:
        """The values of the keys needed, and the lines after the metadata."""
        rest = self.read()
        values: dict[str, float] = {}
        for number, text in rest:
            key, bracket, value = text.removeprefix("<").partition(">")
            key = key.strip().upper()
            if not text.startswith("<") or not bracket:
                self.fail(number, f"{text[:40]!r} before <END OF METADATA>; write it after the metadata")
            if key == "END OF METADATA":
                break
            if key in needed:
                values[key] = self.number(number, value.strip(), f"<{key}>")
        else:
            self.fail(None, "no line <END OF METADATA>; the file is cut short, or no TNTP file")
        missing = [key for key in needed if key not in values]
        if missing:
            self.fail(None, f"the metadata lack <{missing[0]}>; add it before <END OF METADATA>")
        return values, rest

    def number(self, line: int, text: str, what: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            self.fail(line, f"{what} is {text[:40]!r}; write a finite number")
        return value

    def count(self, line: int | None, value: float, what: str, low: int, high: int) -> int:
        if value != int(value) or not low <= value <= high:
            self.fail(line, f"{what} is {value:g}; it must be a whole number from {low:,} to {high:,}")
        return int(value)

    def row(self, line: int, text: str, names: tuple[str, ...]) -> list[float]:
        """The numbers of a line that has one for each of `names`."""
        cells = text.removesuffix(";").split()
        if len(cells) != len(names):
            columns = f"{len(names)} ({', '.join(names)})"
            self.fail(line, f"{len(cells)} columns instead of {columns}; is the line cut short?")
        return [self.number(line, cell, name) for cell, name in zip(cells, names, strict=True)]


def read_network(path: str | Path) -> RoadNetwork:
    """The network of a *_net.tntp file. Tolls and lengths cost nothing: `RoadNetwork.fixed` is 0."""
    file = _File(path)
    keys = ("NUMBER OF ZONES", "NUMBER OF NODES", "FIRST THRU NODE", "NUMBER OF LINKS")
    values, rest = file.with_metadata(*keys)
    nodes = file.count(None, values[keys[1]], f"<{keys[1]}>", 1, MAX_NODES)
    zones = file.count(None, values[keys[0]], f"<{keys[0]}>", 1, nodes)
    first_thru = file.count(None, values[keys[2]], f"<{keys[2]}>", 1, zones + 1) - 1
    links = file.count(None, values[keys[3]], f"<{keys[3]}>", 1, 100 * MAX_NODES)
    rows: list[list[float]] = []
    where: list[int] = []
    for line, text in rest:
        if not text.endswith(";"):
            file.fail(line, "the link does not end with ';'; the line is cut short")
        row = file.row(line, text, COLUMNS)
        for end, value in zip(COLUMNS[:2], row, strict=False):
            file.count(line, value, f"the {end} node", 1, nodes)
        rows.append(row)
        where.append(line)
    if len(rows) != links:
        file.fail(None, f"{len(rows)} links, but <{keys[3]}> is {links}; the file is cut short or the number wrong")
    columns = dict(zip(COLUMNS, np.array(rows).T, strict=True))
    columns["tail"], columns["head"] = columns["tail"] - 1, columns["head"] - 1
    columns["fixed"] = np.zeros(links)
    fault = first_fault(nodes, columns)
    if fault is not None:
        file.fail(where[fault[0]], f"the link {fault[1]}")
    del columns["speed"], columns["type"]
    return RoadNetwork(file.path.name.partition("_net")[0], zones, nodes, first_thru=first_thru, **columns)


def read_trips(path: str | Path, network: RoadNetwork | None = None) -> Demand:
    """The trips of a *_trips.tntp file, without those within a zone.

    With a `network` the zones must be the same in number, and there must be a way for all trips.
    """
    file = _File(path)
    values, rest = file.with_metadata("NUMBER OF ZONES", "TOTAL OD FLOW")
    zones = file.count(None, values["NUMBER OF ZONES"], "<NUMBER OF ZONES>", 1, MAX_NODES)
    if network is not None and zones != network.zones:
        said = f"{zones} zones, but network {network.name!r} has {network.zones}; give the files of one network"
        file.fail(None, said)
    trips: dict[tuple[int, int], tuple[float, int]] = {}
    origin = 0
    for line, text in rest:
        if text.lower().startswith("origin"):
            origin = file.count(line, file.number(line, text[6:].strip(), "the origin"), "the origin", 1, zones)
            continue
        if not origin:
            file.fail(line, f"{text[:40]!r} before the first 'Origin'; is this a trips file?")
        *entries, rest_of_line = text.split(";")
        if rest_of_line.strip():
            file.fail(line, f"{rest_of_line.strip()[:40]!r} does not end with ';'; the line is cut short")
        for entry in filter(str.strip, entries):
            to, _, volume = entry.partition(":")
            destination = file.count(line, file.number(line, to.strip(), "a destination"), "a destination", 1, zones)
            number = file.number(line, volume.strip(), f"the trips to {destination}")
            if number < 0:
                file.fail(line, f"{number:g} trips from {origin} to {destination}; they must not be negative")
            if (origin, destination) in trips:
                file.fail(line, f"the trips from {origin} to {destination} are given twice; remove one")
            trips[origin, destination] = number, line
    stated, total = values["TOTAL OD FLOW"], sum(number for number, _ in trips.values())
    if abs(total - stated) > TOTAL * abs(stated):
        said = f"{total:g} trips, but <TOTAL OD FLOW> is {stated:g}; the file is cut short or the number wrong"
        file.fail(None, said)
    between = {(o - 1, d - 1): v for (o, d), v in trips.items() if v[0] > 0 and o != d}
    if not between:
        file.fail(None, "no trips between different zones; is this the right file?")
    origins, destinations = np.array(list(between)).T
    demand = Demand(origins, destinations, np.array([number for number, _ in between.values()]))
    if network is not None:
        lost = np.isinf(least_cost(network, demand, link_cost(network, np.zeros(network.links))))
        for o, d in zip(demand.origin[lost].tolist(), demand.destination[lost].tolist(), strict=True):
            number, line = between[o, d]
            where = f"{number:g} trips from {o + 1} to {d + 1}, but network {network.name!r} has no way there"
            file.fail(line, f"{where}; add links or leave the trips out")
    return demand


def read_nodes(path: str | Path, network: RoadNetwork) -> np.ndarray:
    """(nodes, 2) coordinates of a *_node.tntp file: Node, X, Y. Use: dataclasses.replace(network, xy=...)."""
    file = _File(path)
    xy = np.full((network.nodes, 2), np.nan)
    for number, (line, text) in enumerate(file.read()):
        if number == 0 and text.lower().startswith("node"):
            continue
        node, x, y = file.row(line, text, ("node", "x", "y"))
        xy[file.count(line, node, "the node", 1, network.nodes) - 1] = x, y
    missing = np.flatnonzero(np.isnan(xy[:, 0]))
    if len(missing):
        file.fail(None, f"no line for node {missing[0] + 1}; the file is cut short")
    return xy
