"""Routes between zones: shortest ones, and sets of them as one sparse matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, vstack
from scipy.sparse.csgraph import dijkstra, yen

from .network import Demand, NetworkError, RoadNetwork


@dataclass(frozen=True, eq=False)
class Routes:
    """Routes of all pairs of a demand, ordered by pair; every pair has at least one."""

    pair: np.ndarray  # (routes,) index of the pair
    links: csr_array  # (routes, links) 1.0 where a route uses a link

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
    """A set with those of the shortest routes `best` that are cheaper than all it has, hence new; (len(routes),) the
    indices that its own have now."""
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
    """A network at link costs (links,), as scipy wants it: of parallel links the cheapest; closed zones only begin or
    end trips. NetworkError where the demand names zones that are not there."""

    def __init__(self, network: RoadNetwork, demand: Demand, cost: np.ndarray):
        last = max(demand.origin.max(), demand.destination.max())
        if last >= network.zones:
            zones = f"zones are 0 to {network.zones - 1}"
            raise NetworkError(f"network {network.name!r}: trips of zone {last}, but {zones}")
        # a closed zone z is split: links lead into z and out of nodes + z, and nothing joins the two
        tail, self.source = (
            np.where(node < network.first_thru, network.nodes + node, node) for node in (network.tail, demand.origin)
        )
        self.network, self.demand, self.size = network, demand, network.nodes + network.first_thru
        key = tail * self.size + network.head
        order = np.lexsort((cost, key))
        self.keys, at = np.unique(key[order], return_index=True)
        self.link = order[at]
        ends = (tail[self.link].astype(np.int32), network.head[self.link].astype(np.int32))  # yen takes no other
        self.matrix = csr_array((cost[self.link], ends), shape=(self.size, self.size))

    def between(self, node: np.ndarray, then: np.ndarray) -> np.ndarray:
        """The link from each node to the one after it."""
        return self.link[np.searchsorted(self.keys, node * self.size + then)]

    def unreachable(self, pair: int) -> NetworkError:
        trips = self.demand
        where = f"{trips.volume[pair]:g} trips from zone {trips.origin[pair]} to zone {trips.destination[pair]}"
        said = f"network {self.network.name!r}: {where}, but no way there"
        return NetworkError(f"{said}; add links or leave the trips out")


def least_cost(network: RoadNetwork, demand: Demand, cost: np.ndarray) -> np.ndarray:
    """(pairs,) cost of the shortest route at link costs (links,); infinite where there is no way."""
    graph = _Graph(network, demand, cost)
    sources, row = np.unique(graph.source, return_inverse=True)
    return dijkstra(graph.matrix, indices=sources)[row, demand.destination]


def shortest(network: RoadNetwork, demand: Demand, cost: np.ndarray) -> Routes:
    """The cheapest route of every pair at link costs (links,) that are not negative: Dijkstra's algorithm.

    Raises NetworkError for trips between zones that are not connected.
    """
    graph = _Graph(network, demand, cost)
    sources, row = np.unique(graph.source, return_inverse=True)
    distance, before = dijkstra(graph.matrix, indices=sources, return_predecessors=True)
    lost = np.isinf(distance[row, demand.destination])
    if lost.any():
        raise graph.unreachable(int(lost.argmax()))
    # all pairs walk back from their destinations at once, a link at a time
    node, walking = demand.destination.copy(), np.arange(len(row))
    walked: list[tuple[np.ndarray, np.ndarray]] = []
    while len(walking):
        previous = before[row[walking], node[walking]]
        walked.append((walking, graph.between(previous, node[walking])))
        node[walking] = previous
        walking = walking[previous != graph.source[walking]]
    pair, link = (np.concatenate(part).astype(np.int32) for part in zip(*walked, strict=True))  # half the memory
    links = csr_array((np.ones(len(link)), (pair, link)), shape=(len(row), network.links))
    return Routes(np.arange(len(row)), links)


def k_shortest(network: RoadNetwork, demand: Demand, cost: np.ndarray, k: int) -> Routes:
    """Up to k cheapest loopless routes of every pair, by cost (Yen, Management Science 17, 1971, 712-716).

    Raises NetworkError for trips between zones that are not connected.
    """
    graph = _Graph(network, demand, cost)
    ways: list[np.ndarray] = []  # links of each route
    pairs: list[int] = []
    for pair, (source, sink) in enumerate(zip(graph.source.tolist(), demand.destination.tolist(), strict=True)):
        distance, before = yen(graph.matrix, source, sink, k, return_predecessors=True)
        if not len(distance):
            raise graph.unreachable(pair)
        for previous in before[: len(distance)]:
            nodes: list[int] = [sink]
            while nodes[-1] != source:
                nodes.append(int(previous[nodes[-1]]))
            way = np.array(nodes[::-1], np.int64)
            ways.append(graph.between(way[:-1], way[1:]))
            pairs.append(pair)
    route, link = np.repeat(np.arange(len(ways)), list(map(len, ways))), np.concatenate(ways)
    return Routes(np.array(pairs), csr_array((np.ones(len(link)), (route, link)), shape=(len(ways), network.links)))
