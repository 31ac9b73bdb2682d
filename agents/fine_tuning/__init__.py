"""Fine-tuning by reinforcement learning: PPO on the frozen prior."""
