"""Records from JSON are of the types that they say; what reading code trips over becomes one line."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import spire

from lam_env.config.cli import ConfigError, read_yaml
from lam_env.core.behaviour_tables import Anchor, BehaviourTables, Need
from lam_env.core.errors import UserError
from lam_env.core.events import ActionLog, Event, LogError, Protocol, Vocabulary
from lam_env.core.files.inputs import json_of
from lam_env.core.files.manifest import write_manifest
from lam_env.core.files.records import record_of
from lam_env.evaluation.report.reader import read_run
from lam_env.evaluation.results import ResultRow, read
from lam_env.logs.formats.spire_cards import card_choices
from lam_env.logs.formats.table import FORMATS


@dataclass
class Part:
    name: str
    weight: float = 1.0


@dataclass
class Whole:
    parts: tuple[Part, ...]
    pair: tuple[float, float] = (0.0, 0.0)
    kind: Literal["a", "b"] = "a"
    timer: int | None = None
    on: bool = False
    by_name: dict[str, tuple[float, ...]] = dataclasses.field(default_factory=dict)
    table: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros((0, 0)))
    more: object = None


FULL = {"parts": [{"name": "x", "weight": 2}], "pair": [1, 2.5], "kind": "b", "timer": 3, "on": True}
FULL |= {"by_name": {"n": [1.0]}, "table": [[1, 2]], "more": [1]}


def test_what_fits_is_taken() -> None:
    found = record_of(Whole, FULL)
    assert (found.parts, found.pair, found.by_name) == ((Part("x", 2.0),), (1.0, 2.5), {"n": (1.0,)})
    assert (found.kind, found.timer, found.on, found.more) == ("b", 3, True, [1])
    assert found.table.tolist() == [[1.0, 2.0]]
    assert record_of(Whole, {"timer": None}, parts=()).parts == ()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"parts": None}, "parts is no list"),
        ({"parts": [[]]}, "Part is no mapping"),
        ({"parts": [{}]}, "name is missing"),
        ({"parts": [{"name": "x", "weight": True}]}, "weight is no number"),
        ({"parts": [{"name": "x", "weight": 10**400}]}, "weight: must be numbers"),
        ({"pair": [1.0]}, "pair is no list of 2"),
        ({"pair": 1.0}, "pair is no list of 2"),
        ({"kind": "c"}, "kind is no word that is known"),
        ({"kind": []}, "kind is no word that is known"),
        ({"timer": 2.0}, "timer is no whole number"),
        ({"timer": True}, "timer is no whole number"),
        ({"by_name": {"n": ["1"]}}, "by_name of 'n' is no number"),
        ({"table": [[1], [1, 2]]}, "table: must be numbers"),
        ({"extra": 1}, "'extra' is unknown"),
    ],
)
def test_what_does_not_is_refused(changed: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        record_of(Whole, FULL | changed)


def test_a_message_is_one_line_of_some_length_whatever_it_quotes() -> None:
    assert str(UserError("a\nb\x85c\u2028d")) == "a b c d"
    long = str(UserError("where: " + "9" * 70_000 + "; do this"))
    assert len(long) < 1_100
    assert long.startswith("where: 999")
    assert long.endswith("999; do this")


@pytest.mark.parametrize("text", [r'"\ud800"', r'{"a": ["\uDfff"]}', r'{"\ud800": 1}'])
def test_half_a_sign_is_none(text: str, tmp_path: Path) -> None:
    """What is read from a file can be written to one."""
    with pytest.raises(ValueError, match="surrogates"):
        json_of(text)
    with pytest.raises(ValueError, match="surrogates"):
        json_of(text.encode())
    assert json_of(r'"\ud83c\udfe0"') == "🏠"
    (tmp_path / "a.yaml").write_text(f"about: {text}")
    with pytest.raises(ConfigError, match="surrogates"):
        read_yaml(tmp_path / "a.yaml", "")
    row = {"time": 1_700_000_000, "user": "a", "action": "\ud800"}
    (tmp_path / "a.jsonl").write_text(json.dumps(row))
    with pytest.raises(LogError, match="line 1: not a JSON object"):
        FORMATS["jsonl"](str(tmp_path / "a.jsonl"), zone="UTC")


HABITS = BehaviourTables(
    activities=("sleep", "read"),
    anchors=(Anchor("sleep", 23.0, 0.5),),
    needs=(Need("read", 5.0),),
    durations={"sleep": (1.0, 2.0), "read": (1.0, 2.0)},
    hourly=np.ones((24, 2)),
    follow=np.ones((2, 2)),
).to_json()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"pauses": ["", ""]}, "pauses is no number"),
        ({"pauses": [5.0, 1.0]}, "pauses must be rising"),
        ({"naps": [1.0]}, "naps must be rising"),
        ({"durations": {"sleep": [0, 10**400], "read": [0, 1]}}, "durations of 'sleep': must be numbers"),
        ({"durations": {"sleep": [0, 1e300], "read": [0, 1]}}, "durations of 'sleep' must be rising"),
        ({"hourly": [[float("nan")] * 2] * 24}, "hourly of nan"),
        ({"follow": [[-1, 0], [0, 0]]}, "follow of -1"),
        ({"pause": 2}, "pause of 2"),
        ({"anchors": [{"activity": "sleep", "hour": 1e308, "sd": 1}]}, "hour of 1e\\+308"),
        ({"needs": [{"activity": "read", "every": 0}]}, "every of 0"),
        ({"needs": [{"activity": "read", "every": 1, "shape": None}]}, "shape is no number"),
        ({"rotation": 0}, "rotation of 0"),
        ({"usual": [1.0] * 23}, "usual must be empty or \\(24,\\)"),
        ({"unseen": ["fly"]}, "unknown activity 'fly'"),
        ({"leads": {"read": "fly"}}, "unknown activity 'fly'"),
        ({"leads": {"read": "sleep", "sleep": "read"}}, "both leads and is led"),
    ],
)
def test_habits_that_nobody_can_live_by_are_refused(changed: dict[str, object], said: str) -> None:
    assert BehaviourTables.from_json(HABITS).activities == ("sleep", "read")
    with pytest.raises(ValueError, match=said):
        BehaviourTables.from_json(HABITS | changed)


def test_a_log_whose_settings_are_of_another_type_is_refused(tmp_path: Path) -> None:
    log = ActionLog.from_events([Event(1, 0, 0, 1)], Vocabulary(("none", "a")), protocol=Protocol("worlds"))
    log.fill(tmp_path / "log")
    about = json.loads((tmp_path / "log/log.json").read_text())
    for changed in ({"meta": []}, {"intervals": "no"}, {"protocol": {"split": 1}}, {"start": 1}, {"people": True}):
        (tmp_path / "log/log.json").write_text(json.dumps(about | changed))
        write_manifest(tmp_path / "log", 1)
        with pytest.raises(LogError, match="not a readable log"):
            ActionLog.load(tmp_path / "log")


def test_endless_floors_are_no_run_history(tmp_path: Path) -> None:
    run = spire.run(ascension_level=float("1e400"))
    with pytest.raises(LogError, match=r"not a run history"):
        card_choices(spire.write(tmp_path / "r.jsonl", run))


def test_failures_of_a_report_are_by_name(tmp_path: Path) -> None:
    (tmp_path / "report").mkdir()
    (tmp_path / "config.json").write_text('{"scenario": "game"}')
    (tmp_path / "report/about.json").write_text('{"failed": []}')
    with pytest.raises(UserError, match=r"about.json: cannot be read"):
        read_run(tmp_path)


def test_long_cells_of_results_are_cut(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(",".join(ResultRow._fields) + f"\n{'a' * 20_000},b,c,0,0,d,1\n")
    with pytest.raises(UserError) as told:
        read(tmp_path / "r.csv")
    assert len(str(told.value)) < 1_100
