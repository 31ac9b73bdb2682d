"""Which worlds are whose. A world is drawn from its seed alone, so what learns and what judges share no seed."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from enum import Enum
from typing import SupportsIndex

import numpy as np

from lam_env.config.convert import short
from lam_env.core.errors import UserError

TRAINING_SEEDS = 500_000
MOST = 1 << 64  # seeds of worlds
BLOCK = 10_000_000  # a training seed has one, and most uses their room in it


class Use(Enum):
    """`first` world seed of seed 0, `room` for so many worlds, how many `seeds`, how far `apart` their rooms begin."""

    FINE_TUNING = 0, 100_000, TRAINING_SEEDS, 3 * BLOCK  # three: the calibration's room begins where block 2 does
    TRAINING_LOG = 100_000, 200_000, TRAINING_SEEDS, BLOCK
    HIDDEN_LOG = 300_000, 200_000, TRAINING_SEEDS, BLOCK  # whose hidden state `informed` learns from
    TWIN = 500_000, 200_000  # compared with the real home
    TRYING = 800_000, 100_000  # an agent of one's own, before the run begins
    HEAD_CHOICE = 900_000, 500, TRAINING_SEEDS, BLOCK  # on which settings and the best of a training are chosen
    PLUGIN_TRIAL = 900_500, 99_500, TRAINING_SEEDS, BLOCK  # in which answers are counted
    VALIDATION = 1_000_000, 1_000, 1_000, 1_000  # settings are chosen on these evaluation seeds,
    TEST = 2_000_000, 1_000, 1_000, 1_000  # and tables made on these
    DECISIONS = 3_000_000, 2_000_000, 1_000_000, BLOCK  # a recorded log of a policy's
    COHORT = 5_000_000, 5_000_000, 1_001, BLOCK  # people whom nobody advises
    CALIBRATION = 20_000_000, 8_000, 12, 8_000  # seeds are rounds
    SIMULATED_LOG = 1 << 44, 1 << 32, 1_000_000, 1 << 32  # in parts
    UNSEEDED = 1 << 62, 1 << 32  # an environment that is reset without a seed

    def __init__(self, first: int, room: int, seeds: int = 1, apart: int = 0):
        self.first, self.room, self.seeds, self.apart = first, room, seeds, apart


def world_seeds(use: Use, n: int, seed: int = 0) -> range:
    """The seeds of n worlds; `seed`: the training seed, or whichever the use has. UserError if there is no room."""
    what = use.name.lower().replace("_", " ")
    if not 0 <= seed < use.seeds:
        raise UserError(f"seed={seed} of {what}: give a whole number from 0 to {use.seeds - 1}")
    if n > use.room:
        raise UserError(f"{n:,} worlds of {what}: there is room for {use.room:,}; take fewer")
    first = use.first + use.apart * seed
    return range(first, first + n)


def eval_seeds(seeds: Iterable[int], worlds: int, split: str = "test") -> list[int]:
    """World seeds of evaluation seeds, batch by batch. `split`: "validation" to choose settings, "test" for tables."""
    return [i for seed in seeds for i in world_seeds(Use[split.upper()], worlds, seed)]


def unseeded(rng: np.random.Generator) -> int:
    """The first world seed of an environment that is given none."""
    return Use.UNSEEDED.first + int(rng.integers(1 << 31))


def checked(seed: SupportsIndex) -> int:
    """A world's seed, of Python or numpy, as Python's number; UserError beyond 64 bits, where worlds would repeat."""
    try:
        whole = operator.index(seed)
    except TypeError:
        whole = -1
    if not 0 <= whole < MOST:
        raise UserError(f"seed {short(seed)}: a world's seed is a whole number from 0 to 2**64 - 1; give one")
    return whole
