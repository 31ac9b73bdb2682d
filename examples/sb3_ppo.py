"""Stable-Baselines3's PPO on the environment as it is. So few steps teach little: maskable_ppo.py begins better."""

from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy

import lam_env


def home() -> lam_env.LamEnv:
    return lam_env.LamEnv("smart_home", days=1)


model = PPO("MultiInputPolicy", make_vec_env(home, n_envs=4, seed=0), n_steps=256, learning_rate=1e-3, seed=0)
model.learn(1_024)
mean, sd = evaluate_policy(model, make_vec_env(home, seed=9), n_eval_episodes=2)
print(f"return of a day after {model.num_timesteps} steps: {mean:.1f} (sd {sd:.1f})")
