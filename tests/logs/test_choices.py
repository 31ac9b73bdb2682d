"""Choices among offered options: cards of Slay the Spire, classes of D&D."""

import dataclasses
import gzip
import json

import numpy as np
import pytest
import spire
from hypothesis import given
from hypothesis import strategies as st
from outside import RUNS, SHEETS, needs

from lam_env.core import registry
from lam_env.core.events import LogError
from lam_env.logs.choices import Choices
from lam_env.logs.formats.dnd_sheets import NEEDED, class_choices, second_class_choices
from lam_env.logs.formats.spire_cards import TRAITS, card_choices


def small(n=20, groups=20):
    return Choices(
        ("none", "a", "b"),
        ("one",),
        ("coin",),
        ("new",),
        np.tile([0, 1, 2], (n, 1)),
        np.arange(n) % 3,
        np.arange(n) * groups // n,
        np.ones((n, 1), np.float32),
        np.zeros((n, 1), np.float32),
        np.zeros((n, 3, 1), np.float32),
    )


# -- what any choices are ----------------------------------------------------------------------------------------------


@given(st.integers(10, 60), st.integers(10, 30))
def test_groups_are_split_whole_and_in_order(n, groups):
    parts = small(max(n, groups), groups).split()
    assert sum(map(len, parts)) == max(n, groups)
    assert parts[0].group.max() < parts[1].group.min()
    assert parts[1].group.max() < parts[2].group.min()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"options": ("a", "b", "c")}, 'option 0 must be "none"'),
        ({"chosen": np.full(20, 3)}, "outside the offered set"),
        ({"offered": np.full((20, 3), 7)}, "that has no name"),
        ({"offered": np.tile([0, 1, -1], (20, 1))}, "was not offered"),
        ({"group": np.arange(20)[::-1].copy()}, "not in order"),
        ({"context": np.ones((20, 2), np.float32)}, r"context must be \(20, 1\)"),
        ({"held": np.full((20, 1), np.nan, np.float32)}, "not finite"),
    ],
)
def test_what_makes_no_sense_is_refused(change, message):
    with pytest.raises(LogError, match=message):
        dataclasses.replace(small(), **change)


def test_too_few_groups():
    with pytest.raises(LogError, match="too few"):
        small(20, 3).split()


# -- cards -------------------------------------------------------------------------------------------------------------


def cards(tmp_path, *runs):
    return card_choices(spire.write(tmp_path / "r.jsonl", *runs))


def value(choices, row, name):
    return choices.context[row, choices.numbers.index(name)]


def test_a_card_and_a_card_left(tmp_path):
    found, left_out = cards(tmp_path, spire.run())
    assert left_out == {}
    assert found.options == ("none", "Anger", "Clash", "Flex", "Havoc")
    assert [[found.options[o] for o in row] for row in found.offered] == [
        ["none", "Anger", "Clash", "Flex"],
        ["none", "Clash", "Flex", "Havoc"],
    ]
    assert found.chosen.tolist() == [2, 0]
    assert found.group.tolist() == [0, 0]


def test_the_deck_is_what_the_game_hands_out_and_what_was_taken(tmp_path):
    found, _ = cards(tmp_path, spire.run())
    held = [dict(zip(found.things, row, strict=True)) for row in found.held.tolist()]
    assert held[0]["Strike_R"] == 5
    assert held[0]["AscendersBane"] == 1
    assert held[0].get("Clash", 0) == 0
    assert held[1]["Clash"] == 1
    assert "relic Velvet Choker" not in found.things  # it comes after the first act
    traits = dict(zip(TRAITS, found.features[1, 1].tolist(), strict=True))
    assert traits == {
        "held": pytest.approx(np.log(2)),
        "held already": 1,
        "held twice": 0,
        "upgraded": 0,
        "others upgraded": 1,
    }
    assert found.features[0, 1, TRAITS.index("upgraded")] == 1  # Anger+1
    assert not found.features[:, 0].any()  # to take nothing has no traits
    assert value(found, 1, "added") - value(found, 0, "added") == pytest.approx(1 / 6)


def test_what_the_shop_the_fire_and_events_change(tmp_path):
    changed = spire.run(
        items_purchased=["Flex"],
        item_purchase_floors=[2],
        items_purged=["Strike_R"],
        items_purged_floors=[2],
        event_choices=[
            {"event_name": "x", "player_choice": "y", "floor": 2, "cards_obtained": ["Bite"], "cards_removed": ["Bash"]}
        ],
        campfire_choices=[{"key": "PURGE", "data": "Defend_R", "floor": 3}],
        relics_obtained=[{"floor": 4, "key": "Anchor"}, {"floor": 6, "key": "Lantern"}],
    )
    found, _ = cards(tmp_path, changed)
    held = dict(zip(found.things, found.held[1].tolist(), strict=True))
    assert (held["Flex"], held["Strike_R"], held["Bite"], held["Bash"], held["Defend_R"]) == (1, 4, 1, 0, 3)
    assert held["relic Anchor"] == 1
    assert held.get("relic Lantern", 0) == 0  # it comes with the choice, not before


def test_nothing_of_a_choice_is_known_before_it(tmp_path):
    """The state of each choice is the same whatever is chosen in it and comes later."""
    other = spire.run(
        card_choices=[
            {"picked": "Clash", "not_picked": ["Flex", "Anger+1"], "floor": 1},
            {"picked": "Havoc", "not_picked": ["Clash", "Flex"], "floor": 6},
        ],
        victory=True,
        current_hp_per_floor=[70, 70, 70, 40, 70, 1],
        max_hp_per_floor=[80] * 5 + [99],
        gold_per_floor=[100, 110, 110, 200, 200, 999],
    )
    a, b = (cards(tmp_path, one)[0] for one in (spire.run(), other))
    for name in ("offered", "context", "features"):
        assert np.array_equal(getattr(a, name), getattr(b, name)), name
    assert {t: v for t, v in zip(a.things, a.held[1], strict=True) if v} == {
        t: v for t, v in zip(b.things, b.held[1], strict=True) if v
    }


