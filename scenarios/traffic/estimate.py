"""Maximum-likelihood estimation of multinomial and two-level nested logit models, with standard errors.

Utilities are linear: V = X beta. Ben-Akiva and Lerman (1985), Discrete Choice Analysis, chapters 5 and 10.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from lam_env.errors import UserError


@dataclass(frozen=True)
class ChoiceData:
    """Observed choices.

    attributes (N, J, K) of each alternative; chosen (N,) its index; available (N, J) bool, all of them if left out; names (K,) of the parameters.
    """

    attributes: np.ndarray
    chosen: np.ndarray
    available: np.ndarray | None = None
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        x = np.asarray(self.attributes, float)
        chosen = np.asarray(self.chosen)
        if x.ndim != 3 or 0 in x.shape:
            raise UserError(f"choice data: attributes must have shape (rows, alternatives, parameters), not {x.shape}")
        n, j, k = x.shape
        if chosen.shape != (n,) or chosen.dtype.kind not in "iu" or not ((chosen >= 0) & (chosen < j)).all():
            raise UserError(f"choice data: chosen must be {n} whole numbers from 0 to {j - 1}, one a row")
        available = np.ones((n, j), bool) if self.available is None else np.asarray(self.available, bool)
        if available.shape != (n, j):
            raise UserError(f"choice data: available must have shape {(n, j)}, not {available.shape}")
        if not available[np.arange(n), chosen].all():
            row = int(np.argmin(available[np.arange(n), chosen]))
            raise UserError(f"choice data: row {row} chose alternative {chosen[row]}, which was not available")
        x = np.where(available[..., None], x, 0.0)  # whatever stands where an alternative was not available
        if not np.isfinite(x).all():
            raise UserError("choice data: attributes of available alternatives must be finite numbers")
        names = self.names or tuple(f"beta{i}" for i in range(k))
        if len(names) != k or len(set(names)) < k:
            raise UserError(f"choice data: names must be {k} different names, not {names}")
        for name, value in (("attributes", x), ("chosen", chosen), ("available", available), ("names", tuple(names))):
            object.__setattr__(self, name, value)

    @property
    def null_log_likelihood(self) -> float:
        """Log-likelihood if all available alternatives were equally likely."""
        return float(-np.log(np.sum(self.available, axis=1)).sum())  # type: ignore[arg-type]


@dataclass(frozen=True)
class Estimate:
    """Parameters that make the observed choices likeliest. Arrays have shape (K,), covariances (K, K).

    `covariance` is the inverse of the negative Hessian; `robust_covariance` (the sandwich estimator, White 1982) holds for a misspecified
    model too, not for several answers of one person.
    """

    names: tuple[str, ...]
    values: np.ndarray
    covariance: np.ndarray
    robust_covariance: np.ndarray
    log_likelihood: float
    null_log_likelihood: float

    @property
    def standard_errors(self) -> np.ndarray:
        errors: np.ndarray = np.sqrt(np.diag(self.covariance))
        return errors

    @property
    def robust_standard_errors(self) -> np.ndarray:
        errors: np.ndarray = np.sqrt(np.diag(self.robust_covariance))
        return errors

    def __getitem__(self, name: str) -> float:
        return float(self.values[self.names.index(name)])


def estimate_mnl(data: ChoiceData) -> Estimate:
    """Multinomial logit. Its log-likelihood is concave: Newton's method in a trust region finds the one maximum."""

    def hessian(beta: np.ndarray) -> np.ndarray:
        return _mnl_hessian(data, beta)

    found = minimize(
        lambda beta: _negative(_mnl_scores(data, beta)),
        np.zeros(len(data.names)),
        jac=True,
        hess=lambda beta: -hessian(beta),
        method="trust-exact",
        options={"gtol": 1e-6},
    )
    likelihoods, scores = _mnl_scores(data, found.x)
    return _estimate(data, data.names, found, likelihoods, scores, hessian(found.x))


