"""Stable-Baselines3's on-policy learners, set up on a training's worlds before their first step."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

from lam_env.core.contracts import Training
from lam_env.core.seeds import Use, world_seeds
from lam_env.core.units import DAY
from lam_env.logs.decision_points import DecisionPoints

from ..guests.encoded import EncodedVectorEnv
from ..predictors.torch_step import TorchStep
from ..where import exact, placed_on
from .actor_critic import HeadPolicy
from .features import Features
from .recurrent.packed import PackedFeatures, Packing
from .recurrent.prior_policy import PriorPolicy
from .recurrent.replay import Replay
from .recurrent.stretches import PersonalStretchRolloutBuffer, StretchRolloutBuffer
from .rollout_buffer import PersonalA2C, PersonalPPO, PersonalRolloutBuffer
from .start import untried_head
from .vec_env import LamVecEnv

LEARNERS: dict[tuple[str, bool], type[OnPolicyAlgorithm]] = {
    ("ppo", False): PPO,
    ("ppo", True): PersonalPPO,
    ("a2c", False): A2C,
    ("a2c", True): PersonalA2C,
}


def learner(training: Training, features: Features) -> OnPolicyAlgorithm:
    """As `train.*` says, on `features`. Its policy's head is as before any trial."""
    personal = training.train.people > 1
    s = training.tuning
    n, steps = s.envs, s.rollout
    if personal:
        n = max(1, s.envs // 4)
        whole = s.batch // math.gcd(s.batch, n)  # steps that fill batches
        steps = -(-max(s.rollout, s.days * points_a_day(training.train)) // whole) * whole
    env = LamVecEnv(EncodedVectorEnv(training.make_worlds(n), features))
    prior = isinstance(features, PackedFeatures)
    first = untried_head(training, features, features.predictor is not None)
    torch.set_num_threads(1)
    policy: dict[str, Any] = {"head_class": type(first), "layout": features.layout}
    options = tuned_as(training, n * steps)
    if s.learner == "a2c":
        options = {k: v for k, v in options.items() if k not in ("batch_size", "n_epochs", "clip_range")}
        options["use_rms_prop"] = False
    if isinstance(features, PackedFeatures):
        device = placed_on(training.device)
        exact(device)
        step = TorchStep(features.prior)
        people = max(training.train.people, env.env.scenario.n_users if personal else 1)
        policy |= {"step": step, "packing": Packing(features), "streams": n * people}
        policy |= {"tune": s.tune, "rate": s.predictor_rate, "kl_weight": s.kl, "entropy": s.entropy}
        policy["shared"] = s.critic == "shared"
        if s.tune != "frozen" and s.replay:
            policy |= {"replay": Replay(training, features.prior, device), "replay_weight": s.replay}
        options["ent_coef"] = 1.0  # the policy weighs its terms itself
    if prior:
        buffer: Any = PersonalStretchRolloutBuffer if personal else StretchRolloutBuffer
    else:
        buffer = PersonalRolloutBuffer if personal else None
    made: Any = LEARNERS[s.learner, personal]
    model: OnPolicyAlgorithm = made(
        PriorPolicy if prior else HeadPolicy,
        env,
        n_steps=steps,
        **options,
        rollout_buffer_class=buffer,
        rollout_buffer_kwargs=None if buffer is None else {"seed": training.seed},
        policy_kwargs=policy,
    )
    if prior:
        model.rollout_buffer.policy = model.policy  # type: ignore[attr-defined]
    env.seed(world_seeds(Use.FINE_TUNING, n, training.seed)[0])  # the learner's own seed was put there at first
    head: Any = model.policy.head
    head.load_state_dict(first.state_dict())
    return model


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
