"""A list of devices guessed from the names in a log."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from lam_env.scenarios.smart_home import SmartHome
from lam_env.scenarios.smart_home.proposal import DOMAINS, KIND_WORDS, ROOM_WORDS, STATES, proposed

HOUSE = (
    *("light.kitchen.on", "light.kitchen.off", "light.sofa.on", "light.sofa.dim", "light.living_floor.on"),
    *("light.bulb_7.on", "light.garden.on", "media_player.tv_living_room.playing"),
    *("media_player.tv_living_room.off", "media_player.tv_living_room.paused", "media_player.kitchen_radio.idle"),
    *("switch.coffee_machine.on", "switch.coffee_machine.off", "switch.waschmaschine.on"),
    *("climate.living_room.heat", "climate.bedroom.off", "cover.bedroom.closed", "cover.garage.open"),
    *("lock.front_door.unlocked", "alarm_control_panel.home.armed_away", "kitchen.light.off", "bedroomlight.on"),
    *("vacuum.robot.cleaning", "water_heater.boiler.eco", "binary_sensor.hall_motion.on"),
    *("binary_sensor.hall_motion.off", "binary_sensor.front_door.on", "sleep", "none"),
)


def test_what_names_say_is_understood() -> None:
    found = proposed(HOUSE)
    data = yaml.safe_load(found.text)
    assert data["rooms"] == {
        "bedroom": {"cover.bedroom": "blinds", "bedroomlight": "lamp"},
        "bathroom": {"switch.waschmaschine": "washer"},
        "kitchen": {
            **{"light.kitchen": "lamp", "media_player.kitchen_radio": "music", "switch.coffee_machine": "kettle"},
            **{"kitchen.light": "lamp"},
        },
        "living": {
            **{"light.sofa": "light", "light.living_floor": "lamp", "media_player.tv_living_room": "tv"},
            **{"climate.living_room": "heating"},
        },
        "hall": {"lock.front_door": "lock", "alarm_control_panel.home": "alarm"},
    }
    assert data["names"] == {
        "media_player.tv_living_room.playing": "media_player.tv_living_room.on",
        "media_player.kitchen_radio.idle": "media_player.kitchen_radio.off",
        "switch.coffee_machine.on": "switch.coffee_machine.hot",
        "switch.waschmaschine.on": "switch.waschmaschine.running",
        "climate.living_room.heat": "climate.living_room.warm",
        "climate.bedroom.off": "climate.living_room.eco",  # people heat the home, not a room
        "alarm_control_panel.home.armed_away": "alarm_control_panel.home.armed",
        "binary_sensor.hall_motion.on": "motion.hall",
        "binary_sensor.front_door.on": "door.front",
    }
    assert set(found.left_out) == {
        *("light.bulb_7.on", "light.garden.on", "media_player.tv_living_room.paused", "switch.coffee_machine.off"),
        *("cover.garage.open", "vacuum.robot.cleaning", "water_heater.boiler.eco", "binary_sensor.hall_motion.off"),
        "sleep",
    }


def test_the_file_says_what_it_left_out_and_how_many_rooms_it_needs(tmp_path: Path) -> None:
    found = proposed(["light.office.on", "vacuum.robot.cleaning"])
    assert "say world.devices=THIS_FILE world.rooms=6." in found.text
    assert "# Left out: vacuum.robot.cleaning" in found.text
    (tmp_path / "home.yaml").write_text(found.text)
    assert SmartHome(devices=str(tmp_path / "home.yaml"), rooms=6).vocabulary.actions[1:] == (
        *("light.office.off", "light.office.on"),
    )


def test_a_known_device_with_unknown_states_is_asked_for_these_alone() -> None:
    found = proposed(["Küchenlicht.rot", "Küchenlicht.on", "Flurlampe.leuchtet", "binary_sensor.x.on", "sleep"])
    assert found.open == ("Küchenlicht", "Flurlampe")
    asked = [line for line in found.text.splitlines() if line.startswith("#")]
    assert "#   Küchenlicht.rot: Küchenlicht.STATE" in asked
    assert "#     Küchenlicht: KIND" not in asked
    assert any(line.startswith("# the states are light: off/dim/on, lamp: off/on, ") for line in asked)
    assert yaml.safe_load(found.text)["rooms"]["kitchen"] == {"Küchenlicht": "lamp"}


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Wohnzimmer.Licht an", "Wohnzimmer.Licht.on"),
        ("Küche.Licht/EIN", "Küche.Licht.on"),
        ("Wohnzimmer.Rollladen.zu", "Wohnzimmer.Rollladen.closed"),
        ("Flur.Türschloss.verriegelt", "Flur.Türschloss.locked"),
        ("living.light.allumee", "living.light.on"),
        ("kitchen.light=apagado", "kitchen.light.off"),
        ("living.blinds.geopend", "living.blinds.open"),
        ("kitchen_kettle.acceso", "kitchen_kettle.hot"),
    ],
)
def test_states_are_known_in_other_languages(name: str, meant: str) -> None:
    data = yaml.safe_load(proposed([name]).text)
    assert data["names"] == {name: meant}
    device = meant.rpartition(".")[0]
    assert [device in inside for inside in data["rooms"].values()] == [True]


def test_of_a_second_device_of_a_kind_the_first_is_meant() -> None:
    found = proposed(["Kaffeemaschine.fertig", "Wasserkocher.fertig"])
    assert "#   Wasserkocher.fertig: Kaffeemaschine.STATE" in found.text.splitlines()
    assert found.open == ("Kaffeemaschine",)


def test_more_lights_than_a_home_can_have_are_left_out() -> None:
    found = proposed(f"light.kitchen_{i}.on" for i in range(40))
    assert len(yaml.safe_load(found.text)["rooms"]["kitchen"]) == 30
    assert len(found.left_out) == 10


def test_the_scenario_owns_it() -> None:
    assert SmartHome.proposal(HOUSE) == proposed(HOUSE)
    assert SmartHome.proposal(HOUSE).setting == "world.devices"


WORDS = sorted(
    {word for some in (*KIND_WORDS.values(), *ROOM_WORDS.values()) for word in some} | {"yes", "7", "'", "ü:"}
)
NAMES = st.builds(
    lambda domain, words, state: f"{domain}{'_'.join(words)}.{state}",
    st.sampled_from(["", "switch.", "binary_sensor.", "fan.", *(f"{domain}." for domain in DOMAINS)]),
    st.lists(st.sampled_from(WORDS), max_size=3),
    st.sampled_from(sorted({"on", "off", "open", "dim", "", *(word for some in STATES.values() for word in some)})),
)


@settings(max_examples=60)
@given(st.lists(NAMES, min_size=1, max_size=40))
def test_what_is_proposed_is_a_home_that_knows_every_name_but_those_left_out(names: list[str]) -> None:
    found = proposed(names)
    data = yaml.safe_load(found.text)
    left = {*names} - {*found.left_out}
    if not data["rooms"]:
        assert all(name.startswith("binary_sensor.") for name in left)
        return
    rooms = int(re.findall(r"world\.rooms=(\d)", found.text.splitlines()[0] + " world.rooms=5")[0])
    home = SmartHome(devices=json.dumps(data), rooms=rooms)
    known = {*home.vocabulary.actions, *home.vocabulary.sensors}
    assert {data["names"].get(name, name) for name in left} <= known
    assert not {*data["names"]} & {*found.left_out}


@pytest.mark.parametrize("names", [[], ["none"], ["sleep", "eat"]])
def test_nothing_is_proposed_where_nothing_is_understood(names: list[str]) -> None:
    assert yaml.safe_load(proposed(names).text) == {"rooms": {}, "names": {}}
