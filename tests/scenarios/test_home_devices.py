"""A home with a list of devices of one's own: what it has, who uses it and how, and lists that no home can have."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lam_env.scenarios.smart_home import SmartHome
from lam_env.scenarios.smart_home.device_list import MOST, OFTEN, SETTING
from lam_env.scenarios.smart_home.devices import NONE
from lam_env.scenarios.smart_home.floorplan import ROOMS
from lam_env.scenarios.smart_home.kinds import KINDS
from lam_env.scenarios.smart_home.picture.of_world import event_text, home_view

from lam_env.core.errors import UserError
from lam_env.core.events import USER, Vocabulary
from lam_env.envs.check import check_scenario
from lam_env.envs.recording import simulate_log
from lam_env.envs.single import LamEnv
from lam_env.envs.vector import LamVectorEnv

FLAT = """
rooms:
  kitchen:
    light.kitchen: lamp
    switch.coffee: kettle
  living:
    light.ceiling: light
    light.sofa: lamp
    light.reading: lamp
    media_player.tv: tv
    cover.living: blinds
  bedroom:
    cover.bedroom: blinds
names:
  media_player.tv.playing: media_player.tv.on
  binary_sensor.hall_motion.on: motion.hall
"""


@pytest.fixture(scope="module")
def flat(tmp_path_factory: pytest.TempPathFactory) -> SmartHome:
    path = tmp_path_factory.mktemp("flat") / "home.yaml"
    path.write_text(FLAT, encoding="utf-8")
    made = SmartHome(devices=str(path), days=1)
    path.unlink()  # the settings hold what it said
    return made


def device(scenario: SmartHome, name: str) -> int:
    return next(d.index for d in scenario.home.devices if d.name == name)


def world_of(scenario: SmartHome, **more: object) -> LamEnv:
    env = LamEnv(scenario, **more)
    env.reset(seed=3)
    return env


def test_the_vocabulary_is_that_of_the_list(flat: SmartHome) -> None:
    assert flat.vocabulary.actions == (
        *("none", "light.kitchen.off", "light.kitchen.on", "light.ceiling.off", "light.ceiling.dim"),
        *("light.ceiling.on", "light.sofa.off", "light.sofa.on", "light.reading.off", "light.reading.on"),
        *("cover.bedroom.open", "cover.bedroom.closed", "cover.living.open", "cover.living.closed"),
        *("media_player.tv.off", "media_player.tv.on", "switch.coffee.hot"),
    )
    assert flat.vocabulary.readings[:2] == ("light.kitchen", "light.ceiling")
    assert flat.synonyms == {
        "media_player.tv.playing": "media_player.tv.on",
        "binary_sensor.hall_motion.on": "motion.hall",
    }


def test_actions_on_devices_of_a_kind_are_of_a_kind_whatever_their_names(flat: SmartHome) -> None:
    kinds = dict(zip(flat.vocabulary.actions, flat.vocabulary.kinds().tolist(), strict=True))
    assert kinds["light.kitchen.on"] == kinds["light.sofa.on"] == kinds["light.ceiling.on"]
    assert kinds["cover.living.open"] == kinds["cover.bedroom.open"] != kinds["light.kitchen.off"]
    assert Vocabulary.from_json(json.loads(json.dumps(flat.vocabulary.to_json()))) == flat.vocabulary
    assert "action_kinds" not in SmartHome().vocabulary.to_json()


def test_the_usual_devices_written_down_are_the_usual_home(tmp_path: Path) -> None:
    usual = SmartHome().home
    rooms: dict[str, dict[str, str]] = {}
    for d in usual.devices:
        rooms.setdefault(usual.rooms[d.room], {})[d.name] = d.kind.name
    (tmp_path / "usual.yaml").write_text(json.dumps({"rooms": rooms}))
    own = SmartHome(devices=str(tmp_path / "usual.yaml"))
    assert own.vocabulary.actions == usual.vocabulary.actions
    logs = [simulate_log(scenario, [4], 2)[0] for scenario in (SmartHome(), own)]
    assert all(np.array_equal(logs[0].columns[name], logs[1].columns[name], equal_nan=True) for name in logs[0].columns)
    assert (logs[0].kind == USER).sum() > 50


def test_settings_hold_the_list_and_make_the_same_home_again(flat: SmartHome) -> None:
    assert json.loads(flat.params.devices)["rooms"]["kitchen"] == {"light.kitchen": "lamp", "switch.coffee": "kettle"}
    assert SmartHome(devices=flat.params.devices).home is flat.home


def test_a_home_of_ones_own_keeps_the_contract(flat: SmartHome) -> None:
    assert check_scenario(flat, steps=200)


# -- how people use it -------------------------------------------------------------------------------------------------


def test_people_use_all_devices_and_no_state_that_cannot_be_commanded(flat: SmartHome) -> None:
    log, _ = simulate_log(flat, range(6), 7)
    done = {log.vocabulary.actions[a] for a in log.token[log.kind == USER]}
    assert done == set(flat.vocabulary.actions) - {"none", "light.ceiling.dim"}  # dim light is that of other lamps


def test_bright_light_is_the_main_lights_and_soft_light_one_of_the_others(flat: SmartHome) -> None:
    world = world_of(flat).world
    living, (ceiling, sofa, reading) = flat.home.room("living"), flat.home.lights[flat.home.room("living")]
    assert world.lamps(living, 2, 0) == ((ceiling, 2),)
    assert world.lamps(living, 1, 0) == ((sofa, 2),)  # it cannot be dimmed
    assert world.lamps(living, 1, 1) == ((reading, 2),)
    assert world.lamps(living, 0, 0) == ((ceiling, 0), (sofa, 0), (reading, 0))
    assert world.lamps(flat.home.room("bathroom"), 2, 0) == ()
    world.set(reading, 2)
    assert world.lamps(living, 2, 0) == world.lamps(living, 1, 0) == ((reading, 2),)  # it is bright already


def test_a_room_is_lit_while_one_of_its_lights_is(flat: SmartHome) -> None:
    world = world_of(flat).world
    resident, living = world.residents[0], flat.home.room("living")
    ceiling, sofa, _ = flat.home.lights[living]
    resident.room, resident.asleep, resident.wants = living, False, {sofa: (1, 2)}
    assert world.lacks_light(resident)
    for light, state, lacks in ((ceiling, 2, False), (sofa, 2, False), (ceiling, 0, False), (sofa, 0, True)):
        world.set(light, state)
        assert world.lacks_light(resident) is lacks
    resident.room = flat.home.room("bathroom")  # whose lamp is not the home's
    assert not world.lacks_light(resident)


def test_a_lamp_that_the_agent_lights_in_time_is_an_assist(flat: SmartHome) -> None:
    world = world_of(flat).world
    resident, living = world.residents[0], flat.home.room("living")
    ceiling, sofa, _ = flat.home.lights[living]
    world.sun, resident.room, resident.asleep = 0.0, living, False
    world.act(flat.vocabulary.action("light.sofa.on"))
    todo: list = []
    resident.coins = [0.0] * 16
    resident._want(world, "read", todo)
    (item,) = [item for item in todo if item.device in flat.home.lights[living]]
    assert item.device == sofa
    assert ceiling not in resident.wants


def test_blinds_outside_of_the_bedroom_go_with_those_of_the_living_room(tmp_path: Path) -> None:
    rooms = {"kitchen": {"a": "blinds"}, "bedroom": {"b": "blinds"}, "study": {"c": "blinds"}}
    (tmp_path / "h.yaml").write_text(json.dumps({"rooms": rooms}))
    scenario = SmartHome(devices=str(tmp_path / "h.yaml"), rooms=6)
    a, b, c = (device(scenario, name) for name in "abc")
    assert scenario.home.meant("living.blinds") == (a, c)
    assert scenario.home.meant("bedroom.blinds") == (b,)


def test_acts_are_where_their_device_is(tmp_path: Path) -> None:
    (tmp_path / "h.yaml").write_text(json.dumps({"rooms": {"bedroom": {"screen": "tv"}, "kitchen": {"w": "washer"}}}))
    scenario = SmartHome(devices=str(tmp_path / "h.yaml"))
    rooms = world_of(scenario).world.residents[0].rooms
    at = {act: scenario.home.rooms[rooms[act]] for act in ("tv", "laundry", "read")}
    assert at == {"tv": "bedroom", "laundry": "kitchen", "read": "living"}


def test_what_the_home_has_not_costs_nothing(flat: SmartHome) -> None:
    env = world_of(flat)
    over = False
    while not over:
        _, _, terminated, truncated, info = env.step(0)
        over = terminated or truncated
    total = info["totals"]
    unused = ("utility.unlocked", "utility.cold", "utility.asleep_music", "term.unlocked", "term.cold")
    assert {name: total[name] for name in unused} == dict.fromkeys(unused, 0.0)
    assert total["kpi.kwh"] > 5  # it is kept warm all the same
    assert env.world.heating == NONE
    assert env.world.indoor > 17


def test_agents_that_know_a_home_act_in_one_that_lacks_what_they_look_for(flat: SmartHome) -> None:
    env = LamVectorEnv(2, flat, reveal=("latent", "plan"))
    makes = {**flat.exploits(), **flat.baselines(), **flat.rungs()}
    del makes["timer"]  # it learns from a log
    acted = dict.fromkeys(makes, 0)
    for name, make in makes.items():
        policy, state, start = make(None), None, np.ones(2, bool)
        observation, _ = env.reset(seed=1)
        for _ in range(700):
            actions, state = policy.predict(observation, state, start)
            assert observation["action_mask"][np.arange(2), actions].all()
            acted[name] += int((actions > 0).sum())
            observation, _, _, start, _ = env.step(actions)
    assert {name for name, n in acted.items() if not n} == {"heating_off", "undo_redo", "flip_flop"}


def test_the_picture_shows_the_list_and_calls_it_by_its_names(flat: SmartHome) -> None:
    world = world_of(flat).world
    world.set(device(flat, "light.reading"), 2)
    view = home_view(world)
    assert view.lights == {"kitchen": 0, "living": 2}
    assert {(d.kind, d.room) for d in view.devices} == {
        *(("kettle", "kitchen"), ("tv", "living"), ("blinds", "living"), ("blinds", "bedroom")),
    }
    assert event_text(world, flat.vocabulary.action("switch.coffee.hot")) == "switch.coffee on"
    drawn = [item.label for item in flat.scene(world).items if getattr(item, "group", "") == "lights"]
    assert drawn == ["kitchen light off", "living light on"]


@st.composite
def lists(draw: st.DrawFn) -> tuple[int, dict[str, dict[str, str]]]:
    """Rooms, and any devices that a home of so many can have."""
    n, rooms, taken = draw(st.integers(4, 8)), dict[str, dict[str, str]](), set()
    some = draw(st.lists(st.tuples(st.sampled_from(ROOMS), st.sampled_from(sorted(KINDS))), min_size=1, max_size=MOST))
    for i, (room, kind) in enumerate(some):
        one = i if kind in ("light", "lamp") else (kind, room) if kind in OFTEN else kind
        if room in ROOMS[:n] and one not in taken:
            taken.add(one)
            rooms.setdefault(room, {})[f"d{i}"] = kind
    return n, rooms or {"living": {"d": "lamp"}}


@settings(max_examples=15)
@given(lists(), st.integers(0, 2**20))
def test_any_list_is_a_home_in_which_all_that_is_done_is_possible(
    made: tuple[int, dict[str, dict[str, str]]], seed: int
) -> None:
    n, rooms = made
    scenario = SmartHome(devices=json.dumps({"rooms": rooms}), rooms=n, days=1, residents=1 + seed % 4)
    rng, env = np.random.default_rng(seed), LamEnv(scenario, reveal=("latent", "plan"), record=True)
    observation, _ = env.reset(seed=seed)
    for _ in range(150):
        possible = np.flatnonzero(observation["action_mask"])
        observation, *_ = env.step(int(rng.choice(possible)) if rng.random() < 0.2 else 0)
        states = observation["context"][: len(scenario.home.devices)].astype(int).tolist()
        assert states == env.world.states
        for d in scenario.home.devices:  # a state that there is, which a command or the start has made
            assert states[d.index] == 0 or d.commands[states[d.index]]
    assert all(e.token for e in env.world.records if e.kind == USER)
    scenario.scene(env.world)


# -- lists that no home can have ---------------------------------------------------------------------------------------

ONE = "kitchen: {a: lamp}"


@pytest.mark.parametrize(("text", "told"), [
    ("", "no rooms; write rooms:, under it a room"),
    ("- a", "no rooms; write rooms:"),
    ("rooms: {}", "no rooms; write rooms:"),
    ("rooms: {kitchen: }", "kitchen holds no device; write a line NAME: KIND under it, or leave the room away"),
    ("rooms: {kitchen: lamp}", "kitchen holds no device"),
    ("rooms: {saloon: {a: lamp}}", "no room 'saloon'; there are bedroom, bathroom, kitchen, living"),
    ("rooms: {laundry: {a: lamp}}", "no laundry in a home of 5 rooms; say world.rooms=8"),
    ("rooms: {kitchen: {a: lapm}}", "a: no kind 'lapm'; did you mean 'lamp'?"),
    ("rooms: {kitchen: {a: [lamp]}}", r"a: no kind \['lamp'\]; "),
    ("rooms: {kitchen: {on: lamp}}", "a device of kitchen: True is no name; put it in quotation marks"),
    ("rooms: {kitchen: {a: lamp}, hall: {a: lamp}}", "a is in kitchen and in hall; leave one of them away"),
    ("rooms:\n  kitchen:\n    a: lamp\n    a: lamp", "'a' is there twice, in lines 3 and 4; leave one of them"),
    ("rooms: {kitchen: {a: tv}, hall: {b: tv}}", "a and b are both of the kind tv; people use one tv: keep one, and"),
    ("rooms: {hall: {a: blinds, b: blinds}}", "both of the kind blinds; people use one blinds in a room: keep one"),
    (f"rooms: {{{ONE}}}\nnames: {{b: a.dim}}", "b is said to be a.dim, which this home does not know"),
    (f"rooms: {{{ONE}}}\nnames: [b]", "names: expected at most 500 lines of NAME IN THE LOG: NAME IN THE HOME"),
    (f"rooms: {{{ONE}}}\nnames: {{b: 1}}", "names: 1 is no name; put it in quotation marks"),
    (f"rooms: {{{ONE}}}\nnmes: {{}}", "no part 'nmes'; there are rooms and names"),
    ("rooms: {hall: {automation: lamp}}", "automation is a reading of every home; call the device otherwise"),
    ("rooms: {hall: {" + ", ".join(f"d{i}: lamp" for i in range(31)) + "}}", "31 devices; a home has at most 30"),
    ("rooms: [", "is not YAML"),
])  # fmt: skip
def test_what_is_wrong_with_a_list_is_one_line(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "h.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=told) as caught:
        SmartHome(devices=str(tmp_path / "h.yaml"))
    assert str(caught.value).startswith(f"{SETTING}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("said", ["{", "{rooms: {}}", '{"a":' * 50_000])
def test_what_is_no_list_is_told_to_be_none(said: str) -> None:
    with pytest.raises(
        UserError, match=r"^world\.devices: is no list of devices \(.+\); give a YAML file of rooms and"
    ):
        SmartHome(devices=said)


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(UserError, match=r"^world\.devices=no\.yaml: cannot be read \(.*\); give a YAML file of rooms"):
        SmartHome(devices="no.yaml")
