"""A predictor carried through an episode, one decision point at a time, for as many worlds as observations come in.

In a world of persons each is a stream: the state has a row per (person, world), and grows as persons come up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from lam_env.config.convert import short
from lam_env.core.contracts import ActionPredictor, Observation, Prediction
from lam_env.core.errors import UserError
from lam_env.core.events import Vocabulary
from lam_env.logs.decision_points import from_observation

from . import states

USER, FOLLOWUP = 2, 4  # columns of `epoch`: whose it is, and the agent's actions at this instant so far


class PredictorState(NamedTuple):
    """The predictor's state, rows by (person, world), and what it said at each world's last real decision point."""

    state: Any
    said: Prediction
    people: int = 1


Carried = PredictorState | None
Starts = np.ndarray | None  # (N,) bool: where an episode begins


def check_batch(observation: object, vocabulary: Vocabulary) -> None:
    """UserError unless these are observations (N, ...) of a world with this vocabulary."""
    named = {"action_mask": len(vocabulary), "context": len(vocabulary.readings)}
    if not isinstance(observation, Mapping) or not named.keys() <= observation.keys():
        raise UserError(f"predict: the observation is {short(observation)}; give a batch of the kit's, a dictionary")
    for part, width in named.items():
        shape = np.shape(observation[part])
        if len(shape) == 1:
            raise UserError(
                "predict: the observation is one alone; give a batch: {k: v[None] for k, v in observation.items()}"
            )
        if len(shape) != 2 or shape[1] != width:
            what = f"{part} of shape {shape}, not (N, {width:,})"
            raise UserError(f"predict: the observation has {what}; give one of the world that the policy is of")


def update(
    predictor: ActionPredictor, observation: Observation, carry: Carried, episode_start: Starts
) -> PredictorState:
    """Step the predictor on a batch of observations (N, ...). At a follow-up decision it is not stepped: what it said
    of the instant stands, less what has been done (which the action mask takes away)."""
    n = len(observation["epoch"])
    if carry is None:
        carry = PredictorState(predictor.start(n), None)  # type: ignore[arg-type]
    elif episode_start is not None and np.any(episode_start):
        fresh = np.tile(np.asarray(episode_start, bool), carry.people)
        carry = carry._replace(state=predictor.reset(carry.state, fresh))
    active = observation["epoch"][:, FOLLOWUP] == 0
    if carry.said is not None and not active.any():
        return carry
    points, user = from_observation(observation, predictor.vocabulary), observation["epoch"][:, USER]
    if getattr(predictor, "shared", False):  # one stream, of which it is told who did what
        user = np.zeros_like(user)
    most = int(user.max()) + 1
    if carry.people == most == 1:
        said, state = predictor.step(carry.state, points, active)
    else:
        if most > carry.people:
            people = max(most, 2 * carry.people)
            more = predictor.start(n * (people - carry.people))
            carry = carry._replace(state=states.each(np.concatenate, carry.state, more), people=people)
        rows, state = user * n + np.arange(n), carry.state
        said, after = predictor.step(states.each(lambda arrays: arrays[0][rows], state), points, active)
        states.put(state, rows, after)  # in place: a copy of all persons would cost more than the step
    if carry.said is not None and not active.all():
        said = Prediction(*(_keep(new, old, active) for new, old in zip(said, carry.said, strict=True)))
    return PredictorState(state, said, carry.people)


def plain(carry: Carried) -> dict[str, Any] | None:
    """A carried state as plain data."""
    if carry is None:
        return None
    return {"state": states.plain(carry.state), "said": list(carry.said), "people": carry.people}


def carried(predictor: ActionPredictor, kept: dict[str, Any] | None, n: int) -> Carried:
    """What `plain` was given, of n worlds."""
    if kept is None:
        return None
    state = states.restored(predictor.start(n * kept["people"]), kept["state"])
    return PredictorState(state, Prediction(*kept["said"]), kept["people"])


def _keep(new: np.ndarray | None, old: np.ndarray | None, active: np.ndarray) -> Any:
    return None if new is None or old is None else np.where(active[:, None], new, old)


class CarriedPolicy:
    """A policy on what a predictor says, which its state carries along: it does what scores highest."""

    predictor: ActionPredictor

    def scores(self, observation: Observation, said: Prediction) -> np.ndarray:
        """(N, A) of which the largest is done, given what the predictor says."""
        raise NotImplementedError

    def predict(
        self, observation: Observation, state: Carried = None, episode_start: Starts = None, deterministic: bool = True
    ) -> tuple[np.ndarray, PredictorState]:
        check_batch(observation, self.predictor.vocabulary)
        state = update(self.predictor, observation, state, episode_start)
        return self.scores(observation, state.said).argmax(1), state


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
