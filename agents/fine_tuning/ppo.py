"""Fine-tuning with Stable-Baselines3: from the prior, which stays as it is or is tuned too, or from scratch."""

from __future__ import annotations

import copy
import dataclasses
import time
from typing import Any

import torch
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

from lam_env.core.contracts import CurvePoint, Training
from lam_env.core.progress import Note, Report, say

from ..where import placed_on
from .best import Best
from .features import Features, PriorFeatures, encoder_of
from .guard import Guard
from .learner import learner
from .policy import TunedPolicy
from .recurrent.device_policy import placed
from .recurrent.packed import PackedFeatures
from .recurrent.prior_policy import Actor, PriorPolicy
from .saved import load_policy
from .start import count
from .vec_env import learning_note


class _Report(BaseCallback):
    """Steps, return and no-op rate to the kit's progress; the learning curve for the run folder."""

    def __init__(self, progress: Report, stage: str, total: int):
        super().__init__()
        self._progress, self._stage, self._total = progress, stage, total
        self.curve: list[CurvePoint] = []
        self._reward, self._count, self._last = 0.0, 0, 0.0

    def state_dict(self) -> dict[str, object]:
        return {"curve": [[point.step, point.reward, dict(point.more)] for point in self.curve]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.curve = [CurvePoint(*point) for point in state["curve"]]

    def note(self, **more: float) -> None:
        """Also stands in the last point of the curve."""
        if self.curve:
            self.curve[-1] = self.curve[-1]._replace(more={**self.curve[-1].more, **more})

    def _on_step(self) -> bool:
        rewards = self.locals["rewards"]
        self._reward += float(rewards.sum())
        self._count += len(rewards)
        if time.monotonic() - self._last > 0.2:
            self._last = time.monotonic()
            self._tell()
        return True

    def _on_training_start(self) -> None:
        self._tell()

    def _on_rollout_start(self) -> None:
        self._of_update()

    def _on_training_end(self) -> None:
        self._of_update()

    def _of_update(self) -> None:
        policy: Any = self.model.policy
        if isinstance(policy, PriorPolicy) and policy.tune != "frozen":
            self.note(**{name: float(value) for name, value in policy.noted.items()})
            policy.noted = {}

    def _on_rollout_end(self) -> None:
        self.curve.append(CurvePoint(self.num_timesteps, self._reward / max(1, self._count)))
        self._reward, self._count = 0.0, 0
        self._tell()

    def _tell(self) -> None:
        note = learning_note(*self.curve[-1][:2]) if self.curve else Note()
        self._progress(self._stage, min(self.num_timesteps, self._total), self._total, note)


class PPOAgent:
    """`prior`: start from the expected-utility head on the prior; else plain logits on the observation."""

    def __init__(self, prior: bool = True):
        self.prior = prior
        self.curve: list[CurvePoint] = []

    def learner(self, training: Training, features: Features) -> OnPolicyAlgorithm:
        """SB3's learner on the training's worlds, before its first step."""
        if isinstance(features, PriorFeatures) and (
            training.tuning.tune != "frozen" or placed_on(training.device).type != "cpu"
        ):
            features = PackedFeatures(features.predictor, features.mean, features.scale)
        return learner(training, features)

    def fit(self, training: Training) -> TunedPolicy:
        start = None
        if self.prior and training.start is not None:
            start = load_policy(training.start, training.prior)
            training = dataclasses.replace(training, prior=start.predictor)  # which may have been tuned, too
        features = encoder_of(training, self.prior)
        model = self.learner(training, features)
        head: Any = model.policy.head
        if self.prior and training.tuning.start != "uniform":
            counted = copy.deepcopy(head).cpu()  # what is counted and fitted to answers is small
            count(counted, training, features)
            head.load_state_dict(counted.state_dict())
        if start is not None:
            _take_over(head, start.head)
        report = _Report(training.progress, "fine-tune" if self.prior else "PPO from scratch", training.steps)
        kept = [] if training.callback is None else [training.callback]
        policy, callbacks = self._watched(model, training, features, report)
        apart = start is not None and start.with_prior  # its predictor is not the run's prior
        model.learn(training.steps, callback=[*kept, report, *callbacks])
        training.progress(report._stage, training.steps, training.steps, "")
        self.curve = report.curve
        if any(isinstance(one, Best) and one.unbeaten for one in callbacks):
            who = training.agent or "fine-tuning"
            say(
                f"{who}: no check beats the start, so the policy that it began with is kept (train.keep=last: the last)"
            )
        tuned: TunedPolicy = policy()
        tuned.with_prior = tuned.with_prior or apart
        return tuned

    def _watched(self, model: OnPolicyAlgorithm, training: Training, features: Features, report: _Report) -> Any:
        """What makes the policy of the finished training, and the callbacks that watch over it."""
        personal, policy = training.train.people > 1, model.policy
        head: Any = policy.head
        if not isinstance(policy, PriorPolicy) or policy.tune == "frozen":

            def of_head(head: torch.nn.Module) -> TunedPolicy:
                return TunedPolicy(features, head, training.seed)

            if personal or training.tuning.keep == "last":
                # among persons nearly all that is paid is for single moves, when all others have moved: to learn from,
                # no measure of the whole, which a few worlds are too noisy to tell
                return lambda: of_head(head), []
            best = Best(head, lambda head: placed(of_head(head), training.device), training)
            return lambda: of_head(best.kept()), [best]
        assert isinstance(features, PriorFeatures)
        actor = Actor(head, policy.step)

        def of_actor(actor: torch.nn.Module) -> TunedPolicy:
            assert isinstance(actor, Actor)
            moved = PriorFeatures(actor.step.moved_predictor(features.predictor), features.mean, features.scale)
            return TunedPolicy(moved, copy.deepcopy(actor.head), training.seed, with_prior=True)

        if training.tuning.keep == "last":
            return lambda: of_actor(actor), []
        guard = Guard(
            actor, lambda actor: placed(of_actor(actor), training.device), training, report.note, trials=not personal
        )
        return lambda: of_actor(guard.kept()), [guard]


def _take_over(head: torch.nn.Module, start: torch.nn.Module) -> None:
    """Starts from another head, where that is like this one."""
    weights = start.state_dict()
    if {k: v.shape for k, v in weights.items()} == {k: v.shape for k, v in head.state_dict().items()}:
        head.load_state_dict(weights)


NEEDS = ("prior", "steps")
MEANINGS = {
    "ppo_prior": "PPO that starts as an expected-utility policy on the prior, which stays as it is "
    "(`ppo_prior@tune=full`: it is tuned too)",
}
AGENTS = {"ppo_prior": PPOAgent}
