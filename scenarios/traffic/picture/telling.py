"""Traffic in words: who people are called, what they do, and what just happened."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lam_env.core.events import AGENT, FEEDBACK, SENSOR, USER, Event

from ..params import is_file
from ..units import MINUTE
from ..words import FOLLOWED, MUTED, RATING, REFUSED
from ..world.diary import Diary
from ..world.shocks import STORM
from ..world.world import TrafficWorld
from .view import TrafficEventView

NAMES = (
    "Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gül", "Hugo", "Ida", "Jon", "Kim", "Lea", "Mara", "Nils", "Olga",
    "Paul", "Rosa", "Sam", "Tia", "Udo", "Vera", "Wim", "Yara", "Zoe", "Aino", "Bela", "Cem", "Dora", "Emil", "Frida",
    "Gero", "Hana", "Igor", "Jana", "Kofi", "Lars", "Mina", "Noor", "Otto", "Pia", "Ravi", "Sofia", "Tom", "Ulla",
    "Vito", "Wanda", "Xenia", "Yuri",
)  # fmt: skip
WAYS = {
    "corridor": ("main road", "slow road", "bus"),
    "two_route": ("main road", "side road"),
    "braess": ("link road", "north", "south"),
}
TITLES = {"two_route": "Two routes", "braess": "Braess's paradox"}


def name(person: int) -> str:
    number = person // len(NAMES)
    return NAMES[person % len(NAMES)] + (f" {number + 1}" if number else "")


def clock(time: float) -> str:
    minute = int(time) // MINUTE
    return f"{minute // 60 % 24:02}:{minute % 60:02}"


def travel_text(world: TrafficWorld, diary: Diary, person: int, option: int) -> str:
    """An option in words, with the time at which the person would leave: "car 07:20, main road"."""
    supply = world.supply
    when = clock(diary.reference + supply.shift[supply.slot[option]] * MINUTE + diary.offset[person])
    if supply.is_bus[supply.way[option]]:
        return f"bus {when}"
    road = _road(world, person, int(supply.way[option]))
    return f"car {when}, {road}" if road else f"car {when}"


def _road(world: TrafficWorld, person: int, way: int) -> str:
    """Of a way by car, if there are several."""
    supply, network = world.supply, world.params.network
    if (~supply.is_bus).sum() < 2:
        return ""
    if network in WAYS:
        return WAYS[network][way]
    heads = supply.network.head[list(supply.paths[world.people.pair[person]][way][:-1])] + 1
    return "via " + "-".join(map(str, heads.tolist())) if len(heads) else "straight on"


def does(world: TrafficWorld, diary: Diary, person: int, option: int) -> str:
    """The same as an act: "drives at 07:20, main road"."""
    words = travel_text(world, diary, person, option)
    return words.replace("car ", "drives at ", 1).replace("bus ", "takes the bus at ", 1)


def headline(world: TrafficWorld, diary: Diary) -> str:
    network = world.params.network
    title = world.supply.network.name if is_file(network) else TITLES.get(network, network.capitalize())
    tight, rest = diary.share[world.supply.tight], max(diary.share)
    if rest <= STORM:
        return f"{title}, storm"
    if diary.closed >= 0 or tight < rest:
        title += ", road closed" if diary.closed >= 0 else ", roadworks"
    return f"{title}, rain" if diary.rain else title


def event_views(world: TrafficWorld, diary: Diary, at: int, events: list[Event]) -> list[TrafficEventView]:
    """Newest first: what was said and answered, and how those fared who had been advised; if nobody was, all."""
    views = [(time, -k, event) for k, (time, event) in enumerate(_from_records(world, diary, events))]
    which = diary.advice > 0
    which = which if which.any() else diary.goes
    for i in np.flatnonzero(which & diary.departed(at)).tolist():
        mode = "by bus" if diary.by_bus[i] else "by car"
        views.append((float(diary.departs[i]), 0, TrafficEventView(clock(diary.departs[i]), name(i), f"leaves {mode}")))
        if diary.arrives[i] <= at:
            late = round((diary.arrives[i] - diary.reference) / MINUTE - diary.arrive[i])
            how = f"{abs(late)} min {'late' if late > 0 else 'early'}" if late else "on time"
            views.append((diary.arrives[i], 0, TrafficEventView(clock(diary.arrives[i]), name(i), f"arrives {how}")))
    return [event for *_, event in sorted(views, key=lambda view: view[:2], reverse=True)]


def _from_records(world: TrafficWorld, diary: Diary, events: list[Event]) -> Iterator[tuple[float, TrafficEventView]]:
    """What was said and decided, newest first."""
    tones: dict[int, str] = {}
    advice = {e.user: e.token for e in events if e.kind == AGENT}
    decided = {e.user for e in events if e.kind == USER}
    for e in events:
        when, who = clock(e.time), name(e.user)
        if e.kind == FEEDBACK and e.token in (FOLLOWED, REFUSED):
            tones[e.user] = "accepted" if e.token == FOLLOWED else "refused"
        elif e.kind == FEEDBACK and e.token == RATING:
            yield e.time, TrafficEventView(when, who, f"gives a thumb {'up' if e.value > 0 else 'down'}")
        elif e.kind == FEEDBACK and e.token == MUTED:
            yield e.time, TrafficEventView(when, who, "switches the advice off")
        elif e.kind == AGENT:
            words = f"{travel_text(world, diary, e.user, e.token - 1)} to {who}"
            yield e.time, TrafficEventView(when, "agent", words, tones.get(e.user, ""))
        elif e.kind == USER and advice.get(e.user) != e.token:
            yield e.time, TrafficEventView(when, who, does(world, diary, e.user, e.token - 1))
        elif e.kind == SENSOR and e.user not in decided:
            yield e.time, TrafficEventView(when, who, "is asked")
