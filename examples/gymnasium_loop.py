"""A day in a simulated home, with an agent that now and then does something that is possible."""

import gymnasium as gym
import numpy as np

import lam_env

gym.register_envs(lam_env)  # lam/SmartHome-v1, lam/Traffic-v1 and lam/Game-v2
env = gym.make("lam/SmartHome-v1", days=1, render_mode="ansi")
rng = np.random.default_rng(0)
observation, info = env.reset(seed=0)
over = False
while not over:
    possible = np.flatnonzero(observation["action_mask"])
    action = rng.choice(possible) if rng.random() < 0.02 else 0  # 0: none
    observation, reward, terminated, truncated, info = env.step(action)
    over = terminated or truncated
print(env.render())
totals = info["totals"]  # return is the sum of rewards, by people and days
print(f"return {totals['reward.return']:.2f}, true utility {totals['utility.total']:.2f}, a person and day")
