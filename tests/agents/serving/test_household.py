"""What is known of a household is saved and loaded: a restart forgets nothing, and asking to forget does."""

import datetime

import numpy as np
import pytest
import torch
from lam_env.agents.files import ModelError
from lam_env.agents.fine_tuning.features import PriorFeatures
from lam_env.agents.fine_tuning.heads import AdviceHead
from lam_env.agents.fine_tuning.policy import TunedPolicy
from lam_env.agents.predictors.features import Featuriser
from lam_env.agents.predictors.network import Predictor
from lam_env.agents.predictors.settings import PredictorSettings
from lam_env.agents.serving.adviser import Adviser
from lam_env.agents.serving.assistant import Assistant, serve
from people import N_READINGS, log_of_trips
from people import VOCABULARY as TRIPS
from policies import policy_of_five

from lam_env.core.errors import UserError

MONDAY = datetime.datetime(2026, 1, 5, tzinfo=datetime.UTC)


def lived(assistant, hours, since=0):
    """What a day and a half at home is like: what it suggested at each hour."""
    said = []
    for hour in range(since, since + hours):
        when = MONDAY + datetime.timedelta(hours=hour)
        assistant.observe(time=when, sensor=("hall", "door")[hour % 2])
        assistant.observe(time=when, reading="heat", value=float(hour % 5))
        said.append(assistant.suggest())
        if said[-1].action != "none":
            assistant.did(said[-1].action)
            word = ("accept", "reject", "override")[hour % 3]
            assistant.observe(time=when + datetime.timedelta(minutes=3), action=said[-1].action, feedback=word)
        assistant.observe(time=when + datetime.timedelta(minutes=7), action=("tv.on", "brew")[hour % 2])
    return said


@pytest.fixture(scope="module")
def policy():
    return policy_of_five()


def test_a_restart_in_between_changes_no_byte_of_what_is_suggested(policy, tmp_path):
    whole, first = (serve(policy, "Europe/Berlin") for _ in range(2))
    expected = lived(whole, 40)
    assert lived(first, 17) == expected[:17]
    first.save(tmp_path / "home")
    again = serve(policy, "Europe/Berlin", tmp_path / "home")
    assert lived(again, 23, since=17) == expected[17:]
    assert len({s.action for s in expected}) > 2
    fresh = serve(policy, "Europe/Berlin")
    assert lived(fresh, 23, since=17) != expected[17:]  # it would have been another house


def test_saving_changes_nothing_and_replaces_what_was_there(policy, tmp_path):
    one, other = Assistant(policy), Assistant(policy)
    for assistant in (one, other):
        assistant.observe(time=100, sensor="hall")
    one.save(tmp_path / "home")
    one.observe(time=900, action="brew")
    other.observe(time=900, action="brew")
    one.save(tmp_path / "home")
    assert one.suggest() == other.suggest() == serve(policy, None, tmp_path / "home").suggest()


def test_to_forget_is_to_know_the_time_and_what_is_sensed_and_nothing_else(policy):
    known, fresh = Assistant(policy), Assistant(policy)
    known.observe(time=1000, reading="heat", value=4.0)
    known.observe(time=1000, action="lamp.on")
    known.did("tv.on")
    known.observe(time=1010, action="tv.on", feedback="reject")
    known.forget()
    assert "nan" not in str(known.suggest())
    assert not np.array(known._row.feedback).any()
    assert not np.array(known._row.heard).any()
    fresh.observe(time=1010, reading="heat", value=4.0)
    for assistant in (known, fresh):
        assistant.observe(time=2000, sensor="hall")
    assert known.suggest().probabilities == pytest.approx(fresh.suggest().probabilities, abs=1e-6)
    with pytest.raises(Exception, match="before the last event"):
        known.observe(time=500, sensor="hall")


# -- persons


@pytest.fixture(scope="module")
def advising():
    predictor = Predictor(TRIPS, Featuriser.fit(log_of_trips()), PredictorSettings(hidden=8, embedding=4), 300)
    features = PriorFeatures(predictor, np.zeros(N_READINGS), np.ones(N_READINGS))
    head = AdviceHead(features.layout, (8,))
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(3)) * 0.1)
    return TunedPolicy(features, head)


def told(adviser, days, since=0):
    out = []
    for day in range(since, since + days):
        for k, user in enumerate(("ann", "bob", 7)):
            when = 86_400 * day + 100 * k
            adviser.observe(time=when, user=user, sensor=TRIPS.sensors[0])
            out.append(adviser.suggest(user))
            word, action = TRIPS.feedback[(day + k) % len(TRIPS.feedback)], TRIPS.actions[1 + k]
            adviser.observe(time=when, user=user, action=action, feedback=word)
            adviser.observe(time=when + 50, user=user, action=TRIPS.actions[1 + (day + k) % 3])
    return out


def test_persons_come_back_as_they_were(advising, tmp_path):
    whole, first = Adviser(advising), Adviser(advising)
    expected = told(whole, 6)
    assert told(first, 2) == expected[:6]
    first.save(tmp_path / "persons")
    assert told(serve(advising, None, tmp_path / "persons"), 4, since=2) == expected[6:]


def test_who_is_forgotten_comes_as_somebody_new_and_the_others_stay(advising, tmp_path):
    adviser, other = Adviser(advising), Adviser(advising)
    told(adviser, 3), told(other, 3)
    adviser.forget("ann")
    adviser.forget("ann")  # of whom nothing is known any more
    for both in (adviser, other):
        for user in ("ann", "bob", "new"):
            both.observe(time=300_000, user=user, sensor=TRIPS.sensors[0])
    assert adviser.suggest("bob") == other.suggest("bob")
    assert adviser.suggest("ann").probabilities == adviser.suggest("new").probabilities
    assert adviser.suggest("ann").probabilities != other.suggest("ann").probabilities
    adviser.save(tmp_path / "persons")
    assert serve(advising, None, tmp_path / "persons").suggest("bob") == other.suggest("bob")


# -- what is refused


def test_what_does_not_fit_is_refused_in_one_line(policy, advising, tmp_path):
    assistant = Assistant(policy)
    assistant.observe(time=100, sensor="hall")
    assistant.save(tmp_path / "home")
    Adviser(advising).save(tmp_path / "persons")
    with pytest.raises(ModelError, match="another run's model"):
        serve(policy_of_five(timer=600), None, tmp_path / "persons")
    with pytest.raises(ModelError, match="no household here; give the folder that save has written"):
        serve(policy, None, tmp_path / "nowhere")
    content = bytearray((tmp_path / "home/household.json").read_bytes())
    content[20] ^= 1
    (tmp_path / "home/household.json").write_bytes(bytes(content))
    with pytest.raises(ModelError, match="not a readable household"):
        serve(policy, None, tmp_path / "home")


def test_nothing_else_is_replaced_by_a_household(policy, tmp_path):
    assistant = Assistant(policy)
    assistant.observe(time=100, sensor="hall")
    (tmp_path / "file").write_text("x")
    (tmp_path / "run").mkdir()
    (tmp_path / "run/config.json").write_text("{}")
    for name in ("file", "run"):
        with pytest.raises(UserError, match="holds something else than a household"):
            assistant.save(tmp_path / name)
    with pytest.raises(UserError, match=r"^save: give a folder$"):
        assistant.save("")
    assert (tmp_path / "run/config.json").read_text() == "{}"
    (tmp_path / "empty").mkdir()
    assistant.save(tmp_path / "empty")
    assert serve(policy, None, tmp_path / "empty").suggest() == assistant.suggest()
