"""Policies that know what a smart home is: the motion rule, the timer, and the oracle."""

from __future__ import annotations

from typing import Any

import numpy as np

from lam_env.core.contracts import Training
from lam_env.core.units import DAY, MINUTE

from .climate import DARK
from .devices import Home

PSEUDO, REFUSED = 4.0, 1.8  # pseudo-counts of acceptance and cost of a refusal, those of the plug-in agents
Predicted = tuple[np.ndarray, Any]


class HomeOracle:
    """Greedy on the hidden plan: does, one act after another, whatever is worth most by what residents will reach for.

    It knows each pending reach, the plan of acts with their coins up to an hour ahead, standing dislikes and wants; it
    does not know later consequences for trust: a mark, what acting on full knowledge of the near future earns, and not
    proved to be the best.
    """

    reveal = ("plan",)
    least = 0.05

    def __init__(self, training: Training | None = None, blind: bool = False):
        """`blind`: it knows what will be wanted within patience, but not harm, dislikes and what is forgotten; what
        this household accepts is counted, as the plug-in does."""
        self.blind = blind

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = True
    ) -> Predicted:
        mask, plan = observation["action_mask"], observation["plan"]
        a = mask.shape[-1]
        value = plan[..., :a]
        if self.blind:  # the plug-in rule with certain wants: acceptance is counted in this household
            accepted, refused = observation["feedback"][..., :a], observation["feedback"][..., a:]
            acceptance = (accepted + PSEUDO) / (accepted + refused + PSEUDO)
            value = np.where(plan[..., a:] > 0, plan[..., a:] * acceptance - REFUSED * (1 - acceptance), 0.0)
        value = np.where(mask > 0, value, 0.0)
        return np.where(value.max(-1) > self.least, value.argmax(-1), 0), state


class MotionRule:
    """The main light on at motion in a dark room, all off after ten minutes without any."""

    def __init__(self, home: Home, quiet: int = 600):
        self.home, self.quiet = home, quiet
        lights = [home.devices[light] for room in home.lights for light in room]
        self.on = np.array([d.commands[2] for d in lights], int)
        self.off = np.array([d.commands[0] for d in lights], int)
        self.rooms = np.array([d.room for d in lights], int)
        self.main = np.array([d.index == home.lights[d.room][0] for d in lights], bool)
        self.sun = home.vocabulary.readings.index("outdoor.sun")

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = True
    ) -> Predicted:
        mask, since = observation["action_mask"], observation["since"]
        if not len(self.on):
            return np.zeros(len(mask), np.int64), state
        quiet = since[:, len(self.home.vocabulary) + self.rooms]
        dark = observation["context"][:, [self.sun]] < DARK
        lit = observation["context"][:, : len(self.on)] > 0
        lit_room = lit @ (self.rooms[:, None] == self.rooms)
        on = self.main & (quiet <= 0) & dark & ~lit_room & (mask[:, self.on] > 0)
        off = (quiet >= self.quiet) & lit & (mask[:, self.off] > 0)
        actions = np.where(off.any(1), self.off[off.argmax(1)], 0)
        return np.where(on.any(1), self.on[on.argmax(1)], actions), state


class Timer:
    """A schedule mined from the log: an action is done at a quarter of an hour at which it was done on at least 40 % of
    the log's days of that kind (weekday, weekend), as a programmable timer would."""

    def __init__(self, training: Training, share: float = 0.4, slots: int = 96):
        train, a = training.train, len(training.vocabulary)
        done = np.flatnonzero(train.target > 0)
        time = np.minimum(train.time[done] + MINUTE, train.time.max())
        slot = time % DAY * slots // DAY
        keys = np.unique(np.stack([train.world[done], time // DAY, slot, train.target[done]], 1), axis=0)
        count = np.zeros((2, slots, a))
        np.add.at(count, ((keys[:, 1] % 7 >= 5).astype(int), keys[:, 2], keys[:, 3]), 1)
        days = np.unique(np.stack([train.world, train.time // DAY], 1), axis=0)[:, 1] % 7 >= 5
        total = np.maximum(np.array([(~days).sum(), days.sum()]), 1)[:, None, None]
        self.schedule = count / total >= share
        self.slots = slots

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = True
    ) -> Predicted:
        time = observation["epoch"][:, 0]
        due = self.schedule[(time // DAY % 7 >= 5).astype(int), time % DAY * self.slots // DAY]
        recent = observation["since"][:, : due.shape[1]] < DAY / self.slots  # once per slot
        due = due & (observation["action_mask"] > 0) & ~recent
        due[:, 0] = False
        return np.where(due.any(1), due.argmax(1), 0), state
