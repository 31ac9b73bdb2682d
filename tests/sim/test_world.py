"""The kernel, on a small world made by hand: which instants become decision points, and what an act leads to."""

import math

import numpy as np
import pytest

from lam_env.core.errors import UserError
from lam_env.core.events import AGENT, FEEDBACK, READING, SENSOR, USER, Vocabulary
from lam_env.core.observation import CLOCK, DAY_PARTS, WINDOW, ObservationRows
from lam_env.core.rng import Streams
from lam_env.core.units import WEEK
from lam_env.sim.world import MAX_ACTS, World

VOCABULARY = Vocabulary(("none", "a", "b", "c"), ("motion",), ("light",), ("good",), (300, 300, 300, 300))
A, MOTION = len(VOCABULARY), len(VOCABULARY)  # the sensor's token follows the actions


class Small(World):
    """`script`: (time, what) with what = an action, "motion" or "quiet" (an event that raises nothing)."""

    def __init__(self, script=(), *, start=0, end=1000, timer=100, ticks=None, record=True):
        self.rows = ObservationRows(1, VOCABULARY)
        weights = {"good": 2.0, "bad": -1.0}
        super().__init__(
            Streams(0),
            self.rows.row(0),
            VOCABULARY,
            start=start,
            end=end,
            timer=timer,
            reward_weights=weights,
            utility_weights=weights,
            record=record,
        )
        self.row.mask[:] = np.ones(A, np.int8)
        self.said, self.every = [], ticks
        if ticks:
            self.next_tick = start + ticks
        for time, what in script:
            self.call_at(time, self.happen, what)

    def happen(self, what):
        self.said.append((self.now, what))
        if what == "motion":
            self.sensor_event(0)
        elif what != "quiet":
            self.user_event(0, what)

    def advance(self):
        self.said.append((self.now, "tick"))
        self.next_tick += self.every

    def act(self, action):
        self.said.append((self.now, f"act {action}"))
        self.row.mask[action] = 0

    def release(self):
        self.said.append((self.now, "release"))
        self.row.mask[:] = np.ones(A, np.int8)

    def finish(self):
        self.said.append((self.now, "finish"))

    def points(self, actions=()):
        """(time, gap, new tokens, follow-up) of every decision point up to the end."""
        out, done, actions = [], False, iter(actions)
        while not done:
            done = self.step(next(actions, 0))
            time, gap, _, new, followup = self.row.epoch.tolist()
            out.append((time, gap, new, followup))
        return out


def test_two_events_at_one_instant_are_two_decisions():
    world = Small([(50, 1), (50, "motion")])
    assert world.points()[:3] == [(50, 50, 1, 0), (50, 0, 1, 0), (150, 100, 0, 0)]
    assert world.row.events[0, -2:].tolist() == [1, MOTION]
    assert world.row.events[1, -2:].tolist() == [50, 50]


def test_the_timer_runs_out_after_exactly_so_many_quiet_ticks():
    world = Small([(130, 1), (140, "quiet")])
    assert [e[:2] for e in world.points()[:4]] == [(100, 100), (130, 30), (230, 100), (330, 100)]


def test_an_event_at_the_deadline_forestalls_the_timer():
    world = Small([(100, 1)])
    assert world.points()[:2] == [(100, 100, 1, 0), (200, 100, 0, 0)]


@pytest.mark.parametrize("time", [1000, 1001])
def test_nothing_happens_at_the_end_or_after_it(time):
    world = Small([(999, 1), (time, 2)])
    points = world.points()
    assert [e[0] for e in points[-2:]] == [999, 1000]
    assert points[-1][2] == 0
    assert world.said == [(999, 1), (1000, "finish")]
    assert [e.token for e in world.records] == [1]


def test_who_terminates_is_asked_no_more_and_time_goes_on_to_the_end():
    """What was still to come does not happen, nor does the timer ring; ticks of time alone go on."""

    class Leaving(Small):
        def happen(self, what):
            super().happen(what)
            if what == 2:
                self.terminate()

    world = Leaving([(50, 1), (130, 2), (150, 1)], ticks=400)
    assert [e[0] for e in world.points()] == [50, 130, 1000]
    assert world.terminated
    assert world.said == [(50, 1), (130, 2), (1000, "finish")]
    assert not Small([(50, 1)]).terminated


