"""What a step of a predictor's networks rests on, as plain numbers: for networks that are stepped in torch.

An object that is carried like a predictor (`carry.update`) and says, in the place of probabilities, one row a stream:
`steps`, how many decision points its networks have seen; tokens (BAG,) and features (F,) of the last of them; of a pool
also counts (A,), what its counts said then, and acts, whether the user acts before the next decision point. Networks
have to be stepped where `steps` is not what it was.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lam_env.core.contracts import Prediction
from lam_env.core.errors import UserError
from lam_env.logs.decision_points import BAG, DecisionPoints

from ..states import fresh
from .network import Predictor
from .pool import Pool


@dataclass
class InputState:
    """Of n streams: steps (n,); last, today (n, V) and day (n,) as in `Featuriser.step`."""

    steps: np.ndarray
    last: np.ndarray
    today: np.ndarray
    day: np.ndarray

    @property
    def h(self) -> np.ndarray:
        """A pool asks for a hidden state, of which there is none."""
        return self.today[:, :0]


class NetInputs:
    """Of networks."""

    n_hidden = 0

    def __init__(self, networks: Predictor):
        self.vocabulary, self.featuriser, self.settings = networks.vocabulary, networks.featuriser, networks.settings
        self.timer = networks.timer
        self.n_features = self.featuriser.size
        self.width = 1 + BAG + self.n_features

    def start(self, n: int) -> InputState:
        recency = self.vocabulary.n_tokens if self.settings.recency else 0
        memory = np.zeros((n, recency), np.int64), np.zeros((n, recency), np.float32)
        return InputState(np.zeros(n, np.int64), *memory, np.zeros(n, np.int64))

    def reset(self, state: InputState, rows: np.ndarray) -> InputState:
        return fresh(state, self.start(len(state.steps)), rows)

    def step(self, state: InputState, points: DecisionPoints, active: np.ndarray) -> tuple[Prediction, InputState]:
        after = InputState(state.steps + 1, state.last.copy(), state.today.copy(), state.day.copy())
        features = self.featuriser.step(points, after.last, after.today, after.day)
        if not active.all():
            after = fresh(state, after, active)
        row = [after.steps[:, None], points.tokens, features]
        return Prediction(np.concatenate(row, 1, dtype=np.float32, casting="unsafe")), after


class PoolInputs(Pool):
    """Of a pool, whose counts go on here."""

    def __init__(self, pool: Pool):
        inputs = NetInputs(pool.networks)
        super().__init__(inputs, pool.counts, pool.weights, pool.acts)  # type: ignore[arg-type]
        self.n_features = inputs.n_features
        self.width = inputs.width + len(self.vocabulary) + (self.acts is not None)

    @property
    def _said(self) -> int:
        return self.width - (self.acts is not None)

    def pooled(self, nets: np.ndarray, counts: np.ndarray) -> np.ndarray:
        return np.concatenate([nets, counts], 1)

    def _both(self, acts: np.ndarray, said: np.ndarray, hidden: np.ndarray | None) -> Prediction:
        return Prediction(np.concatenate([said, acts], 1))


def inputs_of(predictor: object) -> NetInputs | PoolInputs:
    """UserError for a predictor of another kind."""
    if not isinstance(predictor, Predictor | Pool):
        kind = type(predictor).__name__
        raise UserError(f"train.tune=full, and a GPU, need a neural predictor, and this one is {kind}: leave both away")
    return PoolInputs(predictor) if isinstance(predictor, Pool) else NetInputs(predictor)
