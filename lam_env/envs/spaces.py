"""The spaces of every environment of the kit, and what names in them mean."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import NamedTuple

import numpy as np
from gymnasium import spaces

from lam_env.core.events import Vocabulary
from lam_env.core.observation import DAY_PARTS, EPOCH_FIELDS, WINDOW

_BIG = 1 << 62  # ticks; Gymnasium draws samples below the bound + 1, which has to be an int64 too
_INF = float("inf")


class Meaning(NamedTuple):
    """What a name stands for. `unit`: empty of counts, shares and words; `low`, `high`: what it can be."""

    text: str
    unit: str = ""
    low: float = -_INF
    high: float = _INF


class Term(NamedTuple):
    """A term of a reward or a utility: what one of it is worth, and what one of it is; `unit` as in `Meaning`."""

    weight: float
    text: str
    unit: str = ""


def flag(text: str) -> Meaning:
    """Of what is 1 where the text holds, and 0 otherwise."""
    return Meaning(f"1: {text}", low=0, high=1)


def meaning(name: str, known: Mapping[str, Meaning]) -> Meaning | None:
    """Of a name, by itself or by the first of the patterns (`presence.*`) that it fits; None where it fits none."""
    if name in known:
        return known[name]
    return next((known[pattern] for pattern in known if fnmatchcase(name, pattern)), None)


# what is under each key of an observation; dtypes, shapes and ranges stand in the space
KEYS = {
    "tokens": Meaning("the last 16 events, oldest first, by number: action a is a, sensor s is A + s; 0: none"),
    "ages": Meaning("time since each of them", "ticks"),
    "epoch": Meaning(
        "time [ticks]; time since the decision point before [ticks]; index of the user; new tokens since then; acts of "
        "the agent at this instant so far (above 0: a follow-up decision)",
        "as said",
    ),
    "clock": Meaning("sine and cosine of the hour of day, then of the day of week"),
    "context": Meaning("the readings, in their order"),
    "since": Meaning("time since each token was last seen; a week before it ever was", "ticks"),
    "feedback": Meaning("how often each action of the agent was accepted in this episode, then how often refused"),
    "heard": Meaning(
        "how often each word of feedback was heard on each action, by part of the day, of six hours from midnight: "
        "parts x words x actions as one row"
    ),
    "action_mask": Meaning("1: possible now; an impossible action is carried out as none"),
    "latent": Meaning("the hidden state, where `reveal` names it"),
    "plan": Meaning("what the people are about to do, for oracles alone, where `reveal` names it"),
}


def observation_space(vocabulary: Vocabulary, n_latent: int = 0, plan: bool = False) -> spaces.Dict:
    """What an agent senses at a decision point: under each of `KEYS` an array. The last two are there where `n_latent`
    is above 0, and where `plan` is true."""
    a, inf = len(vocabulary), np.inf

    def box(n: int, low: float = -inf, high: float = inf) -> spaces.Box:
        return spaces.Box(low, high, (n,), np.float32)

    every: dict[str, spaces.Space] = {
        "tokens": spaces.Box(0, vocabulary.n_tokens - 1, (WINDOW,), np.int64),
        "ages": spaces.Box(0, _BIG, (WINDOW,), np.int64),
        "epoch": spaces.Box(0, _BIG, (len(EPOCH_FIELDS),), np.int64),
        "clock": box(4, -1, 1),
        "context": box(len(vocabulary.readings)),
        "since": box(vocabulary.n_tokens, 0),
        "feedback": box(2 * a, 0),
        "heard": box(DAY_PARTS * len(vocabulary.feedback) * a, 0),
        "action_mask": spaces.MultiBinary(a),
    }
    if n_latent:
        every["latent"] = box(n_latent)
    if plan:
        every["plan"] = box(2 * a)
    return spaces.Dict(every)
