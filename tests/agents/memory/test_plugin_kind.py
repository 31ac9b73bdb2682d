"""Counting by part of the day and kind of command."""

import numpy as np
import pytest
from lam_env.agents.fine_tuning import trial
from lam_env.agents.memory import plugin_kind
from lam_env.agents.memory.heard import AnswerCounts
from lam_env.agents.memory.plugin_kind import PlugInKind, PlugInKindAgent
from lam_env.agents.plugin import PlugIn, prices
from lam_env.scenarios.smart_home.params import REWARD_WEIGHTS
from scripted import Saying

from lam_env.core.contracts import Training
from lam_env.core.events import LogError, Vocabulary
from lam_env.core.observation import ObservationRows

ACTIONS = ("none", "hall.light.on", "hall.light.off", "kitchen.light.on", "tv.on")
VOCABULARY = Vocabulary(ACTIONS, feedback=("accept", "override", "rating", "reject"))
ACCEPT, OVERRIDE, RATING, REJECT = range(4)
HALL_ON, HALL_OFF, KITCHEN_ON, TV = range(1, 5)
MORNING, EVENING = 8 * 3600, 20 * 3600


def seen(now, *heard):
    """What is observed at a time [s], given (time, feedback, action) heard before."""
    rows = ObservationRows(2, VOCABULARY)
    rows.mask[:] = 1
    rows.epoch[:, 0] = now
    row = rows.row(0)
    for time, word, action in heard:
        row.hear(time, word, action)
    return rows.observe()


def policy(acceptance=0.5, pseudo=1.0, p=(0.2, 0.2, 0.2, 0.2, 0.2)):
    return PlugInKind(Saying(VOCABULARY, p), prices(REWARD_WEIGHTS), np.full((1, 5), acceptance), pseudo=pseudo)


def test_commands_of_a_kind_do_the_same_to_devices_of_a_kind():
    assert VOCABULARY.kinds().tolist() == [0, 1, 2, 1, 4]
    assert Vocabulary(("none", "a.heat", "heat", "b.a.heat")).kinds().tolist() == [0, 1, 2, 1]
    said = ("none", "lamp.on", "lamp.on", "lamp.off")
    assert Vocabulary(("none", "a", "b", "c"), action_kinds=said).kinds().tolist() == [0, 1, 1, 3]
    with pytest.raises(LogError, match="action_kinds needs one word per action"):
        Vocabulary(("none", "a"), action_kinds=said)


def test_answers_are_summed_over_a_kind_for_this_part_of_the_day_and_for_all():
    counts = AnswerCounts(VOCABULARY)
    heard = [(MORNING, ACCEPT, HALL_ON), (MORNING + 60, REJECT, KITCHEN_ON), (MORNING, RATING, HALL_ON)]
    heard += [(MORNING + 86_400, OVERRIDE, KITCHEN_ON), (EVENING, ACCEPT, KITCHEN_ON), (MORNING, REJECT, TV)]
    now = seen(MORNING + 3 * 86_400, *heard)
    accepted, rejected, overridden, *ever = counts.by_kind(now).swapaxes(0, 1)
    assert accepted.tolist() == [[0, 1, 0, 1, 0], [0] * 5]
    assert rejected.tolist() == [[0, 1, 0, 1, 1], [0] * 5]
    assert overridden.tolist() == [[0, 1, 0, 1, 0], [0] * 5]
    assert [e[0].tolist() for e in ever] == [[0, 2, 0, 2, 0], [0, 1, 0, 1, 1], [0, 1, 0, 1, 0]]
    assert counts.by_kind(seen(EVENING, *heard))[0, 0].tolist() == [0, 1, 0, 1, 0]
    assert counts.by_action(now)[0].tolist() == [[0, 1, 0, 1, 0], [0, 0, 0, 1, 1], [0, 0, 0, 1, 0]]


def test_what_nobody_has_answered_is_as_welcome_as_in_households_in_general():
    some = [(MORNING, ACCEPT, HALL_ON), (MORNING, ACCEPT, HALL_ON), (MORNING, REJECT, KITCHEN_ON)]
    own = policy(pseudo=1.0).own(seen(MORNING, *some), np.full((2, 5), 0.5))
    assert own[0].tolist() == pytest.approx([0.5, 2.5 / 4, 0.5, 2.5 / 4, 0.5])
    assert own[1].tolist() == [0.5] * 5
    assert policy(pseudo=1e9).own(seen(MORNING, *some), np.full((2, 5), 0.5)) == pytest.approx(0.5)


def test_one_refusal_of_a_lamp_keeps_it_from_all_lamps_until_the_evening():
    p, refused = (0.3, 0.0, 0.0, 0.7, 0.0), [(MORNING, REJECT, HALL_ON)]
    bold = policy(acceptance=0.9, p=p)
    assert bold.predict(seen(MORNING))[0].tolist() == [KITCHEN_ON] * 2
    assert bold.predict(seen(MORNING, *refused))[0].tolist() == [0, KITCHEN_ON]
    assert bold.predict(seen(EVENING, *refused))[0].tolist() == [KITCHEN_ON] * 2


def test_the_pseudo_counts_are_those_that_return_most(monkeypatch):
    counted = PlugIn(Saying(VOCABULARY, (1.0, 0, 0, 0, 0)), prices(REWARD_WEIGHTS), np.ones((6, 5)))
    monkeypatch.setattr(plugin_kind, "plugin_context", lambda: type("Counts", (), {"fit": lambda self, t: counted})())
    monkeypatch.setattr(trial, "returns", lambda policy, training, worlds: np.array([-abs(policy.pseudo - 2.1)]))
    found = PlugInKindAgent().fit(Training(VOCABULARY, "anticipate", None, None, None))
    assert found.pseudo == 2.0
    assert found.acceptance is counted.acceptance
