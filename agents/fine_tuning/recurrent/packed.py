"""What a policy sees where its networks are stepped in torch: one flat row that holds what a step rests on, too.

So a world's decision crosses to the device once, and comes back as an action. `carried` is what stays there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lam_env.core.contracts import Observation, Prediction
from lam_env.core.errors import UserError
from lam_env.logs.decision_points import BAG

from ...carry import USER, Carried, PredictorState, Starts, update
from ...memory.network import PARTS
from ...predictors.network import Predictor
from ...predictors.pool import Pool
from ...predictors.step_inputs import inputs_of
from ...predictors.torch_step import Memory, TorchStep
from ..features import PriorFeatures

MOST_STREAMS = 1 << 24  # numbers up to here are whole in float32


class PackedFeatures(PriorFeatures):
    """Rows (N, size): the vector of `PriorFeatures`, its word left out; the stream's number, which of its episodes it
    is; and what `step_inputs` says of it."""

    def __init__(self, predictor: Predictor | Pool, mean: np.ndarray, scale: np.ndarray):
        super().__init__(predictor, mean, scale)
        self.prior, self.inputs = predictor, inputs_of(predictor)
        self.predictor: Any = self.inputs  # what is carried from observation to observation
        self._n_hidden, self._episodes = predictor.n_hidden, 0

    @property
    def size(self) -> int:
        return self.layout.size + 2 + self.inputs.width

    def __call__(self, observation: Observation, carry: Carried, starts: Starts) -> tuple[np.ndarray, PredictorState]:
        n = len(observation["epoch"])
        episode = np.full(n, self._episodes)
        if carry is not None and carry.said.soon is not None:
            episode = carry.said.soon[:, 1].astype(np.int64)
            self._episodes = max(self._episodes, int(episode.max()) + 1)  # a checkpoint's, too
            if starts is not None:
                episode = np.where(starts, self._episodes, episode)
        self._episodes = max(self._episodes, int(episode.max()) + 1)
        carry = update(self.predictor, observation, carry, starts)
        stream = observation["epoch"][:, USER] * n + np.arange(n)
        if int(stream.max()) >= MOST_STREAMS or self._episodes >= MOST_STREAMS:
            raise UserError("more streams or episodes than a row can number: take fewer worlds at once")
        carry = carry._replace(said=Prediction(carry.said.next, np.stack([stream, episode], 1)))
        return self.vector(observation, carry.said), carry

    def vector(self, observation: Observation, said: Prediction) -> np.ndarray:
        n = len(observation["epoch"])
        word = np.zeros((n, len(self.vocabulary)), np.float32)
        seen = super().vector(observation, Prediction(word, word, np.zeros((n, self._n_hidden), np.float32)))
        assert said.soon is not None
        return np.concatenate([seen, said.soon, said.next], 1, dtype=np.float32, casting="unsafe")


class Packing:
    """Takes rows (N, size) apart."""

    def __init__(self, features: PackedFeatures):
        self.layout, self.size = features.layout, features.size
        self.n_features = features.inputs.n_features
        self.hidden = self.layout.rest + PARTS
        self.n_hidden = features._n_hidden

    def stream(self, rows: Tensor) -> Tensor:
        """(N,) int64"""
        return rows[:, self.layout.size].long()

    def at(self, rows: Tensor) -> Tensor:
        """(N, 2): which episode, and how many decision points of it the networks have seen."""
        return rows[:, self.layout.size + 1 : self.layout.size + 3]

    def points(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """The last of them: tokens (N, BAG), features (N, F)."""
        first = self.layout.size + 3
        return rows[:, first : first + BAG], rows[:, first + BAG : first + BAG + self.n_features]

    def counts(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Of a pool: counts (N, A), acts (N, 1)."""
        first = self.layout.size + 3 + BAG + self.n_features
        return rows[:, first : first + self.layout.n_actions], rows[:, first + self.layout.n_actions :]

    def vector(self, rows: Tensor, word: Tensor) -> Tensor:
        """(N, layout.size), as heads take it. word (N, width): what the predictor says."""
        a = self.layout.n_actions
        out = rows[:, : self.layout.size].clone()
        out[:, : 2 * a] = word[:, : 2 * a]
        out[:, self.hidden : self.hidden + self.n_hidden] = word[:, 2 * a :]
        return out


@dataclass
class DeviceState:
    """What S streams carry on the device. memory: of the networks; said (S, width): their last word; at (S, 2): the
    episode, and how many of its decision points they have seen."""

    memory: Memory
    said: Tensor
    at: Tensor

    @classmethod
    def fresh(cls, step: TorchStep, n: int, device: torch.device) -> DeviceState:
        said, at = torch.zeros(n, step.width, device=device), torch.full((n, 2), -1.0, device=device)
        return cls(step.fresh(n, device), said, at)

    def parts(self) -> list[Tensor]:
        return [*self.memory, self.said, self.at]

    def load(self, parts: list[Tensor]) -> None:
        """Those of another of the same size."""
        for part, other in zip(self.parts(), parts, strict=True):
            part.copy_(other)

    def grown(self, step: TorchStep, n: int) -> DeviceState:
        """With room for n streams."""
        if n <= len(self.at):
            return self
        more = DeviceState.fresh(step, n - len(self.at), self.at.device).parts()
        *memory, said, at = (torch.cat(both) for both in zip(self.parts(), more, strict=True))
        return DeviceState(tuple(memory), said, at)


@dataclass(frozen=True)
class Stepped:
    """One step of N streams. word (N, width): what the networks said last; here (N,) bool: whether that is of now;
    before: their memory before it."""

    word: Tensor
    here: Tensor
    before: Memory


@torch.no_grad()
def advance(step: TorchStep, packing: Packing, state: DeviceState, rows: Tensor, keep: bool = True) -> Stepped:
    """Step the streams that have come to a new decision point; the state goes on in place, unless not to `keep`."""
    stream, at = packing.stream(rows), packing.at(rows)
    known = state.at[stream]
    same = known[:, 0] == at[:, 0]
    here = ~(same & (known[:, 1] == at[:, 1]))
    before = remembered(state, stream, same)
    tokens, features = packing.points(rows)
    said, after = step(before, tokens[:, None], features[:, None])
    word = torch.where(here[:, None], said[:, 0], state.said[stream])
    if keep:
        for part, new, old in zip(state.memory, after, before, strict=True):
            part[stream] = torch.where(_rows(here, new), new, old)
        state.said[stream], state.at[stream] = word, at
    return Stepped(word, here, before)


def remembered(state: DeviceState, streams: Tensor, same: Tensor) -> Memory:
    """The memory of these streams (N,), fresh where it is not of the `same` (N,) episode."""
    # where, not a product: what is not a number would stay for ever
    return tuple(torch.where(_rows(same, part), part[streams], 0.0) for part in state.memory)


def _rows(mask: Tensor, like: Tensor) -> Tensor:
    return mask.view(-1, *[1] * (like.dim() - 1))
