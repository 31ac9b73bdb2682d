"""A list of devices guessed from nothing but the names in a log: a file for people to correct.

A name is DEVICE.STATE. Where a device is an entity of Home Assistant, as `media_player.living_room_tv` is, its domain
says most (entities, in its documentation for developers); else words in the name have to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from lam_env.envs.scenario import WorldFile
from lam_env.logs.input.states import meaning_of, parted

from .device_list import MOST, OFTEN, SETTING
from .floorplan import ROOMS
from .kinds import KINDS

DOMAINS = {
    **{"light": "lamp", "cover": "blinds", "climate": "heating", "water_heater": "", "lock": "lock"},
    **{"alarm_control_panel": "alarm", "media_player": "music"},
}
# The first that has a word in the name. What a switch switches, its name alone tells; so does which player is a screen.
KIND_WORDS = {
    "dishwasher": ("dishwasher", "geschirr", "spülmaschine", "spuelmaschine"),
    "washer": ("washer", "washing", "laundry_machine", "waschmaschine"),
    "kettle": ("kettle", "coffee", "espresso", "kaffee", "wasserkocher"),
    "tv": ("tv", "appletv", "television", "fernseher", "chromecast", "projector", "beamer"),
    "music": ("music", "radio", "speaker", "stereo", "hifi", "sonos", "musik", "lautsprecher"),
    "heating": ("heating", "heater", "thermostat", "radiator", "heizung"),
    "blinds": ("blind", "blinds", "shutter", "curtain", "roller", "rollo", "rollladen", "rolladen", "jalousie"),
    "alarm": ("alarm",),
    "lock": ("lock", "doorlock", "schloss"),
    "lamp": ("lamp", "light", "lights", "lampe", "licht", "bulb"),
}
ROOM_WORDS = {
    "bedroom": ("bed", "bedroom", "bedside", "schlafzimmer"),
    "bathroom": ("bath", "bathroom", "toilet", "shower", "wc", "bad", "badezimmer"),
    "kitchen": ("kitchen", "dining", "küche", "kueche"),
    "living": ("living", "lounge", "sofa", "sitting", "wohnzimmer"),
    "hall": ("hall", "hallway", "entrance", "entry", "corridor", "stairs", "front", "flur"),
    "study": ("study", "office", "desk", "büro", "buero", "arbeitszimmer"),
    "nursery": ("nursery", "kid", "kids", "child", "children", "baby", "kinderzimmer"),
    "laundry": ("laundry", "utility", "waschküche"),
}
OUTSIDE = ("garage", "garden", "outdoor", "outside", "porch", "patio", "gate", "garten", "terrasse", "balkon")
USUAL_ROOM = {
    **{"tv": "living", "music": "living", "kettle": "kitchen", "dishwasher": "kitchen", "washer": "bathroom"},
    **{"heating": "hall", "lock": "hall", "alarm": "hall"},
}
STATES = {  # what else than its own states a state of any log (`meaning_of`) is of a kind
    "blinds": {"up": "open", "down": "closed", "off": "open", "on": "closed"},
    "heating": {"off": "eco", "heat": "warm", "on": "warm", "auto": "normal", "heat_cool": "normal"},
    "lock": {"closed": "locked", "open": "unlocked", "on": "locked", "off": "unlocked"},
    "alarm": {"on": "armed", "off": "disarmed"},
    "tv": {"playing": "on", "standby": "off", "idle": "off"},
    "music": {"playing": "on", "standby": "off", "idle": "off"},
    "kettle": {"on": "hot"},
    "dishwasher": {"on": "running"},
    "washer": {"on": "running"},
}


def proposed(names: Iterable[str]) -> WorldFile:
    """A file for `world.devices` made from the actions and sensors of a log, and the names that it leaves out."""
    placed: dict[str, dict[str, str]] = {}  # room -> device -> kind
    stands_for: dict[str, str | None] = {}  # device of the log -> that of the home
    only: dict[tuple[str, ...], str] = {}
    synonyms, left_out = dict[str, str](), list[str]()
    every = [name for name in dict.fromkeys(names) if name != "none"]
    dims = {name.rpartition(".")[0] for name in every if name.endswith(".dim")}
    for name in every:
        device, state = parted(name)
        if sensor := _sensor(device, state):
            synonyms[name] = sensor
            continue
        kind, room = _kind(device), ""
        if kind:
            kind = "light" if kind == "lamp" and device in dims else kind
            room = _found(ROOM_WORDS, device) or USUAL_ROOM.get(kind, "")
        if room and device not in stands_for:
            one = (device,) if KINDS[kind].name == "light" else (kind, room) if kind in OFTEN else (kind,)
            if one not in only and len(only) < MOST:
                only[one] = device
                placed.setdefault(room, {})[device] = kind
            stands_for[device] = only.get(one)
        ours = stands_for.get(device)
        known = [KINDS[kind].states[s] for s in KINDS[kind].commands or range(len(KINDS[kind].states))] if ours else []
        meant = meaning_of(state) or state
        word = next((s for s in (state, meant, STATES.get(kind, {}).get(meant)) if s in known), None)
        if word is None or ours is None:
            left_out.append(name)
        elif name != f"{ours}.{word}":
            synonyms[name] = f"{ours}.{word}"
    asked = {  # name -> the device that it may be of, unless the home is full
        name: ours
        for name in left_out
        for device, state in (parted(name),)
        if device and state and not name.startswith("binary_sensor.") and (ours := stands_for.get(device, device))
    }
    text = _text(placed, synonyms, left_out) + _to_fill_in(asked, {*stands_for})
    return WorldFile(SETTING, text, tuple(left_out), tuple(dict.fromkeys(asked.values())))


def _to_fill_in(asked: dict[str, str], placed: set[str]) -> str:
    """Of actions that nothing is known of, and of devices that have no room, lines for people to complete: comments, so
    that the file can be read without them."""
    import yaml

    if not asked:
        return ""
    some = ((name, kind.states, kind.commands or range(len(kind.states))) for name, kind in KINDS.items())
    states = ", ".join(f"{name}: {'/'.join(words[i] for i in number)}" for name, words, number in some)
    devices = {device: "KIND" for device in asked.values() if device not in placed}
    data: dict[str, object] = {"rooms": {"ROOM": devices}} if devices else {}
    data["names"] = {name: f"{device}.STATE" for name, device in asked.items()}
    text: str = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=1000)
    lines = ["Not understood. Say what is in capitals, move the lines into the parts above and take # away, or not:"]
    lines += [f"the states are {states}.", *text.splitlines()]
    return "".join(f"# {line}\n" for line in lines)


def _text(placed: dict[str, dict[str, str]], synonyms: dict[str, str], left_out: list[str]) -> str:
    import yaml

    sensed = [name.partition(".")[2] for name in synonyms.values() if name.startswith("motion.")]
    rooms = max([5, *(ROOMS.index(room) + 1 for room in (*placed, *sensed))])
    size = f" world.rooms={rooms}" if rooms > 5 else ""
    lines = [f"# Guessed from names: correct rooms and kinds, then say {SETTING}=THIS_FILE{size}."]
    lines += [f"# There are the kinds {', '.join(KINDS)}", f"# and the rooms {', '.join(ROOMS)}."]
    lines += [f"# Left out: {', '.join(left_out)}"] if left_out else []
    data = {"rooms": {room: placed[room] for room in ROOMS if room in placed}, "names": synonyms}
    text: str = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120)
    return "\n".join([*lines, text])


def _found(words: dict[str, tuple[str, ...]], name: str) -> str:
    """The first key of which the name has a word; long ones count within a word, as in "livingroom"."""
    low = name.lower()
    parts = set(re.split(r"[\W_]+", low))
    return next((key for key, some in words.items() if any(w in parts or (len(w) > 4 and w in low) for w in some)), "")


def _kind(device: str) -> str:
    domain, dot, _ = device.partition(".")
    by_domain = DOMAINS.get(domain) if dot else None
    if not device or _found({"outside": OUTSIDE}, device) or by_domain == "":
        return ""
    by_word = _found(KIND_WORDS, device)
    if by_domain == "music":
        return "tv" if by_word == "tv" else "music"
    return by_domain or by_word


def _sensor(device: str, state: str) -> str:
    """A sensor of the home, where it is one of motion or of the front door that says something has begun."""
    if not device.startswith("binary_sensor.") or meaning_of(state) not in ("on", "open"):
        return ""
    room = _found(ROOM_WORDS, device)
    if room and _found({"motion": ("motion", "occupancy", "presence", "bewegung")}, device):
        return f"motion.{room}"
    return "door.front" if "door" in device and room == "hall" else ""
