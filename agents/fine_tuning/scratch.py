"""Reinforcement learning without the pre-trained predictor."""

from __future__ import annotations

from .ppo import PPOAgent


def scratch() -> PPOAgent:
    return PPOAgent(prior=False)


NEEDS = ("steps",)
AGENTS = {"ppo_scratch": scratch}
