"""Routes between zones: shortest ones, and sets of them as one sparse matrix."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array, vstack
from scipy.sparse.csgraph import dijkstra, yen

from .network import Demand, NetworkError, RoadNetwork


@dataclass(frozen=True, eq=False)
class Routes:
    """Routes of all pairs of a demand, ordered by pair; every pair has at least one.

    `pair`: (routes,) index of the pair. `links`: sparse (routes, links), 1.0 where a route uses a link.
    """

    pair: np.ndarray
    links: csr_array

    def __len__(self) -> int:
        return len(self.pair)

    @property
    def first(self) -> np.ndarray:
        """(pairs,) index of every pair's first route."""
        return np.flatnonzero(np.diff(self.pair, prepend=-1))

    def cost(self, link_cost: np.ndarray) -> np.ndarray:
        """(routes,) of link costs (links,)."""
        return self.links @ link_cost

    def flow(self, route_flow: np.ndarray) -> np.ndarray:
        """(links,) of route flows (routes,)."""
        return self.links.T @ route_flow

    def cheapest(self, route_cost: np.ndarray) -> np.ndarray:
        """(pairs,) index of every pair's cheapest route; the first of equals."""
        lowest = np.minimum.reduceat(route_cost, self.first)
        hits = np.flatnonzero(route_cost == lowest[self.pair])
        return hits[np.flatnonzero(np.diff(self.pair[hits], prepend=-1))]

    def select(self, chosen: np.ndarray) -> Routes:
        """Those of a mask or of ascending indices (routes,)."""
        return Routes(self.pair[chosen], self.links[chosen])

    def of_route(self, route: int) -> list[int]:
        """The links of one route, ascending (not in the order of driving)."""
        return sorted(self.links.indices[self.links.indptr[route] : self.links.indptr[route + 1]].tolist())


def with_cheaper(routes: Routes, best: Routes, link_cost: np.ndarray) -> tuple[Routes, np.ndarray]:
    """A set with those of the shortest routes `best` that are cheaper than all it has, hence new; and where its own went."""
    known = np.minimum.reduceat(routes.cost(link_cost), routes.first)
    new = best.select(best.cost(link_cost) < known)
    if not len(new):
        return routes, np.arange(len(routes))
    pair = np.concatenate([routes.pair, new.pair])
    order = np.argsort(pair, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return Routes(pair[order], vstack([routes.links, new.links], format="csr")[order]), place[: len(routes)]


class _Graph:
    """A network at given costs, as scipy wants it: of parallel links the cheapest; closed zones only begin or end trips."""

    def __init__(self, network: RoadNetwork, cost: np.ndarray):
        # a closed zone z is split: links lead into z and out of nodes + z, and nothing joins the two
        closed = network.tail < network.first_thru
        tail = np.where(closed, network.nodes + network.tail, network.tail)
        self.network, self.size = network, network.nodes + network.first_thru
        key = tail * self.size + network.head
        order = np.lexsort((cost, key))
        self.keys, at = np.unique(key[order], return_index=True)
        self.link = order[at]
        ends = (tail[self.link].astype(np.int32), network.head[self.link].astype(np.int32))  # yen takes no other
        self.matrix = csr_array((cost[self.link], ends), shape=(self.size, self.size))

    def source(self, zone: np.ndarray) -> np.ndarray:
        return np.where(zone < self.network.first_thru, self.network.nodes + zone, zone)

    def between(self, node: np.ndarray, then: np.ndarray) -> np.ndarray:
        """The link from each node to the one after it."""
        return self.link[np.searchsorted(self.keys, node * self.size + then)]

    def unreachable(self, demand: Demand, pair: int) -> NetworkError:
        origin, destination, volume = (a[pair] for a in (demand.origin, demand.destination, demand.volume))
        return NetworkError(
            f"network {self.network.name!r}: {volume:g} trips from zone {origin} to zone {destination}, but no way there; "
            "add links or leave the trips out"
        )


def least_cost(network: RoadNetwork, demand: Demand, cost: np.ndarray) -> np.ndarray:
    """(pairs,) cost of the shortest route at link costs (links,); infinite where there is no way."""
    _check_zones(network, demand)
    graph = _Graph(network, cost)
    origins, row = np.unique(demand.origin, return_inverse=True)
    return dijkstra(graph.matrix, indices=graph.source(origins))[row, demand.destination]


def shortest(network: RoadNetwork, demand: Demand, cost: np.ndarray) -> Routes:
    """The cheapest route of every pair at link costs (links,) that are not negative: Dijkstra's algorithm.

    Raises NetworkError for trips between zones that are not connected.
    """
    _check_zones(network, demand)
    graph = _Graph(network, cost)
    origins, row = np.unique(demand.origin, return_inverse=True)
    distance, before = dijkstra(graph.matrix, indices=graph.source(origins), return_predecessors=True)
    lost = np.isinf(distance[row, demand.destination])
    if lost.any():
        raise graph.unreachable(demand, int(lost.argmax()))
    # all pairs walk back from their destinations at once, a link at a time
    source, node, walking = graph.source(demand.origin), demand.destination.copy(), np.arange(len(row))
    walked: list[tuple[np.ndarray, np.ndarray]] = []
    while len(walking):
        previous = before[row[walking], node[walking]]
        walked.append((walking, graph.between(previous, node[walking])))
        node[walking] = previous
        walking = walking[previous != source[walking]]
    pair, link = (np.concatenate(part).astype(np.int32) for part in zip(*walked, strict=True))  # half the memory
    links = csr_array((np.ones(len(link)), (pair, link)), shape=(len(row), network.links))
    return Routes(np.arange(len(row)), links)


def k_shortest(network: RoadNetwork, demand: Demand, cost: np.ndarray, k: int) -> Routes:
    """Up to k cheapest loopless routes of every pair, by cost (Yen, Management Science 17, 1971, 712-716).

    Raises NetworkError for trips between zones that are not connected.
    """
    _check_zones(network, demand)
    graph = _Graph(network, cost)
    rows: list[tuple[int, list[int]]] = []
    for pair, source in enumerate(graph.source(demand.origin).tolist()):
        found = list(_yen(graph, source, int(demand.destination[pair]), k))
        if not found:
            raise graph.unreachable(demand, pair)
        rows.extend((pair, links) for links in found)
    route = np.repeat(np.arange(len(rows)), [len(links) for _, links in rows])
    link = np.concatenate([links for _, links in rows])
    matrix = csr_array((np.ones(len(link)), (route, link)), shape=(len(rows), network.links))
    return Routes(np.array([pair for pair, _ in rows]), matrix)


def _yen(graph: _Graph, source: int, sink: int, k: int) -> Iterator[list[int]]:
    distance, before = yen(graph.matrix, source, sink, k, return_predecessors=True)
    for previous in before[: len(distance)]:
        nodes: list[Any] = [sink]
        while nodes[-1] != source:
            nodes.append(previous[nodes[-1]])
        way = np.array(nodes[::-1], np.int64)
        yield graph.between(way[:-1], way[1:]).tolist()


def _check_zones(network: RoadNetwork, demand: Demand) -> None:
    last = max(demand.origin.max(), demand.destination.max())
    if last >= network.zones:
        raise NetworkError(f"network {network.name!r}: trips of zone {last}, but zones are 0 to {network.zones - 1}")
