"""A log of one's own commands acts in a simulated home that has the same devices."""

from __future__ import annotations

import csv
import datetime
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import lam_env
from lam_env.commands.run import main
from lam_env.core.errors import UserError
from lam_env.core.events import SENSOR, USER, ActionLog
from lam_env.experiment.policies import scenario_of
from lam_env.experiment.run_folder import RunFolder

HOME = """
rooms:
  kitchen: {light.kitchen: lamp, switch.coffee: kettle}
  living: {light.ceiling: lamp, light.sofa: lamp, media_player.tv: tv}
names:
  media_player.tv.playing: media_player.tv.on
  switch.coffee.on: switch.coffee.hot
  binary_sensor.hall.on: motion.hall
"""
DAY = (
    *((6.9, "light.kitchen", "on"), (7.0, "switch.coffee", "on"), (7.1, "switch.coffee", "off")),
    *((7.6, "light.kitchen", "off"), (18.0, "binary_sensor.hall", "on"), (18.1, "binary_sensor.hall", "off")),
    *((19.0, "light.sofa", "on"), (19.1, "media_player.tv", "playing"), (20.0, "fan.attic", "on")),
    *((22.0, "media_player.tv", "off"), (22.1, "light.sofa", "off"), (22.5, "fan.attic", "off")),
)
DAYS = 14
pytestmark = pytest.mark.usefixtures("short_trials")

TINY = ("predictor.passes=1", "predictor.hidden=8", "predictor.parts=nets", "workers=1", "world.days=1")
TINY += ("log.worlds=2", "log.days=2", "eval.seeds=2", "eval.worlds=2", "train.steps=256", "train.trial=2")
LOG = ("logs=history.csv", "format=home_assistant", "zone=Europe/Berlin")


