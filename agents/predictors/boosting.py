"""Boosted trees on what was done lately: a part of the pool where only prediction is asked.

The features are those of the protocol of real logs: the last five tokens, hour, weekday, the last duration and gap, and
for each token the minutes since it was last seen and its count today. Library: scikit-learn's histogram boosting.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from lam_env.core.contracts import Prediction, Said, one_by_one
from lam_env.core.progress import Report, silent
from lam_env.core.units import DAY, HOUR
from lam_env.logs.decision_points import DecisionPoints

from ..counting.history import latest
from .features import NEVER, memory
from .likelihood import joined, left_out
from .pool import Pool
from .pooling import LeftOut, counts_of
from .settings import PredictorSettings

LAST = 5  # tokens
BINS = 63, 255  # of a column; the more only where so many tokens have to be told apart
UNSTOPPED = 20  # rounds, where nothing says when to stop
MOST_ACTIONS = 200  # a round grows a tree for each


def features(points: DecisionPoints) -> np.ndarray:
    """(n, LAST + 4 + 2 V) float32, V tokens."""
    n_tokens, time = points.vocabulary.n_tokens, np.asarray(points.time, np.int64)
    bounds = np.r_[points.starts(), len(points)].tolist()
    since, today = np.zeros((2, len(points), n_tokens), np.float32)
    for a, b in zip(bounds[:-1], bounds[1:], strict=True):
        last, today[a:b] = memory(time[a:b], np.asarray(points.tokens[a:b]), n_tokens)
        since[a:b] = np.where(last > 0, np.clip(time[a:b, None] + 1 - last, 0, NEVER), NEVER) / 60
    clock = np.stack([time / HOUR % 24, time // DAY % 7, points.duration, points.gap], 1)
    return np.concatenate([latest(points, LAST), clock, since, today], 1, dtype=np.float32, casting="unsafe")


class Boosting:
    """Fits, each stopped on the block that it leaves out, whose probabilities are averaged."""

    def __init__(self, models: list[Any], n_actions: int):
        self.models, self.n_actions = models, n_actions

    @classmethod
    def fit(
        cls,
        points: DecisionPoints,
        settings: PredictorSettings,
        seed: int,
        progress: Report,
        others: DecisionPoints | None = None,
    ) -> tuple[Boosting, np.ndarray]:
        """As many fits as `settings` has networks; and (n,) what the fit that left a row out says of its target.
        `others`: rows of other homes, from which each fit learns too; together they count for no more than these."""
        x, y = features(points), np.asarray(points.target, np.int64)
        n_actions = len(points.vocabulary)
        x_too, y_too = (x[:0], y[:0]) if others is None else (features(others), np.asarray(others.target, np.int64))
        every = np.concatenate([x, x_too]), np.concatenate([y, y_too])
        weight = None if others is None else np.r_[np.ones(len(y)), np.full(len(y_too), min(1, len(y) / len(y_too)))]
        models, said = [], np.zeros(len(points))
        for i, left in enumerate(left_out(points, settings.blocks, settings.members)):
            progress("boosting", i, settings.members, "")
            model = _fitted(*every, np.r_[left, np.zeros(len(y_too), bool)], n_actions, seed + i, weight)
            models.append(model)
            said[left] = _probabilities(model, x[left], n_actions)[np.arange(left.sum()), y[left]]
        progress("boosting", settings.members, settings.members, "")
        return cls(models, n_actions), said

    def read(self, points: DecisionPoints, rows: np.ndarray | slice = slice(None)) -> Prediction:
        """Of the `rows` alone, where not of all."""
        x = features(points)[rows]
        return Prediction(np.mean([_probabilities(model, x, self.n_actions) for model in self.models], axis=0))


def _fitted(
    x: np.ndarray, y: np.ndarray, left: np.ndarray, n_actions: int, seed: int, weight: np.ndarray | None = None
) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    judged = left & np.isin(y, y[~left])  # it knows no other outcomes
    stops = bool(judged.any())
    tokens = int(x[:, :LAST].max(initial=0)) + 1
    bins = next((few for few in BINS if tokens <= few), BINS[0])
    model = HistGradientBoostingClassifier(
        learning_rate=0.1,
        max_iter=100 if stops else UNSTOPPED,
        max_leaf_nodes=8,
        max_bins=bins,
        min_samples_leaf=10,
        l2_regularization=1.0,
        max_features=0.5,
        categorical_features=list(range(LAST)) if tokens <= bins else None,
        early_stopping=stops,
        n_iter_no_change=8,
        tol=0.0,
        random_state=seed,
    )
    on = {"X_val": x[judged], "y_val": y[judged]} if stops else {}
    with warnings.catch_warnings():  # of few rows with many actions each: what is left out shows what that is worth
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        return model.fit(x[~left], y[~left], None if weight is None else weight[~left], **on)


def _probabilities(model: Any, x: np.ndarray, n_actions: int) -> np.ndarray:
    out = np.zeros((len(x), n_actions), np.float32)
    out[:, model.classes_] = model.predict_proba(x)
    return out


class BoostedPool:
    """A pool and boosted trees, all weighed anew: it reads, but does not step. `weights` (3,): nets, counts, trees."""

    def __init__(self, pool: Pool, boosting: Boosting, weights: np.ndarray):
        self.pool, self.boosting = pool, boosting
        self.weights = np.asarray(weights, np.float32)
        self.vocabulary = pool.vocabulary

    @classmethod
    def fit(
        cls,
        pool: Pool,
        train: DecisionPoints,
        valid: DecisionPoints,
        seed: int = 0,
        progress: Report = silent,
        others: tuple[DecisionPoints, DecisionPoints] | None = None,
    ) -> BoostedPool:
        """`train`, `valid`: those that the pool was fitted to, of events alone; `others`: the same
        of other homes."""
        points, _ = joined(train, valid)
        _, by_counts = counts_of(points, pool.networks.settings.blocks)
        more = None if others is None else joined(*others)[0]
        left = LeftOut.of(pool.networks, points, by_counts, others is not None)
        boosting, said = Boosting.fit(points, pool.networks.settings, seed, progress, more)
        return cls(pool, boosting, left.weights(boosting=said[left.rows]))

    def parts(
        self, points: DecisionPoints, rows: np.ndarray, known: np.ndarray | None = None
    ) -> Iterator[dict[str, Said]]:
        """What each says of the `rows` (n,) bool, piece by piece, (b, A); `known` (n,) bool: rows that it was trained
        on."""
        by_trees, at = self.boosting.read(points, rows).next, 0
        for each in self.pool.parts(points, rows, known):
            here = slice(at, at + len(each["counts"]))
            yield {**each, "boosting": by_trees[here]}
            at = here.stop

    def pooled(self, parts: dict[str, Said]) -> np.ndarray:
        """(n, A) of `parts`."""
        said: np.ndarray = sum(w * one_by_one(p) for w, p in zip(self.weights, parts.values(), strict=True))
        return said


def left_out_of(points: DecisionPoints, pool: Pool) -> str:
    """Why trees do not fit a log, of whose rows these are before the test, beside `pool`; empty if they do."""
    if len(points.vocabulary) > MOST_ACTIONS + 1:
        return (
            f"{len(points.vocabulary) - 1:,} actions are more than {MOST_ACTIONS:,}, and a round grows a tree for each"
        )
    target, settings = np.asarray(points.target), pool.networks.settings
    if any(len(np.unique(target[~left])) < 2 for left in left_out(points, settings.blocks, settings.members)):
        return "in some part of the log nothing is done but one action"
    return ""
