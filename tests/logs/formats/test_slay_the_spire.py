"""Runs of Slay the Spire as a log, and what is wrong with files that hold none."""

import gzip
import json

import numpy as np
import pytest
import spire
from hypothesis import given
from hypothesis import strategies as st
from outside import RUNS, needs

from lam_env.core import registry
from lam_env.core.events import LogError
from lam_env.logs.decision_points import decision_points
from lam_env.logs.formats.slay_the_spire import load, load_fine, read_runs, run_events
from lam_env.logs.streams import split_by_protocol

TOLD = ["CHAR_IRONCLAD", "NEOW", "PATH_M", "CARD_TAKE", "PATH_?", "EVENT_IGNORE", "PATH_R", "CAMP_SMITH", "PATH_BOSS"]
TOLD += ["POTION", "BOSSRELIC_TAKE", "PATH_M", "CARD_SKIP", "DEATH"]


def names(log, world=0):
    return [log.vocabulary.actions[t] for t in log.token[log.world == world]]


def test_a_run_is_told_floor_by_floor(tmp_path):
    log, left_out = load(spire.write(tmp_path / "r.jsonl", spire.run()))
    assert names(log) == TOLD
    assert left_out == {}
    assert log.protocol.split == "streams"
    assert log.meta["start"] == "2018-12-31"  # the Monday before


def test_fine_names_say_what_was_taken(tmp_path):
    log, _ = load_fine(spire.write(tmp_path / "r.jsonl", spire.run()))
    assert {"CARD_Clash", "CARD_SKIP", "EVENT_Beggar:Ignored", "CAMP_SMITH:Clash", "BOSSRELIC_Velvet Choker"} <= set(
        names(log)
    )
    assert "NEOW_HUNDRED_GOLD" in names(log)


def test_the_order_on_a_floor_is_card_fire_event_shop_potion():
    all_here = spire.run(
        path_per_floor=["M"],
        path_taken=["M"],
        card_choices=[{"picked": "Clash", "not_picked": [], "floor": 1}],
        campfire_choices=[{"key": "REST", "floor": 1}],
        event_choices=[{"event_name": "x", "player_choice": "Took it", "floor": 1}],
        items_purchased=["Flex"],
        item_purchase_floors=[1],
        items_purged=["Strike_R"],
        items_purged_floors=[1.0],
        potions_floor_usage=[1],
        victory=True,
    )
    found, _ = run_events(all_here, fine=False)
    assert found[2:] == ["PATH_M", "CARD_TAKE", "CAMP_REST", "EVENT_TAKE", "BUY", "PURGE", "POTION", "WIN"]


def test_time_is_the_runs_beginning_and_then_an_order(tmp_path):
    log, _ = load(spire.write(tmp_path / "r.jsonl", spire.run()))
    assert (np.diff(log.time) == 1).all()
    assert log.time[0] == 86_400 + 12 * 3600 + 53 * 60 + 48  # Tuesday, ten minutes before 13:03:48
    utc, _ = load(spire.write(tmp_path / "u.jsonl", spire.run(local_time=None)))
    assert utc.time[0] == 86_400 + (1_546_376_628 - 600) % 86_400


def test_runs_are_numbered_in_order_of_time(tmp_path):
    early = spire.run(1_546_000_000, character_chosen="DEFECT")
    log, _ = load(spire.write(tmp_path / "r.jsonl", spire.run(), early))
    assert names(log, 0)[0] == "CHAR_DEFECT"
    assert names(log, 1)[0] == "CHAR_IRONCLAD"


def test_what_is_left_out_is_counted(tmp_path):
    odd = spire.run(potions_floor_usage=[0, 4, 60, 61])
    path = tmp_path / "r.jsonl"
    path.write_text("\n" + json.dumps(odd) + "\n\n", encoding="utf-8")
    log, left_out = load(str(path))
    assert left_out == {
        "empty line(s)": 2,
        "choice(s) before the first floor": 1,
        "event(s) beyond the recorded path": 2,
    }
    assert names(log) == TOLD


