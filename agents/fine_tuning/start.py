"""What fine-tuning starts from: a structured head that has counted, and learned from answers, but from no return."""

from __future__ import annotations

import copy

import torch

from lam_env.core.contracts import Training
from lam_env.core.errors import UserError

from ..advice.agent import AdviceAgent
from ..advice.plugin import FEATURES
from ..memory.network import AnswerNet
from ..memory.trial import learn_answers
from ..plugin import PlugIn, plugin_context, prices
from .features import Features, encoder_of
from .heads import AdviceHead, AnticipationHead, PlainHead, head_for
from .policy import TunedPolicy


def untried_head(training: Training, features: Features, prior: bool = True) -> torch.nn.Module:
    """As `train.head` says, before anything is counted; without a `prior` a plain one."""
    with torch.random.fork_rng(devices=[]):  # the same weights whatever has been drawn before
        torch.manual_seed(training.seed)
        return _untried_head(training, features, prior)


def _untried_head(training: Training, features: Features, prior: bool) -> torch.nn.Module:
    s = training.tuning
    if (why := s.misfit(prior)) is not None:
        raise UserError(why)
    if not prior or s.head == "plain":
        plain = PlainHead(features.layout)
        if s.start == "silent":
            plain.be_silent()
        return plain
    head = head_for(training.interaction)(features.layout)
    head.temperature.fill_(s.temperature)  # type: ignore[operator]
    if isinstance(head, AnticipationHead):
        head.pay(prices(training.reward_weights))
    return head


def count(head: torch.nn.Module, training: Training, features: Features) -> None:
    """What a structured head learns from answers alone: of acts in trials, and of advice."""
    if isinstance(head, AdviceHead):
        head.start_from(AdviceAgent(features=len(FEATURES)).fit(training))
    elif isinstance(head, AnticipationHead):
        counted = plugin_context().fit(training)
        assert isinstance(counted, PlugIn)
        head.answers.acceptance.copy_(torch.as_tensor(counted.acceptance))

        def acting(net: AnswerNet) -> TunedPolicy:
            other = copy.deepcopy(head)
            other.answers.load_state_dict(net.state_dict())
            return TunedPolicy(features, other, training.seed)

        head.answers.load_state_dict(learn_answers(acting, head.answers, training).state_dict())


class PlugInMemoryAgent:
    """What `ppo_prior` starts from."""

    def fit(self, training: Training) -> TunedPolicy:
        features = encoder_of(training, prior=True)
        head = untried_head(training, features)
        count(head, training, features)
        return TunedPolicy(features, head, training.seed)


NEEDS = ("prior",)
MEANINGS = {
    "plugin_memory": "a small network that has learned from thousands of answers in simulated households how an act is "
    "taken after what this household has answered; what `ppo_prior` starts from. Where one advises: `plugin_context` "
    "that also counts answers by kind of advice",
}
AGENTS = {"plugin_memory": PlugInMemoryAgent}
