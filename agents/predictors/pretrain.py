"""Pre-training: the predictor learns a log by truncated back-propagation through chunks of each world's sequence."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel

from lam_env.core.errors import UserError
from lam_env.core.progress import Note, Report, silent
from lam_env.logs.decision_points import DecisionPoints

from .cores import PredictorNetwork
from .features import Featuriser
from .likelihood import continued, mean_nll
from .network import Predictor, one_thread
from .settings import PredictorSettings


def pick_device(device: str) -> torch.device:
    """auto | cpu | cuda | cuda:i"""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.split(":")[0] not in ("cpu", "cuda"):
        raise UserError(f"device {device!r} is unknown; choose auto, cpu or cuda")
    if device != "cpu" and not torch.cuda.is_available():
        raise UserError(f"device {device!r}: this machine has no CUDA device; choose auto or cpu")
    return torch.device(device)


def pretrain(
    train: DecisionPoints,
    valid: DecisionPoints,
    settings: PredictorSettings | None = None,
    seed: int = 0,
    device: str = "cpu",
    progress: Report = silent,
) -> Predictor:
    """Fits a predictor to `train`; keeps the weights that read `valid` best (likelihood of `next`).

    `settings` None: the preset for the log's size. The same seed gives the same weights to the bit (on one device).
    """
    if not len(train) or not len(valid):
        raise UserError(
            f"pre-training needs decision points: {len(train)} to train on, {len(valid)} to validate; give a longer log"
        )
    settings = settings or PredictorSettings.for_log(len(train))
    where = pick_device(device)
    featuriser = Featuriser.fit(train, settings.recency)
    valid = _first_worlds(valid, settings.valid_rows)
    cuda = [where] if where.type == "cuda" else []
    with one_thread(), torch.random.fork_rng(devices=cuda):
        torch.manual_seed(seed)
        predictor = Predictor(train.vocabulary, featuriser, settings, train.timer)
        data = Chunks(train, featuriser, settings, where)
        reading, judged = continued(train, valid)
        for member in range(settings.members):
            torch.manual_seed(seed + 7919 * member)
            net = PredictorNetwork(train.vocabulary.n_tokens, len(train.vocabulary), featuriser.size, settings)
            rng = np.random.default_rng([seed, member])
            predictor.nets[member] = _fit(net.to(where), data, reading, judged, rng, member, progress)
    predictor.nets.to("cpu").eval()
    predictor.refresh()
    return predictor


def _first_worlds(points: DecisionPoints, rows: int) -> DecisionPoints:
    """Whole worlds up to about so many rows."""
    if len(points) <= rows:
        return points
    starts = np.r_[points.starts(), len(points)]
    return points.select(np.arange(starts[max(1, np.searchsorted(starts, rows, side="right") - 1)]))


class Chunks:
    """The training log as tensors, cut anew into chunks for every pass."""

    def __init__(
        self, train: DecisionPoints, featuriser: Featuriser, settings: PredictorSettings, device: torch.device
    ):
        self.tokens = torch.from_numpy(np.asarray(train.tokens, np.int64)).to(device)
        self.features = torch.from_numpy(featuriser.read(train)).to(device)
        self.target = torch.from_numpy(np.asarray(train.target, np.int64)).to(device)
        self.soon = None if train.soon is None else torch.from_numpy(train.soon).to(device)
        self.bounds = np.r_[train.starts(), len(train)]
        # a transformer never sees more than its context
        self.window = min(settings.window, settings.context) if settings.core == "transformer" else settings.window
        self.featuriser = featuriser
        self.burn_in = 0 if settings.core in ("transformer", "mlp") else settings.burn_in
        self.batch = settings.batch
        self.device = device

    def batches(self, rng: np.random.Generator) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Rows (B, L) and which of them are scored (B, L), for one pass: every row once, offsets drawn anew. A chunk
        begins with up to `burn_in` rows that only warm the memory up."""
        first, end, warm = [], [], []
        for a, b in zip(self.bounds[:-1].tolist(), self.bounds[1:].tolist(), strict=True):
            cuts = np.unique(np.r_[a, np.arange(a + rng.integers(1, self.window + 1), b, self.window), b])
            first.append(cuts[:-1])
            end.append(cuts[1:])
            warm.append(np.maximum(cuts[:-1] - self.burn_in, a))
        starts, ends, firsts = np.concatenate(warm), np.concatenate(end), np.concatenate(first)
        order = rng.permutation(len(starts))
        out = []
        for i in range(0, len(order), self.batch):
            mine = order[i : i + self.batch]
            rows = starts[mine, None] + np.arange((ends - starts)[mine].max())
            real = (rows >= firsts[mine, None]) & (rows < ends[mine, None])
            rows = np.minimum(rows, ends[mine, None] - 1)
            out.append((torch.from_numpy(rows).to(self.device), torch.from_numpy(real).to(self.device)))
        return out


