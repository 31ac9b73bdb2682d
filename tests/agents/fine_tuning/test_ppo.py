"""Fine-tuning on a tiny problem whose best policy is known: somebody goes left and right in turn, at times twice."""

import dataclasses
import functools
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from lam_env.agents.fine_tuning.best import Best as BestHead
from lam_env.agents.fine_tuning.features import encoder_of
from lam_env.agents.fine_tuning.policy import TunedPolicy
from lam_env.agents.fine_tuning.ppo import PPOAgent
from lam_env.agents.fine_tuning.trial import returns
from lam_env.agents.fine_tuning.vec_env import LamVecEnv
from lam_env.agents.guests.encoded import EncodedVectorEnv
from lam_env.agents.simple import Silent

from lam_env.core.contracts import Prediction, Training
from lam_env.core.events import Vocabulary
from lam_env.core.seeds import Use, world_seeds
from lam_env.core.tuning import TrainSettings
from lam_env.envs.recording import simulate_log
from lam_env.envs.scenario import Scenario, start_tick
from lam_env.envs.vector import LamVectorEnv
from lam_env.evaluation.rollout import rollout
from lam_env.logs.decision_points import decision_points
from lam_env.sim.world import World

TURN = 0.95  # probability that the other side comes next
EVERY = 60  # [s]
LEFT, RIGHT = 1, 2


@dataclass(frozen=True)
class TurnsParams:
    days: float = 0.2


