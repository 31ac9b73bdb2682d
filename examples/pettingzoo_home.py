"""An assistant for each resident of a home, one agent after another: the AEC form of PettingZoo."""

from pettingzoo.utils import parallel_to_aec

import lam_env

env = parallel_to_aec(lam_env.LamParallelEnv("smart_home", days=1, residents=2))
env.reset(seed=0)
turns, earned = dict.fromkeys(env.possible_agents, 0), dict.fromkeys(env.possible_agents, 0.0)
env.action_space("person_0").seed(0)
for agent in env.agent_iter():
    observation, reward, terminated, truncated, info = env.last()
    earned[agent] += reward  # what the home pays, to all alike
    if terminated or truncated:
        env.step(None)
        continue
    turns[agent] += info["turn"]  # the resident was heard last, by an act or a sensor
    act = turns[agent] % 40 == 0
    env.step(env.action_space(agent).sample(observation["action_mask"]) if act else 0)
print(turns, {agent: round(total, 2) for agent, total in earned.items()})
