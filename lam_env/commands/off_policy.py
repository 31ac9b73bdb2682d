"""python -m lam_env off_policy log=runs/decisions-1 policy=runs/smart_home-1

Estimates from a log of decisions what other policies would have earned. The log is one of `python -m lam_env record`;
no simulator is needed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lam_env.config.cli import cli_errors, parse, setting
from lam_env.core import registry
from lam_env.core.catalogue import DR, ESS, GAIN, IPS, MEAN_WEIGHT, PDIS, PDIS_ESS, SNIPS
from lam_env.core.errors import UserError
from lam_env.core.files.outputs import replace_text
from lam_env.core.progress import Report, silent
from lam_env.experiment.settings import MEMORY, TIMEOUT
from lam_env.launch.child import DiedError, Limits, apart, kit_at_work
from lam_env.launch.job import one_line, one_thread

if TYPE_CHECKING:
    from lam_env.core.contracts import Policy
    from lam_env.evaluation.decisions import Decisions
    from lam_env.evaluation.off_policy import PolicyEstimate, SequenceEstimate
    from lam_env.evaluation.statistics import Interval
    from lam_env.evaluation.tables import Provenance, Table

LOGGED = "logged"  # the row of what was earned in fact
LEAST = 5  # effective decisions or trajectories, below which an interval would pretend to know


@dataclass(frozen=True)
class OffPolicySettings:
    """Estimate from a log of decisions what other policies would have earned."""

    log: str = setting("", "folder of a log of decisions")
    policy: tuple[str, ...] = setting(
        ("none",), "policies: run folders (their tuned policy), none, random, or module:Class with predict", code=True
    )
    sampled: bool = setting(
        False, "policies that can, choose by chance, as in training; otherwise by their largest value"
    )
    window: int = setting(
        1, "decisions whose rewards count for one: as many as it takes until an act is answered", low=1, high=10_000
    )
    horizon: int = setting(10, "decisions of a trajectory that the estimate per sequence sums up", low=1, high=10_000)
    agent_memory: float | None = setting(None, MEMORY, low=0.01, name="agent.memory")
    agent_timeout: float = setting(600.0, TIMEOUT, low=1, name="agent.timeout")
    out: str | None = setting(None, "folder to write off_policy.csv and off_policy.md to (default: only shown)")


def main(argv: Sequence[str]) -> int:
    one_thread()
    with cli_errors():
        settings = parse(OffPolicySettings, argv, "python -m lam_env off_policy")
        if not settings.log:
            raise UserError("log= is missing: give a log of decisions, such as log=runs/decisions-1")
        if not settings.policy:
            raise UserError("policy=: give one or several")
        run(settings, " ".join(["python -m lam_env off_policy", *argv]))
    return 0


def run(settings: OffPolicySettings, command: str) -> None:
    """Loads everything, then estimates, shows, and writes if asked to."""
    from lam_env.evaluation import results
    from lam_env.evaluation.decisions import Decisions
    from lam_env.evaluation.tables import Provenance, versions
    from lam_env.experiment.policies import policy_of
    from lam_env.experiment.run_folder import choose_folder

    s = settings
    path = choose_folder(s.out, "off_policy") if s.out else None
    decisions = Decisions.load(s.log)
    kits = [name for name in s.policy if not registry.names_code(name)]
    policies = {name: policy_of(name, decisions.log.vocabulary) for name in kits}
    estimates = {}
    for name in dict.fromkeys(s.policy):
        if name in policies:
            estimates[name] = evaluate_policy(decisions, policies[name], not s.sampled, s.window, s.horizon)
        else:
            estimates[name] = _evaluate_apart(s, name)
    fact, about = logged(decisions, s.window, s.horizon), Provenance(command, versions=versions())
    for table in tables_of(s, fact, estimates, about, intervals=False):
        table.show()
    if path is not None:
        scenario = str(decisions.log.meta.get("scenario", "log"))
        rows = []
        for name, (one, sequence) in estimates.items():
            rows += results.result_rows(policy_scores(one, sequence), scenario, name, 0, 0, "off_policy")
        path.mkdir(parents=True, exist_ok=True)
        results.write(path / "off_policy.csv", rows)
        text = [table.markdown() for table in tables_of(s, fact, estimates, about)]
        replace_text(path / "off_policy.md", "\n".join(text))
        print(f"written: {path}")


def _evaluate_apart(settings: OffPolicySettings, name: str) -> tuple[PolicyEstimate, SequenceEstimate]:
    """Of a policy of the user's own, whose code runs in a process of its own."""
    limits = Limits.of(settings.agent_memory, settings.agent_timeout)
    try:
        return apart(limits, evaluate_own, (settings, name), silent)
    except DiedError as died:
        raise UserError(f"policy {name}: {died}") from None


def evaluate_own(s: OffPolicySettings, name: str, report: Report) -> tuple[PolicyEstimate, SequenceEstimate]:
    """A job: `evaluate_policy` of a policy of the user's own."""
    from lam_env.evaluation.decisions import Decisions
    from lam_env.experiment.agent_check import watched
    from lam_env.experiment.policies import policy_of

    with kit_at_work():
        decisions = Decisions.load(s.log)
    policy = watched(policy_of(name, decisions.log.vocabulary))
    try:
        return evaluate_policy(decisions, policy, not s.sampled, s.window, s.horizon)
    except (Exception, SystemExit) as error:  # whatever a stranger's code raises
        raise UserError(f"policy {name}: {one_line(error)}") from None


