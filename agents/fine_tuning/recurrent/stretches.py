"""Rollout buffers for a policy whose predictor is tuned: batches are whole stretches of streams.

A stretch is a run of consecutive steps of one stream in one episode. It begins with the memory that the networks had
there, so gradients run along it, and what they say is what they said in the rollout as long as no weight has moved.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.type_aliases import RolloutBufferSamples
from torch import Tensor

from ...predictors.torch_step import Memory
from ..rollout_buffer import PersonalRolloutBuffer

LONGEST = 64  # steps of a stretch


class Stretches(NamedTuple):
    """B steps, stretch by stretch, as `evaluate_actions` takes them.

    rows (B, size); word (B, width): what the networks said in the rollout; `at` (K, L): of each stretch the steps at
    which they were stepped, filled up with its last; `of` (B,): where in `at`, laid flat, what they say of a step
    stands, -1 where they were not stepped yet; memory (K, ...): theirs at the beginning. log_prob (B,): of the actions,
    in the rollout; reference (B, A): what the frozen prior said comes next.
    """

    rows: Tensor
    word: Tensor
    at: Tensor
    of: Tensor
    memory: Memory
    log_prob: Tensor
    reference: Tensor


def laid(here: np.ndarray, length: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of sequences one after another, of which there are `length` (K,) rows each: at (K, L) and of (B,) as in
    `Stretches`, and how many of its rows are steps of the networks, `here` (B,) bool, in each (K,)."""
    sequence, ends = np.repeat(np.arange(len(length)), length), np.cumsum(length)
    so_far = np.r_[0, np.cumsum(here)]
    number = so_far[1:] - so_far[ends - length][sequence]
    steps = so_far[ends] - so_far[ends - length]
    longest = max(1, int(steps.max()))
    at = np.zeros((len(length), longest), np.int64)
    at[sequence[here], number[here] - 1] = np.flatnonzero(here)
    at = np.take_along_axis(at, np.minimum(np.arange(longest), np.maximum(steps, 1)[:, None] - 1), 1)
    return at, np.where(number > 0, sequence * longest + number - 1, -1), steps


def taken(said: Tensor, of: Tensor, otherwise: Tensor) -> Tensor:
    """(B, width): of what is `said` (K, L, width) that of each step, by `Stretches.of`; else `otherwise` (B, width)."""
    return torch.where((of >= 0)[:, None], said.flatten(0, 1)[of.clamp_min(0)], otherwise)


