"""What an assistant refuses: observations, deeds and run folders that make no sense."""

import datetime
import json
import math

import pytest
from lam_env.agents.fine_tuning.saved import save_policy
from lam_env.agents.predictors import store
from lam_env.agents.serving.assistant import Assistant
from policies import VOCABULARY, policy_of_five, refused

from lam_env import load
from lam_env.core.events import FEEDBACK, READING, SENSOR, USER, Event

HOUR = 3600


@pytest.fixture
def run(tmp_path, policy):
    folder = tmp_path / "run"
    store.save(policy.features.predictor, folder / "model" / "prior")
    save_policy(policy, folder / "model" / "policy")
    (folder / "config.json").write_text(json.dumps({"scenario": "smart_home"}))
    return folder


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"action": "lamp.onn"}, r"no action 'lamp.onn'; did you mean 'lamp.on'\?"),
        ({"action": "xyz"}, "no action 'xyz'; there are none, lamp.on"),
        ({"action": 3}, "no action 3"),
        ({"action": "none"}, "give the time alone"),
        ({"sensor": "hal"}, "did you mean 'hall'"),
        ({"reading": "haet", "value": 1}, "did you mean 'heat'"),
        ({"reading": "heat"}, "go together"),
        ({"action": "brew", "value": 3}, "go together"),
        ({"reading": "heat", "value": math.nan}, "reading 'heat': expected a finite number, got nan"),
        ({"reading": "heat", "value": "warm"}, "got 'warm'"),
        ({"reading": "heat", "value": 1e39}, "expected a finite number"),
        ({"reading": "heat", "value": 10**400}, "expected a finite number"),
        ({"action": "brew", "sensor": "hall"}, "several events"),
        ({"feedback": "accept"}, "which action"),
        ({"feedback": "accepted", "action": "brew"}, "did you mean 'accept'"),
        ({"feedback": "accept", "action": "brew", "sensor": "hall"}, "and nothing else"),
        ({"time": None}, "give a time"),
        ({"event": Event(1, 0, USER, 1)}, "not both"),
    ],
    ids=str,
)
def test_a_wrong_observation_is_refused_and_changes_nothing(assistant, given, says):
    assistant.observe(time=100, sensor="hall")
    before = assistant.suggest()
    refused(says, assistant.observe, **{"time": 5000, **given})
    assert assistant.suggest() == before
    assistant.observe(time=101, sensor="hall")  # the time of what was refused has not passed


@pytest.mark.parametrize(
    ("event", "says"),
    [
        (Event(1, 0, 9, 0), "no kind 9"),
        (Event(1, 0, USER, 5), "user 5 is not in the vocabulary"),
        (Event(1, 0, SENSOR, -1), "sensor -1 is not"),
        (Event(1, 0, READING, 1), "expected a finite number"),
        (Event(1, 0, FEEDBACK, 0, 1.0, answers=0), "only 0 were done"),
    ],
    ids=str,
)
def test_a_wrong_event_is_refused(assistant, event, says):
    refused(says, assistant.observe, event)


def test_wrong_suggestions_and_deeds_are_refused(assistant):
    refused("nothing has been observed yet", assistant.suggest)
    refused("nothing has been observed yet", assistant.did, "brew")
    assistant.observe(time=0)
    refused("did you mean 'brew'", assistant.did, "brw")
    refused("did you mean 'brew'", assistant.suggest, ["brw"])
    refused("give a list", assistant.suggest, "brew")


# -- run folders -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("timer", "changes"), [(300, [300]), (240, [240, 480]), (None, [])])
def test_the_timer_of_the_prior_is_used(run, timer, changes):
    store.save(policy_of_five(timer).features.predictor, run / "model" / "prior")
    assistant, found = load(run), []
    assistant.observe(time=0, sensor="hall")
    said = assistant.suggest()
    for seconds in (239, 240, 299, 300, 479, 480):
        assistant.observe(time=seconds)
        if assistant.suggest() != said:
            found.append(seconds)
        said = assistant.suggest()
    assert found == changes


def test_a_run_is_loaded(run, policy):
    assistant, expected = load(str(run)), Assistant(policy)
    assert assistant.vocabulary == VOCABULARY
    for a in (assistant, expected):
        a.observe(time=8 * HOUR, sensor="hall")
        a.observe(time=9 * HOUR, sensor="door")
    assert assistant.suggest() == expected.suggest()


def test_the_zone_of_a_runs_log_is_that_of_its_home(run, policy):
    utc = datetime.datetime(2026, 7, 6, 6, tzinfo=datetime.UTC)
    refused("the home's is not known", load(str(run)).observe, time=utc, sensor="hall")
    refused("unknown time zone 'Mars/Base'", load, run, zone="Mars/Base")
    (run / "config.json").write_text('{"zone": "Europe/Berlin", "agents_judged": ["ppo_prior"], "finished": true}')
    expected = Assistant(policy)
    expected.observe(time=8 * HOUR, sensor="hall")
    for assistant in (load(run), load(str(run), zone="Europe/Paris")):
        assistant.observe(time=utc, sensor="hall")
        assert assistant.suggest() == expected.suggest()


def test_what_is_no_run_is_refused(tmp_path, run):
    refused("no such folder", load, tmp_path / "nowhere")
    refused("no such folder", load, run / "config.json")
    (tmp_path / "empty").mkdir()
    refused("not a run folder", load, tmp_path / "empty")
    for inside in ("model", "model/prior", "model/policy"):
        refused(f"is the folder of a model, not of a run; give the run's, {run}$", load, run / inside)


@pytest.mark.parametrize("kept", ["prior", "prior-real"])
def test_where_no_policy_was_to_be_tuned_the_prior_acts_on_what_is_more_probable_than_not(run, kept):
    (run / "model" / "policy").rename(run / "elsewhere")
    (run / "model" / "prior").rename(run / "model" / kept)
    judged = (
        ["none", "prior"] if kept == "prior" else ["none", "ppo_prior"]
    )  # nobody was judged on a log of other actions
    (run / "config.json").write_text(json.dumps({"finished": True, "agents_judged": judged}))
    assistant, names, acted = load(run), VOCABULARY.actions[1:], set()
    for k in range(60):
        assistant.observe(time=600 * k, **({"sensor": "hall"} if k % 3 else {"action": names[k // 3 % 4]}))
        possible = names[k % 4 :][:2]
        said = assistant.suggest(possible)
        best = max(possible, key=said.probabilities.__getitem__)
        assert said.action == (best if said.probabilities[best] >= 0.5 else "none")
        assert said.action in said.why
        acted.add(said.action)
    assert "none" in acted
    assert len(acted) > 1


@pytest.mark.parametrize("name", ["prior/model.safetensors", "policy/policy.safetensors", "policy/manifest.json"])
def test_a_cut_model_is_refused(run, name):
    path = run / "model" / name
    path.write_bytes(path.read_bytes()[:50])
    refused("sha256 differs|not a readable policy", load, run)
