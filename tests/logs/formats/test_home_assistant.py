import datetime
import gzip
import json
import os
import sqlite3

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lam_env.core.events import AGENT, KINDS, SENSOR, USER, LogError
from lam_env.logs.formats.home_assistant import database, load
from lam_env.logs.formats.home_assistant.downloads import MESSAGES
from lam_env.logs.formats.home_assistant.states import (
    BACK,
    EMPTY,
    FIRST,
    LATER,
    NAMELESS,
    OTHERS,
    READINGS,
    SAME,
    TIMELESS,
    UNTOLD,
)

SEVEN = datetime.datetime(2026, 1, 5, 6, tzinfo=datetime.UTC)  # 07:00 in Berlin, on a Monday
ANNA = bytes(range(16))
TODAY = """create table states_meta (metadata_id integer primary key, entity_id text);
create table states (state_id integer primary key, entity_id text, state varchar(255), last_changed datetime,
  last_changed_ts float, last_updated datetime, last_updated_ts float, old_state_id integer, context_id_bin blob,
  context_user_id_bin blob, context_parent_id_bin blob, metadata_id integer);
create index ix_states_last_updated_ts on states (last_updated_ts);"""
OLD = """create table events (event_id integer primary key, context_id text, context_user_id text,
  context_parent_id text);
create table states (state_id integer primary key, domain text, entity_id text, state text, last_changed datetime,
  last_updated datetime, event_id integer, old_state_id integer);"""


class Recorder:
    """Writes states into a database, as Home Assistant does."""

    def __init__(self, path, schema=TODAY):
        self.path, self.old = path, schema is OLD
        self.database = sqlite3.connect(path, isolation_level=None)
        self.database.execute("pragma journal_mode=wal")
        self.database.executescript(schema)
        self.last, self.entities = {}, {}

    def insert(self, table, **cells):
        names, marks = ", ".join(cells), ", ".join("?" * len(cells))
        return self.database.execute(f"insert into {table} ({names}) values ({marks})", list(cells.values())).lastrowid

    def write(self, after, entity, state, *, user=None, parent=None, context=None, **cells):
        time = SEVEN + datetime.timedelta(seconds=after)
        row = {"state": state, "old_state_id": self.last.get(entity)}
        if self.old:
            row |= {"entity_id": entity, "domain": entity.partition(".")[0]}
            row |= dict.fromkeys(("last_changed", "last_updated"), f"{time:%Y-%m-%d %H:%M:%S.%f}")
            ids = {"context_id": context, "context_user_id": user and user.hex(), "context_parent_id": parent}
            row["event_id"] = self.insert("events", **ids)
        else:
            if entity not in self.entities:
                self.entities[entity] = self.insert("states_meta", entity_id=entity)
            row |= {"metadata_id": self.entities[entity], "last_updated_ts": time.timestamp()}
            row |= {"context_id_bin": context, "context_user_id_bin": user, "context_parent_id_bin": parent}
        self.last[entity] = self.insert("states", **row | cells)

    def read(self, **options):
        self.database.close()
        return load(str(self.path), **{"zone": "Europe/Berlin"} | options)


@pytest.fixture
def recorder(tmp_path):
    return lambda schema=TODAY: Recorder(tmp_path / "home-assistant_v2.db", schema)


def events(log):
    """(seconds after 07:00 of the first day, kind, user, name) of each."""
    words = {USER: log.vocabulary.actions, AGENT: log.vocabulary.actions, SENSOR: log.vocabulary.sensors}
    return [(e.time - 7 * 3600, KINDS[e.kind], log.meta["users"][e.user], words[e.kind][e.token]) for e in log.events()]


@pytest.mark.parametrize("schema", [TODAY, OLD])
def test_changes_are_events_of_whoever_made_them(recorder, schema):
    home = recorder(schema)
    for entity in ("light.kitchen", "binary_sensor.hall", "cover.blind", "automation.evening", "sensor.power"):
        home.write(0, entity, "off")
    home.write(1.5, "light.kitchen", "on", user=ANNA)
    home.write(2, "binary_sensor.hall", "on", user=ANNA)
    home.write(3, "sensor.power", "12.5")
    home.write(4, "light.kitchen", "off", parent=b"p")
    home.write(5, "automation.evening", "on", context=b"c")  # the clock triggers it
    home.write(6, "cover.blind", "closed", context=b"c")
    home.write(7, "light.kitchen", "on")
    home.write(8, "light.kitchen", "off", user=ANNA, parent=b"p")  # by a script that she started
    log, left_out = home.read()
    assert events(log) == [
        (1, "user", ANNA.hex(), "light.kitchen.on"),
        (2, "sensor", "home", "binary_sensor.hall.on"),
        (4, "agent", "home", "light.kitchen.off"),
        (6, "agent", "home", "cover.blind.closed"),
        (7, "user", "home", "light.kitchen.on"),
        (8, "user", ANNA.hex(), "light.kitchen.off"),
    ]
    assert left_out == {FIRST: 3, OTHERS: 2, READINGS: 2}
    assert log.meta["start"] == "2026-01-05"
    assert (log.meta["zone"], log.meta["told"]) == ("Europe/Berlin", {UNTOLD: 1})


