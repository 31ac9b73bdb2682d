"""What a picture shows of a running home: the world put into the words of the picture."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import takewhile

from lam_env.core.events import AGENT, FEEDBACK, SENSOR, USER
from lam_env.core.observation import WEEKDAYS
from lam_env.core.units import DAY, HOUR

from ..climate import SLOT
from ..devices import FEEDBACK as ANSWERS
from ..devices import Device
from ..house import AWAY
from ..people.resident import Resident
from ..world import HomeWorld
from .view import DeviceView, HomeEventView, HomeView, PersonView

NAMES = ("Ada", "Ben", "Cleo", "Dan")
SHOWN = 6  # events
DOING = {
    "wake": "getting up", "toilet": "in the bathroom", "groom": "washing", "shower": "showering", "dress": "dressing",
    "breakfast": "having breakfast", "lunch": "having lunch", "dinner": "cooking dinner", "snack": "having a snack",
    "drink": "getting a drink", "tv": "watching TV", "relax": "relaxing", "read": "reading", "music": "hearing music",
    "work": "working", "clean": "cleaning", "laundry": "doing laundry", "phone": "on the phone", "guests": "has guests",
    "out": "leaving", "return": "coming home", "sleep": "going to bed",
}  # fmt: skip
KIND = {"heating": "thermostat"}  # the picture's word for a kind of device, where it is another
STATE = {"idle": "off", "disarmed": "off"}
SPOKEN = {"tv": "TV", "lock": "front door"}
TONE = {"accept": "accepted", "override": "overridden", "reject": "overridden", "nuisance": "missed"}


def home_view(world: HomeWorld) -> HomeView:
    """The home at this instant."""
    home, params, now = world.home, world.params, world.now
    act = _latest_act(world)
    duty = world.duty
    level = world.price / params.price
    return HomeView(
        rooms=home.rooms,
        clock=f"{WEEKDAYS[now // DAY % 7]} {clock_of_day(now)}",
        hour=_hand(world),
        sun=math.tanh(4 * world.sun),  # 0.06, where lamps go on, is a quarter; a clear noon in winter 0.85
        outdoor=world.climate.slots[now % DAY // SLOT][0],
        indoor=world.indoor,
        lights={
            room: max(world.states[light] for light in lights)
            for room, lights in zip(home.rooms, home.lights, strict=True)
            if lights
        },
        people=tuple(_person(world, r) for r in world.residents),
        devices=tuple(_device(world, d, duty > 0) for d in home.devices if d.kind.name != "light"),
        automation=world.automation,
        tariff=world.price,
        tariff_level="low" if level < 0.85 else "high" if level > 1.15 else "normal",
        power=abs(round(world.power + duty * params.heater_power, 3)),
        energy=world.kwh,
        cost=world.utility_totals["energy"],
        score=sum(world.reward_weights[k] * v for k, v in world.reward_totals.items()),
        events=tuple(_recorded(world) if world.records is not None else _sensed(world))[:SHOWN],
        action=event_text(world, act) if act else "",
        action_room=home.rooms[home.devices[home.device_of[act]].room] if act else "",
    )


def _hand(world: HomeWorld) -> float:
    """Hour at which the sun or moon is drawn: a day from sunrise to sunset counts as 6 to 19, whatever the season."""
    hour = world.now / HOUR % 24
    lit = [i / 6 for i, (_, sun, *_) in enumerate(world.climate.slots) if sun > 0]
    rise, fall = (lit[0], lit[-1] + 1 / 6) if lit else (12.0, 12.0)
    if rise <= hour < fall:
        return 6 + 13 * (hour - rise) / (fall - rise)
    return (19 + 11 * ((hour - fall) % 24) / (24 - fall + rise)) % 24


def clock_of_day(time: int) -> str:
    return f"{time // HOUR % 24:02}:{time // 60 % 60:02}"


def event_text(world: HomeWorld, action: int) -> str:
    """An action for people: "kitchen light dim", "front door locked", "TV on"."""
    device = world.home.devices[world.home.device_of[action]]
    kind, state = device.kind.name, device.kind.states[world.home.state_of[action]]
    name = f"{world.home.rooms[device.room]} {kind}" if kind in ("light", "blinds") else SPOKEN.get(kind, kind)
    name = device.name if world.home.own else name
    return f"{name} {'on' if state in ('hot', 'running') else state}"


def _device(world: HomeWorld, device: Device, heating: bool) -> DeviceView:
    kind, state = device.kind.name, device.kind.states[world.states[device.index]]
    if device.index in world.loaded and not world.states[device.index]:
        state = "ready"
    return DeviceView(
        KIND.get(kind, kind), world.home.rooms[device.room], STATE.get(state, state), kind == "heating" and heating
    )


def _person(world: HomeWorld, r: Resident) -> PersonView:
    away = r.room == AWAY
    doing = "" if r.asleep else DOING[r.doing]
    if away:
        doing = "" if r.doing == "out" else DOING["return"]
    elif r.act.activity < 0 and not r.asleep:  # a pause between two acts
        doing = "idle"
    mood = ""
    if not away and not r.asleep:
        if world.lacks_light(r):
            mood = "in the dark"
        elif world.indoor < r.like - 0.5:
            mood = "cold"
        elif world.indoor > r.like + 1.5:
            mood = "too warm"
    return PersonView(NAMES[r.index], None if away else world.home.rooms[r.room], doing, r.asleep, r.trust, mood)


def _latest_act(world: HomeWorld) -> int:
    """The agent's latest act, if it was done since the decision point before this one; else 0."""
    since = world.now - int(world.row.epoch[1])
    if world.records is not None:
        recent = takewhile(lambda e: e.time >= since, reversed(world.records))
        return next((e.token for e in recent if e.kind == AGENT and e.token), 0)
    acts = [a for a in world.last_agent_act if a is not None and a.time >= since]
    return max(acts, key=lambda a: a.id).action if acts else 0


def _recorded(world: HomeWorld) -> Iterator[HomeEventView]:
    """From the records, newest first: who did it, and how the agent's acts were taken."""
    taken: dict[int, str] = {}
    n_acts = world.agent_acts
    door = world.vocabulary.sensors.index("door.front")
    for e in reversed(world.records or ()):
        when = clock_of_day(e.time)
        if e.kind == FEEDBACK:
            answer = ANSWERS[e.token]
            if answer in TONE:
                taken.setdefault(e.answers, TONE[answer])
            elif answer == "rating":
                yield HomeEventView(when, NAMES[e.user], f"thumb {'up' if e.value > 0 else 'down'} for the agent")
            else:
                yield HomeEventView(when, NAMES[e.user], "switches the automation off")
        elif e.kind == AGENT and e.token:
            n_acts -= 1
            yield HomeEventView(when, "agent", event_text(world, e.token), taken.get(n_acts, ""))
        elif e.kind == USER:
            yield HomeEventView(when, NAMES[e.user], event_text(world, e.token))
        elif e.kind == SENSOR and e.token == door:
            yield HomeEventView(when, NAMES[e.user], "opens the front door")


def _sensed(world: HomeWorld) -> Iterator[HomeEventView]:
    """From the window that an agent sees, newest first: it does not say who."""
    mine = {(a.action, a.time) for a in world.last_agent_act if a is not None}
    n_actions = len(world.vocabulary)
    for token, time in zip(world.row.events[0, ::-1].tolist(), world.row.events[1, ::-1].tolist(), strict=True):
        if 0 < token < n_actions:
            who = "agent" if (token, time) in mine else "somebody"
            yield HomeEventView(clock_of_day(time), who, event_text(world, token))
