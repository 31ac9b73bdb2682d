"""A run's curves and scores, sent to trackers: they hear what progress bars hear, in the process that shows these."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from lam_env.config.convert import suggestion
from lam_env.core import registry
from lam_env.core.contracts import Sink
from lam_env.core.errors import UserError
from lam_env.core.progress import Note, Report
from lam_env.launch.job import one_line


def check_sinks(names: Sequence[str]) -> None:
    """UserError if there is no such tracker, or what it needs is not installed. Nothing heavy is imported."""
    known = registry.SINKS.names()
    there_are = f"there are {', '.join(known)}"
    for name in names:
        if name not in known:
            raise UserError(f"no tracker {name!r}; {suggestion(name, known, there_are)}")
        needs = registry.SINKS.constants("NEEDS").get(name)  # the module that it imports
        if isinstance(needs, str) and needs and importlib.util.find_spec(needs) is None:
            raise UserError(f"track={name}: {needs} is not installed: pip install 'lam-env[{name}]'")


class Tracking:
    """`with Tracking(names, folder, config) as tracking`: without names it does nothing."""

    def __init__(self, names: Sequence[str], folder: Path, config: Mapping[str, object]):
        self._sinks: list[Sink] = []
        for name in dict.fromkeys(names):
            try:
                self._sinks.append(registry.SINKS.get(name)(folder, config))
            except Exception as error:  # whatever the tracker's package raises: no server, no rights
                self._close()
                raise UserError(f"track={name}: {one_line(error)}") from None
        self._sent: dict[str, int] = {}  # the last step of each curve

    def __enter__(self) -> Tracking:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        for sink in self._sinks:
            sink.close()

    def hears(self, progress: Report) -> Report:
        """`progress`, whose notes' values are sent too, each step of a curve once."""

        def report(stage: str, done: int, total: int, note: str) -> None:
            progress(stage, done, total, note)
            if self._sinks and isinstance(note, Note):
                self._send(stage, note)

        return report if self._sinks else progress

    def _send(self, stage: str, note: Note) -> None:
        for name, value in note.values.items():
            curve = f"{curve_tag(stage)}/{name}"
            if note.step > self._sent.get(curve, -1):
                self._sent[curve] = note.step
                for sink in self._sinks:
                    sink.curve(curve, value, note.step)

    def scores(self, scores: Mapping[str, float]) -> None:
        for sink in self._sinks if scores else ():
            sink.scores(scores)


def curve_tag(stage: str) -> str:
    """The name of a stage as trackers take it: "fine-tune of ppo_prior, seed 3" ->
    "fine-tune/ppo_prior/seed_3"."""
    return re.sub(r"[^\w./@=+-]+", "_", re.sub(r", | of ", "/", stage)).strip("_")
