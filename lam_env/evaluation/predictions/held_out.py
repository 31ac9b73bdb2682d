"""What is told of predictions on the held-out part of a log: scores with their standard errors, and the same by action,
hour and user.

A score is a function of weights of decision points, so that of a resampled log is the same function. Whole days of one
stream, or whole streams where there are many, are drawn with replacement, the same ones for all predictors.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lam_env.core.catalogue import (
    EVENTS,
    MACRO_PR_AUC,
    MACRO_PRECISION,
    MACRO_RECALL,
    MACRO_ROC_AUC,
    NLL,
    OF_ACTION,
    OF_GROUP,
    RIGHT,
    RIGHT_PR_AUC,
    RIGHT_ROC_AUC,
    SUREST,
    TOP1,
    UNITS,
    metric,
)
from lam_env.core.events import ActionLog
from lam_env.core.units import HOUR
from lam_env.evaluation.metrics import Scored, by_action, weighted_scores
from lam_env.evaluation.predictions.ranking import Ranking, quotient, sums_by
from lam_env.evaluation.statistics import sd_over
from lam_env.logs.coverage import has_clock
from lam_env.logs.decision_points import DecisionPoints, day_of_target

MOST_ACTIONS = 20  # the most frequent ones, which are told one by one
MOST_USERS, LEAST_EVENTS = 10, 10  # users told one by one: half of them the worst, half the best; of so many events
DRAWS, FEWEST_DRAWS = 200, 50
NONE = 1e-9
MOST_ROWS = 1 << 24  # of all draws together, of a long log
AT_ONCE = 1 << 20  # rows of draws that are judged together


@dataclass(frozen=True)
class HeldOutRows:
    """The n decision points of a held-out part. (n,) each: `unit`, the day or stream that is drawn as a whole; the
    `day`, the `hour` (None: no clock) and the `user` (None: but one) of what follows. `columns`: the most frequent
    actions; `called`: a user's name, by number."""

    unit: np.ndarray
    day: np.ndarray
    hour: np.ndarray | None
    user: np.ndarray | None
    columns: tuple[int, ...]
    called: Callable[[int], str] = str

    @classmethod
    def of(cls, log: ActionLog, points: DecisionPoints, test: np.ndarray) -> HeldOutRows:
        """test (n,) bool: which of a log's `points` are held out."""
        one = log.protocol.split == "days"
        day, start = day_of_target(points)[test], (points.time - points.duration).astype(np.int64)
        hour = np.r_[start[1:], start[-1:]][test] // HOUR % 24 if has_clock(log) else None
        user = (np.r_[points.user[1:], points.user[-1:]] if one else points.world)[test]
        target = points.target[test]
        often = np.bincount(target[target > 0], minlength=len(log.vocabulary))
        columns = [int(a) for a in np.argsort(-often, kind="stable")[:MOST_ACTIONS] if often[a]]
        several = bool((user != user[:1]).any())
        unit = day if one else points.world[test]
        return cls(unit, day, hour, user if several else None, tuple(columns), log.user_name)


