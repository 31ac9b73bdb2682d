"""Discrete choice: multinomial and nested logit up to three levels, sampling, and inertia.

Utilities are in units of the logit error (scale 1 at the top). An alternative that is not available has utility -inf.
Choices are pure functions of a uniform number, in the fixed order of the alternatives, so that paired worlds stay
paired. Ben-Akiva and Lerman (1985), Discrete Choice Analysis; Train (2009), Discrete Choice Methods with Simulation,
chapters 3, 4.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import numpy as np

from lam_env.core.errors import UserError
from lam_env.core.shared import Shared

_LOWEST = -1e308


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


class NestedLogit(Shared):
    """Nested logit over alternatives named by level, such as (mode, departure slot, route).

    The alternatives of a nest must stand next to one another. `scales` holds the scale mu of the nests of each level
    below the top. As they are at least 1 and never fall on the way down, choice is utility maximisation (McFadden
    1978); with scales of 1 it is multinomial logit.
    """

    def __init__(self, alternatives: Sequence[Sequence[Hashable]], scales: Sequence[float] = ()):
        depth = _depth(alternatives)
        if len(scales) != depth - 1:
            raise UserError(f"choice: {depth} levels need {depth - 1} scales, not {len(scales)}")
        if not all(1 <= mu < math.inf for mu in scales) or list(scales) != sorted(scales):
            raise UserError(f"choice: scales must be at least 1 and must not fall on the way down, not {list(scales)}")
        self.n = len(alternatives)
        # at each level, from the bottom: where each nest begins among the nodes below, each node's nest, the nests'
        # scale
        self._levels: list[tuple[np.ndarray, np.ndarray, float]] = []
        nodes = [tuple(a) for a in alternatives]
        for level in range(depth - 1, 0, -1):
            heads = [node[:level] for node in nodes]
            starts = [i for i, head in enumerate(heads) if not i or head != heads[i - 1]]
            nests = [heads[i] for i in starts]
            if len(set(nests)) < len(nests):
                raise UserError("choice: the alternatives of a nest must stand next to one another")
            nest = np.repeat(np.arange(len(nests)), np.diff([*starts, len(nodes)]))
            self._levels.append((np.array(starts), nest, scales[level - 1]))
            nodes = nests

    def probabilities(self, utilities: np.ndarray) -> np.ndarray:
        """Choice probabilities, shape (..., J) like the utilities. UserError where no alternative is available."""
        v = np.asarray(utilities, float)
        if not v.shape or v.shape[-1] != self.n:
            raise UserError(f"choice: utilities must have shape (..., {self.n}), not {v.shape}")
        if not np.isfinite(v.max(-1)).all():
            raise UserError(
                "choice: utilities must be numbers below infinity, and one alternative available (not -inf)"
            )
        within = []  # probabilities within the nests, from the bottom level
        with np.errstate(divide="ignore"):  # log(0): the nest is not available
            for starts, nest, mu in self._levels:
                best = np.maximum.reduceat(v, starts, -1)
                np.maximum(best, _LOWEST, out=best)  # of a nest without an available alternative
                weights = v - best.take(nest, -1)
                weights *= mu
                np.exp(weights, out=weights)
                total = np.add.reduceat(weights, starts, -1)  # at least 1, or 0
                weights /= np.maximum(total, 1.0).take(nest, -1)
                within.append(weights)
                v = np.log(total)  # to the inclusive values of the level above
                v /= mu
                v += best
        p: np.ndarray = np.exp(v - v.max(-1, keepdims=True))
        p /= p.sum(-1, keepdims=True)
        for conditional, (_, nest, _) in zip(reversed(within), reversed(self._levels), strict=True):
            p = p.take(nest, -1) * conditional
        return p
