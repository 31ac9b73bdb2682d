"""Pools of networks that have learned nothing, and of counts of some log."""

import numpy as np
import torch
from bags import random_log
from lam_env.agents.counting.backoff import ACTS, NEXT, BackOff
from lam_env.agents.counting.persons import Persons
from lam_env.agents.predictors.features import Featuriser
from lam_env.agents.predictors.network import Predictor
from lam_env.agents.predictors.pool import Pool
from lam_env.agents.predictors.settings import PredictorSettings


def untrained(points, seed=0, **settings):
    settings = PredictorSettings(**{"hidden": 24, "embedding": 8, "context": 9, **settings})
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        predictor = Predictor(points.vocabulary, Featuriser.fit(points, settings.recency), settings, points.timer)
        with torch.no_grad():  # large weights, so that memory matters and a slip shows
            for p in predictor.nets.parameters():
                p.mul_(1.5)
    return predictor


def pool_of(points, acts=True, **settings):
    """`acts`: with that factor; the moments of `points` are those of a timer."""
    block = np.arange(len(points)) * 3 // len(points)
    counts = {levels: BackOff.fit(levels, points, block)[0] for levels in (NEXT, ACTS)}
    networks = untrained(points, **{"hidden": 8, "embedding": 4, "members": 2, **settings})
    return Pool(networks, counts[NEXT], np.array([0.6, 0.4]), counts[ACTS] if acts else None)


def pool_of_persons(seed=0):
    """Counts alone, of persons."""
    points = random_log(seed, 120)
    return Pool(None, Persons.fit(points, np.arange(120) // 40)[0], np.array([0, 1]), timer=points.timer)
