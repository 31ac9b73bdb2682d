"""How policies are tuned, one sentence each: `train.*` of a run. A scenario has values of its own in
`Scenario.defaults`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lam_env.config.cli import setting
from lam_env.core.seeds import Use

# of those who build on a prior: elsewhere they change nothing
OF_TUNED = ("predictor_rate", "replay", "kl", "critic")  # where train.tune is not frozen
OF_PRIOR = ("head", "tune", *OF_TUNED, "temperature")


@dataclass(frozen=True)
class TrainSettings:
    """Fine-tuning. From a prior few environments and long rollouts learn better than the reverse; large batches are
    for speed."""

    steps: int = setting(60_000, "environment steps of fine-tuning", low=1)
    envs: int = setting(16, "worlds stepped at once; a quarter of them among persons", low=1, high=Use.FINE_TUNING.room)
    rollout: int = setting(128, "steps of each world between updates, at least", low=2)
    days: int = setting(8, "days between updates, at least, where decisions are those of several persons", low=1)
    batch: int = setting(512, "steps in a batch of an update", low=2)
    epochs: int = setting(4, "passes of an update over its rollout", low=1)
    learning_rate: float = setting(1e-3, "learning rate, which falls linearly to a tenth", low=0, high=1)
    clip: float = setting(0.2, "how far an update may change the probability of an action, as a share", low=0, high=1)
    gamma: float = setting(0.99, "discount of what comes a step later", low=0, high=1)
    gae_lambda: float = setting(0.95, "lambda of generalised advantage estimation", low=0, high=1)
    entropy: float = setting(0.0, "weight of the entropy bonus", low=0)
    head: Literal["structured", "plain"] = setting(
        "structured", "head on the prior: expected utility, or a plain network on all that it sees"
    )
    start: Literal["counted", "silent", "uniform"] | None = setting(
        None,
        "what a policy does at first: what a plug-in has counted (structured heads), next to nothing, or anything with"
        " equal probability (default: counted, of plain heads uniform)",
    )
    learner: Literal["ppo", "a2c"] = setting("ppo", "Stable-Baselines3's PPO, or its A2C")
    tune: Literal["frozen", "readout", "full"] = setting(
        "frozen", "what of the prior is tuned too: nothing, what reads its memory out, or all of its networks"
    )
    predictor_rate: float = setting(
        0.03, "train.tune=readout|full: the predictor's learning rate, as a share of the head's", low=0, high=10
    )
    replay: float = setting(
        0.3, "train.tune=readout|full: weight of the cross-entropy on replayed chunks of the training log", low=0
    )
    kl: float = setting(
        0.1, "train.tune=readout|full: weight of KL(frozen prior || predictor) in states that are visited", low=0
    )
    critic: Literal["own", "shared"] = setting(
        "own",
        "train.tune=readout|full: whether the critic's errors move the predictor too (shared), which spoils it",
    )
    keep: Literal["best", "last"] = setting(
        "best",
        "what is kept of a training: the best in trial worlds, and of a tuned predictor what has not got worse; or the"
        " last weights, whatever they are worth",
    )
    trial: int = setting(32, "worlds in which the best head or threshold is chosen", low=1, high=Use.HEAD_CHOICE.room)
    certain: float = setting(1.0, "standard errors by which a head must be better than the first one", low=0)
    temperature: float = setting(0.08, "temperature of values, by their scale; with a prior alone", low=1e-6)

    def misfit(self, prior: bool) -> str | None:
        """Why a policy, on a `prior` or without one, cannot be tuned so; None if it can."""
        structured = prior and self.head == "structured"
        if self.start == "silent" and structured:
            return "train.start=silent is for plain heads: say train.head=plain too, or start=uniform"
        if self.start == "counted" and not structured:
            return "train.start=counted is for structured heads on the prior: leave it out, or say silent or uniform"
        return None
