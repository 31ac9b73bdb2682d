"""A policy that advises persons, on one's own stream of events, without a simulator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lam_env.config.convert import short
from lam_env.core.contracts import Prediction
from lam_env.core.errors import UserError
from lam_env.core.events import AGENT, EVERYBODY, FEEDBACK, READING, SENSOR, USER, Event
from lam_env.core.observation import ObservationRows

from ..advice.plugin import worth
from ..carry import PredictorState, update
from ..fine_tuning.policy import TunedPolicy
from ..thresholded import Thresholded
from .clock import Clock
from .responses import Response, VocabularyIndex


@dataclass(frozen=True)
class Advice:
    """What to say to a person now. The dictionaries are by name of action.

    action: what to advise, or "none" to say nothing. probabilities: P(she does it by herself). worth: what each action would save, by
    kind (`own`, `external`), as the readings say. values: the policy's logits, or the probabilities; 0 for none; -inf where it is not possible.
    """

    user: int | str
    action: str
    probabilities: dict[str, float]
    worth: dict[str, dict[str, float]]
    values: dict[str, float]
    why: str


class _Person:
    """What is known of one person, as in `PersonalWorld`: a row of her own, and what the prior said when she was last asked."""

    def __init__(self, index: int, rows: ObservationRows, shared: np.ndarray):
        self.index, self.rows, self.row = index, rows, rows.row(0)
        self.row.clear()
        self.row.context[:] = shared
        self.row.epoch[2] = index
        self.asked, self.fresh = -1, 0  # when she was last asked [s], and her tokens since then
        self.said: Prediction | None = None


class Adviser:
    """Hears what happens to many persons, in order of time, and says what to advise whom.

    A person is called by a number or a name, `user`. A sensor event of hers (in traffic `pretrip`: her decision is due) asks for
    her advice: the prior's memory of her is stepped, and `suggest(user)` answers. Her actions, feedback and readings are hers;
    a reading without a user is everybody's. Advice given leaves no trace: what she makes of it is heard in what she does and in
    feedback. Times are as those of `Assistant`. Whatever is refused (UserError) leaves everything as it was.
    """

    def __init__(self, policy: TunedPolicy | Thresholded):
        self.policy = policy
        self.predictor: Any = policy.predictor
        self.vocabulary = self.predictor.vocabulary
        self._words = VocabularyIndex(self.vocabulary)
        self._clear()

    def _clear(self) -> None:
        self._clock = Clock()
        self._carry: PredictorState | None = None
        self._people: dict[int | str, _Person] = {}
        self._shared = np.zeros(len(self.vocabulary.readings), np.float32)
        self._acts: list[int] = []  # agent actions since the start, which feedback events refer to

    def reset(self, time: Any) -> None:
        """Forget everybody; the stream starts at `time`."""
        seconds = Clock().read(time)  # refuses before anything is forgotten
        self._clear()
        self._clock.move(time, seconds)

    # -- what happens -------------------------------------------------------------------------------------------------

    def observe(
        self,
        event: Event | None = None,
        *,
        time: Any = None,
        user: int | str | None = None,
        action: str | None = None,
        sensor: str | None = None,
        reading: str | None = None,
        value: Any = None,
        feedback: str | None = None,
    ) -> None:
        """Something happened: an Event (its time in seconds), or one of `action` (hers), `sensor` (she is asked), `reading` with
        `value`, and `feedback` on the `action` advised to her. Readings without a `user` are everybody's."""
        named = {"action": action, "sensor": sensor, "reading": reading, "feedback": feedback}
        if event is not None:
            if not all(part is None for part in (time, user, value, *named.values())):
                raise UserError("observe: give an event or its parts, not both")
            heard = self._words.event(event, self._acts)
            self._happen(event.time, None if event.user == EVERYBODY else event.user, heard)
        elif time is None:
            raise UserError("observe: give a time")
        else:
            self._happen(time, user, self._words.parts(value, **named))

    def _happen(self, time: Any, user: int | str | None, heard: Response) -> None:
        if user is not None:
            _check_user(user)
        elif heard.kind in (USER, SENSOR, FEEDBACK):
            raise UserError("observe: say whose it is, user=...; only readings are everybody's")
        seconds = self._clock.read(time)
        self._clock.move(time, seconds)
        if heard.kind == AGENT:
            if heard.token:
                self._acts.append(heard.token)
        elif heard.kind == READING and user is None:
            self._shared[heard.token] = heard.value
            for known in self._people.values():
                known.row.context[heard.token] = heard.value
        elif user is not None and heard.kind in (USER, SENSOR, READING, FEEDBACK):
            self._happen_to(self._person(user), seconds, heard)

    def _happen_to(self, person: _Person, seconds: int, heard: Response) -> None:
        if heard.kind == USER:
            person.row.push(heard.token, seconds)
            person.fresh += 1
        elif heard.kind == READING:
            person.row.context[heard.token] = heard.value
        elif heard.kind == FEEDBACK:
            self._words.count(heard, person.row.feedback)
        else:
            self._ask(person, seconds)

    def _person(self, user: int | str) -> _Person:
        if user not in self._people:
            self._people[user] = _Person(len(self._people), ObservationRows(1, self.vocabulary), self._shared)
        return self._people[user]

    def _ask(self, person: _Person, seconds: int) -> None:
        """Her decision point: the same numbers as `PersonalWorld` shows at it."""
        epoch: Any = person.row.epoch
        epoch[0], epoch[1] = seconds, 0 if person.asked < 0 else seconds - person.asked
        epoch[3], person.asked, person.fresh = person.fresh, seconds, 0
        self._carry = update(self.predictor, person.rows.observe(), self._carry, None)
        person.said = self._carry.said

    # -- what to say --------------------------------------------------------------------------------------------------

    def suggest(self, user: int | str, possible: Sequence[str] | None = None) -> Advice:
        """What to advise her, who was asked last at her sensor event. `possible`: what may be advised to her now (all, if not
        given): leave out what she cannot do, and ask for nobody who has switched the advice off. It changes nothing: ask as
        often as you like."""
        _check_user(user)
        mask, known = self._words.mask(possible), self._people.get(user)
        if known is None or known.said is None:
            sensors = " or ".join(map(repr, self.vocabulary.sensors))
            raise UserError(
                f"suggest: {short(user)} has not been asked yet; call observe(time=..., user={short(user)}, sensor={sensors}) first"
            )
        known.rows.mask[0] = mask
        observation, said = known.rows.observe(), known.said
        logits = self.policy.scores(observation, said)[0]
        values = logits - logits[0]
        values[values < -1e8] = -np.inf
        offered = {kind: found[0] for kind, found in worth(observation["context"], self.vocabulary).items()}
        best, p, by_name = int(values.argmax()), said.next[0], self._words.by_name
        return Advice(
            user,
            self.vocabulary.actions[best],
            by_name(p),
            {kind: by_name(found) for kind, found in offered.items()},
            by_name(values),
            self._why(best, p, values, offered),
        )

    def _why(self, best: int, p: np.ndarray, values: np.ndarray, offered: dict[str, np.ndarray]) -> str:
        names = self.vocabulary.actions
        told = best or (int(values[1:].argmax()) + 1 if np.isfinite(values[1:]).any() else 0)
        if not told:
            return "none: no advice is possible"
        saves = ", ".join(f"{kind} {found[told]:+.1f}" for kind, found in offered.items())
        saves = f"; saves {saves}" if saves else ""
        text = f"{names[told]}: done anyway with probability {p[told]:.2f}{saves}; value {values[told]:+.2f} against 0 for none"
        return text if best else f"none: the best advice would be {text}"


def _check_user(user: Any) -> None:
    whole = isinstance(user, int | np.integer) and not isinstance(user, bool) and user >= 0
    if not whole and not (isinstance(user, str) and user):
        raise UserError(f"user: expected a name or a number from 0 on, got {short(user)}")
