"""Cells: the scores of one agent's training, kept in the run's folder as soon as they are known.

A run that was stopped takes them over in place of doing the work again; results.csv is assembled from them.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from lam_env.core.catalogue import metric
from lam_env.core.errors import UserError
from lam_env.experiment.run_folder import RunFolder

FOLDER = "cells"
Scores = dict[int, dict[str, float]]  # evaluation seed -> metric -> value
Found = dict[str, Scores]  # variant of judging ("", "later") -> scores


class ScoreKey(NamedTuple):
    """Which one. `kind`: where the agent was judged ("log", "sim", "twin")."""

    kind: str
    agent: str
    train_seed: int


class ScoreStore:
    """Those of a run's folder. Values are kept to the last bit, so that a run that goes on ends with the bytes of one that was not stopped."""

    def __init__(self, folder: RunFolder):
        self.folder = folder

    def keep(self, cell: ScoreKey, found: Mapping[str, Scores]) -> None:
        scores = {
            v: {str(s): {metric(m).id: float(x) for m, x in by.items()} for s, by in each.items()}
            for v, each in found.items()
        }
        (self.folder.path / FOLDER).mkdir(exist_ok=True)
        text = json.dumps({**cell._asdict(), "source": source_of(cell.agent), "scores": scores}, indent=1)
        self.folder.write_text(
            f"{FOLDER}/{quote(cell.kind)}-{quote(cell.agent, safe='@=')}-{cell.train_seed}.json", text + "\n"
        )

    def read(self) -> dict[ScoreKey, Found]:
        """All that are there, but those of agents of one's own whose source has changed since."""
        found = {}
        for path in sorted((self.folder.path / FOLDER).glob("*.json")):
            cell, source, scores = _read(path)
            if source == source_of(cell.agent):
                found[cell] = scores
        return found


def source_of(agent: str) -> str | None:
    """SHA-256 of the file that holds an agent of one's own (`module:Attribute`), once it has been imported; None for the kit's."""
    module = sys.modules.get(agent.partition(":")[0]) if ":" in agent else None
    file = getattr(module, "__file__", None)
    return hashlib.sha256(Path(file).read_bytes()).hexdigest() if file else None


def _read(path: Path) -> tuple[ScoreKey, Any, Found]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        cell = ScoreKey(str(data["kind"]), str(data["agent"]), int(data["train_seed"]))
        scores = {
            str(variant): {int(seed): {metric(m).id: float(x) for m, x in by.items()} for seed, by in each.items()}
            for variant, each in data["scores"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(
            f"{path}: cannot be read ({type(error).__name__}: {error}); delete it to have it made again"
        ) from None
    return cell, data.get("source"), scores
