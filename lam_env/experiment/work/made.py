"""By which command what a run's folder holds was made, and in what time."""

from __future__ import annotations

import time
from collections.abc import Mapping


class Made:
    """The command and the wall time of a run, of all commands that went on with it.

    The clock goes while the run is checked and in its stages, not while others of its suite have their turn first. What
    an earlier command has finished stays that command's, unless there was something left to do.
    """

    def __init__(self, command: str):
        self.command = command
        self.finished: tuple[str, float] | None = None  # by an earlier command
        self._spent, self._since = 0.0, 0.0

    @property
    def going(self) -> bool:
        return bool(self._since)

    def go(self) -> None:
        self._since = time.time()

    def halt(self) -> None:
        """Its time is that of config.json, in tenths of a second, from which others round it."""
        self._spent, self._since = round(self.seconds, 1), 0.0

    @property
    def seconds(self) -> float:
        return self._spent + (time.time() - self._since if self._since else 0.0)

    def take_over(self, config: Mapping[str, object], seconds: float) -> None:
        """From a run that is gone on with, by its config; `seconds`: what it has taken so far."""
        self._spent += seconds
        if config.get("finished") is True:
            self.finished = str(config.get("command", "")), seconds

    def by(self, worked: bool) -> tuple[str, float]:
        """(command, seconds). `worked`: whether this command has done a step of it."""
        return self.finished if self.finished and not worked else (self.command, self.seconds)
