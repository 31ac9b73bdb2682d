"""What a picture shows of running traffic: the world put into the words of the picture."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from lam_env.events import AGENT, FEEDBACK, READING, SENSOR, USER, Event

from .diary import Diary
from .links import BPRLink
from .picture.view import (
    ChartView,
    CountsView,
    EventView,
    FiguresView,
    LinkView,
    NodeView,
    TrafficView,
    TravellerView,
    VehicleView,
)
from .supply import DAY, MINUTE, Supply
from .world import FOLLOWED, MUTED, RATING, REFUSED, TrafficWorld

NAMES = (
    "Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gül", "Hugo", "Ida", "Jon", "Kim", "Lea", "Mara", "Nils", "Olga", "Paul", "Rosa", "Sam",
    "Tia", "Udo", "Vera", "Wim", "Yara", "Zoe", "Aino", "Bela", "Cem", "Dora", "Emil", "Frida", "Gero", "Hana", "Igor", "Jana", "Kofi",
    "Lars", "Mina", "Noor", "Otto", "Pia", "Ravi", "Sofia", "Tom", "Ulla", "Vito", "Wanda", "Xenia", "Yuri",
)  # fmt: skip
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
SHOWN = 8  # events
BIN = 5 * MINUTE  # [ms]
ENDS = {0: ("Home", "home"), 1: ("Work", "work")}
ROADS = {
    "corridor": ("main road", "bridge", "slow road", "bus"),
    "bottleneck": ("entry road", "tunnel"),
    "two_route": ("main road", "", "side road", ""),
    "braess": ("north, first half", "south, first half", "north, second half", "link road", "south, second half"),
}
WAYS = {
    "corridor": ("main road", "slow road", "bus"),
    "two_route": ("main road", "side road"),
    "braess": ("link road", "north", "south"),
}
TITLES = {"two_route": "Two routes", "braess": "Braess's paradox"}


def traffic_view(world: TrafficWorld, at: int | None = None) -> TrafficView:
    """Traffic at an instant `at` [ms]: now, or earlier on this day or, where the world records, on the day before."""
    at = world.now if at is None else at
    diary, yesterday = _days(world, at)
    heard = _heard(world, diary, at)
    supply = world.supply
    hour = (at - diary.day * DAY) / 3_600_000
    return TrafficView(
        network=_headline(world, diary),
        nodes=_nodes(world, diary, at),
        links=_links(world, diary, at),
        clock=f"{WEEKDAYS[diary.day % 7]} {int(hour):02}:{int(hour * 60 + 1e-9) % 60:02}",
        hour=hour,
        day=diary.day - world.first_day + 1,
        days=world.params.days,
        vehicles=tuple(_cars(world, diary, at)) + (tuple(_buses(world, diary, at)) if supply.is_bus.any() else ()),
        traveller=_traveller(world, diary, at, heard),
        counts=_counts(diary, at),
        figures=_figures(world, diary, at, heard),
        events=tuple(_events(world, diary, at, heard))[:SHOWN],
        chart=_chart(world, diary, yesterday, at),
    )


def _days(world: TrafficWorld, at: int) -> tuple[Diary, Diary | None]:
    """The day of an instant, and the one before it where it is known."""
    known = {diary.day: diary for diary in world.diaries}
    today = Diary.of(world)
    known[today.day] = today
    day = min(at // DAY, today.day)  # the end of the last day is midnight
    recorded = at == world.now or world.records is not None
    if not world.start <= at <= world.now or day not in known or not recorded:
        raise ValueError(f"traffic view: instant {at} is not known; give one of today, up to {world.now}, or of the day before it, and record=True")
    return known[day], known.get(day - 1)


def _heard(world: TrafficWorld, diary: Diary, at: int) -> list[Event]:
    """What was said and done on the day until then, newest first."""
    found = []
    for event in reversed(world.records or ()):
        if event.time < diary.day * DAY:
            break
        if event.time <= at and event.kind != READING:
            found.append(event)
    return found


# -- words ------------------------------------------------------------------------------------------------------------


def name(person: int) -> str:
    number = person // len(NAMES)
    return NAMES[person % len(NAMES)] + (f" {number + 1}" if number else "")


def clock(time: float) -> str:
    minute = int(time) // MINUTE
    return f"{minute // 60 % 24:02}:{minute % 60:02}"


def _road(supply: Supply, network: str, option: int) -> str:
    """The road of an option by car, if there are several."""
    if (~supply.is_bus).sum() < 2:
        return ""
    way = int(supply.way[option])
    return WAYS[network][way] if network in WAYS else f"route {way + 1}"


def words(world: TrafficWorld, diary: Diary, person: int, option: int) -> str:
    """An option for people, with the time at which she would leave: "car, main road, 07:20"."""
    supply = world.supply
    when = clock(diary.reference + supply.shift[supply.slot[option]] * MINUTE + diary.offset[person])
    if supply.is_bus[supply.way[option]]:
        return f"bus, {when}"
    road = _road(supply, world.params.network, option)
    return f"car, {road}, {when}" if road else f"car, {when}"


def does(world: TrafficWorld, diary: Diary, person: int, option: int) -> str:
    """The same as what she does: "drives at 07:20, main road"."""
    mode, *road, when = words(world, diary, person, option).split(", ")
    verb = "takes the bus" if mode == "bus" else "drives"
    return ", ".join([f"{verb} at {when}", *road])


def _headline(world: TrafficWorld, diary: Diary) -> str:
    network = world.params.network
    title = TITLES.get(network, network.capitalize())
    least, most = min(diary.share), max(diary.share)
    if most <= 0.8:
        return f"{title}, storm"
    return title + (", road closed" if least == 0 else ", roadworks" if least < 0.8 else "") + (", rain" if diary.rain else "")


# -- the map ----------------------------------------------------------------------------------------------------------


def _nodes(world: TrafficWorld, diary: Diary, at: int) -> tuple[NodeView, ...]:
    network, few = world.supply.network, world.params.network in ROADS
    xy = np.zeros((network.nodes, 2)) if network.xy is None else network.xy
    people = (int((~diary.departed(at)).sum()), int(diary.arrived(at).sum()))
    found = []
    for i, (x, y) in enumerate(xy.tolist()):
        if few and i in ENDS:
            found.append(NodeView(x, y, *ENDS[i], people=people[i]))
        else:
            found.append(NodeView(x, y, "" if few else str(i + 1)))
    return tuple(found)


def _links(world: TrafficWorld, diary: Diary, at: int) -> tuple[LinkView, ...]:
    network, supply = world.supply.network, world.supply
    names = ROADS.get(world.params.network, ("",) * network.links)
    queue = diary.queues(world, np.array([at]))[:, 0].tolist()
    found = []
    for k, link in enumerate(world.links):
        ends = int(network.tail[k]), int(network.head[k])
        if network.mode[k] != "car":
            aboard, waiting, buses = _riders(world, diary, at)
            seats = max(1, world.params.seats * len(buses))
            ride = float(supply.free[0, supply.is_bus][0])
            load = sum(aboard) / seats
            found.append(LinkView(*ends, "bus", names[k], load, waiting, time=ride, free_time=ride))
            continue
        time = diary.travel_time(world, k, at)
        found.append(
            LinkView(
                *ends,
                name=names[k],
                load=diary.load(world, k, at),
                queue=queue[k],
                closed=diary.share[k] == 0,
                time=None if time is None else time / MINUTE,
                free_time=link.free_time / MINUTE,
                capacity=None if isinstance(link, BPRLink) else link.capacity * diary.share[k],
            )
        )
    return tuple(found)


def _cars(world: TrafficWorld, diary: Diary, at: int) -> Iterator[VehicleView]:
    """Those that move."""
    for k, link in enumerate(world.links):
        queues = not isinstance(link, BPRLink)
        flow = diary.flows[k]
        for enter, exit, who in zip(flow.enter.tolist(), flow.exit.tolist(), flow.who.tolist(), strict=True):
            span = link.free_time if queues else exit - enter
            if enter <= at < (min(enter + span, diary.left[k, who]) if queues else diary.left[k, who]):
                share = min(1.0, (at - enter) / span) if span else 1.0
                yield VehicleView(k, share, advised=bool(diary.followed[who]))


def _riders(world: TrafficWorld, diary: Diary, at: int) -> tuple[list[int], int, list[int]]:
    """Passengers of each bus under way, people at the stop, and when those buses left [ms]."""
    assert world.bus is not None
    ride, departures = world.bus.ride_time, np.array(world.bus.departures)
    leaves = np.concatenate([departures + (diary.day + k) * DAY for k in (-1, 0)])
    buses = leaves[(leaves <= at) & (at < leaves + ride)]
    going = diary.departed(at) & diary.by_bus & ~diary.arrived(at)
    boards = diary.arrives[going] - ride
    return [int((boards == b).sum()) for b in buses.tolist()], int((boards > at).sum()), buses.tolist()


def _buses(world: TrafficWorld, diary: Diary, at: int) -> Iterator[VehicleView]:
    assert world.bus is not None
    line = next(k for k, mode in enumerate(world.supply.network.mode) if mode == "bus")
    aboard, _, buses = _riders(world, diary, at)
    for left, passengers in zip(buses, aboard, strict=True):
        yield VehicleView(line, (at - left) / world.bus.ride_time, "bus", passengers)


# -- the panel --------------------------------------------------------------------------------------------------------


def _counts(diary: Diary, at: int) -> CountsView:
    departed, arrived = diary.departed(at), diary.arrived(at)
    under_way = departed & ~arrived
    bus = int((under_way & diary.by_bus).sum())
    return CountsView(int((~departed).sum()), int(under_way.sum()) - bus, bus, int(arrived.sum()))


def _figures(world: TrafficWorld, diary: Diary, at: int, heard: list[Event]) -> FiguresView:
    """Costs are those of the people who have arrived."""
    people, params, supply = world.people, world.params, world.supply
    departed, there = diary.departed(at), np.flatnonzero(diary.arrived(at))
    found: dict[str, float] = {}
    if len(there):
        time = (diary.arrives[there] - diary.departs[there]) / MINUTE
        late = (diary.arrives[there] - diary.reference) / MINUTE - diary.arrive[there]
        cost = params.alpha * time + diary.extra[there] + sum(people.schedule_cost(late))
        cost += np.where(diary.by_bus[there], people.dislikes_bus[there], 0.0) + (diary.shown[there] > 0)
        found["cost"] = float(cost.mean())
        if np.isfinite(diary.expected[there]).all():
            found["usual_cost"] = float(diary.expected[there].mean())
        cars = ~diary.by_bus[there]
        if cars.any():
            free = supply.free[people.pair[there], supply.way[diary.chosen[there]]]
            found["delay"] = max(0.0, float((time - free)[cars].mean()))
    if world.records is not None:
        answers = [event.token for event in heard if event.kind == FEEDBACK]
        followed, refused = answers.count(FOLLOWED), answers.count(REFUSED)
    else:
        followed = int(diary.followed.sum())
        refused = int(((diary.shown > 0) & (diary.shown - 1 != diary.natural) & ~diary.followed).sum())
    if followed + refused:
        found["acceptance"] = followed / (followed + refused)
    queues = not all(isinstance(link, BPRLink) for link in world.links)
    n, bus = int(departed.sum()), int((departed & diary.by_bus).sum())
    shares = {"car": 1 - bus / n} | ({"bus": bus / n} if supply.is_bus.any() else {}) if n else {}
    return FiguresView(peak_queue=diary.longest_queue(world, at) if queues else None, shares=shares, **found)


def _traveller(world: TrafficWorld, diary: Diary, at: int, heard: list[Event]) -> TravellerView | None:
    """Who decided last, what she was told and what she did; before the first decision, the one who is asked."""
    decided = next((e for e in heard if e.kind == USER), None)
    if decided is None:
        asked = next((e.user for e in heard if e.kind == SENSOR), None)
        if world.records is None and world.now < world.end:
            asked = world.person
        return None if asked is None else _person(world, diary, asked)
    i, option = decided.user, decided.token - 1
    advice = next((e.token - 1 for e in heard if e.kind == AGENT and e.user == i), None)
    answer = does(world, diary, i, option)
    tone = ""
    if option == diary.usual[i]:
        answer += ", as usual"
    if advice is not None and advice != diary.natural[i]:
        tone = "accepted" if option == advice else "refused"
    when = "" if decided.time == at else clock(decided.time)
    return _person(world, diary, i, advice, answer, tone, when)


def _person(world: TrafficWorld, diary: Diary, i: int, advice: int | None = None, answer: str = "", tone: str = "",
            when: str = "") -> TravellerView:  # fmt: skip
    usual = int(diary.usual[i])
    return TravellerView(
        name(i),
        words(world, diary, i, usual),
        "" if advice is None else words(world, diary, i, advice),
        answer,
        tone,
        float(diary.trust[i]),
        _path(world, i, usual),
        () if advice is None else _path(world, i, advice),
        when,
    )


def _path(world: TrafficWorld, i: int, option: int) -> tuple[int, ...]:
    path = world.supply.paths[world.people.pair[i]][world.supply.way[option]]
    return path or tuple(k for k, mode in enumerate(world.supply.network.mode) if mode == "bus")


def _events(world: TrafficWorld, diary: Diary, at: int, heard: list[Event]) -> list[EventView]:
    """Newest first: what was said and answered, and how those fared who had been advised; if nobody was, all."""
    found = [(time, -k, event) for k, (time, event) in enumerate(_said(world, diary, heard))]
    which = diary.shown > 0
    which = which if which.any() else diary.goes
    for i in np.flatnonzero(which & diary.departed(at)).tolist():
        mode = "by bus" if diary.by_bus[i] else "by car"
        found.append((float(diary.departs[i]), 0, EventView(clock(diary.departs[i]), name(i), f"leaves {mode}")))
        if diary.arrives[i] <= at:
            late = round((diary.arrives[i] - diary.reference) / MINUTE - diary.arrive[i])
            how = f"{abs(late)} min {'late' if late > 0 else 'early'}" if late else "on time"
            found.append((diary.arrives[i], 0, EventView(clock(diary.arrives[i]), name(i), f"arrives {how}")))
    return [event for *_, event in sorted(found, key=lambda f: f[:2], reverse=True)]


def _said(world: TrafficWorld, diary: Diary, heard: list[Event]) -> Iterator[tuple[float, EventView]]:
    """From the records, newest first."""
    taken: dict[int, str] = {}
    told = {e.user: e.token for e in heard if e.kind == AGENT}
    decided = {e.user for e in heard if e.kind == USER}
    for e in heard:
        when, who = clock(e.time), name(e.user)
        if e.kind == FEEDBACK and e.token in (FOLLOWED, REFUSED):
            taken[e.user] = "accepted" if e.token == FOLLOWED else "refused"
        elif e.kind == FEEDBACK and e.token == RATING:
            yield e.time, EventView(when, who, f"thumb {'up' if e.value > 0 else 'down'} for the advice")
        elif e.kind == FEEDBACK and e.token == MUTED:
            yield e.time, EventView(when, who, "switches the advice off")
        elif e.kind == AGENT:
            said = f"{words(world, diary, e.user, e.token - 1)} to {who}"
            yield e.time, EventView(when, "agent", said, taken.get(e.user, ""))
        elif e.kind == USER and told.get(e.user) != e.token:
            yield e.time, EventView(when, who, does(world, diary, e.user, e.token - 1))
        elif e.kind == SENSOR and e.user not in decided:
            yield e.time, EventView(when, who, "is making up her mind")


# -- the chart --------------------------------------------------------------------------------------------------------


def _chart(world: TrafficWorld, diary: Diary, yesterday: Diary | None, at: int) -> ChartView:
    midnight = diary.day * DAY
    shown = [day for day in (diary, yesterday) if day is not None]
    first = min(day.reference - day.day * DAY for day in shown) + (world.supply.shift[0] - world.params.slot) * MINUTE
    start = int(math.floor(first / (30 * MINUTE))) * 30 * MINUTE  # [ms of the day]
    wanted = np.quantile(diary.reference + diary.arrive[diary.goes] * MINUTE, (0.1, 0.9)) if diary.goes.any() else None
    middles = np.arange(midnight + start + BIN / 2, at + BIN / 2, BIN)[: 288 - start // BIN]
    queue = diary.queues(world, np.minimum(middles, at)).sum(0)
    return ChartView(
        start / 3_600_000,
        _departures(diary, midnight + start, at),
        _departures(yesterday, yesterday.day * DAY + start, math.inf) if yesterday else (),
        tuple(float(q) for q in queue[: _length(queue) + 1]),
        None if wanted is None else tuple((wanted - midnight) / 3_600_000),
    )


def _departures(diary: Diary, start: float, until: float) -> tuple[int, ...]:
    """Cars that have left, by bins from `start` on."""
    times = diary.departs[diary.departed(until) & ~diary.by_bus]
    return tuple(np.bincount(((times - start) // BIN).astype(np.int64)).tolist())


def _length(series: np.ndarray) -> int:
    """Without the zeros at the end."""
    return int(np.flatnonzero(series)[-1]) + 1 if series.any() else 0
