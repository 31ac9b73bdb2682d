"""Fine-tuning with Stable-Baselines3's PPO: from the frozen prior, or from scratch."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback

from lam_env.core.contracts import Training
from lam_env.core.progress import Note, Report
from lam_env.core.seeds import Use, world_seeds
from lam_env.core.units import DAY
from lam_env.logs.decision_points import DecisionPoints

from ..guests.encoded import EncodedVectorEnv
from .actor_critic import HeadPolicy
from .best import Best
from .features import Features, encoder_of
from .policy import TunedPolicy
from .rollout_buffer import PersonalPPO, PersonalRolloutBuffer
from .saved import load_policy
from .start import count, untried_head
from .vec_env import LamVecEnv, learning_note


class _Report(BaseCallback):
    """Steps, return and no-op rate to the kit's progress; the learning curve for the run folder."""

    def __init__(self, progress: Report, stage: str, total: int):
        super().__init__()
        self._progress, self._stage, self._total = progress, stage, total
        self.curve: list[tuple[int, float]] = []
        self._reward, self._count, self._last = 0.0, 0, 0.0

    def state_dict(self) -> dict[str, object]:
        return {"curve": self.curve}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.curve = [(step, reward) for step, reward in state["curve"]]

    def _on_step(self) -> bool:
        rewards = self.locals["rewards"]
        self._reward += float(rewards.sum())
        self._count += len(rewards)
        if time.monotonic() - self._last > 0.2:
            self._last = time.monotonic()
            self._tell()
        return True

    def _on_rollout_end(self) -> None:
        self.curve.append((self.num_timesteps, self._reward / max(1, self._count)))
        self._reward, self._count = 0.0, 0
        self._tell()

    def _tell(self) -> None:
        note = learning_note(*self.curve[-1]) if self.curve else Note()
        self._progress(self._stage, min(self.num_timesteps, self._total), self._total, note)


class PPOAgent:
    """`prior`: start from the expected-utility head on the frozen prior; else plain logits on the observation."""

    def __init__(self, prior: bool = True):
        self.prior = prior
        self.curve: list[tuple[int, float]] = []

    def learner(self, training: Training, features: Features) -> PPO:
        """SB3's PPO on the training's worlds, before its first step."""
        personal = training.train.people > 1
        s = training.tuning
        n, steps = s.envs, s.rollout
        if personal:
            n = max(1, s.envs // 4)
            whole = s.batch // math.gcd(s.batch, n)  # steps that fill batches
            steps = -(-max(s.rollout, s.days * points_a_day(training.train)) // whole) * whole
        worlds = EncodedVectorEnv(training.make_worlds(n), features)
        env = LamVecEnv(worlds)
        first = untried_head(training, features, self.prior)
        torch.set_num_threads(1)
        model = (PersonalPPO if personal else PPO)(
            HeadPolicy,
            env,
            n_steps=steps,
            **tuned_as(training, n * steps),
            rollout_buffer_class=PersonalRolloutBuffer if personal else None,
            rollout_buffer_kwargs={"seed": training.seed} if personal else None,
            policy_kwargs={"head_class": type(first), "layout": features.layout},
        )
        env.seed(world_seeds(Use.FINE_TUNING, n, training.seed)[0])  # PPO's own seed was put there when it was made
        head: Any = model.policy.head
        head.load_state_dict(first.state_dict())
        return model

    def fit(self, training: Training) -> TunedPolicy:
        features = encoder_of(training, self.prior)
        model = self.learner(training, features)
        head: Any = model.policy.head
        if self.prior and training.tuning.start != "uniform":
            count(head, training, features)
        if self.prior:
            _take_over(head, training)
        report = _Report(training.progress, "fine-tune" if self.prior else "PPO from scratch", training.steps)
        kept = [] if training.callback is None else [training.callback]
        if training.train.people > 1:
            # nearly all that is paid is for single moves, when all others have moved: to learn from, no measure of the
            # whole, which a few worlds are too noisy to tell
            model.learn(training.steps, callback=[*kept, report])
        else:
            best = Best(head, lambda head: TunedPolicy(features, head), training)
            model.learn(training.steps, callback=[*kept, report, best])
            head.load_state_dict(best.state)
        training.progress(report._stage, training.steps, training.steps, "")
        self.curve = report.curve
        return TunedPolicy(features, head, training.seed)


def tuned_as(training: Training, rollout: int) -> dict[str, Any]:
    """What `train.*` says of an update, as PPO and its kin in sb3-contrib take it; no batch is larger than a rollout,
    which has so many steps."""
    s = training.tuning
    return {
        "learning_rate": lambda left: s.learning_rate * (0.1 + 0.9 * left),
        "batch_size": min(s.batch, rollout),
        "n_epochs": s.epochs,
        "gamma": s.gamma,
        "gae_lambda": s.gae_lambda,
        "clip_range": s.clip,
        "ent_coef": s.entropy,
        "seed": training.seed,
        "device": training.device,
    }


def points_a_day(points: DecisionPoints) -> int:
    """Decision points of a world on one day, in the mean."""
    days = len(np.unique(np.stack([points.world // points.people, points.time // DAY]), axis=1).T)
    return -(-len(points) // max(1, days))


def _take_over(head: torch.nn.Module, training: Training) -> None:
    """Starts from the policy in `training.start`, where its head is like this one."""
    if training.start is None:
        return
    weights = load_policy(training.start, training.prior).head.state_dict()
    if {k: v.shape for k, v in weights.items()} == {k: v.shape for k, v in head.state_dict().items()}:
        head.load_state_dict(weights)


NEEDS = ("prior", "steps")
AGENTS = {"ppo_prior": PPOAgent}
