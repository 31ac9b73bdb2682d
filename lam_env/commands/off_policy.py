"""python -m lam_env off_policy log=runs/decisions-1 policy=runs/smart_home-1

Estimates from logged decisions what other policies would have earned. They are a log of `python -m lam_env record`, or
a table of any system that chose by chance; no simulator is needed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from lam_env.config.cli import cli_errors, command_line, parse, setting
from lam_env.core.catalogue import DR, ESS, GAIN, IPS, MEAN_WEIGHT, PDIS, PDIS_ESS, SNIPS
from lam_env.core.errors import UserError
from lam_env.core.files.outputs import replace_text
from lam_env.core.progress import Report, silent
from lam_env.experiment.settings import MEMORY, TIMEOUT
from lam_env.launch.child import DiedError, Limits, apart, kit_at_work
from lam_env.launch.job import one_thread

if TYPE_CHECKING:
    from lam_env.evaluation.statistics import Interval
    from lam_env.evaluation.tables import Provenance, Table
    from lam_env.experiment.logs.decisions import Estimates, Fact, Source

LOGGED = "logged"  # the row of what was earned in fact
LEAST = 5  # effective decisions or trajectories, below which an interval would pretend to know


def _columns() -> str:
    from lam_env.logs.input.decisions import EXAMPLE

    more = "also user, time, and policy: probabilities with which others would have chosen the same"
    return f"what is in which column of the table, {EXAMPLE}; {more}"


@dataclass(frozen=True)
class OffPolicySettings:
    """Estimate from logged decisions what other policies would have earned."""

    log: str = setting("", "folder of a log of decisions")
    table: str = setting("", "in place of it a table of decisions that another system has logged")
    columns: str | None = setting(None, _columns)
    encoding: str | None = setting(None, "what letters of the table are in, unless it is UTF-8: cp1252")
    wrong_rows: Literal["skip"] | None = setting(
        None, "rows of the table that cannot be read are left out (default: they are refused)"
    )
    policy: tuple[str, ...] | None = setting(
        None,
        "policies: run folders (their tuned policy), none, random, module:Class or module:Class@RUN (default: none);"
        " of a table: its columns of policies, random, always:ACTION, module:Class (default: its columns, and random)",
        code=True,
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
        _check(settings)
        run(settings, command_line("python -m lam_env off_policy", argv))
    return 0


def _check(s: OffPolicySettings) -> None:
    if not s.log and not s.table:
        raise UserError("log= is missing: give a log of decisions, such as log=runs/decisions-1, or table=FILE")
    if given := [name for name in ("table", "columns", "encoding", "wrong_rows") if s.log and getattr(s, name)]:
        raise UserError(f"log={s.log}: is read without {given[0]}=; leave one of them away")
    if s.table and not s.columns:
        raise UserError(f"table={s.table}: columns= is missing: {_columns()}")
    if s.policy == ():
        raise UserError("policy=: give one or several")


def run(settings: OffPolicySettings, command: str) -> None:
    """Loads everything, then estimates, shows, and writes if asked to."""
    from lam_env.evaluation import results
    from lam_env.evaluation.tables import Provenance, versions
    from lam_env.experiment.logs.decisions import source_of
    from lam_env.experiment.run_folder import choose_folder

    s = settings
    path = choose_folder(s.out, "off_policy") if s.out else None
    source = source_of(s.log, s.table, s.columns, s.encoding, s.wrong_rows)
    names = dict.fromkeys(source.usual() if s.policy is None else s.policy)
    policies = {name: source.policy(name) for name in names if not source.is_code(name)}
    estimates = {}
    for name in names:
        if name in policies:
            estimates[name] = source.judge(name, policies[name], s.sampled, s.window, s.horizon)
        else:
            estimates[name] = _judge_apart(s, name)
    fact, about = source.fact(s.window, s.horizon), Provenance(command, versions=versions())
    for table in tables_of(s, source, fact, estimates, about, intervals=False):
        table.show()
    if path is not None:
        rows = []
        for name, found in estimates.items():
            rows += results.result_rows(policy_scores(found), source.scenario, name, 0, 0, "off_policy")
        path.mkdir(parents=True, exist_ok=True)
        results.write(path / "off_policy.csv", rows)
        text = [table.markdown() for table in tables_of(s, source, fact, estimates, about)]
        replace_text(path / "off_policy.md", "\n".join(text))
        print(f"written: {path}")


def _judge_apart(settings: OffPolicySettings, name: str) -> Estimates:
    """Of a policy of the user's own, whose code runs in a process of its own."""
    limits = Limits.of(settings.agent_memory, settings.agent_timeout)
    try:
        return apart(limits, judge_own, (settings, name), silent)
    except DiedError as died:
        raise UserError(f"policy {name}: {died}") from None


