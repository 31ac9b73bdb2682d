"""The weights of a conditional logit by maximum likelihood."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

RIDGE = 1e-2  # of the weights' prior, in shares of a choice's information


class Choices:
    """Choices to learn from, in arrays that grow: of each its alternatives' features and which was taken."""

    def __init__(self) -> None:
        self.features: list[np.ndarray] = []
        self.taken: list[int] = []

    def add(self, features: np.ndarray, taken: int) -> None:
        """features (alternatives, K); `taken`: the alternative's number."""
        self.features.append(features.astype(np.float32))
        self.taken.append(taken)


def fitted(choices: Choices, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights (K,) and the inverse (K, K) of the information of a choice; of no choices, zeros."""
    if not choices.taken:
        return np.zeros(size), np.zeros((size, size))
    x = np.concatenate(choices.features).astype(np.float64)
    many = np.array([len(f) for f in choices.features])
    first, n = np.cumsum(many) - many, len(many)
    taken, of = first + np.array(choices.taken), np.repeat(np.arange(n), many)

    def chances(w: np.ndarray) -> tuple[float, np.ndarray]:
        """Mean log-likelihood, and (alternatives of all choices,) the probability of each."""
        u = x @ w
        u -= np.maximum.reduceat(u, first)[of]
        p = np.exp(u)
        total = np.add.reduceat(p, first)
        return float((u[taken] - np.log(total)).mean()), p / total[of]

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        likelihood, p = chances(w)
        return RIDGE / 2 * w @ w - likelihood, RIDGE * w - (x[taken].sum(0) - p @ x) / n

    def information(w: np.ndarray) -> np.ndarray:
        _, p = chances(w)
        mean = np.add.reduceat(x * p[:, None], first)
        fisher: np.ndarray = ((x * p[:, None]).T @ x - mean.T @ mean) / n + RIDGE * np.eye(size)
        return fisher

    weights = minimize(loss, np.zeros(size), jac=True, hess=information, method="trust-exact").x
    return weights, np.linalg.inv(information(weights))
