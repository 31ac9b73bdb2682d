"""TorchRL's GymWrapper of a home: its specs hold, and its ActionMask keeps a random policy to what is possible."""

import gymnasium as gym
from torchrl.envs import ActionMask, GymWrapper, TransformedEnv
from torchrl.envs.utils import check_env_specs

import lam_env

gym.register_envs(lam_env)
base = GymWrapper(gym.make("lam/SmartHome-v1", days=1), categorical_action_encoding=True)
check_env_specs(base)
env = TransformedEnv(base, ActionMask())
env.set_seed(0)
rollout = env.rollout(100)
print(rollout.shape, f"return {rollout['next', 'reward'].sum():.2f}")
