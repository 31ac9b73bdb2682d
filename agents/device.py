"""Where networks are trained: on the processor or on a GPU, and which of the two is faster for what there is to do."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from lam_env.logs.decision_points import BAG

from .predictors.cores import PredictorNetwork
from .predictors.fast import fast
from .predictors.network import one_thread
from .predictors.settings import PredictorSettings
from .predictors.training import bfloat16_on
from .where import named

TOKENS, ACTIONS, FEATURES = 60, 30, 40  # of a network like those of the three worlds
ALONE = "there is no other"
ROUNDS = 5  # timed, after one that is not


@dataclass(frozen=True)
class Speed:
    """tokens: decision points that pre-training reads [1/s]; step: of the networks of a batch of worlds, what goes to
    the device and comes back included [s]."""

    tokens: float
    step: float

    def seconds(self, tokens: int, steps: int) -> float:
        """For so many decision points read, and so many steps of the batch."""
        return tokens / self.tokens + steps * self.step


def measured(device: torch.device, worlds: int) -> Speed:
    """Of a network of the usual size, in a second or two; of a processor one core, as trainings take no more."""
    with one_thread():
        return _measured(device, worlds)


def _measured(device: torch.device, worlds: int) -> Speed:
    s = PredictorSettings()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = PredictorNetwork(TOKENS, ACTIONS, FEATURES, s).to(device)
    bag = torch.zeros(s.batch, s.window, BAG, dtype=torch.long, device=device)
    numbers = torch.zeros(s.batch, s.window, FEATURES, device=device)

    def train() -> None:
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=s.autocast and bfloat16_on(device)):
            next_, soon, _, _ = net(bag, numbers)
        (next_.sum() + soon.sum()).backward()

    tokens = s.batch * s.window / _timed(train, device)
    cell, host = fast(torch.nn.ModuleList([net.eval()])), np.zeros((worlds, FEATURES), np.float32)
    states, bags = np.zeros((worlds, s.hidden), np.float32), np.zeros((worlds, BAG), np.int64)

    def step() -> None:
        if device.type == "cpu":
            cell(bags, host, states, states)
            return
        with torch.no_grad():
            net(bag[:1, :1].expand(worlds, 1, BAG), torch.from_numpy(host).to(device)[:, None])[0].cpu()

    return Speed(tokens, _timed(step, device))


def _timed(what: Callable[[], None], device: torch.device) -> float:
    """Median seconds."""
    took = []
    for _ in range(ROUNDS + 1):
        began = time.perf_counter()
        what()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        took.append(time.perf_counter() - began)
    return float(np.median(took[1:]))


def choice(device: str, tokens: int, steps: int, worlds: int) -> tuple[torch.device, str]:
    """Where to train, and why. "auto" is the faster one for so many decision points that pre-training reads, and
    `steps` of a batch of so many worlds; UserError as in `named`."""
    if device != "auto":
        return named(device), "as asked"
    if not torch.cuda.is_available():
        return torch.device("cpu"), ALONE
    speeds = {name: measured(torch.device(name), worlds) for name in ("cpu", "cuda")}
    seconds = {name: speed.seconds(tokens, steps) for name, speed in speeds.items()}
    best = min(seconds, key=seconds.__getitem__)
    other = "cuda" if best == "cpu" else "cpu"
    reads = f"{speeds[best].tokens:,.0f} decision points a second in pre-training ({other} {speeds[other].tokens:,.0f})"
    step = f"{1000 * speeds[best].step:.2g} ms a step of {worlds} worlds ({other} {1000 * speeds[other].step:.2g})"
    why = f"{reads}, {step}: {seconds[best]:,.0f} s of networks in place of {seconds[other]:,.0f}"
    return torch.device(best), why + ("; so small networks keep no GPU busy" if best == "cpu" else "")
