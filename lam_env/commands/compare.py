"""python -m lam_env compare runs/smart_home-1 runs/smart_home-2

Says whether one run is better than another, or one agent than another, by how much and how surely.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lam_env.config.cli import cli_errors, lasting, parse, setting, to_dict
from lam_env.config.convert import count, suggestion
from lam_env.core.errors import UserError, cut

if TYPE_CHECKING:
    from lam_env.evaluation.contrast import Contrast, Pair, Side
    from lam_env.evaluation.results import ResultRow

USAGE = "lam compare RUN_A RUN_B, or lam compare RUN agents=ONE,OTHER"
SHOWN = ("log", "sim", "twin")  # variants, in the order of the tables
RECORDS = {"agents_judged", "command", "finished", "prepared", "seconds"}  # of config.json, that are no settings
WIDTH = 78
OTHER_EVENTS = "their logs hold out other events, of which no difference says who predicts better"


@dataclass(frozen=True)
class CompareSettings:
    """Compare two runs, or two agents of one run."""

    runs: tuple[str, ...] = setting((), "folders of two runs, A and B, or of one; the words A B say the same")
    agents: tuple[str, ...] = setting(
        (), "an agent of both, or one of A and one of B; of one run two (default: all that both have judged)"
    )
    out: str | None = setting(None, "file to write the rows to, as CSV (default: they are only shown)")


class Run(NamedTuple):
    """A finished run, read."""

    path: Path
    config: Mapping[str, object]
    rows: Sequence[ResultRow]

    def side(self, variant: str) -> Side:
        from lam_env.evaluation.contrast import Side
        from lam_env.evaluation.report.reader import units_of

        return Side([r for r in self.rows if r.variant == variant], cache(partial(units_of, self.path)))


class Compared(NamedTuple):
    """What is said of one variant."""

    variant: str
    paired: bool
    notes: Sequence[str]
    contrasts: Sequence[Contrast]
    reading: Sequence[str]


def main(argv: Sequence[str]) -> int:
    with cli_errors():
        folders = [word for word in argv if "=" not in word and not word.startswith("-")]
        words = [word for word in argv if word not in folders] + ([f"runs={','.join(folders)}"] if folders else [])
        settings = parse(CompareSettings, words, "python -m lam_env compare")
        if len(settings.runs) not in (1, 2):
            raise UserError(f"{count(len(settings.runs), 'run')}: say {USAGE}")
        if len(settings.agents) > 2 or (len(settings.runs) == 1 and len(settings.agents) != 2):
            few = "one or two" if len(settings.runs) == 2 else "two"
            raise UserError(f"agents={','.join(settings.agents)}: give {few}; say {USAGE}")
        _show(settings)
    return 0


def _show(settings: CompareSettings) -> None:
    from lam_env.core.files.outputs import output_file, write_whole
    from lam_env.evaluation.tables import VARIANTS
    from lam_env.evaluation.two_runs import as_csv, table_of

    if settings.out is not None:
        output_file(settings.out)
    opened = [_open(path) for path in settings.runs]
    a, b = opened[0], opened[-1]
    one_log = _one_log(a, b, settings.agents)
    shown = SHOWN if one_log else [variant for variant in SHOWN if variant != "log"]
    found = [part for variant in shown if (part := _compared(a, b, variant, settings.agents)) is not None]
    if not found:
        raise _nothing(a, b, settings.agents, one_log)
    print("\n".join(_about(a, b, settings.agents, one_log)))
    for part in found:
        print("\n".join(map(_fill, part.notes)))
        table_of(part.contrasts, VARIANTS[part.variant]).show()
        print("\n".join(map(_fill, part.reading)))
    if settings.out is not None:
        text = as_csv((part.variant, part.paired, each) for part in found for each in part.contrasts)
        write_whole(settings.out, lambda file: file.write_text(text, encoding="utf-8"))
        print(f"written: {settings.out}")


def _open(name: str) -> Run:
    from lam_env.evaluation import results
    from lam_env.evaluation.report.reader import config_of
    from lam_env.experiment.run_folder import run_path

    path = run_path(name)
    config = config_of(path)
    if config.get("finished") is not True:
        raise UserError(f"{name}: the run is not finished; its command goes on with it, given out={name}")
    if not (rows := results.read(path / "results.csv")):
        raise UserError(f"{path / 'results.csv'}: holds no score; its command makes it again, given out={name}")
    return Run(path, config, rows)


# -- what is compared --------------------------------------------------------------------------------------------------


def _compared(a: Run, b: Run, variant: str, named: Sequence[str]) -> Compared | None:
    """One variant; None where it has nothing to compare. UserError where agents have acted in other worlds."""
    from lam_env.core.catalogue import RETURN
    from lam_env.evaluation.contrast import contrasts, met_the_same, metrics_of, paid_alike
    from lam_env.evaluation.two_runs import amount, met_in_words, reading

    one, other = a.side(variant), b.side(variant)
    if not (pairs := _pairs(one, other, named)):
        return None
    paired, metrics = met_the_same(one, other, pairs), metrics_of(one, other)
    scenarios = [run.config["scenario"] for run in (a, b)]
    if variant != "log" and scenarios[0] != scenarios[1] and not paired:
        raise UserError(f"{a.path} is a run of {scenarios[0]}, {b.path} of {scenarios[1]}; give two of one scenario")
    notes = met_in_words(one, other, pairs, paired)
    if paired and variant != "log" and any(line.startswith(("world.", "eval.world:")) for line in _settings(a, b)):
        notes.append("The world's settings differ: people may take what is done for them otherwise in B.")
    if RETURN in metrics and paired and (scenarios[0] != scenarios[1] or not paid_alike(one, other)):
        metrics.remove(RETURN)
        notes.append("Feedback reward is left out: A and B pay by other prices.")
    if not (found := contrasts(one, other, pairs, metrics, paired)):
        return None
    return Compared(variant, paired, notes, found, reading(found, *amount(one, other, found[0].agents, paired)))


def _pairs(one: Side, other: Side, named: Sequence[str]) -> list[Pair]:
    """Those that are named, where both are there, or else all that both have, but for doing nothing."""
    from lam_env.evaluation.comparison import BASELINE

    mine, theirs = one.agents(), other.agents()
    if named:
        return [(named[0], named[-1])] if named[0] in mine and named[-1] in theirs else []
    return [(agent, agent) for agent in mine if agent in theirs and agent != BASELINE]


def _one_log(a: Run, b: Run, named: Sequence[str]) -> bool:
    """Whether predictions were judged on the same events of a log, or on none in one of them."""
    from lam_env.evaluation.contrast import same_events

    one, other = a.side("log"), b.side("log")
    pairs = _pairs(one, other, named)
    return not pairs or same_events(one, other, pairs)


def _nothing(a: Run, b: Run, named: Sequence[str], one_log: bool) -> UserError:
    """Why there is nothing to compare."""
    if not one_log:
        return UserError(f"{a.path}, {b.path}: {OTHER_EVENTS}; give two runs of one log, split alike")
    there = [list(dict.fromkeys(r.agent for r in run.rows if r.variant in SHOWN)) for run in (a, b)]
    wanted = [named[0], named[-1]] if named else []
    for run, agents, agent in zip((a, b), there, wanted, strict=False):
        if agent not in agents:
            hint = suggestion(agent, agents, f"there are {', '.join(agents)}")
            return UserError(f"{run.path}: has judged no agent {agent!r}; {hint}")
    kinds = [", ".join(dict.fromkeys(r.variant for r in run.rows)) for run in (a, b)]
    if kinds[0] != kinds[1]:
        return UserError(f"no scores in common: those of {a.path} are of {kinds[0]}, those of {b.path} of {kinds[1]}")
    judged = [f"{run.path} has {', '.join(agents)}" for run, agents in zip((a, b), there, strict=True)]
    return UserError(f"no agent in common: {'; '.join(judged)}; name one of each, agents=ONE,OTHER")


def _fill(line: str) -> str:
    return textwrap.fill(line, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


# -- what differs ------------------------------------------------------------------------------------------------------


def _about(a: Run, b: Run, agents: tuple[str, ...], one_log: bool) -> Iterator[str]:
    """Who is who, and what differs between them."""
    for name, run, agent in zip("AB", (a, b), (agents[:1] + agents[-1:]) or ("", ""), strict=True):
        yield f"{name}: {agent and f'{agent} of '}{run.path}"
    if a is b:
        return
    lines = [*_settings(a, b), *_sources(a, b)]
    yield "Differs, A -> B:" if lines else "Settings, versions and device are the same."
    yield from (f"  {cut(line, WIDTH)}" for line in lines)
    if not one_log:
        yield _fill(f"Predictions on the logs are not compared: {OTHER_EVENTS}.")
    one, other = (dict.fromkeys(r.agent for r in run.rows if r.variant in SHOWN) for run in (a, b))
    alone = [[x for x in one if x not in other], [x for x in other if x not in one]]
    for name, names in zip("AB", alone, strict=True):
        if names and not agents:
            yield f"In {name} alone: {', '.join(names)}."


def _settings(a: Run, b: Run) -> Iterator[str]:
    """Those that a result may rest on; versions and device among them."""
    from lam_env.experiment.settings import RunSettings

    free = RECORDS | (to_dict(RunSettings()).keys() - lasting(RunSettings()).keys())
    for said, mine, theirs in (("B has those of A", b, a), ("A has those of B", a, b)):
        if (model := mine.config.get("model")) is not None:
            free |= {"predictor"}  # how it was trained, the run that brings it says
            if Path(str(model)).resolve() == theirs.path.resolve():
                free |= {"model"}
                yield f"models: {said}"
    one, other = ({k: v for k, v in _flat(run.config).items() if k.partition(".")[0] not in free} for run in (a, b))
    for key in sorted(one.keys() | other.keys()):
        if one.get(key) != other.get(key):
            yield f"{key}: {_said(one.get(key))} -> {_said(other.get(key))}"


def _flat(config: Mapping[str, object], head: str = "") -> dict[str, object]:
    out: dict[str, object] = {}
    for key, value in config.items():
        out |= _flat(value, f"{head}{key}.") if isinstance(value, dict) else {head + key: value}
    return out


def _said(value: object) -> str:
    return "not set" if value in (None, []) else ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _sources(a: Run, b: Run) -> Iterator[str]:
    """Agents of one's own whose code has changed between the runs."""
    from lam_env.experiment.run_folder import RunFolder
    from lam_env.experiment.score_store import sources_of

    one, other = (sources_of(RunFolder(run.path)) for run in (a, b))
    for agent in one:
        if agent in other and one[agent] != other[agent]:
            yield f"{agent}: its code"
