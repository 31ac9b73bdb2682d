"""How sessions end and players leave, by maximal likelihood: one random effect a player, integrated out by
Gauss-Hermite quadrature (Butler and Moffitt, Econometrica 50, 1982)."""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logsumexp

from lam_env.core.units import DAY, HOUR
from lam_env.logs.play.sessions import Sessions

SILENT = 30.0  # [days] before the log's end: who plays in them has not left yet
NODES = 15  # of the quadrature
PRIOR = 0.01  # precision of a Gaussian prior on all parameters: holds what a small log does not tell


def unseen(cut: Sessions, end: int) -> np.ndarray:
    """(s,) for how many returns a session that was followed by one stands: a gap is seen only if the log goes on for as
    long.

    1 / the share of sessions from whose end on the log lasts longer than the gap (Horvitz and Thompson, 1952), at most
    5; 1 where nobody returned."""
    rest = np.sort(end - cut.last) / HOUR
    gap = np.nan_to_num(cut.gap)
    share = 1 - np.searchsorted(rest, gap, side="left") / len(rest)
    return np.where(np.isnan(cut.gap), 1.0, 1 / np.maximum(share, 0.2))


def coming_and_going(
    cut: Sessions, end: int, weight: np.ndarray
) -> tuple[tuple[float, float, float], tuple[float, float, float, float]]:
    """(a, b, s) of the sessions' ends and (c, d, e, f) of leaving, as in `PlayTables`. weight (s,): of each return.

    A last session in the log's last days is not known to be final, and does not speak of leaving."""
    final = np.isnan(cut.gap)
    known = ~final | (end - cut.last >= SILENT * DAY)
    if not (final & known).any():
        known = np.ones(len(final), bool)
    counted = np.where(known, weight, 0.0)
    returns, gone = counted[~final].sum(), counted[final].sum()
    if (final & known).any() and returns > 0:  # returns that the log's end hides are among those who seem gone
        counted[final] *= max(0.1, (known.sum() - returns) / gone)
    longest = int(cut.plays.max())
    logs = np.log(np.arange(1, longest + 1))
    x = np.stack([np.ones(len(final)), np.log(cut.number), np.log(cut.plays)], 1)
    sign = np.where(final, 1.0, -1.0)
    node, mass = np.polynomial.hermite_e.hermegauss(NODES)
    mass = mass / mass.sum()
    _, who = np.unique(cut.player, return_inverse=True)
    players = int(who.max()) + 1

    def loss(p: np.ndarray) -> tuple[float, np.ndarray]:
        a, b, log_s, *w, f = p
        s = math.exp(log_s)
        eta = a + b * logs[:, None] + s * node  # (longest, nodes)
        on = np.vstack([np.zeros(NODES), np.cumsum(log_expit(-eta), 0)[:-1]])
        z = (x @ np.array(w))[:, None] + f * node  # (sessions, nodes)
        session = (on + log_expit(eta))[cut.plays - 1] + counted[:, None] * log_expit(sign[:, None] * z)
        player = np.stack([np.bincount(who, session[:, k], players) for k in range(NODES)], 1)
        total = logsumexp(player, axis=1, b=mass)
        post = (mass * np.exp(player - total[:, None]))[who]  # (sessions, nodes): where each player's effect lies
        ended = np.stack([np.bincount(cut.plays - 1, post[:, k], longest) for k in range(NODES)], 1)
        reached = np.cumsum(ended[::-1], 0)[::-1]
        of_eta = ended - reached * expit(eta)
        of_z = post * (counted * sign)[:, None] * expit(-sign[:, None] * z)
        gradient = [of_eta.sum(), (of_eta * logs[:, None]).sum(), (of_eta * node).sum() * s]
        gradient += [*(x.T @ of_z.sum(1)), (of_z * node).sum()]
        value = -total.sum() + PRIOR / 2 * p @ p
        return float(value) / players, (-np.array(gradient) + PRIOR * p) / players

    bounds = [(-10, 10), (-5, 5), (-4, 2), (-15, 15), (-5, 5), (-5, 5), (-5, 5)]
    start = np.array([0.0, -0.5, -1.0, 0.0, 0.0, 0.0, 0.0])
    a, b, log_s, c, d, e, f = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x.tolist()
    return (a, b, math.exp(log_s)), (c, d, e, f)
