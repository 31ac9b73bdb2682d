"""What a GPU is worth here, in some minutes: `make check-gpu PYTHON=...`.

Pre-training and PPO, with the predictor frozen and tuned, on the GPU and on one core of the processor beside it: rates
as they are measured, and whether both come to the same. It needs no data, and of other packages those of `NEEDED`.
"""

from __future__ import annotations

import copy
import importlib.util
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from lam_env.core.contracts import Training

NEEDED = ("torch", "numpy", "gymnasium", "stable_baselines3", "simpy", "cloudpickle", "safetensors", "PIL")
WORLDS = (16, 256, 1024, 4096)
LEAST = 4  # steps of each world in a rollout that is timed
BATCHES = 12  # of pre-training
WARM_UP = 2  # batches that are not timed: what is made once is made in them
ROWS = 2048  # of a rollout of few worlds
DEFAULT = 60_000  # steps of a default training in the home
SAME = 1e-3  # log-probabilities and losses of both devices lie so close together
BFLOAT = 0.05  # a loss in mixed precision is within so large a share of the whole one
TIME = 200.0  # [s] after which larger batches are left out, and that is said


@dataclass
class Table:
    """Prints a line as soon as it is known. `tell` hears each."""

    device: str
    tell: Callable[[str], None]

    def head(self) -> None:
        self.line("what", "one CPU core", self.device, "times")

    def line(self, what: str, cpu: str, gpu: str, times: str = "") -> None:
        self.tell(f"{what:<44}{cpu:>14}{gpu:>14}{times:>8}")

    def rates(self, what: str, cpu: float, gpu: float) -> None:
        self.line(what, f"{cpu:,.0f}", f"{gpu:,.0f}", f"{gpu / cpu:.2f}")


def missing() -> list[str]:
    """Packages that are not there."""
    return [name for name in NEEDED if importlib.util.find_spec(name) is None]


def check(
    device: str = "cuda",
    worlds: tuple[int, ...] = WORLDS,
    tell: Callable[[str], None] = lambda line: print(line, flush=True),
    limit: float = TIME,
    **small: Any,
) -> list[str]:
    """Prints the table of `device`; returns what is not as it should be. `small`: of the prior, for a quick try."""
    import torch

    from lam_env.core import registry
    from lam_env.experiment import models
    from lam_env.experiment.agent_check import small_training

    began, both = time.monotonic(), (torch.device("cpu"), torch.device(device))
    torch.set_num_threads(1)
    name = torch.cuda.get_device_name(both[1]) if both[1].type == "cuda" else "cpu"
    tell(f"{name}, torch {torch.__version__}, python {sys.version.split()[0]}")
    scenario, width = registry.scenario("smart_home")(), models.predictor_settings(1_000_000)
    sizes = {"hidden": width.hidden, "readout": width.readout, "embedding": width.embedding, **small}
    training = small_training(scenario, 4, 7, **sizes)
    table, found = Table(device, tell), ({}, {})  # type: tuple[Table, tuple[dict[str, Any], dict[str, Any]]]
    table.head()
    for precision in ("whole", "mixed"):
        rates = []
        for where, results in zip(both, found, strict=True):
            rate, results[f"loss, {precision} precision"] = pre_training(training, where, precision == "mixed")
            rates.append(rate)
        table.rates(f"pre-training, {precision} precision [points/s]", *rates)
    for n in worlds:
        if time.monotonic() - began > limit:
            tell(f"left out: PPO in {n:,} worlds, as {limit:.0f} s are over")
            continue
        env = training.make_worlds(n)
        for tune in ("frozen", "full"):
            rates = []
            for where, results in zip(both, found, strict=True):
                rate, said = fine_tuning(replace(training, device=where.type, make_worlds=lambda n, e=env: e), n, tune)
                rates.append(rate)
                results |= {f"{what}, {tune}, {n:,} worlds": value for what, value in said.items()}
            table.rates(f"PPO, {tune}, {n:,} worlds [steps/s]", *rates)
            table.line("  60,000 steps, without trials [s]", *(f"{DEFAULT / rate:,.0f}" for rate in rates))
    wrong = differences(*found)
    tell(f"{time.monotonic() - began:.0f} s in all; " + ("; ".join(wrong) or "both devices come to the same"))
    return wrong


