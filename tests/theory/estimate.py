"""Maximum-likelihood estimation of multinomial and two-level nested logit models, with standard errors.

Utilities are linear: V = X beta. Ben-Akiva and Lerman (1985), Discrete Choice Analysis, chapters 5 and 10.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize

from lam_env.core.errors import UserError


@dataclass(frozen=True)
class ChoiceData:
    """Observed choices.

    attributes (N, J, K) of each alternative; chosen (N,) its index; available (N, J) bool, all of them if left out;
    names (K,) of the parameters.
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

    `covariance` is the inverse of the negative Hessian; `robust_covariance` (the sandwich estimator, White 1982) holds
    for a misspecified model too, not for several answers of one person.
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
    scaled, units = _standardised(data)
    n = len(data.chosen)
    found = minimize(
        lambda beta: _objective(_mnl_scores(scaled, beta)),
        np.zeros(len(data.names)),
        jac=True,
        hess=lambda beta: -_mnl_hessian(scaled, beta) / n,
        method="trust-exact",
        options={"gtol": 1e-7},
    ).x
    return _estimate(data, data.names, found, units, _mnl_scores(scaled, found), _mnl_hessian(scaled, found))


def estimate_nested(data: ChoiceData, nests: Sequence[Sequence[int]]) -> Estimate:
    """Two-level nested logit: `nests` are the alternatives of each nest; every alternative lies in one.

    Each nest of two or more adds a scale parameter `mu<i>` (i its place in `nests`), at least 1: at 1 in all of them it
    is multinomial logit, where the search begins. A scale that ends at 1 has no standard error (NaN), and the others
    are those of a model without it.
    """
    j = data.attributes.shape[1]
    if sorted(i for nest in nests for i in nest) != list(range(j)) or not all(len(nest) for nest in nests):
        raise UserError(f"nested logit: every alternative from 0 to {j - 1} must lie in exactly one nest")
    free = [m for m, nest in enumerate(nests) if len(nest) > 1]
    member = np.zeros((len(nests), j), bool)
    for m, nest in enumerate(nests):
        member[m, list(nest)] = True
    scaled, units = _standardised(data)
    k = len(data.names)

    def scores(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mu = np.ones(len(nests))
        mu[free] = theta[k:]
        return _nested_scores(scaled, theta[:k], mu, member, free)

    found = minimize(
        lambda theta: _objective(scores(theta)),
        np.concatenate([estimate_mnl(data).values * units, np.ones(len(free))]),
        jac=True,
        method="L-BFGS-B",
        bounds=[(None, None)] * k + [(1.0, None)] * len(free),
        options={"gtol": 1e-7, "ftol": 1e-15, "maxiter": 1000},
    ).x
    hessian = _differences(lambda theta: scores(theta)[1].sum(0), found)
    names = (*data.names, *(f"mu{m}" for m in free))
    return _estimate(data, names, found, np.concatenate([units, np.ones(len(free))]), scores(found), hessian)


def _standardised(data: ChoiceData) -> tuple[ChoiceData, np.ndarray]:
    """The same data with attributes that vary by 1 within a row (root mean square), and their divisors (K,).

    So the search does not depend on units.
    """
    weights = data.available / np.sum(data.available, axis=1, keepdims=True)  # type: ignore[arg-type]
    mean = np.einsum("nj,njk->nk", weights, data.attributes)
    units = np.sqrt(np.einsum("nj,njk->k", weights, (data.attributes - mean[:, None]) ** 2) / len(data.chosen))
    for name, unit in zip(data.names, units, strict=True):
        if not unit > 0:
            raise UserError(f"estimation: what {name!r} stands for is the same for all alternatives; leave it out")
    return replace(data, attributes=data.attributes / units), units


def _objective(scores: tuple[np.ndarray, np.ndarray]) -> tuple[float, np.ndarray]:
    """What is minimised, with its gradient: minus the mean log-likelihood of a row."""
    return -float(scores[0].mean()), -scores[1].mean(0)


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
    found: np.ndarray,
    units: np.ndarray,
    scores: tuple[np.ndarray, np.ndarray],
    hessian: np.ndarray,
) -> Estimate:
    """Back in the units of the data. `found` (K,), `scores` and `hessian` (K, K) are of the standardised ones."""
    likelihoods, gradients = scores
    # a scale at its bound is no maximum, and curvature there is no precision
    inner = np.flatnonzero([not (k >= len(data.names) and x <= 1 + 1e-6) for k, x in enumerate(found)])
    information = -hessian[np.ix_(inner, inner)]
    size = np.diag(information)
    for k, precise in zip(inner, size > 1e-6 * len(data.chosen), strict=True):
        if not precise:
            raise UserError(f"estimation: the choices set no bound to {names[k]!r}; leave it out or add observations")
    if np.linalg.eigvalsh(information / np.sqrt(np.outer(size, size))).min() < 1e-9:
        raise UserError("estimation: the choices do not tell the parameters apart; leave one out or add variation")
    bread = np.linalg.inv(information)
    meat = gradients[:, inner].T @ gradients[:, inner]
    covariance, robust = (np.full(hessian.shape, np.nan) for _ in range(2))
    covariance[np.ix_(inner, inner)], robust[np.ix_(inner, inner)] = bread, bread @ meat @ bread
    return Estimate(
        names=names,
        values=found / units,
        covariance=covariance / np.outer(units, units),
        robust_covariance=robust / np.outer(units, units),
        log_likelihood=float(likelihoods.sum()),
        null_log_likelihood=data.null_log_likelihood,
    )
