"""What other policies would have earned in logged decisions: of the kit's own log, or of a table of another system."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from lam_env.core import registry
from lam_env.core.contracts import Policy
from lam_env.core.errors import UserError
from lam_env.evaluation.decisions import Decisions, asked_again
from lam_env.evaluation.off_policy import table_policies
from lam_env.evaluation.off_policy.decision_table import DecisionTable
from lam_env.evaluation.off_policy.estimates import (
    PolicyEstimate,
    SequenceEstimate,
    estimate_policy,
    estimate_weights,
    importance,
    ips,
    per_decision_sampling,
    windowed,
)
from lam_env.evaluation.off_policy.reward_model import by_action, cross_fitted
from lam_env.evaluation.statistics import Interval
from lam_env.experiment.acting import own, policy_of
from lam_env.experiment.agent_check import watched
from lam_env.launch.child import kit_at_work
from lam_env.launch.job import blamed
from lam_env.logs.input.files import written_in

MOST = 10**8  # decisions of a table times actions: numbers of an array


class Estimates(NamedTuple):
    """A policy per decision, and over the first decisions of a trajectory, unless decisions stand alone."""

    one: PolicyEstimate
    sequence: SequenceEstimate | None


class Fact(NamedTuple):
    """What was earned in fact: likewise."""

    mean: Interval
    sequence: SequenceEstimate | None


class Source(Protocol):
    """Where decisions are logged."""

    @property
    def scenario(self) -> str:
        """Whose results these are."""

    def about(self) -> list[str]:
        """How much there is, and what has to be known of it."""

    def usual(self) -> tuple[str, ...]:
        """The policies that are judged where none are named."""

    def is_code(self, name: str) -> bool:
        """Is a policy code of the user's own?"""

    def policy(self, name: str) -> Any:
        """What `judge` takes; UserError where there is none."""

    def judge(self, name: str, policy: Any, sampled: bool, window: int, horizon: int) -> Estimates: ...

    def fact(self, window: int, horizon: int) -> Fact: ...


@dataclass(frozen=True)
class OwnLog:
    """One of `lam record`."""

    path: str
    decisions: Decisions

    @property
    def scenario(self) -> str:
        return str(self.decisions.log.meta.get("scenario", "log"))

    def about(self) -> list[str]:
        *_, trajectory = _columns(self.decisions)
        return [f"{self.path}: {len(trajectory):,} decisions in {len(np.unique(trajectory)):,} trajectories."]

    def usual(self) -> tuple[str, ...]:
        return ("none",)

    def is_code(self, name: str) -> bool:
        return registry.names_code(name.partition("@")[0])

    def policy(self, name: str) -> Policy:
        found = policy_of(name, self.decisions.log.vocabulary)
        return watched(found) if self.is_code(name) else found

    def judge(self, name: str, policy: Policy, sampled: bool, window: int, horizon: int) -> Estimates:
        return evaluate_policy(self.decisions, policy, not sampled, window, horizon)

    def fact(self, window: int, horizon: int) -> Fact:
        return logged(self.decisions, window, horizon)


