"""The picture of running traffic shows what is so, at any instant of a day."""

import dataclasses
from collections import Counter

import numpy as np
import pytest
from lam_env.scenarios.traffic.picture.of_world import traffic_view
from lam_env.scenarios.traffic.picture.scene import traffic_scene
from lam_env.scenarios.traffic.picture.telling import name, travel_text

from lam_env.envs.pixels import rgb_array
from lam_env.envs.single import LamEnv
from lam_env.envs.terminal import ansi

MINUTE, DAY = 60_000, 86_400_000
NETWORKS = ("corridor", "bottleneck", "two_route", "braess", "grid")
MODELS = [*((n, "auto") for n in NETWORKS), ("corridor", "spatial"), ("grid", "spatial"), ("corridor", "bpr")]
SMALL = {"travellers": 120, "burn_in": 14, "days": 3}
every_model = pytest.mark.parametrize(("network", "model"), MODELS)


def started(seed=0, record=True, **settings):
    env = LamEnv("traffic", record=record, **(SMALL | settings))
    env.reset(seed=seed)
    return env


def lived(days=1, seed=0, often=0.5, **settings):
    """After so many days with an agent that gives any advice."""
    env, chance = started(seed, **settings), np.random.default_rng(seed)
    done, first = False, env.world.first_day
    while env.world.day < first + days and not done:
        can = np.flatnonzero(env.action_masks())
        *_, done, _ = env.step(int(chance.choice(can)) if chance.random() < often else 0)
    return env


def at_peak(hours=7.5, **settings):
    """A world on its first morning in the middle of the rush, where nobody decides; nobody was given advice."""
    world = started(**settings).world
    world.timer = 13_579  # so that it stops where nobody is asked
    while world.now < world.first_day * DAY + hours * 60 * MINUTE:
        world.step(0)
    return world


def instants(day):
    """Many of a day, most of them where traffic is."""
    rush = np.random.default_rng(day).integers(6 * 60 * MINUTE, 12 * 60 * MINUTE, 60)
    return (
        day * DAY + np.concatenate([np.arange(0, DAY, 47 * MINUTE), np.arange(415, 520, 5) * MINUTE, rush])
    ).tolist()


@every_model
def test_everybody_is_counted_once_at_every_instant(network, model):
    world = lived(network=network, link_model=model).world
    for at in instants(world.first_day):
        view = traffic_view(world, at)
        counts = view.counts
        assert counts.at_home + counts.on_road + counts.on_bus + counts.arrived == 120
        cars = sum(v.kind == "car" for v in view.vehicles) + sum(a.queue for a in view.links if a.mode == "car")
        assert cars == counts.on_road or (
            model == "spatial" and cars < counts.on_road
        )  # some wait before the first link
        aboard = sum(v.occupants for v in view.vehicles if v.kind == "bus")
        assert aboard + sum(a.queue for a in view.links if a.mode == "bus") == counts.on_bus
        here = {node.kind: node.people for node in view.nodes}
        if "home" in here:
            assert (here["home"], here["work"]) == (counts.at_home, counts.arrived)


@every_model
def test_vehicles_are_on_their_links_and_queues_are_those_of_the_link_model(network, model):
    for hours in (7.0, 7.2, 7.5, 7.8):
        world = at_peak(hours, network=network, link_model=model)
        view = traffic_view(world)
        assert all(0 <= v.position <= 1 and view.links[v.link].mode == v.kind for v in view.vehicles)
        moving = Counter(v.link for v in view.vehicles if v.kind == "car")
        for k, (shown, link) in enumerate(zip(view.links, world.links, strict=True)):
            if shown.mode == "bus":
                continue
            entered = {trip.index: time for time, _, trip in link.log}
            standing = sum(entered[trip.index] + link.free_time <= world.now for trip in link.inside)
            assert shown.queue == (0 if hasattr(link, "interval") else standing)
            assert moving[k] + shown.queue == len(link.inside)
            assert shown.time == pytest.approx((link.exits([world.now])[0] - world.now) / MINUTE, abs=1e-4)
            assert not shown.closed


def test_there_are_queues_to_be_seen():
    world = at_peak(7.8, network="bottleneck")
    view = traffic_view(world)
    assert view.links[1].queue > 5
    assert view.links[1].load > 0.9 > view.links[0].load
    assert view.links[1].time > view.links[1].free_time
    assert view.figures.peak_queue >= view.links[1].queue
    middle = world.now // (5 * MINUTE) * 5 * MINUTE + 150_000  # of the last bin
    assert view.chart.queue[-1] == traffic_view(world, min(middle, world.now)).links[1].queue


