import dataclasses
import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from outside import HOMES, needs

from lam_env.core.events import AGENT, FEEDBACK, READING, SENSOR, USER, ActionLog, Event, LogError, Protocol, Vocabulary
from lam_env.core.units import DAY
from lam_env.logs.decision_points import BAG, DecisionPoints, decision_points, from_observation, split_by_day

VOCABULARY = Vocabulary(
    ("none", "light.on", "light.off", "tv.on"), ("motion",), ("light",), ("fine",), patience=(300, 60, 60, 600)
)
MOTION = len(VOCABULARY)


def log(*events: Event, **more) -> ActionLog:
    return ActionLog.from_events(events, VOCABULARY, **more)


def test_targets_tokens_and_gaps_of_a_small_log():
    e = decision_points(
        log(Event(10, 0, SENSOR, 0), Event(15, 0, USER, 1), Event(15, 1, USER, 3), Event(40, 0, SENSOR, 0))
    )
    assert e.time.tolist() == [10, 15, 15, 40]
    assert e.gap.tolist() == [0, 5, 0, 25]
    assert e.target.tolist() == [1, 3, 0, 0]
    assert e.tokens[:, -1].tolist() == [MOTION, 1, 3, MOTION]
    assert not e.tokens[:, :-1].any()
    assert e.user.tolist() == [0, 0, 1, 0]


@pytest.mark.parametrize(
    ("users", "split", "told"),
    [((0, 1), "days", 2), ((0, 0), "days", 0), ((0, 1), "each", 0), ((0, 1), "worlds", 0), ((0, 200), "days", 0)],
)
def test_who_did_it_is_told_where_a_few_people_share_the_stream_of_a_recorded_home(users, split, told):
    events = [Event(10 + i, user, USER, 1 + i) for i, user in enumerate(users)]
    assert decision_points(log(*events, protocol=Protocol(split))).users == told


@pytest.mark.parametrize(
    ("second", "times"),
    [
        (600, [0, 300, 600]),  # an event at the instant of the timer forestalls it
        (601, [0, 300, 600, 601]),
        (299, [0, 299]),
    ],
)
def test_the_timer_fills_quiet_time(second, times):
    e = decision_points(log(Event(0, 0, USER, 1), Event(second, 0, USER, 2), timer=300))
    assert e.time.tolist() == times
    assert e.tokens[1:-1].sum() == 0
    assert e.target.tolist() == [0] * (len(times) - 2) + [2, 0]


def test_the_timer_runs_on_until_the_end_of_watching_but_not_at_it():
    assert decision_points(log(Event(0, 0, USER, 1), end=(901,), timer=300)).time.tolist() == [0, 300, 600, 900]
    assert decision_points(log(Event(0, 0, USER, 1), end=(900,), timer=300)).time.tolist() == [0, 300, 600]


def test_agent_actions_join_the_tokens_of_the_next_decision_only():
    e = decision_points(
        log(
            Event(0, 0, SENSOR, 0),
            Event(0, 0, AGENT, 1),
            Event(0, 0, AGENT, 3),
            Event(7, 0, FEEDBACK, 0),
            Event(9, 0, USER, 2),
        )
    )
    assert e.tokens[0].tolist() == [0] * (BAG - 1) + [MOTION]
    assert e.tokens[1].tolist() == [0] * (BAG - 3) + [1, 3, 2]
    assert e.target.tolist() == [2, 0]


def test_an_agent_that_does_nothing_leaves_no_token():
    quiet = decision_points(log(Event(0, 0, SENSOR, 0), Event(0, 0, AGENT, 0), Event(9, 0, USER, 2)))
    assert quiet.tokens[1].tolist() == [0] * (BAG - 1) + [2]


def test_a_bag_keeps_the_latest_tokens():
    acts = [Event(1, 0, AGENT, 1 + i % 3) for i in range(BAG + 2)]
    e = decision_points(log(Event(0, 0, SENSOR, 0), *acts, Event(9, 0, USER, 2)))
    assert e.tokens[1].tolist() == [*(a.token for a in acts[-BAG + 1 :]), 2]


