"""How a pool is fitted: its parts leave out blocks of the log in turn, and what they say of them gives the weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from lam_env.core.contracts import Checkpoints
from lam_env.core.progress import Report, silent
from lam_env.logs.decision_points import DecisionPoints

from ..counting.backoff import ACTS, NEXT, BackOff
from ..counting.persons import Persons, suits
from .likelihood import blocks_of, joined, left_out, most_blocks, smoothed, split_without
from .network import Predictor
from .pool import Pool
from .pretrain import pretrain
from .settings import PredictorSettings

MASS = 5.0  # of the belief in the weights before any day was seen, in events: data may throw a part out
# of equal weights where nets began in other homes: days left out of one week or two do not say how the next ones differ
MASS_STARTED = 300.0
# actions of a log; beside counts that already know whoever they are judged on, networks add nothing
MOST_OF_NETS, MOST_BESIDE_PERSONS = 2000, 200
BELIEF = {"nets": 0.4, "boosting": 0.35, "counts": 0.25}


def weights_of(likelihood: np.ndarray, belief: np.ndarray, mass: float = MASS, rounds: int = 200) -> np.ndarray:
    """Weights (K,) of a linear pool, by expectation maximisation with a Dirichlet prior of `mass` around `belief` (K,).
    likelihood (K, n): what each part said of what happened."""
    weights = belief = belief / belief.sum()
    for _ in range(rounds):
        share = weights[:, None] * likelihood
        share /= share.sum(0)
        weights = (mass * belief + share.sum(1)) / (mass + likelihood.shape[1])
    return weights


def counts_of(points: DecisionPoints, blocks: int) -> tuple[BackOff | Persons, np.ndarray]:
    """The counts of a log, and (n,) the probability of each target where its block was left out. Where streams may be
    persons of their own both kinds are fitted, and those taken that say more of what was left out."""
    block, n_actions = blocks_of(points, blocks), len(points.vocabulary)
    counts, said = BackOff.fit(NEXT, points, block)
    if not suits(points):
        return counts, said
    persons, by_persons = Persons.fit(points, block)
    acts = points.target > 0
    gain = np.log(smoothed(by_persons, n_actions)[acts]).mean() - np.log(smoothed(said, n_actions)[acts]).mean()
    return (persons, by_persons) if gain > 0 else (counts, said)


def nets_left_out_of(counts: BackOff | Persons, known: bool = True) -> str:
    """Why a pool of these counts has no networks; empty if it has. known: whether those who are judged were there
    before. Counts of persons say little of others, such as whole runs of a game."""
    n, persons = len(counts.vocabulary) - 1, known and isinstance(counts, Persons)
    most, who = (MOST_BESIDE_PERSONS, ", each of which few persons do") if persons else (MOST_OF_NETS, "")
    return f"{n:,} actions are more than {most:,}{who}, and networks have a column for each" if n > most else ""


def fit_pool(
    train: DecisionPoints,
    valid: DecisionPoints,
    settings: PredictorSettings,
    timed: tuple[DecisionPoints, DecisionPoints] | None = None,
    seed: int = 0,
    device: str = "cpu",
    progress: Report = silent,
    checkpoints: Checkpoints | None = None,
    others: Sequence[PredictorSettings] = (),
    start: Predictor | None = None,
) -> Pool:
    """Nets by `settings`, or those of `others` that read best what they leave out, counts and weights from `train` and
    `valid` together, of which each part leaves blocks out. `timed`: the same log's decision points with those of
    its timer, to train and to validate on, where the two are of events alone. `start`: as in `pretrain`."""
    points, _ = joined(train, valid)
    blocks = most_blocks(points, settings.blocks)
    counts, said = counts_of(points, blocks)
    nets, weights = None, np.array([0.0, 1.0])
    if not nets_left_out_of(counts, known=bool(np.isin(valid.world, train.world).any())):
        nets = pretrain(train, valid, settings, seed, device, progress, checkpoints, others, start)
        weights = LeftOut.of(nets, points, said, start is not None).weights()
    if timed is None:
        return Pool(nets, counts, weights, timer=points.timer)
    every, _ = joined(*timed)
    acts, _ = BackOff.fit(ACTS, every, blocks_of(every, blocks))
    if nets is not None:
        nets.timer = every.timer
    return Pool(nets, counts, weights, acts, every.timer)


@dataclasses.dataclass(frozen=True)
class LeftOut:
    """What parts say of rows that they have not seen. `points`: all rows before the test; `rows` (n,) bool: those
    that some member of the nets left out, and in which the user acts; by part the `likelihood` of what happened,
    (rows,). `started`: nets began in other homes."""

    points: DecisionPoints
    rows: np.ndarray
    likelihood: dict[str, np.ndarray]
    started: bool

    @classmethod
    def of(cls, nets: Predictor, points: DecisionPoints, by_counts: np.ndarray, started: bool = False) -> LeftOut:
        """by_counts (n,): what counts say of each row."""
        target = np.asarray(points.target, np.int64)
        said, rows = np.zeros(len(points)), np.zeros(len(points), bool)
        for member, left in enumerate(left_out(points, nets.settings.blocks, nets.settings.members)):
            _, reading, judged = split_without(points, left)
            said[left] = nets.member(member).read(reading, hidden=False).next[judged, target[left]]
            rows |= left & (target > 0)
        return cls(points, rows, {"nets": said[rows], "counts": by_counts[rows]}, started)

    def weights(self, **more: np.ndarray) -> np.ndarray:
        """Of nets, counts and `more` parts, given as `likelihood`."""
        likelihood = {**self.likelihood, **more}
        n_actions = len(self.points.vocabulary)
        each = np.stack([smoothed(p, n_actions) for p in likelihood.values()])
        if self.started:
            return weights_of(each, np.ones(len(each)), MASS_STARTED)
        return weights_of(each, np.array([BELIEF[name] for name in likelihood]))