@every_model
def test_a_past_instant_is_drawn_as_it_was(network, model):
    world = at_peak(7.6, network=network, link_model=model)
    now, then = world.now, traffic_view(world)
    while world.day == world.first_day:
        world.step(0)
    later = traffic_view(world, now)
    trust = {"traveller": dataclasses.replace(later.traveller, trust=then.traveller.trust)}  # it has changed since
    assert dataclasses.replace(later, **trust) == then


def test_the_clock_and_the_day_are_right():
    world = lived(2).world
    first = world.first_day * DAY
    for minutes, clock, day in (
        (0, "Mon 00:00", 1),
        (7 * 60 + 42, "Mon 07:42", 1),
        (1439, "Mon 23:59", 1),
        (1440, "Tue 00:00", 2),
    ):
        view = traffic_view(world, first + minutes * MINUTE)
        assert (view.clock, view.day, view.days) == (clock, day, 3)
        assert view.hour == pytest.approx(minutes / 60 % 24)
    assert traffic_view(world, first + 7 * 60 * MINUTE + 59_999).clock == "Mon 07:00"


def test_the_end_of_an_episode_is_its_last_midnight():
    env = lived(9)
    view = traffic_view(env.world)
    assert (view.clock, view.day, view.days) == ("Wed 24:00", 3, 3)
    assert view.counts.on_road == view.counts.on_bus == 0 < view.counts.arrived
    assert view.traveller is None
    assert "Wed 24:00" in ansi(traffic_scene(view))


@every_model
def test_the_bars_of_the_chart_are_the_departures(network, model):
    world = lived(2, network=network, link_model=model).world
    monday, tuesday = world.diaries
    drove = [int((d.goes & ~d.by_bus).sum()) for d in (monday, tuesday)]
    for at in instants(world.first_day + 1):
        view = traffic_view(world, at)
        left = tuesday.goes & ~tuesday.by_bus & (tuesday.departs <= at)
        assert sum(view.chart.today) == left.sum()
        assert sum(view.chart.yesterday) == drove[0]
        busiest = max(view.chart.queue, default=0)
        assert view.figures.peak_queue is None or busiest <= view.figures.peak_queue
        assert len(view.chart.today) <= max(0, (view.hour - view.chart.start) * 12 + 1)
    assert sum(view.chart.today) == drove[1]


def test_the_first_morning_knows_the_day_before_it():
    world = started().world
    assert sum(traffic_view(world).chart.yesterday) > 0
    assert traffic_view(started(burn_in=0).world).chart.yesterday == ()


def test_who_was_asked_the_advice_and_the_answer_are_shown():
    env = started(seed=1)
    world = env.world
    before = traffic_view(world).traveller
    assert (before.name, before.advice, before.answer, before.clock) == (name(world.person), "", "", "")
    tones = set()
    for k in range(60):
        i, usual = world.person, int(world.people.last[world.person])
        can = np.flatnonzero(env.action_masks())
        action = int(can[k % len(can)])
        env.step(action)
        shown = traffic_view(world).traveller
        chosen = int(world.chosen[i])
        assert shown.name == name(i)
        assert shown.habit_links
        assert bool(shown.advice) == bool(shown.advice_links) == bool(action)
        assert shown.answer.endswith("as usual") == (chosen == usual)
        assert shown.trust == world.people.trust[i]
        if action:
            moved = action - 1 != world.people.natural[i]
            assert shown.tone == ("" if not moved else "accepted" if world.followed[i] else "refused")
        tones.add(shown.tone)
    assert tones == {"", "accepted", "refused"}


def test_the_card_is_empty_once_everybody_has_arrived():
    world = lived().world
    assert traffic_view(world, world.first_day * DAY + 450 * MINUTE).traveller is not None
    assert traffic_view(world, world.first_day * DAY + 800 * MINUTE).traveller is None
    assert traffic_view(world, world.first_day * DAY + 60 * MINUTE).traveller is None


def test_events_are_told_in_words_newest_first():
    world = lived().world
    said, tones, actors = [], set(), set()
    for minutes in (330, 360, 400, 420, 450, 480, 1385):
        events = traffic_view(world, world.first_day * DAY + minutes * MINUTE).events
        times = [e.clock for e in events]
        assert times == sorted(times, reverse=True)
        assert all(int(t[:2]) * 60 + int(t[3:]) <= minutes for t in times)
        said += [e.text for e in events]
        tones |= {e.tone for e in events}
        actors |= {e.who for e in events}
    assert {"accepted", "refused"} <= tones
    assert "agent" in actors
    for part in ("leaves by car", "arrives", "drives at", "thumb", " to "):
        assert any(part in text for text in said), part


