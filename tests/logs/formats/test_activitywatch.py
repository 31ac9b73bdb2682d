import gzip
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lam_env.core.events import LogError
from lam_env.logs.formats.activitywatch import AWAY, CUT, JOINED, NO_APP, NO_LENGTH, OTHERS, load
from lam_env.logs.input import records


def at(second):
    """A time of 2026-01-05, 08:00 UTC on, as ActivityWatch writes it."""
    return f"2026-01-05T08:{int(second) // 60:02d}:{second % 60:09.6f}+00:00"


def bucket(kind, key, events, host="pc"):
    told = [{"timestamp": at(start), "duration": end - start, "data": {key: what}} for start, end, what in events]
    return {"type": kind, "hostname": host, "events": told}


def windows(*events, host="pc"):
    return bucket("currentwindow", "app", events, host)


def presence(*events, host="pc"):
    return bucket("afkstatus", "status", events, host)


@pytest.fixture
def read(tmp_path):
    def read(*buckets, zone="Europe/Berlin", **options):
        path = tmp_path / "aw.json"
        path.write_text(json.dumps({"buckets": {f"bucket-{i}": b for i, b in enumerate(buckets)}}))
        return load(str(path), zone=zone, **options)

    return read


def activities(log):
    """(seconds after 09:00, their number, user, app) of each."""
    users, apps = log.meta["users"], log.vocabulary.actions
    rows = [(e.time - 9 * 3600, e.value, users[max(e.user, e.world)], apps[e.token]) for e in log.events()]
    return sorted(rows)


def test_windows_are_activities_of_the_computer_they_were_on(read):
    others = {"type": "web.tab.current", "hostname": "pc", "events": [{}, {}]}
    log, left_out = read(
        windows((1.25, 60, "Editor"), (60, 60, "Menu"), (61, 90.5, "Browser"), (95, 99, ""), (99, 100, "None")),
        windows((30, 40, "Player"), host="tablet"),
        others,
    )
    assert activities(log) == [
        (1, 58.75, "pc", "Editor"),
        (30, 10, "tablet", "Player"),
        (61, 29.5, "pc", "Browser"),
    ]
    assert left_out == {NO_LENGTH: 1, NO_APP: 2, OTHERS: 2}
    assert (log.intervals, log.meta["zone"]) == (True, "Europe/Berlin")
    assert "told" not in log.meta


def test_time_away_from_the_keyboard_is_cut_out(read):
    log, left_out = read(
        windows((0, 100, "Editor"), (120, 130, "Mail"), (140, 200, "Browser"), (200, 230, "Mail")),
        presence((20, 30, "afk"), (25, 40, "afk"), (40, 110, "not-afk"), (110, 150, "afk"), (220, 300, "afk")),
        presence((0, 300, "afk"), host="tablet"),
    )
    assert activities(log) == [
        (0, 20, "pc", "Editor"),
        (40, 60, "pc", "Editor"),
        (150, 50, "pc", "Browser"),
        (200, 20, "pc", "Mail"),
    ]
    assert (left_out, log.meta["told"]) == ({AWAY: 1}, {CUT: 3})


def test_neighbours_of_the_same_app_are_one(read):
    log, left_out = read(
        windows((50, 60, "Editor"), (0, 10, "Editor"), (10, 20, "Editor"), (25, 30, "Editor"), (35.5, 40, "Editor")),
        windows((41, 45, "Browser"), (42, 43, "Browser")),
    )
    assert activities(log) == [
        (0, 30, "pc", "Editor"),
        (35, 4.5, "pc", "Editor"),
        (41, 4, "pc", "Browser"),
        (50, 10, "pc", "Editor"),
    ]
    assert (left_out, log.meta["told"]) == ({}, {JOINED: 3})


EVENT = {"timestamp": at(0), "duration": 5, "data": {"app": "Editor"}}


