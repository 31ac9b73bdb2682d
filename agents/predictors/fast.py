"""One step of a network in NumPy: what serving one event costs is calls, not arithmetic.

Each class takes a torch `PredictorNetwork` apart once and then holds float32 arrays only. The token embedding is folded
into the first layer's weights: a token costs one gathered row. Sigmoids are taken as (1 + tanh(x / 2)) / 2 with the
halving folded into the weights, so that all gates need one tanh.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from .cores import PredictorNetwork


def _array(tensor: torch.Tensor | nn.Module) -> np.ndarray:
    assert isinstance(tensor, torch.Tensor)  # to the type checker a module's attribute may be either
    return tensor.detach().cpu().numpy().astype(np.float32)


Four = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
_HALF, _ONE = np.float32(0.5), np.float32(1)


class _Folded:
    """weight (K, E + F) over [embedding, features], bias (K,) -> rows per token and a matrix for the features."""

    def __init__(self, net: PredictorNetwork, weight: np.ndarray, bias: np.ndarray):
        embed = _array(net.embed.weight)
        width = embed.shape[1]
        rows = embed @ weight[:, :width].T
        self.last = np.ascontiguousarray(rows + bias)  # every decision point has one last token, if only "quiet"
        rows[0] = 0  # a 0 elsewhere is padding
        self.rest = np.ascontiguousarray(rows)
        self.features = np.ascontiguousarray(weight[:, width:].T)

    def tokens(self, tokens: np.ndarray) -> np.ndarray:
        out = self.last[tokens[:, -1]]
        if np.count_nonzero(tokens[:, -2]):  # right-aligned: nothing further left otherwise
            rows, slots = np.nonzero(tokens[:, :-1])
            np.add.at(out, rows, self.rest[tokens[rows, slots]])
        return out


class _Heads:
    def __init__(self, net: PredictorNetwork):
        self.weight = np.concatenate([_array(net.next.weight), _array(net.soon.weight) * _HALF]).T.copy()
        self.bias = np.concatenate([_array(net.next.bias), _array(net.soon.bias) * _HALF])
        self.n_actions = net.n_actions
        self.input: _Folded | None = None
        if net.readout is not None:
            weight, width = _array(net.readout.weight), net.embed.embedding_dim
            n_input = weight.shape[1] - net.settings.hidden
            self.input = _Folded(net, weight[:, :n_input], _array(net.readout.bias))
            self.memory = np.ascontiguousarray(np.concatenate([weight[:, width:n_input], weight[:, n_input:]], 1).T)

    def __call__(self, hidden: np.ndarray, tokens: np.ndarray, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if self.input is not None:
            hidden = np.concatenate([features, hidden], 1) @ self.memory
            hidden += self.input.tokens(tokens)
            np.maximum(hidden, 0, out=hidden)
        both = hidden @ self.weight
        both += self.bias
        logits, soon = both[:, : self.n_actions], both[:, self.n_actions :]
        p = logits - np.maximum.reduce(logits, 1, keepdims=True)
        np.exp(p, out=p)
        p /= np.add.reduce(p, 1, keepdims=True)
        soon = np.tanh(soon)
        soon += _ONE
        soon *= _HALF
        return p, soon


class FastLSTM:
    """A step of an LSTM network."""

    def __init__(self, net: PredictorNetwork):
        assert isinstance(net.core, nn.LSTM)
        size = self.size = net.core.hidden_size
        order = np.r_[0 : 2 * size, 3 * size : 4 * size, 2 * size : 3 * size]  # torch: i f g o; here: i f o g
        scale = np.repeat(np.array([0.5, 0.5, 0.5, 1.0], np.float32), size)
        folded = _array(net.core.weight_ih_l0)[order] * scale[:, None]
        bias = (_array(net.core.bias_ih_l0) + _array(net.core.bias_hh_l0))[order] * scale
        self.input = _Folded(net, folded, bias)
        recurrent = (_array(net.core.weight_hh_l0)[order] * scale[:, None]).T
        self.weight = np.ascontiguousarray(np.concatenate([self.input.features, recurrent]))
        self.heads = _Heads(net)

    def __call__(self, tokens: np.ndarray, features: np.ndarray, h: np.ndarray, c: np.ndarray) -> Four:
        """-> next (n, A), soon (n, A), h (n, H), c (n, H)."""
        size = self.size
        z = np.concatenate([features, h], 1) @ self.weight
        z += self.input.tokens(tokens)
        np.tanh(z, out=z)
        gates = z[:, : 3 * size]
        gates += _ONE
        gates *= _HALF
        c = c * z[:, size : 2 * size]
        c += z[:, :size] * z[:, 3 * size :]
        h = np.tanh(c)
        h *= z[:, 2 * size : 3 * size]
        return *self.heads(h, tokens, features), h, c


class FastGRU:
    """A step of a GRU network."""

    def __init__(self, net: PredictorNetwork):
        assert isinstance(net.core, nn.GRU)
        size = self.size = net.core.hidden_size
        scale = np.repeat(np.array([0.5, 0.5, 1.0], np.float32), size)  # r z n
        bias_hidden = _array(net.core.bias_hh_l0) * scale
        bias = _array(net.core.bias_ih_l0) * scale
        bias[: 2 * size] += bias_hidden[: 2 * size]
        self.input = _Folded(net, _array(net.core.weight_ih_l0) * scale[:, None], bias)
        self.recurrent = np.ascontiguousarray((_array(net.core.weight_hh_l0) * scale[:, None]).T)
        self.bias_new = bias_hidden[2 * size :]
        self.heads = _Heads(net)

    def __call__(self, tokens: np.ndarray, features: np.ndarray, h: np.ndarray, c: np.ndarray) -> Four:
        """-> next (n, A), soon (n, A), h (n, H), c as given (unused)."""
        size = self.size
        x = features @ self.input.features
        x += self.input.tokens(tokens)
        y = h @ self.recurrent
        gates = np.tanh(x[:, : 2 * size] + y[:, : 2 * size])
        gates += _ONE
        gates *= _HALF
        new = y[:, 2 * size :] + self.bias_new
        new *= gates[:, :size]
        new += x[:, 2 * size :]
        np.tanh(new, out=new)
        h = new + gates[:, size:] * (h - new)
        return *self.heads(h, tokens, features), h, c


class FastMLP:
    """A step of a network without memory."""

    def __init__(self, net: PredictorNetwork):
        assert isinstance(net.core, nn.Sequential)
        layers = [m for m in net.core if isinstance(m, nn.Linear)]
        self.input = _Folded(net, _array(layers[0].weight), _array(layers[0].bias))
        self.more = [(np.ascontiguousarray(_array(m.weight).T), _array(m.bias)) for m in layers[1:]]
        self.heads = _Heads(net)

    def __call__(self, tokens: np.ndarray, features: np.ndarray, h: np.ndarray, c: np.ndarray) -> Four:
        """-> next (n, A), soon (n, A), the last layer (n, H), c as given (unused)."""
        x = np.maximum(features @ self.input.features + self.input.tokens(tokens), 0)
        for weight, bias in self.more:
            x = np.maximum(x @ weight + bias, 0)
        return *self.heads(x, tokens, features), x, c


Cell = FastLSTM | FastGRU | FastMLP


def fast(net: nn.Module) -> Cell:
    """The step of a network that is no transformer."""
    assert isinstance(net, PredictorNetwork)
    kinds: dict[str, type[Cell]] = {"lstm": FastLSTM, "gru": FastGRU, "mlp": FastMLP}
    return kinds[net.settings.core](net)