def test_a_decision_of_the_timer_does_not_see_the_agents_answer_to_it():
    e = decision_points(
        log(
            Event(0, 0, USER, 2),
            Event(300, 0, AGENT, 1),
            Event(300, 0, READING, 0, 1.0),
            Event(400, 0, SENSOR, 0),
            timer=300,
        )
    )
    assert e.time.tolist() == [0, 300, 400]
    assert not e.tokens[1].any()
    assert e.context[:, 0].tolist() == [0, 0, 1]
    assert e.tokens[2].tolist() == [0] * (BAG - 2) + [1, MOTION]


def test_a_decision_sees_the_device_state_that_its_own_event_set():
    e = decision_points(
        log(
            Event(5, 0, READING, 0, 1.0),
            Event(5, 0, USER, 1),
            Event(5, 0, READING, 0, 0.5),
            Event(5, 0, USER, 2),
            Event(5, 0, AGENT, 1),
            Event(5, 0, READING, 0, 2.0),
            Event(305, 0, READING, 0, 3.0),
            end=(400,),
            timer=300,
        )
    )
    assert e.time.tolist() == [5, 5, 305]
    assert e.context[:, 0].tolist() == [1.0, 0.5, 3.0]


def test_soon_means_later_and_within_the_patience_of_each_action():
    e = decision_points(
        log(Event(0, 0, SENSOR, 0), Event(60, 0, USER, 1), Event(121, 0, USER, 1), Event(600, 0, USER, 3))
    )
    assert e.soon[:, 1].tolist() == [True, False, False, False]
    assert e.soon[:, 3].tolist() == [True, True, True, False]
    assert not e.soon[:, 0].any()
    assert not e.soon[:, 2].any()
    assert decision_points(log(Event(0, 0, USER, 1)), soon=False).soon is None


def test_an_activity_is_known_when_it_ends_and_the_gap_is_the_time_between_two():
    e = decision_points(
        log(Event(100, 0, USER, 1, 50.0), Event(160, 0, USER, 2, 0.0), Event(160, 0, USER, 3, 30.0), intervals=True)
    )
    assert e.time.tolist() == [150, 160, 190]
    assert e.duration.tolist() == [50, 0, 30]
    assert e.gap.tolist() == [0, 10, 0]
    assert e.target.tolist() == [2, 3, 0]


def test_overlapping_activities_of_two_people_are_read_in_the_order_in_which_they_end():
    e = decision_points(log(Event(0, 0, USER, 1, 100.0), Event(10, 1, USER, 2, 20.0), intervals=True))
    assert e.time.tolist() == [30, 100]
    assert e.user.tolist() == [1, 0]
    assert e.target.tolist() == [1, 0]


def test_worlds_do_not_touch():
    e = decision_points(log(Event(5, 0, USER, 1), Event(3, 0, USER, 2, world=7), Event(8, 0, SENSOR, 0)))
    assert e.world.tolist() == [0, 0, 7]
    assert e.target.tolist() == [0, 0, 0]
    assert e.gap.tolist() == [0, 3, 0]
    assert e.starts().tolist() == [0, 2]
    assert e.select(e.world == 7).time.tolist() == [3]


def test_fine_ticks_are_told_in_seconds():
    fine = log(Event(1500, 0, SENSOR, 0), Event(4250, 0, USER, 1), ticks_per_second=1000, timer=2000)
    e = decision_points(fine)
    assert e.time.tolist() == [1, 3, 4]
    assert e.gap.tolist() == [0, 2, 0.75]
    assert e.timer == 2


def test_a_timer_of_a_fraction_of_a_second_is_told_in_whole_ones():
    assert decision_points(log(Event(0, 0, USER, 1), ticks_per_second=1000, timer=1500)).timer == 2


def test_decisions_that_do_not_fit_together_are_refused():
    e = decision_points(log(Event(0, 0, USER, 1), Event(5, 0, USER, 2), Event(9, 0, SENSOR, 0, world=1)))
    with pytest.raises(LogError, match="different lengths"):
        dataclasses.replace(e, target=e.target[1:])
    with pytest.raises(LogError, match="not in order"):
        e.select(np.array([2, 0]))
    assert e.select(np.array([0, 2])).time.tolist() == [0, 9]
    assert e.select(np.zeros(3, bool)).time.tolist() == []