@pytest.mark.parametrize("schema", [TODAY, OLD])
def test_what_is_no_change_is_counted(recorder, schema):
    home = recorder(schema)
    for after, state in enumerate(("off", "on", "on", "unavailable", "on", "", None, "off", "unknown", "on")):
        home.write(after, "light.kitchen", state, user=ANNA)
    home.write(20, "light.kitchen", "off", old_state_id=None)  # Home Assistant has started again
    home.write(21, "light.kitchen", "on", user=ANNA)
    log, left_out = home.read()
    assert [(after, name) for after, _, _, name in events(log)] == [
        (1, "light.kitchen.on"),
        (7, "light.kitchen.off"),
        (9, "light.kitchen.on"),
        (21, "light.kitchen.on"),
    ]
    assert left_out == {FIRST: 2, SAME: 1, EMPTY: 4, BACK: 1}
    assert log.meta["told"] == {LATER: 2}


def test_a_button_is_pressed_each_time_that_its_state_says_anew(recorder):
    home = recorder()
    for after in (0, 10, 20):
        home.write(after, "input_button.tea", f"2026-01-05T06:00:{after:02d}+00:00")
        home.write(after, "scene.film", f"2026-01-05T06:00:{after:02d}+00:00")
    log, _ = home.read()
    pressed, activated = "input_button.tea.pressed", "scene.film.activated"
    assert [name for *_, name in events(log)] == [pressed, activated, pressed, activated]


def test_a_database_half_way_between_two_schemas(recorder):
    home = recorder()
    text = {"last_updated_ts": None, "metadata_id": None, "entity_id": "light.a"}
    home.write(0, "light.a", "on", **text, last_updated="2026-01-05 05:00:00.250000")
    home.write(0, "light.a", "off", **text, last_updated="2026-01-05 05:00:01", last_changed="2026-01-05 05:00:00.500")
    home.write(0, "light.a", "off")
    home.write(5, "light.a", "on", last_changed_ts=(SEVEN + datetime.timedelta(seconds=4)).timestamp())
    for cells in ({"metadata_id": None}, {"last_updated_ts": 0}, {"last_updated_ts": None}):
        home.write(6, "light.a", "off", **cells)
    log, left_out = home.read()
    assert [(after, name) for after, *_, name in events(log)] == [(-3600, "light.a.off"), (4, "light.a.on")]
    assert left_out == {FIRST: 1, SAME: 1, NAMELESS: 1, TIMELESS: 2}


def test_a_database_in_use_is_read_and_left_as_it_is(recorder):
    home = recorder()
    for after, state in enumerate(("off", "on", "off")):
        home.write(after, "light.a", state)
    home.database.execute("begin immediate")
    home.write(9, "light.a", "on")  # not yet committed
    folder = home.path.parent
    before = {f.name: (f.read_bytes(), f.stat().st_mtime_ns) for f in folder.iterdir()}
    assert sorted(before) == [home.path.name + end for end in ("", "-shm", "-wal")]
    assert len(load(str(home.path), zone="UTC")[0]) == 2
    assert {f.name: (f.read_bytes(), f.stat().st_mtime_ns) for f in folder.iterdir()} == before
    home.database.execute("commit")
    home.database.close()
    assert os.listdir(folder) == [home.path.name]
    assert len(home.read()[0]) == 3
    assert os.listdir(folder) == [home.path.name]


def test_a_database_that_somebody_locks(recorder, monkeypatch):
    home = recorder()
    home.database.execute("pragma journal_mode=delete")
    home.database.execute("begin exclusive")
    monkeypatch.setattr(database, "WAIT", 0.01)
    with pytest.raises(LogError, match=r"another program is writing to it\); try again, or give a copy"):
        load(str(home.path))


