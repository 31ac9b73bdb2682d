"""Shifts of flow between the routes of every pair that lower Beckmann's objective, for all pairs at once.

Two steps in turn. Gradient projection moves flow from each route to its pair's cheapest, as far as the two routes alone
would equalise (Jayakrishnan, Tsai, Prashker and Rajadhyaksha, Transportation Research Record 1443, 1994); it soon
empties what will not be used. A projected Newton step (Bertsekas, SIAM J. Control and Optimization 20, 1982, 221-246)
on the other routes sees that pairs share links, and makes the end quick. Both end with an exact line search.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq
from scipy.sparse import csr_array
from scipy.sparse.linalg import LinearOperator, cg

from ..roads import cost as performance
from ..roads.network import RoadNetwork
from ..roads.routes import Routes

# How exactly Newton's equations are solved: the line search makes any answer a descent, a better one costs too much.
TOLERANCE, MOST = 1e-3, 30
DAMPING = 1e-10  # of the curvature: routes may be combinations of others, and the equations singular


def shifted_flow(
    network: RoadNetwork, routes: Routes, route_flow: np.ndarray, others: np.ndarray, newton: bool = False
) -> np.ndarray:
    """(routes,) flows after one step from `route_flow`; `others` (links,) is flow that does not move [veh/h]."""
    flow = routes.flow(route_flow) + others
    route_cost = routes.cost(performance.link_cost(network, flow))
    slope = performance.slope(network, flow)
    best = routes.cheapest(route_cost)[routes.pair]
    excess = route_cost - route_cost[best]
    detour = routes.links - routes.links[best]  # 1 on links that only the route has, -1 on those only the best has
    curvature = abs(detour) @ slope  # second derivative of a shift to the best route
    with np.errstate(over="ignore", invalid="ignore"):  # almost flat: too much is asked for, or Newton has no answer
        simple_step = np.divide(excess, curvature, out=np.where(excess > 0, np.inf, 0.0), where=curvature > 0)
        leaving = np.minimum(simple_step, route_flow)
        if newton:
            leaving = _coupled(detour, slope, curvature, excess, route_flow, best, simple_step)
    direction = -(detour.T @ leaving)

    def descent(step: float) -> float:
        """Derivative of the objective along the direction."""
        return float(performance.link_cost(network, np.maximum(flow + step * direction, 0)) @ direction)

    if descent(0.0) >= 0:
        return route_flow  # nothing to gain, or Newton's step is no descent (the next one will be)
    step = 1.0 if descent(1.0) <= 0 else brentq(descent, 0.0, 1.0)
    change = np.bincount(best, leaving, len(routes)) - leaving
    return np.maximum(route_flow + step * change, 0)


def _coupled(
    detour: csr_array,
    slope: np.ndarray,
    curvature: np.ndarray,
    excess: np.ndarray,
    route_flow: np.ndarray,
    best: np.ndarray,
    simple_step: np.ndarray,
) -> np.ndarray:
    """(routes,) flow that leaves each route for the best one, or comes from it (negative), by Newton's equations.

    Routes that gradient projection would empty are emptied, and the equations are those of the others given that.
    """
    alone = np.minimum(simple_step, route_flow)
    free = np.flatnonzero((simple_step < route_flow) & (curvature > 0))
    if not len(free):
        return alone
    leaving = np.where(simple_step >= route_flow, route_flow, 0.0)
    rows = detour[free]
    columns = rows.T.tocsr()
    scale = curvature[free]
    size = (len(free), len(free))
    second = LinearOperator(size, lambda x: rows @ (slope * (columns @ x)) + DAMPING * scale * x, dtype=float)
    first = excess[free] - rows @ (slope * (detour.T @ leaving))
    answer, _ = cg(
        second, first, rtol=TOLERANCE, maxiter=MOST, M=LinearOperator(size, lambda x: x / scale, dtype=float)
    )
    leaving[free] = np.minimum(answer, route_flow[free])
    # a pair whose best route cannot give so much takes the simple step
    short = (route_flow + np.bincount(best, leaving, len(best)))[best] < 0
    return np.where(short, alone, leaving)