def test_an_event_that_raises_nothing_makes_no_decision_and_starts_no_timer():
    assert Small([(50, "quiet")]).points()[0] == (100, 100, 0, 0)


def test_ticks_come_on_time_and_before_events_of_their_instant():
    world = Small([(60, 1), (90, 2)], ticks=30, end=130)
    world.points()
    assert world.said == [(30, "tick"), (60, "tick"), (60, 1), (90, "tick"), (90, 2), (120, "tick"), (130, "finish")]


def test_what_a_tick_schedules_comes_before_later_events():
    class Reacting(Small):
        def advance(self):
            super().advance()
            self.call_at(self.now + 5, self.happen, 2)

    world = Reacting([(38, 1)], ticks=30, end=61)
    world.points()
    assert world.said == [(30, "tick"), (35, 2), (38, 1), (60, "tick"), (61, "finish")]


def test_a_world_may_start_late_and_keeps_absolute_times():
    world = Small([(7050, 1)], start=7000, end=7200)
    assert world.row.epoch.tolist() == [7000, 0, 0, 0, 0]
    assert world.points() == [(7050, 50, 1, 0), (7150, 100, 0, 0), (7200, 50, 0, 0)]


def test_simpys_clock_is_the_worlds_at_decisions_without_an_event_too():
    class Answering(Small):
        def act(self, action):
            super().act(action)
            self.call_at(self.now + 20, self.happen, "motion")

    world = Answering()
    world.step(0)  # to the timer's decision point at 100: no event lies there
    assert (world.now, world.env.now) == (100, 100)
    world.step(1)
    world.step(0)
    assert (world.now, world.env.now) == (120, 120)


def test_a_reward_term_without_a_weight_is_one_line_that_says_what_to_do():
    with pytest.raises(UserError, match=r"reward term 'foo' has no weight; add it to reward_weights, which holds \w+"):
        Small().earn("foo")


def test_nothing_can_be_scheduled_in_the_past():
    world = Small()
    world.step(0)
    world.call_at(world.now, world.happen, "motion")
    with pytest.raises(ValueError, match="time 99 is before now, 100; give a time from now on"):
        world.call_at(99, world.happen, "motion")


def test_what_is_called_gets_its_value_once():
    seen = []
    world = Small(end=60)
    world.call_at(10, seen.append, ("x", 1))
    world.points()
    assert seen == [("x", 1)]


def test_a_process_of_simpy_lives_in_the_same_world():
    world = Small(end=200)

    def person():
        for _ in range(2):
            yield world.env.timeout(40)
            world.user_event(0, 3)

    world.env.process(person())
    assert [e[0] for e in world.points()] == [40, 80, 180, 200]


def test_an_act_leads_to_a_follow_up_decision_at_the_same_instant():
    world = Small([(50, 1)])
    points = world.points([0, 2, 0])
    # the next decision point still counts the act's token
    assert points[:3] == [(50, 50, 1, 0), (50, 50, 1, 1), (150, 100, 1, 0)]
    assert world.said[:3] == [(50, 1), (50, "act 2"), (50, "release")]


def test_there_are_at_most_four_acts_at_an_instant():
    class Willing(Small):
        def act(self, action):
            self.said.append((self.now, f"act {action}"))

    world = Willing()
    points = world.points([1] * 6)
    assert [e[0] for e in points[:8]] == [0, 0, 0, 100, 100, 100, 200, 300]
    assert [e[3] for e in points[:8]] == [1, 2, 3, 0, 1, 2, 0, 0]
    assert [e[2] for e in points[:8]] == [
        1,
        2,
        3,
        4,
        1,
        2,
        2,
        0,
    ]  # tokens since the decision point before at another instant
    assert world.said.count((0, "act 1")) == MAX_ACTS
    assert world.said.count((0, "release")) == 1


def test_a_masked_act_is_executed_as_none_and_counted():
    world, other = Small([(150, 1)]), Small([(150, 1)])
    world.row.mask[2] = 0
    assert world.points([2, 2, 0]) == other.points()
    assert (world.masked, other.masked) == (2, 0)
    assert world.agent_acts == 0
    assert [e.kind for e in world.records] == [USER]