@pytest.mark.parametrize(
    ("export", "message"),
    [
        ({}, 'no "buckets", so no export of ActivityWatch'),
        ([], 'no "buckets"'),
        ({"buckets": {}}, "no windows used; export all buckets"),
        ({"buckets": {"b\n": []}}, r"bucket 'b\\n': needs type, hostname and a list of events"),
        ({"buckets": {"b": windows() | {"hostname": " "}}}, "bucket 'b': needs type, hostname"),
        ([EVENT | {"data": None}], "event 1: needs timestamp, duration and, in data, app"),
        ([EVENT, 7], "event 2: needs timestamp, duration and, in data, app"),
        ([EVENT, EVENT | {"data": {"app": 7}}], "event 2: needs timestamp, duration and, in data, app"),
        ([EVENT, EVENT | {"duration": -1}], "event 2: a duration of -1; it must lie between 0"),
        ([EVENT, EVENT | {"duration": 1e300}], r"event 2: a duration of 1e\+300; it must lie"),
        ([EVENT, EVENT | {"duration": True}], "event 2: a duration of True"),
        ([EVENT, {"data": {"app": "x"}, "duration": 1}], "event 2: 'None' is not an ISO 8601 time"),
        ([EVENT, EVENT | {"timestamp": "2026"}], "event 2: '2026' is not an ISO 8601 time"),
    ],
)
def test_faults_are_told_in_one_line(tmp_path, export, message):
    if isinstance(export, list) and export:
        export = {"buckets": {"b": windows() | {"events": export}}}
        message = "bucket 'b', " + message
    (tmp_path / "x.json").write_text(json.dumps(export))
    with pytest.raises(LogError, match=message) as caught:
        load(str(tmp_path / "x.json"), zone="UTC")
    assert str(caught.value).startswith("x.json")
    assert "\n" not in str(caught.value)


def test_files_and_settings(read, tmp_path, monkeypatch):
    used = windows((0, 10, "Editor"), (10, 20, "Browser"))
    with pytest.raises(LogError, match=r"'bucket-0', event 1: .* is in UTC, .* settings: zone=Europe/Berlin"):
        read(used, zone=None)
    with pytest.raises(LogError, match="no such file; give the path of a file"):
        load(str(tmp_path / "none.json"))
    (tmp_path / "x.json").write_bytes(gzip.compress((tmp_path / "aw.json").read_bytes(), mtime=0))
    assert activities(load(str(tmp_path / "x.json"), zone="Europe/Berlin")[0])[0] == (0, 10, "pc", "Editor")
    for text in (b"", b'{"buckets": {', b"\xff", b"[" * 100_000):
        (tmp_path / "x.json").write_bytes(text)
        with pytest.raises(LogError, match=r"x.json: not JSON, or cut short; export it again"):
            load(str(tmp_path / "x.json"))
    monkeypatch.setattr(records, "MOST_BYTES", 100)
    with pytest.raises(LogError, match="larger than 100 bytes; export fewer buckets at a time"):
        read(used)


SPAN = st.tuples(st.integers(0, 900), st.integers(0, 60), st.sampled_from(["A", "B", "", "none"]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
@given(st.lists(SPAN, max_size=20), st.lists(st.tuples(st.integers(0, 900), st.integers(0, 200)), max_size=5))
def test_what_is_kept_is_the_time_at_which_somebody_was_there(read, spans, away):
    spans = [(2000, 10, "A"), (2010, 10, "B"), *spans]
    log, left_out = read(
        windows(*((start, start + length, app) for start, length, app in spans)),
        presence(*((start, start + length, "afk") for start, length in away)),
    )
    gone = {second for start, length in away for second in range(start, start + length)}
    for app in ("A", "B"):
        used = {s for start, length, what in spans if what == app for s in range(start, start + length)} - gone
        kept = [range(start, start + int(length)) for start, length, _, what in activities(log) if what == app]
        kept_seconds = {second for seconds in kept for second in seconds}
        assert used <= kept_seconds
        # what was joined has used seconds around it
        assert all(used & set(range(s - 5, s)) and used & set(range(s + 1, s + 6)) for s in kept_seconds - used)
    assert sum(left_out.values()) >= sum(length == 0 or what in ("", "none") for _, length, what in spans)
