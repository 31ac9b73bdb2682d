"""A predictor carried through an episode: when it is stepped, when it is not, and when it starts anew."""

from typing import NamedTuple

import numpy as np
import pytest
from lam_env.agents.carry import PredictorState, anticipation, slow_actions, update
from lam_env.agents.thresholded import GRID, Thresholded

from lam_env.core.contracts import Prediction
from lam_env.core.errors import UserError
from lam_env.core.events import Vocabulary
from lam_env.core.observation import WINDOW
from lam_env.envs.vector import LamVectorEnv
from lam_env.logs.decision_points import BAG

VOCABULARY = Vocabulary(("none", "a", "b"), ("s",), ("r",), patience=(300, 300, 3600))


class Steps(NamedTuple):
    count: np.ndarray


class Counting:
    """Says how often each stream was stepped, and remembers what it was shown."""

    def __init__(self, vocabulary=VOCABULARY, soon=True):
        self.vocabulary, self.shown, self.with_soon = vocabulary, [], soon

    def start(self, n):
        return Steps(np.zeros(n, int))

    def reset(self, state, rows):
        return Steps(np.where(rows, 0, state.count))

    def step(self, state, points, active):
        self.shown.append((points.tokens.copy(), np.array(active)))
        count = state.count + active
        said = np.tile(count[:, None] / 100, (1, len(self.vocabulary)))
        return Prediction(said, said + 0.5 if self.with_soon else None, said[:, :1]), Steps(count)


def observe(followups, tokens=((),), time=0):
    n = len(followups)
    seen = np.zeros((n, WINDOW), np.int64)
    for row, new in zip(seen, tokens * n if len(tokens) == 1 else tokens, strict=True):
        row[WINDOW - len(new) :] = new
    epoch = np.zeros((n, 5), np.int64)
    epoch[:, 0], epoch[:, 3], epoch[:, 4] = (
        time,
        [len(t) for t in (tokens * n if len(tokens) == 1 else tokens)],
        followups,
    )
    return {
        "tokens": seen,
        "epoch": epoch,
        "context": np.zeros((n, 1), np.float32),
        "action_mask": np.ones((n, 3), np.int8),
    }


def test_every_real_decision_steps_the_predictor_once():
    predictor, carry = Counting(), None
    for k in range(1, 5):
        carry = update(predictor, observe([0, 0]), carry, None)
        assert carry.state.count.tolist() == [k, k]
        assert carry.said.next[:, 0].tolist() == [k / 100] * 2


def test_a_follow_up_decision_does_not_step_it_and_what_it_said_stands():
    predictor = Counting()
    first = update(predictor, observe([0, 0]), None, np.ones(2, bool))
    again = update(predictor, observe([1, 1]), first, np.zeros(2, bool))
    assert again is first
    assert len(predictor.shown) == 1


def test_in_a_mixed_batch_only_the_real_decisions_are_stepped():
    predictor = Counting()
    first = update(predictor, observe([0, 0, 0]), None, None)
    mixed = update(predictor, observe([0, 2, 0]), first, None)
    assert mixed.state.count.tolist() == [2, 1, 2]
    assert predictor.shown[-1][1].tolist() == [True, False, True]
    for part, more in ((mixed.said.next, 0.0), (mixed.said.soon, 0.5), (mixed.said.hidden, 0.0)):
        assert part[:, 0].tolist() == pytest.approx([0.02 + more, 0.01 + more, 0.02 + more])
    without = Counting(soon=False)
    mixed = update(without, observe([0, 1]), update(without, observe([0, 0]), None, None), None)
    assert mixed.said.soon is None


def test_the_start_of_an_episode_resets_only_its_own_stream():
    predictor = Counting()
    carry = None
    for _ in range(3):
        carry = update(predictor, observe([0, 0]), carry, np.zeros(2, bool))
    carry = update(predictor, observe([0, 0]), carry, np.array([False, True]))
    assert carry.state.count.tolist() == [4, 1]


def test_it_is_shown_the_new_tokens_and_no_older_ones():
    predictor = Counting()
    update(predictor, observe([0, 0], ((3,), (1, 2, 3))), None, None)
    observation = observe([0, 0], ((1, 2, 3), (1, 2, 3)))
    observation["epoch"][:, 3] = [0, 2]
    update(predictor, observation, None, None)
    tokens = [shown[0] for shown in predictor.shown]
    assert tokens[0].shape == (2, BAG)
    assert [t[t > 0].tolist() for t in tokens[0]] == [[3], [1, 2, 3]]
    assert [t[t > 0].tolist() for t in tokens[1]] == [[], [2, 3]]


