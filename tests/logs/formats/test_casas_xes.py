import datetime
import gzip

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from outside import HOMES, needs

from lam_env.core.events import USER, ActionLog, LogError
from lam_env.logs.formats.casas_xes import FORMATS, load
from lam_env.logs.tables import BACKWARDS


def event(name: str, transition: str, time: str) -> str:
    return (
        f'<event><string key="concept:name" value="{name}"/><string key="lifecycle:transition" value="{transition}"/>'
        f'<date key="time:timestamp" value="{time}"/><string key="Column_4" value="{name}"/></event>'
    )


def activity(name: str, start: str, end: str) -> str:
    return event(name, "start", start) + event(name, "complete", end)


def xes(*traces: str) -> str:
    body = "".join(f"<trace><string key='concept:name' value='1'/>{t}</trace>\n" for t in traces)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<log xmlns="http://www.xes-standard.org/">\n{body}</log>\n'


TWO = activity("sleep", "2011-06-15T01:00:00.000+02:00", "2011-06-15T07:30:00.000+02:00") + activity(
    "eat", "2011-06-15T08:00:00.000+02:00", "2011-06-15T08:00:30.900+02:00"
)


@pytest.fixture
def read(tmp_path):
    def read(text: str | bytes, name: str = "edited_hh1_labour.xes", **options):
        path = tmp_path / name
        data = text.encode() if isinstance(text, str) else text
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return load(str(path), **options)

    return read


@pytest.mark.parametrize("name", ["edited_hh1_labour.xes", "edited_hh1_labour.xes.gz"])
def test_activities_are_intervals_on_the_local_clock(read, name):
    log, left_out = read(xes(TWO), name)
    assert log.intervals
    assert log.ticks_per_second == 1
    assert log.vocabulary.actions == ("none", "eat", "sleep")
    # 2011-06-15 was a Wednesday: two days after tick 0
    assert log.time.tolist() == [2 * 86_400 + 3600, 2 * 86_400 + 8 * 3600]
    assert log.value.tolist() == [6.5 * 3600, 30]
    assert log.token.tolist() == [2, 1]
    assert (log.kind == USER).all()
    assert log.end == (2 * 86_400 + 8 * 3600 + 30,)
    assert log.meta == {"start": "2011-06-13", "source": name, "users": ["0"], "zone": "+02:00", "home": "hh1"}
    assert left_out == {}


def test_traces_in_any_order_are_sorted(read):
    late = activity("eat", "2011-06-18T08:00:00+02:00", "2011-06-18T08:01:00+02:00")
    log, _ = read(xes(late, TWO))
    assert (np.diff(log.time) > 0).all()
    assert log.token.tolist() == [2, 1, 1]


def test_the_winter_offset_does_not_move_the_wall_clock(read):
    log, _ = read(xes(TWO.replace("+02:00", "+01:00")))
    assert log.time.tolist() == [2 * 86_400 + 3600, 2 * 86_400 + 8 * 3600]


def test_whatever_is_left_out_is_counted_by_reason(read):
    t = "2011-06-15T09:00:00+02:00"
    log, left_out = read(
        xes(
            event("Start", "start", t)
            + event("Start", "complete", t)
            + TWO
            + event("eat", "complete", t)
            + event("sleep", "start", t)
            + event("eat", "schedule", t)
            + event("", "start", t)
            + activity("eat", t, "2011-06-15T08:59:00+02:00")
            + event("End", "complete", t)
        )
    )
    assert len(log) == 3
    assert log.meta["told"] == {BACKWARDS: 1}
    assert left_out == {
        "artificial event(s) (Start, End)": 3,
        "end(s) without a start": 1,
        "start(s) without an end": 1,
        "event(s) neither start nor complete": 1,
        "event(s) without a name": 1,
    }


def test_two_runs_of_one_activity_pair_first_in_first_out(read):
    at = "2011-06-15T{:02d}:00:00+02:00".format
    body = event("eat", "start", at(1)) + event("eat", "start", at(2)) + event("eat", "complete", at(3))
    body += event("eat", "complete", at(5)) + activity("nap", at(6), at(7))
    log, _ = read(xes(body))
    assert log.value.tolist() == [7200, 10_800, 3600]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("said", ["UTF-8", "UTF-16"])
