"""What another policy would have earned, from decisions logged with the probability with which each was chosen.

Two views. *Per decision* (contextual bandit): the mean reward of a decision if the other policy made that one decision,
in a context that the logged policy has met, and the logged one went on. Where acts change what people do later (trust,
congestion), the other policy would meet other contexts, which this number leaves out. *Per sequence*: the reward of the
first decisions of each trajectory if all of them were the other policy's. Contexts change as they would, but weights
are products, so it is of use for short horizons only.

Throughout, n decisions in order of trajectory and time: `weights` (n,) = P(action | other policy) / P(action | logged
policy); `reward` (n,); `trajectory` (n,) integers, whose decisions depend on each other: intervals are of independent
trajectories, with Student's t.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lam_env.evaluation.statistics import Interval, t_quantile

FEW = 30  # effective decisions, below which estimates are doubted
NEAR = 0.1  # of 1, in which no mean weight is doubted


class PolicyEstimate(NamedTuple):
    """One policy's value from a log. `mean_weight` is 1 but for chance where the logged policy may choose whatever the
    other does; far from it, the log tells little of the policy, whatever the intervals say. `effective`: decisions of
    the policy's own that the weights are worth (Kish, 1965), of n."""

    ips: Interval
    snips: Interval
    dr: Interval
    gain: Interval  # dr less what was earned in fact, its interval that of the difference
    effective: float
    weight: Interval  # its mean
    unlogged: float  # share of the policy's choices that no logged decision took
    n: int

    @property
    def mean_weight(self) -> float:
        return self.weight.value

    def doubts(self) -> list[str]:
        """Why the estimates may tell little of the policy."""
        found = []
        if self.unlogged > 0:
            found.append(f"{100 * self.unlogged:.3g} % of its choices are actions that were never logged")
        if self.effective < FEW:
            found.append(f"the log is worth {self.effective:,.1f} decisions of its own")
        if not self.weight.low <= 1 <= self.weight.high and abs(self.mean_weight - 1) > NEAR:
            why = "it does what the log holds too little of" if self.mean_weight < 1 else "so many cannot be by chance"
            found.append(f"the mean weight is {self.mean_weight:.2f} and not 1: {why}, or probabilities are wrong")
        return found


def estimate_policy(
    target: np.ndarray,
    action: np.ndarray,
    prob: np.ndarray,
    reward: np.ndarray,
    model: np.ndarray,
    trajectory: np.ndarray,
    level: float = 0.95,
) -> PolicyEstimate:
    """All estimates per decision. `target` (n, A): the other policy's probabilities; `action`, `prob` (n,): what was
    chosen, with which probability; `model` (n, A): reward expected of each action, by a fit on other trajectories."""
    weights = importance(target, action, prob)
    expected = (target * model).sum(1)
    rest = reward - model[np.arange(len(action)), action]
    never = np.bincount(action, minlength=target.shape[1]) == 0
    return estimate_weights(weights, expected, rest, reward, trajectory, float(target[:, never].sum(1).mean()), level)


def estimate_weights(
    weights: np.ndarray,
    expected: np.ndarray,
    rest: np.ndarray,
    reward: np.ndarray,
    trajectory: np.ndarray,
    unlogged: float = 0.0,
    level: float = 0.95,
) -> PolicyEstimate:
    """The same from the weights; `expected`, `rest` as in `doubly_robust`."""
    return PolicyEstimate(
        ips(weights, reward, trajectory, level),
        snips(weights, reward, trajectory, level),
        doubly_robust(weights, expected, rest, trajectory, level),
        _mean(expected + weights * rest - reward, trajectory, level),
        effective_size(weights),
        _mean(weights, trajectory, level),
        unlogged,
        len(weights),
    )


def importance(target: np.ndarray, action: np.ndarray, prob: np.ndarray) -> np.ndarray:
    """(n,) weights of the decisions."""
    if not ((prob > 0) & (prob <= 1)).all():
        raise ValueError("off_policy: probabilities of what was chosen must lie above 0 and not above 1")
    if target.shape[:1] != action.shape or (np.abs(target.sum(1) - 1) > 1e-4).any() or (target < 0).any():
        raise ValueError("off_policy: each row of target must be a distribution over the actions")
    return np.asarray(target[np.arange(len(action)), action] / prob)