def differences(cpu: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Of what was found on both devices: numbers and tensors by name, those in mixed precision within more."""
    wrong = []
    for name, value in cpu.items():
        if name.startswith("word"):
            if (most := float((value - other[name]).abs().max())) > SAME:
                wrong.append(f"{name}: by up to {most:.3g}")
        elif abs(other[name] - value) > (BFLOAT if "mixed" in name else SAME) * max(1.0, abs(value)):
            wrong.append(f"{name}: {other[name]:.4g} in place of {value:.4g}")
    return wrong


def pre_training(training: Training, where: torch.device, mixed: bool) -> tuple[float, float]:
    """Decision points a second, and the loss before the first update."""
    import numpy as np
    import torch
    from lam_env.agents.predictors.training import Chunks, chunk_loss

    own = training.prior
    settings = replace(own.settings, autocast=mixed, window=64, batch=16)
    data = Chunks(training.train, own.featuriser, settings, where)
    net = copy.deepcopy(own.nets[0]).to(where)
    net.settings = settings
    optimiser = torch.optim.AdamW(net.parameters(), lr=settings.learning_rate)
    batches = data.batches(np.random.default_rng(0))[:BATCHES]
    with torch.no_grad():
        loss = float(chunk_loss(net.eval(), data, *batches[0]))  # dropout draws other numbers elsewhere
    net.train()
    began, read = 0.0, 0
    for k, (rows, real) in enumerate(batches):
        if k == WARM_UP:
            _wait(where)
            began = time.perf_counter()
        optimiser.zero_grad(set_to_none=True)
        chunk_loss(net, data, rows, real).backward()
        optimiser.step()
        read += rows.numel() if k >= WARM_UP else 0
    _wait(where)
    return read / (time.perf_counter() - began), loss


def fine_tuning(training: Training, n: int, tune: Any) -> tuple[float, dict[str, Any]]:
    """Steps a second of rollout and update of PPO in n worlds; what the predictor says at first ("word"), and by how
    much stretches differ from steps ("log ratio")."""
    import torch
    from lam_env.agents.fine_tuning.features import encoder_of
    from lam_env.agents.fine_tuning.learner import learner
    from lam_env.agents.fine_tuning.recurrent.packed import DeviceState, PackedFeatures, advance
    from lam_env.agents.fine_tuning.recurrent.prior_policy import PriorPolicy

    steps = max(LEAST, ROWS // n)
    tuned = replace(training.tuning, steps=n * steps, envs=n, rollout=steps, tune=tune, start="uniform")
    given = replace(training, tuning=replace(tuned, batch=max(512, min(8192, n * steps // 4))))
    features: Any = encoder_of(given, prior=True)
    if given.device != "cpu" or tune != "frozen":  # else as `ppo_prior` has it, stepped in NumPy
        features = PackedFeatures(training.prior, features.mean, features.scale)
    model: Any = learner(given, features)
    _, callback = model._setup_learn(given.steps, None)
    policy, said = model.policy, dict[str, Any]()
    if isinstance(policy, PriorPolicy) and tune == "full":
        rows = torch.as_tensor(model._last_obs, device=model.device)
        state = DeviceState.fresh(policy.step, n, model.device)
        said["word"] = advance(policy.step, policy.packing, state, rows).word.cpu()
    began = time.perf_counter()
    model.collect_rollouts(model.env, callback, model.rollout_buffer, steps)
    model.train()
    _wait(model.device)
    rate = n * steps / (time.perf_counter() - began)
    if "word" in said:
        said["log ratio"] = float(policy.noted["log_ratio_start"])
    return rate, said


def _wait(device: torch.device) -> None:
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize(device)


def main(arguments: list[str]) -> int:
    """0, or 1 where the devices do not come to the same; 2 where nothing can be measured."""
    if lacking := missing():
        why = f"this Python lacks {', '.join(lacking)}: `make gpu-site` packs what is pure Python"
        print(f"check-gpu: {why}", file=sys.stderr)
        return 2
    import torch

    device = arguments[0] if arguments else "cuda"
    if device == "cuda" and not torch.cuda.is_available():
        why = "this machine has no CUDA device: take one that has"
        print(f"check-gpu: {why}", file=sys.stderr)
        return 2
    return int(bool(check(device)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