def test_shares_and_acceptance_are_those_of_the_day():
    world = lived().world
    figures = traffic_view(world, world.first_day * DAY + 1390 * MINUTE).figures
    diary = world.diaries[-1]
    went = diary.goes
    assert figures.shares["bus"] == pytest.approx(diary.by_bus[went].mean())
    assert sum(figures.shares.values()) == pytest.approx(1)
    answered = (diary.advice > 0) & (diary.advice - 1 != diary.natural)
    assert figures.acceptance == pytest.approx(diary.followed.sum() / answered.sum())
    assert figures.acceptance == pytest.approx(world.tally.followed / (world.tally.followed + world.tally.refused))
    assert figures.cost == pytest.approx(world.tally.cost.sum() / world.tally.trips.sum())


@pytest.mark.parametrize("network", NETWORKS)
def test_every_option_has_words_of_its_own(network):
    world = started(network=network).world
    diary = type(world.diaries[-1]).of(world)
    for person in range(8):
        said = [travel_text(world, diary, person, option) for option in range(len(world.supply.names))]
        assert len(set(said)) == len(said)
    assert len({name(i) for i in range(20_000)}) == 20_000


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("shock", ["capacity", "closure", "weather"])
def test_any_instant_of_any_day_can_be_drawn(network, shock):
    if shock == "closure" and network in ("bottleneck", "grid"):
        shock = "none"  # there is no way around
    world = lived(2, network=network, shock=shock, shock_day=1).world
    for k, at in enumerate(instants(world.first_day + 1)[::2]):
        scene = traffic_scene(traffic_view(world, at))
        if k % 20 == 0:
            assert rgb_array(scene, width=240).std() > 0
            assert max(map(len, ansi(scene).splitlines())) <= 80
    view = traffic_view(world, world.first_day * DAY + DAY + 450 * MINUTE)
    told = {"capacity": "roadworks", "closure": "road closed", "weather": "storm"}.get(shock, "")
    assert told in view.network
    assert any(a.closed for a in view.links) == (shock == "closure")


def test_nobody_travels_in_an_empty_town():
    env = lived(home=1.0)
    view = traffic_view(env.world, env.world.first_day * DAY + 2 * DAY + 480 * MINUTE)
    assert view.counts.at_home == 120
    assert (view.figures.cost, view.chart.window, view.traveller) == (None, None, None)
    assert "no departures yet" in ansi(traffic_scene(view))


@pytest.mark.parametrize("network", ["corridor", "two_route"])
def test_drawing_changes_nothing(network):
    plain, drawn = (started(record=r, seed=3, network=network) for r in (False, True))
    done = False
    for k in range(10**6):
        if k % 5 == 0:
            drawn.scenario.scene(drawn.world)
            traffic_view(drawn.world, max(drawn.world.start, drawn.world.now - DAY))
        can = np.flatnonzero(plain.action_masks())
        action = int(can[k % len(can)]) if k % 2 else 0
        a, b = plain.step(action), drawn.step(action)
        assert all(np.array_equal(a[0][key], b[0][key]) for key in a[0])
        assert a[1:4] == b[1:4]
        done = a[3]
        if done:
            break
    assert done
    assert a[4] == b[4]


def test_empty_buses_are_shown_by_day_alone():
    world = at_peak(hours=9.5)
    midnight = world.first_day * DAY

    def buses(hour):
        view = traffic_view(world, midnight + round(hour * 60) * MINUTE)
        return [v for v in view.vehicles if v.kind == "bus"]

    assert buses(3) == []
    assert len(buses(7.5)) >= 2
    assert sum(bus.occupants for bus in buses(7.75)) > 0


@pytest.mark.parametrize("network", ["corridor", "grid"])
def test_between_two_decisions_the_rush_can_be_seen(network):
    env = LamEnv("traffic", render_mode="rgb_array_list", network=network, travellers=40, burn_in=7, days=2)
    env.reset(seed=0)
    first, done = env.world.first_day, False
    while env.world.day == first:
        *_, done, _ = env.step(0)
    scenes = list(env._renderer._scenes)
    clocks = [int(t.text[4:6]) * 60 + int(t.text[7:9]) for scene in scenes for t in scene.texts() if t.size == 21]
    assert len(clocks) == len(scenes)
    rush = [minute for minute in clocks if 440 <= minute <= 500]
    assert len(rush) > 8
    assert max(later - earlier for earlier, later in zip(rush, rush[1:], strict=False)) <= 5
    while not done:
        *_, done, _ = env.step(0)
    assert len(env._renderer._scenes) > len(scenes) + 8  # that of the last day too


def test_without_a_record_it_shows_now_alone():
    world = lived(record=False).world
    assert not world.diaries
    view = traffic_view(world)
    assert view.traveller.name == name(world.person)
    assert view.counts.at_home == 120
    with pytest.raises(ValueError, match="record=True"):
        traffic_view(world, world.now - DAY)


@pytest.mark.parametrize("days", [-3, 1])
def test_an_instant_that_is_not_known_is_refused(days):
    world = lived(2).world
    with pytest.raises(ValueError, match="is not known"):
        traffic_view(world, world.now + days * DAY)