def test_a_file_in_utf_16_is_read_whatever_its_first_line_says(tmp_path, pack, said):
    text = xes(activity("Küche", "2012-07-20T07:00:00+02:00", "2012-07-20T08:00:00+02:00"))
    (tmp_path / "a.xes").write_bytes(pack(text.replace('"UTF-8"', f'"{said}"').encode("utf-16")))
    log, left_out = load(str(tmp_path / "a.xes"))
    assert (log.vocabulary.actions[1:], left_out) == (("Küche",), {})


def test_the_files_of_one_home_in_a_folder_are_merged(tmp_path):
    other = activity("nap", "2011-06-18T08:00:00+02:00", "2011-06-18T08:01:00+02:00")
    (tmp_path / "edited_hh1_labour.xes").write_text(xes(TWO))
    (tmp_path / "edited_hh1_weekends.xes").write_text(xes(other))
    (tmp_path / "edited_hh2_labour.xes").write_text(xes(TWO))
    (tmp_path / "README.txt").write_text("not a log")
    log, _ = load(str(tmp_path), home="hh1")
    assert log.vocabulary.actions == ("none", "eat", "nap", "sleep")
    assert log.meta["source"] == "edited_hh1_labour.xes, edited_hh1_weekends.xes"
    assert len(load(str(tmp_path), home="hh2")[0]) == 2
    with pytest.raises(LogError, match="holds several homes; settings: home=<one of hh1, hh2>"):
        load(str(tmp_path))
    with pytest.raises(LogError, match="no home 'hh9' here; settings: home=<one of hh1, hh2>"):
        load(str(tmp_path), home="hh9")


def test_missing_and_empty_places(tmp_path):
    with pytest.raises(LogError, match="no such file or folder"):
        load(str(tmp_path / "nowhere"))
    with pytest.raises(LogError, match=r"no \.xes or \.xes\.gz file"):
        load(str(tmp_path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "file is empty"),
        (xes(), "no user events"),
        (xes(TWO)[:-20], "line 3: broken XML"),
        ("no xml at all", "line 1: broken XML"),
        ("<html></html>", "not an XES log"),
        (xes(TWO).encode().replace(b"sleep", b"sl\xffp"), "line 3: broken XML"),
        (xes(TWO).replace("2011-06-15T08:00:00.000+02:00", "yesterday"), "line 3: 'yesterday' is not an ISO 8601 time"),
        (xes(TWO).replace("UTF-8", "no-such-code"), "broken XML|unreadable text"),
    ],
)
def test_faults_are_told_in_one_line(read, text, message):
    with pytest.raises(LogError, match=message) as caught:
        read(text)
    assert "\n" not in str(caught.value)


def test_entities_are_refused_before_they_expand(read):
    bomb = '<!DOCTYPE log [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    with pytest.raises(LogError, match="line 2: a DOCTYPE is not allowed"):
        read(xes(TWO).replace("<log", bomb + "<log", 1))


def test_a_gzip_file_cut_short_says_so(tmp_path):
    path = tmp_path / "a.xes.gz"
    path.write_bytes(gzip.compress(xes(TWO, TWO).encode())[:-30])
    with pytest.raises(LogError, match="cut short"):
        load(str(path))


def log_or_error(path: str) -> ActionLog | str:
    try:
        return load(path)[0]
    except LogError as error:
        return str(error)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(st.data())
def test_a_damaged_file_raises_nothing_but_a_log_error(tmp_path, data):
    whole = gzip.compress(xes(TWO, TWO).encode(), mtime=0) if data.draw(st.booleans()) else xes(TWO, TWO).encode()
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(damaged)))
    path = tmp_path / "edited_hh1_labour.xes"
    path.write_bytes(data.draw(st.sampled_from([bytes(damaged), bytes(damaged[:cut])])))
    found = log_or_error(str(path))
    assert "\n" not in found if isinstance(found, str) else len(found) > 0


