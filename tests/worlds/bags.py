"""Logs made of bags of tokens, and what a predictor says of them step by step."""

import numpy as np

from lam_env.core.contracts import Prediction
from lam_env.core.events import Vocabulary
from lam_env.logs.decision_points import BAG, DecisionPoints

VOCABULARY = Vocabulary(("none", "light", "tv", "door"), sensors=("hall", "kitchen"))


def log_of(bags, times=None, worlds=None, vocabulary=VOCABULARY, timer=None):
    """Decision points of bags (lists of tokens); the target is the next bag's last token where it is an action."""
    n = len(bags)
    tokens = np.zeros((n, BAG), np.int64)
    for i, bag in enumerate(bags):
        if bag:
            tokens[i, BAG - len(bag) :] = bag
    worlds = np.zeros(n, np.int32) if worlds is None else np.asarray(worlds, np.int32)
    times = (np.arange(n) * 600 if times is None else np.asarray(times)).astype(np.int64)
    same = worlds[1:] == worlds[:-1]
    own = np.where(tokens[:, -1] < len(vocabulary), tokens[:, -1], 0)
    target = np.where(np.r_[same, False], np.r_[own[1:], 0], 0)
    gap = np.where(np.r_[False, same], np.diff(times, prepend=0), 0).astype(np.float32)
    zero, context = np.zeros(n, np.float32), np.zeros((n, 0), np.float32)
    return DecisionPoints(
        vocabulary, worlds, times, gap, zero, tokens, context, target, None, zero.astype(np.int16), timer=timer
    )


def random_log(seed, n=240, worlds=3, quiet=1 / 6, vocabulary=VOCABULARY, timer=None):
    """`quiet`: share of rows that bring nothing."""
    rng = np.random.default_rng(seed)
    some = (1 - quiet) / 5
    sizes = rng.choice([0, 1, 2, 4], n, p=[quiet, 3 * some, some, some])
    bags = [rng.integers(1, vocabulary.n_tokens, size).tolist() for size in sizes]
    world = np.sort(rng.integers(0, worlds, n))
    time = np.concatenate([np.cumsum(rng.integers(0, 9000, (world == w).sum())) for w in range(worlds)])
    return log_of(bags, time, world, vocabulary, timer)


def stepped(predictor, points):
    """What stepping says of every row, all worlds side by side as streams."""
    starts = np.r_[points.starts(), len(points)]
    lengths = np.diff(starts)
    state, out = predictor.start(len(lengths)), {}
    for t in range(lengths.max()):
        active = t < lengths
        rows = starts[:-1] + np.where(active, t, 0)
        said, state = predictor.step(state, points.select(rows), active)
        for name, part in said._asdict().items():
            if part is not None:
                out.setdefault(name, np.full((len(points), part.shape[1]), np.nan))[rows[active]] = part[active]
    return Prediction(**out)
