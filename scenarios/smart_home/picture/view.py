"""What the picture of a home shows, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..floorplan import rooms as plan_rooms

KINDS = ("tv", "music", "kettle", "dishwasher", "washer", "blinds", "lock", "alarm", "thermostat")
RUNNING = frozenset({"on", "hot", "running", "armed", "locked", "closed", "heating"})


@dataclass(frozen=True)
class PersonView:
    """One resident, for the people who watch."""

    name: str
    room: str | None  # None: not at home
    activity: str = ""
    asleep: bool = False
    trust: float | None = None  # 0..1
    mood: str = ""  # one or two words


@dataclass(frozen=True)
class DeviceView:
    """One device. `kind`: tv music kettle dishwasher washer blinds lock alarm thermostat.

    `state`: blinds open | closed, lock locked | unlocked, alarm armed | off, thermostat a word or the set-point
    [C] ("21.0"), kettle hot, washer and dishwasher running | ready, the others on; anything else counts as off.
    """

    kind: str
    room: str
    state: str
    heating: bool = False  # thermostat: is it heating now?

    @property
    def active(self) -> bool:
        return self.heating or self.state in RUNNING


@dataclass(frozen=True)
class HomeEventView:
    """Something that happened. `who`: a resident's name, "agent", or another word."""

    clock: str  # "18:42"
    who: str
    text: str  # "kitchen light on"
    tone: str = ""  # "" | "accepted" | "overridden" | "missed": how an agent's act was taken


@dataclass(frozen=True)
class HomeView:
    """All that the picture shows."""

    rooms: tuple[str, ...]  # the first n of floorplan.ROOMS
    clock: str  # "Tue 18:42"
    hour: float  # [h] 0..24, where the sun or moon stands
    sun: float  # daylight 0..1
    outdoor: float  # [C]
    indoor: float  # [C]
    lights: dict[str, int] = field(default_factory=dict)  # room that has lights -> 0 off, 1 dim, 2 on
    temperatures: dict[str, float] = field(default_factory=dict)  # room -> [C], optional
    people: tuple[PersonView, ...] = ()  # at most 4
    devices: tuple[DeviceView, ...] = ()
    automation: bool = True
    tariff: float | None = None  # [per kWh] now
    tariff_level: str = ""  # "low" | "normal" | "high"
    power: float | None = None  # [kW] now
    energy: float = 0.0  # [kWh] so far
    cost: float | None = None  # so far
    score: float | None = None  # return so far
    events: tuple[HomeEventView, ...] = ()  # newest first; the first 5 are shown
    action: str = ""  # the agent's last action in words, "" = it did nothing
    action_room: str = ""  # the room it touched: framed in the plan

    def __post_init__(self) -> None:
        if self.rooms != plan_rooms(len(self.rooms)):
            raise ValueError(f"home view: rooms {self.rooms}; they must be the first 4 to 8 of floorplan.ROOMS")
        if len(self.people) > 4:
            raise ValueError(f"home view: {len(self.people)} people; the picture holds at most 4")
        for who in self.people:
            if who.room is not None and who.room not in self.rooms:
                raise ValueError(f"home view: {who.name} is in {who.room!r}, which this home does not have")
        for device in self.devices:
            if device.kind not in KINDS:
                raise ValueError(f"home view: no picture of a {device.kind!r}; draw one of {', '.join(KINDS)}")
            if device.room not in self.rooms:
                raise ValueError(f"home view: a {device.kind} in {device.room!r}, which this home does not have")
