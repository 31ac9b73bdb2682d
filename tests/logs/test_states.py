"""Words for states in several languages."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lam_env.config.cli import read_yaml
from lam_env.logs.input.states import FILE, meaning_of, pairs_in, parted, words_for

PAIRS = read_yaml(FILE, "")
WORDS = [word for pair in PAIRS for meaning, others in pair.items() for word in (meaning, *others)]


def test_each_word_means_one_thing():
    assert [word for word, times in Counter(WORDS).items() if times > 1] == []
    assert all(len(pair) == 2 for pair in PAIRS)
    assert all(word == word.lower() for word in WORDS)


@pytest.mark.parametrize(
    ("word", "meaning"),
    [("AN", "on"), ("éteint", "off"), ("eteint", "off"), ("Geöffnet", "open"), ("chiusa", "closed"), ("dim", "")],
)
def test_what_a_word_means(word: str, meaning: str):
    assert meaning_of(word) == meaning
    assert word in words_for(word)
    assert meaning in ("", *words_for(word))


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("light.kitchen.on", ("light.kitchen", "on")),
        ("Wohnzimmer.Licht an", ("Wohnzimmer.Licht", "an")),
        ("media_player.living room.paused", ("media_player.living room", "paused")),
        ("Take Medicine", ("", "Take Medicine")),
        ("on", ("", "on")),
    ],
)
def test_a_thing_and_its_state(name: str, parts: tuple[str, str]):
    assert parted(name) == parts


def test_pairs_are_found_where_one_thing_has_both():
    names = ["a.on", "a.off", "b an", "b aus", "c.auf", "d.zu", "e/ZU", "e/auf", "f.start"]
    assert pairs_in(names) == ["on/off", "auf/zu"]


@given(st.text(max_size=12), st.sampled_from(WORDS), st.sampled_from(".:=/ "))
def test_a_known_state_is_found_behind_any_name(thing: str, word: str, sign: str):
    if thing:
        assert parted(f"{thing}{sign}{word}") == (thing, word)
