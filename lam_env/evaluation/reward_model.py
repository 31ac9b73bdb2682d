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
    _, index = np.unique(trajectory, return_inverse=True)
    fold = index % FOLDS
    model = np.zeros(observation["action_mask"].shape)
    for k in range(min(FOLDS, int(index.max()) + 1)):
        here, there = fold == k, fold != k
        if there.any():
            weights = _fit(common[there], own[there], action[there], reward[there])
            model[here] = _predicted(weights, common[here], own[here])
    return model


def _common(observation: Mapping[str, np.ndarray]) -> np.ndarray:
    """(n, F) of the context, standardised: clock, readings, acts accepted and refused so far, the last event's age."""
    feedback = observation["feedback"]
    both = np.log1p(feedback.reshape(len(feedback), 2, -1).sum(2))
    age = np.log1p(observation["ages"][:, -3:].clip(0).astype(float))
    epoch = observation["epoch"]
    gap, follows = np.log1p(epoch[:, 1:2].astype(float)), epoch[:, 4:5] > 0
    x = np.concatenate([observation["clock"], observation["context"], both, age, gap, follows], 1).astype(float)
    spread = x.std(0)
    return np.asarray((x - x.mean(0)) / np.where(spread > 1e-6, spread, np.inf))


def _own(observation: Mapping[str, np.ndarray], hints: np.ndarray | None) -> np.ndarray:
    """(n, A, G) of each action: how often it was accepted and refused so far, how long ago it was last done, hints."""
    n, a = observation["action_mask"].shape
    feedback = observation["feedback"].reshape(n, 2, a)
    parts = [np.log1p(feedback[:, 0]), np.log1p(feedback[:, 1]), np.log1p(observation["since"][:, :a].clip(0)) / 10]
    if hints is not None:
        parts += [hints, np.log(hints.clip(1e-4)) / 5]
    return np.stack(parts, 2).astype(float)


Weights = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _fit(common: np.ndarray, own: np.ndarray, action: np.ndarray, reward: np.ndarray) -> Weights:
    """Doing nothing and doing something each weigh the context; actions differ by a constant and share the weights of
    what is their own."""
    (n, a), f, g = own.shape[:2], common.shape[1], own.shape[2]
    acts = action > 0
    of_act, of_nothing = (reward[rows].mean() if rows.any() else 0 for rows in (acts, ~acts))
    base = np.where(np.arange(a) > 0, of_act, of_nothing)  # rare actions lean on the mean of all acts
    did, mine = acts[:, None], own[np.arange(n), action]
    x = np.concatenate([common * ~did, common * did, action[:, None] == np.arange(a), mine * ~did, mine * did], 1)
    beta = np.linalg.solve(x.T @ x + RIDGE * np.eye(x.shape[1]), x.T @ (reward - base[action]))
    still, busy, constant, of_none, of_acts = np.split(beta, np.cumsum([f, f, a, g]))
    return np.stack([still, busy]), constant + base, of_none, of_acts


def _predicted(weights: Weights, common: np.ndarray, own: np.ndarray) -> np.ndarray:
    by_context, constant, of_none, of_acts = weights
    model = (common @ by_context[1])[:, None] + own @ of_acts
    model[:, 0] = common @ by_context[0] + own[:, 0] @ of_none
    return np.asarray(model + constant)
