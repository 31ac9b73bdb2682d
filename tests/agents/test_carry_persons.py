"""A predictor carried through worlds of persons says of each what it would say of that log alone."""

import copy
import functools

import numpy as np
import pytest
from lam_env.agents.carry import update
from lam_env.agents.counting.online import counting
from lam_env.agents.predictors.features import Featuriser
from lam_env.agents.predictors.network import Predictor
from lam_env.agents.predictors.settings import PredictorSettings
from people import VOCABULARY, Knowing, Trips
from pools import pool_of

from lam_env.core.observation import WINDOW
from lam_env.envs.recording import log_of, simulate_log
from lam_env.envs.vector import LamVectorEnv
from lam_env.logs.decision_points import decision_points

A = len(VOCABULARY)
SCENARIO = Trips(days=2.0, people=5)


@functools.cache
def log():
    return decision_points(simulate_log(SCENARIO, [0, 1, 2, 3], 3)[0])


def network(core, **more):
    settings = PredictorSettings(core=core, hidden=8, embedding=4, readout=8, heads=2, context=5, **more)
    return Predictor(VOCABULARY, Featuriser.fit(log(), settings.recency), settings)


PREDICTORS = {
    "lstm": lambda: network("lstm"),
    "two gru, recency": lambda: network("gru", members=2, recency=True),
    "transformer": lambda: network("transformer", recency=True),
    "mlp": lambda: network("mlp"),
    "pool": lambda: pool_of(log(), acts=False),
    "pool that says when": lambda: pool_of(log()),
    "markov3": lambda: counting("markov3").fit(log(), log().select(np.zeros(0, int))),
    "markov_online": lambda: counting("markov_online").fit(log(), log().select(np.zeros(0, int))),
}


@pytest.mark.parametrize("name", PREDICTORS)
def test_interleaved_persons_are_each_read_alone(name):
    predictor = PREDICTORS[name]()
    n, rng = 3, np.random.default_rng(0)
    env = LamVectorEnv(n, SCENARIO, record=True, autoreset_mode="Disabled")
    observation, _ = env.reset(seed=20)
    carry, start, told = None, np.ones(n, bool), {}
    while not env.finished.all():
        carry = update(predictor, observation, carry, start)
        for i in np.flatnonzero(~env.finished).tolist():
            row = [None if part is None else part[i].copy() for part in carry.said]
            told.setdefault(5 * i + int(observation["epoch"][i, 2]), []).append(row)
        observation, _, _, start, _ = env.step(rng.integers(0, A, n))
    points = decision_points(log_of(env.worlds))
    read = predictor.read(points)
    assert len(told) == 15
    for stream, rows in told.items():
        for part, of_log in zip(zip(*rows, strict=True), read, strict=True):
            if part[0] is None or of_log is None:
                continue
            np.testing.assert_allclose(np.stack(part), of_log[points.world == stream], atol=2e-5)
    assert read.next.std(0).max() > 1e-3  # it does not always say the same


@pytest.mark.parametrize("name", PREDICTORS)
def test_two_futures_from_one_state_do_not_disturb_each_other(name):
    """Counts and rows go on in place, so a branch of the world needs a copy of the state, a deep one."""
    predictor = PREDICTORS[name]()

    def go_on(env, observation, carry, actions):
        told = []
        for action in actions:
            observation, _, _, start, _ = env.step(np.full(2, action))
            carry = update(predictor, observation, carry, start)
            told.append([part for part in carry.said if part is not None])
        return told, observation, carry

    env = LamVectorEnv(2, SCENARIO)
    observation, _ = env.reset(seed=20)
    carry = update(predictor, observation, None, None)
    _, observation, carry = go_on(env, observation, carry, [1] * 30)
    futures = [(env.branch(), observation, copy.deepcopy(carry), actions) for actions in ([0] * 40, [3] * 40, [0] * 40)]
    one, other, again = (go_on(*future)[0] for future in futures)
    own, *_ = go_on(env, observation, carry, [0] * 40)
    for a, b, c in zip(one, again, own, strict=True):
        np.testing.assert_array_equal(a[0], b[0])
        np.testing.assert_array_equal(a[0], c[0])
    assert any(not np.array_equal(a[0], b[0]) for a, b in zip(one, other, strict=True))


