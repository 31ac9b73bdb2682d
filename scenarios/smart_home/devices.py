"""What a home holds: rooms, devices, their states and commands, and the vocabulary made of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from lam_env.config.convert import suggestion
from lam_env.core.events import Vocabulary
from lam_env.core.shared import Shared
from lam_env.core.units import MINUTE

from .device_list import SETTING, listed, usual_devices
from .floorplan import rooms
from .kinds import KINDS, Kind

ITEMS = (  # furniture and appliances with a sensor
    *("bed", "wardrobe", "tap", "shower", "seat", "cupboard", "fridge", "stove", "broom", "sofa", "armchair"),
    *("bookcase", "hi-fi", "table", "desk", "washer.door"),
)
FEEDBACK = ("accept", "override", "reject", "rating", "switch_off", "nuisance")
NIGHT = {"blinds": 1, "lock": 1}  # states at the start, where they are not 0
HERE, ALL_LIGHTS = -1, -2  # in the place of a device: the light of this room, every light
NONE = -3  # in the place of a device that a home has not


@dataclass(frozen=True)
class Device:
    """One device of a layout."""

    index: int  # in the home's devices
    name: str  # e.g. kitchen.light
    kind: Kind
    room: int  # in the home's rooms
    commands: tuple[int, ...]  # action id per state, 0 where a state cannot be commanded


@dataclass(frozen=True)
class Home(Shared):
    """Rooms and devices of one layout; shared by all worlds of that layout. `own`: its list of devices, as
    `device_list.written_out` says it; empty: the usual ones."""

    own: str

    rooms: tuple[str, ...]  # names
    devices: tuple[Device, ...]  # by kind, the lights first, and by room
    vocabulary: Vocabulary
    synonyms: dict[str, str]  # what a log calls otherwise -> its name in the vocabulary
    device_of: tuple[int, ...]  # per action, -1 for none
    state_of: tuple[int, ...]  # per action
    lights: tuple[tuple[int, ...], ...]  # device indices per room, the main one first
    blinds: dict[int, int]  # room -> device index
    by_name: dict[str, int]  # kind name of single devices -> device index
    n_channels: int  # readings before the environmental ones
    presence: int  # first of the readings that tell whether somebody is in a room
    loaded: dict[int, int]  # deferrable device -> its reading "loaded"
    powers: tuple[tuple[float, ...], ...]  # [kW] per device and state
    commands: tuple[tuple[tuple[int, int], ...], ...]  # (state, action) per device, where a state can be commanded

    def __reduce__(self) -> tuple[object, ...]:
        return build_home, (len(self.rooms), self.own)

    def room(self, name: str, other: str = "living") -> int:
        """Index of a room, or of another where this home has none."""
        return self.rooms.index(name if name in self.rooms else other)

    def only(self, kind: str) -> int:
        """The one device of a kind, or NONE."""
        return self.by_name.get(kind, NONE)

    def meant(self, name: str) -> tuple[int, ...]:
        """The devices that people mean by a name of the usual home, wherever they are: HERE by "*.light", ALL_LIGHTS by
        that of any other place, by "living.blinds" all but the bedroom's, else the one of the kind, if there is one."""
        place, _, kind = name.rpartition(".")
        if kind == "light":
            return (HERE if place == "*" else ALL_LIGHTS,)
        if kind == "blinds":
            bedroom = self.room("bedroom")
            return tuple(d for room, d in self.blinds.items() if (room == bedroom) == (place == "bedroom"))
        return (self.by_name[kind],) if kind in self.by_name else ()


ENVIRONMENT = ("indoor.temperature", "outdoor.temperature", "outdoor.sun", "tariff.now", "tariff.ahead", "automation")


@lru_cache
def build_home(n_rooms: int, own: str = "") -> Home:
    """The home of 4 to 8 rooms; `own` as in `Home`. ValueError where a name stands for two things, or what `names` of
    the list translates to is none of the home's."""
    names = rooms(n_rooms)
    found = listed(own).devices if own else usual_devices(n_rooms)
    order = list(dict.fromkeys(kind.name for kind in KINDS.values()))
    where = sorted(found, key=lambda d: (order.index(KINDS[d.kind].name), names.index(d.room)))
    actions, kinds, patience = ["none"], ["none"], [5 * MINUTE]
    devices, device_of, state_of = [], [-1], [0]
    for index, (name, kind_name, room) in enumerate(where):
        kind = KINDS[kind_name]
        commands = [0] * len(kind.states)
        for state in kind.commands or range(len(kind.states)):
            commands[state] = len(actions)
            actions.append(f"{name}.{kind.states[state]}")
            kinds.append(f"{kind.name}.{kind.states[state]}")
            patience.append(kind.patience)
            device_of.append(index)
            state_of.append(state)
        devices.append(Device(index, name, kind, names.index(room), tuple(commands)))
    deferrable = [d.index for d in devices if d.kind.name in ("dishwasher", "washer")]
    readings = [d.name for d in devices] + [f"{devices[i].name}.loaded" for i in deferrable]
    presence = len(readings)
    readings += [f"presence.{r}" for r in names]
    readings += ENVIRONMENT
    if twice := [name for name in {*readings} if readings.count(name) > 1]:
        raise ValueError(f"{SETTING}: {min(twice)} is a reading of every home; call the device otherwise")
    vocabulary = Vocabulary(
        tuple(actions),
        (*(f"motion.{r}" for r in names), "door.front", *(f"use.{i}" for i in ITEMS)),
        tuple(readings),
        FEEDBACK,
        tuple(patience),
        tuple(kinds) if own else (),  # the usual home's names say it
    )
    synonyms = listed(own).names if own else {}
    for theirs, ours in synonyms.items():
        if ours not in vocabulary.actions[1:] + vocabulary.sensors:
            words = suggestion(ours, vocabulary.actions[1:] + vocabulary.sensors, "name an action of a device above")
            raise ValueError(f"{SETTING}: names: {theirs} is said to be {ours}, which this home does not know; {words}")
    return Home(
        own,
        names,
        tuple(devices),
        vocabulary,
        synonyms,
        tuple(device_of),
        tuple(state_of),
        tuple(tuple(d.index for d in devices if d.kind.name == "light" and d.room == r) for r in range(n_rooms)),
        {d.room: d.index for d in devices if d.kind.name == "blinds"},
        {d.kind.name: d.index for d in devices if d.kind.name not in ("light", "blinds")},
        len(readings) - len(ENVIRONMENT),
        presence,
        {d: len(devices) + i for i, d in enumerate(deferrable)},
        tuple(tuple(d.kind.power * s / (len(d.kind.states) - 1) for s in range(len(d.kind.states))) for d in devices),
        tuple(tuple((s, action) for s, action in enumerate(d.commands) if action) for d in devices),
    )
