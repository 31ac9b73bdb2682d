"""People as generators, and the environment of SimPy in which they wait."""

import copy

import numpy as np
import pytest
import simpy
from hypothesis import given
from hypothesis import strategies as st
from people import Scripted

from lam_env.core.errors import UserError
from lam_env.sim.schedule import Schedule
from lam_env.sim.user import ASKED, User


class Told(User):
    """Does what the steps say: a time to wait for, "ask", or anything else to yield."""

    def __init__(self, *steps, index=0):
        super().__init__(index)
        self.steps, self.at, self.done = steps, 0, []

    def behave(self, world):
        while self.at < len(self.steps):
            step = self.steps[self.at]
            said = yield ASKED if step == "ask" else step
            self.at += 1
            self.done.append((world.now, said))
            if self.steps[self.at : self.at + 1] == ("ask",):
                world.ask(self.index, 0)


def world_of(*persons):
    class Living(Scripted):
        decide = Scripted.__mro__[1].decide

    world = Living(people=max(1, len(persons)))
    for person in persons:
        world.add(person)
    world.run_until_decision()
    return world


def test_a_person_waits_for_times_and_for_the_agents_word():
    person = Told(10, "ask", 30, np.int64(40), "ask")
    world = world_of(person)
    assert (world.now, person.done) == (10, [(10, 0)])
    world.step(2)
    assert (world.now, person.done[1:]) == (40, [(10, 2), (30, 0), (40, 0)])
    assert type(world.now) is int
    world.step(0)
    assert person.done[-1] == (40, 0)
    assert world.now == world.end


def test_what_a_person_plans_is_not_made_while_the_world_is():
    person = Told(10)
    Scripted(people=1).add(person)
    assert person.done == []


@pytest.mark.parametrize("step", [None, 1.5, "later", simpy.Environment().event()])
def test_what_is_no_time_is_refused_in_one_line(step):
    with pytest.raises(UserError, match=r"^Told 0: `behave` yields .* times in whole ticks, or ASKED; .*\.process$"):
        world_of(Told(5, step))


def test_who_is_asked_has_to_wait_for_the_answer():
    class Hasty(User):
        def behave(self, world):
            yield 5
            world.ask(0, 0)
            yield 7

    world = world_of(Hasty(0))
    with pytest.raises(UserError, match=r"^Hasty 0 was asked, but waits for no answer: `behave` has to yield ASKED"):
        world.step(1)


class Eager(User):
    """Asked at 5; what then comes is told."""

    def __init__(self, then):
        super().__init__(0)
        self.then, self.heard = then, []

    def behave(self, world):
        yield 5
        world.ask(0, 0)
        self.heard.append((yield ASKED))
        yield from self.then(world)


def test_whoever_has_decided_may_be_asked_again_at_once():
    def again(world):
        world.ask(0, 0)
        person.heard.append((yield ASKED))
        yield 9

    person = Eager(again)
    world = world_of(person)
    assert not world.step(1)
    assert (world.now, world.row.epoch[1], person.heard) == (5, 0, [1])
    world.step(2)
    assert person.heard == [1, 2]


def twice(world):
    world.ask(0, 0)
    world.ask(0, 0)
    yield ASKED


def unasked(world):
    yield ASKED


def delay(world):
    yield 3


def for_ever(world):
    while True:
        yield world.now


@pytest.mark.parametrize(
    ("then", "told"),
    [
        (
            for_ever,
            "Eager 0: `behave` yields the time that it is, 5, more than 100,000 times;"
            " yield a later one, such as world.now + 1",
        ),
        (twice, "person 0 is asked before person 0 has decided: ask one after the other"),
        (unasked, "Eager 0: `behave` yields ASKED and nobody was asked: call world.ask before"),
        (delay, "Eager 0: `behave` yields 3, which is before now, 5; yield the time itself, such as world.now + 3"),
    ],
)
def test_a_life_that_would_stop_in_silence_is_told_of(then, told):
    world = world_of(Eager(then))
    with pytest.raises(UserError) as caught:
        world.step(1)
    assert str(caught.value) == told


def test_a_life_without_a_yield_is_told_of():
    class Still(User):
        def behave(self, world):
            return None

    with pytest.raises(UserError, match=r"^Still 0: `behave` is no generator: it has to yield times, or ASKED$"):
        world_of(Still(0))


def test_who_was_never_added_cannot_be_asked():
    world = world_of(Told(10, "ask"))
    world.courses.clear()
    with pytest.raises(NotImplementedError, match=r"Living\.decide is missing, or person 0 was asked and never added"):
        world.step(0)


def test_a_person_without_a_life_is_told_of():
    with pytest.raises(NotImplementedError, match=r"User\.behave is missing: yield times"):
        world_of(User(0))


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
def test_a_copied_person_goes_on_from_the_same_place(steps):
    world = world_of(Told(10, "ask", 20, "ask", 35, 36, "ask"), Told(12, "ask", 13, "ask", index=1))
    for _ in range(steps):
        world.step(1)
    other = copy.deepcopy(world)
    ends = []
    for one in (world, other):
        while one.now < one.end:
            one.step(2)
        ends.append([course.person.done for course in one.courses.values()])
    assert ends[0] == ends[1]
    assert [len(done) for done in ends[0]] == [7, 4]


# the environment of SimPy


def life(env, seen, delays):
    """Processes of SimPy in all ways of waiting."""

    def walker(i, waits):
        for wait in waits:
            yield env.timeout(wait)
            seen.append((env.now, i))
        return i

    walkers = [env.process(walker(i, waits)) for i, waits in enumerate(delays)]

    def watcher():
        first = yield env.any_of(walkers)
        seen.append((env.now, "any", sorted(first.values())))
        yield env.all_of(walkers)
        seen.append((env.now, "all"))

    def sleeper():
        try:
            yield env.timeout(10**6)
        except simpy.Interrupt as interrupt:
            seen.append((env.now, interrupt.cause))

    def alarm(who):
        yield env.timeout(3)
        who.interrupt("up")

    env.process(watcher())
    env.process(alarm(env.process(sleeper())))


@given(st.lists(st.lists(st.integers(0, 5), max_size=4), min_size=1, max_size=4))
def test_processes_run_as_in_simpys_own_environment(delays):
    seen = {}
    for env in (simpy.Environment(), Schedule(0)):
        life(env, seen.setdefault(type(env), []), delays)
        for until in (3, 50, 2 * 10**6):
            env.run(until=until)
            assert env.now == until
    assert seen[simpy.Environment] == seen[Schedule]


def test_a_process_that_fails_stops_the_world():
    env = Schedule(0)

    def broken():
        yield env.timeout(1)
        raise KeyError("lost")

    env.process(broken())
    with pytest.raises(KeyError, match="lost"):
        env.run()


def test_time_is_whole():
    with pytest.raises(UserError, match=r"a delay of 0\.5 ticks: time runs in whole ticks; round it"):
        Schedule(0).timeout(0.5)


def test_calls_and_processes_of_one_instant_keep_their_order():
    env, seen = Schedule(5), []
    env.call_at(7, seen.append, "first")
    env.timeout(2).callbacks.append(lambda _: seen.append("second"))
    env.call_at(7, seen.append, "third")
    twin = Schedule.__reduce__(env)
    env.run()
    assert seen == ["first", "second", "third"]
    assert twin[1] == (5,)
