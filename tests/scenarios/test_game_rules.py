"""The tables of the game: what ships is sound, and each fault is told in one line."""

import dataclasses

import pytest
from lam_env.scenarios.game.rules import (
    ACTIVITIES,
    CLASSES,
    LINES,
    QUESTS,
    RULES,
    CharacterClass,
    Line,
    Quest,
    RulesError,
    changed,
)
from lam_env.scenarios.game.words import SENSORS, STATE, Words


def activity(name, **changes):
    return tuple(dataclasses.replace(a, **changes) if a.name == name else a for a in ACTIVITIES)


@pytest.mark.parametrize(("tables", "what"), [
    ({"activities": ()}, "no activities"),
    ({"quests": ()}, "no quests"),
    ({"activities": (*ACTIVITIES, ACTIVITIES[0])}, "activities holds 'story' twice"),
    ({"lines": (*LINES, LINES[0])}, "lines holds 'might' twice"),
    ({"lines": (*LINES, Line("story", {"story": 1.0}))}, "'story' cannot be the name"),
    ({"lines": (*LINES, Line("easier", {"story": 1.0}))}, "'easier' cannot be the name"),
    ({"activities": activity("story", minutes=0.0)}, "activity story: minutes must be above 0"),
    ({"activities": activity("story", level=0)}, "activity story: .* level at least 1"),
    ({"activities": activity("pvp", tags=(0.5, 0.5, 0.5, 0.0))}, "activity pvp: tags need 4 shares"),
    ({"activities": activity("pvp", tags=(0.5, 0.5))}, "activity pvp: tags need 4 shares"),
    ({"activities": tuple(dataclasses.replace(a, level=2) for a in ACTIVITIES)}, "nothing can be played at level 1"),
    ({"lines": (*LINES, Line("luck", {"fishing": 1.0}))}, "line luck helps: no 'fishing'; there are story,"),
    ({"classes": (*CLASSES, CharacterClass("bard", {"song": 1.0}))}, "class bard affinity: no 'song'"),
    ({"classes": (*CLASSES, CharacterClass("bard", {"might": 1.0}, {("story", "sing"): 1.0}))}, "bard follows: no 'sing'"),
    ({"follows": {("story", "sing"): 1.0}}, "follows: no 'sing'"),
    ({"quests": (*QUESTS, Quest("late", "fishing", 1))}, "quests: no 'fishing'"),
    ({"quests": (*QUESTS, Quest("late", "story", 1, ("never",)))}, "quests need: no 'never'"),
    ({"quests": (*QUESTS, Quest("late", "story", 0))}, "quest late: count must be at least 1, not 0"),
    ({"classes": (*CLASSES, CharacterClass("bard", {"might": 0.0}))}, "class bard has no build"),
    ({"classes": (*CLASSES, CharacterClass("bard", {"might": -1.0}))}, "class bard: an affinity is negative"),
    ({"lines": (*LINES, Line("luck", {"story": 0.0}))}, "line luck helps with nothing"),
    ({"quests": (Quest("a", "story", 1, ("b",)), Quest("b", "story", 1, ("a",)), Quest("c", "story", 1))}, "in a circle: a, b;"),
    ({"quests": (Quest("a", "story", 1, ("a",)),)}, "in a circle: a;"),
])  # fmt: skip
def test_faults_are_told_in_one_line(tables, what):
    with pytest.raises(RulesError, match=f"^rules: .*{what}") as caught:
        changed(RULES, **tables)
    assert "\n" not in str(caught.value)


def test_what_ships_has_what_the_design_asks_for():
    assert len(RULES.activities) == 11  # and logging out
    assert 3 <= len(RULES.classes) <= 5
    assert 3 <= len(RULES.lines) <= 4
    assert len(RULES.activities) == len(set(RULES.names))
    offsets = {a.name: a.offset for a in RULES.activities}
    assert offsets["grind"] < offsets["side_quest"] < offsets["story"] < offsets["dungeon"] < offsets["boss"]


def test_words_name_each_action_and_reading_once():
    words = Words(RULES)
    v = words.vocabulary
    assert v.actions[0] == "none"
    assert v.actions[words.leave] == "log_out"
    assert v.actions[words.easier : words.harder + 1] == ("easier", "harder")
    assert v.actions[words.first_line : words.first_line + words.n_lines] == tuple(x.name for x in RULES.lines)
    assert v.sensors == SENSORS
    assert v.readings[: len(STATE)] == STATE
    for at, first in (
        (words.fresh, "fresh.story"),
        (words.win, "win.story"),
        (words.points, "points.might"),
        (words.open, "open.story"),
        (words.classes, "class.warrior"),
    ):
        assert v.readings[at] == first
    assert len(v.readings) == words.classes + len(RULES.classes)
