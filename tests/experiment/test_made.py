"""The wall time of a run is one figure, wherever it is written."""

from __future__ import annotations

import pytest

from lam_env.experiment.work import made as module
from lam_env.experiment.work.made import Made


def test_a_run_that_is_over_has_one_wall_time_which_another_takes_over(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(module.time, "time", lambda: clock[0])
    made = Made("first")
    made.go()
    clock[0] += 8.46
    assert made.going
    made.halt()
    clock[0] += 0.6  # which writing takes
    assert made.by(True) == ("first", 8.5)
    later = Made("second")
    later.go()
    later.take_over({"finished": True, "command": "first", "seconds": 8.5}, 8.5)
    clock[0] += 3
    later.halt()
    assert later.by(False) == ("first", 8.5)
    assert later.by(True) == ("second", 11.5)
