"""Other people's learners: what Stable-Baselines3 takes as it is, and observations encoded."""
