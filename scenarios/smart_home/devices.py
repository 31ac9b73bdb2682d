"""What a home holds: rooms, devices, their states and commands, and the vocabulary made of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from lam_env.core.events import Vocabulary
from lam_env.core.shared import Shared
from lam_env.core.units import MINUTE

from .floorplan import entrance, rooms

ITEMS = (  # furniture and appliances with a sensor
    *("bed", "wardrobe", "tap", "shower", "seat", "cupboard", "fridge", "stove", "broom", "sofa", "armchair"),
    *("bookcase", "hi-fi", "table", "desk", "washer.door"),
)
FEEDBACK = ("accept", "override", "reject", "rating", "switch_off", "nuisance")
NIGHT = {"blinds": 1, "lock": 1}  # states at the start, where they are not 0
HERE, ALL_LIGHTS = -1, -2  # in the place of a device: the light of this room, every light


@dataclass(frozen=True)
class Kind:
    """A kind of device; ValueError where a command names no state."""

    name: str
    states: tuple[str, ...]  # by number
    effort: float  # cost of a manual touch, in touches
    patience: int  # [s] for which an anticipation stays good
    power: float = 0.0  # [kW] in the highest state
    commands: tuple[int, ...] = ()  # states that can be commanded; empty: all

    def __post_init__(self) -> None:
        if not all(0 <= state < len(self.states) for state in self.commands):
            raise ValueError(f"{self.name}: commands {self.commands} name states that it does not have")


KINDS = {
    k.name: k
    for k in (
        Kind("light", ("off", "dim", "on"), 1.0, 5 * MINUTE, 0.012),
        Kind("blinds", ("open", "closed"), 1.5, 15 * MINUTE),
        Kind("heating", ("eco", "normal", "warm"), 1.5, 60 * MINUTE),
        Kind("lock", ("unlocked", "locked"), 1.0, 15 * MINUTE),
        Kind("alarm", ("disarmed", "armed"), 1.0, 15 * MINUTE),
        Kind("tv", ("off", "on"), 1.0, 5 * MINUTE, 0.1),
        Kind("music", ("off", "on"), 1.0, 5 * MINUTE, 0.02),
        Kind("kettle", ("idle", "hot"), 0.6, 5 * MINUTE, 0.0, (1,)),
        Kind("dishwasher", ("idle", "running"), 1.0, 120 * MINUTE, 0.0, (1,)),
        Kind("washer", ("idle", "running"), 1.0, 120 * MINUTE, 0.0, (1,)),
    )
}


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
    """Rooms and devices of one layout; shared by all worlds of that layout."""

    rooms: tuple[str, ...]  # names
    devices: tuple[Device, ...]  # the lights first, one a room
    vocabulary: Vocabulary
    device_of: tuple[int, ...]  # per action, -1 for none
    state_of: tuple[int, ...]  # per action
    lights: tuple[int, ...]  # device index per room
    blinds: dict[int, int]  # room -> device index
    by_name: dict[str, int]  # kind name of single devices -> device index
    n_channels: int  # readings before the environmental ones
    presence: int  # first of the readings that tell whether somebody is in a room
    loaded: dict[int, int]  # deferrable device -> its reading "loaded"
    powers: tuple[tuple[float, ...], ...]  # [kW] per device and state
    commands: tuple[tuple[tuple[int, int], ...], ...]  # (state, action) per device, where a state can be commanded

    def __reduce__(self) -> tuple[object, ...]:
        return build_home, (len(self.rooms),)

    def room(self, name: str, other: str = "living") -> int:
        """Index of a room, or of another where this home has none."""
        return self.rooms.index(name if name in self.rooms else other)


ENVIRONMENT = ("indoor.temperature", "outdoor.temperature", "outdoor.sun", "tariff.now", "tariff.ahead", "automation")


@lru_cache
def build_home(n_rooms: int) -> Home:
    """The home of 4 to 8 rooms."""
    names, hall = rooms(n_rooms), entrance(n_rooms)
    where = [(f"{r}.light", "light", r) for r in names]
    where += [(f"{r}.blinds", "blinds", r) for r in ("bedroom", "living")]
    where += [("heating", "heating", hall), ("door.lock", "lock", hall), ("alarm", "alarm", hall)]
    where += [(f"living.{kind}", kind, "living") for kind in ("tv", "music")]
    where += [(f"kitchen.{kind}", kind, "kitchen") for kind in ("kettle", "dishwasher")]
    where += [("washer", "washer", "laundry" if "laundry" in names else "bathroom")]
    actions, patience = ["none"], [5 * MINUTE]
    devices, device_of, state_of = [], [-1], [0]
    for index, (name, kind_name, room) in enumerate(where):
        kind = KINDS[kind_name]
        commands = [0] * len(kind.states)
        for state in kind.commands or range(len(kind.states)):
            commands[state] = len(actions)
            actions.append(f"{name}.{kind.states[state]}")
            patience.append(kind.patience)
            device_of.append(index)
            state_of.append(state)
        devices.append(Device(index, name, kind, names.index(room), tuple(commands)))
    deferrable = [d.index for d in devices if d.kind.name in ("dishwasher", "washer")]
    readings = [d.name for d in devices] + [f"{devices[i].name}.loaded" for i in deferrable]
    presence = len(readings)
    readings += [f"presence.{r}" for r in names]
    vocabulary = Vocabulary(
        tuple(actions),
        (*(f"motion.{r}" for r in names), "door.front", *(f"use.{i}" for i in ITEMS)),
        tuple(readings) + ENVIRONMENT,
        FEEDBACK,
        tuple(patience),
    )
    return Home(
        names,
        tuple(devices),
        vocabulary,
        tuple(device_of),
        tuple(state_of),
        tuple(range(len(names))),
        {d.room: d.index for d in devices if d.kind.name == "blinds"},
        {d.kind.name: d.index for d in devices if d.kind.name not in ("light", "blinds")},
        len(readings),
        presence,
        {d: len(devices) + i for i, d in enumerate(deferrable)},
        tuple(tuple(d.kind.power * s / (len(d.kind.states) - 1) for s in range(len(d.kind.states))) for d in devices),
        tuple(tuple((s, action) for s, action in enumerate(d.commands) if action) for d in devices),
    )
