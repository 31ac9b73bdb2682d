"""Fine-tuning with Stable-Baselines3's PPO: from the frozen prior, or from scratch."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback

from lam_env.core.contracts import Training
from lam_env.core.progress import Note, Report
from lam_env.core.seeds import Use, world_seeds
from lam_env.logs.epochs import DAY, Epochs

from ..guests.encoded import EncodedVectorEnv
from ..plugin import plugin_context
from .actor_critic import HeadPolicy
from .best import Best
from .features import Features, encoder_of
from .heads import TEMPERATURE, PlainHead, head_for
from .policy import TunedPolicy
from .rollout_buffer import PersonalRolloutBuffer
from .saved import load_policy
from .trial import TRIAL_HOUSES
from .vec_env import LamVecEnv


@dataclass(frozen=True)
class PPOSettings:
    """Few environments and long rollouts learn better than the reverse; large batches are for speed on a CPU."""

    envs: int = 16
    rollout: int = 128  # steps of each environment between updates, at least
    days: int = 8  # where epochs are persons': days between updates, at least
    batch: int = 512
    epochs: int = 4
    learning_rate: float = 1e-3  # falls linearly to a tenth
    clip: float = 0.2
    gamma: float = 0.99
    gae_lambda: float = 0.95
    entropy: float = 0.0
    trial: int = TRIAL_HOUSES  # worlds in which heads are compared, to keep the best
    certain: float = 0.0  # standard errors by which a head must be better than the best so far
    temperature: float = TEMPERATURE  # of the head's values; what is worth trying differs by the scale of the reward


# Where many persons are advised, each is paid for what her move saves on the day. What follows later is mostly others' answer to it, which no return
# of hers can hold: discounts above 0 advise too much. Rewards are noisy and the plug-in is a good start: small steps on large batches. All chosen on
# validation worlds of traffic.
CROWD = PPOSettings(gamma=0.0)
ADVISING = PPOSettings(batch=2048, learning_rate=3e-4, gamma=0.0)
# Lives of few decisions and much luck: many at a time. Advice is worth little and too much of it does lasting harm, so what is tried must stay near to what is
# best: at the usual temperature most of it is random, everybody is annoyed, and silence is what is learned. Chosen on validation players of the game.
LONE = PPOSettings(envs=64, batch=2048, gamma=0.97, trial=400, temperature=0.02)
# From the prior: the plug-in that it starts from is near the best that can be heard of, and returns are too noisy for large steps. What is no better for sure is
# no better: at 3e-4, or by the mean of 400 lives alone, the start was lost.
NEAR = replace(LONE, learning_rate=3e-5, temperature=0.01, certain=1.0)


class _Report(BaseCallback):
    """Steps, return and no-op rate to the kit's progress; the learning curve for the run folder."""

    def __init__(self, progress: Report, stage: str, total: int):
        super().__init__()
        self._progress, self._stage, self._total = progress, stage, total
        self.curve: list[tuple[int, float]] = []
        self._reward = 0.0
        self._count = 0
        self._last = 0.0

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
        note = Note()
        if self.curve:
            step, reward = self.curve[-1]
            note = Note(f"reward/step {reward:+.4f}", {"reward_per_step": reward}, step)
        self._progress(self._stage, min(self.num_timesteps, self._total), self._total, note)


def settings_for(training: Training, prior: bool) -> PPOSettings:
    """By what an agent is to do, and for how many."""
    if training.train.people > 1:
        return ADVISING if prior else CROWD
    if training.interaction == "advise":
        return NEAR if prior else LONE
    return PPOSettings()


def head_of(model: PPO) -> Any:
    """The trained head."""
    return model.policy.head


class PPOAgent:
    """`prior`: start from the expected-utility head on the frozen prior; else plain logits on the observation."""

    def __init__(self, prior: bool = True, settings: PPOSettings | None = None):
        self.prior, self.settings = prior, settings
        self.curve: list[tuple[int, float]] = []

    def _settings(self, training: Training) -> PPOSettings:
        return self.settings or settings_for(training, self.prior)

    def learner(self, training: Training, features: Features) -> PPO:
        """SB3's PPO on the training's worlds, before its first step."""
        personal = training.train.people > 1
        s = self._settings(training)
        n, steps = s.envs, s.rollout
        if personal:
            n = max(1, s.envs // 4)
            whole = s.batch // math.gcd(s.batch, n)  # steps that fill batches
            steps = -(-max(s.rollout, s.days * asked_a_day(training.train)) // whole) * whole
        worlds = EncodedVectorEnv(training.make_worlds(n), features)
        env = LamVecEnv(worlds)
        head = head_for(training.interaction) if self.prior else PlainHead
        torch.set_num_threads(1)
        model = PPO(
            HeadPolicy,
            env,
            learning_rate=lambda left: s.learning_rate * (0.1 + 0.9 * left),
            n_steps=steps,
            batch_size=s.batch,
            n_epochs=s.epochs,
            gamma=s.gamma if training.gamma is None else training.gamma,
            gae_lambda=s.gae_lambda,
            clip_range=s.clip,
            ent_coef=s.entropy,
            seed=training.seed,
            device=training.device,
            rollout_buffer_class=PersonalRolloutBuffer if personal else None,
            rollout_buffer_kwargs={"asked": env, "seed": training.seed} if personal else None,
            policy_kwargs={"head_class": head, "layout": features.layout},
        )
        env.seed(world_seeds(Use.FINE_TUNING, n, training.seed)[0])  # PPO's own seed was put there when it was made
        if self.prior:
            head_of(model).temperature.fill_(s.temperature)
        return model

    def fit(self, training: Training) -> TunedPolicy:
        features = encoder_of(training, self.prior)
        model = self.learner(training, features)
        if self.prior:
            counted = plugin_context().fit(training)
            head_of(model).start_from(counted)
            _take_over(head_of(model), training)
        report = _Report(training.progress, "fine-tune" if self.prior else "PPO from scratch", training.steps)
        if training.train.people > 1:
            # each is paid for what her move is worth when all others have moved: right to learn from, no measure of the whole
            model.learn(training.steps, callback=report)
        else:
            s = self._settings(training)
            best = Best(
                head_of(model),
                lambda head: TunedPolicy(features, head),
                training,
                houses=s.trial,
                certain=s.certain,
            )
            best.consider(0)
            model.learn(training.steps, callback=[report, best])
            best.consider(training.steps)
            head_of(model).load_state_dict(best.state)
        training.progress(report._stage, training.steps, training.steps, "")
        self.curve = report.curve
        return TunedPolicy(features, head_of(model), training.seed)


def asked_a_day(epochs: Epochs) -> int:
    """Epochs of a world on one day, in the mean."""
    days = len(np.unique(np.stack([epochs.world // epochs.people, epochs.time // DAY]), axis=1).T)
    return -(-len(epochs) // max(1, days))


def _take_over(head: torch.nn.Module, training: Training) -> None:
    """Starts from the policy in `training.start`, where its head is like this one."""
    if training.start is None:
        return
    weights = load_policy(training.start, training.prior).head.state_dict()
    if {k: v.shape for k, v in weights.items()} == {k: v.shape for k, v in head.state_dict().items()}:
        head.load_state_dict(weights)


NEEDS = ("prior", "steps")
AGENTS = {"ppo_prior": PPOAgent}
