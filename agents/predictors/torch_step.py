"""The networks of a predictor in torch: a step of many streams on any device, and stretches of streams with gradients.

It is where weights move, or lie on a GPU; elsewhere `fast` steps the same networks in NumPy.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from lam_env.logs.decision_points import BAG

from .network import Predictor
from .pool import Pool

Memory = tuple[Tensor, ...]  # of S streams, each (S, ...): what `fresh` says


class TorchStep(nn.Module):
    """The networks of `predictor`, and the weights by which a pool mixes them with its counts.

    What it says of a decision point is one row `word` (N, width): next (A,), soon (A,) and the hidden state.
    """

    mix: Tensor
    within: Tensor  # (A,) how many decision points of the timer lie within each action's patience

    def __init__(self, predictor: Predictor | Pool):
        super().__init__()
        pool = predictor if isinstance(predictor, Pool) else None
        networks = predictor.networks
        self.nets, self.settings = copy.deepcopy(networks.nets), networks.settings  # others hold the prior too
        self.n_actions, self.n_features = len(predictor.vocabulary), networks.featuriser.size
        self.n_hidden = predictor.n_hidden
        self.pooled, self.timed = pool is not None, pool is not None and pool.acts is not None
        self.register_buffer("mix", torch.ones(1) if pool is None else torch.from_numpy(pool.weights.copy()))
        within = torch.ones(self.n_actions) if pool is None else torch.as_tensor(pool.within, dtype=torch.float32)
        self.register_buffer("within", within)
        self.train(False)

    @property
    def width(self) -> int:
        """Of `word`."""
        return 2 * self.n_actions + self.n_hidden

    @property
    def windowed(self) -> bool:
        """Whether a step sees a window of decision points, in place of a recurrent state."""
        return self.settings.core == "transformer"

    def moved(self, tune: str) -> Iterator[nn.Parameter]:
        """The parameters that `train.tune` moves: all, or those after the core."""
        for net in self.nets.children():
            for name, parameter in net.named_parameters():
                if tune == "full" or name.split(".")[0] in ("readout", "next", "soon"):
                    yield parameter

    def moved_predictor(self, predictor: Predictor | Pool) -> Predictor | Pool:
        """A copy of `predictor`, of which this is, whose networks are as they are here now."""
        pool = predictor if isinstance(predictor, Pool) else None
        before = predictor.networks
        after = Predictor(before.vocabulary, before.featuriser, before.settings, before.timer)
        after.nets = copy.deepcopy(self.nets).cpu().requires_grad_(False)
        after.nets.eval()
        return after if pool is None else Pool(after, pool.counts, pool.weights, pool.acts)

    def train(self, mode: bool = True) -> TorchStep:
        """Never drops anything out. Only recurrent cores, which drop nothing themselves, know of the mode: cuDNN gives
        their gradients in training alone."""
        super().train(False)
        for net in self.nets.children():
            if isinstance(net.core, nn.LSTM | nn.GRU):
                net.core.train(mode)
        return self

    def fresh(self, n: int, device: torch.device) -> Memory:
        """Of n streams: h and c (n, M, H), h alone, or a window's tokens (n, W, BAG), features (n, W, F) and how much
        of it is filled (n,)."""
        s = self.settings
        if self.windowed:
            shapes = [(n, s.context, BAG), (n, s.context, self.n_features), (n,)]
        else:
            shapes = [(n, len(self.nets), s.hidden)] * {"lstm": 2, "gru": 1, "mlp": 0}[s.core]
        return tuple(torch.zeros(shape, device=device) for shape in shapes)

    def forward(
        self, memory: Memory, tokens: Tensor, features: Tensor, lengths: Tensor | None = None
    ) -> tuple[Tensor, Memory]:
        """tokens (K, L, BAG), features (K, L, F) of K streams from their `memory` on -> what the networks alone say
        (K, L, width), and the memory after the last, or after so many (K,); where a window is seen, L is 1."""
        tokens = tokens.long()
        if self.windowed:
            memory = self._slide(memory, tokens[:, 0], features[:, 0])
            window, numbers, filled = memory
            at = torch.arange(len(window), device=window.device), filled.long() - 1
            said = [net(window.long(), numbers)[:3] for net in self.nets]
            each = [tuple(part[at][:, None] for part in parts) for parts in said]
        else:
            each, after = [], []
            for i, net in enumerate(self.nets):
                before = tuple(part[:, i].unsqueeze(0).contiguous() for part in memory)
                *parts, state = net(tokens, features, before or None, lengths if before else None)
                each.append(tuple(parts))
                after.append(state)
            memory = tuple(torch.stack([state[k][0] for state in after], 1) for k in range(len(memory)))
        p = torch.stack([torch.softmax(logits, -1) for logits, _, _ in each]).mean(0)
        soon = torch.stack([torch.sigmoid(soon) for _, soon, _ in each]).mean(0)
        hidden = torch.cat([h for _, _, h in each], -1)[..., : self.n_hidden]
        return torch.cat([p, soon, hidden], -1), memory

    def _slide(self, memory: Memory, tokens: Tensor, features: Tensor) -> Memory:
        window, numbers, filled = memory
        full = (filled == self.settings.context)[:, None, None]
        at = filled.clamp(max=self.settings.context - 1).long()
        rows = torch.arange(len(at), device=at.device)
        out = []
        for part, new in ((window, tokens.to(window.dtype)), (numbers, features)):
            part = torch.where(full, part.roll(-1, 1), part)
            out.append(part.index_put((rows, at), new))
        return out[0], out[1], (filled + 1).clamp(max=self.settings.context)

    def mixed(self, said: Tensor, counts: Tensor, acts: Tensor) -> Tensor:
        """What the predictor says, from what its networks say, (N, width) of both. Of a pool: counts (N, A), what its
        counts said when something happened last; acts (N, 1), whether the user acts before the next decision point."""
        if not self.pooled:
            return said
        a = self.n_actions
        p, soon, hidden = said.split([a, a, self.n_hidden], 1)
        p = self.mix[0] * p + self.mix[1] * counts
        if self.timed:
            given = torch.cat([torch.zeros_like(p[:, :1]), p[:, 1:]], 1)
            given = given / given.sum(1, keepdim=True).clamp_min(1e-30)
            soon = (1 - (1 - acts) ** self.within) * given
            p = torch.cat([1 - acts, acts * given[:, 1:]], 1)
        return torch.cat([p, soon, hidden], 1)
