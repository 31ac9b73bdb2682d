"""Decision points of a log of persons are, person by person, those that the world showed."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from people import BUS, CAR, EXTERNAL, OWN, RAIN, VOCABULARY, WALK, FineTrips, Scripted, Trips, by_person

from lam_env.core.events import AGENT, EVERYBODY, READING, SENSOR, USER, ActionLog, Event, LogError
from lam_env.envs.recording import log_of, simulate_log
from lam_env.envs.vector import LamVectorEnv
from lam_env.logs.decision_points import BAG, decision_points, split_by_day

SHOWN = ("time", "gap", "tokens", "context", "user")
A = len(VOCABULARY)


def log(*events, people=2, **more):
    return ActionLog.from_events(events, VOCABULARY, people=people, **more)


def same(found, shown):
    for name in SHOWN:
        assert getattr(found, name).tolist() == getattr(shown, name).tolist(), name


def test_a_small_log_by_hand():
    e = decision_points(
        log(
            Event(5, 1, USER, CAR),
            Event(10, 0, SENSOR, 0),
            Event(12, 1, SENSOR, 0),
            Event(12, 0, AGENT, BUS),
            Event(15, 0, USER, BUS),
            Event(16, 0, USER, WALK),
            Event(20, 1, SENSOR, 0),
            Event(40, 0, SENSOR, 0),
            Event(41, 1, USER, CAR),
        )
    )
    assert e.world.tolist() == e.user.tolist() == [0, 0, 1, 1]
    assert e.time.tolist() == [10, 40, 12, 20]
    assert e.gap.tolist() == [0, 30, 0, 8]
    assert [t[t > 0].tolist() for t in e.tokens] == [[], [BUS, WALK], [CAR], []]
    assert e.target.tolist() == [BUS, 0, 0, CAR]  # the first act before the next question
    assert e.soon.tolist() == [[a > 0 and a == t for a in range(A)] for t in e.target]
    assert (e.people, e.duration.any()) == (2, False)
    assert decision_points(log(Event(1, 0, SENSOR, 0)), soon=False).soon is None


def test_readings_of_everybody_reach_all_and_ones_own_reach_her():
    e = decision_points(
        log(
            Event(1, EVERYBODY, READING, RAIN, 1.0),
            Event(2, 0, READING, OWN, 5.0),
            Event(3, 0, SENSOR, 0),
            Event(3, 1, SENSOR, 0),
            Event(3, EVERYBODY, READING, RAIN, 2.0),  # after the questions of this instant
            Event(9, 1, SENSOR, 0),
        )
    )
    assert e.context[:, [RAIN, OWN]].tolist() == [[1, 5], [1, 0], [2, 0]]


def test_persons_who_are_not_asked_have_no_decisions_and_an_empty_log_says_so():
    e = decision_points(log(Event(1, 0, USER, CAR), Event(2, 4, SENSOR, 0), Event(3, 4, USER, BUS, world=2), people=5))
    assert (e.user.tolist(), e.world.tolist(), e.target.tolist()) == ([4], [4], [0])
    with pytest.raises(LogError, match="no user or sensor events"):
        decision_points(log(Event(1, EVERYBODY, READING, RAIN, 1.0)))


def test_a_bag_keeps_the_latest_tokens():
    acts = [Event(t, 0, USER, 1 + t % 3) for t in range(1, BAG + 4)]
    e = decision_points(log(*acts, Event(50, 0, SENSOR, 0)))
    assert e.tokens.tolist() == [[a.token for a in acts[-BAG:]]]


def test_worlds_and_persons_do_not_touch():
    one = [Event(10, 0, USER, CAR), Event(11, 0, SENSOR, 0), Event(12, 1, SENSOR, 0), Event(13, 0, USER, BUS)]
    one = [Event(1, EVERYBODY, READING, RAIN, 1.0), *one]
    other = [Event(5, 1, SENSOR, 0, world=3), Event(6, 1, USER, WALK, world=3), Event(9, 1, SENSOR, 0, world=3)]
    e = decision_points(log(*one, *other))
    assert e.world.tolist() == [0, 1, 7, 7]  # world x people + person
    assert e.target.tolist() == [BUS, 0, WALK, 0]
    assert e.gap.tolist() == [0, 0, 0, 4]
    assert e.context[:, RAIN].tolist() == [1, 1, 0, 0]
    assert e.starts().tolist() == [0, 1, 2]
    alone = decision_points(log(*one))
    same(e.select(e.world < 2), alone)


SCRIPTS = st.lists(
    st.tuples(
        st.integers(0, 400),  # [ticks]
        st.integers(0, 2),
        st.sampled_from(["ask", "user_event", "user_event", "own", "shared"]),
        st.integers(1, 3),
    ),
    max_size=60,
)
METHODS = {
    "ask": lambda person, a: ("ask", person, 0),
    "user_event": lambda person, a: ("user_event", person, a),
    "own": lambda person, a: ("reading", OWN + a - 1, a / 10, person),
    "shared": lambda person, a: ("reading", EXTERNAL, float(a % 3)),
}


@given(SCRIPTS, st.sampled_from([1, 10]), st.lists(st.integers(0, 3), max_size=20), st.integers(0, 200))
@settings(max_examples=150)
def test_the_decision_points_any_log_are_those_that_were_shown(draws, second, said, begin):
    class World(Scripted):
        pass

    World.second = second
    script = [(begin, "begin_to_watch")]
    script += [(time, *METHODS[what](person, a)) for time, person, what, a in sorted(draws)]
    world = World(script, end=401, watch=False)
    shown, actions, asked = [], iter(said), []
    while not world.step(next(actions, 0)):
        if world.records is not None:
            shown.append(world.row.observe())
            asked.append(world.now)
    if not any(e.kind in (SENSOR, USER) for e in world.records):
        return
    e = decision_points(log_of([world]))
    assert len(e) == len(shown)
    if not shown:
        return
    people = by_person(shown)
    for person, own in people.items():
        mine = e.select(e.world == person)
        same(mine, own)
        # what comes first is in the next bag, as far as bags hold
        times = [t for t, o in zip(asked, shown, strict=True) if o["epoch"][2] == person]
        did = [x for x in world.records if x.kind == USER and x.user == person]
        for i, target in enumerate(mine.target.tolist()):
            after = mine.tokens[i + 1] if i + 1 < len(mine) else None
            if after is not None and np.count_nonzero(after) < BAG:
                assert target == next(iter(after[after > 0]), 0)
            elif after is None:
                assert target in {0, *(x.token for x in did if x.time >= times[-1])}


@pytest.mark.parametrize("scenario", [Trips, FineTrips])
def test_the_decision_points_a_recorded_agent_are_those_that_it_saw(scenario):
    env, rng = LamVectorEnv(3, scenario(days=2.0), record=True, autoreset_mode="Disabled"), np.random.default_rng(1)
    shown, (seen, _) = [[] for _ in range(3)], env.reset(seed=5)
    while not env.finished.all():
        for i in np.flatnonzero(~env.finished):
            shown[i].append({name: array[i] for name, array in seen.items()})
        seen, *_ = env.step(rng.integers(0, A, 3))
    e = decision_points(log_of(env.worlds))
    assert len(e) == sum(map(len, shown))
    for i, own in enumerate(shown):
        for person, points in by_person(own).items():
            same(e.select(e.world == 3 * i + person), points)
    last = np.r_[np.diff(e.world) != 0, True]
    following = np.array([next(iter(t[t > 0]), 0) for t in e.tokens])
    assert np.array_equal(e.target[:-1][~last[:-1]], following[1:][~last[:-1]])


def test_what_is_hidden_is_in_the_order_of_the_decisions():
    told, hidden = simulate_log(Trips(people=4), [3, 8, 9], 2, latent=True)
    e = decision_points(told)
    assert hidden.shape == (len(e), 2)
    assert hidden[:, 0].tolist() == e.user.tolist()
    usual = np.where(e.user % 2 == 0, CAR, BUS)
    surely = e.target > 0  # all but those whose trip the end cuts off
    assert surely.mean() > 0.95
    does = np.where(hidden[:, 1] < 0.9, usual, CAR + BUS - usual)
    near = np.abs(hidden[:, 1] - 0.9) < 1e-3  # half precision
    assert np.array_equal(does[surely & ~near], e.target[surely & ~near])
    lengths = np.bincount(e.world // 4)
    assert len(set(lengths)) > 1  # worlds of unequal length


def test_people_survive_the_disk_and_selections(tmp_path):
    told, _ = simulate_log(Trips(), [1], 1)
    assert (told.people, told.ticks_per_second) == (3, 1)
    told.save(tmp_path / "log")
    again = ActionLog.load(tmp_path / "log")
    assert again.people == 3
    same(decision_points(again), decision_points(told))
    assert told.select(told.kind != AGENT).people == told.user_actions().people == 3
    e = decision_points(told)
    assert e.select(e.user == 1).people == e.select(np.arange(2)).people == 3
    assert dataclasses.replace(told, people=0).people == 0


def test_a_day_of_a_log_of_persons_is_split_for_each_of_them():
    e = decision_points(simulate_log(Trips(), [0], 5)[0])
    train, valid, test = split_by_day(e)
    parts = train | valid | test
    assert parts.sum() == len(e) - 3  # each one's last decision point has no target
    assert all(set(e.user[m]) == {0, 1, 2} for m in (train, valid, test))
    for person in range(3):
        mine = e.world == person
        assert e.time[mine & train].max() < e.time[mine & valid].min() < e.time[mine & test].min()
