"""A database that Home Assistant itself has written, by `live_in_ha.py`, is read whole.

LAM_ENV_HA is a Python that has Home Assistant (2023.12.4 is the last for Python 3.11), of an environment of its own:
python3 -m venv ha && ha/bin/pip install homeassistant==2023.12.4 SQLAlchemy==2.0.23 fnv-hash-fast psutil-home-assistant
"""

import os
import sqlite3
import subprocess
from pathlib import Path

import pytest

from lam_env.core.events import AGENT, SENSOR, USER
from lam_env.logs.formats.home_assistant import load

PYTHON = os.environ.get("LAM_ENV_HA")
PERSON = "0123456789abcdef0123456789abcdef"


@pytest.mark.skipif(PYTHON is None, reason="LAM_ENV_HA names no Python that has Home Assistant")
def test_no_row_is_unexplained(tmp_path):
    program = Path(__file__).with_name("live_in_ha.py")
    subprocess.run([PYTHON, str(program), str(tmp_path)], check=True)
    path = tmp_path / "home-assistant_v2.db"
    with sqlite3.connect(path) as database:
        rows = database.execute("select count(*) from states").fetchone()[0]
    log, left_out = load(str(path), zone="Europe/Berlin")
    assert rows == 15  # of 16 states one is no change
    assert len(log) + sum(left_out.values()) == rows
    names, words = log.meta["users"], log.vocabulary
    assert [
        ((words.sensors if e.kind == SENSOR else words.actions)[e.token], names[e.user] if e.kind == USER else e.kind)
        for e in log.events()
    ] == [
        ("light.kitchen.on", PERSON),
        ("binary_sensor.hall.on", SENSOR),
        ("light.hall.on", AGENT),
        ("light.kitchen.off", "home"),
        ("scene.evening.activated", PERSON),
    ]
