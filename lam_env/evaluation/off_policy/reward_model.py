"""A model of each action's reward in each context: ridge regression, fitted on other trajectories than it predicts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

FOLDS, RIDGE = 5, 10.0


def cross_fitted(
    observation: Mapping[str, np.ndarray],
    action: np.ndarray,
    reward: np.ndarray,
    trajectory: np.ndarray,
    hints: np.ndarray | None = None,
) -> np.ndarray:
    """(n, A) reward expected of each action. `observation`: of the environment, (n, ...). `hints` (n, A): what else is
    known of each action, such as how probable a policy finds it. Each fifth of the trajectories is predicted by a fit
    on the others (Chernozhukov et al., "Double/debiased machine learning", 2018); a single one is predicted as 0."""
    common, own = _common(observation), _own(observation, hints)
    kind = np.minimum(np.arange(own.shape[1]), 1)  # doing nothing, and doing something
    return _cross_fitted(common, own, kind, action, reward, trajectory)


def by_action(
    context: np.ndarray, n_actions: int, action: np.ndarray, reward: np.ndarray, trajectory: np.ndarray
) -> np.ndarray:
    """(n, A) the same where all that is known is the `context` (n, F), standardised, which weighs differently for each
    action. One that was never taken is expected to bring the mean."""
    own = np.zeros((len(context), n_actions, 0))
    return _cross_fitted(context, own, np.arange(n_actions), action, reward, trajectory)


def standardise(x: np.ndarray) -> np.ndarray:
    """(n, F) of mean 0 and spread 1; 0 where nothing differs."""
    spread = x.std(0)
    return np.asarray((x - x.mean(0)) / np.where(spread > 1e-6, spread, np.inf))


def _common(observation: Mapping[str, np.ndarray]) -> np.ndarray:
    """(n, F) of the context, standardised: clock, readings, acts accepted and refused so far, the last event's age."""
    feedback = observation["feedback"]
    both = np.log1p(feedback.reshape(len(feedback), 2, -1).sum(2))
    age = np.log1p(observation["ages"][:, -3:].clip(0).astype(float))
    epoch = observation["epoch"]
    gap, follows = np.log1p(epoch[:, 1:2].astype(float)), epoch[:, 4:5] > 0
    x = np.concatenate([observation["clock"], observation["context"], both, age, gap, follows], 1).astype(float)
    return standardise(x)


def _own(observation: Mapping[str, np.ndarray], hints: np.ndarray | None) -> np.ndarray:
    """(n, A, G) of each action: how often it was accepted and refused so far, how long ago it was last done, hints."""
    n, a = observation["action_mask"].shape
    feedback = observation["feedback"].reshape(n, 2, a)
    parts = [np.log1p(feedback[:, 0]), np.log1p(feedback[:, 1]), np.log1p(observation["since"][:, :a].clip(0)) / 10]
    if hints is not None:
        parts += [hints, np.log(hints.clip(1e-4)) / 5]
    return np.stack(parts, 2).astype(float)


def _cross_fitted(
    common: np.ndarray,
    own: np.ndarray,
    kind: np.ndarray,
    action: np.ndarray,
    reward: np.ndarray,
    trajectory: np.ndarray,
) -> np.ndarray:
    """(n, A). `common` (n, F), `own` (n, A, G); kind (A,): actions of one kind weigh both alike, and differ by a
    constant. What is rare leans on the mean of its kind."""
    _, index = np.unique(trajectory, return_inverse=True)
    fold = index % FOLDS
    model = np.zeros(own.shape[:2])
    for k in range(min(FOLDS, int(index.max()) + 1)):
        here, there = np.flatnonzero(fold == k), fold != k
        if not there.any():
            continue
        for number in range(int(kind.max()) + 1):
            mine, rows = np.flatnonzero(kind == number), np.flatnonzero(there & (kind[action] == number))
            base = reward[rows].mean() if len(rows) else reward[there].mean()
            did = action[rows]
            x = np.concatenate([common[rows], did[:, None] == mine, own[rows, did]], 1)
            beta = np.linalg.solve(x.T @ x + RIDGE * np.eye(x.shape[1]), x.T @ (reward[rows] - base))
            context, constant, of_own = np.split(beta, np.cumsum([common.shape[1], len(mine)]))
            found = (common[here] @ context)[:, None] + own[np.ix_(here, mine)] @ of_own
            model[np.ix_(here, mine)] = found + constant + base
    return model
