"""Golden playthroughs: a seeded day of each scenario, replayed and compared line by line."""

import importlib.util
from pathlib import Path

import pytest

from lam_env.core import registry

GOLDEN = Path(__file__).parent / "golden"
spec = importlib.util.spec_from_file_location("golden_make", GOLDEN / "make.py")
make = importlib.util.module_from_spec(spec)
spec.loader.exec_module(make)


def test_every_scenario_has_a_golden_playthrough_and_no_other_file_lies_about():
    assert sorted(p.stem for p in GOLDEN.glob("*.txt")) == make.names()


@pytest.mark.parametrize("name", make.names())
def test_the_day_goes_as_it_went(name):
    expected = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    played = make.playthrough(name).splitlines()
    for number, (old, new) in enumerate(zip(expected, played, strict=False), 1):
        assert new == old, (
            f"{name}.txt, line {number}: the world has changed; if it was meant to, run tests/golden/make.py"
        )
    assert len(played) == len(expected)


@pytest.mark.parametrize("name", make.names())
def test_a_golden_day_is_worth_reading(name):
    """Somebody acts, what can be sensed is, an agent that acts is answered, and another seed gives another day."""
    text, scenario = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8"), registry.scenario(name)()
    words = ["  user ", "reward.return", *(["  sensor "] if scenario.vocabulary.sensors else [])]
    assert [word for word in words if word not in text] == []
    if "oracle" in scenario.baselines():
        assert "  agent " in text
        assert any(f"  * {word} " in text for word in scenario.vocabulary.feedback)
    assert make.playthrough(name, make.SEED + 1) != text


def test_a_scenario_of_another_distribution_needs_no_golden_day(monkeypatch):
    theirs = [*registry.scenario_names(), "theirs"]
    monkeypatch.setattr(registry, "scenario_names", lambda: theirs)
    assert "theirs" not in make.names()
