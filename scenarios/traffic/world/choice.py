"""Discrete choice: multinomial and nested logit up to three levels, log-sums, sampling, and inertia.

Utilities are in units of the logit error (scale 1 at the top). An alternative that is not available has utility -inf. Choices are
pure functions of a uniform number, in the fixed order of the alternatives, so that paired worlds stay paired.
Ben-Akiva and Lerman (1985), Discrete Choice Analysis; Train (2009), Discrete Choice Methods with Simulation, chapters 3 and 4.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import numpy as np

from lam_env.core.errors import UserError

_LOWEST = -1e308
_WRONG = "choice: utilities must be numbers below infinity, and at least one alternative available (not -inf)"


def logit(utilities: np.ndarray) -> np.ndarray:
    """Multinomial logit: choice probabilities, shape (..., J) like the utilities. UserError where nothing is available."""
    v = np.asarray(utilities, float)
    return _shares(v, _best(v))


def _shares(v: np.ndarray, best: np.ndarray) -> np.ndarray:
    weights = np.exp(v - best)
    weights /= weights.sum(-1, keepdims=True)
    return weights


def logsum(utilities: np.ndarray, scale: float = 1.0) -> np.ndarray:
    """Expected greatest utility (but for a constant) `log(sum(exp(scale * utilities))) / scale`, shape (...) from (..., J)."""
    v = np.asarray(utilities, float)
    best = _best(v)
    return best[..., 0] + np.log(np.exp(scale * (v - best)).sum(-1)) / scale


def _best(v: np.ndarray) -> np.ndarray:
    """The greatest utility, shape (..., 1)."""
    if not v.shape or not v.shape[-1]:
        raise UserError("choice: there must be at least one alternative")
    best = v.max(-1, keepdims=True)
    if not np.isfinite(best).all():
        raise UserError(_WRONG)
    return best


def sample_choice(probabilities: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Index of the alternative chosen with each uniform number in [0, 1]: shapes (..., J) and (...) give (...).

    The first alternative whose cumulative probability exceeds the uniform number; never one of probability 0.
    """
    p = np.asarray(probabilities, float)
    cumulative = p.cumsum(-1)
    # the sum may end just below 1: scaled by it, some cumulative probability is always greater
    chosen = cumulative <= (np.asarray(uniform, float) * cumulative[..., -1])[..., None]
    return np.minimum(chosen.sum(-1), p.shape[-1] - 1 - (p[..., ::-1] > 0).argmax(-1))


def inertia(alternatives: Sequence[Sequence[Hashable]], strengths: Sequence[float]) -> np.ndarray:
    """What habit adds to utilities, shape (J, J): row i for a person who chose alternative i last time.

    `strengths[k]` is added for each alternative that is the same down to level k (the same mode; mode and slot; ...).
    """
    depth = _depth(alternatives)
    if len(strengths) != depth:
        raise UserError(f"choice: inertia needs one strength for each of {depth} levels, not {len(strengths)}")
    table = np.zeros((len(alternatives), len(alternatives)))
    for k, strength in enumerate(strengths):
        heads = [tuple(a[: k + 1]) for a in alternatives]
        table += strength * np.array([[a == b for b in heads] for a in heads])
    return table


def _depth(alternatives: Sequence[Sequence[Hashable]]) -> int:
    depths = {len(a) for a in alternatives}
    if len(depths) != 1 or not depths <= {1, 2, 3}:
        raise UserError("choice: alternatives must be names of one, two or three levels, all of the same")
    if len({tuple(a) for a in alternatives}) < len(alternatives):
        raise UserError("choice: an alternative is named twice")
    return depths.pop()


