"""A policy that advises persons, on one's own stream of events, without a simulator."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from lam_env.config.convert import short
from lam_env.core.contracts import Prediction
from lam_env.core.errors import UserError
from lam_env.core.events import AGENT, EVERYBODY, FEEDBACK, READING, SENSOR, USER, Event
from lam_env.core.observation import ObservationRows

from ..advice.plugin import worth
from ..carry import PredictorState, carried, plain, update
from ..fine_tuning.policy import TunedPolicy
from ..states import put
from ..thresholded import Thresholded
from .clock import Clock, Time
from .household import HouseholdState
from .responses import Response, VocabularyIndex

MOST_PEOPLE = 100_000  # of whom anything is kept


@dataclass(frozen=True)
class Advice:
    """What to say to a person now. The dictionaries are by name of action.

    action: what to advise, or "none" to say nothing. probabilities: P(they do it anyway). worth: what each action would
    save, by kind (`own`, `external`), as the readings say. values: the policy's logits, or the probabilities; 0 for
    none; -inf where it is not possible.
    """

    user: int | str
    action: str
    probabilities: dict[str, float]
    worth: dict[str, dict[str, float]]
    values: dict[str, float]
    why: str


class _Person:
    """What is known of a person, as in `PersonalWorld`: their row, and the prior's word when they were last asked."""

    def __init__(self, index: int, rows: ObservationRows, shared: np.ndarray):
        self.index, self.rows, self.row = index, rows, rows.row(0)
        self.row.clear()
        self.row.context[:] = shared
        self.row.epoch[2] = index
        self.question, self.fresh = -1, 0  # when they were last asked [s], and their tokens since then
        self.said: Prediction | None = None