def evaluate_policy(
    decisions: Decisions, policy: Policy, deterministic: bool = True, window: int = 1, horizon: int = 10
) -> tuple[PolicyEstimate, SequenceEstimate]:
    """The value of a policy per decision and of the first `horizon` decisions, from a log."""
    from lam_env.evaluation.decisions import asked_again
    from lam_env.evaluation.off_policy import estimate_policy, importance, per_decision_sampling, windowed
    from lam_env.evaluation.reward_model import cross_fitted

    target, soft = asked_again(decisions, policy, deterministic)
    with kit_at_work():
        known, action, prob, reward, trajectory = _columns(decisions)
        target = target[known]
        observation = {k: v[known] for k, v in decisions.observation.items()}
        sums = windowed(reward, trajectory, window)
        model = cross_fitted(observation, action, sums, trajectory, None if soft is None else soft[known])
        one = estimate_policy(target, action, prob, sums, model, trajectory)
        return one, per_decision_sampling(importance(target, action, prob), reward, trajectory, horizon)


def logged(decisions: Decisions, window: int = 1, horizon: int = 10) -> tuple[Interval, SequenceEstimate]:
    """What was earned in fact: per decision, and in the first `horizon` decisions."""
    from lam_env.evaluation.off_policy import ips, per_decision_sampling, windowed

    _, _, _, reward, trajectory = _columns(decisions)
    ones = np.ones(len(reward))
    mean = ips(ones, windowed(reward, trajectory, window), trajectory)
    return mean, per_decision_sampling(ones, reward, trajectory, horizon)


def _columns(decisions: Decisions) -> tuple[np.ndarray, ...]:
    """Rows whose reward is known, in order of trajectory and time; their actions, probabilities, rewards and
    trajectories, each (rows,)."""
    log, rows = decisions.log, decisions.rows
    reward, trajectory = log.value[rows].astype(float), decisions.trajectory
    order = np.argsort(trajectory, kind="stable")
    known = order[np.isfinite(reward[order])]
    action, prob = log.token[rows][known].astype(np.int64), log.prob[rows][known].astype(float)
    return known, action, prob, reward[known], trajectory[known]


def policy_scores(one: PolicyEstimate, sequence: SequenceEstimate) -> dict[str, float]:
    """As rows of results; what is not a number is left out."""
    scores = {IPS: one.ips.value, SNIPS: one.snips.value, DR: one.dr.value, GAIN: one.gain.value}
    scores |= {ESS: one.effective, MEAN_WEIGHT: one.mean_weight}
    scores |= {PDIS: sequence.value.value, PDIS_ESS: sequence.effective}
    return {k.id: v for k, v in scores.items() if np.isfinite(v)}


def tables_of(
    settings: OffPolicySettings,
    fact: tuple[Interval, SequenceEstimate],
    estimates: dict[str, tuple[PolicyEstimate, SequenceEstimate]],
    about: Provenance,
    intervals: bool = True,
) -> tuple[Table, Table]:
    """Per decision, and per sequence. Without `intervals` only the gain has one: for a terminal."""
    from lam_env.evaluation.tables import Table

    (mean, first), n = fact, next(iter(estimates.values()))[0].n
    label = _labels(list(estimates))
    rows: list[tuple[str, ...]] = [(LOGGED, _cell(mean, intervals), "", "", "", f"{n:,}", "")]
    whole_rows = [(LOGGED, _cell(first.value, True, first.effective), f"{first.trajectories:,}")]
    for name, (e, q) in estimates.items():
        values = (_cell(value, intervals, e.effective) for value in (e.ips, e.snips, e.dr))
        gain = _cell(e.gain, True, e.effective)
        rows.append((label[name], *values, gain, f"{e.effective:,.0f}", f"{e.mean_weight:.2f}"))
        whole_rows.append((label[name], _cell(q.value, True, q.effective), f"{q.effective:,.1f}"))
    window = f"{settings.window} decisions from each on" if settings.window > 1 else "a decision"
    one = Table(
        f"reward of {window}, had the policy chosen that one",
        ("policy", *(m.heading for m in (IPS, SNIPS, DR, GAIN, ESS, MEAN_WEIGHT))),
        tuple(rows),
        (
            f"{settings.log}: {n:,} decisions in {first.trajectories:,} trajectories."
            " 95 % intervals over trajectories: Student's t.",
            "Contexts, and what follows a decision, are the logged policy's:"
            " what people would become under the other one is not in it.",
            "Gain: more than was earned in fact. ESS: decisions of the policy's own that the log is worth;"
            f" below {LEAST} there is no interval. Weight: mean of the weights,"
            " 1 but for chance if the log holds what the policy does.",
        ),
    )
    whole = Table(
        f"reward of a trajectory's first {min(settings.horizon, n)} decisions, had the policy chosen them all",
        ("policy", PDIS.heading, PDIS_ESS.heading),
        tuple(whole_rows),
        ("ESS: trajectories of the policy's own that the log is worth.", *about.lines()),
    )
    return one, whole


def _labels(names: list[str]) -> dict[str, str]:
    """Run folders by their last name, unless two are alike: a table is narrow."""
    last = {name: name if registry.names_code(name) else os.path.basename(os.path.normpath(name)) for name in names}
    return last if len(set(last.values())) == len(last) else {name: name for name in names}


def _cell(estimate: Interval, interval: bool = True, effective: float = LEAST) -> str:
    if np.isnan(estimate.value):
        return "none alike"
    sure = interval and not np.isnan(estimate.low) and effective >= LEAST
    return f"{estimate.value:.4f}" + (f" [{estimate.low:.4f}, {estimate.high:.4f}]" if sure else "")
