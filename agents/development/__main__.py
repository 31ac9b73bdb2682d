"""python -m lam_env.agents.development path=runs.jsonl.gz

Learns which of the offered options is taken from the first 80 % of the runs or characters, and is judged on the rest.
"""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from lam_env.config.cli import cli_errors, command_line, parse, setting
from lam_env.config.convert import suggestion
from lam_env.core import registry
from lam_env.core.errors import UserError
from lam_env.core.progress import Progress
from lam_env.core.seeds import TRAINING_SEEDS
from lam_env.logs.coverage import said_of

from .judge import boosting_there, evaluation_rows, scores
from .network import ChoiceSettings

PROGRAM = "python -m lam_env.agents.development"


@dataclass(frozen=True)
class DevelopmentSettings:
    """Predict the direction of development from a log of choices: learn from earlier ones, judge on later ones."""

    path: str | None = setting(None, "file of the choices")
    format: str = setting("slay_the_spire", "its format: slay_the_spire, dnd_class or dnd_second_class")
    seed: tuple[int, ...] = setting((0,), "training seeds; the table gives their mean", low=0, high=TRAINING_SEEDS - 1)
    members: int = setting(4, "networks whose probabilities are averaged", low=1, high=16)
    passes: int = setting(14, "most readings of the training choices", low=1, high=1000)


def main(argv: Sequence[str]) -> int:
    with cli_errors():
        settings = parse(DevelopmentSettings, argv, PROGRAM)
        began = time.time()
        print(run(settings))
        print(f"{_versions()}, cpu, {time.time() - began:.0f} s wall time.  ")
        print(f"Made by `{command_line(PROGRAM, argv)}`.")
    return 0


def run(settings: DevelopmentSettings) -> str:
    """Reads, learns, judges; the table."""
    s, known = settings, registry.CHOICES.names()
    if s.path is None:
        raise UserError("path: give the file of the choices, path=runs.jsonl.gz")
    if s.format not in known:
        raise UserError(f"no format {s.format!r}; {suggestion(s.format, known, 'there are ' + ', '.join(known))}")
    if not s.seed or len(set(s.seed)) < len(s.seed):
        raise UserError("seed: give one or several different whole numbers")
    if not Path(s.path).is_file():
        raise UserError(f"path={s.path}: no such file")
    choices, left_out = registry.CHOICES.get(s.format)(s.path)
    try:
        train, valid, test = choices.split()
    except UserError as error:
        raise UserError(f"path={s.path}: {error}") from None
    groups = [len(np.unique(part.group)) for part in (train, valid, test)]
    print(f"{s.path}: {len(choices):,} choices among {len(choices.options) - 1} options")
    for line in said_of(left_out):
        print(f"  {line}")
    rows: dict[str, list[Mapping[str, float]]] = {}
    model = replace(ChoiceSettings(), members=s.members, passes=s.passes)
    with Progress() as progress:
        for seed in s.seed:
            for name, p in evaluation_rows(train, valid, test, model, seed, progress).items():
                rows.setdefault(name, []).append(scores(p, test.chosen))
    return accuracy_table(s, rows, groups, [len(part) for part in (train, valid, test)])


def accuracy_table(
    settings: DevelopmentSettings, rows: Mapping[str, list[Mapping[str, float]]], groups: list[int], sizes: list[int]
) -> str:
    lines = [f"**{settings.format}: which option is taken**", "", "| predictor | top-1 | top-3 | NLL [nats] |"]
    lines.append("| --- | ---: | ---: | ---: |")
    for name, runs in rows.items():
        top1, top3, nll = (np.mean([one[key] for one in runs]) for key in ("top1", "top3", "nll"))
        lines.append(f"| {name} | {top1:.3f} | {top3:.3f} | {nll:.3f} |")
    parts = (f"{size:,} choices of {group:,}" for size, group in zip(sizes, groups, strict=True))
    text = "Trained, validated and tested on {}, {} and {} runs or characters, in order of time; training seeds {}.  "
    lines += ["", text.format(*parts, ", ".join(map(str, settings.seed)))]
    if not boosting_there():
        lines.append("Without gradient boosting: LightGBM is not installed (pip install 'lam-env[baselines]').  ")
    return "\n".join(lines)


def _versions() -> str:
    versions = [f"Python {platform.python_version()}"]
    for name in ("lam-env", "torch", "numpy", "lightgbm"):
        try:
            versions.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(versions)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
