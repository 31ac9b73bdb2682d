"""One step of networks in NumPy: what serving one event costs is calls, not arithmetic.

Each class takes torch `PredictorNetwork`s of one shape apart once and then holds float32 arrays only, stacked: M
members of an ensemble are one batch (M, n, ...). The token embedding is folded into the first layer's weights: a token
costs one gathered row. Sigmoids are taken as (1 + tanh(x / 2)) / 2 with the halving folded into the weights, so that
all gates need one tanh.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn

from .cores import PredictorNetwork

Four = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
Nets = Sequence[PredictorNetwork]
_HALF, _ONE = np.float32(0.5), np.float32(1)


def _array(tensor: torch.Tensor | nn.Module) -> np.ndarray:
    assert isinstance(tensor, torch.Tensor)  # to the type checker a module's attribute may be either
    return tensor.detach().cpu().numpy().astype(np.float32)


def _stack(nets: Nets, of: Callable[[PredictorNetwork], np.ndarray]) -> np.ndarray:
    return np.ascontiguousarray(np.stack([of(net) for net in nets]))


class _Folded:
    """Of each net weight (K, E + F) over [embedding, features] and bias (K,) -> rows per token (V, M, K), and a matrix
    (M, F, K) for the features."""

    def __init__(
        self,
        nets: Nets,
        weight: Callable[[PredictorNetwork], np.ndarray],
        bias: Callable[[PredictorNetwork], np.ndarray],
    ):
        width = nets[0].embed.embedding_dim
        rows = np.stack([_array(net.embed.weight) @ weight(net)[:, :width].T for net in nets], 1)
        # every decision point has one last token, if only "quiet"
        self.last = np.ascontiguousarray(rows + _stack(nets, bias))
        rows[0] = 0  # a 0 elsewhere is padding
        self.rest = np.ascontiguousarray(rows)
        self.features = _stack(nets, lambda net: weight(net)[:, width:].T)

    def tokens(self, tokens: np.ndarray) -> np.ndarray:
        """(n, BAG) -> (M, n, K)"""
        out = self.last[tokens[:, -1]]
        if np.count_nonzero(tokens[:, -2]):  # right-aligned: nothing further left otherwise
            rows, slots = np.nonzero(tokens[:, :-1])
            np.add.at(out, rows, self.rest[tokens[rows, slots]])
        return out.transpose(1, 0, 2)


class _Heads:
    def __init__(self, nets: Nets):
        self.members = len(nets)
        self.weight = _stack(nets, lambda n: np.concatenate([_array(n.next.weight), _array(n.soon.weight) * _HALF]).T)
        bias = _stack(nets, lambda n: np.concatenate([_array(n.next.bias), _array(n.soon.bias) * _HALF]))
        self.bias = bias[:, None]
        self.n_actions = nets[0].n_actions
        self.input: _Folded | None = None
        if nets[0].readout is not None:
            width = nets[0].embed.embedding_dim
            n_input = _readout(nets[0]).shape[1] - nets[0].settings.hidden
            self.input = _Folded(nets, lambda n: _readout(n)[:, :n_input], lambda n: _array(_layer(n).bias))
            self.memory = _stack(
                nets, lambda n: np.concatenate([_readout(n)[:, width:n_input], _readout(n)[:, n_input:]], 1).T
            )

    def __call__(self, hidden: np.ndarray, tokens: np.ndarray, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """hidden (M, n, H) -> next (n, A), soon (n, A), the means of the members."""
        if self.input is not None:
            hidden = _joined(features, hidden) @ self.memory
            hidden += self.input.tokens(tokens)
            np.maximum(hidden, 0, out=hidden)
        both = hidden @ self.weight
        both += self.bias
        logits, soon = both[:, :, : self.n_actions], both[:, :, self.n_actions :]
        p = logits - np.maximum.reduce(logits, 2, keepdims=True)
        np.exp(p, out=p)
        p /= np.add.reduce(p, 2, keepdims=True)
        soon = np.tanh(soon)
        soon += _ONE
        soon *= _HALF
        if self.members == 1:
            return p[0], soon[0]
        return np.add.reduce(p, 0) / np.float32(self.members), np.add.reduce(soon, 0) / np.float32(self.members)


def _layer(net: PredictorNetwork) -> nn.Linear:
    assert net.readout is not None
    return net.readout


def _readout(net: PredictorNetwork) -> np.ndarray:
    return _array(_layer(net).weight)


def _joined(features: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """features (n, F), hidden (M, n, H) -> (M, n, F + H)"""
    (members, n, size), width = hidden.shape, features.shape[1]
    out = np.empty((members, n, width + size), np.float32)
    out[:, :, :width] = features
    out[:, :, width:] = hidden
    return out


def _apart(h: np.ndarray, members: int) -> np.ndarray:
    """(n, M H) -> (M, n, H)"""
    return h.reshape(len(h), members, -1).transpose(1, 0, 2)


def _together(h: np.ndarray) -> np.ndarray:
    """(M, n, H) -> (n, M H)"""
    return h.transpose(1, 0, 2).reshape(h.shape[1], -1)


class FastLSTM:
    """A step of LSTM networks."""

    def __init__(self, nets: Nets):
        size = self.size = nets[0].settings.hidden
        self.members = len(nets)
        order = np.r_[0 : 2 * size, 3 * size : 4 * size, 2 * size : 3 * size]  # torch: i f g o; here: i f o g
        scale = np.repeat(np.array([0.5, 0.5, 0.5, 1.0], np.float32), size)

        def bias(net: PredictorNetwork) -> np.ndarray:
            return (_array(net.core.bias_ih_l0) + _array(net.core.bias_hh_l0))[order] * scale

        self.input = _Folded(nets, lambda net: _array(net.core.weight_ih_l0)[order] * scale[:, None], bias)
        recurrent = _stack(nets, lambda net: (_array(net.core.weight_hh_l0)[order] * scale[:, None]).T)
        self.weight = np.ascontiguousarray(np.concatenate([self.input.features, recurrent], 1))
        self.heads = _Heads(nets)

    def __call__(self, tokens: np.ndarray, features: np.ndarray, h: np.ndarray, c: np.ndarray) -> Four:
        """-> next (n, A), soon (n, A), h (n, M H), c (n, M H)."""
        size = self.size
        h, c = _apart(h, self.members), _apart(c, self.members)
        z = _joined(features, h) @ self.weight
        z += self.input.tokens(tokens)
        np.tanh(z, out=z)
        gates = z[:, :, : 3 * size]
        gates += _ONE
        gates *= _HALF
        c = c * z[:, :, size : 2 * size]
        c += z[:, :, :size] * z[:, :, 3 * size :]
        h = np.tanh(c)
        h *= z[:, :, 2 * size : 3 * size]
        return *self.heads(h, tokens, features), _together(h), _together(c)


class FastGRU:
    """A step of GRU networks."""

    def __init__(self, nets: Nets):
        size = self.size = nets[0].settings.hidden
        self.members = len(nets)
        scale = np.repeat(np.array([0.5, 0.5, 1.0], np.float32), size)  # r z n
        bias_hidden = _stack(nets, lambda net: _array(net.core.bias_hh_l0) * scale)

        def bias(net: PredictorNetwork) -> np.ndarray:
            out = _array(net.core.bias_ih_l0) * scale
            out[: 2 * size] += (_array(net.core.bias_hh_l0) * scale)[: 2 * size]
            return out

        self.input = _Folded(nets, lambda net: _array(net.core.weight_ih_l0) * scale[:, None], bias)
        self.recurrent = _stack(nets, lambda net: (_array(net.core.weight_hh_l0) * scale[:, None]).T)
        self.bias_new = bias_hidden[:, None, 2 * size :]
        self.heads = _Heads(nets)

    def __call__(self, tokens: np.ndarray, features: np.ndarray, h: np.ndarray, c: np.ndarray) -> Four:
        """-> next (n, A), soon (n, A), h (n, M H), c as given (unused)."""
        size = self.size
        h = _apart(h, self.members)
        x = features @ self.input.features
        x += self.input.tokens(tokens)
        y = h @ self.recurrent
        gates = np.tanh(x[:, :, : 2 * size] + y[:, :, : 2 * size])
        gates += _ONE
        gates *= _HALF
        new = y[:, :, 2 * size :] + self.bias_new
        new *= gates[:, :, :size]
        new += x[:, :, 2 * size :]
        np.tanh(new, out=new)
        h = new + gates[:, :, size:] * (h - new)
        return *self.heads(h, tokens, features), _together(h), c


class FastMLP:
    """A step of networks without memory."""

    def __init__(self, nets: Nets):
        def layer(net: PredictorNetwork, i: int) -> nn.Linear:
            return [m for m in net.core.modules() if isinstance(m, nn.Linear)][i]

        self.input = _Folded(nets, lambda net: _array(layer(net, 0).weight), lambda net: _array(layer(net, 0).bias))
        self.more = []
        for i in range(1, nets[0].settings.layers):
            weight = np.stack([_array(layer(net, i).weight).T for net in nets])
            self.more.append((weight, np.stack([_array(layer(net, i).bias) for net in nets])[:, None]))
        self.heads = _Heads(nets)

    def __call__(self, tokens: np.ndarray, features: np.ndarray, h: np.ndarray, c: np.ndarray) -> Four:
        """-> next (n, A), soon (n, A), the last layer (n, M H), c as given (unused)."""
        x = np.maximum(features @ self.input.features + self.input.tokens(tokens), 0)
        for weight, bias in self.more:
            x = np.maximum(x @ weight + bias, 0)
        return *self.heads(x, tokens, features), _together(x), c


Cell = FastLSTM | FastGRU | FastMLP


def fast(nets: nn.ModuleList) -> Cell:
    """The step of networks of one shape, which are no transformers."""
    members = [net for net in nets if isinstance(net, PredictorNetwork)]
    kinds: dict[str, type[Cell]] = {"lstm": FastLSTM, "gru": FastGRU, "mlp": FastMLP}
    return kinds[members[0].settings.core](members)