NAMES = st.sampled_from(["cook", "eat", "read", "sleep", "watch TV & rest"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.lists(st.tuples(NAMES, st.integers(0, 7200), st.integers(0, 40_000)), min_size=2, max_size=40))
def test_a_written_log_comes_back(tmp_path, rows):
    if len({name for name, _, _ in rows}) < 2:
        return
    when, written, body = datetime.datetime(2024, 2, 27, 3), [], ""
    monday = datetime.datetime(2024, 2, 26)
    for name, pause, length in rows:
        when += datetime.timedelta(seconds=pause)
        end = when + datetime.timedelta(seconds=length)
        body += activity(name.replace("&", "&amp;"), when.isoformat() + "+01:00", end.isoformat() + "+01:00")
        written.append((int((when - monday).total_seconds()), name, length))
        when = end
    (tmp_path / "home.xes").write_text(xes(body), encoding="utf-8")
    log, left_out = load(str(tmp_path / "home.xes"))
    assert left_out == {}
    assert [(e.time, log.vocabulary.actions[e.token], int(e.value)) for e in log.events()] == written


@needs(HOMES)
@pytest.mark.parametrize(("home", "events", "days", "labels"), [("hh104", 2842, 61, 17), ("hh102", 736, 25, 16)])
def test_the_published_homes(home, events, days, labels):
    log, left_out = FORMATS["casas_xes"](str(HOMES), home=home)
    assert len(log) == events
    assert len(np.unique(log.time // 86_400)) == days
    assert len(log.vocabulary) == labels + 1
    assert left_out == {"artificial event(s) (Start, End)": 4 * days}
    assert log.meta["start"] == "2011-06-13"
    # one file alone is one kind of day
    workdays, _ = load(str(HOMES / f"edited_{home}_labour.xes.gz"))
    assert (workdays.time // 86_400 % 7 < 5).all()


def file_event(depth: int, name: str, transition: str, hour: int) -> str:
    inner = event(name, transition, f"2011-06-15T{hour:02d}:00:00+02:00")
    return f"<list key='x'><values>{inner}</values></list>" if depth == 3 else inner


EVENTS = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.sampled_from(["eat", "sleep", "nap", "Start", "unavailable", "none"]),
        st.sampled_from(["start", "complete", "suspend"]),
        st.integers(0, 23),
    ),
    max_size=30,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(EVENTS)
def test_every_event_of_a_file_is_kept_or_counted(tmp_path, events):
    rows = [(depth, file_event(depth, *rest)) for depth, *rest in events]
    within = "".join(text for depth, text in rows if depth > 1)
    body = "".join(text for depth, text in rows if depth == 1) + f"<trace>{TWO}{within}</trace>"
    (tmp_path / "home.xes").write_text(f"<log>{body}</log>", encoding="utf-8")
    log, left_out = load(str(tmp_path / "home.xes"))
    assert 2 * len(log) + sum(left_out.values()) == len(events) + 4
    assert left_out.get("event(s) outside a trace", 0) == sum(depth != 2 for depth, *_ in events)


def test_what_is_nested_in_an_event_is_not_its_own(read):
    nested = '<list key="x"><values><string key="concept:name" value="nap"/></values></list>'
    nested += '<string key="y"><date key="time:timestamp" value="1999-01-01T00:00:00+02:00"/></string>'
    log, _ = read(xes(TWO.replace("</event>", nested + "</event>")))
    assert log.vocabulary.actions == ("none", "eat", "sleep")
    assert log.time.tolist() == [2 * 86_400 + 3600, 2 * 86_400 + 8 * 3600]


def test_a_zone_is_honoured_and_the_clock_of_computers_needs_one(read):
    utc = TWO.replace("+02:00", "Z")
    with pytest.raises(LogError, match=r"line 3: time .* is in UTC.*zone=Europe/Berlin.*zone=UTC"):
        read(xes(utc))
    assert read(xes(utc), zone="UTC")[0].time[0] == 2 * 86_400 + 3600
    assert read(xes(TWO), zone="America/New_York")[0].time[0] == 86_400 + 19 * 3600
    with pytest.raises(LogError, match="has no offset from UTC and others have one"):
        read(xes(TWO + activity("eat", "2011-06-15T09:00:00", "2011-06-15T09:30:00")))


def test_an_end_a_year_later_is_not_believed(read):
    late = activity("eat", "2011-06-15T09:00:00+02:00", "2012-06-20T09:30:00+02:00")
    log, left_out = read(xes(TWO + late))
    assert (len(log), left_out) == (2, {"event(s) of an activity of more than a year": 2})
