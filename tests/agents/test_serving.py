"""The assistant on a stream of events knows what the policy knows in the simulator, and refuses what makes no sense."""

import datetime
import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lam_env.agents.features import PriorFeatures
from lam_env.agents.heads import AnticipationHead
from lam_env.agents.ppo import TunedPolicy
from lam_env.agents.predictors import store
from lam_env.agents.predictors.features import Featuriser
from lam_env.agents.predictors.network import Predictor
from lam_env.agents.predictors.settings import PredictorSettings
from lam_env.agents.saved import save_policy
from lam_env.agents.serving import MOST_ACTS, Assistant, load
from patience import calls

import lam_env
from lam_env.errors import UserError
from lam_env.events import AGENT, FEEDBACK, READING, SENSOR, USER, ActionLog, Event, Vocabulary
from lam_env.logs.epochs import epochs_of

HOUR, DAY = 3600, 86_400
VOCABULARY = Vocabulary(
    ("none", "lamp.on", "lamp.off", "tv.on", "brew"),
    ("hall", "door"),
    ("lamp", "heat"),
    ("accept", "override", "reject", "rating"),
    (0, 300, 300, 900, 300),
)


def bold(policy, seed=1):
    """Its head with random weights, and inclined to act."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in policy.head.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.03)
        policy.head.correction[-1].bias[: policy.features.layout.n_actions] += 3  # of the gain
    return policy


@pytest.fixture(scope="module")
def policy():
    """Random, on a vocabulary of five actions."""
    numbers = np.zeros(2 + len(VOCABULARY.readings), np.float32)
    predictor = Predictor(
        VOCABULARY, Featuriser(VOCABULARY, numbers, numbers + 3), PredictorSettings(hidden=8, embedding=4)
    )
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in predictor.nets.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.4)
    features = PriorFeatures(predictor, np.zeros(2), np.ones(2))
    return bold(TunedPolicy(features, AnticipationHead(features.layout, (8,))))


@pytest.fixture
def assistant(policy):
    return Assistant(policy)


@pytest.fixture
def run(tmp_path, policy):
    folder = tmp_path / "run"
    store.save(policy.features.predictor, folder / "model" / "prior")
    save_policy(policy, folder / "model" / "policy")
    (folder / "config.json").write_text(json.dumps({"scenario": "smart_home", "world": {"timer": 240}}))
    return folder


def hidden(assistant):
    return assistant._carry.said.hidden[0]


def refused(says, call, *args, **more):
    with pytest.raises(UserError, match=says) as caught:
        call(*args, **more)
    assert "\n" not in str(caught.value)


# -- the same as in a log -----------------------------------------------------------------------------------


@st.composite
def streams(draw):
    """Events of all kinds, often at one instant, and often when the timer is due."""
    kinds = {USER: 5, SENSOR: 2, AGENT: 5, READING: 2, FEEDBACK: 4}
    events, now = [], 0
    for _ in range(draw(st.integers(1, 25))):
        now += draw(st.sampled_from([0, 0, 1, 299, 300, 301, 600, 1000]))
        kind = draw(st.sampled_from(list(kinds)))
        token = draw(st.integers(int(kind in (USER, AGENT)), kinds[kind] - 1))
        if kind in (USER, SENSOR) and any(e.kind == AGENT and e.time == now for e in events):
            now += 1  # nobody answers the agent within the instant; a log could not tell what came first
        events.append(Event(now, 0, kind, token, float(draw(st.integers(-3, 3)))))
    return events


@settings(max_examples=60)
@given(streams())
def test_the_epochs_are_those_of_a_log(policy, events):
    assistant = Assistant(policy)
    assistant.reset(0)
    for event in events:
        assistant.observe(event)
    end = events[-1].time + 700
    assistant.observe(time=end - 1)
    if not any(e.kind in (USER, SENSOR) for e in events):
        return
    log = ActionLog.from_events(events, VOCABULARY, start=(0,), end=(end,))
    epochs = epochs_of(log)
    read = policy.features.predictor.read(epochs)
    assert assistant._row.epoch[0] == epochs.time[-1]
    np.testing.assert_allclose(hidden(assistant), read.hidden[-1], atol=1e-5)


def test_names_say_the_same_as_events(policy):
    first, second = Assistant(policy), Assistant(policy)
    for assistant in (first, second):
        assistant.reset(100)
    for event in (
        Event(100, 0, READING, 1, 20.5),
        Event(160, 0, SENSOR, 1),
        Event(160, 0, AGENT, 3),
        Event(170, 0, FEEDBACK, 0, 1.0, answers=0),
        Event(180, 1, USER, 2),
        Event(190, 0, FEEDBACK, 1, -1.0, answers=0),
        Event(190, 0, FEEDBACK, 3, 1.0, answers=0),
    ):
        first.observe(event)
    second.observe(time=100, reading="heat", value=20.5)
    second.observe(time=160.9, sensor="door")
    second.did("tv.on")
    second.observe(time=170, feedback="accept", action="tv.on")
    second.observe(time=180, action="lamp.off", user=1)
    second.observe(time=190, feedback="override", action="tv.on")
    second.observe(time=190, feedback="rating", action="tv.on")
    assert first.suggest() == second.suggest()
    assert list(first._row.feedback) == [0, 0, 0, 1, 0, 0, 0, 0, 1, 0]


# -- time ----------------------------------------------------------------------------------------------------------


def test_quiet_time_raises_the_epochs_of_the_timer_however_it_is_told(policy):
    silent, polled = Assistant(policy), Assistant(policy)
    for assistant in (silent, polled):
        assistant.observe(time=0, action="lamp.on")
    for t in range(0, 2 * HOUR, 7):
        polled.observe(time=t)
        polled.suggest()
    before = hidden(silent)
    for assistant in (silent, polled):
        assistant.observe(time=2 * HOUR, sensor="hall")
    np.testing.assert_array_equal(hidden(silent), hidden(polled))
    assert np.abs(hidden(silent) - before).max() > 1e-3
    assert silent._row.epoch[1] == 300  # the last quiet epoch was at 6900; at 7200 the event forestalls the timer


def test_the_timer_of_the_run_is_used(run):
    assistant = load(run)
    assert assistant.timer == 240
    assistant.reset(0)
    assistant.observe(time=239)
    assert assistant._row.epoch[0] == 0
    assistant.observe(time=240)
    assert assistant._row.epoch[0] == 240


def test_a_quiet_day_takes_as_little_after_a_quiet_week(assistant):
    assistant.observe(time=0, action="lamp.on")
    first = calls(lambda: assistant.observe(time=DAY))
    assistant.observe(time=7 * DAY)
    assert first < 60 * 288  # epochs of the timer
    assert calls(lambda: assistant.observe(time=8 * DAY)) < 1.1 * first


def test_times_that_go_backwards_are_refused_and_change_nothing(assistant):
    assistant.observe(time=1000, action="lamp.on")
    before = assistant.suggest()
    refused("1 s before the last event", assistant.observe, time=999, action="lamp.off")
    refused("days after the last event", assistant.observe, time=10**8)
    assert assistant.suggest() == before


def test_datetimes_are_seconds_since_the_monday_of_the_first(policy):
    named, numbered = Assistant(policy), Assistant(policy)
    start = datetime.datetime(2024, 5, 9, 7, 30)  # a Thursday
    zone = datetime.timezone(datetime.timedelta(hours=9))
    aware = Assistant(policy)
    for minutes, action in ((0, "lamp.on"), (17, "tv.on"), (6 * 24 * 60, "lamp.off")):
        later = start + datetime.timedelta(minutes=minutes)
        named.observe(time=later, action=action)
        aware.observe(time=later.replace(tzinfo=zone), action=action)
        numbered.observe(time=3 * DAY + 7 * HOUR + 30 * 60 + minutes * 60, action=action)
    assert named.suggest() == numbered.suggest() == aware.suggest()


def test_what_is_no_time_is_refused_and_changes_nothing(assistant):
    refused("time: ", assistant.observe, time=1_722_500_000)
    refused("time: ", assistant.reset, "8:00")
    refused("nothing has been observed", assistant.suggest)
    assistant.observe(time=1000, sensor="hall")
    before = assistant.suggest()
    refused("time: ", assistant.reset, math.nan)
    assert assistant.suggest() == before


def test_reset_forgets_everything(policy):
    used, fresh = Assistant(policy), Assistant(policy)
    for t in range(0, 4000, 100):
        used.observe(time=t, action="tv.on")
        used.did("lamp.on")
        used.observe(time=t, feedback="reject", action="lamp.on")
        used.observe(time=t, reading="heat", value=t)
    for assistant in (used, fresh):
        assistant.reset(50)
        assistant.observe(time=60, sensor="hall")
    assert used.suggest() == fresh.suggest()


# -- suggestions ------------------------------------------------------------------------------------------------------


def test_a_suggestion_holds_the_numbers_behind_it(assistant):
    assistant.observe(time=8 * HOUR, sensor="hall")
    s = assistant.suggest()
    assert s.action == max(s.values, key=s.values.get)
    assert s.values["none"] == 0
    assert math.isclose(sum(s.probabilities.values()), 1, abs_tol=1e-5)
    assert set(s.probabilities) == set(s.soon) == set(s.in_time) == set(s.values) == set(VOCABULARY.actions)
    assert s.in_time["lamp.on"] == s.probabilities["lamp.on"]
    assert s.in_time["tv.on"] == max(s.probabilities["tv.on"], s.soon["tv.on"])  # its patience is long
    assert s.action in s.why
    assert f"{s.in_time[s.action]:.2f}" in s.why


def test_only_what_is_possible_is_suggested(assistant):
    assistant.observe(time=8 * HOUR, sensor="hall")
    best = assistant.suggest().action
    assert best != "none"
    others = [name for name in VOCABULARY.actions if name != best]
    found = assistant.suggest(others)
    assert found.action != best
    assert found.values[best] == -math.inf
    nothing = assistant.suggest([])
    assert nothing.action == "none"
    assert nothing.why == "none: no other action is possible"
    assert assistant.suggest().action == best  # what was possible then is not remembered


def test_asking_changes_nothing(policy):
    asked, silent = Assistant(policy), Assistant(policy)
    for t, action in ((0, "lamp.on"), (700, "tv.on"), (750, "lamp.off")):
        for assistant in (asked, silent):
            assistant.observe(time=t, action=action)
        assert asked.suggest() == asked.suggest()
    assert asked.suggest() == silent.suggest()


def test_what_was_done_is_not_suggested_again_at_once_and_the_prior_is_not_stepped(assistant):
    assistant.observe(time=HOUR, sensor="hall")
    before = assistant.suggest()
    assistant.did("lamp.on")
    after = assistant.suggest()
    assert after.probabilities == before.probabilities
    assert after.values["lamp.on"] == after.values["lamp.off"] == -math.inf  # the lamp has been seen to
    assert after.values["tv.on"] > -math.inf
    assistant.observe(time=HOUR + 30, sensor="hall")
    assert assistant.suggest().values["lamp.on"] == -math.inf  # it is on, as far as is known
    assert assistant.suggest(["lamp.on"]).values["lamp.on"] > -math.inf  # one who knows better says so
    assert list(assistant._rows.observe()["tokens"][0, -3:]) == [5, 1, 5]
    assert assistant._row.epoch[3] == 2  # tokens of the epoch: what the agent did, and the sensor


def test_no_more_than_so_many_actions_at_one_instant(assistant):
    assistant.observe(time=HOUR, sensor="hall")
    for _ in range(MOST_ACTS):
        assert assistant.suggest(VOCABULARY.actions).action != "none"
        assistant.did("brew")
    s = assistant.suggest(VOCABULARY.actions)
    assert s.action == "none"
    assert "have been done" in s.why


def test_feedback_and_readings_count_at_once(assistant):
    assistant.observe(time=HOUR, sensor="hall")
    before = assistant.suggest()
    assistant.observe(time=HOUR, feedback="reject", action="tv.on")
    refusing = assistant.suggest()
    assert refusing.probabilities == before.probabilities
    assert refusing.values["tv.on"] < before.values["tv.on"]
    assistant.observe(time=HOUR, reading="heat", value=3)
    assert assistant.suggest().values != refusing.values


def test_after_late_readings_what_was_done_is_not_in_the_future(assistant):
    assistant.observe(time=HOUR, sensor="hall")
    assistant.observe(time=HOUR + 200, reading="heat", value=20)
    assistant.did("lamp.on")
    assert (assistant._rows.observe()["since"] >= 0).all()
    assert not any(math.isnan(v) for v in assistant.suggest().values.values())


# -- what is refused --------------------------------------------------------------------------------------------------


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


# -- run folders ----------------------------------------------------------------------------------------------------


def test_a_run_is_loaded(run, policy):
    assistant, expected = lam_env.load(str(run)), Assistant(policy, 240)
    assert assistant.vocabulary == VOCABULARY
    for a in (assistant, expected):
        a.observe(time=8 * HOUR, sensor="hall")
        a.observe(time=9 * HOUR, sensor="door")
    assert assistant.suggest() == expected.suggest()


def test_a_run_without_a_timer_has_the_usual_one(run):
    (run / "config.json").write_text("{}")
    assert load(run).timer == 300
    (run / "config.json").unlink()
    assert load(run).timer == 300


def test_what_is_no_run_is_refused(tmp_path, run):
    refused("no such folder", load, tmp_path / "nowhere")
    refused("no such folder", load, run / "config.json")
    (tmp_path / "empty").mkdir()
    refused("not a run folder", load, tmp_path / "empty")


@pytest.mark.parametrize(("part", "says"), [("prior", "pre-training"), ("policy", "fine-tuning")])
def test_half_a_run_is_refused(run, part, says):
    (run / "model" / part).rename(run / "elsewhere")
    refused(f"has no model/{part}.*{says}", load, run)


@pytest.mark.parametrize("name", ["prior/model.safetensors", "policy/policy.safetensors", "policy/manifest.json"])
def test_a_cut_model_is_refused(run, name):
    path = run / "model" / name
    path.write_bytes(path.read_bytes()[:50])
    refused("sha256 differs|not a readable policy", load, run)


@pytest.mark.parametrize("text", ["{", "[]", '{"world": 3}', '{"world": {"timer": "soon"}}', '{"world": {"timer": 0}}'])
def test_a_broken_config_is_refused(run, text):
    (run / "config.json").write_text(text)
    refused("config.json: ", load, run)
