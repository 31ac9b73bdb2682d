"""Scores of predicted choices, and the rows that stand beside the model: uniform, most frequent, logit, gradient boosting."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable

import numpy as np

from lam_env.core.progress import Report
from lam_env.logs.choices import Choices

from .model import fit_choices
from .network import ChoiceSettings

LOGIT = ChoiceSettings(interactions=False, rank=0, hidden=0, members=1)
INTERACTIONS = ChoiceSettings(hidden=0, members=1)
_FOLDS = 5


def scores(p: np.ndarray, chosen: np.ndarray) -> dict[str, float]:
    """top1, top3, nll [nats] of probabilities (n, K) and chosen columns (n,). Ties share the hit, as in a random order."""
    own = p[np.arange(len(p)), chosen]
    above, level = (p > own[:, None] + 1e-12).sum(1), (np.abs(p - own[:, None]) <= 1e-12).sum(1)
    found = {f"top{k}": float(np.clip((k - above) / level, 0, 1).mean()) for k in (1, 3)}
    return found | {"nll": float(-np.log(np.maximum(own, 1e-12)).mean())}


def uniform(choices: Choices) -> np.ndarray:
    there = choices.offered >= 0
    return there / there.sum(1, keepdims=True)


def pick_rates(train: Choices) -> np.ndarray:
    """(C,) how often each option is taken when on offer; rare ones are drawn to the mean."""
    there = choices_of(train)
    seen = np.bincount(train.offered[there], minlength=len(train.options))
    taken = np.bincount(train.offered[np.arange(len(train)), train.chosen], minlength=len(train.options))
    return (taken + 4 * len(train) / there.sum()) / (seen + 4)


def choices_of(choices: Choices) -> np.ndarray:
    """(n, K) where something is on offer."""
    return choices.offered >= 0


def most_frequent(train: Choices, test: Choices) -> np.ndarray:
    """(n, K): pick rates, made to sum to 1 over the offered set."""
    rates = np.where(choices_of(test), pick_rates(train)[np.maximum(test.offered, 0)], 0)
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
    y = np.concatenate([_taken(part) for part, _ in parts])
    settings = {"objective": "binary", "learning_rate": 0.05, "num_leaves": 15, "min_data_in_leaf": 30, "lambda_l2": 5}
    settings |= {"feature_fraction": 0.6, "bagging_fraction": 0.7, "bagging_freq": 1, "cat_smooth": 20}
    settings |= {"verbose": -1, "num_threads": 1, "seed": seed, "deterministic": True}
    booster = lightgbm.train(settings, lightgbm.Dataset(x, y, categorical_feature=[0]), 250)
    raw = np.full(test.offered.shape, -np.inf)
    raw[choices_of(test)] = booster.predict(_table(test, pick_rates(train)), raw_score=True)
    raw -= raw.max(1, keepdims=True)
    return np.exp(raw) / np.exp(raw).sum(1, keepdims=True)


def _taken(choices: Choices) -> np.ndarray:
    return (np.arange(choices.offered.shape[1]) == choices.chosen[:, None])[choices_of(choices)]


def _table(choices: Choices, rates: np.ndarray) -> np.ndarray:
    """A row for each option on offer: option, its pick rate against the set's best other, traits, context, what is held."""
    there = choices_of(choices)
    row, column = np.nonzero(there)
    logit = np.log(rates / np.maximum(1 - rates, 1e-6))
    own = np.where(there, logit[np.maximum(choices.offered, 0)], -np.inf)
    ranked = np.sort(own, axis=1)
    mine = own[row, column]
    rival = np.where(mine >= ranked[row, -1], ranked[row, -2] if own.shape[1] > 1 else mine, ranked[row, -1])
    rival = np.where(np.isfinite(rival), rival, -9)
    return np.column_stack(
        [
            choices.offered[there],
            mine,
            rival,
            mine - rival,
            choices.features[there],
            choices.context[row],
            choices.held[row],
        ]
    )


def evaluation_rows(
    train: Choices, valid: Choices, test: Choices, settings: ChoiceSettings, seed: int, progress: Report
) -> dict[str, np.ndarray]:
    """Probabilities (n, K) on `test` of every row of the table. What has no passes to choose learns from `valid` too."""
    every = _joined(train, valid)

    def model(chosen: ChoiceSettings) -> Callable[[], np.ndarray]:
        return lambda: fit_choices(train, valid, chosen, seed, progress).probabilities(test)

    found: dict[str, np.ndarray] = {"uniform": uniform(test), "most_frequent": most_frequent(every, test)}
    for name, chosen in (("logit", LOGIT), ("logit_interactions", INTERACTIONS), ("choice_model", settings)):
        found[name] = model(chosen)()
    if boosting_there():
        found["boosting"] = boosting(every, test, seed)
    return found


def _joined(a: Choices, b: Choices) -> Choices:
    arrays = ("offered", "chosen", "group", "context", "held", "features")
    columns = {name: np.concatenate([getattr(a, name), getattr(b, name)]) for name in arrays}
    return Choices(a.options, a.numbers, a.things, a.traits, **columns)
