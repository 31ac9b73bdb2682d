"""The prior as it was before tuning, read along rollouts: what KL is held against."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ...predictors.torch_step import Memory, TorchStep
from .packed import DeviceState, Packing, remembered
from .stretches import laid, taken

PART = 512  # windows that are read at once


class Reference:
    """It carries a state of its own from rollout to rollout, of so many `streams`; `step` does not move."""

    def __init__(self, step: TorchStep, packing: Packing, streams: int):
        self._step, self._packing, self._streams = step, packing, streams
        self.state: DeviceState | None = None

    @torch.no_grad()
    def read(self, rows: Tensor, order: np.ndarray, here: np.ndarray, before: Memory) -> Tensor:
        """What its networks say at all steps of a rollout, (R, width). rows (R, size), `here` and `before` as in
        `Stepped`, in the order of the rollout; order (R,): stream by stream, episodes and steps in turn."""
        step, device = self._step, rows.device
        if self.state is None:
            self.state = DeviceState.fresh(step, self._streams, device)
        state, places = self.state, torch.as_tensor(order, device=device)
        rows = rows[places]
        stream, at = self._packing.stream(rows), self._packing.at(rows)
        key = torch.stack([stream.float(), at[:, 0]], 1).cpu().numpy()
        first = np.flatnonzero(np.r_[True, (key[1:] != key[:-1]).any(1)])
        length = np.diff(np.r_[first, len(key)])
        index, of, steps = laid(here[order], length)
        index_, of_, first_ = (torch.as_tensor(part, device=device) for part in (index, of, first))
        mine = stream[first_]
        known = state.at[mine, 0] == at[first_, 0]
        memory = remembered(state, mine, known)
        tokens, features = self._packing.points(rows)
        if step.windowed:  # what is seen does not depend on weights
            seen = tuple(part[places] for part in before)
            parts = [slice(i, i + PART) for i in range(0, len(rows), PART)]
            each = [step(tuple(m[i] for m in seen), tokens[i, None], features[i, None])[0] for i in parts]
            said, after = torch.cat(each)[:, 0][index_], memory
        else:
            said, after = step(memory, tokens[index_], features[index_], torch.from_numpy(np.maximum(steps, 1)))
        word = taken(said, of_, state.said[stream])
        # of a stream's last episode the state goes on; where nothing was stepped it stays
        last = np.flatnonzero(np.r_[key[first][1:, 0] != key[first][:-1, 0], True] & (steps > 0))
        ends = torch.as_tensor(first[last] + length[last] - 1, device=device)
        chosen = torch.as_tensor(last, device=device)
        for part, new in zip(state.memory, after, strict=True):
            part[mine[chosen]] = new[chosen]
        state.said[mine[chosen]], state.at[mine[chosen]] = word[ends], at[ends]
        out = torch.empty_like(word)
        out[places] = word
        return out
