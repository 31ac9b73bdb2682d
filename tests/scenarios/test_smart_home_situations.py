"""The smart home in short hand-made situations whose outcome is known."""

import dataclasses

import pytest
from lam_env.scenarios.smart_home import SmartHome

from lam_env.core.events import AGENT, FEEDBACK, USER
from lam_env.core.observation import ObservationRows
from lam_env.core.rng import Streams
from lam_env.sim.routine import Act

MINUTE, HOUR = 60, 3600


class Script:
    """A routine of given acts: (start [min after the world's], length [min], activity); the last goes on meanwhile."""

    def __init__(self, names, start, acts):
        day = start // 86_400
        self.planned = [
            Act(start + int(a * MINUTE), start + int((a + n) * MINUTE), names.index(what), i, day)
            for i, (a, n, what) in enumerate(acts)
        ]

    def acts(self, start):
        yield from self.planned
        while True:  # nothing any more
            yield Act(start + 10**8, start + 2 * 10**8, -1, 0, start // 86_400)


def home(*scripts, seed=0, taste=1.0, **settings):
    """A world with one resident per script, who lives by it to the letter: whatever may be wanted on an occasion, is.

    It is 4 am in January and dark; all are asleep and like it as cold as it is; a decision point comes every 10 s.
    """
    usual = {"residents": len(scripts), "timer": 10, "dislikes": 0.0, "personas": ("home_worker",)}
    scenario = SmartHome(**usual | {"households": "alike"} | settings)
    row = ObservationRows(1, scenario.vocabulary).row(0)
    world = scenario.make_world(Streams(seed), row, record=True)
    for resident, script in zip(world.residents, scripts, strict=True):
        resident.routine = Script(resident.tables.activities, world.start, script)
        rules = {k: [rule._replace(p=taste) for rule in rules] for k, rules in resident.rules[0].items()}
        resident.rules = (rules,) * len(resident.rules)
        resident.leaving_rules = dict.fromkeys(resident.leaving_rules, 1.0)
        resident.traits = dataclasses.replace(resident.traits, tidiness=1.0, talkativeness=0.0)
        resident.like, resident.level = 17.0, 1
    return world


def until(world, minutes):
    """The agent does nothing until so many minutes after the start; the sum of rewards."""
    total = 0.0
    while world.now < world.start + minutes * MINUTE:
        world.step(0)
        total += world.reward
    return total


def do(world, *actions):
    """The agent acts now; then the instant is over."""
    for name in actions:
        action = world.vocabulary.action(name)
        assert world.row.mask[action], f"{name} is not possible"
        world.step(action)
    world.step(0)


def touches(world):
    """What people did by hand, as (action, seconds after the start)."""
    return [(world.vocabulary.actions[e.token], e.time - world.start) for e in world.records if e.kind == USER]


def answers(world):
    return [(world.vocabulary.feedback[e.token], e.answers) for e in world.records if e.kind == FEEDBACK]


def state(world, name):
    (device,) = [d for d in world.home.devices if d.name == name]
    return device.kind.states[world.states[device.index]]


VISIT = [(10, 5, "toilet"), (15, 200, "sleep")]  # light on on coming in, off on leaving; then the alarm


def test_without_an_agent_everything_is_done_by_hand():
    world = home(VISIT)
    reward = until(world, 20)
    done = touches(world)
    assert [name for name, _ in done] == ["bathroom.light.on", "bathroom.light.off", "alarm.armed"]
    on = done[0][1]
    assert 601 < on < 700
    assert world.reward_totals["miss"] == 3
    assert reward == pytest.approx(-0.2 * 3 - 2.0 * world.reward_totals["energy"])
    assert world.utility_totals["touch"] == 3.0
    assert world.utility_totals["dark"] == pytest.approx((on - 600) / 60)
    assert world.residents[0].trust == 0.8


def test_an_act_in_time_is_an_assist_and_saves_the_touch():
    world = home(VISIT)
    until(world, 8)
    do(world, "bathroom.light.on")
    until(world, 20)
    assert [name for name, _ in touches(world)] == ["bathroom.light.off", "alarm.armed"]
    assert answers(world) == [("accept", 0)]
    assert world.reward_totals["assist"] == 1
    assert world.reward_totals["nuisance"] == 0
    assert world.residents[0].trust == pytest.approx(0.82)
    assert world.utility_totals["dark"] == 0.0
    on = world.vocabulary.action("bathroom.light.on")
    assert world.row.feedback[on] == 1
    assert sum(world.row.feedback) == 1


def test_dim_serves_where_on_would_have_been_switched_but_too_early_does_not():
    world = home(VISIT)
    until(world, 8)
    do(world, "bathroom.light.dim")
    until(world, 12)
    assert world.counts["assists"] == 1

    early = home(VISIT)
    until(early, 4)  # six minutes ahead; a lamp's patience is five
    do(early, "bathroom.light.on")
    until(early, 12)
    assert early.counts["assists"] == 0
    assert touches(early) == []  # it is lit nevertheless


def test_a_wrong_act_is_overridden_within_minutes_and_costs_trust():
    world = home([(10, 30, "toilet")])
    until(world, 15)
    assert state(world, "bathroom.light") == "on"
    do(world, "bathroom.light.off")
    at, before = world.now - world.start, dict(world.reward_totals)
    until(world, 20)
    name, time = touches(world)[-1]
    assert name == "bathroom.light.on"
    assert 1 <= time - at < 180
    assert answers(world) == [("override", 0)]
    assert world.reward_totals["override"] - before["override"] == 1
    assert world.reward_totals["miss"] == before["miss"]
    assert world.residents[0].trust == pytest.approx(0.7)
    assert world.row.feedback[len(world.vocabulary) + world.vocabulary.action("bathroom.light.off")] == 1
    (event,) = [e for e in world.records if e.kind == USER and e.answers >= 0]
    assert event.token == world.vocabulary.action("bathroom.light.on")


def test_what_is_not_minded_is_no_override():
    world = home([(10, 30, "toilet")])
    until(world, 15)
    do(world, "bathroom.light.dim")  # bright or dim, both will do
    until(world, 20)
    assert world.counts["overrides"] == 0
    assert state(world, "bathroom.light") == "dim"


def test_a_standing_dislike_gives_a_rejection(monkeypatch):
    world = home([(10, 30, "breakfast")])
    kettle = world.vocabulary.action("kitchen.kettle.hot")
    monkeypatch.setattr(world, "minds_at", lambda action, time: action == kettle)
    until(world, 9)
    do(world, "kitchen.kettle.hot")
    until(world, 14)
    assert answers(world)[0] == ("reject", 0)
    assert world.counts["rejections"] == 1
    assert world.reward_totals["rejection"] == 1
    assert world.utility_totals["rejection"] == 1
    assert [n for n, _ in touches(world) if "kettle" in n] == ["kitchen.kettle.hot"] * 2  # undone, and done by hand
    assert state(world, "kitchen.kettle") == "hot"
    assert world.residents[0].trust == pytest.approx(0.8 - 0.04)


def test_nobody_dislikes_anything_where_dislikes_are_scaled_to_zero():
    world = home([])
    assert not any(world.minds(a) for a in range(len(world.vocabulary)))
    world = home([], dislikes=100.0)
    unlock = world.vocabulary.action("door.lock.unlocked")
    assert world.minds(unlock)
    evening = world.vocabulary.action("kitchen.kettle.hot")
    assert [world.minds_at(evening, h * HOUR) for h in (13, 14, 23)] == [False, True, True]


def test_a_kettle_cools_and_can_then_be_boiled_again():
    world = home([])
    action, device = world.vocabulary.action("kitchen.kettle.hot"), world.home.by_name["kettle"]
    do(world, "kitchen.kettle.hot")
    assert not world.row.mask[action]
    while world.states[device]:
        before = world.now
        world.step(0)
    assert before < world.start + 600 <= world.now
    assert world.row.mask[action]
    assert world.shadow[device] == 0
    assert world.kwh == pytest.approx(0.1)  # at 17.5 C the heating is silent


def test_machines_run_only_when_loaded():
    world = home([])
    action, device = world.vocabulary.action("kitchen.dishwasher.running"), world.home.by_name["dishwasher"]
    assert not world.row.mask[action]
    world.step(action)
    assert (world.masked, world.states[device], world.agent_acts) == (1, 0, 0)
    world.load("kitchen.dishwasher")
    assert world.row.mask[action]
    assert world.row.context[world.home.loaded[device]] == 1.0
    do(world, "kitchen.dishwasher.running")
    assert (world.states[device], device in world.loaded) == (1, False)
    assert not world.row.mask[action]
    world.load("kitchen.dishwasher")  # it is running: nothing can be put in
    assert device not in world.loaded
    until(world, 121)
    assert world.states[device] == 0
    assert not world.row.mask[action]


def test_below_the_threshold_automation_is_off_for_six_hours_and_after_some_times_for_good():
    world = home([(10, 3000, "toilet")], days=3)
    resident = world.residents[0]
    last = resident.trust_params.give_up
    for count in range(1, last + 1):
        until(world, (world.now - world.start) / 60 + 12)
        resident.trust = 0.36
        do(world, "bathroom.light.off")
        until(world, (world.now - world.start) / 60 + 5)
        off = [
            e.time for e in world.records if e.kind == FEEDBACK and world.vocabulary.feedback[e.token] == "switch_off"
        ]
        assert len(off) == world.switch_offs == count
        assert world.reward_totals["switched_off"] == count
        assert not world.automation
        assert list(world.row.mask) == [1] + [0] * (len(world.vocabulary) - 1)
        assert world.row.context[world.vocabulary.readings.index("automation")] == 0.0
        until(world, (off[-1] + 6 * HOUR - world.start) / 60 - 1)
        assert not world.automation
        until(world, (off[-1] + 6 * HOUR - world.start) / 60 + 1)
        if count < last:
            assert world.automation
            assert resident.trust == pytest.approx(0.55)
            assert world.row.mask[world.vocabulary.action("bathroom.light.off")]
    until(world, 3 * 24 * 60)
    assert not world.automation
    assert world.now == world.end


def test_touches_and_misses_still_count_while_automation_is_off():
    world = home(VISIT)
    world._switch_off(world.residents[0])
    until(world, 20)
    assert world.reward_totals["miss"] == 3


def test_what_nobody_uses_is_a_nuisance_when_its_patience_is_over():
    world = home([(1, 600, "read")])
    until(world, 30)
    acted = world.now
    do(world, "kitchen.light.on")
    until(world, 30 + 4.7)
    assert world.reward_totals["nuisance"] == 0
    until(world, 30 + 5.5)
    (when,) = [e.time for e in world.records if e.kind == FEEDBACK]
    assert when == acted + 300
    assert world.reward_totals["nuisance"] == 1
    assert world.residents[0].trust == pytest.approx(0.79)
    assert world.last_agent_act[world.home.lights[2][0]] is None


@pytest.mark.parametrize("action", ["alarm.armed", "bedroom.blinds.open", "living.tv.off", "living.light.off"])
def test_neutral_things_and_rest_are_never_a_nuisance(action):
    world = home([(1, 5, "toilet"), (8, 600, "groom")])
    until(world, 10)
    for name in ("living.tv", "living.light"):
        (device,) = [d.index for d in world.home.devices if d.name == name]
        world.set(device, 1)
        world.shadow[device] = 1
    do(world, action)
    until(world, 60)
    assert world.counts["nuisances"] == 0
    assert world.residents[0].trust == 0.8


def test_an_act_that_nobody_notices_annoys_nobody():
    world = home([])  # everybody sleeps
    do(world, "kitchen.light.on")
    until(world, 10)
    assert world.reward_totals["nuisance"] == 1
    assert world.residents[0].trust == 0.8


def test_light_in_a_bedroom_wakes_and_is_overridden():
    world = home([(1, 600, "sleep")])
    until(world, 5)
    do(world, "bedroom.light.on")
    assert world.utility_totals["woken"] == 1
    until(world, 10)
    assert [n for n, _ in touches(world) if "bedroom.light" in n] == ["bedroom.light.off"]
    assert 0 < world.utility_totals["asleep_light"] < 5


# assists only where somebody would have had to reach


def test_undoing_and_redoing_what_residents_did_earns_nothing():
    world = home([(10, 30, "toilet")])
    until(world, 12)
    do(world, "bathroom.light.off")
    world.step(world.vocabulary.action("bathroom.light.on"))
    until(world, 60)
    assert world.counts["assists"] == 0
    assert world.reward_totals["assist"] == 0


def out_and_back(acts):
    """Somebody goes out without arming the alarm and comes back; the agent may arm it meanwhile and disarm it."""
    world = home([(5, 100, "out"), (120, 30, "toilet")])
    world.residents[0].rules[0]["out"] = []
    until(world, 20)
    if acts:
        do(world, "alarm.armed")
    until(world, 120)
    while world.residents[0].room < 0:
        world.step(0)
    if acts:
        do(world, "alarm.disarmed")
    until(world, 140)
    return world


def test_undoing_long_before_and_redoing_in_time_earns_nothing():
    alone, exploited = out_and_back(False), out_and_back(True)
    assert [n for n, _ in touches(alone)] == [n for n, _ in touches(exploited)]  # nothing was saved
    assert exploited.counts["assists"] == 0


# several acts, several people


def test_one_act_per_device_and_four_acts_per_instant():
    world = home([])
    time = world.now
    world.step(world.vocabulary.action("kitchen.light.on"))
    assert (world.now, world.row.epoch[4]) == (time, 1)
    assert not world.row.mask[world.vocabulary.action("kitchen.light.off")]
    assert not world.row.mask[world.vocabulary.action("kitchen.light.dim")]
    for i, name in enumerate(("living.light.on", "hall.light.on"), 2):
        world.step(world.vocabulary.action(name))
        assert (world.now, world.row.epoch[4]) == (time, i)
    world.step(world.vocabulary.action("bathroom.light.on"))  # the fourth ends the instant
    assert world.now > time
    assert world.row.epoch[4] == 0
    assert world.row.mask[world.vocabulary.action("kitchen.light.off")]
    assert [e.time for e in world.records if e.kind == AGENT] == [time] * 4


def test_nobody_switches_the_light_on_where_somebody_sleeps_or_off_where_somebody_stays():
    world = home([(1, 600, "sleep")], [(10, 10, "dress"), (25, 60, "read")])
    until(world, 24)
    assert [n for n, _ in touches(world) if "bedroom.light" in n] == []
    together = home([(10, 60, "toilet")], [(12, 10, "groom"), (22, 60, "read")])
    until(together, 30)
    assert [n for n, _ in touches(together) if "bathroom" in n] == ["bathroom.light.on"]


def test_the_last_to_leave_locks_and_switches_off():
    world = home([(10, 10, "read"), (20, 300, "out")])
    until(world, 19)
    assert state(world, "living.light") == "on"
    world.set(world.home.by_name["lock"], 0)
    until(world, 30)
    assert state(world, "door.lock") == "locked"
    assert state(world, "living.light") == "off"
    assert state(world, "alarm") == "armed"
    assert world.residents[0].room == -1
    stays = home([(10, 10, "read"), (20, 300, "out")], [(10, 300, "read")])
    stays.set(stays.home.by_name["lock"], 0)
    until(stays, 40)
    assert (state(stays, "door.lock"), state(stays, "alarm")) == ("unlocked", "disarmed")


def test_who_comes_home_unlocks_and_disarms():
    world = home([(2, 30, "out"), (60, 60, "read")])
    until(world, 62)
    came = [(n, t) for n, t in touches(world) if t >= 3600]
    assert came[0] == ("door.lock.unlocked", 3601)
    assert {"alarm.disarmed", "door.lock.locked", "living.light.on"} <= {n for n, _ in came}
    assert world.residents[0].room == world.home.room("living")


def test_two_with_different_wants_for_the_television_meet_an_override():
    """Somebody reads and minds the television that the agent switches on."""
    world = home([(10, 300, "read")])
    until(world, 15)
    do(world, "living.tv.on")
    until(world, 20)
    assert [n for n, _ in touches(world) if "tv" in n] == ["living.tv.off"]
    assert world.counts["overrides"] == 1
