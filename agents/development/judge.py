"""Scores of predicted choices, and the rows beside the model: uniform, most frequent, logit, gradient boosting."""

from __future__ import annotations

import importlib
import importlib.util

import numpy as np

from lam_env.core.progress import Report
from lam_env.logs.choices import Choices

from .model import fit_choices
from .network import ChoiceSettings

LOGIT = ChoiceSettings(interactions=False, rank=0, hidden=0, members=1)
INTERACTIONS = ChoiceSettings(hidden=0, members=1)
_FOLDS = 5


def scores(p: np.ndarray, chosen: np.ndarray) -> dict[str, float]:
    """top1, top3, nll [nats] of probabilities (n, K) and chosen columns (n,). Ties share the hit, as by chance."""
    own = p[np.arange(len(p)), chosen]
    above, level = (p > own[:, None] + 1e-12).sum(1), (np.abs(p - own[:, None]) <= 1e-12).sum(1)
    top = {f"top{k}": float(np.clip((k - above) / level, 0, 1).mean()) for k in (1, 3)}
    return top | {"nll": float(-np.log(np.maximum(own, 1e-12)).mean())}


def uniform(choices: Choices) -> np.ndarray:
    there = choices.there()
    return there / there.sum(1, keepdims=True)


def pick_rates(train: Choices) -> np.ndarray:
    """(C,) how often each option is taken when on offer; rare ones are drawn to the mean."""
    there = train.there()
    times = np.bincount(train.offered[there], minlength=len(train.options))
    taken = np.bincount(train.offered[np.arange(len(train)), train.chosen], minlength=len(train.options))
    return (taken + 4 * len(train) / there.sum()) / (times + 4)


def most_frequent(train: Choices, test: Choices) -> np.ndarray:
    """(n, K): pick rates, made to sum to 1 over the offered set."""
    rates = np.where(test.there(), pick_rates(train)[np.maximum(test.offered, 0)], 0)
    return rates / rates.sum(1, keepdims=True)


def boosting_there() -> bool:
    return importlib.util.find_spec("lightgbm") is not None


def boosting(train: Choices, test: Choices, seed: int) -> np.ndarray:
    """(n, K) of LightGBM on each option on offer (taken or not), made to sum to 1 over the set.

    Pick rates of training rows are those of the other folds, or an option's own outcome would be among its inputs."""
    lightgbm = importlib.import_module("lightgbm")
    fold = train.group % _FOLDS
    parts = [(train.select(fold == k), pick_rates(train.select(fold != k))) for k in range(_FOLDS) if (fold == k).any()]
    x = np.concatenate([_table(part, rates) for part, rates in parts])
    k = np.arange(train.offered.shape[1])
    y = np.concatenate([(k == part.chosen[:, None])[part.there()] for part, _ in parts])
    settings = {"objective": "binary", "learning_rate": 0.05, "num_leaves": 15, "min_data_in_leaf": 30, "lambda_l2": 5}
    settings |= {"feature_fraction": 0.6, "bagging_fraction": 0.7, "bagging_freq": 1, "cat_smooth": 20}
    settings |= {"verbose": -1, "num_threads": 1, "seed": seed, "deterministic": True}
    booster = lightgbm.train(settings, lightgbm.Dataset(x, y, categorical_feature=[0]), 250)
    raw = np.full(test.offered.shape, -np.inf)
    raw[test.there()] = booster.predict(_table(test, pick_rates(train)), raw_score=True)
    raw -= raw.max(1, keepdims=True)
    return np.exp(raw) / np.exp(raw).sum(1, keepdims=True)


def _table(choices: Choices, rates: np.ndarray) -> np.ndarray:
    """A row for each option on offer: option, its pick rate against the set's best other, traits, context, things."""
    there = choices.there()
    row, column = np.nonzero(there)
    logit = np.log(rates / np.maximum(1 - rates, 1e-6))
    own = np.where(there, logit[np.maximum(choices.offered, 0)], -np.inf)
    ranked = np.sort(own, axis=1)
    mine = own[row, column]
    rival = np.where(mine >= ranked[row, -1], ranked[row, -2] if own.shape[1] > 1 else mine, ranked[row, -1])
    rival = np.where(np.isfinite(rival), rival, -9)
    rates_of = (choices.offered[there], mine, rival, mine - rival)
    return np.column_stack([*rates_of, choices.features[there], choices.context[row], choices.held[row]])


def evaluation_rows(
    train: Choices, valid: Choices, test: Choices, settings: ChoiceSettings, seed: int, progress: Report
) -> dict[str, np.ndarray]:
    """Probabilities (n, K) on `test` of every row of the table. What has no passes to choose learns `valid` too."""
    every = train.joined(valid)
    rows = {"uniform": uniform(test), "most_frequent": most_frequent(every, test)}
    for name, s in (("logit", LOGIT), ("logit_interactions", INTERACTIONS), ("choice_model", settings)):
        rows[name] = fit_choices(train, valid, s, seed, progress).probabilities(test)
    if boosting_there():
        rows["boosting"] = boosting(every, test, seed)
    return rows
