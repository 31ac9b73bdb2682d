"""Home Assistant's record of a home: the recorder's database (home-assistant_v2.db), what its pages of history and
activity download, or the logbook as JSON; which of them is told by content.

All hold states of entities, in UTC. A change is an event:
  light, switch, ...          an action, "light.kitchen.on"; of a button or a scene, whose state is the time of its last
                              use, "scene.evening.activated"
  binary_sensor, person, ...  a sensor event, "binary_sensor.hall.on"
  sensor, sun, weather, ...   left out: of physics there is much, and nobody does it

Who did it, by the state's context (Context in the documentation of its data):
  a user         that user: at a screen or by voice, or a program that has the user's key
  an automation  kind agent: the context has a parent, or is that of the automation's own state; in the logbook its
                 event is that an automation was triggered or a script started
  neither        "home", kind user: a switch on the wall, a maker's app; or a device by itself, which cannot be told
                 from these. The log's `meta` says how many they are. History as CSV tells of nobody, so there all are.
"""

from __future__ import annotations

import datetime
from collections import Counter

import numpy as np

from lam_env.core.events import ActionLog, LogError
from lam_env.logs.formats.home_assistant.database import is_database, recorded
from lam_env.logs.formats.home_assistant.downloads import from_csv, from_json, is_json
from lam_env.logs.formats.home_assistant.states import changes
from lam_env.logs.input.records import existing
from lam_env.logs.local_time import NO_OFFSET, UNIVERSAL, local_times, read_times
from lam_env.logs.tables import EventTable, Texts, log_of_table


def load(path: str, *, zone: str | None = None, split: str | None = None) -> tuple[ActionLog, dict[str, int]]:
    """A file -> its log (one tick = 1 s) and how many states were left out, by reason. `split`: as in
    `log_of_table`."""
    file = existing(path)
    left_out, said = Counter[str](), Counter[str]()
    stored = is_database(file)
    told = not stored and is_json(file)
    place = f"{file.name}, {'table states, state_id' if stored else 'entry' if told else 'line'}"
    if stored:
        states = recorded(file)
    else:  # all times have one form, so that they sort as text
        read = from_json if told else from_csv
        states = iter(sorted(read(file, left_out), key=lambda row: _text(row.time)))
    events = changes(states, place, left_out, said)
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


def _text(time: object) -> str:
    """Seconds since 1970 as text, as which `read_times` tells them from dates."""
    if not isinstance(time, int | float):
        return str(time)
    try:
        return datetime.datetime.fromtimestamp(time, datetime.UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return str(time)
