"""The actor-critic that SB3's PPO trains: a head for the actor, a separate network for the critic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from stable_baselines3.common.distributions import CategoricalDistribution, Distribution
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.type_aliases import PyTorchObs
from torch import Tensor
from torch.nn import Module
from torch.optim import Adam

from .features import Layout
from .heads import network


class HeadPolicy(ActorCriticPolicy):
    """Actor: `head_class(layout)`. The critic shares nothing with it: sharing lets the value loss spoil the policy."""

    def __init__(self, *args: Any, head_class: Callable[[Layout], Module], layout: Layout, **kwargs: Any):
        self._head_class, self._layout = head_class, layout
        super().__init__(*args, **kwargs)

    def _build(self, lr_schedule: Callable[[float], float]) -> None:
        self.head = self._head_class(self._layout)
        self.critic = network(self._layout.n_seen, (128, 128), 1)
        moved = [p for p in self.parameters() if p.requires_grad]
        self.optimizer = Adam(moved, lr=lr_schedule(1), eps=1e-5)

    def forward(self, obs: Tensor, deterministic: bool = False) -> tuple[Tensor, Tensor, Tensor]:
        return self.act(obs, deterministic)

    def act(self, vector: Tensor, deterministic: bool) -> tuple[Tensor, Tensor, Tensor]:
        """Of vectors (N, layout.size): actions, values and log-probabilities."""
        logits = torch.log_softmax(self.head(vector), 1)
        if deterministic:
            actions = logits.argmax(1)
        else:
            noise = torch.rand_like(logits).clamp_(1e-9).log_().neg_().log_().neg_()
            actions = (logits + noise).argmax(1)  # Gumbel-max: a sample of the categorical distribution
        return actions, self.value(vector), logits.gather(1, actions[:, None])[:, 0]

    def evaluate_actions(self, obs: PyTorchObs, actions: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        assert isinstance(obs, Tensor)
        log_prob, entropy = self.scored(obs, actions)
        return self.value(obs), log_prob, entropy

    def scored(self, vector: Tensor, actions: Tensor) -> tuple[Tensor, Tensor]:
        """Of vectors (N, layout.size): the log-probabilities (N,) of these actions, and the entropy (N,)."""
        logits = torch.log_softmax(self.head(vector), 1)
        entropy = -(logits.exp() * logits.clamp_min(-50)).sum(1)
        return logits.gather(1, actions.long()[:, None])[:, 0], entropy

    def predict_values(self, obs: PyTorchObs) -> Tensor:
        assert isinstance(obs, Tensor)
        return self.value(obs)

    def value(self, vector: Tensor) -> Tensor:
        """(N, 1) of vectors (N, layout.size)."""
        values: Tensor = self.critic(self._layout.seen(vector))
        return values

    def get_distribution(self, obs: PyTorchObs) -> Distribution:
        return CategoricalDistribution(self._layout.n_actions).proba_distribution(self.head(obs))

    def _predict(self, observation: PyTorchObs, deterministic: bool = False) -> Tensor:
        assert isinstance(observation, Tensor)
        return self.forward(observation, deterministic)[0]
