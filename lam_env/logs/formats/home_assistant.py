"""Home Assistant's record of a home: the recorder's database (`home_assistant_db`), or the CSV that the history page
writes with "Download data" (`ha-panel-history.ts` of home-assistant/frontend); which of them is told by content.

Both hold states of entities, in UTC. A change is an event:
  light, switch, ...          an action, "light.kitchen.on"; of a button or a scene, whose state is the time of its last
                              use, "scene.evening.activated"
  binary_sensor, person, ...  a sensor event, "binary_sensor.hall.on"
  sensor, sun, weather, ...   left out: of physics there is much, and nobody does it

Who did it, by the state's context (Context in the documentation of its data):
  a user         that user: at a screen or by voice, or a program that has the user's key
  an automation  kind agent: the context has a parent, or is that of the automation's own state
  neither        "home", kind user: a switch on the wall, a maker's app; or a device by itself, which cannot be told
                 from these. The log's `meta` says how many they are. The CSV tells of nobody, so there all are.
"""

from __future__ import annotations

import datetime
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lam_env.core.events import AGENT, SENSOR, USER, ActionLog, LogError
from lam_env.logs.coverage import EMPTY, says_nothing
from lam_env.logs.formats.home_assistant_db import State, is_database, recorded
from lam_env.logs.input.records import EMPTY as EMPTY_LINE
from lam_env.logs.input.records import csv_rows, existing
from lam_env.logs.local_time import NO_OFFSET, UNIVERSAL, local_times, read_times
from lam_env.logs.tables import EventTable, Texts, log_of_table, one_home

OPERATED = frozenset(
    (
        *("alarm_control_panel", "button", "climate", "cover", "fan", "humidifier", "input_boolean", "input_button"),
        *("input_select", "light", "lock", "media_player", "remote", "scene", "script", "siren", "switch", "vacuum"),
        *("valve", "water_heater"),
    )
)
SENSED = frozenset(("binary_sensor", "device_tracker", "person"))
USED = {"button": "pressed", "input_button": "pressed", "scene": "activated"}  # their state is a time
NEEDED = ("entity_id", "state", "last_changed")
WANTED = "give home-assistant_v2.db, or what the history page downloads as CSV"
HOME = "home"

READINGS = "reading(s) of sensor entities"
OTHERS = "state(s) of entities that nobody operates"
NAMELESS, TIMELESS = "state(s) of an entity without a name", "state(s) without a time"
FIRST = "first state(s) of an entity, where its recording begins"
BACK = "state(s) that came back as before, after none or an unavailable one"
SAME = "state(s) like the one before (only attributes changed)"
UNTOLD = "action(s) of which the file does not say who did them, read as people's"
LATER = "change(s) while a state was unavailable, read as at the time of its return"


class _Event(NamedTuple):
    place: int
    time: object
    name: str
    user: str
    kind: int


def load(
    path: str, *, home: str | None = None, zone: str | None = None, split: str | None = None
) -> tuple[ActionLog, dict[str, int]]:
    """A database or a CSV file -> its log (one tick = 1 s) and how many states were left out, by reason. `split`: as in
    `log_of_table`."""
    file = existing(path)
    one_home(file.name, home)
    left_out, said = Counter[str](), Counter[str]()
    stored = is_database(file)
    place = f"{file.name}, table states, state_id" if stored else f"{file.name}, line"
    # a browser writes all times in one form, so that they sort as text
    states = recorded(file) if stored else sorted(_downloaded(file, left_out), key=lambda row: str(row.time))
    events = _changes(states, place, left_out, said)
    if not events:
        why = "no change of a light, a switch or another entity that people operate"
        raise LogError(f"{file.name}: {why}; check that this is the right file")

    def where(i: int) -> str:
        return f"{place} {events[i].place}"

    clocks = read_times([_text(event.time) for event in events], where, numbers=False)
    if stored:  # its times are UTC, and do not say so
        clocks = clocks._replace(offset=np.where(clocks.offset == NO_OFFSET, UNIVERSAL, clocks.offset))
    local = local_times(clocks, zone, where)
    names, users = Texts.of(event.name for event in events), Texts.of(event.user for event in events)
    kind, n = np.array([event.kind for event in events]), len(events)
    table = EventTable(
        local._replace(said=local.said + said), names, users, kind, np.full(n, np.nan), np.zeros(n, bool)
    )
    return log_of_table(table, file.name, intervals=False, left_out=left_out, split=split)


