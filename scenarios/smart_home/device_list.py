"""The devices of a home: the usual ones, or those of a file of one's own.

    rooms:                                # room -> device, as the log calls it -> kind
      kitchen:
        light.kitchen: lamp
        switch.coffee_machine: kettle
      living:
        media_player.tv: tv
    names:                                # what the log calls otherwise -> an action or a sensor of the home
      media_player.tv.playing: media_player.tv.on

Settings hold what the file says, as one line of JSON, so that a run needs no file later on.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from lam_env.config.cli import read_yaml
from lam_env.config.convert import ConfigError, short, suggestion
from lam_env.core.files.inputs import reason

from .floorplan import ROOMS, entrance, rooms
from .kinds import KINDS

MOST, MOST_NAMES = 30, 500  # devices (a resident draws a delay for each), and names of a log
OFTEN = ("light", "blinds")  # kinds of which a home may have several; of the others people use one
SETTING = "world.devices"


class Placed(NamedTuple):
    """A device and where it is; `kind`: a key of KINDS."""

    name: str
    kind: str
    room: str


class DeviceList(NamedTuple):
    """What a home has. `names`: what a log calls otherwise -> an action or a sensor of the home."""

    devices: tuple[Placed, ...]
    names: dict[str, str]


def usual_devices(n_rooms: int) -> tuple[Placed, ...]:
    """Those of a home of 4 to 8 rooms."""
    names, hall = rooms(n_rooms), entrance(n_rooms)
    devices = [Placed(f"{r}.light", "light", r) for r in names]
    devices += [Placed(f"{r}.blinds", "blinds", r) for r in ("bedroom", "living")]
    devices += [Placed("heating", "heating", hall), Placed("door.lock", "lock", hall), Placed("alarm", "alarm", hall)]
    devices += [Placed(f"living.{kind}", kind, "living") for kind in ("tv", "music")]
    devices += [Placed(f"kitchen.{kind}", kind, "kitchen") for kind in ("kettle", "dishwasher")]
    return (*devices, Placed("washer", "washer", "laundry" if "laundry" in names else "bathroom"))


def written_out(said: str, n_rooms: int) -> str:
    """The list that `said` names, a YAML file or what this function has returned, as a line of JSON; ValueError unless
    a home of so many rooms can have it."""
    try:
        data = _of_json(said) if said.startswith("{") else read_yaml(said, "give a YAML file of rooms and devices")
        found = _read(data, n_rooms)
    except ValueError as error:
        where = "" if said.startswith("{") else f"={said}"
        raise ValueError(f"{SETTING}{where}: {error}") from None
    by_room: dict[str, dict[str, str]] = {}
    for name, kind, room in found.devices:
        by_room.setdefault(room, {})[name] = kind
    return json.dumps({"rooms": by_room, "names": found.names}, ensure_ascii=False)


def _of_json(said: str) -> object:
    try:
        return json.loads(said)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"is no list of devices ({reason(error)}); give a YAML file of rooms and devices") from None


def listed(text: str) -> DeviceList:
    """What `written_out` has made, as a list."""
    data = json.loads(text)
    devices = (Placed(name, kind, room) for room, inside in data["rooms"].items() for name, kind in inside.items())
    return DeviceList(tuple(devices), data["names"])


def _read(data: object, n_rooms: int) -> DeviceList:
    if not isinstance(data, dict) or not isinstance(data.get("rooms"), dict) or not data["rooms"]:
        raise ConfigError("no rooms; write rooms:, under it a room, and under that a line NAME: KIND for each device")
    if unknown := [key for key in data if key not in ("rooms", "names")]:
        raise ConfigError(f"no part {short(unknown[0])}; there are rooms and names")
    devices = list[Placed]()
    for room, inside in data["rooms"].items():
        _check_room(room, n_rooms)
        if not isinstance(inside, dict) or not inside:
            raise ConfigError(f"{room} holds no device; write a line NAME: KIND under it, or leave the room away")
        for name, kind in inside.items():
            _check_name(name, f"a device of {room}")
            if not isinstance(kind, str) or kind not in KINDS:
                remedy = suggestion(str(kind), tuple(KINDS), f"there are {', '.join(KINDS)}")
                raise ConfigError(f"{name}: no kind {short(kind)}; {remedy}")
            devices.append(Placed(name, kind, room))
    _check_together(devices)
    names = data.get("names") or {}
    if not isinstance(names, dict) or len(names) > MOST_NAMES:
        raise ConfigError(f"names: expected at most {MOST_NAMES} lines of NAME IN THE LOG: NAME IN THE HOME")
    for pair in names.items():
        for name in pair:
            _check_name(name, "names")
    return DeviceList(tuple(devices), names)


def _check_room(room: object, n_rooms: int) -> None:
    if room not in ROOMS:
        raise ConfigError(f"no room {short(room)}; there are {', '.join(ROOMS)}")
    if room not in rooms(n_rooms):
        raise ConfigError(f"no {room} in a home of {n_rooms} rooms; say world.rooms={ROOMS.index(str(room)) + 1}")


def _check_name(name: object, where: str) -> None:
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise ConfigError(f"{where}: {short(name)} is no name; put it in quotation marks")


def _check_together(devices: list[Placed]) -> None:
    if len(devices) > MOST:
        raise ConfigError(f"{len(devices)} devices; a home has at most {MOST}: leave out those that are least used")
    first: dict[str, Placed] = {}
    of_kind: dict[tuple[str, ...], Placed] = {}
    for device in devices:
        if (other := first.setdefault(device.name, device)) is not device:
            raise ConfigError(f"{device.name} is in {other.room} and in {device.room}; leave one of them away")
        if device.kind in ("light", "lamp"):
            continue
        where = (device.kind, device.room) if device.kind in OFTEN else (device.kind,)
        if (other := of_kind.setdefault(where, device)) is not device:
            some = f"people use one {device.kind}{' in a room' if device.kind in OFTEN else ''}"
            remedy = "keep one, and say under names what its actions are called otherwise"
            raise ConfigError(f"{other.name} and {device.name} are both of the kind {device.kind}; {some}: {remedy}")
