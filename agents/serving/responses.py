"""What a stream says, in the ids of a vocabulary: for policies that are served to one's own log or application."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from lam_env.config.convert import short, suggestion
from lam_env.core.errors import UserError
from lam_env.core.events import BAD, FEEDBACK, GOOD, KINDS, READING, SENSOR, USER, Event, Vocabulary
from lam_env.core.observation import ObservationRow

from .clock import Time, is_finite

NOTHING = -1  # the kind where only time passes
_LARGEST = float(np.finfo(np.float32).max)
_LISTS = ("action", "action", "feedback", "sensor", "reading")  # in the order of KINDS


class Response(NamedTuple):
    """`token` indexes the vocabulary's list of its kind; `value`: of a reading; `action`: the agent's that feedback is
    on, 0 if none."""

    kind: int
    token: int = 0
    value: float = math.nan
    action: int = 0


class VocabularyIndex:
    """Finds ids for names, and says what is wrong with those it does not know (UserError). `synonyms`: other names of
    actions and sensors -> those of the vocabulary."""

    def __init__(self, vocabulary: Vocabulary, synonyms: Mapping[str, str] = MappingProxyType({})):
        v = self.vocabulary = vocabulary
        self._names = {"action": v.actions, "sensor": v.sensors, "reading": v.readings, "feedback": v.feedback}
        self._index = {what: {name: i for i, name in enumerate(names)} for what, names in self._names.items()}
        for index in (self._index["action"], self._index["sensor"]):
            index |= {theirs: index[ours] for theirs, ours in synonyms.items() if ours in index}

    def find(self, what: str, name: object) -> int:
        """The id of an "action", a "sensor", a "reading" or a "feedback"."""
        index = self._index[what].get(name) if isinstance(name, str) else None
        if index is None:
            names = self._names[what]
            hint = suggestion(name, names, "") if isinstance(name, str) else ""
            there = f"there are {', '.join(names[:6])}{', ...' if len(names) > 6 else ''}" if names else "there is none"
            raise UserError(f"no {what} {short(name)}; {hint or there}")
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

    def read(
        self, event: Event | None, acts: Sequence[int], time: Time | None, value: object, **named: str | None
    ) -> tuple[Time, Response]:
        """When it was, and what `observe` was told: an event, or at a time one of action, sensor, reading (with its
        value), and feedback on an action; or nothing. `acts`: the agent's actions so far, which an event's feedback
        refers to."""
        if event is None:
            if time is None:
                raise UserError("observe: give a time")
            return time, self._parts(value, **named)
        if time is not None or value is not None or any(name is not None for name in named.values()):
            raise UserError("observe: give an event or its parts, not both")
        return event.time, self._event(event, acts)

    def _parts(self, value: object, **named: str | None) -> Response:
        kinds = [what for what, name in named.items() if name is not None]
        ids = {what: self.find(what, named[what]) for what in kinds}
        if (value is not None) != ("reading" in ids):
            raise UserError("observe: a reading and its value go together")
        if "feedback" in ids:
            if kinds != ["action", "feedback"]:
                raise UserError(f"observe: say which action the feedback {named['feedback']!r} is on, and nothing else")
            return Response(FEEDBACK, ids["feedback"], action=ids["action"])
        if len(kinds) > 1:
            raise UserError(f"observe: {' and '.join(kinds)} are several events; observe them one by one")
        if not kinds:
            return Response(NOTHING)
        kind = {"action": USER, "sensor": SENSOR, "reading": READING}[kinds[0]]
        return self._sound(kind, ids[kinds[0]], value)

    def _event(self, event: Event, acts: Sequence[int]) -> Response:
        if not 0 <= event.kind < len(KINDS):
            raise UserError(f"event: there is no kind {event.kind}; there are {', '.join(KINDS)}")
        what, size = f"{KINDS[event.kind]} {event.token}", len(self._names[_LISTS[event.kind]])
        if not 0 <= event.token < size:
            raise UserError(f"event: {what} is not in the vocabulary, which has {size}")
        action = 0
        if event.kind == FEEDBACK and event.answers >= 0:
            if event.answers >= len(acts):
                raise UserError(f"event: feedback on agent action {event.answers}, but only {len(acts)} were done")
            action = acts[event.answers]
        return self._sound(event.kind, event.token, event.value, action)

    def _sound(self, kind: int, token: int, value: object, action: int = 0) -> Response:
        number = float(value) if is_finite(value) else math.nan
        if kind == READING and not abs(number) <= _LARGEST:
            name = self.vocabulary.readings[token]
            raise UserError(f"reading {name!r}: expected a finite number, got {short(value)}")
        if kind == USER and not token:
            raise UserError('observe: "none" is no action; give the time alone')
        return Response(kind, token, number, action)

    def count(self, response: Response, row: ObservationRow, seconds: int) -> None:
        """Feedback on an action: adds it to the counts of answers and, if it says whether the action was welcome, to
        those of feedback."""
        name, action = self.vocabulary.feedback[response.token], response.action
        if action:
            row.hear(seconds, response.token, action, True if name in GOOD else False if name in BAD else None)
