"""The tables of the game: what ships is sound, and each fault is told in one line."""

import dataclasses

import numpy as np
import pytest
from lam_env.scenarios.game import Game
from lam_env.scenarios.game.rules.rules import (
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
from lam_env.scenarios.game.words import SENSORS, STATE, GameNames


def activity(name, **changes):
    return tuple(dataclasses.replace(a, **changes) if a.name == name else a for a in ACTIVITIES)


@pytest.mark.parametrize(("tables", "what"), [
    ({"activities": ()}, "no activities"),
    ({"quests": ()}, "no quests"),
    ({"activities": (*ACTIVITIES, ACTIVITIES[0])}, "activities holds 'story' twice"),
    ({"lines": (*LINES, LINES[0])}, "lines holds 'might' twice"),
    ({"lines": (*LINES, Line("story", {"story": 1.0}))}, "'story' cannot be the name"),
    ({"lines": (*LINES, Line("easier", {"story": 1.0}))}, "'easier' cannot be the name"),
    ({"activities": activity("story", minutes=0.0)}, "activity story: minutes must lie between 0.1 and 1440, not 0"),
    ({"activities": activity("story", level=0)}, "activity story: level must lie between 1 and"),
    ({"activities": activity("pvp", tags=(0.5, 0.5, 0.5, 0.0))}, "activity pvp: tags need 4 shares"),
    ({"activities": activity("pvp", tags=(0.5, 0.5))}, "activity pvp: tags must be 4 numbers, not"),
    ({"activities": tuple(dataclasses.replace(a, level=2) for a in ACTIVITIES)}, "nothing can be played at level 1"),
    ({"lines": (*LINES, Line("luck", {"fishing": 1.0}))}, "line luck helps: no 'fishing'; there are story,"),
    ({"classes": (*CLASSES, CharacterClass("bard", {"song": 1.0}))}, "class bard affinity: no 'song'"),
    ({"classes": (CharacterClass("bard", {"might": 1.0}, {("story", "sing"): 1.0}),)}, "bard follows: no 'sing'"),
    ({"follows": {("story", "sing"): 1.0}}, "follows: no 'sing'"),
    ({"quests": (*QUESTS, Quest("late", "fishing", 1))}, "quests: no 'fishing'"),
    ({"quests": (*QUESTS, Quest("late", "story", 1, ("never",)))}, "quests need: no 'never'"),
    ({"quests": (*QUESTS, Quest("late", "story", 0))}, "quest late: count must lie between 1 and 1e\\+06, not 0"),
    ({"classes": (*CLASSES, CharacterClass("bard", {"might": 0.0}))}, "class bard has no build"),
    ({"classes": (CharacterClass("bard", {"might": -1.0}),)}, r"class bard: affinity\['might'\] must lie between 0"),
    ({"lines": (*LINES, Line("luck", {"story": 0.0}))}, "line luck helps with nothing"),
    ({"quests": (Quest("a", "story", 1, ("b",)), Quest("b", "story", 1, ("a",)), Quest("c", "story", 1))},
     r"in a circle: a -> b -> a \(each needs the next\); cut"),
    ({"quests": (Quest("a", "story", 1, ("a",)),)}, "in a circle: a -> a "),
])  # fmt: skip
def test_faults_are_told_in_one_line(tables, what):
    with pytest.raises(RulesError, match=f"^rules: .*{what}") as caught:
        changed(RULES, **tables)
    assert "\n" not in str(caught.value)


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(("tables", "what"), [
    ({"quests": (Quest("late", "story", "a"),)}, "quest late: count must be a whole number, not 'a'"),
    ({"quests": (Quest("late", "story", True),)}, "quest late: count must be a whole number, not True"),
    ({"quests": (Quest("late", "story", 1, "arrival"),)}, "quest late: needs must be a tuple of names, not 'arrival'"),
    ({"quests": (Quest(None, "story", 1),)}, "quests[0].name must be a name, not None"),
    ({"quests": (*QUESTS, 3)}, f"quests[{len(QUESTS)}] must be a Quest, not 3"),
    ({"activities": activity("pvp", minutes="x")},
     "activity pvp: minutes must be a number from -1,000,000 to 1,000,000, not 'x'"),
    ({"activities": activity("pvp", xp=INF)}, "activity pvp: xp must be a number"),
    ({"activities": activity("pvp", offset=NAN)},
     "activity pvp: offset must be a number from -1,000,000 to 1,000,000, or None, not nan"),
    ({"activities": activity("pvp", tags=(0.5, 0.1, None, 0.0))}, "activity pvp: tags[2] must be a number"),
    ({"activities": activity("pvp", level=2.5)}, "activity pvp: level must be a whole number, not 2.5"),
    ({"activities": activity("pvp", spread=40.0)}, "activity pvp: spread must lie between 0 and 3, not 40"),
    ({"activities": activity("pvp", relief=1.5)}, "activity pvp: relief must lie between 0 and 1, not 1.5"),
    ({"activities": None}, "activities must be a tuple of Activity, not None"),
    ({"activities": "story"}, "activities must be a tuple of Activity, not 'story'"),
    ({"classes": ("bard",)}, "classes[0] must be a CharacterClass, not 'bard'"),
    ({"classes": (CharacterClass("bard", {"might": NAN}),)}, "class bard: affinity['might'] must be a number"),
    ({"classes": (CharacterClass("bard", [1.0]),)},
     "class bard: affinity must be a dict that gives each name a number, not [1.0]"),
    ({"lines": (Line("luck", {3: 1.0}),)}, "line luck: helps must be a dict that gives each name a number"),
    ({"follows": {"story": 1.0}}, "follows must be a dict that gives each pair of names, (name, name), a number"),
    ({"follows": {("story", "pvp"): "often"}}, "follows[('story', 'pvp')] must be a number"),
    ({"xp_first": 0}, "xp_first must lie between 0.01 and"),
    ({"xp_growth": -2}, "xp_growth must lie between 0.1 and 10, not -2"),
    ({"xp_growth": 1e5}, "xp_growth must lie between"),
    ({"need": NAN}, "need must be a number"),
    ({"gear_lead": NAN}, "gear_lead must be a number"),
    ({"gear_lead": 10**400}, "gear_lead must be a number"),
    ({"loot": 3}, "no table 'loot'; there are activities,"),
])  # fmt: skip
def test_what_is_no_value_of_a_field_is_told_with_its_name(tables, what):
    with pytest.raises(RulesError) as caught:
        changed(RULES, **tables)
    assert str(caught.value).startswith(f"rules: {what}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("rules", [3, {}, None, "mine", [QUESTS], type(RULES)])
def test_a_game_takes_rules_alone(rules):
    with pytest.raises(
        RulesError, match=r"^rules must be Rules of lam_env\.scenarios\.game\.rules\.rules, such as changed"
    ):
        Game(rules=rules)


def test_a_circle_is_told_without_the_quests_that_wait_for_it():
    quests = (Quest("arrival", "story", 1, ("errands",)), *QUESTS[1:])
    with pytest.raises(RulesError, match=r"circle: arrival -> errands -> arrival \("):
        changed(RULES, quests=quests)
    quests = (Quest("z", "story", 1, ("b",)), *(Quest(a, "story", 1, (b,)) for a, b in ("ac", "cb", "ba")))
    with pytest.raises(RulesError, match=r"circle: a -> c -> b -> a \("):
        changed(RULES, quests=quests)


def test_numbers_of_numpy_and_lists_are_values_too():
    quests = [Quest("late", "story", np.int64(2), [])]
    game = Game(rules=changed(RULES, quests=quests, xp_first=np.float64(50.0)), days=2)
    assert game.game.quests == [(0, 2, set())]


def test_what_ships_has_what_the_design_asks_for():
    assert len(RULES.activities) == 11  # and logging out
    assert 3 <= len(RULES.classes) <= 5
    assert 3 <= len(RULES.lines) <= 4
    assert len(RULES.activities) == len(set(RULES.names))
    offsets = {a.name: a.offset for a in RULES.activities}
    assert offsets["grind"] < offsets["side_quest"] < offsets["story"] < offsets["dungeon"] < offsets["boss"]


def test_words_name_each_action_and_reading_once():
    words = GameNames(RULES)
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