def held_out_scores(of: Scored, rows: HeldOutRows, actions: Sequence[str]) -> dict[str, float]:
    """All `pred.*` of a log, and `sd.pred.*` of them where there are two units at least; `actions`: names, by id."""
    if not len(of.target):
        return {}
    judge = _Judge(of, rows, actions)
    value = {key: float(v) for key, v in judge(np.ones(len(of.target))).items() if np.isfinite(v)}
    _, index = np.unique(rows.unit, return_inverse=True)
    n = int(index.max()) + 1
    out = value | {UNITS.id: float(n), EVENTS.id: float((of.target > 0).sum())}
    own = {key: units for key, units in judge.units(index).items() if key in value}
    out |= {metric(key).units.id: float(units) for key, units in own.items()}
    if n > 1:
        rng = np.random.Generator(np.random.PCG64(0))
        many = max(FEWEST_DRAWS, min(DRAWS, MOST_ROWS // len(index)))
        times = np.stack([np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(many)]).astype(float)
        at_once = max(1, AT_ONCE // len(index))
        drawn = [judge(times[i : i + at_once].take(index, -1)) for i in range(0, many, at_once)]
        for key in (k for k in value if not k.startswith(EVENTS.id)):
            each = np.concatenate([scores[key] for scores in drawn])
            each, units = each[np.isfinite(each)], own.get(key, n)
            if 2 * len(each) > many and units > 1:  # what most draws lack, or but one unit has, is not told
                sd = float(each.std() * (units / (units - 1)) ** 0.5)
                out |= {metric(key).sd.id: sd} if sd > NONE else {}
    return out | _by_user(of, rows)


_SUREST = {RIGHT.at("surest", name).id: float(name.removesuffix(" %")) / 100 for name in SUREST}


class _Judge:
    """All scores (...,) as a function of weights (..., n). What has to be sorted is sorted once."""

    def __init__(self, of: Scored, rows: HeldOutRows, actions: Sequence[str]):
        self.of, self.acts = of, of.acts
        self.actions = [[m.at("action", actions[a]).id for a in of.columns] for m in OF_ACTION]
        self.hours = [[m.at("hour", f"{h:02}").id for h in range(24)] for m in OF_GROUP]
        self.hour = None if rows.hour is None else rows.hour[self.acts]
        # where one acts that takes the likeliest action, and is right
        self.sure = (1 - of.none) * of.sure
        self.right = Ranking(self.sure, of.target == of.likeliest)
        target = of.target[self.acts]
        self.hits, self.losses = of.rank[self.acts] < 1, of.losses[self.acts]
        self.one_by_one = [Ranking(of.kept[self.acts, k], target == a) for k, a in enumerate(of.columns)]

    def __call__(self, weight: np.ndarray) -> dict[str, np.ndarray]:
        """NaN where a score needs what is not there."""
        when = weight.compress(self.acts, -1)
        right = self.right.areas(weight)
        return {
            **weighted_scores(self.of, weight),
            **{RIGHT_ROC_AUC.id: right.roc, RIGHT_PR_AUC.id: right.precision},
            **dict(zip(_SUREST, self.right.right_of_first(list(_SUREST.values()), weight), strict=True)),
            EVENTS.id: when.sum(-1),
            **self._by_action(weight, when),
            **self._by_hour(when),
        }

    def units(self, unit: np.ndarray) -> dict[str, int]:
        """Of the score of a part: in how many units, numbered in `unit` (n,), it has cases. Precision has them where
        the action is the likeliest, recall where it happens; a share of the surest where these are."""
        n, of, when = int(unit.max()) + 1, self.of, unit[self.acts]
        claimed, happens = of.likeliest[self.acts], of.target[self.acts]

        def number(group: np.ndarray, at: np.ndarray, size: int) -> np.ndarray:
            return np.bincount(np.unique(group * n + at) // n, minlength=size)

        out: dict[str, int] = {}
        of_action = ((claimed, when), (happens, when), (np.r_[claimed, happens], np.r_[when, when]))
        for ids, (group, at) in zip(self.actions[:3], of_action, strict=True):
            out |= dict(zip(ids, number(group, at, of.size)[list(of.columns)].tolist(), strict=True))
        if self.hour is not None:
            each = number(self.hour, when, 24).tolist()
            for ids in self.hours[:2]:
                out |= dict(zip(ids, each, strict=True))
        order = np.argsort(-self.sure, kind="stable")
        first = {id: order[: math.ceil(share * len(order))] for id, share in _SUREST.items()}
        return out | {id: len(np.unique(unit[rows])) for id, rows in first.items()}

    def _by_action(self, weight: np.ndarray, when: np.ndarray) -> dict[str, np.ndarray]:
        each = by_action(self.of, weight)
        precision, recall, _ = each.macro
        out = {MACRO_PRECISION.id: precision, MACRO_RECALL.id: recall}
        for ids, column in zip(self.actions, each, strict=True):
            out |= {id: column[..., a] for id, a in zip(ids, self.of.columns, strict=True)}
        areas = [ranking.areas(when) for ranking in self.one_by_one]
        for m, under in (
            (MACRO_ROC_AUC, [each.roc for each in areas]),
            (MACRO_PR_AUC, [each.precision for each in areas]),
        ):
            known = np.isfinite(under)
            out[m.id] = quotient(np.where(known, under, 0).sum(0), known.sum(0))
        return out

    def _by_hour(self, when: np.ndarray) -> dict[str, np.ndarray]:
        if self.hour is None:
            return {}
        hits, losses, events = (sums_by(self.hour, each * when, 24) for each in (self.hits, self.losses, 1.0))
        columns = (quotient(hits, events), quotient(losses, events), np.where(events > 0, events, np.nan))
        return {ids[h]: each[..., h] for ids, each in zip(self.hours, columns, strict=True) for h in range(24)}


def _by_user(of: Scored, rows: HeldOutRows) -> dict[str, float]:
    """Of those least and best known; a user's standard error is over their own days."""
    if rows.user is None:
        return {}
    acts = of.acts
    user, day, hit, loss = rows.user[acts], rows.day[acts], (of.rank[acts] < 1) * 1.0, of.losses[acts]
    who, index, events = np.unique(user, return_inverse=True, return_counts=True)
    known = np.bincount(index, hit) / events
    ranked = [k for k in np.argsort(known, kind="stable").tolist() if events[k] >= LEAST_EVENTS]
    half = MOST_USERS // 2
    out: dict[str, float] = {}
    for k in ranked if len(ranked) <= MOST_USERS else ranked[:half] + ranked[-half:]:
        mine, name = index == k, rows.called(int(who[k]))
        out[EVENTS.at("user", name).id] = float(events[k])
        for m, values in ((TOP1, hit[mine]), (NLL, loss[mine])):
            one = m.at("user", name)
            out |= {one.id: float(values.mean()), one.units.id: float(len(np.unique(day[mine])))}
            if np.isfinite(sd := sd_over(day[mine], values)):
                out[one.sd.id] = sd
    return out
