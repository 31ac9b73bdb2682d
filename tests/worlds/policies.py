"""Policies that have learned nothing but act, and what the assistants built on them refuse."""

import numpy as np
import pytest
import torch
from lam_env.agents.fine_tuning.features import PriorFeatures
from lam_env.agents.fine_tuning.heads import AnticipationHead
from lam_env.agents.fine_tuning.policy import TunedPolicy
from lam_env.agents.predictors.features import Featuriser
from lam_env.agents.predictors.network import Predictor
from lam_env.agents.predictors.settings import PredictorSettings

from lam_env.core.errors import UserError
from lam_env.core.events import Vocabulary

VOCABULARY = Vocabulary(
    ("none", "lamp.on", "lamp.off", "tv.on", "brew"),
    ("hall", "door"),
    ("lamp", "heat"),
    ("accept", "override", "reject", "rating"),
    (0, 300, 300, 900, 300),
)


def bold(policy, seed=1):
    """Its head with random weights, and inclined to act."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in policy.head.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.03)
        policy.head.correction[-1].bias[: policy.features.layout.n_actions] += 3  # of the gain
    return policy


def policy_of_five(timer=300):
    """Random, on a vocabulary of five actions; `timer` of its prior [s]."""
    numbers = np.zeros(2 + len(VOCABULARY.readings), np.float32)
    predictor = Predictor(
        VOCABULARY, Featuriser(VOCABULARY, numbers, numbers + 3), PredictorSettings(hidden=8, embedding=4), timer
    )
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in predictor.nets.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.4)
    features = PriorFeatures(predictor, np.zeros(2), np.ones(2))
    return bold(TunedPolicy(features, AnticipationHead(features.layout, (8,))))


def refused(says, call, *args, **more):
    with pytest.raises(UserError, match=says) as caught:
        call(*args, **more)
    assert "\n" not in str(caught.value)