class NestedLogit:
    """Nested logit over alternatives named by level, such as (mode, departure slot, route).

    The alternatives of a nest must stand next to one another. `scales` holds, for each level below the top, the scale mu of its nests: a
    number, or one for each nest in order. With scales that are at least 1 and never fall on the way down, choice is utility
    maximisation (McFadden 1978); with scales of 1 it is multinomial logit.
    """

    def __init__(self, alternatives: Sequence[Sequence[Hashable]], scales: Sequence[float | Sequence[float]] = ()):
        depth = _depth(alternatives)
        if len(scales) != depth - 1:
            raise UserError(f"choice: {depth} levels need {depth - 1} scales, not {len(scales)}")
        self.n = len(alternatives)
        # at each level, from the bottom: where each nest begins among the nodes below, and its scale
        self._starts: list[np.ndarray] = []
        self._nest: list[np.ndarray] = []  # of each node below, the index of its nest, and that nest's scale
        self._each_mu: list[np.ndarray] = []
        self._sizes: list[np.ndarray] = []
        self._scales: list[np.ndarray] = []
        nodes = [tuple(a) for a in alternatives]
        for level in range(depth - 1, 0, -1):
            heads = [node[:level] for node in nodes]
            starts = [i for i, head in enumerate(heads) if not i or head != heads[i - 1]]
            nests = [heads[i] for i in starts]
            if len(set(nests)) < len(nests):
                raise UserError("choice: the alternatives of a nest must stand next to one another")
            given = np.asarray(scales[level - 1], float)
            if given.shape not in ((), (len(nests),)):
                raise UserError(f"choice: level {level} has {len(nests)} nests; give one scale or as many as nests")
            mu = np.broadcast_to(given, len(nests))
            if not (np.isfinite(mu) & (mu >= 1)).all():
                raise UserError(f"choice: scales must be at least 1, not {mu.min()}")
            if self._scales and (np.repeat(mu, np.diff([*starts, len(nodes)])) > self._scales[-1]).any():
                raise UserError("choice: a nest's scale must not be below that of the nest it lies in")
            self._starts.append(np.array(starts))
            self._sizes.append(np.diff([*starts, len(nodes)]))
            self._nest.append(np.repeat(np.arange(len(nests)), self._sizes[-1]))
            self._scales.append(mu)
            self._each_mu.append(mu[self._nest[-1]])
            nodes = nests
        # for one traveller: each alternative's scale; at each level where nests begin and end, and the power that leads up
        bottom = [*self._scales, np.ones(1)]
        self._mu: list[float] = np.repeat(bottom[0], self._sizes[0]).tolist() if self._sizes else [1.0] * self.n
        above = [np.repeat(m, s) for m, s in zip(self._scales[1:], self._sizes[1:], strict=True)] + [np.ones(1)]
        self._plan: list[tuple[list[tuple[int, int]], list[float]]] = [
            (
                list(zip(starts.tolist(), (starts + sizes).tolist(), strict=True)),
                np.broadcast_to(up / mu, mu.shape).tolist(),
            )
            for starts, sizes, mu, up in zip(self._starts, self._sizes, self._scales, above, strict=False)
        ]

    def probabilities(self, utilities: np.ndarray) -> np.ndarray:
        """Choice probabilities, shape (..., J) like the utilities."""
        v = self._checked(utilities)
        within, top = self._up(v)
        p = _shares(top, top.max(-1, keepdims=True))
        for conditional, nest in zip(reversed(within), reversed(self._nest), strict=True):
            p = p.take(nest, -1) * conditional
        return p

    def logsum(self, utilities: np.ndarray) -> np.ndarray:
        """Expected greatest utility (but for a constant), shape (...) from (..., J)."""
        return logsum(self._up(self._checked(utilities))[1])

    def _checked(self, utilities: np.ndarray) -> np.ndarray:
        v = np.asarray(utilities, float)
        if not v.shape or v.shape[-1] != self.n:
            raise UserError(f"choice: utilities must have shape (..., {self.n}), not {v.shape}")
        _best(v)
        return v

    def _up(self, v: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
        """Probabilities within the nests, from the bottom level, and the inclusive values at the top."""
        within = []
        with np.errstate(divide="ignore"):  # log(0): the nest is not available
            for starts, nest, mu, each_mu in zip(self._starts, self._nest, self._scales, self._each_mu, strict=True):
                best = np.maximum.reduceat(v, starts, -1)
                np.maximum(best, _LOWEST, out=best)  # of a nest without an available alternative
                weights = v - best.take(nest, -1)
                weights *= each_mu
                np.exp(weights, out=weights)
                total = np.add.reduceat(weights, starts, -1)  # at least 1, or 0
                weights /= np.maximum(total, 1.0).take(nest, -1)
                within.append(weights)
                v = np.log(total)
                v /= mu
                v += best
        return within, v

    def choose(self, utilities: Sequence[float], uniform: float) -> int:
        """The alternative one person chooses with this uniform number in [0, 1]: `sample_choice` of `probabilities`, several times faster.

        In the form of McFadden's generating function, where one power leads from a nest's sum to its weight in the nest above.
        """
        best = max(utilities)
        exp = math.exp
        weights = [exp(mu * (v - best)) for mu, v in zip(self._mu, utilities, strict=True)]
        levels = []
        for bounds, powers in self._plan:
            sums = [sum(weights[start:end]) for start, end in bounds]
            levels.append((bounds, weights))
            weights = [total**power for total, power in zip(sums, powers, strict=True)]
        if not (-math.inf < best < math.inf and sum(weights) > 0):  # a NaN anywhere ends up in the sum
            raise UserError(_WRONG)
        chosen, rest = _scan(weights, 0, len(weights), uniform)
        for bounds, weights in reversed(levels):
            chosen, rest = _scan(weights, *bounds[chosen], rest)
        return chosen


def _scan(weights: list[float], start: int, end: int, uniform: float) -> tuple[int, float]:
    """Which of the weights from start to end a uniform number falls on, and how far into it, again in [0, 1)."""
    left = uniform * sum(weights[start:end])
    last = start
    for j in range(start, end):
        w = weights[j]
        if w > 0:
            if left < w:
                return j, left / w
            left -= w
            last = j
    return last, 1 - 2.0**-53  # sums end just below the total
