"""Whether a simulated twin lives as the person of a log does, in a line that stands before what is won for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from lam_env.core.catalogue import GATE
from lam_env.evaluation.results import ResultRow


class Credibility(NamedTuple):
    """Of the gates that could be measured, how many there are, and which are failed, by name."""

    gates: int
    failed: tuple[str, ...]

    @classmethod
    def of(cls, rows: Iterable[ResultRow]) -> Credibility:
        """`rows`: of a twin; none of any other variant holds a gate."""
        passed = {name: r.value >= 1 for r in rows if (name := GATE.name(r.metric))}
        return cls(len(passed), tuple(name.replace("_", " ") for name, well in passed.items() if not well))

    def warning(self) -> str:
        """Empty where no gate is failed."""
        if not self.failed:
            return ""
        which = f"{len(self.failed)} of {self.gates} gates of credibility ({', '.join(self.failed)})"
        return f"WARNING: the twin fails {which}: what is won for it may not be won for the person of the log."
