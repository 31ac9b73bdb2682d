"""The picture of a running home shows what is so."""

import numpy as np
import pytest
from lam_env.scenarios.smart_home import SmartHome
from lam_env.scenarios.smart_home.baselines import HomeOracle
from lam_env.scenarios.smart_home.picture.of_world import event_text, home_view

from lam_env.core.rng import Stream
from lam_env.envs.single import LamEnv
from lam_env.envs.terminal import ansi


def running(hours, agent=None, record=True, seed=0, **settings):
    """A home after some hours, with an agent or without."""
    env = LamEnv("smart_home", reveal=("plan",), record=record, **settings)
    observation, _ = env.reset(seed=seed)
    while env.world.now < env.world.start + hours * 3600:
        action = 0
        if agent is not None:
            action = int(agent.predict({k: v[None] for k, v in observation.items()})[0][0])
        observation, *_ = env.step(action)
    return env.world


class Anything:
    """Does any possible thing, often."""

    def __init__(self):
        self.draws, self.i = Stream(1), 0

    def predict(self, observation, state=None, episode_start=None, deterministic=True):
        can = np.flatnonzero(observation["action_mask"][0])
        self.i += 1
        acts = self.draws.uniform(2 * self.i) < 0.1
        return np.array([can[int(self.draws.uniform(2 * self.i + 1) * len(can))] if acts else 0]), state


@pytest.mark.parametrize("rooms", range(4, 9))
def test_devices_lamps_and_people_are_where_the_world_has_them(rooms):
    world = running(14.5, Anything(), rooms=rooms, residents=1 + rooms % 4)
    view = home_view(world)
    assert view.rooms == world.home.rooms
    assert list(view.lights.values()) == [world.states[d] for (d,) in world.home.lights]
    assert len(view.devices) == len(world.home.devices) - rooms
    shown = {(d.kind, d.room): d for d in view.devices}
    for device in world.home.devices:
        if device.kind.name == "light":
            continue
        kind = {"heating": "thermostat"}.get(device.kind.name, device.kind.name)
        found = shown[kind, world.home.rooms[device.room]]
        if kind not in ("thermostat", "blinds") and found.state != "ready":
            on = {"lock": "locked", "alarm": "armed", "kettle": "hot", "dishwasher": "running", "washer": "running"}
            assert found.active == (world.states[device.index] == 1), found
            assert not found.active or found.state == on.get(kind, "on")
    assert [(p.room, p.asleep, p.trust) for p in view.people] == [
        (None if r.room < 0 else world.home.rooms[r.room], r.asleep, r.trust) for r in world.residents
    ]
    assert view.indoor == world.indoor
    assert view.score == pytest.approx(sum(world.reward_weights[k] * v for k, v in world.reward_totals.items()))


def test_what_waits_is_ready_and_what_runs_is_running():
    world = running(1)
    world.load("washer")
    state = {d.kind: d.state for d in home_view(world).devices}
    assert (state["washer"], state["dishwasher"], state["kettle"]) == ("ready", "off", "off")
    world.set(world.home.by_name["washer"], 1)
    assert {d.kind: d.state for d in home_view(world).devices}["washer"] == "running"


def test_the_thermostat_glows_while_it_heats():
    world = running(1)
    for level, indoor, heating in ((0, 18.0, False), (0, 16.0, True), (2, 21.0, True), (2, 22.5, False)):
        world.states[world.heating], world.indoor = level, indoor
        (found,) = [d for d in home_view(world).devices if d.kind == "thermostat"]
        assert (found.state, found.heating) == (("eco", "normal", "warm")[level], heating)
        power = home_view(world).power
        assert (power > 0.9) == heating


def test_an_act_of_the_agent_is_shown_in_its_room_until_the_next_step():
    world = running(14)
    action = world.vocabulary.action("kitchen.light.on")
    world.step(action)
    view = home_view(world)  # at the same instant
    assert (view.events[0].who, view.events[0].text) == ("agent", "kitchen light on")
    assert (view.action, view.action_room) == ("kitchen light on", "kitchen")
    world.step(0)  # to the next decision point: what the act led to
    assert (home_view(world).action, home_view(world).action_room) == ("kitchen light on", "kitchen")
    world.step(0)
    assert home_view(world).action == ""


def test_events_tell_who_did_what_and_how_it_was_taken():
    world = running(18, HomeOracle())
    events = home_view(world).events
    assert events[0].clock <= home_view(world).clock[4:]
    assert {e.who for e in events} <= {"agent", "Ada", "Ben"}
    assert any(e.who == "agent" and e.tone == "accepted" for e in events)
    times = [e.clock for e in events]
    assert times == sorted(times, reverse=True)

    annoyed = running(16, Anything(), seed=2)
    tones, said = set(), set()
    for hour in range(16):
        at = home_view(running(hour + 1, Anything(), seed=2)).events
        tones |= {e.tone for e in at if e.who == "agent"}
        said |= {e.text for e in at if e.who != "agent"}
    assert {"missed", "overridden"} <= tones
    assert annoyed.switch_offs > 0
    assert "switches the automation off" in said


def test_without_a_record_it_shows_what_agents_see():
    with_record, without = running(16), running(16, record=False)
    mine, plain = home_view(with_record).events, home_view(without).events
    by_hand = [e for e in mine if not e.text.startswith("opens")]
    assert [(e.clock, e.text) for e in plain][: len(by_hand)] == [(e.clock, e.text) for e in by_hand]
    assert {e.who for e in plain} == {"somebody"}
    without.step(without.vocabulary.action("hall.light.on"))
    shown = home_view(without)
    assert (shown.events[0].who, shown.action, shown.action_room) == ("agent", "hall light on", "hall")


def test_every_action_has_words_of_its_own():
    world = running(0, rooms=8)
    said = [event_text(world, a) for a in range(1, len(world.vocabulary))]
    assert len(set(said)) == len(said)
    assert {"TV on", "front door locked", "kettle on", "heating eco", "living blinds closed", "washer on"} <= set(said)


def test_the_sun_stands_by_day_and_the_moon_by_night():
    heights = {}
    for season in (15.0, 180.0):
        world = running(0, season=season)
        for hour in (4.0, 8.5, 12.0, 15.0, 18.0, 22.0):
            world.now = int(hour * 3600)
            heights[season, hour] = home_view(world).hour
    lit = {key for key, hand in heights.items() if 6 <= hand < 19}
    assert lit == {(15.0, h) for h in (8.5, 12.0, 15.0)} | {(180.0, h) for h in (4.0, 8.5, 12.0, 15.0, 18.0)}
    assert heights[15.0, 12.0] == pytest.approx(12.5, abs=0.3)
    assert all(0 <= hand < 24 for hand in heights.values())


def test_mood_names_what_is_wrong():
    world = running(0)
    resident = world.residents[0]
    light = world.home.lights[resident.room][0]
    resident.asleep, resident.wants = False, {light: (2, 1)}
    assert home_view(world).people[0].mood == "in the dark"
    world.set(light, 2)
    resident.like = 30.0
    assert home_view(world).people[0].mood == "cold"
    resident.like = 10.0
    assert home_view(world).people[0].mood == "too warm"
    resident.like = world.indoor
    assert home_view(world).people[0].mood == ""


def test_a_scene_can_be_read_in_a_terminal():
    world = running(18, HomeOracle())
    text = ansi(SmartHome().scene(world))
    assert "Mon 22:" in text
    for word in ("Kitchen", "Ada", "Ben", "trust", "Last events", "front door"):
        assert word in text
