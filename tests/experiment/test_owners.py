"""Events that name nobody, given to one of two people, and shown by lam look."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from lam_env.commands import look
from lam_env.core import registry
from lam_env.core.errors import UserError
from lam_env.core.events import READING, USER, ActionLog, Protocol
from lam_env.core.progress import silent
from lam_env.core.seeds import Use, world_seeds
from lam_env.envs.recording import simulate_log
from lam_env.experiment.logs import owners

NAMES = ["anna", "ben", "unknown"]


@pytest.fixture(autouse=True)
def few_homes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owners, "HOMES", 3)
    monkeypatch.setattr(owners, "DAYS", 5)


@pytest.fixture(scope="module")
def home() -> ActionLog:
    """A simulated home of two, in which nobody's readings are left."""
    log, _ = simulate_log(registry.scenario("smart_home")(residents=2), world_seeds(Use.TEST, 1), 5)
    log = log.select(log.kind != READING)
    return dataclasses.replace(log, protocol=Protocol(), meta={"users": NAMES})


def unnamed(log: ActionLog) -> ActionLog:
    """Sensors name nobody, and two of three commands."""
    named = (log.kind == USER) & (np.arange(len(log)) % 3 == 0)
    return dataclasses.replace(log, columns={**log.columns, "user": np.where(named, log.user, 2).astype(np.int16)})


def test_every_event_has_an_owner_and_more_are_right_than_by_the_last_name(home: ActionLog) -> None:
    asked = unnamed(home)
    found = owners.owned(asked, "unknown", silent)
    assert found.log.meta["users"] == ["anna", "ben"]
    assert found.unnamed.tolist() == (asked.user == 2).tolist()
    assert (found.log.user == home.user)[~found.unnamed].all()
    right = (found.log.user == home.user)[found.unnamed].mean()
    last = np.maximum.accumulate(np.where(found.unnamed, 0, np.arange(len(home))))
    assert right > (home.user[last] == home.user)[found.unnamed].mean() + 0.1
    assert abs(found.right - right) < 0.2
    assert found.tried == -(-int((~found.unnamed).sum()) // owners.HIDDEN)


def test_lam_look_says_whose_they_are(home: ActionLog, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked, words = unnamed(home), home.vocabulary
    rows = ["time,user,action,kind"]
    for event in asked.events():
        kind, name = ("user", words.actions) if event.kind == USER else ("sensor", words.sensors)
        rows.append(f"{1_700_000_000 + event.time},{NAMES[event.user]},{name[event.token]},{kind}")
    (tmp_path / "log.csv").write_text("\n".join(rows))
    assert look.main([str(tmp_path / "log.csv"), "format=csv", "zone=UTC", "nobody=unknown"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"{(asked.user == 2).sum():,} of {len(asked):,} events name nobody" in said
    assert "hidden for a try" in said
    assert "users then: anna" in said or "users then: ben" in said


@pytest.mark.parametrize(
    ("changes", "nobody", "said"),
    [
        ({}, "somebody", "it has to be one of three users, the other two live there; users are anna, ben, unknown"),
        ({"meta": {}}, "unknown", "users are not named"),
        ({"protocol": Protocol("each")}, "unknown", "only commands of a home, read as one stream"),
        ({"intervals": True}, "unknown", "only commands of a home, read as one stream"),
    ],
)
def test_other_logs_are_refused(home: ActionLog, changes: dict[str, object], nobody: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        owners.owned(dataclasses.replace(home, **changes), nobody, silent)  # type: ignore[arg-type]
