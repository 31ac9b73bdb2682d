"""Golden playthroughs: a seeded day of each scenario, replayed and compared line by line."""

import importlib.util
from pathlib import Path

import pytest

from lam_env import registry

GOLDEN = Path(__file__).parent / "golden"
spec = importlib.util.spec_from_file_location("golden_make", GOLDEN / "make.py")
make = importlib.util.module_from_spec(spec)
spec.loader.exec_module(make)


def test_every_scenario_has_a_golden_playthrough_and_no_other_file_lies_about():
    assert sorted(p.stem for p in GOLDEN.glob("*.txt")) == registry.scenario_names()


@pytest.mark.parametrize("name", registry.scenario_names())
def test_the_day_goes_as_it_went(name):
    expected = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    played = make.playthrough(name).splitlines()
    for number, (old, new) in enumerate(zip(expected, played, strict=False), 1):
        assert new == old, (
            f"{name}.txt, line {number}: the world has changed; if it was meant to, run tests/golden/make.py"
        )
    assert len(played) == len(expected)


@pytest.mark.parametrize("name", registry.scenario_names())
def test_a_golden_day_is_worth_reading(name):
    """Somebody does something, the agent acts and is answered, and another seed gives another day."""
    text = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")
    for word in ("  user ", "  agent ", "accept", "sensor", "reward.return"):
        assert word in text
    assert make.playthrough(name, make.SEED + 1) != text
