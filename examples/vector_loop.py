"""Sixteen homes in one process, two days each: how they take an agent that now and then does something possible."""

import gymnasium as gym
import numpy as np

import lam_env

gym.register_envs(lam_env)
envs = gym.make_vec("lam/SmartHome-v1", num_envs=16, days=2)
rng = np.random.default_rng(0)
observations, infos = envs.reset(seed=0)
came_to = {}
while len(came_to) < 16:  # worlds that are over begin anew at once
    draws = rng.random(observations["action_mask"].shape) * observations["action_mask"]
    actions = np.where(rng.random(16) < 0.02, draws.argmax(1), 0)
    observations, rewards, terminated, truncated, infos = envs.step(actions)
    for i in np.flatnonzero(terminated | truncated):
        totals = infos["final_info"]["totals"]
        came_to.setdefault(i, (totals["feedback.accept_rate"][i], totals["kpi.trust"][i]))
for i, (accepted, trust) in sorted(came_to.items()):
    print(f"home {i:2}: {accepted:4.0%} of the answers accept, trust at the end {trust:.2f}")
