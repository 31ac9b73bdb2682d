"""A batch of worlds that show and pay what a test tells them to, in place of simulated ones."""

from types import SimpleNamespace

import numpy as np

from lam_env.core.contracts import Prediction


class ScriptedEnv:
    """`seen(t)`: the observation at step t; `pays(t, actions)`: its rewards; world i ends after `ends[i]` steps."""

    def __init__(self, ends, seen, pays=lambda t, actions: np.zeros(len(actions))):
        self.ends, self.seen, self.pays = np.asarray(ends), seen, pays
        self.finished = np.zeros(len(self.ends), bool)
        self.worlds = [SimpleNamespace(agent_acts=0, records=[]) for _ in self.ends]

    def reset(self, seed, options=None):
        self.t = 0
        return self.seen(0), {}

    def step(self, actions):
        rewards = np.where(self.finished, 0.0, self.pays(self.t, actions))
        self.t += 1
        over = (self.ends == self.t) & ~self.finished
        self.finished |= over
        return self.seen(self.t), rewards, np.zeros_like(over), over, {}


class Saying:
    """A predictor that always says the same of the next action, and of soon."""

    def __init__(self, vocabulary, p, soon=None):
        self.vocabulary, self.p, self.soon = vocabulary, np.asarray(p, float), soon

    def start(self, n):
        return 0

    def reset(self, state, rows):
        return state

    def step(self, state, points, active):
        n = len(active)
        soon = None if self.soon is None else np.broadcast_to(np.asarray(self.soon, float), (n, len(self.p)))
        return Prediction(np.broadcast_to(self.p, (n, len(self.p))), soon), state
