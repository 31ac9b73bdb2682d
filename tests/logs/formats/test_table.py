import csv
import datetime
import gzip
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lam_env.core.events import AGENT, SENSOR, USER, ActionLog, LogError
from lam_env.logs.coverage import clean
from lam_env.logs.formats.table import FORMATS

CSV = """time,user,action,value,kind
2024-03-05T07:00:00+01:00,anna,kitchen_light.on,,user
2024-03-05T07:00:05+01:00,ben,kettle.on,,
2024-03-05T07:01:00+01:00,anna,hall,1,sensor
2024-03-05T07:02:00+01:00,anna,kitchen_light.off,,agent
"""
quick = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)


def write(path, kind, rows):
    """Dictionaries of cells as a file of that format."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        if kind == "csv":
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        else:
            file.writelines(json.dumps(row) + "\n" for row in rows)


@pytest.fixture
def read(tmp_path):
    def read(text: str | bytes, kind: str = "csv", **options):
        path = tmp_path / f"home.{kind}"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return FORMATS[kind](str(path), **options)

    return read


def jsonl(text: str) -> str:
    return "".join(json.dumps(row) + "\n" for row in csv.DictReader(text.splitlines()))


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_commands_sensors_and_agent_acts(read, kind):
    log, left_out = read(CSV if kind == "csv" else jsonl(CSV), kind)
    assert (log.intervals, log.timer) == (False, 300)
    assert log.vocabulary.actions == ("none", "kettle.on", "kitchen_light.off", "kitchen_light.on")
    assert log.vocabulary.sensors == ("hall",)
    day = 86_400 + 7 * 3600  # a Tuesday
    assert log.time.tolist() == [day, day + 5, day + 60, day + 120]
    assert log.kind.tolist() == [USER, USER, SENSOR, AGENT]
    assert log.token.tolist() == [3, 1, 0, 2]
    assert log.user.tolist() == [0, 1, 0, 0]
    assert log.value[2] == 1
    assert np.isnan(log.value[0])
    assert log.meta.pop("streams") == "days"
    assert log.meta == {"start": "2024-03-04", "source": f"home.{kind}", "users": ["anna", "ben"], "zone": "+01:00"}
    assert left_out == {}


def test_gzip_byte_order_mark_and_windows_line_ends(read):
    plain, _ = read(CSV)
    packed, _ = read(gzip.compress(b"\xef\xbb\xbf" + CSV.replace("\n", "\r\n").encode()))
    assert packed.time.tolist() == plain.time.tolist()
    assert packed.vocabulary == plain.vocabulary


def test_durations_make_it_a_log_of_activities(read):
    log, _ = read(
        "time,user,action,duration\n2024-03-05T07:00:00+01:00,1,sleep,3600\n2024-03-05T08:00:00+01:00,1,eat,90.5\n"
    )
    assert (log.intervals, log.timer) == (True, None)
    assert log.value.tolist() == [3600, 90.5]
    assert log.end == (86_400 + 8 * 3600 + 90,)


def test_seconds_and_times_without_offset_use_the_zone(read):
    # 1709618400 is 2024-03-05 06:00 UTC
    rows = "1709618400,1,a\n2024-03-05T07:00:01,1,b\n2024-03-05T06:00:02Z,1,a\n2024-03-05 01:00:03-05:00,1,b\n"
    log, _ = read("time,user,action\n" + rows, zone="Europe/Berlin")
    assert (log.time - 86_400 - 7 * 3600).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("time", ["1709618400", "2024-03-05T07:00:01", "2024-03-05T06:00:02Z"])
def test_a_zone_is_asked_for_and_never_guessed(read, time):
    with pytest.raises(LogError, match=r"line 2: .*settings: zone=Europe/Berlin"):
        read(f"time,user,action\n{time},1,a\n")


def test_an_unknown_zone(read):
    with pytest.raises(LogError, match="unknown time zone 'Europe/Nowhere'"):
        read(CSV, zone="Europe/Nowhere")


@pytest.mark.parametrize(
    "times",
    [
        ["2024-10-27T02:30:00+02:00", "2024-10-27T02:10:00+01:00", "2024-10-27T02:40:00+01:00"],
        ["2024-10-27T02:30:00", "2024-10-27T02:10:00", "2024-10-27T02:40:00"],
    ],
)
def test_the_hour_that_the_clock_runs_through_twice_keeps_its_order(read, times):
    rows = "".join(f"{t},1,{a}\n" for t, a in zip(times, "aba", strict=True))
    log, _ = read("time,user,action\n" + rows, zone="Europe/Berlin")
    start = 6 * 86_400 + 2 * 3600
    assert (log.time - start).tolist() == [1800, 1800, 2400]
    assert log.token.tolist() == [1, 2, 1]


def test_lines_without_an_action_are_counted(read):
    log, left_out = read(CSV + "\n2024-03-05T08:00:00+01:00,anna,none,,\n2024-03-05T08:00:00+01:00,anna,,,\n\n")
    assert len(log) == 4
    assert left_out == {"empty line(s)": 2, "line(s) without an action": 2}


HEAD = "time,user,action,value,kind,duration\n"
GOOD = "2024-03-05T07:00:00+01:00,1,a,,,\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "file is empty"),
        (HEAD, "a header and no rows"),
        ("time,who,did\n" + GOOD, "line 1: no column action"),
        ("time,user,action,user\n" + GOOD, "line 1: a column name occurs twice"),
        (HEAD + GOOD + "2024-03-05T06:59:59+01:00,1,b,,,\n", "line 3: its time is before"),
        (HEAD + GOOD + "2024-03-05T07:30:00+02:00,1,b,,,\n", "line 3: its time is before"),
        (HEAD + GOOD + "soon,1,b,,,\n", "line 3: 'soon' is not an ISO 8601 time"),
        (HEAD + GOOD + "2024-03-05,1,b,,,\n", "line 3: '2024-03-05' is not an ISO 8601 time"),
        (HEAD + GOOD + "2024-03-05T07:00:00+01:00,1\n", "line 3: 2 cells but 6 columns"),
        (HEAD + GOOD.replace("a,,", "b,much,"), "line 2: value 'much' is not a finite number"),
        (HEAD + GOOD.replace("a,,", "b,1e300,"), "line 2: value '1e300' is not a finite number"),
        (HEAD + GOOD.replace("a,,,", "b,,,-1"), "line 2: a duration of -1 s"),
        (
            HEAD + GOOD.replace("a,,,", "b,,,5") + GOOD + GOOD.replace("a", "c"),
            "line 3: most user rows have no duration, and some have",
        ),
        (HEAD + GOOD.replace("a,,,", "b,,ghost,"), "line 2: unknown kind 'ghost'"),
        (HEAD + GOOD.replace(",1,", ",,"), "line 2: the user has no name"),
        (HEAD + GOOD.replace("a,,", "hall,,sensor"), "no user events"),
        (HEAD + GOOD + '"', "line 3: broken CSV"),
        ((HEAD + GOOD).encode() + b"\xff,1,b,,,", "line 3: not UTF-8"),
        (gzip.compress((HEAD + GOOD).encode(), mtime=0)[:-9], "cut short"),
        (b"\x1f\x8bnot gzip", "damaged"),
        (gzip.compress(HEAD.encode() + bytes(5_000_000), mtime=0), "line 2: longer than 1048576 bytes"),
    ],
)
def test_faults_are_told_in_one_line(read, text, message):
    with pytest.raises(LogError, match=message) as caught:
        read(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[1, 2]", "not a JSON object"),
        ("{", "not a JSON object"),
        ("[" * 100_000, "not a JSON object"),
        ('{"time": 1, "user": 1}', "no column action"),
        ('{"time": true, "user": 1, "action": "a"}', "time is true, neither text nor a number"),
        ('{"time": 1e400, "user": 1, "action": "a"}', "not an ISO 8601 time"),
        ('{"time": 1, "user": [1], "action": "a"}', r"user is \[1\], neither text nor a number"),
        ('{"time": 1, "user": " ", "action": "a"}', "the user has no name"),
        ('{"time": 1, "user": 1, "action": "a", "value": {}}', "value is {}, neither text nor a number"),
        ('{"time": 1709618401, "user": 1, "action": 3, "kind": ""}', None),
        ('{"time": 1, "user": 1, "action": "a", "kind": "x"}', "unknown kind"),
    ],
)
def test_faults_of_a_json_line(read, line, message):
    good = '{"time": 1709618400, "user": 1, "action": "b"}\n'
    if message is None:
        assert len(read(good + line, "jsonl", zone="UTC")[0]) == 2
    else:
        with pytest.raises(LogError, match=f"line 2: .*{message}"):
            read(good + line, "jsonl", zone="UTC")


def test_a_missing_file_and_a_folder(tmp_path):
    for path, told in ((tmp_path / "nowhere.csv", "no such file"), (tmp_path, "is a folder")):
        with pytest.raises(LogError, match=f"{told}; give the path of a file"):
            FORMATS["csv"](str(path))


def test_users_that_are_numbers_are_numbered_in_their_order(read):
    rows = "".join(f"2024-03-05T07:00:0{i}+01:00,{u},{a}\n" for i, (u, a) in enumerate([(10, "a"), (9, "b"), (2, "a")]))
    log, _ = read("time,user,action\n" + rows)
    assert log.meta["users"] == ["2", "9", "10"]
    assert log.user.tolist() == [2, 1, 0]


@quick
@given(st.binary(max_size=200), st.sampled_from(["csv", "jsonl"]))
def test_random_bytes_raise_nothing_but_a_log_error(tmp_path, data, kind):
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(LogError) as caught:
        FORMATS[kind](str(tmp_path / "x"), zone="UTC")
    assert "\n" not in str(caught.value)


def log_or_error(kind: str, path: str) -> ActionLog | str:
    try:
        return FORMATS[kind](path, zone="UTC")[0]
    except LogError as error:
        return str(error)


@quick
@given(st.data(), st.sampled_from(["csv", "jsonl"]), st.booleans())
def test_a_damaged_file_raises_nothing_but_a_log_error(tmp_path, data, kind, packed):
    text = (CSV if kind == "csv" else jsonl(CSV)).encode()
    damaged = bytearray(gzip.compress(text, mtime=0) if packed else text)
    for _ in range(data.draw(st.integers(1, 5))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "x").write_bytes(damaged[: data.draw(st.integers(0, len(damaged)))])
    found = log_or_error(kind, str(tmp_path / "x"))
    assert "\n" not in found if isinstance(found, str) else len(found) > 1


CELL = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=8).filter(lambda s: s != "none")
ROW = st.tuples(
    st.integers(0, 90_000),
    CELL,
    CELL,
    st.sampled_from(["user", "agent", "sensor", "reading"]),
    st.none() | st.floats(-1e6, 1e6, width=32),
)


HOMES = "time,user,action,home\n" + "".join(
    f"2026-01-05T0{h}:00:00+01:00,anna,{a},{home}\n" for h, a, home in ((7, "x", "h1"), (8, "y", "h2"), (9, "y", "h1"))
)


def test_one_of_several_homes_is_picked_and_a_home_that_is_not_there_refused(read):
    log, left_out = read(HOMES, home="h1")
    assert (len(log), left_out, log.meta["home"]) == (2, {"event(s) of another home, or of none": 1}, "h1")
    with pytest.raises(LogError, match="holds several homes; settings: home=<one of h1, h2>"):
        read(HOMES)
    with pytest.raises(LogError, match="no home 'h9' here; settings: home=<one of h1, h2>"):
        read(HOMES, home="h9")
    with pytest.raises(LogError, match="no column home, so home=h1 says nothing; leave it away"):
        read(CSV, home="h1")
    with pytest.raises(LogError, match="no column home"):
        read(jsonl(CSV), "jsonl", home="h1")


TWO = "time,user,action,kind\n" + "".join(
    f"2026-01-05T0{h}:00:00+01:00,{who},{what},{kind}\n"
    for h, who, what, kind in (
        *((7, "anna", "x", "user"), (8, "ben", "y", "user"), (8, "ben", "hall", "sensor")),
        *((9, " anna", "z", "user"), (9, "ben", "x", "user")),
    )
)


def test_one_of_several_users_is_picked_with_all_that_is_nobodys_doing(read):
    log, left_out = read(TWO, user="anna ")
    assert (log.vocabulary.actions, log.kind.tolist()) == (("none", "x", "z"), [USER, SENSOR, USER])
    assert left_out == {"event(s) of another user": 2}
    with pytest.raises(LogError, match="no user 'eve' here; settings: user=<one of anna, ben>"):
        read(TWO, user="eve")
    with pytest.raises(LogError, match="no column user, so user=anna says nothing; leave it away"):
        read("time,action\n2026-01-05T07:00:00+01:00,x\n", user="anna")


STRANGE = st.tuples(
    st.integers(0, 400),
    st.sampled_from(["a", "b", " b\u00a0", "none", "", "light.unavailable", "b\u0301"]),
    st.sampled_from(["anna", "ben "]),
    st.sampled_from(["user", "agent", "reading", ""]),
    st.sampled_from(["", "1", "unavailable", "NaN"]),  # of a reading, no value says nothing
    st.sampled_from(["h1", "h2", ""]),
)


@quick
@given(st.lists(STRANGE, max_size=30), st.sampled_from(["csv", "jsonl"]))
def test_every_line_is_kept_or_counted(tmp_path, rows, kind):
    rows = [
        (0, "a", "anna", "user", "", "h1"),
        (1, "b", "anna", "user", "", "h1"),
        *((2 + row[0], *row[1:]) for row in sorted(rows)),
    ]
    start, written = datetime.datetime(2026, 3, 29, 1, 57), []  # the clock is put forward at 02:00
    for seconds, *cells in rows:
        time = (start + datetime.timedelta(seconds=seconds)).isoformat()
        written.append(dict(zip(("time", "action", "user", "kind", "value", "home"), (time, *cells), strict=True)))
    write(tmp_path / "x", kind, written)
    log, left_out = FORMATS[kind](str(tmp_path / "x"), home="h1", zone="Europe/Berlin")
    assert len(log) + sum(left_out.values()) == len(written)
    assert set(log.vocabulary.actions) <= {"none", "a", "b", "b\u0301"}
    assert log.meta["users"] in (["anna"], ["anna", "ben"])


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_what_is_read_otherwise_than_it_is_told_is_told(read, kind):
    cells = ["02:30:00,anna,a", "03:40:00,anna,b", "03:41:00,anna\u00a0,b\u00a0\u00a0x", "03:42:00,anna,b x"]
    text = "time,user,action,value,kind\n" + "".join(f"2026-03-29T{row},,\n" for row in cells)
    log, left_out = read(text if kind == "csv" else jsonl(text), kind, zone="Europe/Berlin")
    assert left_out == {}
    assert log.meta["zone"] == "Europe/Berlin"
    names = 1 if kind == "csv" else 2  # a cell's own ends are cut in a table
    told = {"local time(s) in an hour that the clock skips, read as the moment at which it does": 1}
    assert log.meta["told"] == told | {"name(s) written in several ways (spaces, Unicode), read as one": names}
    assert log.vocabulary.actions == ("none", "a", "b", "b x")


def test_a_stray_row_is_left_out_and_counted(read):
    days = "".join(f"2026-01-{d:02d}T{h:02d}:00:00,anna,{a}\n" for d in range(5, 15) for h, a in ((7, "x"), (20, "y")))
    log, left_out = read("time,user,action\n2025-03-01T00:00:05,anna,x\n" + days, zone="Europe/Berlin")
    assert (len(log), left_out) == (20, {"row(s) at a time far off: 2025-03-01": 1})
    assert log.meta["start"] == "2026-01-05"


def test_an_activity_that_ends_far_from_all_others_is_left_out(read):
    days = [f"2026-01-{d:02d}T{h:02d}:00:00,anna,{a}," for d in range(5, 15) for h, a in ((7, "x"), (20, "y"))]
    rows = "".join(row + ("3600" if i != 5 else str(250 * 86_400)) + "\n" for i, row in enumerate(days))
    log, left_out = read("time,user,action,duration\n" + rows, zone="Europe/Berlin")
    assert (len(log), left_out) == (19, {"row(s) at a time far off: 2026-09-14": 1})


@quick
@given(st.lists(ROW, min_size=2, max_size=30), st.sampled_from(["csv", "jsonl"]))
def test_a_written_log_comes_back(tmp_path, rows, kind):
    if len({a for _, _, a, k, _ in rows if k in ("user", "agent")}) < 2 or "user" not in {r[3] for r in rows}:
        return
    when, written = datetime.datetime(2023, 12, 31, 22, tzinfo=datetime.timezone(datetime.timedelta(hours=-3))), []
    for pause, user, action, what, value in rows:
        when += datetime.timedelta(seconds=pause)
        written.append({"time": when.isoformat(), "user": user, "action": action, "kind": what, "value": value})
    write(tmp_path / "x", kind, written)
    log, left_out = FORMATS[kind](str(tmp_path / "x"), split="days")
    assert len(log) + sum(left_out.values()) == len(written)
    if left_out:
        return
    monday = datetime.datetime.fromisoformat(log.meta["start"])
    names = {"user": log.vocabulary.actions, "agent": log.vocabulary.actions}
    names |= {"sensor": log.vocabulary.sensors, "reading": log.vocabulary.readings}
    for event, row in zip(log.events(), written, strict=True):
        wall = datetime.datetime.fromisoformat(row["time"]).replace(tzinfo=None)
        assert monday + datetime.timedelta(seconds=event.time) == wall
        assert names[row["kind"]][event.token] == clean(row["action"])
        assert log.meta["users"][event.user] == clean(row["user"])
        assert event.value == row["value"] or (row["value"] is None and np.isnan(event.value))


@pytest.mark.parametrize(
    ("users", "days", "split"), [(8, 9, None), (9, 9, "per_user"), (9, 2, "per_user"), (9, 1, "sessions"), (1, 9, None)]
)
def test_more_users_than_live_in_a_home_are_streams(read, users, days, split):
    rows = [
        f"2026-01-{5 + d:02d}T{u + 8:02d}:00:00,u{u},{'xy'[(d + u) % 2]}\n" for d in range(days) for u in range(users)
    ]
    log, _ = read("time,user,action\n" + "".join(rows), zone="Europe/Berlin")
    assert len(log.worlds) == (users if split else 1)
    assert log.meta.get("streams") == (split or ("days" if users > 1 else None))
    assert log.timer is None if split else log.timer


def test_rows_of_which_some_say_their_offset_are_sorted_by_the_moment(read):
    rows = ["2026-01-05T08:10:00,ann,a", "2026-01-05T07:30:00Z,ann,b", "2026-01-05T07:05:00Z,ann,c"]
    log, _ = read("time,user,action\n" + "\n".join(rows) + "\n", zone="Europe/Berlin", sort=True)
    assert [log.vocabulary.actions[token] for token in log.token] == ["c", "a", "b"]
