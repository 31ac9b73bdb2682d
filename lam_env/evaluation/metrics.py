"""Scores of predictions: pure functions on arrays.

Throughout, `probs` (n, A) holds P(next user action) per decision point, column 0 "none", rows summing to 1; `target`
(n,) the action that followed, 0 none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lam_env.core.catalogue import BRIER, ECE, MACRO_F1, NLL, NLL_ALL, PR_AUC, TOP1, TOP3

_AT_ONCE = 1 << 22  # numbers
_SMOOTHING = 1e-3  # NLL is that of .999 p + .001 / K: one impossible event costs ln(1000 K), not everything


class Scored(NamedTuple):
    """What scores are made of, of n decision points, (n,) each; of the target's action `given` that the user acts its
    probability, its `rank` among actions (0 the likeliest; ties go to the lower id) and which was the `likeliest`."""

    target: np.ndarray
    given: np.ndarray
    rank: np.ndarray
    likeliest: np.ndarray
    p: np.ndarray  # of the target, none included
    squares: np.ndarray  # of all probabilities, summed
    confidence: np.ndarray  # probability of the likeliest outcome, none included
    correct: np.ndarray  # bool: it happened
    none: np.ndarray  # probability of none
    size: int  # A

    @classmethod
    def joined(cls, parts: Sequence[Scored]) -> Scored:
        """Several logs, or pieces of one, in one."""
        columns = {name: [getattr(part, name) for part in parts] for name in cls._fields}
        size = columns.pop("size")[0]
        return cls(**{name: np.concatenate(column) for name, column in columns.items()}, size=size)

    @property
    def acts(self) -> np.ndarray:
        """(n,) bool: where the user acts."""
        there: np.ndarray = self.target > 0
        return there

    @property
    def losses(self) -> np.ndarray:
        """(n,) what pred.nll is the mean of [nats]; 0 where the user does not act."""
        return np.where(self.acts, _loss(self.given, self.size - 1), 0.0)


def scored(probs: np.ndarray, target: np.ndarray) -> Scored:
    """Of predictions (n, A) and what followed (n,); ValueError where they are none."""
    probs, target = np.asarray(probs), np.asarray(target, np.int64)
    if probs.ndim != 2 or target.shape != probs.shape[:1] or probs.shape[1] < 2:
        raise ValueError(f"metrics: probs must be (n, A >= 2) and target (n,), not {probs.shape} and {target.shape}")
    if len(target) and not (target.min() >= 0 and target.max() < probs.shape[1]):
        raise ValueError(f"metrics: targets lie outside the {probs.shape[1]} columns of probs")
    rows = max(1, _AT_ONCE // probs.shape[1])
    cuts = range(0, max(1, len(target)), rows)
    return Scored.joined([_scored(probs[i : i + rows].astype(np.float64), target[i : i + rows]) for i in cuts])


def _scored(probs: np.ndarray, target: np.ndarray) -> Scored:
    if not np.isfinite(probs).all() or (probs < -1e-6).any() or (np.abs(probs.sum(1) - 1) > 1e-3).any():
        raise ValueError("metrics: each row of probs must be a distribution (finite, not negative, sum 1)")
    row, size = np.arange(len(target)), probs.shape[1]
    actions, action = among_actions(probs), np.maximum(target - 1, 0)
    given = actions[row, action]
    ahead = (actions > given[:, None]) | ((actions == given[:, None]) & (np.arange(size - 1) < action[:, None]))
    return Scored(
        target,
        given,
        np.where(given > 0, ahead.sum(1), size),  # probability 0 is no hit
        actions.argmax(1) + 1,
        probs[row, target],
        (probs**2).sum(1),
        probs.max(1),
        probs.argmax(1) == target,
        probs[:, 0],
        size,
    )


def prediction_metrics(probs: np.ndarray, target: np.ndarray) -> dict[str, float]:
    """`scores_of` one log."""
    return scores_of(scored(probs, target))


def scores_of(of: Scored) -> dict[str, float]:
    """The `pred.*` scores.

    Over the decision points in which the user acts, from P(action | the user acts) (column 0 removed, renormalised):
    pred.top1, pred.top3, pred.macro_f1, pred.nll [nats]. Over all decision points, none included: pred.brier, pred.ece,
    and, where the log holds decision points without an action, pred.nll_all [nats] and pred.pr_auc (average precision
    of "the user acts").
    """
    out: dict[str, float] = {}
    acts = of.acts
    if acts.any():
        out[TOP1.id] = float((of.rank[acts] < 1).mean())
        out[TOP3.id] = float((of.rank[acts] < 3).mean())
        out[MACRO_F1.id] = _macro_f1(of.likeliest[acts], of.target[acts])
        out[NLL.id] = float(of.losses[acts].mean())
    if len(of.target):
        out[BRIER.id] = float((of.squares - 2 * of.p + 1).mean())  # squared distance to the target (Brier, 1950)
        out[ECE.id] = ece(of)
    if acts.any() and not acts.all():
        out[NLL_ALL.id] = float(_loss(of.p, of.size).mean())
        out[PR_AUC.id] = average_precision(1 - of.none, acts)
    return out


def among_actions(probs: np.ndarray) -> np.ndarray:
    """P(action | the user acts), shape (n, A - 1); uniform where the prediction gives all to none."""
    rest = probs[:, 1:]
    total = rest.sum(1, keepdims=True)
    return np.where(total > 0, rest / np.where(total > 0, total, 1), 1 / rest.shape[1])


def _macro_f1(likeliest: np.ndarray, target: np.ndarray) -> float:
    """Mean F1 of the likeliest action, over the actions present in `target`."""
    n = int(max(likeliest.max(), target.max())) + 1
    support, claims = np.bincount(target, minlength=n), np.bincount(likeliest, minlength=n)
    hits = np.bincount(target[likeliest == target], minlength=n)
    return float((2 * hits / np.maximum(support + claims, 1))[support > 0].mean())


def _loss(p: np.ndarray, size: int) -> np.ndarray:
    """Negative log-likelihood [nats] of .999 p + .001 / K."""
    loss: np.ndarray = -np.log((1 - _SMOOTHING) * p + _SMOOTHING / size)
    return loss


class Reliability(NamedTuple):
    """What a reliability diagram draws; a row per bin of confidence that holds any decision point."""

    low: np.ndarray  # (b,) lower edge of the bin
    confidence: np.ndarray  # (b,) mean probability of the likeliest outcome
    accuracy: np.ndarray  # (b,) how often it happened
    points: np.ndarray  # (b,) how many


def reliability(of: Scored, bins: int = 15) -> Reliability:
    """Confidence against accuracy in `bins` equal bins of the likeliest outcome's probability, none included."""
    confidence, correct = of.confidence, of.correct
    # bins are closed above: (0, 1/b], ..., ((b-1)/b, 1]
    index = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    count = np.bincount(index, minlength=bins)
    there = np.flatnonzero(count)

    def mean(of: np.ndarray) -> np.ndarray:
        return np.bincount(index, of, bins)[there] / count[there]

    return Reliability(there / bins, mean(confidence), mean(correct), count[there])


def ece(of: Scored, bins: int = 15) -> float:
    """Expected calibration error of the likeliest outcome (Guo et al., ICML 2017)."""
    table = reliability(of, bins)
    return float((table.points * np.abs(table.confidence - table.accuracy)).sum() / table.points.sum())


def average_precision(score: np.ndarray, positive: np.ndarray) -> float:
    """Area under the precision-recall steps: sum of (R_i - R_i-1) P_i over the distinct scores, from the highest."""
    order = np.argsort(-score, kind="stable")
    ranked = score[order]
    last = np.r_[np.flatnonzero(np.diff(ranked)), len(ranked) - 1]  # equal scores are one step
    hits = np.cumsum(positive[order])[last]
    return float((np.diff(hits, prepend=0) * hits / (last + 1)).sum() / hits[-1])