def estimate_nested(data: ChoiceData, nests: Sequence[Sequence[int]]) -> Estimate:
    """Two-level nested logit: `nests` are the alternatives of each nest; every alternative lies in one.

    Each nest of two or more adds a scale parameter `mu<i>` (i its place in `nests`), at least 1: at 1 in all of them it is multinomial logit, where the
    search begins. A standard error says nothing for a scale that ends at 1.
    """
    j = data.attributes.shape[1]
    if sorted(i for nest in nests for i in nest) != list(range(j)) or not all(len(nest) for nest in nests):
        raise UserError(f"nested logit: every alternative from 0 to {j - 1} must lie in exactly one nest")
    free = [m for m, nest in enumerate(nests) if len(nest) > 1]
    member = np.zeros((len(nests), j), bool)
    for m, nest in enumerate(nests):
        member[m, list(nest)] = True
    k = len(data.names)

    def scores(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mu = np.ones(len(nests))
        mu[free] = theta[k:]
        return _nested_scores(data, theta[:k], mu, member, free)

    found = minimize(
        lambda theta: _negative(scores(theta)),
        np.concatenate([estimate_mnl(data).values, np.ones(len(free))]),
        jac=True,
        method="L-BFGS-B",
        bounds=[(None, None)] * k + [(1.0, None)] * len(free),
        options={"gtol": 1e-6, "ftol": 1e-14, "maxiter": 1000},
    )
    hessian = _differences(lambda theta: scores(theta)[1].sum(0), found.x)
    return _estimate(data, (*data.names, *(f"mu{m}" for m in free)), found, *scores(found.x), hessian)


def _negative(scores: tuple[np.ndarray, np.ndarray]) -> tuple[float, np.ndarray]:
    return -float(scores[0].sum()), -scores[1].sum(0)


def _utilities(data: ChoiceData, beta: np.ndarray) -> np.ndarray:
    utilities: np.ndarray = np.where(data.available, data.attributes @ beta, -np.inf)  # type: ignore[arg-type]
    return utilities


def _mnl_scores(data: ChoiceData, beta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log-likelihood (N,) and its gradient (N, K) of each row."""
    v = _utilities(data, beta)
    p, total = _softmax(v)
    rows = np.arange(len(v))
    mean = np.einsum("nj,njk->nk", p, data.attributes)
    return v[rows, data.chosen] - total, data.attributes[rows, data.chosen] - mean


def _mnl_hessian(data: ChoiceData, beta: np.ndarray) -> np.ndarray:
    """Of the log-likelihood, (K, K): minus the sum over rows of the covariance of the attributes."""
    p, _ = _softmax(_utilities(data, beta))
    x = data.attributes - np.einsum("nj,njk->nk", p, data.attributes)[:, None]
    flat = x.reshape(-1, x.shape[-1])
    hessian: np.ndarray = -(flat * p.reshape(-1, 1)).T @ flat
    return hessian


def _nested_scores(
    data: ChoiceData, beta: np.ndarray, mu: np.ndarray, member: np.ndarray, free: list[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Log-likelihood (N,) and its gradient by beta and the free scales (N, K + F) of each row.

    With I_m the inclusive value of nest m: log P(j) = mu_m V_j - mu_m I_m + I_m - log(sum over n of exp(I_n)).
    """
    v = _utilities(data, beta)
    finite = np.where(data.available, v, 0.0)  # type: ignore[arg-type]
    n = len(v)
    rows, nest = np.arange(n), member.argmax(0)[data.chosen]
    within = np.zeros_like(v)  # P(j | its nest)
    inclusive = np.full((n, len(mu)), -np.inf)
    mean = np.zeros((n, len(mu)))  # of V within the nest
    for m, scale in enumerate(mu):
        columns = np.flatnonzero(member[m])
        p, total = _softmax(scale * v[:, columns])
        within[:, columns] = p
        inclusive[:, m] = total / scale
        mean[:, m] = (p * finite[:, columns]).sum(1)
    q, top = _softmax(inclusive)  # P(nest)
    likelihood = mu[nest] * (v[rows, data.chosen] - inclusive[rows, nest]) + inclusive[rows, nest] - top
    own = within * member[nest]  # P(j | the chosen nest), 0 outside it
    by_utility = own * (1 - mu[nest])[:, None] - within * (q @ member)
    by_utility[rows, data.chosen] += mu[nest]
    gradient = np.einsum("nj,njk->nk", by_utility, data.attributes)
    chose = nest[:, None] == np.arange(len(mu))
    slope = (mean - np.where(np.isfinite(inclusive), inclusive, 0)) / mu  # dI/dmu; 0 where nothing is available
    by_scale = chose * (v[rows, data.chosen][:, None] - mean) + (chose - q) * slope
    return likelihood, np.concatenate([gradient, by_scale[:, free]], 1)


def _softmax(v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (N, J) and log-sum (N,); zeros and -inf in rows where nothing is available."""
    best = v.max(1)
    weights = np.exp(v - np.where(np.isfinite(best), best, 0.0)[:, None])
    total = weights.sum(1)
    some = np.where(total > 0, total, 1.0)
    return weights / some[:, None], best + np.log(some)


def _differences(gradient: Callable[[np.ndarray], np.ndarray], at: np.ndarray) -> np.ndarray:
    """Hessian (K, K) as central differences of the gradient."""
    out = np.empty((len(at), len(at)))
    for i in range(len(at)):
        step = np.zeros(len(at))
        step[i] = 1e-5 * max(1.0, abs(at[i]))
        out[i] = (gradient(at + step) - gradient(at - step)) / (2 * step[i])
    return (out + out.T) / 2


def _estimate(
    data: ChoiceData,
    names: tuple[str, ...],
    found: OptimizeResult,
    likelihoods: np.ndarray,
    scores: np.ndarray,
    hessian: np.ndarray,
) -> Estimate:
    size = np.sqrt(np.abs(np.diag(hessian)))
    scaled = hessian / np.outer(size, size) if (size > 0).all() else None  # a matter of units otherwise
    if scaled is None or np.linalg.eigvalsh(-scaled).min() < 1e-9 or not np.isfinite(found.x).all():
        raise UserError("estimation: the choices do not tell the parameters apart; leave one out or add variation")
    covariance = np.linalg.inv(-scaled) / np.outer(size, size)
    return Estimate(
        names=names,
        values=found.x,
        covariance=covariance,
        robust_covariance=covariance @ (scores.T @ scores) @ covariance,
        log_likelihood=float(likelihoods.sum()),
        null_log_likelihood=data.null_log_likelihood,
    )