@pytest.mark.parametrize(
    ("entity", "state", "cells", "message"),
    [
        ("light.a", "x", {"last_updated_ts": 1e300}, r", table states, state_id 3: '1e\+300' is not an ISO 8601 time"),
        ("light.a", "x", {"last_updated_ts": 5e9}, ", table states, state_id 3: '2128.* lies outside 1970 to 2100"),
        ("light.a", "x", {"last_changed": "soon"}, ", table states, state_id 3: 'soon' is not an ISO 8601 time"),
        ("light.a", b"x", {}, ", table states, state_id 3: state .* is no text"),
        ("kitchen", "x", {}, ", table states, state_id 3: 'kitchen' is no entity, as light.kitchen is one"),
        (b"light.a", "x", {}, ", table states, state_id 3: .* is no entity"),
        ("light.a", "x\n" * 150, {}, ": a name of 307 characters"),
    ],
)
def test_a_row_that_makes_no_sense(recorder, entity, state, cells, message):
    home = recorder()
    home.write(0, "light.a", "off")
    home.write(1, "light.a", "on")
    home.write(2, entity, state, **cells)
    with pytest.raises(LogError, match=f"home-assistant_v2.db{message}") as caught:
        home.read()
    assert "\n" not in str(caught.value)


def test_text_that_is_no_utf_8(recorder):
    home = recorder()
    home.write(0, "light.a", "off")
    home.database.execute("update states set state = cast(x'ff0a' as text)")
    with pytest.raises(LogError, match=r"the database cannot be read \(Could not decode to UTF-8") as caught:
        home.read()
    assert "\n" not in str(caught.value)


def test_other_databases_and_settings(recorder, tmp_path):
    home = recorder()
    home.write(0, "light.a", "off")
    with pytest.raises(LogError, match="no change of a light, a switch or another entity"):
        home.read()
    home = Recorder(tmp_path / "other.db", "create table states (id, name)")
    with pytest.raises(LogError, match=r"other.db: a database, but not of Home Assistant's recorder"):
        home.read()
    (tmp_path / "x.gz").write_bytes(gzip.compress(home.path.read_bytes(), mtime=0))
    with pytest.raises(LogError, match=r"file is not a database.; unpack it if it is packed"):
        load(str(tmp_path / "x.gz"))
    with pytest.raises(LogError, match="no such file; give the path of a file"):
        load(str(tmp_path / "none.db"))


CSV = '''entity_id,state,last_changed,current_temperature,temperature
climate.hall,heat,2026-01-05T06:00:00.000Z,20.5,21
climate.hall,heat,2026-01-05T06:00:30.000Z,20.6,21
climate.hall,off,2026-01-05T06:01:00.000Z,,21
sensor.power,12.5,2026-01-05T06:00:00.000Z
light.a,off,2026-01-05T06:00:00.000Z
light.a,on,2026-01-05T06:00:45.500Z
input_select.mode,home,2026-01-05T06:00:00.000Z
input_select.mode,"away, ""far""",2026-01-05T06:00:50.000Z
'''


def test_the_csv_of_the_history_page(tmp_path):
    path = tmp_path / "history.csv"
    path.write_bytes(gzip.compress(CSV.encode(), mtime=0))
    log, left_out = load(str(path), zone="Europe/Berlin")
    assert events(log) == [
        (45, "user", "home", "light.a.on"),
        (50, "user", "home", 'input_select.mode.away, "far"'),
        (60, "user", "home", "climate.hall.off"),
    ]
    assert left_out == {FIRST: 3, SAME: 1, READINGS: 1}
    assert log.meta["told"] == {UNTOLD: 3}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: the file is empty; give home-assistant_v2.db, what the history or Activity page downloads"),
        ("a,b", "line 1: no column entity_id, state, last_changed; give home-assistant_v2.db"),
        ('a"b,"c"d', "line 1: broken CSV .*; give home-assistant_v2.db"),
        ("when,state", "line 1: no column entity_id; give home-assistant_v2.db"),
        (CSV, "line 7: time .* is in UTC, the clock of computers; settings: zone=Europe/Berlin"),
        (CSV + "light.a,off\n", "line 10: 2 cells are too few"),
        (CSV + '"', "line 10: broken CSV"),
        (CSV + "light,on,2026-01-05T06:00:50.000Z\n", "line 10: 'light' is no entity"),
        (CSV + "light.a,off,today\n", "line 10: 'today' is not an ISO 8601 time"),
        (CSV.encode() + b"\xff", "line 10: not UTF-8"),
    ],
)
def test_faults_of_a_csv(tmp_path, text, message):
    (tmp_path / "x.csv").write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(LogError, match=f"x.csv, {message}") as caught:
        load(str(tmp_path / "x.csv"))
    assert "\n" not in str(caught.value)


