"""The networks: token embedding, one of four cores, two heads."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from ..where import on_host
from .settings import PredictorSettings

Memory = tuple[Tensor, ...]  # recurrent state of a core, each (1, B, H); empty for the others


class PredictorNetwork(nn.Module):
    """Decision points (B, T) -> logits of `next` (B, T, A), of `soon` (B, T, A), and the trunk's output (B, T, H)."""

    def __init__(self, n_tokens: int, n_actions: int, n_features: int, settings: PredictorSettings):
        super().__init__()
        s = self.settings = settings
        self.n_actions = n_actions
        # row 0: quiet, a decision point without a token
        self.embed = nn.Embedding.from_pretrained(torch.empty(n_tokens, s.embedding), freeze=False)
        if not self.embed.weight.is_meta:  # where there is nothing to draw torch would load its compiler to do so
            nn.init.normal_(self.embed.weight)
        width = s.embedding + n_features
        self.core: nn.Module
        if s.core == "lstm":
            self.core = nn.LSTM(width, s.hidden, batch_first=True)
        elif s.core == "gru":
            self.core = nn.GRU(width, s.hidden, batch_first=True)
        elif s.core == "transformer":
            self.core = Transformer(width, s)
        else:
            sizes = [width, *[s.hidden] * s.layers]
            pairs = zip(sizes[:-1], sizes[1:], strict=True)
            self.core = nn.Sequential(*[m for a, b in pairs for m in (nn.Linear(a, b), nn.ReLU())])
        # the next act depends on habits (memory), on how things stand (input), and on both together
        self.readout = nn.Linear(s.hidden + width, s.readout) if s.readout else None
        self.next = nn.Linear(s.readout or s.hidden, n_actions)
        self.soon = nn.Linear(s.readout or s.hidden, n_actions)

    def inputs(self, tokens: Tensor, features: Tensor) -> Tensor:
        """tokens (B, T, BAG) right-aligned, 0-padded; features (B, T, F) -> (B, T, embedding + F)."""
        bag = self.embed(tokens[..., -1])
        rest = tokens[..., :-1]
        if not on_host(rest) or rest.any():  # asking a device is slower than adding zeros
            bag = bag + (self.embed(rest) * (rest > 0).unsqueeze(-1)).sum(-2)
        bag = F.dropout(bag, self.settings.embedding_dropout, self.training)
        return torch.cat([bag, features], -1)

    def forward(
        self, tokens: Tensor, features: Tensor, memory: Memory | None = None, lengths: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Memory]:
        """`lengths` (B,): of a recurrent core, after how many decision points of each the memory is given back."""
        s = self.settings
        x = F.dropout(self.inputs(tokens, features), s.input_dropout, self.training)
        if s.core in ("lstm", "gru"):
            before = None if memory is None else (memory if s.core == "lstm" else memory[0])
            if lengths is None:
                hidden, after = self.core(x, before)
            else:
                packed, after = self.core(pack_padded_sequence(x, lengths, True, enforce_sorted=False), before)
                hidden, _ = pad_packed_sequence(packed, True, total_length=x.shape[1])
            memory = after if s.core == "lstm" else (after,)
        else:
            hidden, memory = self.core(x), ()
        out = F.dropout(hidden, s.dropout, self.training)
        if self.readout is not None:
            out = F.relu(self.readout(torch.cat([x, out], -1)))
        return self.next(out), self.soon(_scale_gradient(out, s.soon_weight * self.n_actions)), hidden, memory


def _scale_gradient(x: Tensor, scale: float) -> Tensor:
    """x itself, but what flows back through it is multiplied by `scale`."""
    return x.detach() + scale * (x - x.detach()) if x.requires_grad else x


class Transformer(nn.Module):
    """A causal Transformer with learned positions, over at most `settings.context` decision points."""

    def __init__(self, width: int, settings: PredictorSettings):
        super().__init__()
        s = settings
        self.context = s.context
        self.enter = nn.Linear(width, s.hidden)
        self.position = nn.Parameter(torch.randn(s.context, s.hidden) * 0.02)
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(
                s.hidden, s.heads, 4 * s.hidden, s.dropout, "gelu", batch_first=True, norm_first=True
            )
            for _ in range(s.layers)
        )
        self.norm = nn.LayerNorm(s.hidden)

    def forward(self, x: Tensor) -> Tensor:
        length = x.shape[1]
        if length > self.context:
            raise ValueError(f"transformer: {length} decision points are more than its context of {self.context}")
        mask = nn.Transformer.generate_square_subsequent_mask(length, device=x.device)
        h = self.enter(x) + self.position[:length]
        for block in self.blocks:
            h = block(h, src_mask=mask, is_causal=True)
        return self.norm(h)
