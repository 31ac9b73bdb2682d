"""Where worlds write what an agent can sense: preallocated arrays, a row a world, allocation-free while running."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import ClassVar

import numpy as np

from lam_env.core.events import Vocabulary
from lam_env.core.shared import Fixed
from lam_env.core.units import DAY, WEEK

WINDOW = 16  # tokens an observation shows
EPOCH_FIELDS = ("time", "gap", "user", "new", "followup")
DAY_PARTS = 4  # of six hours each, by which answers are counted
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")  # time 0 is a Monday


def _clock_table() -> np.ndarray:
    """(10080, 4) sin and cos of the hour of day and of the day of week, by minute of week."""
    minute = np.arange(10_080)
    day, week = 2 * np.pi * minute / 1440, 2 * np.pi * (minute // 1440) / 7
    return np.stack([np.sin(day), np.cos(day), np.sin(week), np.cos(week)], 1).astype(np.float32)


CLOCK = _clock_table()
_MINUTES = list(CLOCK)  # a row of a list is found faster than one of an array


_VIEWS = (  # of a row, and what makes copies of them
    *("epoch", "context", "last_seen", "feedback", "heard", "mask", "events", "latent", "plan", "whole"),
    *("_arrays", "_window", "_older", "_newer", "_copies"),
)


class ObservationRow:
    """One row of `ObservationRows`: a world writes here.

    epoch (5,) int64: EPOCH_FIELDS; context (C,) float32; last_seen (n_tokens,) float32 [ticks]; feedback (2 A,)
    float32: accepted then refused agent actions; heard (DAY_PARTS F A,) float32: how often each feedback was heard
    on each action, by part of the day; mask (A,) int8. These are memoryviews: to read or write an item costs
    half of what it costs in an array. events (2, WINDOW) int64: tokens, oldest first, and their times, written by
    `push`. latent (L,) and plan (2 A,): float32 arrays, size 0 unless revealed. `whole`: the bytes of all but the last
    two, in the order of `ObservationRows.PARTS`.
    """

    __slots__ = (*_VIEWS, "_hidden", "_now", "_now32", "_place", "_rows", "_times", "_write_now32")

    def __init__(self, rows: ObservationRows, i: int):
        self._rows, self._place = rows, i
        self._look(rows, i)

    def __reduce__(self) -> tuple[object, ...]:
        return ObservationRow, (self._rows, self._place)

    def _look(self, rows: ObservationRows, i: int) -> None:
        arrays = (rows.epoch, rows.context, rows.last_seen, rows.feedback, rows.mask, rows.heard)
        self._arrays = tuple([a[i] for a in arrays])
        self.epoch, self.context, self.last_seen, self.feedback, self.mask, self.heard = [a.data for a in self._arrays]
        self.whole = rows.whole[i].data
        self.events = rows.events[i]
        self._window = self.events.reshape(-1).data
        self._older, self._newer = self._window[:-1], self._window[1:]
        self.latent, self.plan = rows.latent[i], rows.plan[i]
        self._copies: tuple[Callable[[], np.ndarray], ...] = ()  # until `observe` is first called

    def _prepare(self) -> None:
        """What only `observe` needs: most rows of persons are never observed."""
        self._hidden = {k: a for k, a in (("latent", self.latent), ("plan", self.plan)) if a.size}
        tokens, self._times = self.events
        self._copies = tuple(a.copy for a in (tokens, *(self._arrays[k] for k in (0, 1, 3, 4, 5))))
        # arrays without dimensions: numpy subtracts from them twice as fast as from a number
        self._now = self._arrays[0][:1].reshape(())
        self._now32 = np.zeros((), np.float32)
        self._write_now32 = self._now32.reshape(1).data

    def clear(self) -> None:
        self.whole[:] = bytes(len(self.whole))
        self.latent[:] = self.plan[:] = 0
        self._arrays[2][:] = -WEEK

    def forget(self) -> None:
        """Nothing has happened yet, but what can be read stays."""
        self.events[:] = 0
        self._arrays[3][:] = self._arrays[5][:] = 0
        self._arrays[2][:] = -WEEK

    def hear(self, second: int, feedback: int, action: int, good: bool | None = None) -> None:
        """Feedback, by its number in the vocabulary, was heard on an action at a time [s]; what is no number there is
        left to whoever reads the log. `good`: whether it accepts the action; None: it says nothing of that."""
        n_actions, part = len(self.mask), second % DAY * DAY_PARTS // DAY
        n_words = len(self.heard) // (DAY_PARTS * n_actions)
        if feedback < n_words:
            self.heard[(part * n_words + feedback) * n_actions + action] += 1
        if good is not None:
            self.feedback[action if good else n_actions + action] += 1

    def push(self, token: int, time: int) -> None:
        """A new token at the end of the window."""
        window = self._window
        # one move for tokens and times: the time that slips into the last token's place is overwritten
        self._older[:] = self._newer
        window[WINDOW - 1] = token
        window[2 * WINDOW - 1] = self.last_seen[token] = time

    def observe(self) -> dict[str, np.ndarray]:
        """The observation of this world: the same numbers as `ObservationRows.observe`, without its batch axis."""
        if not self._copies:
            self._prepare()
        tokens, epoch, context, feedback, mask, heard = self._copies
        self._write_now32[0] = time = self.epoch[0]
        obs = {
            "tokens": tokens(),
            "ages": self._now - self._times,
            "epoch": epoch(),
            "clock": _MINUTES[time // 60 % 10_080].copy(),
            "context": context(),
            "since": self._now32 - self._arrays[2],
            "feedback": feedback(),
            "heard": heard(),
            "action_mask": mask(),
        }
        if self._hidden:
            for name, array in self._hidden.items():
                obs[name] = array.copy()
        return obs


class _Unread(ObservationRow):
    """A row that nobody has asked for anything yet: most rows of a copied world's persons are never asked. It then
    becomes a usual one, for a class with `__getattr__` is slow for ever."""

    __slots__ = ()

    def __init__(self, rows: ObservationRows, i: int):
        self._rows, self._place = rows, i

    def __getattr__(self, name: str) -> object:
        if name not in _VIEWS:
            raise AttributeError(name)
        self.__class__ = ObservationRow  # type: ignore[assignment]
        self._look(self._rows, self._place)
        return getattr(self, name)


class ObservationRows:
    """The arrays of n worlds, and the observations (fresh copies) made from them.

    Their names and numbers are those of `ObservationRow`, with a batch axis. What is a world's own lies together, so
    that it may be copied as one.
    """

    PARTS: ClassVar[dict[str, type]] = {
        **{"epoch": np.int64, "context": np.float32, "events": np.int64},
        **{"last_seen": np.float32, "feedback": np.float32, "heard": np.float32, "mask": np.int8},
    }
    epoch: np.ndarray
    events: np.ndarray
    context: np.ndarray
    last_seen: np.ndarray
    feedback: np.ndarray
    heard: np.ndarray
    mask: np.ndarray

    def __init__(self, n: int, vocabulary: Vocabulary, n_latent: int = 0, plan: bool = False):
        a = len(vocabulary)
        shapes: dict[str, tuple[int, ...]] = {
            "epoch": (len(EPOCH_FIELDS),),
            "events": (2, WINDOW),
            "context": (len(vocabulary.readings),),
            "last_seen": (vocabulary.n_tokens,),
            "feedback": (2 * a,),
            "heard": (DAY_PARTS * len(vocabulary.feedback) * a,),
            "mask": (a,),
        }
        starts, end = dict[str, int](), 0
        for name, kind in self.PARTS.items():
            size = np.dtype(kind).itemsize
            starts[name] = -(-end // size) * size  # where a number of its size may begin
            end = starts[name] + math.prod(shapes[name]) * size
        self.starts, self._shapes = Fixed(starts), Fixed(shapes)  # of each part within a row [bytes]
        self.whole = np.zeros((n, -(-end // 8) * 8), np.uint8)
        self.latent = np.zeros((n, n_latent), np.float32)
        self.plan = np.zeros((n, 2 * a if plan else 0), np.float32)
        self._look()

    def _look(self) -> None:
        """The parts as views of the whole."""
        for name, kind in self.PARTS.items():
            start, shape = self.starts[name], self._shapes[name]
            part = self.whole[:, start : start + math.prod(shape) * np.dtype(kind).itemsize]
            setattr(self, name, part.view(kind).reshape(len(part), *shape))

    def __getstate__(self) -> dict[str, object]:
        return {k: v for k, v in vars(self).items() if k not in self.PARTS}

    def __setstate__(self, state: dict[str, object]) -> None:
        vars(self).update(state)
        self._look()

    def row(self, i: int) -> ObservationRow:
        return ObservationRow(self, i)

    def each(self) -> list[ObservationRow]:
        return _Each(self)

    def observe(self) -> dict[str, np.ndarray]:
        """Observations (N, ...) of all worlds."""
        time = self.epoch[:, :1]
        obs = {
            "tokens": self.events[:, 0].copy(),
            "ages": time - self.events[:, 1],
            "epoch": self.epoch.copy(),
            "clock": CLOCK[time[:, 0] // 60 % 10_080],
            "context": self.context.copy(),
            "since": time.astype(np.float32) - self.last_seen,
            "feedback": self.feedback.copy(),
            "heard": self.heard.copy(),
            "action_mask": self.mask.copy(),
        }
        if self.latent.shape[1]:
            obs["latent"] = self.latent.copy()
        if self.plan.shape[1]:
            obs["plan"] = self.plan.copy()
        return obs


class _Each(list[ObservationRow]):
    """All rows, which a copy makes anew."""

    def __init__(self, rows: ObservationRows):
        super().__init__([_Unread(rows, i) for i in range(len(rows.whole))])
        self._rows = rows

    def __reduce__(self) -> tuple[object, ...]:
        return _Each, (self._rows,)
