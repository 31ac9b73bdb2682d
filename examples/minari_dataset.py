"""A policy's episodes as a dataset of Minari, for offline learners: with the probability of each choice."""

import os
import tempfile

import gymnasium as gym
import minari

import lam_env

with tempfile.TemporaryDirectory() as folder:
    os.environ["MINARI_DATASETS_PATH"] = folder  # else ~/.minari/datasets
    env = gym.make("lam/SmartHome-v1", days=1)
    lam_env.to_minari("none", env, "my/home-v0", episodes=4, explore=0.02)
    dataset = minari.load_dataset("my/home-v0")
    for episode in dataset:
        mean = episode.infos["prob"][:-1].mean()
        print(f"{len(episode.actions)} decisions, return {episode.rewards.sum():.2f}, mean probability {mean:.3f}")
    print(dataset.recover_environment())
