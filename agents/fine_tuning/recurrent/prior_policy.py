"""The actor-critic whose predictor is stepped, and may be tuned, inside the policy."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.type_aliases import PyTorchObs
from torch import Tensor, nn
from torch.optim import Adam

from ...predictors.torch_step import Memory, TorchStep
from ..actor_critic import HeadPolicy
from .packed import DeviceState, Packing, Stepped, advance
from .reference import Reference
from .replay import Replay
from .stretches import LONGEST, Stretches, taken


class Actor(nn.Module):
    """What is tuned, and kept: the head, and the predictor's networks."""

    def __init__(self, head: nn.Module, step: TorchStep):
        super().__init__()
        self.head, self.step = head, step


class ScaledAdam(Adam):
    """Stable-Baselines3 sets one rate; a group's is that times its `scale`."""

    def step(self, closure: Any = None) -> Any:
        rates = [group["lr"] for group in self.param_groups]
        for group in self.param_groups:
            group["lr"] *= group.get("scale", 1.0)
        try:
            return super().step(closure)
        finally:
            for group, rate in zip(self.param_groups, rates, strict=True):
                group["lr"] = rate


class PriorPolicy(HeadPolicy):
    """Observations are `PackedFeatures`. In rollouts it carries the predictor's state; updates run the networks along
    whole `Stretches` of it. The critic sees what the actor sees, but no gradient of its flows back, unless `shared`.

    step: the predictor in torch. tune: frozen, readout, full; what is tuned learns at `rate` times the head's.
    `replay`: chunks of the training log, whose cross-entropy counts `replay_weight` in the loss; `kl_weight` that of
    KL(frozen prior || predictor) on the states that were visited. `entropy` weighs the entropy bonus: the terms are
    handed to SB3 as one "entropy", whose weight has to be 1 there.
    """

    def __init__(
        self,
        *args: Any,
        step: TorchStep,
        packing: Packing,
        streams: int,
        tune: str = "full",
        rate: float = 1.0,
        replay: Replay | None = None,
        replay_weight: float = 0.0,
        kl_weight: float = 0.0,
        entropy: float = 0.0,
        shared: bool = False,
        **kwargs: Any,
    ):
        self._steps = step, copy.deepcopy(step)
        self.packing, self._streams = packing, streams
        self.tune, self._rate, self._replay, self._shared = tune, rate, replay, shared
        self._weights = entropy, replay_weight, kl_weight
        self.longest = 1 if step.windowed or tune == "frozen" else LONGEST
        self.last: Stepped | None = None
        self.state: DeviceState | None = None
        self.noted: dict[str, Tensor] = {}  # of the update that is going on
        super().__init__(*args, **kwargs)

    def _build(self, lr_schedule: Any) -> None:
        super()._build(lr_schedule)
        others = [p for p in self.parameters() if p.requires_grad]
        self.step, self.frozen = (step.requires_grad_(False) for step in self._steps)
        self._reference = Reference(self.frozen, self.packing, self._streams)
        moved = [] if self.tune == "frozen" else list(self.step.moved(self.tune))
        for parameter in moved:
            parameter.requires_grad_(True)
        groups: list[dict[str, Any]] = [
            {"params": others},
            *([{"params": moved, "scale": self._rate}] if moved else []),
        ]
        self.optimizer = ScaledAdam(groups, lr=lr_schedule(1), eps=1e-5)

    # -- what is carried -----------------------------------------------------------------------------------------------

    def carried(self) -> dict[str, object]:
        """As plain data."""
        replayed = None if self._replay is None else self._replay.number
        states = [None if state is None else state.parts() for state in (self.state, self._reference.state)]
        noted = {name: float(value) for name, value in self.noted.items()}
        return {"states": states, "replayed": replayed, "noted": noted}

    def carry_on(self, kept: dict[str, Any]) -> None:
        made: list[DeviceState | None] = []
        for step, own in zip((self.step, self.frozen), kept["states"], strict=True):
            made.append(None if own is None else DeviceState.fresh(step, self._streams, self.device))
            if made[-1] is not None:
                made[-1].load(own)
        self.state, self._reference.state = made
        self.noted = {name: torch.tensor(value) for name, value in kept["noted"].items()}
        if self._replay is not None:
            self._replay.number = kept["replayed"]

    def forget(self) -> None:
        """All that is remembered of people, where it holds what is not a number."""
        if self.state is not None and not all(bool(torch.isfinite(part).all()) for part in self.state.parts()):
            self.state = None

    # -- rollouts ------------------------------------------------------------------------------------------------------

    def _vectors(self, rows: Tensor, keep: bool) -> Tensor:
        if self.state is None:
            self.state = DeviceState.fresh(self.step, self._streams, self.device)
        stepped = advance(self.step, self.packing, self.state, rows, keep)
        if keep:
            self.last = stepped
        return self.packing.vector(rows, self._mixed(self.step, rows, stepped.word))

    def _mixed(self, step: TorchStep, rows: Tensor, word: Tensor) -> Tensor:
        return step.mixed(word, *self.packing.counts(rows))

    def forward(self, obs: Tensor, deterministic: bool = False) -> tuple[Tensor, Tensor, Tensor]:
        return super().act(self._vectors(obs, True), deterministic)

    def predict_values(self, obs: PyTorchObs) -> Tensor:
        assert isinstance(obs, Tensor)
        return self.value(self._vectors(obs, False))

    def reference(self, rows: Tensor, order: np.ndarray, here: np.ndarray, before: Memory) -> Tensor:
        """(R, A): what the prior that does not move says comes next at all steps of a rollout, as `Reference.read`."""
        a = self.packing.layout.n_actions
        if self.tune == "frozen":
            return rows[:, :a]
        return self._mixed(self.frozen, rows, self._reference.read(rows, order, here, before))[:, :a]

    # -- updates -------------------------------------------------------------------------------------------------------

    def words(self, s: Stretches) -> Tensor:
        """(B, width): what the networks say now of steps of the rollout."""
        if self.tune == "frozen":
            return s.word
        tokens, features = self.packing.points(s.rows)
        said, _ = self.step(s.memory, tokens[s.at], features[s.at])
        return taken(said, s.of, s.word)

    def evaluate_actions(self, obs: Any, actions: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        word = self._mixed(self.step, obs.rows, self.words(obs))
        vector = self.packing.vector(obs.rows, word)
        log_prob, entropy = self.scored(vector, actions)
        bonus, replay, kl = self._weights
        terms = bonus * entropy
        noted = {"log_ratio_start": (log_prob - obs.log_prob).abs().max().detach()}
        if self.tune != "frozen":
            a = self.packing.layout.n_actions
            before, now = (p.clamp_min(1e-6) for p in (obs.reference, word[:, :a]))
            distance = (before * (before.log() - now.log())).sum(1)
            noted["kl_prior"] = distance.mean().detach()
            terms = terms - kl * distance
            if self._replay is not None and replay:
                nll = self._replay.loss(self.step)
                noted["replay_nll"] = nll.detach()
                terms = terms - replay * nll
        self.note(noted)
        return self.value(vector if self._shared else vector.detach()), log_prob, terms

    def note(self, noted: dict[str, Tensor]) -> None:
        """Of the first batch of an update the log ratio, of all that come after it the last of the others."""
        for name, value in noted.items():
            if name != "log_ratio_start" or name not in self.noted:
                self.noted[name] = value
