"""The likelihood on which smoothing constants and early stopping are chosen."""

from __future__ import annotations

import numpy as np

from lam_env.logs.decision_points import DecisionPoints


def mean_nll(p: np.ndarray, target: np.ndarray) -> float:
    """Mean negative log-likelihood [nats] of `target` (n,) under .999 p + .001 / K; p (n, K)."""
    if not len(target):
        return float("nan")
    chosen = p[np.arange(len(target)), target].astype(np.float64)
    return float(-np.log(0.999 * chosen + 0.001 / p.shape[1]).mean())


def continued(train: DecisionPoints, valid: DecisionPoints) -> tuple[DecisionPoints, np.ndarray]:
    """What is to be read to judge on `valid`, and the mask of its rows.

    Where validation goes on with worlds of the training log (a split by day), these are read from their start, so
    that the predictor meets the validation days with the memory it would have; new worlds are read alone."""
    before = train.select(np.isin(train.world, valid.world))
    if not len(before):
        return valid, np.ones(len(valid), bool)
    judged = np.r_[np.zeros(len(before), bool), np.ones(len(valid), bool)]
    # stable: rows of one world stay in their order
    order = np.lexsort((judged, np.concatenate([before.world, valid.world])))
    a, b = before.columns(), valid.columns()
    return valid.with_columns({k: np.concatenate([a[k], b[k]])[order] for k in a.keys() & b.keys()}), judged[order]
