"""An actor-critic in one file, as CleanRL has its learners: a batch of homes, a network in torch, one loop."""

import gymnasium as gym
import torch

import lam_env

torch.manual_seed(0)
homes = gym.make_vec("lam/SmartHome-v1", num_envs=8, days=1)
log, _ = lam_env.simulate_log(homes.scenario, seeds=range(4), days=2)
envs, n = lam_env.EncodedVectorEnv(homes, lam_env.encoder_of(log)), homes.single_action_space.n
net = torch.nn.Sequential(torch.nn.Linear(envs.encoder.size, 64), torch.nn.Tanh(), torch.nn.Linear(64, n + 1))
net[2].bias.data[0] = 5  # none: who does something at all times is switched off before it learns
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
(x, _), earned = envs.reset(seed=0), []
for _ in range(1_000):  # worlds begin anew by themselves, which this takes for one long life
    logits, value = net(torch.as_tensor(x)).split([n, 1], 1)
    policy = torch.distributions.Categorical(logits=logits.where(torch.as_tensor(homes.action_masks()), -torch.inf))
    x, rewards, *_ = envs.step((actions := policy.sample()).numpy())
    advantage = torch.as_tensor(rewards).float() + 0.9 * net(torch.as_tensor(x))[:, n].detach() - value[:, 0]
    optimizer.zero_grad()
    (advantage.square() - policy.log_prob(actions) * advantage.detach()).mean().backward()
    optimizer.step()
    earned.append(rewards.mean())
print(f"reward a decision: {sum(earned[:500]) / 500:.3f} in the first 500, {sum(earned[500:]) / 500:.3f} in the next")
