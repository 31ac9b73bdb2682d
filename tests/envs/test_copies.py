"""Copies of environments: each goes on as the first would, to the byte, and none disturbs another."""

import copy
import hashlib
import json
import pickle

import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from people import Trips, TripsWorld

from lam_env.core import registry
from lam_env.core.errors import UserError
from lam_env.core.rng import Stream, key_of
from lam_env.envs.check import copies_hold
from lam_env.envs.scenario import ScenarioError
from lam_env.envs.single import LamEnv
from lam_env.envs.vector import LamVectorEnv

WAYS = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda env: pickle.loads(pickle.dumps(env)),
    "branch": lambda env: env.branch(),
}
SMALL = {
    "smart_home": {},
    "traffic": {"travellers": 40, "burn_in": 7, "days": 2},
    "game": {},
}
every_way = pytest.mark.parametrize("way", WAYS)
every_scenario = pytest.mark.parametrize("name", SMALL)


def flat(value):
    """Anything that a step gives, as bytes."""
    if isinstance(value, dict):
        return b"".join(str(k).encode() + flat(v) for k, v in sorted(value.items()))
    if isinstance(value, np.ndarray) and value.dtype == object:
        return b"".join(flat(v) for v in value)
    return value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode()


class Run:
    """An environment with a random agent; what comes of it goes into a hash."""

    def __init__(self, env, seed=0):
        self.env, self.hash, self.time, self.draws = env, hashlib.sha256(), 0, Stream(key_of(seed, "copies"))
        self.note(env.reset(seed=seed))

    def note(self, what):
        for part in what:
            self.hash.update(flat(part))

    def go(self, steps):
        env, batch = self.env, isinstance(self.env, LamVectorEnv)
        n, actions = (env.num_envs, len(env.vocabulary)) if batch else (1, env.n_actions)
        for _ in range(steps):
            u = self.draws.block(2 * n * self.time, 2 * n).reshape(2, n)
            acts = np.where(u[0] < 0.3, (u[1] * actions).astype(int), 0)
            result = env.step(acts if batch else int(acts[0]))
            self.note(result)
            self.time += 1
            if not batch and (result[2] or result[3]):
                self.note(env.reset())
        return self

    def twin(self, copied):
        """One that goes on with a copy of the environment."""
        other = copy.copy(self)
        other.env, other.hash = copied, self.hash.copy()
        return other

    def end(self):
        worlds = self.env.worlds if isinstance(self.env, LamVectorEnv) else [self.env.world]
        for world in worlds:
            self.note([world.records, world.reward_totals, world.utility_totals, world.now, world.row.whole.tobytes()])
        return self.hash.hexdigest()


def all_alike(make, before, after):
    """Copies in every way after so many steps, and the original, come to the same as if there were none."""
    runs, alone = [Run(make()).go(before)], Run(make()).go(before)
    runs += [runs[0].twin(way(runs[0].env)) for way in WAYS.values()]
    runs.append(runs[-1].twin(runs[-1].env.branch()))  # a copy of a copy
    found = {run.go(after).end() for run in runs[::-1]}  # the original last: it might be disturbed
    assert found == {alone.go(after).end()}


@every_scenario
@pytest.mark.parametrize("before", [0, 333])
@pytest.mark.parametrize("kind", [{}, {"record": True}, {"reveal": ("latent", "plan"), "record": True}])
def test_copies_and_the_original_go_on_alike(name, before, kind):
    all_alike(lambda: LamEnv(name, **kind, **SMALL[name]), before, 200)


@pytest.mark.parametrize(("name", "settings"), [
    ("smart_home", {"residents": 4, "rooms": 8}),
    ("traffic", {"travellers": 40, "burn_in": 7, "days": 3, "shock": "closure", "shock_day": 1}),
    ("traffic", {"travellers": 60, "burn_in": 7, "days": 2, "network": "braess"}),
    ("game", {"drift": 1.0}),
])  # fmt: skip
def test_other_settings_too(name, settings):
    all_alike(lambda: LamEnv(name, reveal=("latent",), record=True, **settings), 60, 120)


@every_scenario
def test_batches_too_through_their_autoresets(name):
    n = 2 if name == "traffic" else 3
    all_alike(lambda: LamVectorEnv(n, name, ("latent",), True, max_episode_steps=90, **SMALL[name]), 50, 100)