def test_timer_and_protocol_survive_the_disk_and_selections(tmp_path):
    told = log(Event(0, 0, USER, 1), Event(1500, 0, USER, 2), timer=600, protocol=Protocol("streams", "PLAY_", 5))
    told.save(tmp_path / "log")
    again = ActionLog.load(tmp_path / "log")
    assert (again.timer, again.protocol) == (600, Protocol("streams", "PLAY_", 5))
    assert decision_points(again).time.tolist() == [0, 600, 1200, 1500]
    assert (again.user_actions().timer, decision_points(again).select(np.array([1])).timer) == (600, 600)


@pytest.mark.parametrize(
    "change", [{"timer": 0}, {"timer": "soon"}, {"protocol": {"by": 1}}, {"timer": ...}, {"people": ...}]
)
def test_a_log_on_disk_that_does_not_say_how_it_becomes_decisions_is_refused(tmp_path, change):
    log(Event(0, 0, USER, 1)).save(tmp_path / "log")
    about = tmp_path / "log" / "log.json"
    said = {k: v for k, v in (json.loads(about.read_text()) | change).items() if v is not ...}
    about.write_text(json.dumps(said))
    with pytest.raises(LogError):
        ActionLog.load(tmp_path / "log")


def test_a_log_without_events_says_so():
    with pytest.raises(LogError, match="no user or sensor events"):
        decision_points(log(Event(1, 0, READING, 0, 2.0)))


def test_an_observation_is_one_row_a_stream():
    obs = {
        "epoch": np.array([[1000, 250, 1, 2, 0], [2000, 0, 0, 0, 0]]),
        "tokens": np.tile(np.arange(16), (2, 1)),
        "context": np.zeros((2, 1), np.float32),
    }
    e = from_observation(obs, VOCABULARY)
    assert e.tokens.tolist() == [[0, 0, 0, 0, 14, 15], [0] * 6]
    assert e.time.tolist() == [1000, 2000]
    assert e.gap.tolist() == [250, 0]
    assert e.user.tolist() == [1, 0]


EVENTS = st.lists(
    st.tuples(st.integers(0, 4000), st.integers(0, 1), st.sampled_from([USER, SENSOR, AGENT, READING])), min_size=1
)


@given(EVENTS, st.sampled_from([None, 60, 300]))
def test_properties_of_any_log(draws, timer):
    token = {USER: 1, SENSOR: 0, AGENT: 2, READING: 0}
    events = [Event(t, u, k, token[k], float(t)) for t, u, k in sorted(draws)]
    raising = [e for e in events if e.kind in (USER, SENSOR)]
    if not raising:
        return
    e = decision_points(log(*events, timer=timer))
    own = e.tokens[:, -1] > 0
    # the timer's decision points carry at most what the agent did; every event has its decision point, in order
    of_event = np.isin(e.tokens[:, -1], [1, MOTION])
    assert e.time[of_event].tolist() == [x.time for x in raising]
    assert (np.diff(e.time) >= 0).all()
    assert (e.gap >= 0).all()
    assert np.array_equal(np.diff(e.time), e.gap[1:])
    if timer:
        assert (e.gap <= timer).all()
    # every user event but one at the very first decision point is the target of exactly one row
    assert (e.target > 0).sum() == sum(x.kind == USER for x in raising) - (raising[0].kind == USER)
    # tokens are right-aligned
    assert (np.diff((e.tokens > 0).astype(int), axis=1) >= 0).all()
    # each agent action before the last decision point is seen once, as far as bags hold
    if (e.tokens > 0).sum(1).max() < BAG:
        last = raising[-1]
        before = [x for x in events[: events.index(last)] if x.kind == AGENT]
        assert (e.tokens == 2).sum() == len(before)
    assert own.sum() >= len(raising)


