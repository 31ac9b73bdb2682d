"""Cells: the scores of one agent's training, kept in the run's folder as soon as they are known.

A run that was stopped takes them over in place of doing the work again; results.csv is assembled from them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from lam_env.core.catalogue import metric
from lam_env.core.errors import UserError
from lam_env.core.files.inputs import BROKEN, read_json, reason
from lam_env.core.files.outputs import file_name
from lam_env.experiment.run_folder import RunFolder

FOLDER = "cells"
Scores = dict[int, dict[str, float]]  # evaluation seed -> metric -> value
ByVariant = dict[str, Scores]  # variant of judging ("", "later") -> scores


class ScoreKey(NamedTuple):
    """Which one. `kind`: where the agent was judged ("log", "sim", "twin")."""

    kind: str
    agent: str
    train_seed: int


class ScoreStore:
    """Those of a run's folder. Values are kept to the last bit, so that a run that goes on ends with the bytes of one
    that was not stopped. `sources`: by which the code of agents of one's own is known, by their names."""

    def __init__(self, folder: RunFolder, sources: Mapping[str, str | None]):
        self.folder, self.sources = folder, sources

    def keep(self, cell: ScoreKey, scores: Mapping[str, Scores]) -> None:
        """What is not defined (NaN: a spread over a single day) is no score, and is not kept."""
        plain = {v: {str(s): _finite(_checked(by)) for s, by in each.items()} for v, each in scores.items()}
        data = {**cell._asdict(), "source": self.sources.get(cell.agent), "scores": plain}
        text = json.dumps(data, indent=1, allow_nan=False)
        name = f"{file_name(cell.kind)}-{file_name(cell.agent)}-{cell.train_seed}.json"
        self.folder.write_text(f"{FOLDER}/{name}", text + "\n")

    def read(self) -> dict[ScoreKey, ByVariant]:
        """All that are there, but those of agents of one's own whose source has changed since."""
        files = sorted((self.folder.path / FOLDER).glob("*.json"))
        return {cell: scores for cell, source, scores in map(_read, files) if source == self.sources.get(cell.agent)}


def sources_of(folder: RunFolder) -> dict[str, object]:
    """By which the code of each agent of one's own was known in a run."""
    read = map(_read, sorted((folder.path / FOLDER).glob("*.json")))
    return {cell.agent: source for cell, source, _ in read if source is not None}


def _read(path: Path) -> tuple[ScoreKey, object, ByVariant]:
    try:
        data = read_json(path)
        cell = ScoreKey(str(data["kind"]), str(data["agent"]), int(data["train_seed"]))
        scores = {v: {int(s): _checked(by) for s, by in each.items()} for v, each in data["scores"].items()}
    except BROKEN as error:
        why = f"{type(error).__name__}: {reason(error)}"
        raise UserError(f"{path}: cannot be read ({why}); delete it to have it made again") from None
    return cell, data.get("source"), scores


def _finite(scores: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in scores.items() if math.isfinite(value)}


def _checked(scores: Mapping[str, float]) -> dict[str, float]:
    """UserError, unless all are metrics of the catalogue."""
    return {metric(name).id: float(value) for name, value in scores.items()}