def history() -> str:
    """What the history page of Home Assistant downloads: two weeks of a flat."""
    rng, monday = np.random.default_rng(0), datetime.datetime(2026, 1, 5, tzinfo=datetime.UTC)
    rows = [(monday, entity, "off") for entity in sorted({entity for _, entity, _ in DAY})]
    for day in range(DAYS):
        late = float(rng.normal(0, 0.1))
        rows += [(monday + datetime.timedelta(days=day, hours=h + late), entity, state) for h, entity, state in DAY]
    lines = [f"{entity},{state},{time.isoformat(timespec='milliseconds')}" for time, entity, state in sorted(rows)]
    return "\n".join(["entity_id,state,last_changed", *lines, ""])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a run whose list of devices, and log, are gone since."""
    place = tmp_path_factory.mktemp("own")
    (place / "history.csv").write_text(history())
    (place / "home.yaml").write_text(HOME)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        assert main([*LOG, *TINY, "world.devices=home.yaml", "agents=plugin,ppo_prior", "out=out"]) == 0
    (place / "history.csv").unlink()
    (place / "home.yaml").unlink()
    return place


def test_the_log_is_said_in_the_words_of_the_home(folder: Path) -> None:
    log = ActionLog.load(folder / "out" / "log" / "train")
    assert log.vocabulary == scenario_of(RunFolder(folder / "out")).vocabulary
    done = [log.vocabulary.actions[a] for a in log.token[log.kind == USER]]
    assert {name: done.count(name) for name in done} == dict.fromkeys(
        {
            *("light.kitchen.on", "light.kitchen.off", "light.sofa.on", "light.sofa.off"),
            *("media_player.tv.on", "media_player.tv.off", "switch.coffee.hot"),
        },
        DAYS,
    )
    assert [log.vocabulary.sensors[s] for s in log.token[log.kind == SENSOR]] == ["motion.hall"] * DAYS
    assert log.timer == 300


def test_agents_are_judged_in_the_home_that_has_these_devices(folder: Path) -> None:
    with (folder / "out" / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    judged = {row["agent"] for row in rows if row["variant"] == "sim" and row["metric"] == "utility.total"}
    assert judged == {"none", "plugin", "ppo_prior", "oracle"}
    assert {row["agent"] for row in rows if row["variant"] == "log"} >= {"prior"}


def test_the_run_holds_the_list_and_not_the_name_of_a_file(folder: Path) -> None:
    config = json.loads((folder / "out" / "config.json").read_text())
    said = json.loads(config["world"]["devices"])
    assert said["rooms"]["kitchen"] == {"light.kitchen": "lamp", "switch.coffee": "kettle"}
    assert said["names"]["switch.coffee.on"] == "switch.coffee.hot"


def test_the_run_is_loaded_and_hears_the_words_of_its_log(folder: Path) -> None:
    home = lam_env.load(folder / "out")
    home.observe(time=datetime.datetime(2026, 2, 2, 19, 0), action="light.sofa.on")
    twin = lam_env.load(folder / "out")
    twin.observe(time=datetime.datetime(2026, 2, 2, 19, 0), action="light.sofa.on")
    home.observe(time=datetime.datetime(2026, 2, 2, 19, 5), action="media_player.tv.playing")  # as the log says it
    twin.observe(time=datetime.datetime(2026, 2, 2, 19, 5), action="media_player.tv.on")
    home.observe(time=datetime.datetime(2026, 2, 2, 19, 6), sensor="binary_sensor.hall.on")
    twin.observe(time=datetime.datetime(2026, 2, 2, 19, 6), sensor="motion.hall")
    assert home.suggest() == twin.suggest()
    assert home.suggest().action in home.vocabulary.actions
    assert set(home.suggest().values) == set(home.vocabulary.actions)
    with pytest.raises(UserError, match=r"^no action 'fan\.attic\.on'"):
        home.observe(time=datetime.datetime(2026, 2, 2, 19, 7), action="fan.attic.on")


def test_another_run_starts_from_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    tiny = [word for word in TINY if not word.startswith(("predictor.", "log.", "world."))]
    assert main(["model=out", *tiny, "agents=plugin", "out=again"]) == 0
    first, again = (RunFolder(folder / name).config()["world"] for name in ("out", "again"))
    assert first == again
    assert lam_env.load("again").vocabulary == lam_env.load("out").vocabulary


def test_it_goes_on_with_the_same_list_only(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "history.csv").write_text(history())
    (tmp_path / "other.yaml").write_text(HOME.replace("light.ceiling", "light.other"))
    (tmp_path / "same.yaml").write_text(HOME)
    words = [*LOG, *TINY, "agents=plugin,ppo_prior", f"out={folder / 'out'}"]
    before = (folder / "out" / "results.csv").read_bytes()
    assert main([*words, "world.devices=same.yaml"]) == 0
    assert (folder / "out" / "results.csv").read_bytes() == before
    with pytest.raises(SystemExit):
        main([*words, "world.devices=other.yaml"])


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "history.csv").write_text(history())
    (tmp_path / "home.yaml").write_text(HOME)
    return tmp_path


def test_what_is_left_out_is_counted_by_name(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from lam_env.core import registry
    from lam_env.experiment.inputs import real_log
    from lam_env.experiment.settings import RunSettings

    monkeypatch.chdir(files)
    settings = RunSettings(logs="history.csv", format="home_assistant", zone="Europe/Berlin")
    home = registry.scenario("smart_home")
    assert real_log(settings, home(devices="home.yaml")).acts
    said = " ".join(capsys.readouterr().out.split())
    assert "98 of 140 user events are commands of the scenario's home; the others are left out: " in said
    assert "fan.attic.off (14), fan.attic.on (14), switch.coffee.off (14)" in said
    assert not real_log(settings, home()).acts
    assert "no agent can act: these are no actions of smart_home; world.devices=FILE may say" in " ".join(
        capsys.readouterr().out.split()
    )


def test_a_log_of_other_devices_than_those_listed_is_refused(fails: Callable[..., str], files: Path) -> None:
    (files / "other.yaml").write_text("rooms: {hall: {light.hall: lamp}}")
    said = fails(*LOG, "world.devices=other.yaml")
    assert "it does not hold two commands of the devices that are listed, but fan.attic.off (14)" in said
    assert said.endswith("and 5 more actions; list the devices by the names in the log")


def test_a_list_that_is_wrong_is_refused_before_anything_is_read(fails: Callable[..., str], files: Path) -> None:
    (files / "home.yaml").write_text(HOME.replace("tv}", "telly}"))
    assert "world.devices=home.yaml: media_player.tv: no kind 'telly'" in fails(*LOG, "world.devices=home.yaml")
