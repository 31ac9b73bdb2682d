"""A run folder with a policy that acts, made of next to nothing."""

import json
from pathlib import Path

import torch
from lam_env.agents.fine_tuning.features import PriorFeatures, standardisation
from lam_env.agents.fine_tuning.heads import HEADS
from lam_env.agents.fine_tuning.policy import TunedPolicy
from lam_env.agents.fine_tuning.saved import save_policy
from lam_env.agents.predictors import store

from lam_env.core import registry
from lam_env.experiment.agent_check import small_training


def small_run(folder: Path, scenario: str = "smart_home", **world: object) -> TunedPolicy:
    """`folder` as a run leaves it, as far as its policy goes; the policy has random weights and is inclined to act."""
    training = small_training(registry.scenario(scenario)(**world))
    features = PriorFeatures(training.prior, *standardisation(training.train.context))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        head = HEADS[training.interaction](features.layout, (8,))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.03)
        head.correction[-1].bias[: features.layout.n_actions] += 2
    policy = TunedPolicy(features, head)
    (folder / "model").mkdir(parents=True)
    store.save(training.prior, folder / "model" / "prior")
    save_policy(policy, folder / "model" / "policy")
    (folder / "config.json").write_text(json.dumps({"scenario": scenario, "world": world}))
    return policy