def observe(users, tokens=0):
    n = len(users)
    epoch, seen = np.zeros((n, 5), np.int64), np.zeros((n, WINDOW), np.int64)
    epoch[:, 2], epoch[:, 3], seen[:, -1] = users, int(tokens > 0), tokens
    return {"tokens": seen, "epoch": epoch, "context": np.zeros((n, len(VOCABULARY.readings)), np.float32)}


def counts(predictor, steps, starts=None):
    """How many decision points each stream has had, as said at the last of `steps`."""
    carry = None
    for k, users in enumerate(steps):
        start = np.zeros(len(users), bool) if starts is None else np.asarray(starts[k])
        carry = update(predictor, observe(users), carry, start)
    return carry


def test_the_state_grows_as_persons_come_up_and_forgets_nobody():
    carry = counts(Knowing(), [[0, 0], [0, 0]])
    assert (carry.people, carry.state.count.tolist()) == (1, [2, 2])
    carry = counts(Knowing(), [[0, 0], [0, 1]])
    assert (carry.people, carry.state.count.tolist()) == (2, [2, 1, 0, 1])  # a row by (person, world)
    assert carry.said.hidden[:, 0].tolist() == [2, 1]
    carry = counts(Knowing(), [[0, 0], [0, 1], [6, 1], [0, 6], [1, 0]])
    assert carry.people == 7
    assert carry.state.count.reshape(7, 2).T.tolist() == [[3, 1, 0, 0, 0, 0, 1], [2, 2, 0, 0, 0, 0, 1]]
    assert carry.said.hidden[:, 0].tolist() == [1, 2]
    first = counts(Knowing(), [[4, 0]])  # somebody late in the list comes first
    assert (first.people, first.said.hidden[:, 0].tolist()) == (5, [1, 1])


def test_growth_leaves_what_a_network_remembers():
    predictor, alone = network("lstm"), network("lstm")
    alone.nets.load_state_dict(predictor.nets.state_dict())
    carry, own = None, None
    for k, user in enumerate([0, 3, 0, 9, 3, 0]):
        carry = update(predictor, observe([user], 1 + k % 3), carry, None)
        if user == 0:
            own = update(alone, observe([0], 1 + k % 3), own, None)
    np.testing.assert_allclose(carry.said.next, own.said.next, atol=1e-6)
    assert (own.people, carry.people) == (1, 10)


def test_a_new_episode_resets_all_persons_of_its_world_and_no_other():
    steps = [[0, 0, 0], [1, 1, 1], [2, 2, 0], [1, 1, 1]]
    starts = [[True] * 3, [False] * 3, [False] * 3, [False, True, False]]
    carry = counts(Knowing(), steps, starts)
    people = carry.state.count.reshape(carry.people, 3)
    assert people[:3].T.tolist() == [[1, 2, 1], [0, 1, 0], [2, 2, 0]]
    assert carry.said.hidden[:, 0].tolist() == [2, 1, 2]


def test_in_endless_episodes_every_stream_has_as_many_decisions_as_were_shown():
    env, predictor = LamVectorEnv(3, Trips(days=0.5, people=4)), Knowing()
    (observation, _), carry, start = env.reset(seed=0), None, np.ones(3, bool)
    had, rows = np.zeros((4, 3), int), np.arange(3)
    for _ in range(400):
        carry = update(predictor, observation, carry, start)
        user = observation["epoch"][:, 2]
        had[:, start] = 0
        had[user, rows] += 1
        assert carry.said.hidden[:, 0].tolist() == had[user, rows].tolist()
        observation, _, _, start, _ = env.step(np.zeros(3, int))
    assert carry.people >= 4  # it may keep room for more


def test_what_was_said_stays_when_others_are_listened_to():
    predictor = network("lstm")
    first = update(predictor, observe([0, 1], 1), None, None)
    kept = [part.copy() for part in first.said]
    update(predictor, observe([1, 0], 2), first, None)
    update(predictor, observe([0, 1], 2), first, None)
    assert all(np.array_equal(a, b) for a, b in zip(first.said, kept, strict=True))
