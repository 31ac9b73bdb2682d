"""What is said of a twin before what is won for it."""

from __future__ import annotations

from lam_env.evaluation.credibility import Credibility
from lam_env.evaluation.results import ResultRow, result_rows


def twin(**gates: float) -> list[ResultRow]:
    return result_rows({f"fidelity.{name}": v for name, v in gates.items()}, "home", "resident", 0, variant="twin")


def test_gates_that_are_failed_are_named() -> None:
    rows = [*twin(durations=0, wake_up=1, hour_profile=0), *result_rows({"utility.lift": 0.0}, "home", "none", 0)]
    found = Credibility.of(rows)
    assert found == (3, ("durations", "hour profile"))
    assert found.warning().startswith("WARNING: the twin fails 2 of 3 gates of credibility (durations, hour profile): ")


def test_nothing_is_said_where_all_are_passed_or_there_is_no_twin() -> None:
    assert Credibility.of(twin(durations=1)).warning() == ""
    assert Credibility.of([]) == (0, ())
    assert Credibility.of([]).warning() == ""