class TurnsWorld(World):
    """An act that meets the walker's next is worth 1, any other costs 1; best is the other side: .9 at each point."""

    def __init__(self, streams, row, vocabulary, *, days, start, record):
        super().__init__(
            streams, row, vocabulary, start=start, end=start + int(days * 86_400), timer=10**6,
            reward_weights=Turns.reward_weights, utility_weights=Turns.utility_weights, record=record,
        )  # fmt: skip
        self.turns, self.side, self.done = streams("walker", "turns"), LEFT, 0
        self.allow(True)
        self.call_at(start + EVERY, self.go)

    def allow(self, free):
        for action in range(3):
            self.row.mask[action] = int(free or not action)

    def act(self, action):
        self.done = action
        self.allow(False)

    def release(self):
        self.allow(True)

    def go(self, call):
        if self.turns.uniform(self.now // EVERY) < TURN:
            self.side = LEFT + RIGHT - self.side
        if self.done:
            good = self.done == self.side
            self.earn("assist" if good else "override")
            self.utility_totals["help"] += 1 if good else -1
            self.feedback_event(0, 0 if good else 1, self.done, self.agent_acts - 1, 1.0, good)
            self.done = 0
        self.reading(0, self.side)
        self.user_event(0, self.side)
        self.call_at(self.now + EVERY, self.go)


class Turns(Scenario):
    id = "turns"
    Params = TurnsParams
    reward_weights = {"assist": 1.0, "override": -1.0}  # noqa: RUF012
    utility_weights = {"help": 1.0}  # noqa: RUF012
    vocabulary = Vocabulary(("none", "left", "right"), (), ("side",), ("accept", "override"), (300, 300, 300))
    n_users = 1

    def make_world(self, streams, row, *, day=0, record=False, reveal=()):
        start = start_tick(day)
        return TurnsWorld(streams, row, self.vocabulary, days=self.params.days, start=start, record=record)


class Knowing:
    """The predictor that knows what comes next."""

    vocabulary, n_hidden = Turns.vocabulary, 1

    def start(self, n):
        return np.zeros(n, int)

    def reset(self, state, rows):
        return np.where(rows, 0, state)

    def step(self, state, points, active):
        last = np.where(active & (points.tokens[:, -1] > 0), points.tokens[:, -1], state)
        side = np.where(last == 0, LEFT, last)  # the first turn is to the left
        p = np.full((len(side), 3), [0.0, 1 - TURN, 1 - TURN])
        p[np.arange(len(side)), LEFT + RIGHT - side] = TURN
        return Prediction(p, None, np.zeros((len(side), 1), np.float32)), last


class Best:
    def predict(self, observation, state=None, episode_start=None, deterministic=True):
        side = np.maximum(observation["context"][:, 0].astype(int), LEFT)
        return np.where(observation["action_mask"][:, 1] > 0, LEFT + RIGHT - side, 0), state


def make_env(n, **options):
    return LamVectorEnv(n, Turns(), **options)


@functools.cache
def log():
    return decision_points(simulate_log(Turns(days=1.0), [0, 1], 1)[0])


FAST = TrainSettings(envs=8, rollout=64, batch=256, gamma=0.9, learning_rate=3e-3)


def training(steps, seed=0, **tuning):
    tuned, paid = dataclasses.replace(FAST, steps=steps, **tuning), Turns.reward_weights
    return Training(
        Turns.vocabulary, "anticipate", log(), log(), make_env, paid, prior=Knowing(), tuning=tuned, seed=seed
    )


def share_of_best(policy, deterministic=True):
    seeds = list(range(50, 60))
    found, best = (
        np.mean([t["reward.return"] for t in rollout(p, Turns(), seeds, deterministic=d)])
        for p, d in ((policy, deterministic), (Best(), True))
    )
    return found / best


def test_the_best_policy_is_worth_what_it_should_be():
    found = [t["reward.return"] for t in rollout(Best(), Turns(), list(range(50, 60)))]
    assert np.mean(found) == pytest.approx(0.9 * 1440, rel=0.03)  # per day of 1440 decision points
    assert share_of_best(Silent()) == 0.0


def test_ppo_from_scratch_finds_the_best_policy():
    policy = PPOAgent(prior=False).fit(training(8_000))
    assert share_of_best(policy) > 0.95
    assert share_of_best(policy, deterministic=False) > 0.95


def test_ppo_from_a_known_predictor_starts_well_and_finds_the_best_policy():
    assert share_of_best(PPOAgent(prior=True).fit(training(500))) > 0.6  # before it has learned anything
    policy = PPOAgent(prior=True).fit(training(8_000))
    assert share_of_best(policy, deterministic=False) > 0.95
    assert share_of_best(policy) > 0.9  # greedy, it may give an action up for the episode after early refusals


def test_a_training_is_repeated_to_the_bit_and_another_seed_gives_another():
    agents = [PPOAgent(prior=False) for _ in range(3)]
    heads = [a.fit(training(1_100, seed)).head.state_dict() for a, seed in zip(agents, (3, 3, 4), strict=True)]
    same, other = ([bool((heads[0][k] == h[k]).all()) for k in h] for h in heads[1:])
    assert all(same)
    assert not all(other)
    assert agents[0].curve == agents[1].curve
    assert agents[0].curve[-1][0] >= 1_024


def test_the_policy_samples_alike_with_the_same_seed_and_masks_what_is_impossible():
    tuned = PPOAgent(prior=False).fit(training(600))
    env = make_env(64)
    observation, _ = env.reset(seed=0)
    observation["action_mask"][32:, RIGHT] = 0
    first, again, other = (
        TunedPolicy(tuned.features, tuned.head, seed).predict(observation, None, np.ones(64, bool), False)[0]
        for seed in (1, 1, 2)
    )
    assert first.tolist() == again.tolist() != other.tolist()
    assert set(first[:32]) == {0, LEFT, RIGHT}
    assert set(first[32:]) == {0, LEFT}


def test_what_the_learner_sees_follows_the_worlds():
    """The prior is carried by the adapter: its word is that of the present, and starts anew with an episode."""
    from lam_env.agents.fine_tuning.features import PriorFeatures

    features = PriorFeatures(Knowing(), np.zeros(1), np.ones(1))
    env = LamVecEnv(EncodedVectorEnv(make_env(2), features))
    seen = env.reset()
    assert seen.shape == (2, features.layout.size) == (2, *env.observation_space.shape)
    assert seen[:, RIGHT].tolist() == pytest.approx([TURN] * 2)
    for _ in range(600):
        actions = np.array([RIGHT, 0])
        seen, _, dones, infos = env.step(actions)
        sides = np.array([w.side for w in env.env.worlds])
        assert seen[np.arange(2), LEFT + RIGHT - sides].tolist() == pytest.approx([TURN] * 2)
        for i in np.flatnonzero(dones):
            last = infos[i]["terminal_observation"]
            assert last.shape == (features.layout.size,)
            assert np.isfinite(last).all()
    assert seen.dtype == np.float32


def test_the_returns_of_a_trial_are_those_of_each_world():
    given = training(steps=1, trial=70)  # more than run at once
    found = returns(Best(), given)
    assert found.shape == (70,)
    alone = [t["reward.return"] for t in rollout(Best(), Turns(), world_seeds(Use.HEAD_CHOICE, 70, given.seed))]
    days = found.sum() / np.sum(alone)
    assert found == pytest.approx(days * np.array(alone))


def test_what_is_better_by_chance_alone_does_not_take_the_place_of_the_best(monkeypatch):
    def taken(later, first, certain):
        """Whether a head that gets the returns `later` takes the place of one that got `first`."""
        head, got = torch.nn.Linear(1, 1), iter((first, later))
        monkeypatch.setattr("lam_env.agents.fine_tuning.best.returns", lambda *_: next(got))
        best = BestHead(head, lambda h: h, training(steps=1, certain=certain))
        best.consider()
        with torch.no_grad():
            head.bias += 1
        best.consider()
        assert best.unbeaten == bool(best.state["bias"] != head.bias)
        return not best.unbeaten

    rng = np.random.default_rng(0)
    start = rng.normal(size=400)
    by_chance = start + rng.permutation(np.repeat([-1.0, 1.0], 200)) + 0.02
    assert taken(by_chance, start, 0.0)
    assert not taken(by_chance, start, 1.0)
    assert taken(start + 0.02, start, 1.0)  # in every world
    assert not taken(start, start, 0.0)


def test_a_training_that_no_check_finds_better_says_so(capsys):
    PPOAgent(prior=False).fit(training(64, certain=1e9))
    assert capsys.readouterr().out.count("fine-tuning: no check beats the start, so the policy that it began with") == 1


def test_each_training_seed_learns_in_worlds_of_its_own():
    """Stable-Baselines3 seeds the worlds with its own seed when it is made: those of seed 999,999 validate."""
    met = []

    class Worlds(LamVectorEnv):
        def reset(self, *, seed=None, options=None):
            met.append(seed[0])
            return super().reset(seed=seed, options=options)

    for seed in (0, 1, 7):
        given = training(64, seed)
        given.make_worlds = lambda n, **more: Worlds(n, Turns(), **more)
        agent = PPOAgent(prior=False)
        agent.learner(given, encoder_of(given, agent.prior)).learn(1)
    assert met == [world_seeds(Use.FINE_TUNING, 1, seed)[0] for seed in (0, 1, 7)]