class _Stretched(RolloutBuffer):
    """Mixed into a rollout buffer. `policy` has to be set; what it says of a step (`policy.last`) stays on its device,
    and log-probabilities and values until the rollout is over. `seed`: of the order of stretches."""

    policy: Any

    def __init__(self, *args: Any, seed: int = 0, **kwargs: Any):
        self._order = np.random.default_rng([seed, 17])
        super().__init__(*args, **kwargs)

    def state_dict(self) -> dict[str, object]:
        """Of an empty one."""
        return {"stretches": self._order.bit_generator.state, "carried": self.policy.carried()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._order.bit_generator.state = state["stretches"]
        self.policy.carry_on(state["carried"])

    def reset(self) -> None:
        super().reset()
        self._said: list[Any] = []
        self._later: list[tuple[Tensor, Tensor]] = []

    def add(self, obs: Any, action: Any, reward: Any, episode_start: Any, value: Tensor, log_prob: Tensor) -> None:
        self._said.append(self.policy.last)
        self._later.append((value.flatten(), log_prob))
        nothing = torch.zeros(self.n_envs)  # both come down in one piece, at the end
        super().add(obs, action, reward, episode_start, nothing, nothing)

    def compute_returns_and_advantage(self, last_values: Tensor, dones: np.ndarray) -> None:
        both = torch.stack([torch.stack(pair) for pair in self._later]).cpu().numpy()
        self.values[:], self.log_probs[:] = both[:, 0], both[:, 1]
        super().compute_returns_and_advantage(last_values, dones)

    def scored(self) -> np.ndarray:
        """(T, N) bool: the steps that are learned from."""
        known: np.ndarray = getattr(self, "known", np.ones((self.buffer_size, self.n_envs), bool))
        return known

    def get(self, batch_size: int | None = None) -> Generator[RolloutBufferSamples, None, None]:
        """Batches of about `batch_size` steps: stretches are not cut. None: all in one."""
        if not self.generator_ready:
            self._lay_out()
            self.generator_ready = True
        for mine in self._batches(batch_size):
            yield self._samples(mine)

    def _lay_out(self) -> None:
        """Steps stream by stream, cut into stretches."""
        steps, n = self.buffer_size, self.n_envs
        device = self.policy.device
        flat = self.observations.reshape(steps * n, -1)
        packing = self.policy.packing
        head = packing.layout.size
        key = flat[:, head : head + 2]  # stream and episode
        every = np.lexsort((np.arange(steps * n) // n, key[:, 1], key[:, 0]))
        order = every[self.scored().reshape(-1)[every]]
        new = np.r_[True, (key[order[1:]] != key[order[:-1]]).any(1)] if len(order) else np.zeros(0, bool)
        since = np.arange(len(order)) - np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))
        self._first = np.flatnonzero(new | (since % self.policy.longest == 0))
        self._steps = order
        on = {"device": device}
        self._rows = torch.as_tensor(flat, **on)
        said = self._said
        self._word = torch.cat([one.word for one in said])
        self._memory = tuple(torch.cat([one.before[k] for one in said]) for k in range(len(said[0].before)))
        self._here = torch.cat([one.here for one in said]).cpu().numpy()
        self._reference = self.policy.reference(self._rows, every, self._here, self._memory)
        names = ("actions", "values", "log_probs", "advantages", "returns")
        parts = [np.asarray(getattr(self, name), np.float32).reshape(steps * n) for name in names]
        self._numbers = torch.as_tensor(np.stack(parts, 1), **on)

    def _batches(self, batch_size: int | None) -> Iterator[np.ndarray]:
        """Numbers of stretches."""
        lengths = np.diff(np.r_[self._first, len(self._steps)])
        order = self._order.permutation(len(lengths))
        if not len(order):
            return
        parts = 1 if batch_size is None else max(1, round(lengths.sum() / batch_size))
        ends = np.searchsorted(np.cumsum(lengths[order]), np.arange(1, parts) * lengths.sum() / parts, "right")
        yield from (part for part in np.split(order, ends) if len(part))

    def _samples(self, mine: np.ndarray) -> RolloutBufferSamples:
        device = self._rows.device
        first = self._first[mine]
        length = np.r_[self._first, len(self._steps)][mine + 1] - first
        place = self._steps[np.repeat(first - np.cumsum(length) + length, length) + np.arange(length.sum())]
        at, of, _ = laid(self._here[place], length)
        index = torch.as_tensor(place, device=device)
        at_, of_, begin = (torch.as_tensor(part, device=device) for part in (at, of, self._steps[first]))
        actions, values, log_prob, advantages, returns = self._numbers[index].unbind(1)
        memory = tuple(part[begin] for part in self._memory)
        rows, word, reference = self._rows[index], self._word[index], self._reference[index]
        stretches = Stretches(rows, word, at_, of_, memory, log_prob, reference)
        return RolloutBufferSamples(stretches, actions, values, log_prob, advantages, returns)  # type: ignore[arg-type]


class StretchRolloutBuffer(_Stretched):
    """Worlds of one stream each."""


class PersonalStretchRolloutBuffer(_Stretched, PersonalRolloutBuffer):  # type: ignore[misc]
    """Worlds of persons."""

    def state_dict(self) -> dict[str, object]:
        return {**PersonalRolloutBuffer.state_dict(self), **super().state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        PersonalRolloutBuffer.load_state_dict(self, state)
        super().load_state_dict(state)
