"""Scores of predictions: pure functions on arrays.

Throughout, `probs` (n, A) holds P(next user action) per decision point, column 0 "none", rows summing to 1; `target`
(n,) the action that followed, 0 none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lam_env.core.catalogue import BRIER, ECE, MACRO_F1, NLL, NLL_ALL, PR_AUC, TOP1, TOP3
from lam_env.core.contracts import Said, Sparse
from lam_env.evaluation.predictions.ranking import Ranking, quotient, sums_by

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
    sure: np.ndarray  # P(action | the user acts) of the likeliest
    kept: np.ndarray  # (n, k) float32: P(action | the user acts) of the actions of `columns`
    columns: tuple[int, ...]
    size: int  # A

    @classmethod
    def joined(cls, parts: Sequence[Scored]) -> Scored:
        """Several logs, or pieces of one, in one."""
        *arrays, columns, sizes = zip(*parts, strict=True)
        return cls._make([*map(np.concatenate, arrays), columns[0], sizes[0]])

    @property
    def acts(self) -> np.ndarray:
        """(n,) bool: where the user acts."""
        there: np.ndarray = self.target > 0
        return there

    @property
    def losses(self) -> np.ndarray:
        """(n,) what pred.nll is the mean of [nats]; 0 where the user does not act."""
        return np.where(self.acts, _loss(self.given, self.size - 1), 0.0)


def scored(probs: Said, target: np.ndarray, columns: Sequence[int] = ()) -> Scored:
    """Of predictions (n, A) and what followed (n,); ValueError where they are none. `columns`: actions whose
    probabilities are kept, row by row."""
    if isinstance(probs, Sparse):
        return _scored_sparse(probs, target, tuple(columns))
    probs, target = np.asarray(probs), np.asarray(target, np.int64)
    if probs.ndim != 2 or target.shape != probs.shape[:1] or probs.shape[1] < 2:
        raise ValueError(f"metrics: probs must be (n, A >= 2) and target (n,), not {probs.shape} and {target.shape}")
    if len(target) and not (target.min() >= 0 and target.max() < probs.shape[1]):
        raise ValueError(f"metrics: targets lie outside the {probs.shape[1]} columns of probs")
    rows = max(1, _AT_ONCE // probs.shape[1])
    cuts = range(0, max(1, len(target)), rows)
    pieces = [(probs[i : i + rows].astype(np.float64), target[i : i + rows]) for i in cuts]
    return Scored.joined([_scored(*piece, tuple(columns)) for piece in pieces])


def _scored(probs: np.ndarray, target: np.ndarray, columns: tuple[int, ...]) -> Scored:
    _check(probs, probs.sum(1))
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
        actions.max(1),
        actions[:, np.array(columns, int) - 1].astype(np.float32),
        columns,
        size,
    )


def _check(probs: np.ndarray, total: np.ndarray) -> None:
    if not np.isfinite(probs).all() or (probs < -1e-6).any() or not (np.abs(total - 1) <= 1e-3).all():
        raise ValueError("metrics: each row of probs must be a distribution (finite, not negative, sum 1)")


def _scored_sparse(of: Sparse, target: np.ndarray, columns: tuple[int, ...]) -> Scored:
    """As `_scored`, which looks at n times A numbers: here at those that are told, and at the common ones, sorted."""
    common, group, size, n = of.common.astype(np.float64), of.group, of.common.shape[1], len(of)
    row, outcome = np.divmod(of.key, size)
    under = of.share[row] * common[group[row], outcome]  # what a told one has in place of
    total = of.share * common.sum(1)[group] + np.bincount(row, of.p - under, n)
    _check(np.r_[of.common.ravel(), of.p], total)
    action = np.maximum(target, 1)
    none, chosen = of.at(np.zeros(n, int)), of.at(action)
    acts = total - none
    # `place`: of each action among the common ones; `ahead`: how many of these come before the target's action
    order = np.argsort(-common[:, 1:], axis=1, kind="stable")
    place = np.empty_like(order)
    np.put_along_axis(place, order, np.arange(size - 1)[None], axis=1)
    ahead = place[group, action - 1]
    told = np.isin(np.arange(n) * size + action, of.key)
    for g in np.unique(group[told]).tolist():
        mine = told & (group == g)
        ahead[mine] = np.searchsorted(-common[g, 1:][order[g]], -(chosen[mine] / of.share[mine]))
    row, outcome, p = (part[outcome > 0] for part in (row, outcome, of.p))  # of the user's actions
    before = (p > chosen[row]) | ((p == chosen[row]) & (outcome < action[row]))
    rank = ahead + np.bincount(row, before * 1.0 - (place[group[row], outcome - 1] < ahead[row]), n)
    # the likeliest: of those told, or the first of the common ones
    likeliest, peak = order[group, 0] + 1, np.zeros(n)
    np.maximum.at(peak, row, p)
    usual = of.share * common[group, likeliest]
    best = np.full(n, size)
    np.minimum.at(best, row[p == peak[row]], outcome[p == peak[row]])
    likeliest = np.where(peak > usual, best, np.where(peak == usual, np.minimum(best, likeliest), likeliest))
    peak = np.maximum(peak, usual)
    kept = of.share[:, None] * common[:, list(columns)][group]
    for k, a in enumerate(columns):
        kept[row[outcome == a], k] = p[outcome == a]
    kept /= acts[:, None]
    given = chosen / acts
    return Scored(
        target,
        given,
        np.where(given > 0, rank, size).astype(np.int64),
        likeliest,
        of.at(target),
        of.share**2 * (common**2).sum(1)[group] + np.bincount(of.key // size, of.p**2 - under**2, n),
        np.maximum(peak, none),
        np.where(none >= peak, 0, likeliest) == target,
        none,
        peak / acts,
        kept.astype(np.float32),
        columns,
        size,
    )


def prediction_metrics(probs: np.ndarray, target: np.ndarray) -> dict[str, float]:
    """`scores_of` one log."""
    return scores_of(scored(probs, target))


def scores_of(of: Scored) -> dict[str, float]:
    """The `pred.*` scores that there are, as `weighted_scores`, each decision point being there once."""
    out = {id: float(each) for id, each in weighted_scores(of, np.ones(len(of.target))).items()}
    return {id: value for id, value in out.items() if np.isfinite(value)}


def weighted_scores(of: Scored, weight: np.ndarray) -> dict[str, np.ndarray]:
    """The `pred.*` scores (...,) of decision points of a `weight` (..., n), as if each were there so many times; NaN
    where a score needs what is not there.

    Over the decision points in which the user acts, from P(action | the user acts) (column 0 removed, renormalised):
    pred.top1, pred.top3, pred.macro_f1, pred.nll [nats]. Over all decision points, none included: pred.brier, pred.ece,
    and, where the log holds decision points without an action, pred.nll_all [nats] and pred.pr_auc (average precision
    of "the user acts").
    """
    acts = of.acts
    when = weight.compress(acts, -1)

    def mean(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
        return quotient((values * weight).sum(-1), weight.sum(-1))

    out = {
        TOP1.id: mean(of.rank[acts] < 1, when),
        TOP3.id: mean(of.rank[acts] < 3, when),
        MACRO_F1.id: by_action(of, weight).macro[2],
        NLL.id: mean(_loss(of.given[acts], of.size - 1), when),
        BRIER.id: mean(of.squares - 2 * of.p + 1, weight),  # squared distance to the one-hot target (Brier, 1950)
        ECE.id: ece(of, weight=weight),
    }
    if not acts.all():
        both = when.any(-1) & weight.compress(~acts, -1).any(-1)
        out[NLL_ALL.id] = np.where(both, mean(_loss(of.p, of.size), weight), np.nan)
        out[PR_AUC.id] = np.where(both, Ranking(1 - of.none, acts).areas(weight).precision, np.nan)
    return out


def among_actions(probs: np.ndarray) -> np.ndarray:
    """P(action | the user acts), shape (n, A - 1); uniform where the prediction gives all to none."""
    rest = probs[:, 1:]
    total = rest.sum(1, keepdims=True)
    return np.where(total > 0, rest / np.where(total > 0, total, 1), 1 / rest.shape[1])


class ByAction(NamedTuple):
    """Of each action, (..., A): precision and recall of the likeliest action, where the user acts, and F1; NaN where
    there is nothing to divide by. `events`: how often it happened."""

    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    events: np.ndarray

    @property
    def macro(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Means (...,) of precision, recall and F1, over the actions that happen; NaN where none does. The precision of
        what is never the likeliest is 0 there."""
        there = self.events > 0
        precision, recall, f1 = (
            quotient((np.nan_to_num(each) * there).sum(-1), there.sum(-1))
            for each in (self.precision, self.recall, self.f1)
        )
        return precision, recall, f1