def judge_own(s: OffPolicySettings, name: str, report: Report) -> Estimates:
    """A job: `Source.judge` of a policy of the user's own."""
    from lam_env.experiment.logs.decisions import source_of

    with kit_at_work():
        source = source_of(s.log, s.table, s.columns, s.encoding, s.wrong_rows)
    return source.judge(name, source.policy(name), s.sampled, s.window, s.horizon)


def policy_scores(found: Estimates) -> dict[str, float]:
    """As rows of results; what is not a number is left out."""
    one, sequence = found
    scores = {IPS: one.ips.value, SNIPS: one.snips.value, DR: one.dr.value, GAIN: one.gain.value}
    scores |= {ESS: one.effective, MEAN_WEIGHT: one.mean_weight}
    if sequence is not None:
        scores |= {PDIS: sequence.value.value, PDIS_ESS: sequence.effective}
    return {k.id: v for k, v in scores.items() if np.isfinite(v)}


def tables_of(
    settings: OffPolicySettings,
    source: Source,
    fact: Fact,
    estimates: Mapping[str, Estimates],
    about: Provenance,
    intervals: bool = True,
) -> list[Table]:
    """Per decision, and per sequence unless decisions stand alone. Without `intervals` only the gain has one, and
    there are no weights: for a terminal."""
    from lam_env.evaluation.tables import Table

    (mean, first), n = fact, next(iter(estimates.values())).one.n
    label = _labels(list(estimates))
    rows: list[tuple[str, ...]] = [(LOGGED, _cell(mean, intervals), "", "", "", f"{n:,}", "")]
    doubts = []
    for name, (e, _) in estimates.items():
        values = (_cell(value, intervals, e.effective) for value in (e.ips, e.snips, e.dr))
        gain = _cell(e.gain, True, e.effective)
        rows.append((label[name], *values, gain, f"{e.effective:,.0f}", f"{e.mean_weight:.2f}"))
        doubts += [f"WARNING: {label[name]}: {doubt}." for doubt in e.doubts()]
    columns = ("policy", *(m.heading for m in (IPS, SNIPS, DR, GAIN, ESS, MEAN_WEIGHT)))
    window = f"{settings.window} decisions from each on" if settings.window > 1 else "a decision"
    one = Table(
        f"reward of {window}, had the policy chosen that one",
        columns,
        tuple(rows),
        (
            *source.about(),
            f"95 % intervals over {'decisions' if first is None else 'trajectories'}: Student's t.",
            "Contexts, and what follows a decision, are the logged policy's:"
            " what people would become under the other one is not in it.",
            "Gain: more than was earned in fact. ESS: decisions of the policy's own that the log is worth;"
            f" below {LEAST} there is no interval."
            + (" Weight: mean of the weights, 1 but for chance if the log holds what the policy does." * intervals),
            *doubts,
            *(about.lines() if first is None else ()),
        ),
    )
    if not intervals:
        one = one.only(name for name in columns if name != MEAN_WEIGHT.heading)
    if first is None:
        return [one]
    whole_rows = [(LOGGED, _cell(first.value, True, first.effective), f"{first.trajectories:,}")]
    for name, (_, q) in estimates.items():
        if q is not None:
            whole_rows.append((label[name], _cell(q.value, True, q.effective), f"{q.effective:,.1f}"))
    whole = Table(
        f"reward of a trajectory's first {min(settings.horizon, n)} decisions, had the policy chosen them all",
        ("policy", PDIS.heading, PDIS_ESS.heading),
        tuple(whole_rows),
        ("ESS: trajectories of the policy's own that the log is worth.", *about.lines()),
    )
    return [one, whole]


def _labels(names: list[str]) -> dict[str, str]:
    """Run folders by their last name, unless two are alike: a table is narrow."""
    last = {name: os.path.basename(os.path.normpath(name)) if os.path.isdir(name) else name for name in names}
    return last if len(set(last.values())) == len(last) else {name: name for name in names}


def _cell(estimate: Interval, interval: bool = True, effective: float = LEAST) -> str:
    if np.isnan(estimate.value):
        return "none alike"
    sure = interval and not np.isnan(estimate.low) and effective >= LEAST
    return f"{estimate.value:.4f}" + (f" [{estimate.low:.4f}, {estimate.high:.4f}]" if sure else "")
