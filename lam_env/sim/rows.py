"""Where worlds write what an agent can sense: preallocated arrays, a row a world, allocation-free while running."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lam_env.events import Vocabulary

WINDOW = 16  # tokens an observation shows
EPOCH_FIELDS = ("time", "gap", "user", "new", "followup")
DAY, WEEK = 86_400, 604_800


def _clock_table() -> np.ndarray:
    """(10080, 4) sin and cos of the hour of day and of the day of week, by minute of week."""
    minute = np.arange(10_080)
    day, week = 2 * np.pi * minute / 1440, 2 * np.pi * (minute // 1440) / 7
    return np.stack([np.sin(day), np.cos(day), np.sin(week), np.cos(week)], 1).astype(np.float32)


CLOCK = _clock_table()


@dataclass
class Row:
    """Views on one row of `Rows`; a world writes here.

    events (2, WINDOW) int64: tokens, oldest first, and their times; epoch (5,) int64: EPOCH_FIELDS; context (C,)
    float32; last_seen (n_tokens,) float32 [ticks]; feedback (2 A,) float32: accepted then refused agent actions;
    mask (A,) int8; latent (L,) and plan (2 A,) float32, size 0 unless revealed. `ints` and `floats` are the flat rows
    behind events and epoch, and behind clock, context and feedback: one copy each makes an observation.
    """

    ints: np.ndarray
    floats: np.ndarray
    last_seen: np.ndarray
    mask: np.ndarray
    latent: np.ndarray
    plan: np.ndarray
    n_context: int

    def __post_init__(self) -> None:
        self.events = self.ints[: 2 * WINDOW].reshape(2, WINDOW)
        self.epoch = self.ints[2 * WINDOW :]
        self.clock = self.floats[:4]
        self.context = self.floats[4 : 4 + self.n_context]
        self.feedback = self.floats[4 + self.n_context :]

    def clear(self) -> None:
        for view in (self.ints, self.floats, self.mask, self.latent, self.plan):
            view[:] = 0
        self.last_seen[:] = -WEEK

    def observe(self) -> dict[str, np.ndarray]:
        """The observation of this world: the same numbers as `Rows.observe`, without its batch axis."""
        time = int(self.epoch[0])
        self.clock[:] = CLOCK[time // 60 % 10_080]
        ints, floats, c = self.ints.copy(), self.floats.copy(), 4 + self.n_context
        obs = {
            "tokens": ints[:WINDOW],
            "ages": time - ints[WINDOW : 2 * WINDOW],
            "epoch": ints[2 * WINDOW :],
            "clock": floats[:4],
            "context": floats[4:c],
            "since": time - self.last_seen,
            "feedback": floats[c:],
            "action_mask": self.mask.copy(),
        }
        if self.latent.size:
            obs["latent"] = self.latent.copy()
        if self.plan.size:
            obs["plan"] = self.plan.copy()
        return obs


class Rows:
    """The arrays of n worlds, and the observations (fresh copies) made from them."""

    def __init__(self, n: int, vocabulary: Vocabulary, n_latent: int = 0, plan: bool = False):
        a = len(vocabulary)
        self.n_context = len(vocabulary.readings)
        self.ints = np.zeros((n, 2 * WINDOW + len(EPOCH_FIELDS)), np.int64)
        self.floats = np.zeros((n, 4 + self.n_context + 2 * a), np.float32)
        self.last_seen = np.zeros((n, vocabulary.n_tokens), np.float32)
        self.mask = np.zeros((n, a), np.int8)
        self.latent = np.zeros((n, n_latent), np.float32)
        self.plan = np.zeros((n, 2 * a if plan else 0), np.float32)

    def row(self, i: int) -> Row:
        arrays = (self.ints, self.floats, self.last_seen, self.mask, self.latent, self.plan)
        return Row(*(a[i] for a in arrays), n_context=self.n_context)

    def observe(self) -> dict[str, np.ndarray]:
        """Observations (N, ...) of all worlds."""
        ints, floats, c = self.ints.copy(), self.floats.copy(), 4 + self.n_context
        time = ints[:, 2 * WINDOW : 2 * WINDOW + 1]
        obs = {
            "tokens": ints[:, :WINDOW],
            "ages": time - ints[:, WINDOW : 2 * WINDOW],
            "epoch": ints[:, 2 * WINDOW :],
            "clock": CLOCK[time[:, 0] // 60 % 10_080],
            "context": floats[:, 4:c],
            "since": time.astype(np.float32) - self.last_seen,
            "feedback": floats[:, c:],
            "action_mask": self.mask.copy(),
        }
        if self.latent.shape[1]:
            obs["latent"] = self.latent.copy()
        if self.plan.shape[1]:
            obs["plan"] = self.plan.copy()
        return obs