def windowed(reward: np.ndarray, trajectory: np.ndarray, window: int) -> np.ndarray:
    """(n,) sums of each reward and those of the `window` - 1 decisions after it in its trajectory. An act may be
    answered some decisions later; the value of a policy is then that of one act of its own, after which the logged one
    goes on. Trajectories must lie together."""
    total = np.r_[0.0, np.cumsum(reward)]
    ends = np.flatnonzero(np.r_[trajectory[1:] != trajectory[:-1], True]) + 1
    end = np.repeat(ends, np.diff(ends, prepend=0))
    here = np.arange(len(reward))
    return np.asarray(total[np.minimum(here + window, end)] - total[here])


def ips(weights: np.ndarray, reward: np.ndarray, trajectory: np.ndarray, level: float = 0.95) -> Interval:
    """Inverse propensity scores: mean of w r (Horvitz and Thompson, 1952). Unbiased, and of large variance."""
    return _mean(weights * reward, trajectory, level)


def snips(weights: np.ndarray, reward: np.ndarray, trajectory: np.ndarray, level: float = 0.95) -> Interval:
    """Self-normalised: sum of w r / sum of w (Swaminathan and Joachims, NeurIPS 2015), with the delta method's
    interval. A policy that does nothing of what was logged has no value here: not a number."""
    total = weights.sum()
    if total <= 0:
        return Interval(np.nan, np.nan, np.nan)
    value = float((weights * reward).sum() / total)
    around = _mean(value + weights * (reward - value) / weights.mean(), trajectory, level)
    return Interval(value, around.low, around.high)


def doubly_robust(
    weights: np.ndarray, expected: np.ndarray, rest: np.ndarray, trajectory: np.ndarray, level: float = 0.95
) -> Interval:
    """A model of the reward, and weights on what it leaves over: mean of `expected` + w `rest` (Dudik, Langford and Li,
    ICML 2011). Right if either the model or the probabilities are. `expected` (n,): of the other policy's choice;
    `rest` (n,): of the logged one, reward - model."""
    return _mean(expected + weights * rest, trajectory, level)


def effective_size(weights: np.ndarray) -> float:
    """(sum of w)^2 / sum of w^2, between 1 and n; 0 if all weights are."""
    square = float((weights**2).sum())
    return float(weights.sum()) ** 2 / square if square else 0.0


class SequenceEstimate(NamedTuple):
    """Reward of the first `horizon` decisions of a trajectory. `effective`: trajectories of the policy's own that the
    last weights are worth."""

    value: Interval
    effective: float
    trajectories: int
    horizon: int


def per_decision_sampling(
    weights: np.ndarray,
    reward: np.ndarray,
    trajectory: np.ndarray,
    horizon: int,
    gamma: float = 1.0,
    level: float = 0.95,
) -> SequenceEstimate:
    """Per-decision importance sampling (Precup, Sutton and Singh, ICML 2000): a reward is weighed by the product of the
    weights up to it. Trajectories must lie together."""
    starts = np.flatnonzero(np.r_[True, trajectory[1:] != trajectory[:-1]])
    totals, last = [], []
    for first, end in zip(starts, [*starts[1:], len(weights)], strict=True):
        part = slice(first, min(end, first + horizon))
        products = np.cumprod(weights[part])
        totals.append(float((gamma ** np.arange(len(products)) * products * reward[part]).sum()))
        last.append(products[-1])
    value = _mean(np.array(totals), np.arange(len(totals)), level)
    return SequenceEstimate(value, effective_size(np.array(last)), len(totals), horizon)


def _mean(values: np.ndarray, trajectory: np.ndarray, level: float) -> Interval:
    """Mean of the decisions, with the interval that independent trajectories give it; of one there is none: NaN."""
    value, n = float(values.mean()), len(values)
    _, index = np.unique(trajectory, return_inverse=True)
    sums = np.bincount(index, values - value)
    k = len(sums)
    if k < 2:
        return Interval(value, np.nan, np.nan)
    half = t_quantile(level, k - 1) * float((sums**2).sum() * k / (k - 1)) ** 0.5 / n
    return Interval(value, value - half, value + half)
