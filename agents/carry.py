"""A predictor carried through an episode, one epoch at a time, for as many worlds as observations come in."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from lam_env.contracts import ActionPredictor, Observation, Prediction
from lam_env.logs.epochs import from_observation

FOLLOWUP = 4  # index in `epoch`: agent actions at this instant so far


class Carry(NamedTuple):
    """The predictor's state, and what it said at the last real epoch."""

    state: Any
    said: Prediction


def listen(
    predictor: ActionPredictor, observation: Observation, carry: Carry | None, episode_start: np.ndarray | None
) -> Carry:
    """Step the predictor on a batch of observations (N, ...). At a follow-up epoch it is not stepped: what it said
    of the instant stands, less what has been done (which the action mask takes away)."""
    n = len(observation["epoch"])
    if carry is None:
        carry = Carry(predictor.start(n), None)  # type: ignore[arg-type]
    elif episode_start is not None and np.any(episode_start):
        carry = Carry(predictor.reset(carry.state, np.asarray(episode_start, bool)), carry.said)  # type: ignore[attr-defined]
    active = observation["epoch"][:, FOLLOWUP] == 0
    if carry.said is not None and not active.any():
        return carry
    said, state = predictor.step(carry.state, from_observation(observation, predictor.vocabulary), active)
    if carry.said is not None and not active.all():
        said = Prediction(*(_keep(new, old, active) for new, old in zip(said, carry.said, strict=True)))
    return Carry(state, said)


def _keep(new: np.ndarray | None, old: np.ndarray | None, active: np.ndarray) -> Any:
    return None if new is None or old is None else np.where(active[:, None], new, old)


def anticipation(said: Prediction, slow: np.ndarray) -> np.ndarray:
    """(N, A) probability that an act is in time: the next head's; for slow devices also the soon head's."""
    q = said.next.copy()
    if said.soon is not None:
        q[:, slow] = np.maximum(q[:, slow], said.soon[:, slow])
    q[:, 0] = 0.0
    return q


def slow_actions(patience: tuple[int, ...], ticks: int = 300) -> np.ndarray:
    """(A,) bool: actions that may be anticipated by more than five minutes."""
    return np.asarray(patience) > ticks
