"""Settings of the neural predictor and of its training."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from lam_env.config.cli import override
from lam_env.core.errors import UserError

from .augment import KINDS

CORES = ("lstm", "gru", "transformer", "mlp")
MOST_WEIGHTS = 1 << 30  # [bytes] of all networks of a predictor, as they are kept
SMALL_LOG = 20_000  # rows below which the settings for small logs apply


@dataclass(frozen=True)
class PredictorSettings:
    """Presets follow the size of the log, see `for_log`; the defaults are those of a simulated log."""

    core: str = "lstm"  # lstm | gru | transformer | mlp (no memory)
    embedding: int = 32  # width of a token's embedding
    hidden: int = 128  # width of the recurrent state
    readout: int = 128  # width of the layer that joins memory and input before the heads; 0: none
    layers: int = 2  # transformer: blocks; mlp: hidden layers (lstm and gru have one)
    heads: int = 4  # transformer: attention heads
    context: int = 32  # transformer: past decision points that it sees
    members: int = 1  # networks whose probabilities are averaged
    # in so many the days (or streams) are cut, of which each member leaves another out, to stop on; 0: none is cut, all
    # members validate on the same
    blocks: int = 0
    recency: bool = False  # add, per token, the time since it was last seen and its count today
    dropout: float = 0.1  # share of the core's outputs dropped, in training only
    embedding_dropout: float = 0.1  # share of the tokens' embeddings dropped
    input_dropout: float = 0.0  # share of the core's inputs dropped
    window: int = 64  # decision points per training chunk
    burn_in: int = 0  # lstm, gru: decision points before each chunk that only warm its memory up
    batch: int = 16  # chunks per update
    passes: int = 14  # at most so many readings of the training log
    patience: int = 0  # updates without a better validation likelihood after which training stops; 0: four passes
    learning_rate: float = 6e-3
    weight_decay: float = 1e-2
    label_smoothing: float = 0.0
    half_life: float = 0.0  # days of a single stream after which a row that is trained on counts half; 0: all alike
    augment: tuple[str, ...] = ()  # how rows that are trained on are changed in each pass: some of `augment.KINDS`
    schedule: str = "cosine"  # cosine (to zero over `passes`, after a short warm-up) | constant
    average: float = 0.0  # decay per update of an exponential average of the weights; 0 keeps the last weights
    soon_weight: float = 0.1  # share of `soon` (cross-entropy summed over actions) in the trunk's gradient
    valid_rows: int = 60_000  # validation reads whole worlds up to about so many rows
    # bfloat16 in training, where the processor can: half the time, and as good on a simulated log
    autocast: bool = True

    def __post_init__(self) -> None:
        if self.core not in CORES:
            raise UserError(f"predictor: core {self.core!r} is unknown; choose one of {', '.join(CORES)}")
        if self.schedule not in ("cosine", "constant"):
            raise UserError(f"predictor: schedule {self.schedule!r} is unknown; choose cosine or constant")
        limits = {"embedding": 1024, "hidden": 2048, "layers": 16, "heads": 64, "context": 1024, "members": 64}
        limits |= {"window": 8192, "batch": 65_536, "passes": 100_000}
        for name, most in limits.items():
            if not 1 <= getattr(self, name) <= most:
                raise UserError(f"predictor: {name} = {getattr(self, name)} must lie in 1 to {most:,}")
        for name, most in {
            "patience": 10_000_000,
            "blocks": 64,
            "burn_in": 8192,
            "readout": 2048,
            "valid_rows": 1_000_000_000,
            "half_life": 100_000,
        }.items():
            if not 0 <= getattr(self, name) <= most:
                raise UserError(f"predictor: {name} = {getattr(self, name)} must lie in 0 to {most:,}")
        for name in ("dropout", "embedding_dropout", "input_dropout", "label_smoothing", "average"):
            if not 0 <= getattr(self, name) < 1:
                raise UserError(f"predictor: {name} = {getattr(self, name)} must lie in [0, 1)")
        if not 0 <= self.weight_decay <= 10:
            raise UserError(f"predictor: weight_decay = {self.weight_decay} must lie in 0 to 10")
        if unknown := [kind for kind in self.augment if kind not in KINDS]:
            raise UserError(f"predictor: augment {unknown[0]!r} is unknown; choose some of {', '.join(KINDS)}")
        if self.blocks and self.blocks < self.members:
            raise UserError(f"predictor: blocks = {self.blocks} must be at least members = {self.members}, or 0")
        if self.core == "transformer" and self.hidden % self.heads:
            raise UserError(f"predictor: hidden = {self.hidden} must be a multiple of heads = {self.heads}")

    @classmethod
    def for_log(cls, rows: int, pooled: bool = False, **changes: Any) -> PredictorSettings:
        """The preset for a training log of so many rows, with `changes` to single settings. `pooled`: for the nets of a
        pool, which leave blocks out."""
        # the fewer rows, the smaller the batch: a pass needs some dozens of updates
        preset: dict[str, Any] = {}
        if rows < SMALL_LOG:
            batch = min(16, max(2, rows // 120))
            passes = -(-_UPDATES * _SMALL["window"] * batch // max(1, rows))
            preset = _SMALL | {"batch": batch, "passes": min(_UPDATES, passes)}
        if pooled:
            if rows < SMALL_LOG:
                preset |= {"hidden": 64 if rows < _SMALLEST else 96, "learning_rate": 3e-3, "members": BLOCKS}
            members = changes.get("members") or preset.get("members", 1)
            preset["half_life"] = HALF_LIFE
            preset["blocks"] = max(BLOCKS if members > 1 else 2 * BLOCKS, members)
        return override(cls(**preset), changes, "predictor")

    def fine(self, start: PredictorSettings) -> PredictorSettings:
        """To go on, on a log of one's own, from networks with the settings `start`."""
        shape = {name: getattr(start, name) for name in SHAPE}
        patience = min(self.patience or FINE_PATIENCE, FINE_PATIENCE)
        return dataclasses.replace(self, **shape, learning_rate=FINE_RATE, patience=patience)


SHAPE = ("core", "embedding", "hidden", "readout", "layers", "heads", "context", "recency")  # of a network's weights
FINE_RATE, FINE_PATIENCE = 1e-3, 100  # a third of the rate that begins, for what is known is to be kept
HALF_LIFE = 21.0  # [days] of a pool's rows: people change within weeks
_SMALLEST = 1500  # rows below which several nets of half the width are better than of the whole
BLOCKS = 5  # in which a pool cuts its log, with as many nets for a small one; twice as many for a single net
_UPDATES = 1500  # at most, of a small log: the passes follow from it
_SMALL: dict[str, Any] = {
    "readout": 0,
    "dropout": 0.3,
    "embedding_dropout": 0.3,
    "input_dropout": 0.4,
    "label_smoothing": 0.05,
    "soon_weight": 0.0,
    "window": 32,
    "patience": 150,
    "learning_rate": 2e-3,
    "autocast": False,
    "schedule": "constant",
    "average": 0.98,
}