def test_no_boss_relic_where_none_was_offered():
    assert "BOSSRELIC_SKIP" not in run_events(spire.run(boss_relics=[]), fine=False)[0]
    assert "BOSSRELIC_SKIP" in run_events(spire.run(boss_relics=[{"not_picked": ["a"]}]), fine=False)[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("\n\n", "the file is empty"),
        ("not json\n", r"line 1: not a JSON object"),
        ("[1]\n", r"line 1: not a JSON object"),
        ("[" * 100_000 + "\n", r"line 1: not a JSON object"),
        ('{"score": 1}\n', "no field character_chosen, path_per_floor"),
        (json.dumps(spire.run(path_taken=3)), "line 1: not a run history"),
        (json.dumps(spire.run(card_choices=[{"floor": 1}])), "line 1: not a run history"),
        (json.dumps(spire.run(card_choices=["Clash"])), "line 1: not a run history"),
        (json.dumps(spire.run(timestamp="x", local_time=None)), "line 1: not a run history"),
        (json.dumps(spire.run(timestamp="soon")), "line 1: not a run history"),
        (json.dumps(spire.run(playtime=-1)), "a playtime of -1 s"),
        (json.dumps(spire.run(timestamp=20190101)), "a timestamp of 2.01901e.07, not in seconds since 1970"),
        (json.dumps(spire.run(playtime=1e300)), "line 1: not a run history"),
        (json.dumps(spire.run(local_time="yesterday")), "line 1: not a run history"),
    ],
)
def test_a_bad_file_is_one_line(tmp_path, text, message):
    (tmp_path / "r.jsonl").write_text(text, encoding="utf-8")
    with pytest.raises(LogError, match=message) as caught:
        load(str(tmp_path / "r.jsonl"))
    assert "\n" not in str(caught.value)


def test_a_cut_gzip_and_a_missing_file_are_one_line(tmp_path):
    whole = gzip.compress(json.dumps(spire.run()).encode() * 50)
    (tmp_path / "r.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(LogError, match="cut short"):
        load(str(tmp_path / "r.jsonl.gz"))
    with pytest.raises(LogError, match="no such file"):
        load(str(tmp_path / "none"))


def test_gzip_is_told_by_content(tmp_path):
    (tmp_path / "r.jsonl").write_bytes(gzip.compress(json.dumps(spire.run()).encode()))
    assert names(load(str(tmp_path / "r.jsonl"))[0]) == TOLD


FLOORS = st.lists(st.integers(0, 14), max_size=8)


@given(
    st.lists(st.sampled_from(["M", "?", "R", None]), max_size=12),
    st.lists(st.sampled_from(["M", "?", "R"]), max_size=12),
    *(FLOORS, FLOORS, FLOORS, st.integers(0, 9), st.integers(0, 9), st.integers(0, 3)),
)
def test_every_event_is_told_or_counted(path, taken, potions, buys, purges, bought, purged, relics):
    made = spire.run(
        path_per_floor=path,
        path_taken=taken,
        potions_floor_usage=potions,
        item_purchase_floors=buys,
        items_purchased=["Flex"] * bought,
        items_purged_floors=purges,
        items_purged=["Bash"] * purged,
        boss_relics=[{"picked": "Orrery", "not_picked": []}] * relics,
        card_choices=[],
        campfire_choices=[],
        event_choices=[],
    )
    found, left_out = run_events(made, fine=False)
    rooms = sum(room is not None for room in path)
    pairs = [max(rooms, len(taken)), max(len(buys), bought), max(len(purges), purged)]
    assert len(found) - 3 + sum(left_out.values()) == sum(pairs) + len(potions) + relics
    assert all(left_out.values())


def test_a_run_told_twice_or_far_from_all_others_is_left_out(tmp_path):
    runs = [spire.run(1_546_376_628 + i * 86_400) for i in range(8)]
    log, left_out = load(spire.write(tmp_path / "r.jsonl", *runs, runs[3], spire.run(1_900_000_000)))
    assert left_out == {"run(s) like an earlier one": 1, "run(s) at a time far off: 2030-03-17": 1}
    assert len(log.worlds) == 8


def test_a_zone_is_for_runs_that_say_no_local_time(tmp_path):
    both = spire.write(tmp_path / "r.jsonl", spire.run(), spire.run(1_546_376_628 + 60, local_time=None))
    log, _ = load(both, zone="Asia/Tokyo")
    assert log.meta["told"] == {"run(s) without a local time, read in Asia/Tokyo": 1}
    assert log.time[log.world == 1][0] - load(both)[0].time[load(both)[0].world == 1][0] == 9 * 3600
    with pytest.raises(LogError, match="all runs say their local time, so zone=Asia/Tokyo says nothing"):
        load(spire.write(tmp_path / "s.jsonl", spire.run()), zone="Asia/Tokyo")


def test_it_is_found_by_name():
    assert registry.IMPORTERS.get("slay_the_spire") is load
    assert registry.IMPORTERS.get("slay_the_spire_fine") is load_fine


@needs(RUNS)
def test_the_published_runs_give_the_published_targets():
    log, left_out = load(str(RUNS))
    points = decision_points(log)
    parts = split_by_protocol(log, points)
    assert [len(np.unique(points.world[part])) for part in parts] == [413, 59, 118]
    assert int(parts[2].sum()) == 10_053
    assert len(log.vocabulary) == 28  # with none
    left = {"choice(s) before the first floor": 59, "event(s) beyond the recorded path": 373}
    assert left_out == left | {"symbol(s) without a room": 317, "boss relic(s) without an act that ends": 15}
    assert len(read_runs(RUNS)[0]) == 590
