"""Reference rows of adaptation: plug-ins that are told of a household's dislikes what no agent is told.

`known` is told what this household dislikes now. `bayes` is told how dislikes are drawn, has the exact posterior over
them given the household's answers so far, and is greedy. What lies between `plugin_context` and `bayes` can be learned
from answers; what lies between `bayes` and `known` they have not shown yet. Both value acts as `plugin_kind` does,
with acceptance = P(not disliked) (acceptance of what is not disliked). The latter, which corrects a prior that is too
sure, is counted in a trial that shows the dislikes.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from lam_env.core.contracts import Observation, Prediction, Training
from lam_env.core.dislikes import Dislikes
from lam_env.core.errors import UserError

from .carry import PredictorState, Starts
from .memory.heard import REJECTED
from .memory.network import PARTS
from .memory.plugin_kind import PlugInKind
from .plugin import SHRINK, PlugIn, count, estimate

WORLDS = 16  # of the trial, twice those of `plugin_context`: what is disliked says nothing of other acts
ONCE = 0.5  # pseudo-count of all answers of a kind: none is impossible because a trial did not show it


@dataclass
class Told(PlugInKind):
    """Acceptance is that of what is not disliked, times 1 - observation["disliked"] (N, A). As `plugin_kind` it counts
    what this household answers: it may be refused for other reasons."""

    def accepted(self, observation: Observation) -> np.ndarray:
        accepted: np.ndarray = super().accepted(observation) * (1 - observation["disliked"])
        return accepted


@dataclass
class Known(Told):
    """Sees what is disliked now, in the hidden state from column `first` on."""

    first: int = 0
    reveal = ("latent",)

    def predict(
        self, observation: Observation, state: Any = None, episode_start: Starts = None, deterministic: bool = True
    ) -> tuple[np.ndarray, PredictorState]:
        seen = observation | {"disliked": disliked_now(observation, self.first)}
        return super().predict(seen, state, episode_start, deterministic)


class Belief(NamedTuple):
    """What `Bayes` carries along, rows by household."""

    prior: PredictorState
    evidence: np.ndarray  # (N, C), as `Dislikes.posterior` has it
    disliked: np.ndarray  # (N, C + 1) what that comes to
    answers: np.ndarray  # (N, 2 A) accepted and rejected that it rests on

    @property
    def said(self) -> Prediction:
        return self.prior.said


@dataclass(kw_only=True)
class Bayes(Told):
    """Has the posterior over `dislikes`. `weights` (2 A,): what one acceptance and one rejection of each action say, as
    log P(it | disliked) / P(it | not)."""

    dislikes: Dislikes
    weights: np.ndarray

    def predict(  # type: ignore[override]
        self,
        observation: Observation,
        state: Belief | None = None,
        episode_start: Starts = None,
        deterministic: bool = True,
    ) -> tuple[np.ndarray, Belief]:
        cells = self.dislikes.cells_at(observation["epoch"][:, 0])
        heard = self.counts.by_action(observation)[:, : REJECTED + 1].reshape(len(cells), -1)
        evidence, disliked, answers = self._heard(heard, cells, state, episode_start)
        seen = observation | {"disliked": np.take_along_axis(disliked, cells, 1)}
        prior = None if state is None else state.prior
        actions, prior = super().predict(seen, prior, episode_start, deterministic)
        return actions, Belief(prior, evidence, disliked, answers)

    def _heard(
        self, answers: np.ndarray, cells: np.ndarray, state: Belief | None, episode_start: Starts
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Evidence, posterior and answers, from the counts of answers (N, 2 A) and the cells (N, A) of now, in which
        new answers are."""
        n, a = cells.shape
        if state is None:
            evidence, before = np.zeros((n, self.dislikes.p.shape[1])), np.zeros_like(answers)
            disliked, fresh = self.dislikes.posterior(evidence), np.zeros(n, bool)
        else:
            evidence, disliked, before = state.evidence.copy(), state.disliked, state.answers
            fresh = np.zeros(n, bool) if episode_start is None else np.asarray(episode_start, bool)
            evidence[fresh], before = 0.0, np.where(fresh[:, None], 0, before)
        new = (answers - before) * self.weights
        if new.any() or fresh.any():
            says, rows = new[:, :a] + new[:, a:], np.arange(n)[:, None]
            told = np.concatenate([evidence, np.zeros((n, 1))], 1)  # the last column is that of no cell
            np.add.at(told, (rows, cells), says)
            evidence = told[:, :-1]
            disliked = self.dislikes.posterior(evidence)
        return evidence, disliked, answers.copy()


def disliked_now(observation: Observation, first: int) -> np.ndarray:
    """(N, A) 0 or 1, from the hidden state."""
    a = observation["action_mask"].shape[1]
    disliked: np.ndarray = observation["latent"][:, first : first + a]
    return disliked


class ToldAgent:
    """Fits `Known`, or `Bayes`, to a trial in `worlds`."""

    def __init__(self, bayes: bool, worlds: int = WORLDS):
        self.bayes, self.worlds = bayes, worlds

    def fit(self, training: Training) -> Told:
        drawn = training.dislikes
        if drawn is None:
            raise UserError("known and bayes need a scenario that says how dislikes are drawn; leave them out")
        before = PlugIn.untried(training.prior, training)
        liked, disliked = count(
            before,
            training,
            self.worlds,
            PARTS,
            lambda seen: disliked_now(seen, drawn.latent).astype(int),
            ("latent",),
        )
        counted = estimate(liked, before)
        common = {f.name: getattr(counted, f.name) for f in fields(PlugIn)}
        if self.bayes:
            return Bayes(**common, dislikes=drawn, weights=weights(liked, disliked))
        return Known(**common, first=drawn.latent)


def weights(liked: np.ndarray, disliked: np.ndarray) -> np.ndarray:
    """(2 A,) as `Bayes` has them, from counts (5, bins, A): answers per try of an action, shrunk to those of all."""
    rates = []
    for tried, _, *answers, _ in (disliked.sum(1), liked.sum(1)):
        of_all = [(each.sum() + ONCE) / (tried.sum() + 2 * ONCE) for each in answers]
        rates.append(
            np.concatenate(
                [(each + SHRINK * rate) / (tried + SHRINK) for each, rate in zip(answers, of_all, strict=True)]
            )
        )
    logs: np.ndarray = np.log(rates[0]) - np.log(rates[1])
    return logs


NEEDS = ("prior", "dislikes")
MEANINGS = {
    "bayes": "`plugin_kind` with the exact posterior over a household's dislikes: what its answers can tell at most",
    "known": "`plugin_kind` that is told a household's dislikes",
}
AGENTS = {"bayes": partial(ToldAgent, True), "known": partial(ToldAgent, False)}
