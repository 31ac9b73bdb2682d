"""A world of persons asked one at a time: what each decision shows, who is credited with what, what burn-in leaves."""

import numpy as np
import pytest
from people import (
    BUS,
    CAR,
    EXTERNAL,
    OWN,
    RAIN,
    VOCABULARY,
    WALK,
    FineTrips,
    FineTripsWorld,
    Scripted,
    Trips,
    TripsWorld,
)

from lam_env.core.events import AGENT, EVERYBODY, FEEDBACK, READING, SENSOR, USER
from lam_env.core.observation import WINDOW
from lam_env.core.units import WEEK
from lam_env.envs.check import check_scenario
from lam_env.envs.single import LamEnv

A = len(VOCABULARY)


def tokens(observation):
    found = observation["tokens"]
    return found[found > 0].tolist()


def test_a_decision_shows_the_asked_person_and_nothing_of_the_others():
    script = [
        (10, "reading", OWN, 5.0, 0),
        (10, "reading", OWN, 7.0, 1),
        (20, "user_event", 0, CAR),
        (30, "user_event", 1, BUS),
        (35, "user_event", 1, WALK),
        (40, "feedback_event", 0, 0, BUS, 0, 1.0, True),
        (45, "feedback_event", 1, 1, WALK, 0, 1.0, False),
        (50, "ask", 0, 0),
        (60, "ask", 1, 0),
        (70, "ask", 2, 0),
    ]
    first, second, third = Scripted(script).points()
    assert [tokens(o) for o in (first, second, third)] == [[CAR], [BUS, WALK], []]
    assert [o["context"][OWN] for o in (first, second, third)] == [5, 7, 0]
    heard = [np.flatnonzero(o["feedback"]).tolist() for o in (first, second, third)]
    assert heard == [[BUS], [A + WALK], []]
    assert [np.flatnonzero(o["heard"]).tolist() for o in (first, second, third)] == [[BUS], [A + WALK], []]
    assert [o["epoch"].tolist() for o in (first, second, third)] == [
        [50, 0, 0, 1, 0],
        [60, 0, 1, 2, 0],
        [70, 0, 2, 0, 0],
    ]
    assert first["since"].tolist() == [50 + WEEK, 30, 50 + WEEK, 50 + WEEK, 50 + WEEK]
    assert first["ages"][-1] == 30
    assert second["since"].tolist() == [60 + WEEK, 60 + WEEK, 30, 25, 60 + WEEK]


def test_each_has_a_mask_of_her_own():
    world = Scripted([(10, "ask", 0, 0), (20, "ask", 1, 0)])
    world.persons[0].mask[WALK] = 0
    world.persons[1].mask[BUS] = 0
    assert [o["action_mask"].tolist() for o in world.points()] == [[1, 1, 1, 0], [1, 1, 0, 1]]


def test_gap_and_new_tokens_are_those_since_she_was_asked_before():
    script = [(10, "ask", 0, 0), (15, "user_event", 0, CAR), (20, "ask", 1, 0), (25, "user_event", 1, BUS)]
    script += [(30, "user_event", 0, BUS), (40, "ask", 1, 0), (55, "ask", 0, 0), (60, "ask", 0, 0)]
    found = [o["epoch"][:4].tolist() for o in Scripted(script).points()]
    assert found == [[10, 0, 0, 0], [20, 0, 1, 0], [40, 20, 1, 1], [55, 45, 0, 2], [60, 5, 0, 0]]


