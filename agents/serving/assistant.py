"""A policy on one's own stream of events, without a simulator."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from lam_env.core.errors import UserError
from lam_env.core.events import AGENT, FEEDBACK, READING, SENSOR, USER, Event
from lam_env.core.observation import ObservationRows
from lam_env.core.units import DAY
from lam_env.logs.decision_points import ABSENCE
from lam_env.logs.local_time import zone_of

from ..carry import PredictorState, anticipation, carried, plain, slow_actions, update
from ..fine_tuning.heads import AdviceHead, PlainHead
from ..fine_tuning.policy import TunedPolicy
from ..predictors.network import Predictor
from ..predictors.pool import Pool
from ..thresholded import Thresholded
from .adviser import Adviser
from .clock import Clock, Time
from .household import HouseholdState
from .responses import NOTHING, VocabularyIndex

NEVER = -float(DAY)  # [s] before the stream began: never yet
MOST_ACTS = 4  # agent actions at one instant, as in simulated worlds
MOST_QUIET = 92 * DAY  # [s] a longer silence is a mistake in the time, or a reason to start afresh


@dataclass(frozen=True)
class Suggestion:
    """What to do now. The dictionaries are by name of action.

    action: a name, or "none". probabilities: P(the user does it next, before the next decision point). soon: P(the user
    does it within its patience), empty if the prior does not say. in_time: P(doing it now is in time), of the two.
    values: the policy's logits, or how far the probabilities lie above its threshold; 0 for none; -inf where it is not
    possible or too improbable to be considered.
    """

    action: str
    probabilities: dict[str, float]
    soon: dict[str, float]
    in_time: dict[str, float]
    values: dict[str, float]
    why: str


class Assistant:
    """Hears what happens, in order of time, and says what to do.

    Times are seconds since a Monday 00:00 local time (fractions are cut off), or datetimes, naive local ones or, where
    the home's `zone` is known, with a time zone; see `Clock`. User and sensor events raise a decision point, at which
    the prior's memory is stepped; so does as much quiet as in its training log (`Predictor.timer`), for a day of
    silence at most. Readings, feedback and what the agent did are noted for the next suggestion and decision point.
    Whatever is refused (UserError) leaves everything as it was.
    """

    def __init__(
        self,
        policy: TunedPolicy | Thresholded,
        zone: ZoneInfo | None = None,
        synonyms: Mapping[str, str] = MappingProxyType({}),
    ):
        self._zone = zone
        assert isinstance(policy.predictor, Predictor | Pool)  # others cannot be saved
        self.policy, self.predictor = policy, policy.predictor
        self._quiet = np.inf if self.predictor.timer is None else self.predictor.timer
        self.vocabulary = self.predictor.vocabulary
        v = self.vocabulary
        self._words, self._slow = VocabularyIndex(v, synonyms), slow_actions(v.patience)
        self._rows = ObservationRows(1, v)
        self._row = self._rows.row(0)
        self._clear()

    def _clear(self) -> None:
        self._row.clear()
        self._clock = Clock(self._zone)
        self._carry: PredictorState | None = None
        self._due: float = -1  # [s] when the next decision point of the timer is; -1: no time has come yet
        self._until: float = -1  # [s] when the timer stops if the silence lasts
        self._new = 0  # tokens since the last decision point
        self._acts: list[int] = []  # agent actions since the start, which feedback events refer to
        self._done: list[int] = []  # those since the last decision point
        devices: dict[str, list[int]] = {}  # the actions of each device: names that are alike up to the last dot
        for a, name in enumerate(self.vocabulary.actions[1:], 1):
            devices.setdefault(name.rpartition(".")[0] or name, []).append(a)
        self._devices = list(devices.values())

    def reset(self, time: Time) -> None:
        """Forget everything; the stream starts at `time`. Without it, the first event is the start."""
        Clock(self._zone).read(time)  # refuses before anything is forgotten
        self._clear()
        self._tell(time)

    def forget(self) -> None:
        """Forget what the household has done and answered so far; what is sensed now, and the time, stay."""
        sensed, clock, due = bytes(self._row.context), self._clock, self._due
        self._clear()
        self._row.context.cast("B")[:] = sensed
        self._clock = clock
        if due >= 0:  # the stream goes on: as if it began now
            self._row.epoch[0], self._until = clock.now, clock.now + ABSENCE
            self._raise_decision(clock.now)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """All that is known of the household, for `lam_env.load(run, household=folder)`."""
        HouseholdState("home", self.state_dict()).save(folder, self.predictor)

    def state_dict(self) -> dict[str, object]:
        """The same as plain data."""
        times = {"due": self._due, "until": self._until, "clock": self._clock.state_dict()}
        acts = {"new": self._new, "acts": self._acts, "done": self._done}
        return {"row": self._rows.whole, "carry": plain(self._carry), **times, **acts}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from what `state_dict` gave."""
        self._rows.whole[:] = state["row"]
        self._carry = carried(self.predictor, state["carry"], 1)
        self._due, self._until, self._new = state["due"], state["until"], state["new"]
        self._acts, self._done = list(state["acts"]), list(state["done"])
        self._clock.load_state_dict(state["clock"])

    def _tell(self, time: Time) -> int:
        seconds = self._clock.read(time)
        if self._due < 0:
            self._due = self._row.epoch[0] = seconds
            self._until = seconds + ABSENCE
        elif seconds - self._clock.now > MOST_QUIET:
            days = (seconds - self._clock.now) // DAY
            raise UserError(f"time: {time} is {days} days after the last event; call reset to start afresh")
        self._clock.move(time, seconds)
        return seconds

    # -- what happens -------------------------------------------------------------------------------------------------

    def observe(
        self,
        event: Event | None = None,
        *,
        time: Time | None = None,
        user: int = 0,
        action: str | None = None,
        sensor: str | None = None,
        reading: str | None = None,
        value: object = None,
        feedback: str | None = None,
    ) -> None:
        """Something happened: an Event, or one of the user's `action`, `sensor`, `reading` with `value`, and `feedback`
        on the agent's `action`. With `time` alone: nothing more has happened until then. Whichever `user` acts, it is
        one stream; who it was, by their number in the log that was learned from, may tell what comes next."""
        when, response = self._words.read(
            event, self._acts, time, value, action=action, sensor=sensor, reading=reading, feedback=feedback
        )
        kind, token = response.kind, response.token
        seconds = self._tell(when)
        if self._carry is None and kind in (USER, SENSOR):
            self._raise_decision(self._due)  # the start has one of its own
        # an event at the instant of the timer forestalls it; the agent's answer at that instant comes after it
        self._pass_time(seconds, until=kind in (AGENT, NOTHING))
        if kind in (USER, SENSOR):
            self._push(token if kind == USER else len(self.vocabulary) + token, seconds)
            self._until = seconds + ABSENCE
            self._raise_decision(seconds, (user if event is None else event.user) if self.predictor.shared else 0)
        elif kind == AGENT and token:
            self._act(token)
        elif kind == READING:
            self._row.context[token] = response.value
        elif kind == FEEDBACK:
            self._words.count(response, self._row, seconds)

    def did(self, action: str) -> None:
        """The agent's action has been carried out. The next suggestion takes it into account."""
        token = self._words.find("action", action)
        self._catch_up("did")
        if token:
            self._act(token)

    # -- decision points ----------------------------------------------------------------------------------------------

    def _pass_time(self, seconds: int, until: bool) -> None:
        """The decision points of the timer before `seconds`; `until`: and at that time."""
        while self._due < seconds or (until and self._due == seconds):
            self._raise_decision(self._due)

    def _raise_decision(self, seconds: float, user: int = 0) -> None:
        epoch = self._row.epoch
        epoch[0], epoch[1], epoch[2], epoch[3], epoch[4] = seconds, seconds - epoch[0], user, self._new, 0
        due = seconds + self._quiet
        self._new, self._due = 0, due if due <= self._until else np.inf
        self._done.clear()
        self._carry = update(self.predictor, self._rows.observe(), self._carry, None)

    def _push(self, token: int, seconds: int) -> None:
        self._row.push(token, seconds)
        self._new += 1

    def _act(self, token: int) -> None:
        # dated to the decision point that it answers, as in simulated worlds: nothing lies in a decision's future
        self._push(token, self._row.epoch[0])
        self._acts.append(token)
        self._done.append(token)
        self._row.epoch[3], self._row.epoch[4] = self._new, len(self._done)

    def _catch_up(self, what: str) -> None:
        if self._due < 0:
            raise UserError(f"{what}: nothing has been observed yet; call reset(time) or observe something first")
        self._pass_time(self._clock.now, until=True)

    # -- what to do ---------------------------------------------------------------------------------------------------

    def suggest(self, possible: Sequence[str] | None = None) -> Suggestion:
        """What to do now. `possible`: actions that would change something now; if not given, all but the last known
        command to each device (the name up to its last dot) and any to a device acted on since the last decision point.
        It changes nothing: ask as often as you like."""
        mask = self._words.mask(possible)
        self._catch_up("suggest")
        if possible is None:
            mask = self._untouched(mask)
        self._rows.mask[0] = mask
        assert self._carry is not None
        said = self._carry.said
        logits = self.policy.scores(self._rows.observe(), said)[0]
        q = anticipation(said, self._slow)[0]
        values = logits - logits[0]
        values[values < -1e8] = -np.inf
        best = int(values.argmax()) if len(self._done) < MOST_ACTS else 0
        p, soon = said.next[0], said.soon[0] if said.soon is not None else None
        why = self._why(best, p, q, values, mask)
        return Suggestion(
            self.vocabulary.actions[best],
            self._words.by_name(p),
            {} if soon is None else self._words.by_name(soon),
            self._words.by_name(q),
            self._words.by_name(values),
            why,
        )

    def _untouched(self, mask: np.ndarray) -> np.ndarray:
        """Without the state a device is last known to be in, and devices acted on since the last decision point."""
        names = self.vocabulary.actions
        times = np.asarray(self._row.last_seen)[: len(names)]
        for actions in self._devices:
            last = max(actions, key=lambda a: times[a])
            fresh = len(actions) > 1 or self._row.epoch[0] - times[last] < self.vocabulary.patience[last]
            if times[last] > NEVER and fresh:  # a device with a single command comes to rest by itself
                mask[last] = 0
        if self._done:
            touched = {names[a].rpartition(".")[0] or names[a] for a in self._done}
            mask[[(name.rpartition(".")[0] or name) in touched for name in names]] = 0
            mask[0] = 1
        return mask

    def _why(self, best: int, p: np.ndarray, q: np.ndarray, values: np.ndarray, mask: np.ndarray) -> str:
        names = self.vocabulary.actions
        if best:
            value = f"value {values[best]:+.2f} against 0 for none"
            return f"{names[best]}: in time with probability {q[best]:.2f} (next {p[best]:.2f}), {value}"
        if len(self._done) >= MOST_ACTS:
            return f"none: {MOST_ACTS} actions have been done at this instant, and no more"
        likely = int(np.where(mask > 0, q, -1.0)[1:].argmax()) + 1 if mask[1:].any() else 0
        if not likely:
            return "none: no other action is possible"
        considered = np.isfinite(values[likely])
        value = f"value {values[likely]:+.2f} against 0" if considered else "too little to be considered"
        return f"none: the likeliest possible, {names[likely]}, is in time with probability {q[likely]:.2f}, {value}"


def serve(
    policy: TunedPolicy | Thresholded,
    zone: str | None = None,
    household: str | os.PathLike[str] | None = None,
    synonyms: Mapping[str, str] = MappingProxyType({}),
) -> Assistant | Adviser:
    """`policy`, ready to observe a stream of events; an `Adviser` if it advises persons. `zone`: the home's time zone;
    `household`: the folder of what one has known before; `synonyms`: what its stream calls actions and sensors
    otherwise -> their names in the vocabulary."""
    place = None if zone is None else zone_of(zone, "zone")
    if isinstance(policy, TunedPolicy) and not isinstance(policy.head, PlainHead):
        advises = isinstance(policy.head, AdviceHead)
    else:
        assert policy.predictor is not None  # others cannot be served
        advises = bool(policy.predictor.vocabulary.values())
    made = Adviser(policy, place) if advises else Assistant(policy, place, synonyms)
    if household is not None:
        made.load_state_dict(HouseholdState.load(household, made.predictor, "persons" if advises else "home").state)
    return made
