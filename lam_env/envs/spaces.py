"""The spaces of every environment of the kit."""

from __future__ import annotations

import numpy as np
from gymnasium import spaces

from lam_env.core.events import Vocabulary
from lam_env.core.observation import DAY_PARTS, EPOCH_FIELDS, WINDOW

_BIG = 1 << 62  # ticks; Gymnasium draws samples below the bound + 1, which has to be an int64 too


def observation_space(vocabulary: Vocabulary, n_latent: int = 0, plan: bool = False) -> spaces.Dict:
    """What an agent senses at a decision point.

    tokens (16,) int64: the last events, oldest first, 0 for none; ages (16,) int64 [ticks] since each; epoch (5,)
    int64, `EPOCH_FIELDS`: time; ticks since the decision point before; index of the user; new tokens since then; agent
    actions at this instant so far (a follow-up decision when > 0); clock (4,): sin and cos of hour of day and day of
    week; context (C,): readings; since (n_tokens,) [ticks] since each token was last seen; feedback (2 A,): how often
    each agent action was accepted, then how often refused, in this episode; heard (4 F A,): how often each word of the
    vocabulary's feedback was heard on each action, by part of the day, of six hours from midnight; action_mask (A,):
    possible actions.
    """
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
