"""The actor-critic that SB3's PPO trains: a head for the actor, a separate network for the critic."""

from __future__ import annotations

from typing import Any

import torch
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor
from torch.distributions import Categorical
from torch.optim import Adam

from .heads import network


class HeadPolicy(ActorCriticPolicy):
    """Actor: `head_class(layout)`. The critic shares nothing with it: sharing lets the value loss spoil the policy."""

    def __init__(self, *args: Any, head_class: Any, layout: Any, critic: tuple[int, ...] = (128, 128), **kwargs: Any):
        self._parts = (head_class, layout, critic)
        super().__init__(*args, **kwargs)

    def _build(self, lr_schedule: Any) -> None:
        head_class, layout, critic = self._parts
        self.head = head_class(layout)
        self.critic = network(layout.n_rest + 2 * layout.n_actions, critic, 1)
        self._layout = layout
        self.optimizer = Adam(self.parameters(), lr=lr_schedule(1), eps=1e-5)

    def forward(self, obs: Tensor, deterministic: bool = False) -> tuple[Tensor, Tensor, Tensor]:
        logits = torch.log_softmax(self.head(obs), 1)
        if deterministic:
            actions = logits.argmax(1)
        else:
            noise = torch.rand_like(logits).clamp_(1e-9).log_().neg_().log_().neg_()
            actions = (logits + noise).argmax(1)  # Gumbel-max: a sample of the categorical distribution
        return actions, self.predict_values(obs), logits.gather(1, actions[:, None])[:, 0]

    def evaluate_actions(self, obs: Any, actions: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        logits = torch.log_softmax(self.head(obs), 1)
        entropy = -(logits.exp() * logits.clamp_min(-50)).sum(1)
        return self.predict_values(obs), logits.gather(1, actions.long()[:, None])[:, 0], entropy

    def predict_values(self, obs: Any) -> Tensor:
        a = self._layout.n_actions
        values: Tensor = self.critic(torch.cat([obs[:, : 2 * a], obs[:, self._layout.rest :]], 1))
        return values

    def get_distribution(self, obs: Any) -> Any:
        return Categorical(logits=self.head(obs))

    def _predict(self, observation: Any, deterministic: bool = False) -> Tensor:
        return self.forward(observation, deterministic)[0]
