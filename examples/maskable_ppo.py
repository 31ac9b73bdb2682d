"""sb3-contrib's MaskablePPO on what the kit's encoder makes of an observation: one vector, standardised by a log."""

import gymnasium as gym
from sb3_contrib import MaskablePPO
from sb3_contrib.common.maskable.evaluation import evaluate_policy
from stable_baselines3.common.env_util import make_vec_env

import lam_env

log, _ = lam_env.simulate_log(lam_env.LamEnv("smart_home").scenario, seeds=range(4), days=2)
encoder = lam_env.encoder_of(log)


def home() -> gym.Env:
    return lam_env.EncodedEnv(lam_env.LamEnv("smart_home", days=1), encoder)


model = MaskablePPO("MlpPolicy", make_vec_env(home, n_envs=4, seed=0), n_steps=256, gamma=0.9, seed=0)
model.policy.action_net.bias.data[0] = 5  # none: who does something at all times is switched off before it learns
model.learn(1_024)
mean, sd = evaluate_policy(model, make_vec_env(home, seed=9), n_eval_episodes=2)
print(f"return of a day after {model.num_timesteps} steps: {mean:.1f} (sd {sd:.1f})")
