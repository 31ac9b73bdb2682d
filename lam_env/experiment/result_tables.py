"""What a run says at its end: rows for results.csv, tables.md, and the closing screen."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from lam_env.config.cli import to_dict
from lam_env.core import registry
from lam_env.core.catalogue import CATALOGUE, JUDGE, MORE, PR_AUC, PREDICTION, SHARE_OF_ORACLE, TOP1, UTILITY
from lam_env.core.errors import cut
from lam_env.core.progress import say_command
from lam_env.evaluation.comparison import BASELINE, ORACLE, estimate_of
from lam_env.evaluation.credibility import Credibility
from lam_env.evaluation.log_predictors import best_in_words, notes_on_counts, notes_on_parts
from lam_env.evaluation.predictions.breakdown import breakdowns
from lam_env.evaluation.report.elements import TUNED
from lam_env.evaluation.results import ResultRow, read, result_rows
from lam_env.evaluation.rollout import add_lift
from lam_env.evaluation.tables import LADDER, VARIANTS, Provenance, Table, brief_table, holds, score_table, versions
from lam_env.experiment.agent_spec import defaults_of
from lam_env.experiment.run_folder import RunFolder
from lam_env.experiment.score_store import Scores
from lam_env.experiment.settings import RunSettings
from lam_env.logs.fidelity import Gate, fidelity_table
from lam_env.logs.input.records import paths_of

_LONGEST = 60  # characters of the name of a log

RunScores = Mapping[tuple[str, str], Sequence[tuple[int, Scores]]]  # (variant, agent) -> (training seed, scores) each


def rows_of_run(scenario: str, run: RunScores, order: Sequence[str]) -> list[ResultRow]:
    """All scores so far in a fixed order, with lift and share of the oracle where these can be told."""
    place = {name: i for i, name in enumerate(order)}
    rows: list[ResultRow] = []
    for variant in sorted({v for v, _ in run}):
        agents = sorted((a for v, a in run if v == variant), key=lambda a: (place.get(a, 99), a))
        none = run.get(("twin" if variant.startswith("twin") else "sim", BASELINE)) or run.get(("twin", BASELINE))
        oracle = run.get(("sim", ORACLE)) or run.get(("twin", ORACLE))
        for agent in agents:
            for train_seed, of_seed in sorted(run[variant, agent], key=lambda s: s[0]):
                scores = _copy(of_seed)
                if none and any(UTILITY.id in v for v in scores.values()):
                    others = {BASELINE: _copy(none[0][1]), **({ORACLE: _copy(oracle[0][1])} if oracle else {})}
                    add_lift({**others, agent: scores})
                for seed, values in scores.items():
                    values = {m: v for m, v in values.items() if math.isfinite(v)}  # NaN: not defined for these people
                    rows += result_rows(values, scenario, agent, seed, train_seed, variant)
    return rows


def _copy(scores: Scores) -> Scores:
    return {seed: dict(values) for seed, values in scores.items()}


def tables_of_run(
    rows: Sequence[ResultRow],
    settings: RunSettings,
    command: str,
    seconds: float,
    gates: Sequence[Gate] = (),
    failed: Mapping[str, str] | None = None,
    marked: Sequence[str] | None = None,
) -> str:
    """tables.md. `failed`: what is left out, and why; `marked`: those that have a row which says so (default: all). The
    settings' device is the one that was used."""
    about = Provenance(command, settings.device, seconds, versions())
    log_name, shown = log_of(settings), marked if marked is not None else failed or {}
    parts = [f"# {log_name if settings.predict else settings.scenario}"]
    if gates:  # before what is won for the resident
        parts.append("## Is the simulated resident credible?\n\n" + fidelity_table(list(gates)))
    for heading, tables in tables_in(rows, settings.scenario, about, shown, log_name):
        parts += [f"## {heading}", *(table.markdown() for table in tables)]
    if failed:
        parts.append("## Left out\n\n" + "\n".join(f"- {name}: {why}" for name, why in failed.items()))
    if not rows:
        parts.append("No agent has been judged yet.")
    return "\n\n".join(parts) + "\n"


def log_of(settings: RunSettings) -> str | None:
    """What a run's real log is called in its tables: its files, and their format."""
    if settings.logs is None:
        return None
    names = ", ".join(path.name for path in paths_of(settings.logs))
    return f"{cut(names, _LONGEST)} ({settings.format})"


def tables_in(
    rows: Sequence[ResultRow],
    scenario: str,
    about: Provenance,
    failed: Iterable[str] = (),
    log_name: str | None = None,
) -> Iterator[tuple[str, list[Table]]]:
    """All tables that a scenario's rows give, under headings. `log_name`: what the real log is called, if there is
    one."""
    variants = [v for v in dict.fromkeys(r.variant for r in rows) if not v.startswith(LADDER)]
    for variant in sorted(variants, key=lambda v: list(VARIANTS).index(v) if v in VARIANTS else 99):
        mine = [r for r in rows if r.variant == variant]
        predicted, judged = holds(mine, PREDICTION), holds(mine, [JUDGE])
        kinds = {"summary": predicted and judged, "prediction": predicted, "reward": judged}
        kinds["more of predictions"] = holds(mine, MORE[:1])
        called = log_name if variant == "log" else None
        shown = [kind for kind, there in kinds.items() if there]
        tables = [score_table(mine, scenario, kind, variant, about, called=called) for kind in shown]
        tables += breakdowns(mine) if variant == "log" else []
        known = scenario in registry.scenario_names()
        if judged and known and (figures := registry.scenario(scenario).figure_columns()):
            tables.append(score_table(mine, scenario, "key figures", variant, about, figures=figures))
        if judged:
            tables[0] = tables[0].with_failed(failed)
        notes = notes_on_parts(mine) if predicted else []
        notes += notes_on_counts(mine) if variant == "log" else []
        notes += filter(None, [Credibility.of(mine).warning()])
        if notes and tables:  # none yet of a twin of which there are gates alone
            tables[0] = dataclasses.replace(tables[0], notes=(*notes, *tables[0].notes))
        yield VARIANTS.get(variant, variant), tables
    if ladder := _ladder(rows, scenario, about):
        yield "Information ladder", [ladder]