def test_interleaved_persons_keep_their_own_order_and_the_window_its_length():
    script = [(t, "user_event", t % 2, CAR + t // 2 % 3) for t in range(1, 61)]
    first, second = Scripted([*script, (70, "ask", 0, 0), (80, "ask", 1, 0)]).points()
    assert first["tokens"].tolist() == [CAR + t // 2 % 3 for t in range(30, 61, 2)]
    assert second["tokens"].tolist() == [CAR + t // 2 % 3 for t in range(29, 60, 2)]
    assert len(first["tokens"]) == WINDOW
    assert first["epoch"][3] == 30


def test_what_everybody_reads_is_seen_at_once_and_what_is_ones_own_when_asked():
    script = [(10, "ask", 0, 0), (15, "reading", RAIN, 1.0), (16, "reading", OWN, 3.0, 1), (20, "ask", 0, 0)]
    script += [(30, "reading", RAIN, 0.0), (40, "ask", 1, 0)]
    shown = Scripted(script).points()
    assert [(o["context"][RAIN], o["context"][OWN]) for o in shown] == [(0, 0), (1, 0), (0, 3)]


def test_a_decision_is_not_changed_by_what_comes_after_it():
    world = Scripted([(10, "ask", 0, 0), (20, "user_event", 0, CAR), (30, "reading", OWN, 2.0, 0), (40, "ask", 1, 0)])
    world.step(0)
    seen = world.row.observe()
    kept = {name: array.copy() for name, array in seen.items()}
    world.step(0)
    assert all(np.array_equal(seen[name], kept[name]) for name in kept)
    assert tokens(world.row.observe()) == []


def test_two_questions_at_one_instant_are_two_decisions():
    shown = Scripted([(10, "ask", 1, 0), (10, "ask", 0, 0)]).points()
    assert [o["epoch"][[0, 2]].tolist() for o in shown] == [[10, 1], [10, 0]]


def test_nothing_is_raised_by_what_she_does_nor_by_readings_nor_by_time():
    script = [(10, "user_event", 0, CAR), (20, "reading", RAIN, 1.0), (30, "feedback_event", 0, 0, CAR, 0, 1.0, True)]
    assert Scripted(script, end=10**9).points() == []


def test_at_the_end_the_time_is_told_and_nothing_new():
    world = Scripted([(10, "ask", 2, 0), (20, "user_event", 2, CAR)], end=100)
    assert world.step(0) is False
    assert world.step(0) is True
    assert world.row.epoch.tolist() == [100, 0, 2, 0, 0]
    assert tokens(world.row.observe()) == []


def test_advice_reaches_the_person_asked_and_is_no_token():
    world = Scripted([(10, "ask", 2, 0), (20, "ask", 0, 0), (30, "ask", 2, 0), (40, "ask", 1, 0)])
    shown = world.points([0, BUS, 0, CAR, 0])
    assert world.said == [(10, 2, BUS, 0), (30, 2, CAR, 1)]
    assert all(tokens(o) == [] for o in shown)
    assert [o["epoch"][4] for o in shown] == [0] * 4  # no follow-up decisions
    assert [(e.time, e.user, e.token) for e in world.records if e.kind == AGENT] == [(10, 2, BUS), (30, 2, CAR)]
    assert world.agent_acts == 2


def test_impossible_advice_is_not_given_and_counted():
    world = Scripted([(10, "ask", 0, 0), (20, "ask", 1, 0), (30, "ask", 0, 0)])
    world.persons[0].mask[BUS] = 0
    world.points([BUS, BUS, BUS, BUS])  # before anybody is asked nothing can be said
    assert world.said == [(20, 1, BUS, 0)]
    assert world.masked == 3
    assert [e.user for e in world.records if e.kind == AGENT] == [1]


def test_reward_is_credited_to_whom_it_came_from_until_she_is_asked_again():
    script = [(10, "ask", 0, 0), (20, "ask", 1, 0), (25, "earn_from", 0, "own", 30.0), (26, "earn_from", 1, "nag")]
    script += [(30, "ask", 1, 0), (35, "earn_from", 0, "external", 10.0), (40, "ask", 0, 0), (50, "ask", 0, 0)]
    world, found = Scripted(script), []
    while not world.step(0):
        found.append((world.person, world.credit, world.reward))
    assert [f[0] for f in found] == [0, 1, 1, 0, 0]
    assert [f[1] for f in found] == pytest.approx([0, 0, -0.1, 3.0 + 1.0, 0])
    assert [f[2] for f in found] == pytest.approx([0, 0, 3.0 - 0.1, 1.0, 0])  # of the step, whosever it is
    assert world.reward_totals == {"own": 30.0, "external": 10.0, "nag": 1.0}


def test_credits_and_rewards_are_the_same_money():
    env, rng = LamEnv(Trips(days=2.0)), np.random.default_rng(3)
    env.reset(seed=1)
    world, rewards, credits, done = env.world, 0.0, [0.0] * 3, False
    while not done:
        _, reward, _, done, _ = env.step(rng.integers(0, A))
        rewards += reward
        credits[world.person] += 0 if done else world.credit
    left = sum(world._credits)  # of whom nobody has asked again
    assert abs(rewards) > 1
    assert sum(credits) + left == pytest.approx(rewards)
    assert min(np.abs(credits)) > 0.1


def test_burn_in_leaves_readings_and_nothing_else():
    before = [
        (10, "ask", 0, 0),
        (12, "reading", OWN, 4.0, 0),
        (13, "reading", OWN + 1, 6.0, 1),
        (14, "reading", EXTERNAL, 2.0),
        (15, "user_event", 0, CAR),
        (16, "feedback_event", 0, 0, CAR, 0, 1.0, True),
        (17, "earn_from", 0, "own", 10.0),
        (18, "ask", 0, 0),
        (19, "earn_from", 1, "own", 10.0),
    ]
    after = [(120, "ask", 0, 0), (130, "user_event", 1, BUS), (140, "ask", 1, 0), (150, "ask", 0, 0)]
    world = Scripted([*before, (100, "begin_to_watch"), *after], watch=False)
    world.step(BUS)
    for _ in range(2):
        world.step(BUS)
    assert (world.start, world.now, world.reward, world.reward_totals["own"]) == (100, 120, 0, 0)
    assert (world.masked, world.agent_acts, world.credit) == (0, 0, 0)
    fresh = Scripted(after, start=100)
    fresh.step(0)
    for a, b in zip([world.row.observe(), *world.points()], [fresh.row.observe(), *fresh.points()], strict=True):
        for name in ("tokens", "ages", "epoch", "since", "feedback", "action_mask"):
            assert a[name].tolist() == b[name].tolist(), name
    readings = [e for e in world.records if e.kind == READING]
    assert [(e.time, e.user, e.token, e.value) for e in readings] == [
        (100, EVERYBODY, EXTERNAL, 2.0),
        (100, 0, OWN, 4.0),
        (100, 1, OWN + 1, 6.0),
    ]
    assert [(e.time, e.kind) for e in world.records if e.kind != READING] == [
        (120, SENSOR), (130, USER), (140, SENSOR), (150, SENSOR),
    ]  # fmt: skip


def test_what_is_shown_before_the_first_question_holds_nothing_of_burn_in():
    before = [(10, "ask", 1, 0), (20, "user_event", 1, CAR), (25, "earn_from", 1, "own", 5.0)]
    before += [(30, "feedback_event", 1, 0, CAR, 0, 1.0, True), (40, "ask", 1, 0)]
    world = Scripted([*before, (50, "begin_to_watch")], watch=False, end=100)
    while not world.step(0):
        pass
    seen = world.row.observe()
    assert tokens(seen) == []
    assert not seen["feedback"].any()
    assert (seen["since"] >= WEEK).all()
    assert world.credit == 0


def test_nothing_is_recorded_before_watching_nor_if_it_was_not_asked_for():
    script = [
        (10, "user_event", 0, CAR),
        (20, "ask", 0, 0),
        (30, "reading", RAIN, 1.0),
        (40, "feedback_event", 0, 0, CAR, 0, 1.0, True),
    ]
    for world in (Scripted(script, watch=False), Scripted(script, record=False)):
        world.points([0, BUS])
        assert world.records is None
    world = Scripted(script)
    world.prob = 0.5
    world.points([0, BUS])
    assert [e.kind for e in world.records] == [USER, SENSOR, AGENT, READING, FEEDBACK]
    assert world.records[2].prob == 0.5


@pytest.mark.parametrize("value", [1.0, 0.1])  # the second is none of float32
def test_a_reading_that_does_not_change_is_not_recorded_again(value):
    script = [(t, "reading", RAIN, value) for t in (10, 20, 30)] + [(t, "reading", OWN, value, 1) for t in (10, 20)]
    world = Scripted([*script, (40, "reading", RAIN, 0.0)])
    world.points()
    found = [(e.time, e.user, e.token) for e in world.records]
    assert found == [(10, EVERYBODY, RAIN), (10, 1, OWN), (40, EVERYBODY, RAIN)]


def test_fine_ticks_are_shown_in_seconds():
    coarse, fine = LamEnv(Trips(), record=True), LamEnv(FineTrips(), record=True)
    (a, _), (b, _), done = coarse.reset(seed=4), fine.reset(seed=4), False
    rng = np.random.default_rng(0)
    while not done:
        assert {k: v.tolist() for k, v in a.items()} == {k: v.tolist() for k, v in b.items()}
        action = int(rng.integers(0, A))
        (a, reward, _, done, info), (b, same, _, its_end, its_info) = coarse.step(action), fine.step(action)
        assert (reward, done, info) == (same, its_end, its_info)
    assert fine.world.now == 10 * coarse.world.now
    assert [e.time for e in fine.world.records] == [10 * e.time for e in coarse.world.records]


def test_a_part_of_a_second_is_no_second():
    class Fine(Scripted):
        second = 10

    script = [
        (105, "user_event", 0, CAR),
        (119, "ask", 0, 0),
        (121, "ask", 0, 0),
        (139, "ask", 1, 0),
        (140, "ask", 0, 0),
    ]
    found = [(*o["epoch"][:3].tolist(), o["since"][CAR]) for o in Fine(script).points()]
    assert found == [(11, 0, 0, 1), (12, 1, 0, 2), (13, 0, 1, 13 + WEEK), (14, 2, 0, 4)]


@pytest.mark.parametrize("scenario", [Trips, FineTrips])
def test_a_scenario_of_persons_keeps_the_contract(scenario):
    check_scenario(scenario(days=3.0))


def test_the_same_people_meet_another_agent():
    """Plans, readings and questions do not depend on what is said; what people do may."""
    worlds = [LamEnv(Trips(days=3.0), record=True) for _ in range(2)]
    for env, action in zip(worlds, (0, BUS), strict=True):
        env.reset(seed=2)
        while not env.step(action)[3]:
            pass

    def told(env, *kinds):
        return [
            (e.time, e.user, e.kind, e.token, e.value if e.kind == READING else 0)
            for e in env.world.records
            if e.kind in kinds
        ]

    silent, talking = worlds
    assert told(silent, SENSOR, READING) == told(talking, SENSOR, READING)
    assert [t[:2] for t in told(silent, USER)] == [t[:2] for t in told(talking, USER)]
    assert told(silent, USER) != told(talking, USER)
    assert told(silent, AGENT, FEEDBACK) == []


@pytest.mark.parametrize("world", [TripsWorld, FineTripsWorld])
def test_simpys_own_step_takes_what_was_called_for_later(world):
    class Stepped(world):
        """Runs its burn-in, and every decision point, by SimPy's own `step`."""

        def run_until_decision(self):
            env, self._raised = self.env, False
            while not self._raised and env.peek() < self.end:
                self.now = env.peek()
                env.step()
            return not self._raised

    class Slow(Trips):
        World = Stepped

    class Quick(Trips):
        World = world

    slow, quick = (LamEnv(scenario(), record=True) for scenario in (Slow, Quick))
    for env in (slow, quick):
        env.reset(seed=3)
        while not env.step(BUS)[3]:
            pass
    assert repr(slow.world.records) == repr(quick.world.records)
    assert slow.world.reward_totals == quick.world.reward_totals
    assert len(slow.world.records) > 100


def test_a_process_may_wait_among_calls():
    world, told = Scripted([(10, "ask", 1, 0)]), []

    def person():
        for _ in range(3):
            told.append((yield world.env.timeout(15, world.env.now)))
            world.user_event(0, CAR)

    world.env.process(person())
    world.env.run(until=50)
    assert told == [0, 15, 30]
    assert world.person == 1
    with pytest.raises(ZeroDivisionError):  # what fails in a call fails aloud
        world.call_at(60, lambda _: 1 / 0)
        world.env.run(until=70)


class Lone(Scripted):
    lone = True


def test_a_lone_persons_memory_is_the_worlds_row():
    """What is shown is the same as with a memory of their own."""
    script = [
        (10, "reading", OWN, 3.0, 0), (12, "ask", 0, 0), (15, "user_event", 0, BUS),
        (20, "feedback_event", 0, 0, BUS, 0, 1.0, True),
        (30, "reading", OWN + 1, 2.0, 0), (40, "ask", 0, 0), (50, "user_event", 0, CAR), (60, "ask", 0, 0),
    ]  # fmt: skip
    lone, other = Lone(script, people=1), Scripted(script, people=1)
    assert lone.persons == [lone.row]
    lone.row.mask[:] = np.ones(len(VOCABULARY), np.int8)  # their row is the world's
    action = 0
    while True:
        ended, other_ended = lone.step(action), other.step(action)
        action = BUS
        assert ended == other_ended
        if ended:
            break
        one, two = lone.row.observe(), other.row.observe()
        assert all(np.array_equal(one[k], two[k]) for k in one)
    assert repr(lone.records) == repr(other.records)  # NaN is not equal to itself
    assert lone.said == other.said