ENTRIES = [  # as GET /api/logbook writes them
    {"when": "2026-01-05T06:00:01+00:00", "state": "on", "entity_id": "light.a", "name": "A", "context_user_id": "u1"},
    {"when": "2026-01-05T06:00:02.500000+00:00", "state": "on", "entity_id": "binary_sensor.b", "name": "B"},
    {"when": "2026-01-05T06:00:03+00:00", "name": "Evening", "message": "triggered", "entity_id": "automation.e"},
    {
        **{"when": "2026-01-05T06:00:03.250000+00:00", "state": "off", "entity_id": "light.a"},
        **{"context_event_type": "automation_triggered", "context_domain": "automation"},
        "context_entity_id": "automation.e",
    },
    {"when": "2026-01-05T06:00:04+00:00", "state": "on", "entity_id": "light.a", "context_entity_id": "script.s"},
    {"when": "2026-01-05T06:00:05+00:00", "state": "off", "entity_id": "light.a", "context_entity_id": "light.all"},
    {"when": "2026-01-05T06:00:06+00:00", "name": "Note", "message": "hello", "domain": "notify"},
]
WHO = [
    (1, "user", "u1", "light.a.on"),
    (2, "sensor", "home", "binary_sensor.b.on"),
    (3, "agent", "home", "light.a.off"),
    (4, "agent", "home", "light.a.on"),
    (5, "user", "home", "light.a.off"),
]


def seconds(entry):
    return datetime.datetime.fromisoformat(entry["when"]).timestamp()


def as_csv(entries, time):
    columns = ["when", *dict.fromkeys(name for entry in ENTRIES for name in entry if name != "when")]
    lines = [",".join(str(entry.get(name, "")) for name in columns) for entry in map(time, entries)]
    return "\n".join((",".join(columns), *lines)) + "\n"


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(ENTRIES),
        json.dumps({"id": 5, "type": "result", "result": [e | {"when": seconds(e)} for e in ENTRIES]}),
        as_csv(ENTRIES[::-1], lambda entry: entry | {"when": entry["when"].replace("+00:00", "Z")}),
        as_csv(ENTRIES, lambda entry: entry | {"when": seconds(entry)}),
    ],
    ids=["rest", "websocket", "newest first", "seconds"],
)
def test_the_logbook_tells_who_did_it_and_its_first_entries_are_changes(tmp_path, text):
    path = tmp_path / "logbook"
    path.write_bytes(gzip.compress(text.encode(), mtime=0))
    log, left_out = load(str(path), zone="Europe/Berlin")
    assert events(log) == WHO
    assert left_out == {MESSAGES: 2}
    assert log.meta["told"] == {UNTOLD: 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"message": "Not found"}', "x.json: no list of logbook entries; give home-assistant_v2.db"),
        ('[{"when": 1, "sta', "x.json: not JSON, or cut short"),
        ('[[{"entity_id": "light.a", "state": "on"}]]', "x.json, entry 1: no logbook entry, which has when"),
        ('[{"when": "noon", "entity_id": "light.a", "state": "on"}]', "x.json, entry 1: 'noon' is not an ISO 8601"),
        ('[{"when": 1e300, "entity_id": "light.a", "state": "on"}]', r"x.json, entry 1: '1e\+300' is not an ISO 8601"),
        ('[{"when": 1, "entity_id": "light.a", "state": 5}]', "x.json, entry 1: state '5' is no text"),
        ('[{"when": 1, "entity_id": "light", "state": "on"}]', "x.json, entry 1: 'light' is no entity"),
        (json.dumps(ENTRIES[2:3]), "x.json: no change of a light, a switch or another entity"),
        (json.dumps(ENTRIES), "x.json, entry 1: time .* is in UTC, the clock of computers; settings: zone="),
    ],
)
def test_faults_of_a_logbook(tmp_path, text, message):
    (tmp_path / "x.json").write_text(text, encoding="utf-8")
    with pytest.raises(LogError, match=message) as caught:
        load(str(tmp_path / "x.json"))
    assert "\n" not in str(caught.value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
@given(st.data())
def test_a_damaged_database_raises_nothing_but_a_log_error(tmp_path, data):
    if not (path := tmp_path / "home.db").exists():
        home = Recorder(path)
        for after in range(30):
            home.write(after, "light.a", ("off", "on")[after % 2], user=ANNA)
        home.database.close()
    damaged = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 30))):
        damaged[data.draw(st.integers(16, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "x.db").write_bytes(damaged[: data.draw(st.integers(16, len(damaged)))])
    try:
        assert len(load(str(tmp_path / "x.db"), zone="UTC")[0])
    except LogError as error:
        assert "\n" not in str(error)  # noqa: PT017
