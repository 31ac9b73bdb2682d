"""States of Home Assistant's entities, in order of time, and the events that they tell of."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from lam_env.core.events import AGENT, SENSOR, USER, LogError
from lam_env.logs.coverage import EMPTY, says_nothing

OPERATED = frozenset(
    (
        *("alarm_control_panel", "button", "climate", "cover", "fan", "humidifier", "input_boolean", "input_button"),
        *("input_select", "light", "lock", "media_player", "remote", "scene", "script", "siren", "switch", "vacuum"),
        *("valve", "water_heater"),
    )
)
SENSED = frozenset(("binary_sensor", "device_tracker", "person"))
USED = {"button": "pressed", "input_button": "pressed", "scene": "activated"}  # their state is a time
HOME = "home"

READINGS = "reading(s) of sensor entities"
OTHERS = "state(s) of entities that nobody operates"
NAMELESS, TIMELESS = "state(s) of an entity without a name", "state(s) without a time"
FIRST = "first state(s) of an entity, where its recording begins"
BACK = "state(s) that came back as before, after none or an unavailable one"
SAME = "state(s) like the one before (only attributes changed)"
UNTOLD = "action(s) of which the file does not say who did them, read as people's"
LATER = "change(s) while a state was unavailable, read as at the time of its return"


class State(NamedTuple):
    """A state of an entity as a file tells it. place: its line or number; time: seconds since 1970 or text; user: the
    id of a user, or ""; agent: an automation did it; first: Home Assistant knew no state of it before; change: it is
    another than before, whatever the file says of that."""

    place: int
    entity: object
    state: object
    time: object
    user: str = ""
    agent: bool = False
    first: bool = False
    change: bool = False


class Event(NamedTuple):
    """`place` and `time` as its state has them."""

    place: int
    time: object
    name: str
    user: str
    kind: int


def changes(states: Iterable[State], place: str, left_out: Counter[str], said: Counter[str]) -> list[Event]:
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
        if (before is None and not row.change) or row.first:
            left_out[FIRST] += 1
        elif before == state:
            left_out[BACK if was_away else SAME] += 1
        else:
            kind = SENSOR if domain in SENSED else AGENT if row.agent and not row.user else USER
            user = row.user if kind == USER and row.user else HOME
            said[UNTOLD] += kind == USER and not row.user
            said[LATER] += was_away
            name = sys.intern(f"{entity}.{USED.get(domain, state)}")
            events.append(Event(row.place, row.time, name, user, kind))
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
