"""The assistant on a stream of events knows what the policy knows in the simulator, and refuses what makes no sense."""

import datetime
import math
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from lam_env.agents.serving.assistant import MOST_ACTS, Assistant
from patience import calls
from policies import VOCABULARY, refused

from lam_env.core.events import AGENT, FEEDBACK, READING, SENSOR, USER, ActionLog, Event
from lam_env.logs.decision_points import decision_points

HOUR, DAY = 3600, 86_400


# -- the same as in a log ----------------------------------------------------------------------------------------------


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
def test_the_decisions_are_those_of_a_log(policy, events):
    assistant = Assistant(policy)
    assistant.reset(0)
    for event in events:
        assistant.observe(event)
    end = events[-1].time + 700
    assistant.observe(time=end - 1)
    if not any(e.kind in (USER, SENSOR) for e in events):
        return
    log = ActionLog.from_events(events, VOCABULARY, start=(0,), end=(end,), timer=300)
    points = decision_points(log)
    read = policy.features.predictor.read(points)
    said = assistant.suggest()
    np.testing.assert_allclose(list(said.probabilities.values()), read.next[-1], atol=1e-5)
    np.testing.assert_allclose(list(said.soon.values()), read.soon[-1], atol=1e-5)


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


# -- time --------------------------------------------------------------------------------------------------------------


def test_quiet_time_raises_the_decision_points_the_timer_however_it_is_told(policy):
    silent, polled = Assistant(policy), Assistant(policy)
    for assistant in (silent, polled):
        assistant.observe(time=0, action="lamp.on")
    for t in range(0, 2 * HOUR, 7):
        polled.observe(time=t)
        polled.suggest()
    for assistant in (silent, polled):
        assistant.observe(time=2 * HOUR, sensor="hall")  # when the timer is due, too
    assert silent.suggest() == polled.suggest()


def test_after_a_day_of_silence_the_timer_stops_until_the_next_event(assistant):
    assistant.observe(time=0, action="lamp.on")
    first = calls(lambda: assistant.observe(time=DAY + 1))
    assert 288 < first < 60 * 288  # decision points of the timer
    silent = assistant.suggest()
    assert calls(lambda: assistant.observe(time=60 * DAY)) < first / 20
    assert assistant.suggest() == silent
    assistant.observe(time=60 * DAY, sensor="hall")
    assert calls(lambda: assistant.observe(time=61 * DAY)) > 288


def test_an_absence_is_lived_through_as_in_a_recorded_log(policy):
    times, vocabulary = [0, 900, 30 * DAY, 30 * DAY + 450], policy.predictor.vocabulary
    log = ActionLog.from_events(
        [Event(t, 0, USER, 1 + i % 2) for i, t in enumerate(times)], vocabulary, timer=policy.predictor.timer
    )
    assistant = Assistant(policy)
    for event in log.events():
        assistant.observe(event)
    expected = policy.predictor.read(decision_points(log)).next[-1]
    np.testing.assert_allclose(list(assistant.suggest().probabilities.values()), expected, rtol=1e-4)


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
    aware = Assistant(policy, zone=ZoneInfo("Asia/Tokyo"))
    for minutes, action in ((0, "lamp.on"), (17, "tv.on"), (6 * 24 * 60, "lamp.off")):
        later = start + datetime.timedelta(minutes=minutes)
        named.observe(time=later, action=action)
        aware.observe(time=later.replace(tzinfo=zone).astimezone(datetime.UTC), action=action)
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


# -- suggestions -------------------------------------------------------------------------------------------------------


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
    assert not any(math.isnan(v) for v in assistant.suggest().values.values())
