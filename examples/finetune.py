"""A predictor of a simulated log becomes the prior of a policy, and PPO tunes that: small, to be quick."""

import numpy as np

import lam_env

worlds = lam_env.LamVectorEnv(4, "smart_home", days=1)

log, _ = lam_env.simulate_log(worlds.scenario, seeds=range(4), days=4)
prior = lam_env.pretrain(log, passes=2, hidden=32)
policy = lam_env.finetune(prior, worlds, steps=512, log=log, trial=2, start="uniform")

observation, _ = worlds.reset(seed=7)
state, start, acts = None, np.ones(4, bool), 0  # what the predictor remembers, and where an episode begins
for _ in range(100):
    actions, state = policy.predict(observation, state, start, deterministic=True)
    observation, rewards, terminated, truncated, _ = worlds.step(actions)
    start, acts = terminated | truncated, acts + int((actions > 0).sum())
print(f"{acts} acts in {100 * 4} decisions")