def by_action(of: Scored, weight: np.ndarray) -> ByAction:
    """weight (..., n): as in `weighted_scores`."""
    acts, right = of.acts, of.acts & (of.target == of.likeliest)
    when = weight.compress(acts, -1)
    events = sums_by(of.target[acts], when, of.size)
    claims = sums_by(of.likeliest[acts], when, of.size)
    hits = sums_by(of.target[right], weight.compress(right, -1), of.size)
    return ByAction(quotient(hits, claims), quotient(hits, events), quotient(hits, (events + claims) / 2), events)


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


def _bin(confidence: np.ndarray, bins: int) -> np.ndarray:
    """(n,) of equal bins that are closed above: (0, 1/b], ..., ((b-1)/b, 1]."""
    index: np.ndarray = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    return index


def reliability(of: Scored, bins: int = 15) -> Reliability:
    """Confidence against accuracy in `bins` equal bins of the likeliest outcome's probability, none included."""
    index = _bin(of.confidence, bins)
    count = np.bincount(index, minlength=bins)
    there = np.flatnonzero(count)
    confidence, accuracy = (
        np.bincount(index, each, bins)[there] / count[there] for each in (of.confidence, of.correct)
    )
    return Reliability(there / bins, confidence, accuracy, count[there])


def ece(of: Scored, weight: np.ndarray, bins: int = 15) -> np.ndarray:
    """Expected calibration error (...,) of the likeliest outcome (Guo et al., ICML 2017), of decision points of a
    `weight` (..., n): over bins of confidence, the mean distance to accuracy."""
    apart = sums_by(_bin(of.confidence, bins), (of.confidence - of.correct) * weight, bins)
    return quotient(np.abs(apart).sum(-1), weight.sum(-1))