@given(st.lists(EVENTS, min_size=2, max_size=4), st.sampled_from([None, 60, 300]), st.booleans(), st.booleans())
def test_many_worlds_are_each_world_by_itself(draws, timer, watched, intervals):
    token = {USER: 1, SENSOR: 0, AGENT: 2, READING: 0}
    each = [[Event(t, u, k, token[k], float(t % 50), world=w) for t, u, k in sorted(d)] for w, d in enumerate(draws)]
    times = [(max(0, events[0].time - 30), events[-1].time + 500) for events in each]
    more = {"timer": timer, "intervals": intervals}

    def rows(of):
        start, end = zip(*(times[w] for w in of), strict=True)
        found = log(*(e for w in of for e in each[w]), **more | ({"start": start, "end": end} if watched else {}))
        return decision_points(found).columns()

    raising = [w for w, events in enumerate(each) if any(e.kind in (USER, SENSOR) for e in events)]
    if not raising:
        return
    together, apart = rows(raising), [rows([w]) for w in raising]
    for name, column in together.items():
        np.testing.assert_array_equal(column, np.concatenate([part[name] for part in apart]), err_msg=name)


def days_log(days, per_day: int = 3) -> DecisionPoints:
    return decision_points(log(*(Event(d * DAY + 60 * i, 0, USER, 1 + i % 3) for d in days for i in range(per_day))))


@pytest.mark.parametrize(("days", "parts"), [(61, (42, 6, 13)), (25, (17, 2, 6)), (90, (63, 9, 18)), (3, (2, 1, 0))])
def test_split_by_day_counts_days_as_the_protocol_does(days, parts):
    e = days_log(range(days))
    masks = split_by_day(e)
    target_day = np.r_[e.time[1:], 0] // DAY
    assert tuple(len(np.unique(target_day[m])) for m in masks) == parts
    assert np.sum(masks, axis=0).tolist() == [1] * (len(e) - 1) + [0]


def test_split_by_day_follows_the_day_of_the_target_not_of_the_row():
    e = days_log([0, 5, 9, 10, 11, 12, 13, 14, 15, 16])  # calendar days may be missing
    train, valid, test = split_by_day(e)
    # 7 days train: the last row of day 12 has its target on day 13, the seventh of them
    assert e.time[train].max() // DAY == 13
    first = np.flatnonzero(valid)[0]
    assert e.time[first] // DAY == 13
    assert e.time[first + 1] // DAY == 14
    assert not (train & valid).any()
    assert not (valid & test).any()


def test_split_by_day_takes_the_start_of_an_activity_that_ends_after_midnight():
    late = [Event(d * DAY + 23 * 3600, 0, USER, 1 + d % 2, 7200.0) for d in range(4)]
    e = decision_points(log(*late, intervals=True))
    train, valid, test = split_by_day(e)  # targets on days 1, 2, 3
    assert (train.tolist(), valid.tolist(), test.tolist()) == (
        [True, True, False, False],
        [False, False, True, False],
        [False] * 4,
    )


@given(st.lists(st.integers(0, 40), min_size=1, max_size=60), st.integers(0, 3))
def test_split_by_day_is_a_partition_in_order_of_time(days, worlds):
    events = [Event(d * DAY, 0, USER, 1, world=w) for w in range(worlds + 1) for d in sorted(days)]
    e = decision_points(log(*events))
    parts = split_by_day(e)
    has = np.r_[e.world[1:] == e.world[:-1], False]
    assert np.array_equal(np.sum(parts, axis=0), has)
    target = np.r_[e.time[1:], 0]
    spans = [target[m] // DAY for m in parts if m.any()]
    assert all(a.max() < b.min() for a, b in pairwise(spans))


@needs(HOMES)
@pytest.mark.parametrize(("home", "rows"), [("hh104", [1920, 281, 640]), ("hh102", [494, 61, 180])])
def test_real_homes_are_split_as_published(home, rows):
    from lam_env.logs.formats.casas_xes import load

    e = decision_points(load(str(HOMES), home=home)[0])
    assert [int(m.sum()) for m in split_by_day(e)] == rows
