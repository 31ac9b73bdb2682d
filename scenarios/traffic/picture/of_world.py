"""What a picture shows of running traffic: the world put into the words of the picture."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import takewhile

import numpy as np

from lam_env.core.events import AGENT, FEEDBACK, READING, SENSOR, USER, Event
from lam_env.core.observation import WEEKDAYS

from ..roads.links import BPRLink
from ..units import DAY, HOUR, MINUTE
from ..words import FOLLOWED, REFUSED
from ..world.diary import Diary
from ..world.world import TrafficWorld
from .telling import clock, does, event_views, headline, name, travel_text
from .view import ChartView, CountsView, FiguresView, LinkView, NodeView, TrafficView, TravellerView, VehicleView

EVENTS = 8
BIN = 5 * MINUTE  # [ms]
# [min] before the first and after the last departure time to choose from: when empty buses are shown
BEFORE, AFTER = 30, 90
ENDS = {0: ("Home", "home"), 1: ("Work", "work")}
ROADS = {
    "corridor": ("main road", "bridge", "slow road", "bus"),
    "bottleneck": ("entry road", "tunnel"),
    "two_route": ("main road", "", "side road", ""),
    "braess": ("north, first half", "south, first half", "north, second half", "link road", "south, second half"),
}


def traffic_view(world: TrafficWorld, at: int | None = None) -> TrafficView:
    """Traffic at an instant `at` [ms]: now, or earlier on this day or, where the world records, on the day before."""
    at = world.now if at is None else at
    diary, yesterday = _days(world, at)
    events = _events(world, diary, at)
    hour = (at - diary.day * DAY) / HOUR
    return TrafficView(
        network=headline(world, diary),
        nodes=_nodes(world, diary, at),
        links=_links(world, diary, at),
        clock=f"{WEEKDAYS[diary.day % 7]} {int(hour):02}:{int(hour * 60 + 1e-9) % 60:02}",
        hour=hour,
        day=diary.day - world.first_day + 1,
        days=world.params.days,
        vehicles=(*_cars(world, diary, at), *_buses(world, diary, at)),
        traveller=_traveller(world, diary, at, events),
        counts=_counts(diary, at),
        figures=_figures(world, diary, at, events),
        events=tuple(event_views(world, diary, at, events))[:EVENTS],
        chart=_chart(world, diary, yesterday, at),
    )


def moments(world: TrafficWorld, since: int) -> Iterator[int]:
    """Every five minutes after `since` [ms] and before now at which somebody is under way, on days that are
    recorded."""
    days = {diary.day: diary for diary in (*world.diaries, Diary.of(world))}
    for at in range((since // BIN + 1) * BIN, world.now, BIN):
        diary = days.get(at // DAY)
        if diary is not None and at > since and (diary.departed(at) & ~diary.arrived(at)).any():
            yield at


def _days(world: TrafficWorld, at: int) -> tuple[Diary, Diary | None]:
    """The day of an instant, and the one before it where it is known."""
    today = Diary.of(world)
    days = {diary.day: diary for diary in (*world.diaries, today)}
    day = min(at // DAY, today.day)  # the end of the last day is midnight
    recorded = at == world.now or world.records is not None
    if not world.start <= at <= world.now or day not in days or not recorded:
        raise ValueError(
            f"traffic view: instant {at} is not known; give one of today, or of yesterday with record=True"
        )
    return days[day], days.get(day - 1)


def _events(world: TrafficWorld, diary: Diary, at: int) -> list[Event]:
    """What was said and done on the day until then, newest first."""
    of_day = takewhile(lambda event: event.time >= diary.day * DAY, reversed(world.records or ()))
    return [event for event in of_day if event.time <= at and event.kind != READING]


# -- the map ----------------------------------------------------------------------------------------------------------


def _nodes(world: TrafficWorld, diary: Diary, at: int) -> tuple[NodeView, ...]:
    network, few = world.supply.network, world.params.network in ROADS
    xy = np.zeros((network.nodes, 2)) if network.xy is None else network.xy
    people = (int((~diary.departed(at)).sum()), int(diary.arrived(at).sum()))
    return tuple(
        NodeView(x, y, *ENDS[i], people=people[i]) if few and i in ENDS else NodeView(x, y, "" if few else str(i + 1))
        for i, (x, y) in enumerate(xy.tolist())
    )


def _links(world: TrafficWorld, diary: Diary, at: int) -> tuple[LinkView, ...]:
    network, supply = world.supply.network, world.supply
    ends = list(zip(network.tail.tolist(), network.head.tolist(), strict=True))
    names = ROADS.get(world.params.network) or [f"road {a + 1}-{b + 1}" for a, b in ends]
    queue = diary.queues(world, np.array([at]))[:, 0].tolist()
    views = []
    for k, link in enumerate(world.links):
        if network.mode[k] != "car":
            aboard, waiting, buses = _riders(world, diary, at)
            load = sum(aboard) / max(1, world.params.room * len(buses))
            ride = float(supply.free[0, supply.is_bus][0])
            views.append(LinkView(*ends[k], "bus", names[k], load, waiting, time=ride, free_time=ride))
            continue
        time = diary.travel_time(world, k, at)
        views.append(
            LinkView(
                *ends[k],
                name=names[k],
                load=diary.load(world, k, at),
                queue=queue[k],
                closed=k == diary.closed,
                time=None if time is None else time / MINUTE,
                free_time=link.free_time / MINUTE,
                capacity=None if isinstance(link, BPRLink) else link.capacity * diary.share[k],
            )
        )
    return tuple(views)


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
    if world.bus is None:
        return
    begins, ends = (diary.reference + (world.supply.shift[k] + d) * MINUTE for k, d in ((0, -BEFORE), (-1, AFTER)))
    line = world.supply.network.mode.index("bus")
    aboard, _, buses = _riders(world, diary, at)
    for left, passengers in zip(buses, aboard, strict=True):
        if passengers or begins <= left <= ends:  # by night they run empty, which only clutters the map
            yield VehicleView(line, (at - left) / world.bus.ride_time, "bus", passengers)


# -- the panel --------------------------------------------------------------------------------------------------------


def _counts(diary: Diary, at: int) -> CountsView:
    departed, arrived = diary.departed(at), diary.arrived(at)
    under_way = departed & ~arrived
    bus = int((under_way & diary.by_bus).sum())
    return CountsView(int((~departed).sum()), int(under_way.sum()) - bus, bus, int(arrived.sum()))


def _figures(world: TrafficWorld, diary: Diary, at: int, events: list[Event]) -> FiguresView:
    """Costs are those of the people who have arrived."""
    people, params, supply = world.people, world.params, world.supply
    departed, there = diary.departed(at), np.flatnonzero(diary.arrived(at))
    figures: dict[str, float] = {}
    if len(there):
        time = (diary.arrives[there] - diary.departs[there]) / MINUTE
        late = (diary.arrives[there] - diary.reference) / MINUTE - diary.arrive[there]
        cost = params.alpha * time + diary.extra[there] + sum(people.schedule_cost(late))
        cost += np.where(diary.by_bus[there], people.dislikes_bus[there], 0.0) + (diary.advice[there] > 0)
        figures["cost"] = float(cost.mean())
        if np.isfinite(diary.expected[there]).all() and diary.expected[there].all():
            figures["usual_cost"] = float(diary.expected[there].mean())
        cars = ~diary.by_bus[there]
        if cars.any():
            free = supply.free[people.pair[there], supply.way[diary.chosen[there]]]
            figures["delay"] = max(0.0, float((time - free)[cars].mean()))
    if world.records is not None:
        answers = [event.token for event in events if event.kind == FEEDBACK]
        followed, refused = answers.count(FOLLOWED), answers.count(REFUSED)
    else:
        followed = int(diary.followed.sum())
        refused = int(((diary.advice > 0) & (diary.advice - 1 != diary.natural) & ~diary.followed).sum())
    if followed + refused:
        figures["acceptance"] = followed / (followed + refused)
    queues = not all(isinstance(link, BPRLink) for link in world.links)
    n, bus = int(departed.sum()), int((departed & diary.by_bus).sum())
    shares = {"car": 1 - bus / n} | ({"bus": bus / n} if supply.is_bus.any() else {}) if n else {}
    return FiguresView(peak_queue=diary.longest_queue(world, at) if queues else None, shares=shares, **figures)


def _traveller(world: TrafficWorld, diary: Diary, at: int, events: list[Event]) -> TravellerView | None:
    """Who decided last of those who are not there yet, the advice and the answer; before the first decision, who is
    asked."""
    there = diary.arrived(at)
    advice, answer, tone, when = None, "", "", ""
    decision = next((e for e in events if e.kind == USER and not there[e.user]), None)
    if decision is not None:
        i, option = decision.user, decision.token - 1
        advice = next((e.token - 1 for e in events if e.kind == AGENT and e.user == i), None)
        answer = does(world, diary, i, option) + (", as usual" if option == diary.usual[i] else "")
        if advice is not None and advice != diary.natural[i]:
            tone = "accepted" if option == advice else "refused"
        when = "" if decision.time == at else clock(decision.time)
    elif world.records is None and world.now < world.end:
        i = world.person
    else:
        i = next((e.user for e in events if e.kind == SENSOR and not there[e.user]), -1)
        if i < 0:
            return None
    usual = int(diary.usual[i])
    return TravellerView(
        name=name(i),
        habit=travel_text(world, diary, i, usual),
        advice="" if advice is None else travel_text(world, diary, i, advice),
        answer=answer,
        tone=tone,
        trust=float(diary.trust[i]),
        habit_links=_path(world, i, usual),
        advice_links=() if advice is None else _path(world, i, advice),
        clock=when,
    )


def _path(world: TrafficWorld, i: int, option: int) -> tuple[int, ...]:
    path = world.supply.paths[world.people.pair[i]][world.supply.way[option]]
    return path or (world.supply.network.mode.index("bus"),)


# -- the chart --------------------------------------------------------------------------------------------------------


def _chart(world: TrafficWorld, diary: Diary, yesterday: Diary | None, at: int) -> ChartView:
    midnight = diary.day * DAY
    days = [day for day in (diary, yesterday) if day is not None]
    first = min(day.reference - day.day * DAY for day in days) + (world.supply.shift[0] - world.params.slot) * MINUTE
    start = math.floor(first / (30 * MINUTE)) * 30 * MINUTE  # [ms of the day]
    window = np.quantile(diary.reference + diary.arrive[diary.goes] * MINUTE, (0.1, 0.9)) if diary.goes.any() else None
    return ChartView(
        start / HOUR,
        _departures(diary, midnight + start, at),
        _departures(yesterday, yesterday.day * DAY + start, math.inf) if yesterday else (),
        _queue(world, diary, midnight + start, at),
        None if window is None else tuple((window - midnight) / HOUR),
        _queue(world, yesterday, yesterday.day * DAY + start, midnight) if yesterday else (),
    )


def _departures(diary: Diary, start: float, until: float) -> tuple[int, ...]:
    """Cars that have left, by bins from `start` on."""
    times = diary.departs[diary.departed(until) & ~diary.by_bus]
    return tuple(np.bincount(((times - start) // BIN).astype(np.int64)).tolist())


def _queue(world: TrafficWorld, diary: Diary, start: int, until: int) -> tuple[float, ...]:
    """Vehicles that stand in the middle of each bin from `start` on, until they stand no more."""
    middles = np.minimum(np.arange(start + BIN / 2, until + BIN / 2, BIN), until)[: 288 - start % DAY // BIN]
    series = diary.queues(world, middles).sum(0)
    some = np.flatnonzero(series)
    return tuple(map(float, series[: some[-1] + 2].tolist())) if len(some) else ()