def test_the_row_tells_what_was_seen_and_when():
    world = Small([(50, 1), (70, "motion"), (90, 1)])
    assert list(world.row.last_seen) == [-WEEK] * VOCABULARY.n_tokens
    for _ in range(3):
        world.step(0)
    world.step(3)
    seen = world.row.observe()
    assert seen["tokens"].tolist() == [0] * (WINDOW - 4) + [1, MOTION, 1, 3]
    assert seen["ages"][-4:].tolist() == [40, 20, 0, 0]
    assert seen["since"].tolist() == [90 + WEEK, 0, 90 + WEEK, 0, 20]
    assert seen["clock"].tolist() == CLOCK[1].tolist()  # the second minute of the week
    assert seen["epoch"].tolist() == [90, 20, 0, 1, 1]


def test_the_window_keeps_the_latest_tokens_in_order():
    script = [(t, 1 + t % 3) for t in range(1, 41)]
    world = Small(script, end=45)
    world.points()
    assert world.row.events.tolist() == [[1 + t % 3 for t in range(25, 41)], list(range(25, 41))]


def test_observations_of_a_row_and_of_all_rows_are_the_same_and_share_nothing():
    world = Small([(50, 1), (60, "motion")])
    world.reading(0, 0.25)
    world.feedback_event(0, 0, 2, 0, 1.0, True)
    world.feedback_event(0, 0, 1, 0, -1.0, False)
    world.step(0)
    one, all_of = world.row.observe(), world.rows.observe()
    assert one.keys() == all_of.keys()
    for name, value in one.items():
        assert value.dtype == all_of[name].dtype
        assert np.array_equal(value, all_of[name][0]), name
    kept = {name: value.copy() for name, value in one.items()}
    world.step(0)
    assert all(np.array_equal(kept[name], one[name]) for name in kept)
    assert one["context"].tolist() == [0.25]
    assert one["feedback"].tolist() == [0, 0, 1, 0, 0, 1, 0, 0]  # accepted, then refused
    heard = one["heard"].reshape(DAY_PARTS, len(world.vocabulary.feedback), -1)
    assert np.argwhere(heard).tolist() == [[0, 0, 1], [0, 0, 2]]  # both in the night, by the one word there is


def test_rewards_are_booked_once_and_by_name():
    class Earning(Small):
        def happen(self, what):
            self.earn("good", 0.5)
            self.earn("good", 0.5)
            self.earn("bad", 3.0)
            super().happen(what)

    world = Earning([(10, 1), (20, "quiet"), (30, 1)])
    world.step(0)
    first = world.reward_terms
    assert (world.reward, first) == (-1.0, {"good": 1.0, "bad": 3.0})
    world.step(0)
    assert (world.reward, world.reward_terms) == (-2.0, {"good": 2.0, "bad": 6.0})
    assert first == {"good": 1.0, "bad": 3.0}  # what was handed out stays
    world.step(0)
    second = world.reward_terms
    world.step(0)
    assert (world.reward, world.reward_terms) == (0.0, {})
    assert world.reward_terms is not second
    assert world.reward_totals == {"good": 3.0, "bad": 9.0}
    world.utility_totals["good"] = 4.0
    assert world.utility() == 8.0


def test_the_record_holds_everything_in_order():
    world = Small([(50, 1), (60, "motion")], end=80)
    world.prob = 0.25
    world.step(2)
    world.reading(0, 7.0)
    world.feedback_event(0, 0, 2, 0, 1.0, True)
    world.points()
    assert [(e.time, e.kind, e.token) for e in world.records] == [
        (0, AGENT, 2),
        (0, READING, 0),
        (0, FEEDBACK, 0),
        (50, USER, 1),
        (60, SENSOR, 0),
    ]
    assert world.records[0].prob == 0.25
    assert math.isnan(world.records[3].prob)
    assert Small([(50, 1)], record=False).records is None


def test_what_is_hidden_is_shown_at_every_decision():
    times = []
    world = Small([(50, 1)], end=200)
    world.reveal = lambda w: times.append((w.now, w.acts))
    world.points([0, 1])
    assert times == [(50, 0), (50, 1), (150, 0), (200, 0)]
