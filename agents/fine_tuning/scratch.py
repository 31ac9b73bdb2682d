"""Reinforcement learning without the pre-trained predictor."""

from __future__ import annotations

from functools import partial

from .ppo import PPOAgent

NEEDS = ("steps",)
MEANINGS = {"ppo_scratch": "PPO without the prior"}
AGENTS = {"ppo_scratch": partial(PPOAgent, prior=False)}
