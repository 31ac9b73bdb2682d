"""Logs of other homes, from which the predictor of one's own log starts: in one, in the words of one's own."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lam_env.core.errors import UserError
from lam_env.core.events import EVERYBODY, USER, ActionLog, Protocol
from lam_env.core.progress import say
from lam_env.evaluation.report.reader import log_of
from lam_env.experiment.logs.real import in_the_home, unknown_actions
from lam_env.logs.coverage import days_of, has_clock
from lam_env.logs.decision_points import decision_points
from lam_env.logs.labels import Labels
from lam_env.logs.streams import folds, split_by_protocol

LEAST_DAYS = 2  # of another home: of a single one nothing can be left out
OVERLAP = 0.5  # share of equal times from which two logs are one


def other_homes(paths: Sequence[str], labels: str | None, log: ActionLog, n_folds: int = 0) -> ActionLog:
    """The logs of run folders, each stream a world, in the vocabulary of `log`; UserError where one does not fit.
    Prints what of each is known there. `labels`: as in `Labels.read`; `n_folds`: as `log` will be cut."""
    first = folds(log, n_folds)[0] if n_folds else log
    points = decision_points(dataclasses.replace(first, timer=None), soon=False)
    train, valid, _ = split_by_protocol(first, points)
    times = np.bincount(points.target[train | valid], minlength=len(log.vocabulary))[1:]
    known, columns, ends = Labels.read(labels), [], 0
    for path in paths:
        here = f"predictor.start={path}"
        if (found := log_of(Path(path))) is None:
            raise UserError(f"{here}: holds no log; give the folder of a run of lam predict")
        other = _in_words_of(log, found, here, known, times)
        _, world = np.unique(other.world, return_inverse=True)
        tick = other.time // other.ticks_per_second * log.ticks_per_second
        value = other.value * (log.ticks_per_second / other.ticks_per_second if log.intervals else 1)
        # none of one's own people; what an agent did there is told, what it was answered is not
        user, answers = np.full(len(other), EVERYBODY), np.full(len(other), -1)
        changes = {"world": world + ends, "time": tick, "value": value, "user": user, "answers": answers}
        columns.append({**other.columns, **changes})
        ends += int(world.max()) + 1
    joined = {name: np.concatenate([each[name] for each in columns]) for name in columns[0]}
    # no world tests: of each the last days validate
    return ActionLog.from_columns(
        joined,
        log.vocabulary,
        ticks_per_second=log.ticks_per_second,
        intervals=log.intervals,
        protocol=Protocol("each", test=ends),
    )


def _in_words_of(own: ActionLog, other: ActionLog, here: str, labels: Labels, times: np.ndarray) -> ActionLog:
    kinds = [(log.intervals, has_clock(log), log.people) for log in (own, other)]
    if kinds[0] != kinds[1]:
        why = "one log is of activities, the other is not, or tells no time, or is of persons"
        raise UserError(f"{here}: {why}; give a log of the same kind")
    if _same(own, other):
        raise UserError(f"{here}: that is this log itself, which is tested on; give logs of other homes")
    synonyms = labels.synonyms(other.vocabulary.actions[1:], own.vocabulary.actions[1:], times)
    ours = in_the_home(other, own.vocabulary, None, synonyms)
    if ours is None:
        raise UserError(f"{here}: it shares no two actions with this log; say in predictor.labels=FILE what is alike")
    if len(days_of(ours).number) < LEAST_DAYS:
        raise UserError(f"{here}: what is known of it here is of a single day; give a longer log")
    lost = unknown_actions(other, own.vocabulary, synonyms)
    left = f"; left out: {lost}" if lost else ""
    n, of = (int((one.kind == USER).sum()) for one in (ours, other))
    say(f"{here}: {n:,} of {of:,} events are known here{left}")
    return ours


def _same(own: ActionLog, other: ActionLog) -> bool:
    """Whether most of what happened in one log happened at the same moment in the other."""
    if own.meta.get("start") != other.meta.get("start"):
        return False
    one, two = (np.unique(log.time[log.kind == USER] // log.ticks_per_second) for log in (own, other))
    return len(np.intersect1d(one, two)) > OVERLAP * min(len(one), len(two))
