"""Pre-training: the predictor learns a log by truncated back-propagation through chunks of each world's sequence."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import torch

from lam_env.core.contracts import Checkpoints
from lam_env.core.errors import UserError
from lam_env.core.progress import Report, silent
from lam_env.logs.decision_points import DecisionPoints

from ..where import named
from .cores import PredictorNetwork
from .features import Featuriser
from .likelihood import Split, joined, left_out, mean_nll, most_blocks, split_of, split_without
from .network import Predictor, one_thread
from .settings import MOST_WEIGHTS, PredictorSettings
from .training import Chunks, Fit


def pretrain(
    train: DecisionPoints,
    valid: DecisionPoints,
    settings: PredictorSettings | None = None,
    seed: int = 0,
    device: str = "cpu",
    progress: Report = silent,
    checkpoints: Checkpoints | None = None,
    others: Sequence[PredictorSettings] = (),
    start: Predictor | None = None,
) -> Predictor:
    """Fits a predictor to `train`; keeps the weights that read `valid` best (likelihood of `next`).

    `settings` None: the preset for the log's size. `others`: more of them, of the same blocks; of all trained
    predictors that one is returned which reads best what it has left out. The same seed gives the same weights to
    the bit (on one device), also where a process that was killed has left `checkpoints`. `start`: each network begins
    with the weights of one of that predictor's, which is of the same vocabulary, and goes on with its shape.
    """
    if not len(train) or not len(valid):
        raise UserError(
            f"pre-training needs decision points: {len(train):,} to train on, {len(valid):,} to validate;"
            " give a longer log"
        )
    if others:
        every = (settings, *others)
        made = [pretrain(train, valid, each, seed, device, progress, checkpoints, start=start) for each in every]
        return min(made, key=lambda predictor: left_out_nll(predictor, train, valid))
    settings = settings or PredictorSettings.for_log(len(train))
    settings, points, splits = _splits(train, valid, settings if start is None else settings.fine(start.settings))
    where = named(device)
    featuriser = Featuriser.fit(points, settings.recency)
    with torch.device("meta"):  # nothing is trained that could not be kept
        shapes = Predictor(points.vocabulary, featuriser, settings).nets.parameters()
    if (size := 4 * sum(shape.numel() for shape in shapes)) > MOST_WEIGHTS:
        n = f"{len(points.vocabulary) - 1:,} actions make networks of {size / 2**30:.1f} GiB, and 1 GiB is the most"
        raise UserError(f"{n}; lower predictor.hidden or predictor.members")
    cuda = [where] if where.type == "cuda" else []
    with one_thread(), torch.random.fork_rng(devices=cuda):
        torch.manual_seed(seed)
        predictor = Predictor(points.vocabulary, featuriser, settings, points.timer)
        if start is not None:
            for member, net in enumerate(predictor.nets):
                net.load_state_dict(start.nets[member % len(start.nets)].state_dict())
        begun = [predictor.nets.state_dict(), points.time, points.target, splits[0].reading.target]
        kept = None if checkpoints is None else checkpoints.begin(begun)
        if kept is not None:
            predictor.nets.load_state_dict(kept["nets"])
        data: Chunks | None = None
        for member in range(0 if kept is None else kept["member"], settings.members):
            split = splits[member]
            if data is None or settings.blocks:
                data = Chunks(split.train, featuriser, settings, where)
            torch.manual_seed(seed + 7919 * member)
            net = PredictorNetwork(points.vocabulary.n_tokens, len(points.vocabulary), featuriser.size, settings)
            if start is not None:
                net.load_state_dict(predictor.nets[member].state_dict())
            fit = Fit(net.to(where), data, points.vocabulary, np.random.default_rng([seed, member]))
            if kept is not None:
                fit.load_state_dict(kept["fit"])
                kept = None

            def keep(fit: Fit = fit, member: int = member) -> None:
                if checkpoints is not None and checkpoints.due():
                    checkpoints.keep({"nets": predictor.nets.state_dict(), "member": member, "fit": fit.state_dict()})

            stage = "pre-training" if settings.members == 1 else f"pre-training {member + 1}/{settings.members}"
            predictor.nets[member] = fit.run(split, stage, progress, keep)
    predictor.nets.to("cpu").eval()
    predictor.refresh()
    return predictor


def left_out_nll(predictor: Predictor, train: DecisionPoints, valid: DecisionPoints) -> float:
    """Mean NLL [nats] of the rows on which its networks have stopped, which none of them was trained on."""
    settings, _, splits = _splits(train, valid, predictor.settings)
    if not settings.blocks:
        reading, judged = splits[0][1:]
        return mean_nll(predictor.read(reading, hidden=False).next[judged], reading.target[judged])
    each = []
    for member, (_, reading, judged) in enumerate(splits):
        said = predictor.member(member).read(reading, hidden=False).next[judged]
        each.append((int(judged.sum()), mean_nll(said, reading.target[judged])))
    return float(np.average([nll for _, nll in each], weights=[rows for rows, _ in each]))


def _splits(
    train: DecisionPoints, valid: DecisionPoints, settings: PredictorSettings
) -> tuple[PredictorSettings, DecisionPoints, list[Split]]:
    """The settings that the log allows, all rows that are trained on, and what each member learns from and stops on."""
    if not settings.blocks:
        return settings, train, [split_of(train, _first_worlds(valid, settings.valid_rows))] * settings.members
    points, _ = joined(train, valid)
    blocks = most_blocks(points, settings.blocks)
    if blocks < 2:
        raise UserError("pre-training needs at least two days or streams, to leave one out; give a longer log")
    settings = dataclasses.replace(settings, blocks=blocks, members=min(settings.members, blocks))
    left = left_out(points, blocks, settings.members)
    return settings, points, [split_without(points, rows) for rows in left]


def _first_worlds(points: DecisionPoints, rows: int) -> DecisionPoints:
    """Whole worlds up to about so many rows."""
    if len(points) <= rows:
        return points
    starts = np.r_[points.starts(), len(points)]
    return points.select(np.arange(starts[max(1, np.searchsorted(starts, rows, side="right") - 1)]))