class Adviser:
    """Hears what happens to many persons, in order of time, and says what to advise whom.

    A person is called by a number or a name, `user`. Their sensor event (in traffic `pretrip`: a decision is due) asks
    for advice: the prior's memory of them is stepped, and `suggest(user)` answers. Actions, feedback and readings are
    those of the `user`; a reading without one is everybody's. 1 and "1" are one person. Of more than `MOST_PEOPLE`
    whoever was not heard of for longest is forgotten, and would come as somebody new. Advice leaves no trace: what they
    make of it shows in what they do and in feedback. Times are as those of `Assistant`. Whatever is refused (UserError)
    leaves everything as it was.
    """

    def __init__(self, policy: TunedPolicy | Thresholded, zone: ZoneInfo | None = None):
        self._zone = zone
        self.policy = policy
        assert policy.predictor is not None  # others cannot be served
        self.predictor = policy.predictor
        self.vocabulary = self.predictor.vocabulary
        self._words = VocabularyIndex(self.vocabulary)
        self._clear()

    def _clear(self) -> None:
        self._clock = Clock(self._zone)
        self._carry: PredictorState | None = None
        self._people: dict[str, _Person] = {}  # in the order in which they were last heard of
        self._free: list[int] = []  # places of those who were forgotten
        self._shared = np.zeros(len(self.vocabulary.readings), np.float32)
        self._acts: list[int] = []  # agent actions since the start, which feedback events refer to

    def reset(self, time: Time) -> None:
        """Forget everybody; the stream starts at `time`."""
        seconds = Clock(self._zone).read(time)  # refuses before anything is forgotten
        self._clear()
        self._clock.move(time, seconds)

    def forget(self, user: int | str) -> None:
        """Forget a person, who would come as somebody new."""
        _check_user(user)
        if str(user) in self._people:
            self._forget(str(user))

    def save(self, folder: str | os.PathLike[str]) -> None:
        """All that is known of everybody, for `lam_env.load(run, household=folder)`."""
        HouseholdState("persons", self.state_dict()).save(folder, self.predictor)

    def state_dict(self) -> dict[str, object]:
        """The same as plain data."""
        people = [
            {
                **{"name": name, "index": p.index, "row": p.rows.whole, "question": p.question, "fresh": p.fresh},
                "said": None if p.said is None else list(p.said),
            }
            for name, p in self._people.items()
        ]
        here = {"shared": self._shared, "acts": self._acts, "free": self._free, "clock": self._clock.state_dict()}
        return {"people": people, "carry": plain(self._carry), **here}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from what `state_dict` gave."""
        self._clear()
        self._shared[:] = state["shared"]
        self._acts, self._free = list(state["acts"]), list(state["free"])
        self._carry = carried(self.predictor, state["carry"], 1)
        for kept in state["people"]:
            person = _Person(kept["index"], ObservationRows(1, self.vocabulary), self._shared)
            person.rows.whole[:] = kept["row"]
            person.question, person.fresh = kept["question"], kept["fresh"]
            person.said = None if kept["said"] is None else Prediction(*kept["said"])
            self._people[kept["name"]] = person
        self._clock.load_state_dict(state["clock"])

    # -- what happens -------------------------------------------------------------------------------------------------

    def observe(
        self,
        event: Event | None = None,
        *,
        time: Time | None = None,
        user: int | str | None = None,
        action: str | None = None,
        sensor: str | None = None,
        reading: str | None = None,
        value: object = None,
        feedback: str | None = None,
    ) -> None:
        """Something happened: an Event (its time in seconds), or one of the `user`'s `action`, `sensor` (they are
        asked), `reading` with `value`, and `feedback` on the `action` advised to them. Readings without a `user` are
        everybody's."""
        if event is not None:
            if user is not None:
                raise UserError("observe: give an event or its parts, not both")
            user = None if event.user == EVERYBODY else event.user
        when, response = self._words.read(
            event, self._acts, time, value, action=action, sensor=sensor, reading=reading, feedback=feedback
        )
        if user is not None:
            _check_user(user)
        elif response.kind in (USER, SENSOR, FEEDBACK):
            raise UserError("observe: say whose it is, user=...; only readings are everybody's")
        seconds = self._clock.read(when)
        self._clock.move(when, seconds)
        if response.kind == AGENT:
            if response.token:
                self._acts.append(response.token)
        elif response.kind == READING and user is None:
            self._shared[response.token] = response.value
            for known in self._people.values():
                known.row.context[response.token] = response.value
        elif user is not None and response.kind in (USER, SENSOR, READING, FEEDBACK):
            self._happen_to(self._person(user), seconds, response)

    def _happen_to(self, person: _Person, seconds: int, response: Response) -> None:
        if response.kind == USER:
            person.row.push(response.token, seconds)
            person.fresh += 1
        elif response.kind == READING:
            person.row.context[response.token] = response.value
        elif response.kind == FEEDBACK:
            self._words.count(response, person.row, seconds)
        else:
            self._ask(person, seconds)

    def _person(self, user: int | str) -> _Person:
        person = self._people.pop(str(user), None)
        if person is None:
            if len(self._people) >= MOST_PEOPLE:
                self._forget(next(iter(self._people)))  # who was last heard of longest ago
            index = self._free.pop() if self._free else len(self._people)
            person = _Person(index, ObservationRows(1, self.vocabulary), self._shared)
        self._people[str(user)] = person
        return person

    def _forget(self, name: str) -> None:
        """Their place is free."""
        index = self._people.pop(name).index
        self._free.append(index)
        if self._carry is not None and index < self._carry.people:
            put(
                self._carry.state, np.array([index]), self.predictor.start(1)
            )  # in place: a copy would be of all persons

    def _ask(self, person: _Person, seconds: int) -> None:
        """A person's decision point: the same numbers as `PersonalWorld` shows at it."""
        epoch = person.row.epoch
        epoch[0], epoch[1] = seconds, 0 if person.question < 0 else seconds - person.question
        epoch[3], person.question, person.fresh = person.fresh, seconds, 0
        self._carry = update(self.predictor, person.rows.observe(), self._carry, None)
        person.said = self._carry.said

    # -- what to say --------------------------------------------------------------------------------------------------

    def suggest(self, user: int | str, possible: Sequence[str] | None = None) -> Advice:
        """What to advise a person, who was asked last at their sensor event. `possible`: what may be advised now (all,
        if not given): leave out what they cannot do, and ask for nobody who has switched the advice off. It changes
        nothing: ask as often as you like."""
        _check_user(user)
        mask, known = self._words.mask(possible), self._people.get(str(user))
        if known is None or known.said is None:
            sensors, who = " or ".join(map(repr, self.vocabulary.sensors)), short(user)
            call = f"observe(time=..., user={who}, sensor={sensors})"
            raise UserError(f"suggest: {who} has not been asked yet; call {call} first")
        known.rows.mask[0] = mask
        observation, said = known.rows.observe(), known.said
        logits = self.policy.scores(observation, said)[0]
        values = logits - logits[0]
        values[values < -1e8] = -np.inf
        offered = {kind: worths[0] for kind, worths in worth(observation["context"], self.vocabulary).items()}
        best, p, by_name = int(values.argmax()), said.next[0], self._words.by_name
        return Advice(
            user,
            self.vocabulary.actions[best],
            by_name(p),
            {kind: by_name(worths) for kind, worths in offered.items()},
            by_name(values),
            self._why(best, p, values, offered),
        )

    def _why(self, best: int, p: np.ndarray, values: np.ndarray, offered: dict[str, np.ndarray]) -> str:
        names = self.vocabulary.actions
        a = best or (int(values[1:].argmax()) + 1 if np.isfinite(values[1:]).any() else 0)
        if not a:
            return "none: no advice is possible"
        saves = ", ".join(f"{kind} {worths[a]:+.1f}" for kind, worths in offered.items())
        saves = f"; saves {saves}" if saves else ""
        value = f"value {values[a]:+.2f} against 0 for none"
        text = f"{names[a]}: done anyway with probability {p[a]:.2f}{saves}; {value}"
        return text if best else f"none: the best advice would be {text}"


def _check_user(user: object) -> None:
    whole = isinstance(user, int | np.integer) and not isinstance(user, bool) and user >= 0
    if not whole and not (isinstance(user, str) and user):
        raise UserError(f"user: expected a name or a number from 0 on, got {short(user)}")
