"""An agent for each person: PettingZoo finds nothing wrong, and the world is that of the single environment."""

import sys
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lam_env import LamEnv, LamParallelEnv
from lam_env.core.errors import UserError
from lam_env.core.events import SENSOR, USER

pettingzoo_test = pytest.importorskip("pettingzoo.test", reason="needs the extra [pettingzoo]")
utils = pytest.importorskip("pettingzoo.utils")

WORLDS = {
    "traffic": {"travellers": 8, "days": 3, "burn_in": 7},
    "smart_home": {"days": 1},
    "game": {},
}
every_world = pytest.mark.parametrize("name", WORLDS)


def make(name, **more):
    return LamParallelEnv(name, **WORLDS[name], **more)


def bits(observation):
    return {k: (v.dtype, v.shape, v.tobytes()) for k, v in observation.items()}


def picked(observation, salt=0):
    """Now and then something possible, by the observation alone."""
    possible, mixed = np.flatnonzero(observation["action_mask"]), int(observation["tokens"].sum()) + salt
    time = int(observation["epoch"][0])
    return int(possible[(time + mixed) % len(possible)]) if (time // 7 + mixed) % 3 == 0 else 0


class Remembering:
    """One person's adviser: what it says depends on how often it has been asked."""

    def __init__(self):
        self.asked = 0

    def __call__(self, observation):
        self.asked += 1
        return picked(observation, self.asked)


@every_world
def test_pettingzoo_finds_nothing_wrong(name):
    pettingzoo_test.parallel_api_test(make(name), num_cycles=150)
    pettingzoo_test.parallel_seed_test(lambda: make(name), num_cycles=50)
    with warnings.catch_warnings():
        for what in ("is not a NumPy array", "space for each agent probably should be"):  # a dict, which is allowed
            warnings.filterwarnings("ignore", f"Observation {what}")
        pettingzoo_test.api_test(utils.parallel_to_aec(make(name)), num_cycles=50)
    pettingzoo_test.seed_test(lambda: utils.parallel_to_aec(make(name)), num_cycles=20)


def side_by_side(name, choose_single, choose):
    """An episode of both; yields (parallel environment, what its step gave, what the single one's did)."""
    single, parallel = LamEnv(name, **WORLDS[name]), make(name)
    seen, _ = single.reset(seed=4)
    shown, infos = parallel.reset(seed=4)
    over = False
    while not over:
        assert bits(shown[parallel.turn]) == bits(seen)
        assert [agent for agent, info in infos.items() if info["turn"]] == [parallel.turn]
        action = choose_single(seen)
        actions = {agent: choose(agent, shown[agent]) if agent == parallel.turn else 0 for agent in parallel.agents}
        assert actions[parallel.turn] == action
        one = single.step(action)
        seen, _, *ends, _ = one
        many = parallel.step(actions)
        shown, _, _, _, infos = many
        over = any(ends)
        assert {*many[2].values()} == {ends[0]}
        assert {*many[3].values()} == {ends[1]}
        yield parallel, many, one
    assert parallel.agents == []
    assert all(info["totals"] == one[4]["totals"] for info in infos.values())


@every_world
def test_agents_of_one_policy_live_the_single_environments_episode_to_the_bit(name):
    steps = list(side_by_side(name, picked, lambda agent, observation: picked(observation)))
    assert len(steps) > 10
    assert steps[-1][2][4]["masked"] == 0


def test_persons_with_an_adviser_each_are_those_whom_one_adviser_knows_apart():
    known = {}

    def one(observation):
        return known.setdefault(int(observation["epoch"][2]), Remembering())(observation)

    own = {agent: Remembering() for agent in make("traffic").possible_agents}
    assert len(list(side_by_side("traffic", one, lambda agent, observation: own[agent](observation)))) > 10
    assert len(known) > 1
    assert {f"person_{i}": adviser.asked for i, adviser in known.items()} == {
        a: o.asked for a, o in own.items() if o.asked
    }


def test_travellers_are_paid_what_their_own_turns_have_brought_and_all_of_it():
    paid, total = dict.fromkeys(make("traffic").possible_agents, 0.0), 0.0
    for parallel, (_, rewards, _, truncated, _), (_, reward, _, _, info) in side_by_side(
        "traffic", picked, lambda agent, observation: picked(observation)
    ):
        total += reward
        if not any(truncated.values()):
            assert {agent: r for agent, r in rewards.items() if r} in ({}, {parallel.turn: info["credit"]})
        paid = {agent: paid[agent] + r for agent, r in rewards.items()}
    assert sum(paid.values()) == pytest.approx(total)
    assert len({round(p, 6) for p in paid.values()}) > 2


def test_a_home_pays_all_and_asks_the_assistant_of_whoever_was_heard_last():
    turns, heard, seen = set(), 0, 0
    for parallel, (_, rewards, *_), (_, reward, *_) in side_by_side(
        "smart_home", picked, lambda agent, observation: picked(observation)
    ):
        assert rewards == {"person_0": reward, "person_1": reward}
        for event in parallel.env.world.records[seen:]:
            heard = event.user if event.kind in (USER, SENSOR) else heard
        seen = len(parallel.env.world.records)
        assert parallel.turn == f"person_{heard}"
        turns.add(parallel.turn)
    assert turns == {"person_0", "person_1"}


@every_world
@settings(max_examples=5)
@given(others=st.integers(0, 100))
def test_whose_turn_it_is_not_changes_nothing_and_is_shown_what_it_saw(name, others):
    quiet, loud = make(name), make(name)
    nothing = np.eye(1, quiet.env.n_actions, dtype=np.int8)[0]
    shown, _ = quiet.reset(seed=1)
    loud.reset(seed=1)
    last = {}
    for _ in range(60):
        for agent in quiet.agents:
            assert quiet.observation_space(agent).contains(shown[agent])
            if agent != quiet.turn:
                before = last.get(agent, {k: np.zeros_like(v) for k, v in shown[agent].items()})
                assert bits(shown[agent]) == bits({**before, "action_mask": nothing})
        last[quiet.turn] = shown[quiet.turn]
        action = picked(shown[quiet.turn])
        noise = {agent: others % quiet.action_space(agent).n for agent in quiet.agents}
        shown, *rest, _ = quiet.step({quiet.turn: action})
        again, *same, _ = loud.step(noise | {loud.turn: action})
        assert rest == same
        assert {agent: bits(o) for agent, o in shown.items()} == {agent: bits(o) for agent, o in again.items()}
        if not quiet.agents:
            break


def test_who_has_no_action_or_no_pettingzoo_is_told_in_one_line(monkeypatch):
    env = make("smart_home")
    env.reset(seed=0)
    with pytest.raises(UserError, match=r"^step: it is the turn of person_0, and it has no action; give it one"):
        env.step({"person_1": 0})
    with pytest.raises(UserError, match=r"^step: action 1000 is not in the action space"):
        env.step({"person_0": 1000})
    monkeypatch.setattr(sys.modules["lam_env.envs.parallel"], "ParallelEnv", object)
    with pytest.raises(UserError, match=r"^LamParallelEnv needs PettingZoo: pip install 'lam-env\[pettingzoo\]'$"):
        make("smart_home")


def test_an_episode_may_begin_on_a_later_day():
    env = make("smart_home")
    shown, _ = env.reset(seed=0, options={"day": 3, "what others know": 1})
    assert shown["person_0"]["epoch"][0] == (3 * 24 + 4) * 3600