def _ladder(rows: Sequence[ResultRow], scenario: str, about: Provenance) -> Table | None:
    """The information ladder: the same greedy rule, given more and more of the hidden state."""
    rungs = {r.variant for r in rows if r.variant.startswith(LADDER)}
    if not rungs:
        return None
    known = registry.scenario(scenario).ladder if scenario in registry.scenario_names() else {}
    order = [LADDER + name for name in known]
    lines = []
    for rung in [v for v in (*order, *sorted(rungs.difference(order))) if v in rungs]:
        mine = [[r.value for r in rows if r.variant == rung and r.metric == m.id] for m in (UTILITY, SHARE_OF_ORACLE)]
        lines.append((rung.removeprefix(LADDER), *(f"{sum(v) / len(v):.2f}" if v else "" for v in mine)))
    seeds = {r.seed for r in rows if r.variant in rungs}
    columns = ("the greedy rule knows", UTILITY.heading, SHARE_OF_ORACLE.heading)
    notes = (f"Runs a rung: {len(seeds)}, one an evaluation seed; means.", *about.lines())
    return Table(f"{scenario}: information ladder", columns, tuple(lines), notes)


def console_tables(
    rows: Sequence[ResultRow],
    scenario: str,
    variants: Sequence[str],
    failed: Iterable[str] = (),
    log_name: str | None = None,
) -> None:
    """The tables in brief, on the screen."""
    for variant in variants:
        mine = [r for r in rows if r.variant == variant]
        if holds(mine, [JUDGE]):
            if warning := Credibility.of(mine).warning():
                print(warning)
            brief_table(mine, scenario, variant).with_failed(failed).show()
        elif holds(mine, PREDICTION):
            called = log_name if variant == "log" else None
            shown = (TOP1,) if variant == "log" else None  # more of them are wider than a terminal
            narrow = [r for r in mine if r.metric != PR_AUC.id]
            table = score_table(narrow, scenario, "prediction", variant, intervals=shown, called=called)
            dataclasses.replace(table, notes=(*notes_on_parts(mine), *table.notes)).show()
            print(best_in_words(mine))


def closing(folder: RunFolder, settings: RunSettings, seconds: float, failed: Iterable[str] = ()) -> None:
    """The last screen: tables in brief, where things lie, what to try next."""
    results = folder.path / "results.csv"
    console_tables(read(results), settings.scenario, ("log", "sim", "twin"), failed, log_of(settings))
    # plainly: a path that is torn apart cannot be copied
    print(f"{seconds:,.0f} s. Report: {folder.path / 'report.html'}")
    print(f"Tables: {folder.path / 'tables.md'}; all scores: {results}")
    print(f"Models: {folder.path / 'model'}; log: {folder.log}")
    kept = [name for name in settings.agent if folder.own(name).is_dir()]
    if kept:
        print(f"An episode of your own agent{'s' * (len(kept) > 1)}:")
    for name in kept:
        words = [f"scenario={settings.scenario}", f"agent={name}@{folder.path}"]
        say_command("python -m lam_env watch", words)
    if (folder.log / "train").is_dir() and not settings.agent:
        print("Next, your own agent as one more row:")
        agents = TUNED if folder.policy.is_dir() else BASELINE  # who is judged beside it without a training
        words = [f"scenario={settings.scenario}", f"model={folder.path}", f"agents={agents}"]
        words += ["agent=my_module:MyAgent", *_budgets(settings)]
        say_command("python -m lam_env.run", words)


def _budgets(settings: RunSettings) -> list[str]:
    """The budgets of training and judging that are not the scenario's own, so that another run takes no longer."""
    usual, _ = defaults_of(registry.scenario(settings.scenario))
    given = {group: (getattr(settings, group), getattr(usual, group)) for group in ("train", "eval")}
    return [
        f"{group}.{name}={value}"
        for group, (mine, theirs) in given.items()
        for name, value in to_dict(mine).items()
        if type(value) is int and value != to_dict(theirs)[name]
    ]


def final_scores(rows: Sequence[ResultRow]) -> dict[str, float]:
    """As in the tables: variant/agent/metric -> the estimate over all seeds."""
    scores = {}
    for variant, agent, metric in dict.fromkeys((r.variant, r.agent, r.metric) for r in rows):
        if metric not in CATALOGUE:  # a scenario's own
            continue
        estimate = estimate_of([r for r in rows if r.variant == variant], agent, CATALOGUE[metric])
        if estimate is not None:
            scores[f"{variant}/{agent}/{metric}"] = estimate.value
    return scores
