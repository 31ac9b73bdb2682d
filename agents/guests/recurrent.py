"""sb3-contrib's RecurrentPPO on the encoded observation: what tuning a recurrent policy costs elsewhere."""

from __future__ import annotations

import torch
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

from lam_env.core.contracts import Training
from lam_env.core.errors import UserError

from ..fine_tuning.learner import tuned_as


def recurrent_ppo(training: Training, width: int) -> OnPolicyAlgorithm:
    """Before its first step, tuned as `train.*` says; `width` of its LSTM."""
    try:
        from sb3_contrib import RecurrentPPO
    except ModuleNotFoundError:
        raise UserError("recurrent_ppo needs sb3-contrib: pip install 'lam-env[contrib]'") from None
    s = training.tuning
    torch.set_num_threads(1)
    model: OnPolicyAlgorithm = RecurrentPPO(
        "MlpLstmPolicy",
        training.make_env(s.envs, encode=True),
        n_steps=s.rollout,
        policy_kwargs={"lstm_hidden_size": width, "net_arch": [128, 128]},
        **tuned_as(training, s.envs * s.rollout),
    )
    return model
