"""What a run says at its end: rows for results.csv, tables.md, and the closing screen."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from lam_env.core import registry
from lam_env.core.catalogue import JUDGE, PREDICTION, SHARE_OF_ORACLE, UTILITY
from lam_env.evaluation.results import ResultRow, read, result_rows
from lam_env.evaluation.rollout import add_lift
from lam_env.evaluation.tables import (
    LADDER,
    VARIANTS,
    Provenance,
    Table,
    figures_table,
    holds,
    prediction_table,
    reward_table,
    summary_table,
    versions,
)
from lam_env.experiment.run_folder import RunFolder
from lam_env.experiment.settings import RunSettings

Found = Mapping[tuple[str, str], Sequence[tuple[int, dict[int, dict[str, float]]]]]


def rows_of_run(scenario: str, found: Found, order: Sequence[str]) -> list[ResultRow]:
    """All scores so far in a fixed order, with lift and share of the oracle where these can be told."""
    place = {name: i for i, name in enumerate(order)}
    rows: list[ResultRow] = []
    for variant in sorted({v for v, _ in found}):
        agents = sorted((a for v, a in found if v == variant), key=lambda a: (place.get(a, 99), a))
        with_none = found.get(("twin" if variant.startswith("twin") else "sim", "none")) or found.get(("twin", "none"))
        oracle = found.get(("sim", "oracle")) or found.get(("twin", "oracle"))
        for agent in agents:
            for train_seed, scores in sorted(found[variant, agent], key=lambda s: s[0]):
                scores = {seed: dict(values) for seed, values in scores.items()}
                if with_none and any(UTILITY.id in v for v in scores.values()):
                    judged = {agent: scores, "none": {s: dict(v) for s, v in with_none[0][1].items()}}
                    if oracle:
                        judged["oracle"] = {s: dict(v) for s, v in oracle[0][1].items()}
                    add_lift(judged | {agent: scores})
                for seed, values in scores.items():
                    values = {m: v for m, v in values.items() if math.isfinite(v)}  # NaN: not defined for these people
                    rows += result_rows(values, scenario, agent, seed, train_seed, variant)
    return rows


def tables_of_run(
    rows: Sequence[ResultRow],
    settings: RunSettings,
    command: str,
    seconds: float,
    gates: Sequence[Any] = (),
    failed: Mapping[str, str] | None = None,
    marked: Sequence[str] | None = None,
) -> str:
    """tables.md. `failed`: what is left out, and why; `marked`: those that have a row which says so (default: all). The settings' device is the one that was used."""
    about = Provenance(command, settings.device, seconds, versions())
    parts = [f"# {settings.scenario}"]
    for heading, tables in tables_in(rows, settings.scenario, about, marked if marked is not None else failed or {}):
        parts += [f"## {heading}", *(table.markdown() for table in tables)]
    if gates:
        from lam_env.logs.fidelity import fidelity_table

        parts.append("## Is the simulated resident credible?\n\n" + fidelity_table(list(gates)))
    if failed:
        parts.append("## Left out\n\n" + "\n".join(f"- {name}: {why}" for name, why in failed.items()))
    if not rows:
        parts.append("No agent has been judged yet.")
    return "\n\n".join(parts) + "\n"


def tables_in(
    rows: Sequence[ResultRow], scenario: str, about: Provenance, failed: Iterable[str] = ()
) -> Iterator[tuple[str, list[Table]]]:
    """All tables that a scenario's rows give, under headings."""
    variants = [v for v in dict.fromkeys(r.variant for r in rows) if not v.startswith(LADDER)]
    for variant in sorted(variants, key=lambda v: list(VARIANTS).index(v) if v in VARIANTS else 99):
        mine, found = [r for r in rows if r.variant == variant], []
        predicted, judged = holds(mine, PREDICTION), holds(mine, [JUDGE])
        if predicted and judged:
            found.append(summary_table(mine, scenario, variant, about))
        if predicted:
            found.append(prediction_table(mine, scenario, variant, about))
        if judged:
            found.append(reward_table(mine, scenario, variant, about))
            if shown := _key_figures(scenario):
                found.append(figures_table(mine, scenario, shown, variant, about))
        marked = [table.with_failed(failed) for table in found[: 1 if judged else 0]]
        yield VARIANTS.get(variant, variant), [*marked, *found[len(marked) :]]
    if ladder := _ladder(rows, scenario, about):
        yield "Information ladder", [ladder]


def about_of(gates: Sequence[Any], failed: Mapping[str, str]) -> dict[str, Any]:
    """What the report is told besides scores; a number that is none becomes null."""
    told = [dataclasses.asdict(gate) for gate in gates]
    for gate in told:
        for side in ("source", "simulated"):
            gate[side] = [v if math.isfinite(v) else None for v in gate[side]]
    return {"gates": told, "failed": dict(failed)}


def _key_figures(scenario: str) -> dict[str, str]:
    known = scenario in registry.scenario_names()
    return dict(registry.scenario(scenario).key_figures) if known else {}


def _ladder(rows: Sequence[ResultRow], scenario: str, about: Provenance) -> Table | None:
    """The information ladder: the same greedy rule, given more and more of the hidden state."""
    found = {r.variant for r in rows if r.variant.startswith(LADDER)}
    if not found:
        return None
    known = registry.scenario(scenario).ladder if scenario in registry.scenario_names() else {}
    order = [LADDER + name for name in known]
    lines = []
    for rung in [v for v in (*order, *sorted(found.difference(order))) if v in found]:
        mine = [[r.value for r in rows if r.variant == rung and r.metric == m.id] for m in (UTILITY, SHARE_OF_ORACLE)]
        lines.append((rung.removeprefix(LADDER), *(f"{sum(v) / len(v):.2f}" if v else "nan" for v in mine)))
    seeds = {r.seed for r in rows if r.variant in found}
    columns = ("the greedy rule knows", UTILITY.heading, SHARE_OF_ORACLE.heading)
    notes = (f"Runs a rung: {len(seeds)}, one an evaluation seed; means.", *about.lines())
    return Table(f"{scenario}: information ladder", columns, tuple(lines), notes)


def console_tables(
    rows: Sequence[ResultRow], scenario: str, variants: Sequence[str], failed: Iterable[str] = ()
) -> None:
    """The tables in brief, on the screen."""
    for variant in variants:
        mine = [r for r in rows if r.variant == variant]
        if holds(mine, [JUDGE]):
            summary_table(mine, scenario, variant, intervals=False).with_failed(failed).show()
        elif holds(mine, PREDICTION):
            prediction_table(mine, scenario, variant).show()


def closing(folder: RunFolder, settings: RunSettings, seconds: float, failed: Iterable[str] = ()) -> None:
    """The last screen: tables in brief, where things lie, what to try next."""
    results = folder.path / "results.csv"
    console_tables(read(results), settings.scenario, ("log", "sim", "twin"), failed)
    # plainly: a path that is torn apart cannot be copied
    print(f"{seconds:,.0f} s. Report: {folder.path / 'report.html'}")
    print(f"Tables: {folder.path / 'tables.md'}; all scores: {results}")
    print(f"Models: {folder.path / 'model'}; log: {folder.log}")
    if (folder.log / "train").is_dir():
        print("Next, your own agent as one more row:")
        print(f"  python -m lam_env.run scenario={settings.scenario} model={folder.path} agent=my_module:MyAgent")
