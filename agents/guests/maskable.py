"""sb3-contrib's MaskablePPO as it stands, on what `Training.make_env` gives anybody: reinforcement learning without the
kit's head, its counts and its prior."""

from __future__ import annotations

from typing import Any

import torch
from stable_baselines3.common.base_class import BaseAlgorithm

from lam_env.core.contracts import Training
from lam_env.core.errors import UserError

from ..fine_tuning.heads import SILENT
from ..fine_tuning.learner import tuned_as


class MaskableAgent:
    """Two networks of two layers of 128. `train.start=silent` begins nearly always with none: who does something
    at all times is switched off before anything is learned."""

    def fit(self, training: Training) -> BaseAlgorithm:
        try:
            from sb3_contrib import MaskablePPO
        except ModuleNotFoundError:
            raise UserError("maskable_ppo needs sb3-contrib: pip install 'lam-env[contrib]'") from None
        s = training.tuning
        torch.set_num_threads(1)
        model = MaskablePPO(
            "MlpPolicy",
            training.make_env(s.envs, encode=True),
            n_steps=s.rollout,
            policy_kwargs={"net_arch": [128, 128]},
            **tuned_as(training, s.envs * s.rollout),
        )
        if s.start == "silent":
            with torch.no_grad():
                bias: Any = model.policy.action_net.bias
                bias[0] = SILENT
        model.learn(training.steps, callback=training.callback)
        return model


NEEDS = ("steps",)
MEANINGS = {
    "maskable_ppo": "sb3-contrib's MaskablePPO (in the home tuned as `ppo_scratch` is) on what `training.make_env` "
    "gives anybody",
}
AGENTS = {"maskable_ppo": MaskableAgent}
