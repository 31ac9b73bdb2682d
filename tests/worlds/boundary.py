"""A pretended device: what would cross to one and back is counted, though all tensors lie on the processor."""

from __future__ import annotations

import contextlib

import numpy as np
import torch
from lam_env.agents.predictors import cores
from torch.overrides import TorchFunctionMode

READS = ("cpu", "item", "tolist", "__bool__", "__float__", "__int__", "__index__", "__array__", "nonzero")


class Remote(torch.Tensor):
    """A tensor on the pretended device, as is whatever is computed from one."""


class _Crossings(TorchFunctionMode):
    def __init__(self, count):
        super().__init__()
        self.count = count

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs, name = kwargs or {}, getattr(func, "__name__", "")
        if name in ("as_tensor", "tensor") and args and isinstance(args[0], np.ndarray):
            return self.count.uploaded(func(*args, **kwargs))
        if args and isinstance(args[0], Remote):
            if name in READS:
                self.count.down += 1
                if name == "cpu":
                    return func(*args, **kwargs).as_subclass(torch.Tensor)
            elif name == "numpy":
                raise TypeError("can't convert a tensor on a device to numpy")
        return func(*args, **kwargs)


class Boundary(contextlib.ExitStack):
    """`with Boundary() as crossed`: `up` and `down`, how many tensors crossed; `largest_up` [numbers]. Arrays that
    become tensors go up. Whatever is read of those, or of what was computed from them, comes down: `cpu`, `item`, a
    truth value; `numpy` without `cpu` fails as it does there."""

    def __init__(self):
        super().__init__()
        self.up = self.down = self.largest_up = 0

    def uploaded(self, tensor):
        self.up, self.largest_up = self.up + 1, max(self.largest_up, tensor.numel())
        return tensor.as_subclass(Remote)

    def __enter__(self):
        super().__enter__()
        plain, host = torch.from_numpy, cores.on_host
        torch.from_numpy = lambda array: self.uploaded(plain(array))
        self.callback(lambda: setattr(torch, "from_numpy", plain))
        cores.on_host = lambda tensor: False
        self.callback(lambda: setattr(cores, "on_host", host))
        self.enter_context(_Crossings(self))
        return self
