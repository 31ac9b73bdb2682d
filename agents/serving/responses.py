"""What a stream says, in the ids of a vocabulary: for policies that are served to one's own log or application."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from lam_env.config.convert import short, suggestion
from lam_env.core.errors import UserError
from lam_env.core.events import BAD, FEEDBACK, GOOD, KINDS, READING, SENSOR, USER, Event, Vocabulary

from .clock import is_finite

NOTHING = -1  # the kind where only time passes
_LARGEST = float(np.finfo(np.float32).max)
_LISTS = ("action", "action", "feedback", "sensor", "reading")  # in the order of KINDS


class Response(NamedTuple):
    """`token` indexes the vocabulary's list of its kind; `answered`: the agent's action that feedback is on, 0 if none."""

    kind: int
    token: int = 0
    value: Any = None
    answered: int = 0


class VocabularyIndex:
    """Finds ids for names, and says what is wrong with those it does not know (UserError)."""

    def __init__(self, vocabulary: Vocabulary):
        v = self.vocabulary = vocabulary
        self._names = {"action": v.actions, "sensor": v.sensors, "reading": v.readings, "feedback": v.feedback}
        self._index = {what: {name: i for i, name in enumerate(names)} for what, names in self._names.items()}

    def find(self, what: str, name: Any) -> int:
        """The id of an "action", a "sensor", a "reading" or a "feedback"."""
        index = self._index[what].get(name) if isinstance(name, str) else None
        if index is None:
            names = self._names[what]
            hint = suggestion(name, names, "") if isinstance(name, str) else ""
            hint = hint or (
                f"there are {', '.join(names[:6])}{', ...' if len(names) > 6 else ''}" if names else "there is none"
            )
            raise UserError(f"no {what} {short(name)}; {hint}")
        return index

    def mask(self, possible: Sequence[str] | None) -> np.ndarray:
        """(A,) int8: the possible actions by name, all if None; none is always possible."""
        if isinstance(possible, str):
            raise UserError(f"suggest: possible={possible!r} is one name; give a list of names")
        mask = np.full(len(self.vocabulary), possible is None, np.int8)
        if possible is not None:
            mask[[self.find("action", name) for name in possible]] = 1
        mask[0] = 1
        return mask

    def by_name(self, numbers: np.ndarray) -> dict[str, float]:
        """(A,) by name of action."""
        return dict(zip(self.vocabulary.actions, numbers.tolist(), strict=True))

    def parts(self, value: Any, **named: str | None) -> Response:
        """What `observe` was told: one of action, sensor, reading (with its value), and feedback on an action; or nothing."""
        given = [what for what, name in named.items() if name is not None]
        ids = {what: self.find(what, named[what]) for what in given}
        if (value is not None) != (named["reading"] is not None):
            raise UserError("observe: a reading and its value go together")
        if named["feedback"] is not None:
            if given != ["action", "feedback"]:
                raise UserError(f"observe: say which action the feedback {named['feedback']!r} is on, and nothing else")
            return Response(FEEDBACK, ids["feedback"], answered=ids["action"])
        if len(given) > 1:
            raise UserError(f"observe: {' and '.join(given)} are several events; observe them one by one")
        if not given:
            return Response(NOTHING)
        kind = {"action": USER, "sensor": SENSOR, "reading": READING}[given[0]]
        return self._sound(Response(kind, ids[given[0]], value))

    def event(self, event: Event, acts: Sequence[int]) -> Response:
        """An event of a log; `acts`: the agent's actions so far, which feedback refers to."""
        if not 0 <= event.kind < len(KINDS):
            raise UserError(f"event: there is no kind {event.kind}; there are {', '.join(KINDS)}")
        names = self._names[_LISTS[event.kind]]
        if not 0 <= event.token < len(names):
            raise UserError(
                f"event: {KINDS[event.kind]} {event.token} is not in the vocabulary, which has {len(names)}"
            )
        answered = 0
        if event.kind == FEEDBACK and event.answers >= 0:
            if event.answers >= len(acts):
                raise UserError(f"event: feedback on agent action {event.answers}, but only {len(acts)} were done")
            answered = acts[event.answers]
        return self._sound(Response(event.kind, event.token, event.value, answered))

    def _sound(self, heard: Response) -> Response:
        if heard.kind == READING and (not is_finite(heard.value) or abs(float(heard.value)) > _LARGEST):
            name = self.vocabulary.readings[heard.token]
            raise UserError(f"reading {name!r}: expected a finite number, got {short(heard.value)}")
        if heard.kind == USER and not heard.token:
            raise UserError('observe: "none" is no action; give the time alone')
        return heard

    def count(self, heard: Response, feedback: Any) -> None:
        """Adds feedback that says whether an action was wanted to the counts (2 A,)."""
        name = self.vocabulary.feedback[heard.token]
        if heard.answered and (name in GOOD or name in BAD):
            feedback[heard.answered if name in GOOD else len(self.vocabulary) + heard.answered] += 1
