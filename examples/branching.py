"""What if the player had been told something else? Each branch is a copy that goes on with the same person and luck."""

import lam_env

env = lam_env.LamEnv("game")
observation, _ = env.reset(seed=10)
for _ in range(10):
    observation, *_ = env.step(0)
earned, moment = {}, env.moment()
for action in observation["action_mask"].nonzero()[0]:
    future, word, over, total = moment.branch(), action, False, 0.0  # `env` goes on as if nothing had been
    while not over:  # to the end of this player's month: advised so now, and never again
        _, reward, terminated, truncated, _ = future.step(word)
        total += reward
        word, over = 0, terminated or truncated
    earned[env.vocabulary.actions[action]] = total
for action, total in sorted(earned.items(), key=lambda pair: -pair[1]):
    print(f"{action:24} {total:+.2f}")