def test_slow_devices_are_anticipated_by_the_soon_head():
    slow = slow_actions(VOCABULARY.patience)
    assert slow.tolist() == [False, False, True]
    said = Prediction(np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]]), np.array([[0.0, 0.9, 0.9], [0.0, 0.9, 0.3]]))
    assert anticipation(said, slow).tolist() == [[0.0, 0.3, 0.9], [0.0, 0.1, 0.8]]
    assert anticipation(Prediction(said.next), slow).tolist() == [[0.0, 0.3, 0.2], [0.0, 0.1, 0.8]]
    assert said.next[0, 0] == 0.5  # untouched


class Saying:
    """Always says the same."""

    vocabulary = VOCABULARY

    def __init__(self, p):
        self.p = np.asarray(p)

    def start(self, n):
        return None

    def reset(self, state, rows):
        return None

    def step(self, state, points, active):
        return Prediction(np.broadcast_to(self.p, (len(active), len(self.vocabulary)))), state


def test_a_thresholded_predictor_does_the_likeliest_possible_thing_or_nothing():
    observation = observe([0, 0, 0, 0])
    observation["action_mask"][1] = [1, 1, 0]
    observation["action_mask"][2] = [1, 0, 0]
    policy = Thresholded(Saying([[0.5, 0.2, 0.3]] * 3 + [[0.9, 0.05, 0.05]]), 0.2)
    actions, carry = policy.predict(observation)
    assert actions.tolist() == [2, 1, 0, 0]
    assert isinstance(carry, PredictorState)
    assert Thresholded(Saying([0.5, 0.2, 0.3]), 0.31).predict(observation)[0].tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("threshold", GRID)
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_who_reaches_the_threshold_acts_and_nothing_that_is_impossible_is_advised(threshold, kind):
    observation = {"epoch": np.zeros((1, 5), np.int64), "action_mask": np.ones((1, 3), np.int8)}
    p = kind(threshold)

    def scores(threshold, *chances):
        said = Prediction(np.array([chances], kind), None, None)
        return int(Thresholded(Saying([0.5, 0.2, 0.3]), threshold).scores(observation, said).argmax())

    assert scores(threshold, 1 - p, p, 0) == 1
    assert scores(threshold, 1 - p, np.nextafter(p, kind(0)), 0) == 0
    assert scores(0.0, 0.5, 0.2, 0.3) == 2
    assert scores(0.0, 1, 0, 0) == 0


def test_one_step_per_decision_through_a_real_environment():
    """In a home: steps of the predictor and decision points of the world agree, whatever the agent does."""
    env = LamVectorEnv(2, "smart_home", days=1)
    predictor, carry, start = Counting(env.vocabulary), None, np.ones(2, bool)
    observation, _ = env.reset(seed=0)
    points, follow_ups = np.zeros(2, int), 0
    for i in range(400):
        carry = update(predictor, observation, carry, start)
        real = observation["epoch"][:, 4] == 0
        points = np.where(start, 0, points) + real
        follow_ups += int((~real).sum())
        assert carry.state.count.tolist() == points.tolist()
        mask = observation["action_mask"]
        actions = (mask * np.arange(mask.shape[1])).max(1) * (i % 7 == 0)
        observation, _, _, start, _ = env.step(actions)
    assert follow_ups > 20


@pytest.mark.parametrize(
    ("observation", "says"),
    [
        (None, "the observation is None; give a batch of the kit's, a dictionary"),
        ({}, "the observation is {}; give a batch"),
        ({"action_mask": np.ones(3), "context": np.zeros(1)}, "is one alone; give a batch: {k: v.None. for k, v in"),
        (
            {"action_mask": np.ones((2, 9)), "context": np.zeros((2, 1))},
            r"has action_mask of shape \(2, 9\), not \(N, 3\)",
        ),
        ({"action_mask": np.ones((2, 3)), "context": np.zeros((2, 5))}, r"has context of shape \(2, 5\), not \(N, 1\)"),
    ],
)
def test_what_is_no_batch_of_the_policys_world_is_one_line(observation, says):
    with pytest.raises(UserError, match=f"^predict: .*{says}") as caught:
        Thresholded(Counting(), 0.5).predict(observation)
    assert "\n" not in str(caught.value)
