"""An agent for each traveller who may be advised: each is asked in turn and paid what its own turn has brought."""

import numpy as np

import lam_env

env = lam_env.LamParallelEnv("traffic", travellers=40, advised=0.5, days=10)
rng = np.random.default_rng(0)
observations, infos = env.reset(seed=0)
earned = dict.fromkeys(env.agents, 0.0)
while env.agents:
    possible = np.flatnonzero(observations[env.turn]["action_mask"])
    actions = dict.fromkeys(env.agents, 0)  # of all but the one whose turn it is they are for nothing
    actions[env.turn] = rng.choice(possible) if env.turn in ("person_0", "person_1") else 0
    observations, rewards, terminations, truncations, infos = env.step(actions)
    for agent, reward in rewards.items():
        earned[agent] += reward
for agent in ("person_0", "person_1", "person_2"):
    print(f"{agent} {earned[agent]:+.2f}")
