"""What homes call the same: known answers, the kit's own file, a file of one's own, and what is wrong with one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lam_env.core.errors import UserError
from lam_env.logs.labels import FILE, Labels, words_of

KIT = Labels.read()
HOME = ("bathe", "mealpreperation", "eatingdrinking", "outdoors", "personalhygiene", "relax", "sleep", "toilet")


def synonyms(others: list[str], own: tuple[str, ...], times: list[int] | None = None) -> dict[str, str]:
    return KIT.synonyms(others, own, np.array(times or [1] * len(own)))


@pytest.mark.parametrize(
    ("other", "own"),
    [
        ("Showering", "bathe"),
        ("take shower", "bathe"),
        ("use-toilet", "toilet"),
        ("go to bed", "sleep"),
        ("Leave_Home", "outdoors"),
        ("brush-teeth", "personalhygiene"),
        ("Grooming", "personalhygiene"),  # a kind of it
        ("Cook_Lunch", "mealpreperation"),
        ("prep-breakfast", "mealpreperation"),
        ("Breakfast", "eatingdrinking"),
        ("Spare_Time/TV", "relax"),
    ],
)
def test_labels_of_published_homes(other: str, own: str) -> None:
    assert synonyms([other], HOME) == {other: own}


def test_what_no_label_of_ones_own_means_is_left_out() -> None:
    assert synonyms(["Wake_Up", "Lawnwork", "work"], HOME) == {}


def test_two_kinds_of_one_thing_are_not_the_same() -> None:
    assert synonyms(["Read", "laundry"], ("watchtv", "dishes")) == {}


def test_a_wider_label_is_the_kind_of_it_that_is_met_most_often() -> None:
    own = ("Cook_Breakfast", "Cook_Dinner", "Watch_TV")
    assert synonyms(["cooking", "relax"], own, [3, 9, 1]) == {"cooking": "Cook_Dinner", "relax": "Watch_TV"}


def test_the_same_words_come_before_all_else() -> None:
    assert synonyms(["go_to_sleep", "nap"], ("Sleep", "Go To Sleep"), [9, 1]) == {
        "go_to_sleep": "Go To Sleep",
        "nap": "Sleep",
    }
    assert synonyms(["light.kitchen.on"], ("hall.light.on", "kitchen.light.on")) == {
        "light.kitchen.on": "kitchen.light.on"
    }


@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, unique=True), st.randoms())
def test_ones_own_labels_are_themselves_where_their_words_are_their_own(labels: list[str], rng: object) -> None:
    own = tuple({words_of(label): label for label in labels if words_of(label)}.values())
    assert synonyms(list(own), own) == {label: label for label in own}


def test_all_labels_of_the_kit_have_a_name() -> None:
    lines = [line.split(":")[0] for line in FILE.read_text(encoding="utf-8").splitlines() if line[0] not in "# "]
    names = set(map(words_of, lines))
    assert len(KIT.name) > 100
    for label in KIT.name:
        found = KIT.names_of(label)
        assert len(set(found)) == len(found)
        assert set(found) <= names


def test_a_file_of_ones_own_comes_first(tmp_path: Path) -> None:
    path = tmp_path / "labels.yaml"
    path.write_text("toilet: [Bad, WC]\nrelax: [bath]\n", encoding="utf-8")
    found = Labels.read(str(path)).synonyms(["Bad", "bath", "Showering"], HOME, np.ones(len(HOME)))
    assert found == {"Bad": "toilet", "bath": "relax", "Showering": "bathe"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[a, b]", "holds no names; write lines of `common name: [label, label]`"),
        ("sleep: nap", "sleep: what it is called is no list of words"),
        ("sleep: [1]", "sleep: what it is called is no list of words"),
        ("sleep: [nap]\nrest: [Nap]", "'nap' is listed twice, under 'sleep' and 'rest'; leave one"),
        ("a: [b]\nb: [a]", "is a kind of itself; list it on one side alone"),
        ("sleep: [nap", "is not YAML"),
        ("sleep: [nap]\nsleep: [bed]", "'sleep' is there twice, in lines 1 and 2"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "labels.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as error:
        Labels.read(str(path))
    assert said in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere\.yaml: cannot be read"):
        Labels.read(str(tmp_path / "nowhere.yaml"))
