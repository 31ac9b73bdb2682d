"""Scores of predictions: pure functions on arrays.

Throughout, `probs` (n, A) holds P(next user action) per decision point, column 0 "none", rows summing to 1; `target`
(n,) the action that followed, 0 none.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lam_env.core.catalogue import BRIER, ECE, MACRO_F1, NLL, NLL_ALL, PR_AUC, TOP1, TOP3

_SMOOTHING = 1e-3  # NLL is that of .999 p + .001 / K: one impossible event costs ln(1000 K), not everything


def prediction_metrics(probs: np.ndarray, target: np.ndarray) -> dict[str, float]:
    """The `pred.*` scores of one log.

    Over the decision points in which the user acts, from P(action | the user acts) (column 0 removed, renormalised):
    pred.top1, pred.top3, pred.macro_f1, pred.nll [nats]. Over all decision points, none included: pred.brier, pred.ece,
    and, where the log holds decision points without an action, pred.nll_all [nats] and pred.pr_auc (average precision
    of "the user acts").
    """
    probs, target = _checked(probs, target)
    out: dict[str, float] = {}
    acts = target > 0
    if acts.any():
        of_action, action = among_actions(probs[acts]), target[acts] - 1
        out[TOP1.id] = top_k(of_action, action, 1)
        out[TOP3.id] = top_k(of_action, action, 3)
        out[MACRO_F1.id] = macro_f1(of_action, action)
        out[NLL.id] = nll(of_action, action)
    if len(target):
        out[BRIER.id] = brier(probs, target)
        out[ECE.id] = ece(probs, target)
    if acts.any() and not acts.all():
        out[NLL_ALL.id] = nll(probs, target)
        out[PR_AUC.id] = average_precision(1 - probs[:, 0], acts)
    return out


def among_actions(probs: np.ndarray) -> np.ndarray:
    """P(action | the user acts), shape (n, A - 1); uniform where the prediction gives all to none."""
    rest = probs[:, 1:]
    total = rest.sum(1, keepdims=True)
    return np.where(total > 0, rest / np.where(total > 0, total, 1), 1 / rest.shape[1])


def top_k(probs: np.ndarray, target: np.ndarray, k: int) -> float:
    """Share of rows whose target is among the k likeliest. Ties go to the lower id; probability 0 is no hit."""
    rank = np.argsort(-probs, axis=1, kind="stable")[:, :k]
    hit = (rank == target[:, None]).any(1) & (probs[np.arange(len(target)), target] > 0)
    return float(hit.mean())


def macro_f1(probs: np.ndarray, target: np.ndarray) -> float:
    """Mean F1 of the likeliest action, over the actions present in `target`."""
    f1, support = per_action_f1(probs, target)
    return float(f1[support > 0].mean())


def per_action_f1(probs: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """F1 of each column (A,) of the likeliest action, and how often it is the target (A,)."""
    likeliest, n = probs.argmax(1), probs.shape[1]
    support, claims = np.bincount(target, minlength=n), np.bincount(likeliest, minlength=n)
    hits = np.bincount(target[likeliest == target], minlength=n)
    return 2 * hits / np.maximum(support + claims, 1), support


def nll(probs: np.ndarray, target: np.ndarray) -> float:
    """Mean negative log-likelihood [nats] of .999 p + .001 / K."""
    return float(_losses(probs, target).mean())


def log_losses(probs: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(n,) what pred.nll is the mean of, of decision points in which the user acts [nats]; 0 at the others."""
    acts, out = np.asarray(target) > 0, np.zeros(len(target))
    out[acts] = _losses(among_actions(np.asarray(probs, np.float64)[acts]), np.asarray(target)[acts] - 1)
    return out


def _losses(probs: np.ndarray, target: np.ndarray) -> np.ndarray:
    p = probs[np.arange(len(target)), target]
    return -np.log((1 - _SMOOTHING) * p + _SMOOTHING / probs.shape[1])


def brier(probs: np.ndarray, target: np.ndarray) -> float:
    """Mean squared distance to the one-hot target, summed over the columns: 0 to 2 (Brier, 1950)."""
    p = probs[np.arange(len(target)), target]
    return float(((probs**2).sum(1) - 2 * p + 1).mean())


class Reliability(NamedTuple):
    """What a reliability diagram draws; a row per bin of confidence that holds any decision point."""

    low: np.ndarray  # (b,) lower edge of the bin
    confidence: np.ndarray  # (b,) mean probability of the likeliest outcome
    accuracy: np.ndarray  # (b,) how often it happened
    points: np.ndarray  # (b,) how many


def reliability(probs: np.ndarray, target: np.ndarray, bins: int = 15) -> Reliability:
    """Confidence against accuracy in `bins` equal bins of the likeliest outcome's probability, none included."""
    probs, target = _checked(probs, target)
    confidence, correct = probs.max(1), probs.argmax(1) == target
    # bins are closed above: (0, 1/b], ..., ((b-1)/b, 1]
    index = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    count = np.bincount(index, minlength=bins)
    there = np.flatnonzero(count)

    def mean(of: np.ndarray) -> np.ndarray:
        return np.bincount(index, of, bins)[there] / count[there]

    return Reliability(there / bins, mean(confidence), mean(correct), count[there])


def ece(probs: np.ndarray, target: np.ndarray, bins: int = 15) -> float:
    """Expected calibration error of the likeliest outcome (Guo et al., ICML 2017)."""
    table = reliability(probs, target, bins)
    return float((table.points * np.abs(table.confidence - table.accuracy)).sum() / table.points.sum())


def average_precision(score: np.ndarray, positive: np.ndarray) -> float:
    """Area under the precision-recall steps: sum of (R_i - R_i-1) P_i over the distinct scores, from the highest."""
    order = np.argsort(-score, kind="stable")
    ranked = score[order]
    last = np.r_[np.flatnonzero(np.diff(ranked)), len(ranked) - 1]  # equal scores are one step
    hits = np.cumsum(positive[order])[last]
    return float((np.diff(hits, prepend=0) * hits / (last + 1)).sum() / hits[-1])


def _checked(probs: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    probs, target = np.asarray(probs, np.float64), np.asarray(target, np.int64)
    if probs.ndim != 2 or target.shape != probs.shape[:1] or probs.shape[1] < 2:
        raise ValueError(f"metrics: probs must be (n, A >= 2) and target (n,), not {probs.shape} and {target.shape}")
    if len(target) and not (target.min() >= 0 and target.max() < probs.shape[1]):
        raise ValueError(f"metrics: targets lie outside the {probs.shape[1]} columns of probs")
    if not np.isfinite(probs).all() or (probs < -1e-6).any() or (np.abs(probs.sum(1) - 1) > 1e-3).any():
        raise ValueError("metrics: each row of probs must be a distribution (finite, not negative, sum 1)")
    return probs, target