def test_a_singing_bowl_is_no_card_and_an_empty_offer_no_choice(tmp_path):
    odd = spire.run(
        card_choices=[
            {"picked": "Singing Bowl", "not_picked": ["Flex", "Havoc"], "floor": 1},
            {"picked": "SKIP", "not_picked": [], "floor": 2},
        ]
    )
    found, left_out = cards(tmp_path, odd)
    assert found.chosen.tolist() == [0]
    assert left_out == {"choice(s) without a card on offer": 1}


def test_runs_without_choices_are_refused(tmp_path):
    with pytest.raises(LogError, match="holds no card choice"):
        cards(tmp_path, spire.run(card_choices=[]))
    with pytest.raises(LogError, match="run 1 in time: not a run history"):
        cards(tmp_path, spire.run(gold_per_floor=["much"] * 6))


@needs(RUNS)
def test_the_published_card_choices():
    found, left_out = card_choices(RUNS)
    _, _, test = found.split()
    assert len(test) == 2_244  # as in the published protocol
    assert (len(found), left_out) == (11_229, {})
    assert (test.chosen == 0).mean() == pytest.approx(0.2585, abs=0.001)


# -- sheets ------------------------------------------------------------------------------------------------------------


def sheet(who, classes, date="2020-01-01 10:00:00", level=5, race="Elf", **more):
    row = {"character": who, "date": date, "background": "Sage", "justClass": classes, "level": level}
    row |= {"processedRace": race} | dict.fromkeys(("Str", "Dex", "Con", "Int", "Wis", "Cha"), 10) | more
    return "\t".join(str(row[name]) for name in NEEDED)


def table(tmp_path, *rows, packed=False):
    text = "\n".join(["\t".join(NEEDED), *rows]) + "\n"
    (tmp_path / "c.tsv").write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    return tmp_path / "c.tsv"


def test_the_first_sheet_of_each_character_counts(tmp_path):
    rows = [sheet(1, "Bard", "2020-02-01 00:00:00"), sheet(1, "Monk", "2019-01-01 00:00:00"), sheet(2, "Bard|Monk")]
    found, left_out = class_choices(table(tmp_path, *rows * 20, packed=True))
    assert [found.options[1 + c] for c in found.chosen] == ["Monk", "Bard"]
    assert left_out == {"further sheet(s) of a character": 58}


def test_a_second_class_is_chosen_among_the_others(tmp_path):
    rows = [sheet(k, ["Bard|Monk", "Monk|Bard", "Monk"][k % 3]) for k in range(90)]
    found, left_out = second_class_choices(table(tmp_path, *rows))
    assert len(found) == 60
    assert left_out == {"sheet(s) with one class only": 30}
    assert found.options == ("none", "Bard", "Monk")
    first = [t.removeprefix("first ") for t in found.things if t.startswith("first ")]
    assert first == ["Bard", "Monk"]
    for row, held in zip(found.offered, found.held, strict=True):
        own = next(t for t, h in zip(found.things, held, strict=True) if h and t.startswith("first "))
        assert found.options.index(own.removeprefix("first ")) not in row


def test_sheets_that_say_nothing_are_counted(tmp_path):
    rows = [sheet(k, "Bard") for k in range(90)] + [sheet(100, "Monk", level=99), sheet(101, "")]
    rows += [sheet(102, "Jester"), sheet(103, "Bard", Str=0), sheet(104, "Bard", date="soon")]
    _, left_out = class_choices(table(tmp_path, *rows))
    assert left_out == {
        "sheet(s) with a level outside 1 to 20": 1,
        "sheet(s) without a class": 1,
        "sheet(s) with a class of one's own": 1,
        "sheet(s) with an ability outside 1 to 30": 1,
        "sheet(s) without a date, level or ability": 1,
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "its first line must name character"),
        ("character\tdate\n", "no column background"),
        ("\t".join(NEEDED) + "\n", "holds no usable sheet"),
        ("\t".join(NEEDED) + "\n1\t2\n", "line 2: 2 cells"),
        ("\t".join(NEEDED) + '\n"1\t2\n', "broken CSV"),
    ],
)
def test_a_bad_table_is_one_line(tmp_path, text, message):
    (tmp_path / "c.tsv").write_text(text)
    with pytest.raises(LogError, match=message) as caught:
        class_choices(tmp_path / "c.tsv")
    assert "\n" not in str(caught.value)
    with pytest.raises(LogError, match="no such file"):
        class_choices(tmp_path / "none.tsv")


@needs(SHEETS)
def test_the_published_sheets():
    found, left_out = class_choices(SHEETS)
    assert len(found) + sum(left_out.values()) == 10_894


def test_formats_of_choices_are_found_by_name():
    assert registry.CHOICES.names() == ["dnd_class", "dnd_second_class", "slay_the_spire"]
    assert registry.CHOICES.get("slay_the_spire") is card_choices
    with pytest.raises(registry.RegistryError, match="no format of choices"):
        registry.CHOICES.get("chess")


def test_a_run_file_is_json(tmp_path):
    (tmp_path / "r.jsonl").write_text(json.dumps(spire.run())[:-5])
    with pytest.raises(LogError, match="line 1: not a JSON object"):
        card_choices(tmp_path / "r.jsonl")
