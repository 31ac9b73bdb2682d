"""Events, vocabularies and action logs: the data every part of the kit shares."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from lam_env.core.casts import narrow
from lam_env.core.errors import UserError
from lam_env.core.files.inputs import BROKEN, json_of, reason
from lam_env.core.files.manifest import read_files, write_manifest
from lam_env.core.files.outputs import replace
from lam_env.core.files.parquet import parquet_of, write_parquet
from lam_env.core.files.records import record_of
from lam_env.core.shared import Shared

USER, AGENT, FEEDBACK, SENSOR, READING = range(5)
KINDS = ("user", "agent", "feedback", "sensor", "reading")
GOOD, BAD = ("accept", "follow"), ("override", "reject", "refuse", "ignore", "annoyed")  # feedback: was an act wanted?
WRONG = ("override",)  # of what is bad: it was not what the person wanted, whoever did it
EVENTS, ABOUT, FORMAT = "events.parquet", "log.json", 1  # the files of a log, and the version of what they mean
_MOST_EVENTS, _MOST_ABOUT = 1 << 36, 1 << 30  # [bytes]
LONGEST = 2**53  # [ticks] of an activity: beyond, floats hold no whole numbers
EVERYBODY = -1  # in the place of an event's user: a reading that all persons share

COLUMNS: dict[str, type[np.generic]] = {
    **{"world": np.int32, "time": np.int64, "user": np.int16, "kind": np.int8, "token": np.int16},
    **{"value": np.float32, "answers": np.int32, "prob": np.float32},
}


class LogError(UserError):
    """A log that cannot be used; the message says what, where and what to do."""


class Event(NamedTuple):
    """One thing that happened."""

    time: int  # when [ticks]
    user: int  # whose it is, from 0; -1 (EVERYBODY) of a reading that all persons share
    kind: int  # USER 0, AGENT 1, FEEDBACK 2, SENSOR 3 or READING 4
    token: int  # index in the vocabulary's list of that kind
    # a reading, a rating, an activity's duration [ticks]; of an agent's action the reward after it (NaN: none)
    value: float = float("nan")
    answers: int = -1  # which of the world's agent events, by number, a user or feedback event answers (-1: none)
    prob: float = float("nan")  # the probability with which an agent chose its action (NaN: no agent)
    world: int = 0  # in which of the log's worlds, by number


@dataclass(frozen=True)
class Vocabulary(Shared):
    """Names <-> ids; LogError if it is no vocabulary.

    actions: of the user and the agent alike; 0 is "none", as a token "nothing but time has passed".
    sensors: events without a number; sensor s is token `len(actions) + s`.
    readings: numeric channels (temperature, device states): the context of a decision.
    feedback: what a user may answer to an act of the agent.
    patience: per action, for how long [ticks] an anticipation of it stays good (default 300); it defines "soon".
    action_kinds: per action, what is done to which kind of device ("light.on"); default: the last two parts of its
      name.
    """

    actions: tuple[str, ...]
    sensors: tuple[str, ...] = ()
    readings: tuple[str, ...] = ()
    feedback: tuple[str, ...] = ()
    patience: tuple[int, ...] = ()
    action_kinds: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.actions or self.actions[0] != "none":
            raise LogError('vocabulary: action 0 must be "none"')
        for what in ("actions", "sensors", "readings", "feedback"):
            names = getattr(self, what)
            if len(set(names)) != len(names):
                raise LogError(f"vocabulary: {what} holds a name twice")
        if not self.patience:
            object.__setattr__(self, "patience", (300,) * len(self.actions))
        if len(self.patience) != len(self.actions):
            raise LogError("vocabulary: patience needs one number per action")
        if self.action_kinds and len(self.action_kinds) != len(self.actions):
            raise LogError("vocabulary: action_kinds needs one word per action")
        narrow("vocabulary: patience", self.patience, np.int64, LogError)

    def __len__(self) -> int:
        return len(self.actions)

    @property
    def n_tokens(self) -> int:
        """Actions and sensors together: how many tokens there are."""
        return len(self.actions) + len(self.sensors)

    def action(self, name: str) -> int:
        """The id of an action; LogError where there is none of that name."""
        try:
            return self.actions.index(name)
        except ValueError:
            raise LogError(f"no action {name!r} in the vocabulary") from None

    def values(self) -> dict[str, tuple[int, ...]]:
        """Readings that say something of each action, by kind: `own.car` is the kind "own" of the action car.
        Per kind and action a >= 1 the index of the reading."""
        return self._values  # asked at every step of a policy

    def kinds(self) -> np.ndarray:
        """(A,) the number of each action's kind: what is done to which kind of device. `kitchen.light.on` and
        `hall.light.on` are of one kind, which has the number of the first of them."""
        return self._kinds

    def reading(self, name: str) -> int | None:
        """The index of a reading; None where there is none of that name."""
        return self.readings.index(name) if name in self.readings else None

    @cached_property
    def _kinds(self) -> np.ndarray:
        kinds = self.action_kinds or [".".join(name.split(".")[-2:]) for name in self.actions]
        return np.array([kinds.index(kind) for kind in kinds])

    @cached_property
    def _values(self) -> dict[str, tuple[int, ...]]:
        index, actions = {name: i for i, name in enumerate(self.readings)}, self.actions[1:]
        kinds = dict.fromkeys(kind for kind, _, action in (r.partition(".") for r in index) if action in actions)
        complete = [kind for kind in kinds if all(f"{kind}.{a}" in index for a in actions)]
        return {kind: tuple(index[f"{kind}.{a}"] for a in actions) for kind in complete}

    def token_name(self, token: int) -> str:
        """The action or the sensor that a token stands for."""
        return self.actions[token] if token < len(self.actions) else self.sensors[token - len(self.actions)]

    def to_json(self) -> dict[str, object]:
        """The same as plain lists, as it stands in files."""
        return {name: value for name, value in dataclasses.asdict(self).items() if value or name != "action_kinds"}

    @classmethod
    def from_json(cls, data: object) -> Vocabulary:
        """What `to_json` gave; ValueError or LogError if it is no vocabulary."""
        return record_of(cls, data)


@dataclass(frozen=True)
class Protocol:
    """Which part of a log trains a predictor, which validates, which tests. Where files say so themselves, worlds
    from `test` on test; those from `valid` on validate (0: what `split` holds out of the rest)."""

    # held out; each: the last days of each stream, streams: whole ones (runs, players), worlds: simulated
    split: Literal["days", "each", "streams", "worlds"] = "days"
    word: str = ""  # of streams: only those count that have `least` events whose action begins so
    least: int = 0
    valid: int = 0
    test: int = 0
    parts: tuple[float, float] = (0.7, 0.1)  # shares that train and validate, of days: the rest tests


@dataclass(frozen=True)
class ActionLog:
    """Events, sorted by world and then by time, with their vocabulary; LogError if they are not.

    columns: (n,) each, the fields of `Event`: world int32, time int64 [ticks], user int16, kind int8, token int16,
      value float32, answers int32, prob float32. Tick 0 is a Monday 00:00 local time.
    intervals: every user event is an activity whose `value` is its duration [ticks].
    people: > 0: each of so many persons of a world is a stream, asked by sensor events; 0: a world is one stream.
    start, end: per world, the ticks at which watching began and stopped (empty: first and last event); at a start
      there is a decision point, before anything has happened.
    timer: quiet time [ticks] after which a decision point is raised (None: never).
    protocol: which part trains, which validates, which tests.
    meta: where the log is from, for people to read; "users": names of its users, of several streams one each.
    """

    columns: dict[str, np.ndarray]
    vocabulary: Vocabulary
    ticks_per_second: int = 1
    intervals: bool = False
    people: int = 0
    start: tuple[int, ...] = ()
    end: tuple[int, ...] = ()
    timer: int | None = None
    protocol: Protocol = Protocol()
    meta: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lengths = {len(v) for v in self.columns.values()}
        if set(self.columns) != set(COLUMNS) or len(lengths) != 1:
            raise LogError("log: wrong columns")
        numbers = (*self.start, *self.end, self.people, self.ticks_per_second, self.timer or 1)
        narrow("log: start, end, people, ticks a second and timer", numbers, np.int64, LogError)
        if self.timer is not None and self.timer < 1:
            raise LogError(f"log: a timer of {self.timer} ticks; give at least 1, or None")
        if self.ticks_per_second < 1:
            raise LogError(f"log: {self.ticks_per_second} ticks a second; give at least 1")
        if self.intervals and (np.abs(self.columns["value"][self.columns["kind"] == USER]) > LONGEST).any():
            raise LogError(f"log: an activity of more than {LONGEST:,} ticks; import the log again without it")
        world, time = self.columns["world"], self.columns["time"]
        if len(world) > 1:
            step = np.diff(world)
            if (step < 0).any() or (np.diff(time)[step == 0] < 0).any():
                raise LogError("log: events are not in order of time")

    @classmethod
    def from_events(cls, events: Iterable[Event], vocabulary: Vocabulary, **more: Any) -> ActionLog:
        """Events in any order of worlds; within a world they must already be in order of time. `more`: other fields."""
        rows = list(events)
        return cls.from_columns({name: [getattr(e, name) for e in rows] for name in COLUMNS}, vocabulary, **more)

    @classmethod
    def from_columns(cls, columns: Mapping[str, Any], vocabulary: Vocabulary, **more: Any) -> ActionLog:
        """The same of columns (n,) by name; those that are not given hold the defaults of `Event`. LogError where a
        number does not fit."""
        n, usual = len(columns["time"]), Event._field_defaults
        full = {
            name: narrow(f"log: {name}", columns[name] if name in columns else np.full(n, usual[name]), dtype, LogError)
            for name, dtype in COLUMNS.items()
        }
        order = np.argsort(full["world"], kind="stable")
        return cls({k: v[order] for k, v in full.items()}, vocabulary, **more)

    def __len__(self) -> int:
        return len(self.columns["time"])

    def __getattr__(self, name: str) -> np.ndarray:
        if name in COLUMNS:
            return self.columns[name]
        raise AttributeError(name)

    @property
    def worlds(self) -> np.ndarray:
        """(W,) numbers of the worlds, in order."""
        return np.unique(self.columns["world"])

    def user_name(self, number: int) -> str:
        """What the log calls a user, by number, or of several streams whose it is; the number where it has no name."""
        names = self.meta.get("users")
        name = str(names[number]) if isinstance(names, list) and 0 <= number < len(names) else ""
        return name if name and name.isprintable() else str(number)

    def events(self) -> Iterable[Event]:
        """Its rows, one by one."""
        return map(Event._make, zip(*(self.columns[n].tolist() for n in Event._fields), strict=True))

    def select(self, mask: np.ndarray, end: Sequence[int] | None = None) -> ActionLog:
        """The rows where `mask` (n,) is true."""
        columns = {k: v[mask] for k, v in self.columns.items()}
        return dataclasses.replace(self, columns=columns, end=self.end if end is None else tuple(end))

    def user_actions(self) -> ActionLog:
        """What people did, without all else."""
        return self.select(self.columns["kind"] == USER)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Writes `events.parquet`, `log.json` and their manifest into `folder`, whole or not at all."""
        folder = Path(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        replace(folder, self.fill)

    def fill(self, folder: Path, beside: Callable[[Path], object] = lambda _: None) -> None:
        """Makes the folder, which is not there; `beside` puts more files into it."""
        folder.mkdir()
        write_parquet(self.columns, folder / EVENTS)
        about = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)[1:]}  # all but the columns
        about |= {"vocabulary": self.vocabulary.to_json(), "protocol": dataclasses.asdict(self.protocol)}
        (folder / ABOUT).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
        beside(folder)
        write_manifest(folder, FORMAT)

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> ActionLog:
        """What `save` wrote; LogError if it is not there, was changed, or holds what no log can."""
        folder = Path(folder)
        with _readable(folder):
            files = read_files(folder, {EVENTS: _MOST_EVENTS, ABOUT: _MOST_ABOUT}, FORMAT)
            about, table = json_of(files[ABOUT]), parquet_of(files[EVENTS])
            columns = {k: narrow(k, table[k].to_numpy(), d, LogError) for k, d in COLUMNS.items()}
            log = record_of(cls, about, columns=columns)
            log.check_ranges()
        return log

    def check_ranges(self) -> None:
        """LogError unless each event's numbers mean something."""
        words, kind, token = self.vocabulary, self.columns["kind"], self.columns["token"]
        actions = len(words.actions)
        known = np.array([actions, actions, len(words.feedback), len(words.sensors), len(words.readings)])
        wrong = (kind < 0) | (kind >= len(known)) | (token < 0)
        wrong |= token >= known[np.where(wrong, 0, kind)]
        for name, least in (("world", 0), ("user", EVERYBODY), ("answers", -1)):
            wrong |= self.columns[name] < least
        wrong |= np.abs(self.columns["time"]) > LONGEST
        if wrong.any():
            row = int(wrong.argmax())
            event = {name: column[row].item() for name, column in self.columns.items()}
            raise LogError(f"event {row:,} is none of this vocabulary: {event}")


@contextlib.contextmanager
def _readable(folder: Path) -> Iterator[None]:
    """Whatever is wrong with the files of a log becomes a LogError."""
    try:
        yield
    except BROKEN as error:
        raise LogError(f"{folder}: not a readable log ({reason(error)}); simulate or import it again") from None