@every_scenario
def test_an_environment_replaced_by_its_copy_again_and_again_goes_the_same_way(name):
    steps = 4000
    alone = Run(LamEnv(name, record=True, **SMALL[name])).go(steps).end()
    run = Run(LamEnv(name, record=True, **SMALL[name]))
    for k in range(steps // 7):
        run = run.twin(list(WAYS.values())[k % 3](run.env)).go(7)
    assert run.go(steps % 7).end() == alone


@every_way
def test_nothing_done_in_a_copy_is_felt_in_the_original(way):
    for name, settings in SMALL.items():
        env = LamEnv(name, **settings)
        env.reset(seed=1)
        before = env.world.row.observe()
        other = WAYS[way](env)
        for _ in range(50):
            if any(other.step(1)[2:4]):
                break
        after = env.world.row.observe()
        assert all(np.array_equal(before[k], after[k]) for k in before)
        assert env.past()["actions"] == []
        assert other.action_space is not env.action_space


def test_views_of_one_array_stay_views_of_it():
    """deepcopy and pickle make arrays of their own of NumPy's views, without a word."""
    env = LamEnv("traffic", **SMALL["traffic"])
    env.reset(seed=0)
    for way in WAYS.values():
        world = way(env).world
        people, profiles = world.people, world.published
        assert np.shares_memory(people.time, people.memory)
        assert np.shares_memory(people.extra, people.memory)
        assert all(np.shares_memory(p.external, p.tables) for p in profiles)
        rows = world._memory
        assert all(np.shares_memory(getattr(rows, k), rows.whole) for k in rows.PARTS)
        world.persons[3].context[0] = 5.0
        assert rows.context[3, 0] == 5.0
        assert not np.shares_memory(people.memory, env.world.people.memory)


@every_scenario
def test_one_moment_has_several_futures(name):
    run, alone = Run(LamEnv(name, record=True, **SMALL[name])).go(40), Run(LamEnv(name, record=True, **SMALL[name]))
    moment = run.env.moment()
    run.go(20)
    found = {run.go(80).end()}
    for _ in range(3):
        other = Run(LamEnv(name, record=True, **SMALL[name])).go(40).twin(moment.branch())
        found.add(other.go(100).end())
    assert found == {alone.go(140).end()}


def test_an_environment_that_was_never_reset_can_be_copied():
    for env in (LamEnv("game"), LamVectorEnv(2, "game")):
        for way in WAYS.values():
            first, second = (flat(e.reset(seed=4)[0]) for e in (way(env), env))
            assert first == second


class SimPyWorld(TripsWorld):
    """One of its people is a generator, which nothing can copy."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.env.process(self.wander())

    def wander(self):
        while True:
            yield self.env.timeout(700)
            self.reading(4, float(self.env.now % 13), 0)


class Generators(Trips):
    World = SimPyWorld


@every_way
def test_what_cannot_be_copied_is_lived_again(way):
    for make in (lambda: LamEnv(Generators(), None, ("latent",), True), lambda: LamVectorEnv(2, Generators())):
        run, alone = Run(make()).go(30), Run(make()).go(30)
        other = run.twin(WAYS[way](run.env)).go(60)
        assert other.end() == run.go(60).end() == alone.go(60).end()


@pytest.mark.parametrize("name", [*SMALL, "generators"])
def test_an_episode_is_saved_as_plain_data_and_lived_again(name):
    scenario = registry.scenario(name)(**SMALL[name]) if name in SMALL else Generators()
    env, again = LamEnv(scenario, record=True), LamEnv(scenario, record=True)
    run = Run(env, 3)
    env.reset()  # the second episode of that seed
    run.go(40)
    past = json.loads(json.dumps(env.past()))
    assert set(past) == {"seed", "episode", "day", "actions"}
    observation, _ = again.live_again(past)
    assert flat(observation) == flat(env.world.row.observe())
    assert run.twin(again).go(40).end() == run.go(40).end()


@pytest.mark.parametrize("name", [*SMALL, "generators"])
def test_the_episodes_of_a_batch_are_saved_as_plain_data_and_lived_again(name):
    scenario = registry.scenario(name)(**SMALL[name]) if name in SMALL else Generators()
    env, again = LamVectorEnv(3, scenario, record=True), LamVectorEnv(3, scenario, record=True)
    run = Run(env, 3).go(400)  # some worlds have begun anew
    past = json.loads(json.dumps(env.past()))
    before = flat(env.rows.observe())
    assert flat(again.live_again(past)[0]) == before
    assert run.twin(again).go(40).end() == run.go(40).end()


def test_a_batch_with_worlds_that_are_over_or_not_begun_is_refused():
    env = LamVectorEnv(2, Trips(days=0.5), autoreset_mode="Disabled")
    with pytest.raises(ResetNeeded):
        env.past()
    env.reset(seed=0)
    while not env.finished.any():
        env.step(np.zeros(2, int))
    with pytest.raises(UserError, match="some of the worlds are over"):
        env.past()


class Told(TripsWorld):
    """Holds a function that knows the world it was made in."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.call_at(self.now + 1, lambda _: self.wander())

    def wander(self):
        self.reading(4, self.row.context[4] + 1.0, 0)
        self.call_at(self.now + 700, lambda _: self.wander())


class SaysQuick(Told):
    quick = True


class Honest(TripsWorld):
    quick = True


def with_worlds(world):
    return type("Some", (Trips,), {"World": world})()


def test_the_check_says_whether_worlds_may_be_copied_as_they_stand():
    assert [copies_hold(with_worlds(world), 0) for world in (TripsWorld, Honest, SimPyWorld, Told)] == [
        *(True, True, False, False)
    ]
    assert all(copies_hold(registry.scenario(name)(**settings), 0) for name, settings in SMALL.items())
    with pytest.raises(ScenarioError, match="its worlds say quick, and a copy of one is no copy: "):
        copies_hold(with_worlds(SaysQuick), 0)


def test_worlds_that_can_be_copied_in_no_way_are_refused_in_one_line():
    class Fickle(Trips):
        made = 0

        def make_world(self, streams, row, **how):
            self.made += 1
            return SimPyWorld(self, type(streams)(self.made // 3), row, how["day"], how["record"], how["reveal"])

    with pytest.raises(
        ScenarioError, match=r"no copy. copied as it stands: .*generator.*; lived again.* differently"
    ) as no:
        copies_hold(Fickle(), 0)
    assert "\n" not in str(no.value)