FORMATS = {"home_assistant": load}


def _downloaded(path: Path, left_out: Counter[str]) -> Iterator[State]:
    """The rows of a CSV file, which are in order of time for each entity only. Some have more cells, of attributes
    (climate), which the header names for all."""
    rows = csv_rows(path, wanted=WANTED)
    header = [name.lower() for name in next(rows, (1, []))[1]]
    if missing := [name for name in NEEDED if name not in header]:
        why = f"no column {', '.join(missing)}" if header else "the file is empty"
        raise LogError(f"{path.name}, line 1: {why}; {WANTED}")
    columns = [header.index(name) for name in NEEDED]
    for number, cells in rows:
        if not cells:
            left_out[EMPTY_LINE] += 1
        elif len(cells) <= max(columns):
            raise LogError(f"{path.name}, line {number}: {len(cells)} cells are too few; correct the line")
        else:
            entity, state, time = (cells[i] for i in columns)
            yield State(number, entity, state, time)


def _changes(states: Iterable[State], place: str, left_out: Counter[str], said: Counter[str]) -> list[_Event]:
    """The events that states in order of time tell of; the other states are counted by reason."""
    domains: dict[object, str] = {}
    last: dict[object, object] = {}  # of each entity, the last state that says something
    away: set[object] = set()  # those that have said nothing since
    events = []
    for row in states:
        entity, state = row.entity, row.state
        if entity not in domains:
            domains[entity] = _domain(f"{place} {row.place}", entity)
        domain = domains[entity]
        if reason := _ignored(domain, row):
            left_out[reason] += 1
            continue
        if not isinstance(state, str | None):
            raise LogError(f"{place} {row.place}: state {str(state)[:40]!r} is no text; correct or delete the row")
        if not state or says_nothing(state):  # "" or NULL: the entity was removed
            left_out[EMPTY] += 1
            away.add(entity)
            continue
        before, was_away = last.get(entity), entity in away
        last[entity] = state
        away.discard(entity)
        if before is None or row.first:
            left_out[FIRST] += 1
        elif before == state:
            left_out[BACK if was_away else SAME] += 1
        else:
            kind = SENSOR if domain in SENSED else AGENT if row.agent and not row.user else USER
            user = row.user if kind == USER and row.user else HOME
            said[UNTOLD] += kind == USER and not row.user
            said[LATER] += was_away
            name = sys.intern(f"{entity}.{USED.get(domain, state)}")
            events.append(_Event(row.place, row.time, name, user, kind))
    return events


def _ignored(domain: str, row: State) -> str | None:
    """Why a state does not count, whatever it is."""
    if domain not in OPERATED and domain not in SENSED:
        return NAMELESS if not domain else READINGS if domain == "sensor" else OTHERS
    return None if row.time else TIMELESS  # Home Assistant writes 0 where it has lost a time


def _domain(where: str, entity: object) -> str:
    """The light of light.kitchen; "" where the database has lost the name."""
    if entity is None:
        return ""
    domain, _, name = entity.partition(".") if isinstance(entity, str) else ("", "", "")
    if not domain or not name:
        raise LogError(f"{where}: {str(entity)[:40]!r} is no entity, as light.kitchen is one; correct or delete it")
    return domain


def _text(time: object) -> str:
    """Seconds since 1970 as text, as which `read_times` tells them from dates."""
    if not isinstance(time, int | float):
        return str(time)
    try:
        return datetime.datetime.fromtimestamp(time, datetime.UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return str(time)