def _fit(
    net: PredictorNetwork,
    data: Chunks,
    reading: DecisionPoints,
    judged: np.ndarray,
    rng: np.random.Generator,
    member: int,
    progress: Report,
) -> PredictorNetwork:
    s = net.settings
    judge = Predictor(reading.vocabulary, data.featuriser, s)
    judge.nets = torch.nn.ModuleList([net])
    optimiser = torch.optim.AdamW(net.parameters(), lr=s.learning_rate, weight_decay=s.weight_decay)

    def towards(means: Sequence[torch.Tensor], news: Sequence[torch.Tensor], update: torch.Tensor | int) -> None:
        for mean, new in zip(means, news, strict=True):
            mean.lerp_(new, 1 - min(s.average, (1 + int(update)) / (10 + int(update))))

    average = AveragedModel(net, multi_avg_fn=towards) if s.average else None
    if average is not None:
        average.n_averaged += 1  # it begins with the network as it was made
        judge.nets = torch.nn.ModuleList([average.module])
    best, best_weights, since = math.inf, None, 0
    stage = "pre-training" if s.members == 1 else f"pre-training {member + 1}/{s.members}"
    last_note, note = 0.0, Note()
    for number in range(s.passes):
        net.train()
        batches = data.batches(rng)
        total = s.passes * len(batches)
        for i, (rows, real) in enumerate(batches):
            done = number * len(batches) + i
            for group in optimiser.param_groups:
                group["lr"] = s.learning_rate * _rate(done, total, s.schedule)
            loss = _loss(net, data, rows, real)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
            if average is not None:
                average.update_parameters(net)
            if (now := time.monotonic()) - last_note > 0.2:
                last_note = now
                progress(stage, done, total, note)
        judge.nets.eval()
        score = mean_nll(judge.read(reading, hidden=False).next[judged], reading.target[judged])
        if score < best:
            best, since = score, 0
            best_weights = {k: v.detach().clone() for k, v in judge.nets[0].state_dict().items()}
        else:
            since += 1
        text = f"pass {number + 1}, validation NLL {score:.4f} (best {best:.4f})"
        note = Note(text, {"validation_nll": score}, number + 1)
        progress(stage, (number + 1) * len(batches), total, note)
        if since >= s.patience:
            break
    if best_weights is None:
        raise UserError("pre-training diverged in its first pass; lower learning_rate or look for broken readings")
    net.load_state_dict(best_weights)
    progress(stage, total, total, note)
    return net.eval()


def _rate(done: int, total: int, schedule: str) -> float:
    warm = min(1.0, (done + 1) / min(100, max(1, total // 20)))
    return warm if schedule == "constant" else warm * 0.5 * (1 + math.cos(math.pi * done / total))


def _loss(net: PredictorNetwork, data: Chunks, rows: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    s = net.settings
    with torch.autocast(data.device.type, dtype=torch.bfloat16, enabled=s.autocast):
        logits, soon, _, _ = net(data.tokens[rows], data.features[rows])
    rows = rows[real]
    loss = F.cross_entropy(logits[real].float(), data.target[rows], label_smoothing=s.label_smoothing)
    if data.soon is not None:
        loss = loss + F.binary_cross_entropy_with_logits(soon[real].float(), data.soon[rows].float())
    return loss