@dataclass(frozen=True)
class ForeignTable:
    """One of another system."""

    table: DecisionTable

    @property
    def scenario(self) -> str:
        return "table"

    def about(self) -> list[str]:
        lines = [self.table.about()]
        if self.table.policies:
            names = ", ".join(self.table.policies)
            lines.append(
                f"{names}: only the chosen action's probability is known, so the model of DR is one of the context"
                " alone: it narrows intervals, and makes up for no wrong probability."
            )
        return lines

    def usual(self) -> tuple[str, ...]:
        return (*self.table.policies, table_policies.RANDOM)

    def is_code(self, name: str) -> bool:
        known = name in self.table.policies or name.startswith(table_policies.SAME)
        return registry.names_code(name) and not known

    def policy(self, name: str) -> object:
        """A column of the table, an `Answer`, or an object of the user's own, not yet asked."""
        if name in self.table.policies:
            return self.table.policies[name]
        self._check_size()
        return own(name) if self.is_code(name) else table_policies.by_name(self.table, name)

    def judge(self, name: str, policy: object, sampled: bool, window: int, horizon: int) -> Estimates:
        t, sums = self.table, self._sums(window)
        if isinstance(policy, np.ndarray):
            weights = policy / t.prob
            expected = by_action(t.features(), 1, np.zeros_like(t.action), sums, t.trajectory)[:, 0]
            one = estimate_weights(weights, expected, sums - expected, sums, t.trajectory)
        else:
            if not isinstance(policy, table_policies.Answer):
                with blamed(f"policy {name}"):
                    policy = table_policies.answer_of(t, policy, sampled)
            with kit_at_work():
                p, weights = policy.p, importance(policy.p, t.action, t.prob)
                model = by_action(t.features(), p.shape[1], t.action, sums, t.trajectory)
                one = estimate_policy(p, t.action, t.prob, sums, model, t.trajectory)
        return Estimates(one, None if t.alone else per_decision_sampling(weights, t.reward, t.trajectory, horizon))

    def fact(self, window: int, horizon: int) -> Fact:
        t = self.table
        return _in_fact(self._sums(window), t.reward, t.trajectory, None if t.alone else horizon)

    def _sums(self, window: int) -> np.ndarray:
        if self.table.alone and window > 1:
            raise UserError(f"window={window}: decisions stand alone; name whose they are: columns=...,user:COLUMN")
        return windowed(self.table.reward, self.table.trajectory, window)

    def _check_size(self) -> None:
        n, k = len(self.table.action), len(self.table.actions)
        if n * k > MOST:
            remedy = "say what the other policy would have done as a column: columns=...,policy:COLUMN"
            raise UserError(f"{self.table.source}: {k:,} actions in {n:,} decisions are too many to ask for; {remedy}")


def source_of(
    log: str, table: str, columns: str | None, encoding: str | None = None, wrong_rows: str | None = None
) -> Source:
    """The log, or if there is none the table, of which is said what its `columns` are and how it is written."""
    if log:
        return OwnLog(log, Decisions.load(log))
    with written_in(encoding):
        return ForeignTable(DecisionTable.load(table, columns or "", wrong_rows == "skip"))


def evaluate_policy(
    decisions: Decisions, policy: Policy, deterministic: bool = True, window: int = 1, horizon: int = 10
) -> Estimates:
    """The value of a policy per decision and of the first `horizon` decisions, from a log."""
    target, soft = asked_again(decisions, policy, deterministic)
    with kit_at_work():
        known, action, prob, reward, trajectory = _columns(decisions)
        target = target[known]
        observation = {k: v[known] for k, v in decisions.observation.items()}
        sums = windowed(reward, trajectory, window)
        model = cross_fitted(observation, action, sums, trajectory, None if soft is None else soft[known])
        one = estimate_policy(target, action, prob, sums, model, trajectory)
        return Estimates(one, per_decision_sampling(importance(target, action, prob), reward, trajectory, horizon))


def logged(decisions: Decisions, window: int = 1, horizon: int = 10) -> Fact:
    """What was earned in fact: per decision, and in the first `horizon` decisions."""
    _, _, _, reward, trajectory = _columns(decisions)
    return _in_fact(windowed(reward, trajectory, window), reward, trajectory, horizon)


def _in_fact(sums: np.ndarray, reward: np.ndarray, trajectory: np.ndarray, horizon: int | None) -> Fact:
    ones = np.ones(len(reward))
    whole = None if horizon is None else per_decision_sampling(ones, reward, trajectory, horizon)
    return Fact(ips(ones, sums, trajectory), whole)


def _columns(decisions: Decisions) -> tuple[np.ndarray, ...]:
    """Rows whose reward is known, in order of trajectory and time; their actions, probabilities, rewards and
    trajectories, each (rows,)."""
    log, rows = decisions.log, decisions.rows
    reward, trajectory = log.value[rows].astype(float), decisions.trajectory
    order = np.argsort(trajectory, kind="stable")
    known = order[np.isfinite(reward[order])]
    action, prob = log.token[rows][known].astype(np.int64), log.prob[rows][known].astype(float)
    return known, action, prob, reward[known], trajectory[known]
