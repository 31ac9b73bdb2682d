"""A log of stays at places: which place is home, and which are too seldom seen to have habits of their own."""

from __future__ import annotations

import dataclasses

import numpy as np

from lam_env.config.convert import count
from lam_env.core.events import USER, ActionLog, LogError
from lam_env.core.units import DAY, HOUR

PLACES = "places"  # in `meta`, true: the activities of the log are stays, each named by its place
ELSEWHERE = "elsewhere"
NIGHT = 6 * HOUR  # [s] of a day from midnight, which are spent at home


def of_places(log: ActionLog) -> bool:
    """Is it a log of stays?"""
    return log.meta.get(PLACES) is True


def often(log: ActionLog, fewest: int) -> tuple[ActionLog, str]:
    """A log of intervals in which all places of fewer stays are one, ELSEWHERE, and what was done, for people; "" where
    there are none."""
    old = log.vocabulary.actions
    stays = np.bincount(log.token[log.kind == USER], minlength=len(old))
    seldom = np.flatnonzero((stays > 0) & (stays < fewest))
    if not len(seldom):
        return log, ""
    names = [old[0], *(name for name, times in zip(old[1:], stays[1:].tolist(), strict=True) if times >= fewest)]
    names += [ELSEWHERE] * (ELSEWHERE not in names)
    place = {name: i for i, name in enumerate(names)}
    token = np.array([place.get(name, place[ELSEWHERE]) for name in old])[log.token].astype(log.token.dtype)
    vocabulary = dataclasses.replace(log.vocabulary, actions=tuple(names), patience=(), action_kinds=())
    share = f"{100 * stays[seldom].sum() / stays.sum():.0f} % of the stays"
    said = f"{count(len(seldom), 'place')} of fewer than {fewest} stays count as {ELSEWHERE}: {share}"
    return dataclasses.replace(log, columns={**log.columns, "token": token}, vocabulary=vocabulary), said


def home_of(log: ActionLog) -> str:
    """The place at which most of the time between midnight and six is spent; LogError where there is none."""
    mine = log.kind == USER
    start = log.time[mine] // log.ticks_per_second
    end = start + np.nan_to_num(log.value[mine]).astype(np.int64) // log.ticks_per_second
    by_night = [t // DAY * NIGHT + np.minimum(t % DAY, NIGHT) for t in (start, end)]
    spent = np.bincount(log.token[mine], by_night[1] - by_night[0], minlength=len(log.vocabulary))
    if ELSEWHERE in log.vocabulary.actions:
        spent[log.vocabulary.action(ELSEWHERE)] = 0
    if spent.max(initial=0) <= 0:
        raise LogError("no place is stayed at between midnight and six o'clock, so none is home; is zone right?")
    return log.vocabulary.actions[int(spent.argmax())]
