"""Tables whose columns are called otherwise, and their other forms."""

import gzip
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lam_env.core.events import LogError
from lam_env.logs.coverage import said
from lam_env.logs.decision_points import decision_points
from lam_env.logs.formats.table import FORMATS
from lam_env.logs.input.csv_files import WITHIN
from lam_env.logs.input.numbers import clocks
from lam_env.logs.input.roles import roles_of
from lam_env.logs.local_time import read_times
from lam_env.logs.streams import split_by_protocol
from lam_env.logs.tables import BACKWARDS

HISTORY = """entity_id;state;last_changed
light.kitchen;off;2026-01-05T06:00:00.000Z
light.kitchen;unavailable;2026-01-05T06:30:00.000Z
light.kitchen;on;2026-01-05T06:41:09.007Z
light.hall;idle;2026-01-05T06:42:00.000Z
"""
MONDAY_7 = 7 * 3600


@pytest.fixture
def read(tmp_path):
    def read(text, kind="csv", **options):
        path = tmp_path / f"home.{kind}"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return FORMATS[kind](str(path), **options)

    return read


def events(log):
    """(time, user, action, value) of each."""
    users = log.meta["users"]
    return [(e.time, users[e.user], log.vocabulary.actions[e.token], e.value) for e in log.events()]


def test_columns_are_named_and_joined(read):
    told = {"columns": "time:last_changed,action:{entity_id}.{state}", "sep": ";", "zone": "Europe/Berlin"}
    log, left_out = read(HISTORY, ignore=("idle",), **told)
    assert [(t, u, a) for t, u, a, _ in events(log)] == [
        (MONDAY_7, "0", "light.kitchen.off"),
        (MONDAY_7 + 41 * 60 + 9, "0", "light.kitchen.on"),
    ]
    assert left_out == {
        "line(s) of states to ignore": 1,
        "state(s) without a meaning (unavailable, unknown, null, undef, nan)": 1,
    }


@pytest.mark.parametrize("sep", [";", "semicolon"])
def test_a_separator_may_be_spelt(read, sep):
    assert len(read(HISTORY, columns="time:last_changed,action:{entity_id}.{state}", sep=sep, zone="UTC")[0]) == 3


def test_a_file_without_a_header_has_columns_by_number(read):
    log, _ = read(
        "3 a 1767596400\n3 b 1767600000\n\n7 a 1767603600\n", sep="space", columns="user:1,action:2,time:3", zone="UTC"
    )
    assert events(log)[-1][:3] == (9 * 3600, "7", "a")
    assert log.meta["users"] == ["3", "7"]


@pytest.mark.parametrize(
    ("action", "names", "left_out"),
    [
        ("{device}.{state}", {"tv.on", "hob.off"}, 3),
        ("{device}{state}", {"tvon", "tv", "hoboff", "on"}, 1),
        ("{device} {state}", {"tv on", "tv", "hob off", "on"}, 1),  # as transactions of a bank
    ],
)
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_device_without_a_state_and_a_state_without_a_device_say_nothing(read, kind, action, names, left_out):
    cells = [("tv", "on"), ("tv", ""), ("", "on"), (" ", " "), ("hob", "off")]
    rows = [{"t": f"2026-01-05T0{i}:00:00", "device": d, "state": s} for i, (d, s) in enumerate(cells)]
    text = "t,device,state\n" + "\n".join(",".join(row.values()) for row in rows)
    text = text if kind == "csv" else "\n".join(map(json.dumps, rows))
    log, counted = read(text, kind, columns=f"time:t,action:{action}", zone="UTC")
    assert set(log.vocabulary.actions[1:]) == names
    assert counted == {"line(s) without an action": left_out}


@given(kinds=st.lists(st.sampled_from(["user", "agent", "sensor", "reading", "feedback", ""]), min_size=1, max_size=9))
def test_all_rows_of_a_file_are_accounted_for(tmp_path_factory, kinds):
    kinds = ["user", *kinds]
    rows = [f"2026-01-05T07:{i:02}:00,{kind},a,{5 if kind == 'reading' else ''}" for i, kind in enumerate(kinds)]
    path = tmp_path_factory.mktemp("rows") / "x.csv"
    path.write_text("\n".join(["time,kind,action,value", *rows, "2026-01-05T08:00:00,user,,"]))
    log, left_out = FORMATS["csv"](str(path), zone="UTC")
    lines = said(log, left_out)
    users = sum(kind in ("user", "") for kind in kinds)
    further = [line.partition(": ")[2] for line in lines if line.startswith("further rows")]
    told = sum(int(part.split()[0]) for line in further for part in line.split(", "))
    assert users + told == len(kinds)
    assert "left out: 1 line without an action" in lines


def test_tabs_and_gzip(read):
    text = "SessionId\tItemId\tTime\n1\t214\t1767596400.94\n1\t216\t1767600000.5\n"
    log, _ = read(gzip.compress(text.encode()), "tsv", columns="time:Time,user:SessionId,action:ItemId", zone="UTC")
    assert [(t, a) for t, _, a, _ in events(log)] == [(MONDAY_7, "214"), (MONDAY_7 + 3600, "216")]


def test_a_start_and_an_end_are_an_activity(read):
    rows = ["2026-01-05 08:00:00,2026-01-05 08:20:00,tea", "2026-01-05 09:00:00,2026-01-05 08:00:00,tv"]
    rows += ["2026-01-05 10:00:00,2026-01-05 10:00:30,tv", "2026-01-05 11:00:00,,tv"]
    log, left_out = read("from,to,action\n" + "\n".join(rows), columns="time:from,end:to,action:action", zone="UTC")
    assert log.intervals
    assert [(t - MONDAY_7, a, v) for t, _, a, v in events(log)] == [
        (3600, "tea", 1200),
        (2 * 3600, "tv", 0),
        (3 * 3600, "tv", 30),
    ]
    assert left_out == {"activity(ies) without a duration": 1}
    assert log.meta["told"] == {BACKWARDS: 1}


def test_a_duration_may_say_its_unit(read):
    rows = "930101,tea,90\n930102,tea,1.5 h\n930103,tv,2 min\n930104,tv,30 s\n930105,tv,\n930106,tv,1e1\n"
    told = {"columns": "time:date,action:what,duration:long", "time_format": "%y%m%d"}
    log, left_out = read("date,what,long\n" + rows, **told)
    assert (log.value.tolist(), sum(left_out.values())) == ([90, 5400, 120, 30, 10], 1)
    with pytest.raises(LogError, match=r"line 3: duration '2 days' is not a finite number"):
        read("date,what,long\n930101,tea,1 h\n930102,tv,2 days\n", **told)
    told["columns"] = "time:date,action:what,duration:{long} min"
    rows = "930101,tea,64.0\n930102,tv,\n930103,tv,2"
    assert read("date,what,long\n" + rows, **told)[0].value.tolist() == [3840, 120]


def test_an_end_of_another_offset_is_a_moment(read):
    """The clock is put back at night: she sleeps an hour longer than the clock shows."""
    rows = "2026-10-24T23:00:00+02:00,2026-10-25T07:00:00+01:00,sleep\n"
    rows += "2026-10-25T08:00:00+01:00,2026-10-25T08:10:00+01:00,tea\n"
    log, _ = read("time,end,action\n" + rows, columns="time:time,end:end,action:action", zone="Europe/Berlin")
    assert log.value.tolist() == [9 * 3600, 600]


def test_days_and_minutes_are_times(read):
    rows = "1,17,4,90,3\n1,18,4,1000.5,3\n2,17,11,0,3\n"
    told = "user:who,action:place,day:day,minute:min"
    log, _ = read("who,place,day,min,weekday\n" + rows, columns=told)
    assert log.time.tolist() == [(4 * 1440 + 90) * 60, (4 * 1440 + 1000) * 60 + 30, 4 * 86_400 + 7 * 86_400]
    moved, _ = read("who,place,day,min,weekday\n" + rows, columns=told + ",weekday:weekday")
    assert (moved.time - log.time).tolist() == [-86_400] * 3  # day 4 is a Thursday
    with pytest.raises(LogError, match="time_format without a column of time says nothing; leave it away"):
        read("who,place,day,min,weekday\n" + rows, columns=told, time_format="%d.%m.%Y")


def test_times_in_a_form_of_ones_own(read):
    rows = "1/5/2026 8:00:00 AM,anna,on\n1/5/2026 9:12:00 PM,anna,off\n"
    log, _ = read("time,user,action\n" + rows, time_format="%m/%d/%Y %I:%M:%S %p", zone="Europe/Berlin")
    assert log.time.tolist() == [8 * 3600, 21 * 3600 + 12 * 60]
    with pytest.raises(LogError, match=r"line 3: '5.1.2026' is not as time_format=%m/%d/%Y %H says; correct one"):
        read("time,user,action\n1/5/2026 7,anna,on\n5.1.2026,anna,off\n", time_format="%m/%d/%Y %H", zone="UTC")


@pytest.mark.parametrize("times", [("2026010507", "2026010519", "2026010607"), ("2501050700", "2501051930")])
def test_dates_without_separators_are_no_seconds(read, times):
    """In bounds as seconds: the years 2034 and 2049."""
    rows = "".join(f"{time},anna,{what}\n" for time, what in zip(times, "aba", strict=False))
    with pytest.raises(LogError, match=r"times like .* are dates without separators, or seconds since 1970"):
        read("time,user,action\n" + rows, zone="UTC")


def test_rows_in_any_order_are_sorted_when_told(read):
    text = (
        "time,user,action\n2026-01-05T08:00:00,anna,home\n2026-01-09T09:00:00,anna,work\n2026-01-05T07:30:00,ben,home\n"
    )
    with pytest.raises(LogError, match=r"line 4: its time is before that of the line above; .* or sort=yes"):
        read(text, zone="UTC")
    log, _ = read(text, zone="UTC", sort=True)
    assert [(u, a) for _, u, a, _ in events(log)] == [("ben", "home"), ("anna", "home"), ("anna", "work")]


def test_a_missing_duration_costs_one_row(read):
    rows = "2026-01-05T08:00:00,anna,tea,300\n2026-01-05T09:00:00,anna,tv,\n2026-01-05T10:00:00,anna,tv,60\n"
    log, left_out = read("time,user,action,duration\n" + rows, zone="UTC")
    assert (len(log), left_out) == (2, {"activity(ies) without a duration": 1})


def test_parquet_holds_numbers_times_and_names(tmp_path):
    times = pa.array([1767596400000, 1767600000000], pa.timestamp("ms", "UTC"))
    names = pa.array(["a", "b"]).dictionary_encode()
    table = pa.table({"at": times, "who": [3, 3], "What": names, "long": [1.5, 2.0]})
    pq.write_table(table, tmp_path / "log.parquet")
    columns = "time:at,user:who,action:what,duration:long"
    log, _ = FORMATS["parquet"](str(tmp_path / "log.parquet"), columns=columns, zone="UTC")
    assert events(log) == [(MONDAY_7, "3", "a", 1.5), (MONDAY_7 + 3600, "3", "b", 2.0)]
    table = table.set_column(1, "who", pa.array([[1], [2]]))
    pq.write_table(table, tmp_path / "log.parquet")
    with pytest.raises(LogError, match=r"column who holds list<.*neither text nor numbers; give another"):
        FORMATS["parquet"](str(tmp_path / "log.parquet"), columns=columns, zone="UTC")


def test_what_is_no_parquet(read):
    with pytest.raises(LogError, match="not a Parquet file, or a damaged one"):
        read("time,user,action\n", "parquet")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, r"line 1: one column only, 'entity_id;state;last_changed'; settings: sep=semicolon"),
        ({"sep": ";"}, "no column time, action; .* or say which they are: columns=time:last_changed"),
        ({"columns": "when:a"}, "no role 'when'; there are time, end"),
        ({"columns": "usr:a"}, "no role 'usr'; did you mean 'user'"),
        ({"columns": "time"}, "time has no column"),
        ({"columns": "time:a,time:b"}, "time is given twice"),
        (
            {"columns": "time:last_chnged,action:state", "sep": ";"},
            "no column 'last_chnged'; did you mean 'last_changed'",
        ),
        ({"columns": "time:state", "sep": ";"}, "no column action"),
        ({"columns": "time:state,action:state,end:state,duration:state", "sep": ";"}, "an end and a duration both"),
        ({"columns": "day:state,action:state", "sep": ";"}, "day and minute go together"),
        ({"sep": "; "}, "give one sign, or tab, semicolon, comma, bar, space"),
        ({"columns": "time:last_changed,action:state"}, r"no column last_changed, state; or is it sep=semicolon\?"),
        ({"columns": "time:last_changed,action:state", "sep": "|"}, r"or is it sep=semicolon\?"),
        ({"columns": "user:1,action:4,time:2", "sep": ";"}, "no column '4'; there are 1, 2, 3"),
    ],
)
def test_faults_of_columns_are_told_in_one_line(read, options, message):
    with pytest.raises(LogError, match=message) as caught:
        read(HISTORY, zone="UTC", **options)
    assert "\n" not in str(caught.value)


def test_braces_keep_their_commas():
    roles = roles_of("action:{a}, {b},time: At ")
    assert (roles["action"].parts, roles["time"].parts) == (("", "a", ", ", "b", ""), ("", "at", ""))


def test_what_is_fast_says_what_is_slow():
    """Cells that Arrow reads in one piece, read one by one."""
    for cells in (
        ["2026-01-05T07:00:00+01:00", "2026-07-05 07:00:00.25+02:00", "2026-07-05T07:00-05:30"],
        ["2026-01-05T07:00:00Z", "2026-01-05T07:00:00.123456Z"],
        ["2026-01-05T07", "2026-01-05 07:01"],
        ["1767596400", "1767596400.5", "1.7675964e9"],
    ):
        fast, slow = clocks(pa.array(cells), None, str), read_times(cells, str)
        assert (fast.time.tolist(), fast.offset.tolist()) == (slow.time.tolist(), slow.offset.tolist())


MOMENT = st.datetimes().map(lambda t: t.isoformat())
TIME = st.one_of(
    MOMENT,
    st.tuples(MOMENT, st.sampled_from(["Z", "+01:00", "-05:30", "+0100", "+25:00", "z", "+01:99"])).map("".join),
    st.floats(0, 5e9).map(repr),
    st.integers(-5, 5_000_000_000).map(str),
    st.text("0123456789-:T Z+.", max_size=22),
)


@given(st.lists(TIME, min_size=1, max_size=3))
def test_fast_and_slow_times_agree_on_anything(cells):
    cells = [cell.strip() for cell in cells]

    def read(function, given):
        try:
            found = function(given)
        except LogError as error:
            return str(error)
        return found.time.tolist(), found.offset.tolist()

    assert read(lambda c: clocks(pa.array(c), None, str), cells) == read(lambda c: read_times(c, str), cells)


def test_many_rows_come_in_several_pieces(read):
    """More than a block of the reader: no row is lost or counted wrongly between them."""
    n = 60_000
    at = np.arange(n) * 60 + 1767596400
    lines = [f"{t},anna,{'ab'[i % 2]}{'x' * 30}" for i, t in enumerate(at.tolist())]
    lines.insert(50_000, "")
    log, left_out = read("time,user,action\n" + "\n".join(lines), zone="UTC")
    assert (len(log), left_out) == (n, {"empty line(s)": 1})
    assert log.time.tolist() == (at - at[0] + MONDAY_7).tolist()
    lines[59_000] = "soon,anna,a"
    with pytest.raises(LogError, match="line 59002: 'soon' is not an ISO 8601 time"):
        read("time,user,action\n" + "\n".join(lines), zone="UTC")


PLACES = "time,user,action,duration\n" + "".join(
    f"2026-01-{day:02d}T{hour:02d}:00:00,{who},{what},600\n"
    for day in range(5, 25)
    for hour, who, what in ((7, "anna", "home"), (8, "ben", "home"), (9, "anna", "work"), (10, "ben", "gym"))
)


@pytest.mark.parametrize(
    ("split", "worlds", "held"),
    [
        (None, 2, "each"),
        ("per_user", 2, "each"),
        ("users", 2, "streams"),
        ("days", 1, "days"),
        ("sessions", 2, "streams"),
    ],
)
def test_users_are_streams_or_one(read, split, worlds, held):
    log, _ = read(PLACES, zone="UTC", split=split)
    assert (len(log.worlds), log.protocol.split, log.timer) == (worlds, held, None)
    of = [log.meta["users"][w] for w in log.world] if worlds == 2 and split != "sessions" else None
    if of is not None:
        assert {who for who, token in zip(of, log.token, strict=True) if log.vocabulary.actions[token] == "gym"} == {
            "ben"
        }
    assert len(log.end) == worlds


def test_of_each_user_the_last_days_test(read):
    late = PLACES.replace("ben", "cleo").replace("2026-01", "2026-03").partition("\n")[2]
    log, _ = read(PLACES + late, zone="UTC", sort=True)
    points = decision_points(log, soon=False)
    parts = split_by_protocol(log, points)
    assert [[int(part[points.world == w].sum()) for part in parts] for w in log.worlds] == [[55, 8, 16]] + [
        [27, 4, 8]
    ] * 2
    assert (points.world[1:] == points.world[:-1])[np.any(parts, axis=0)[:-1]].all()


def test_commands_of_several_people_are_one_stream_unless_told(read):
    text = PLACES.replace(",duration", "").replace(",600", "")
    whole, _ = read(text, zone="UTC")
    assert (len(whole.worlds), whole.protocol.split, whole.timer) == (1, "days", 300)
    assert [whole.meta["users"][e.user] for e in whole.events()][:3] == ["anna", "ben", "anna"]
    each, _ = read(text, zone="UTC", split="per_user")
    assert (len(each.worlds), each.timer) == (2, None)


def test_sessions_stand_in_the_order_in_which_they_began(read):
    rows = "2026-01-05T08:00:00,s9,a\n2026-01-05T08:01:00,s1,b\n2026-01-05T08:02:00,s9,b\n"
    log, _ = read("time,user,action\n" + rows, zone="UTC", split="sessions")
    assert [(int(w), log.vocabulary.actions[t]) for w, t in zip(log.world, log.token, strict=True)] == [
        (0, "a"),
        (0, "b"),
        (1, "b"),
    ]
    assert "users" not in log.meta


def test_a_form_with_an_offset_is_a_moment(read):
    rows = "5.1.2026 06:00 +0000,a\n5.1.2026 08:30 +0100,b\n"
    told = {"columns": "time:at,action:what", "zone": "Europe/Berlin"}
    log, _ = read("at,what\n" + rows, time_format="%d.%m.%Y %H:%M %z", **told)
    assert log.time.tolist() == [MONDAY_7, MONDAY_7 + 5400]
    log, _ = read("at,what\n05.01.2026 06:00Z,a\n05.01.2026 07:00Z,b\n", time_format="%d.%m.%Y %H:%MZ", **told)
    assert log.time.tolist() == [MONDAY_7, MONDAY_7 + 3600]


def test_dates_alone_leave_what_is_done_twice_on_a_day(read):
    """A statement of a bank; nothing has to say where it was."""
    rows = "930102,a,in\n930101,a,out\n930101,a,in\n930101,a,in\n"
    told = {"columns": "time:date,user:who,action:what", "time_format": "%y%m%d", "sort": True}
    log, left_out = read("date,who,what\n" + rows, **told)
    assert [(t % 86_400, a) for t, _, a, _ in events(log)] == [(0, "out"), (0, "in"), (0, "in"), (0, "in")]
    assert (np.diff(log.time).tolist(), left_out) == ([0, 0, 86_400], {})
    assert said(log, {})[1] == "time_format has no hour: rows of a day are in the order of the file"


@pytest.mark.parametrize("form", ["%m/%d %H:%M", "%d.%m.%Y %I:%M", "%s"])
def test_a_form_that_leaves_too_much_open_is_refused(read, form):
    with pytest.raises(LogError, match=f"time_format={form}: has"):
        read("time,user,action\n1,a,b\n", time_format=form, zone="UTC")


def test_lines_in_a_cell_that_is_not_read_are_counted(read):
    text = 'time,action,note\n2026-01-05T07:00,a,\n2026-01-05T08:00,b,"x\n2026-01-05T09:00,a,\n2026-01-05T10:00,b,y"\n'
    log, left_out = read(text, columns="time:time,action:action", zone="UTC")
    assert (len(log), left_out) == (2, {WITHIN: 2})


def test_a_brace_without_a_partner(read):
    for told in ("time:time,action:{action", "time:time,action:action}"):
        with pytest.raises(
            LogError, match="a brace of action has no partner; a brace of a column's name is written twice"
        ):
            read(HISTORY, columns=told, zone="UTC")


@pytest.mark.parametrize(
    ("told", "action"), [("{{what}}", "tea"), ("{{{what}}}.{state}", "tea.on"), ("{state} {{{what}}}", "on tea")]
)
def test_a_brace_of_a_columns_name_is_written_twice(read, told, action):
    text = "time,{what},state\n2026-01-05T07:00,tea,on\n2026-01-05T08:00,tv,on\n"
    log, _ = read(text, columns=f"time:time,action:{told}", zone="UTC")
    assert action in log.vocabulary.actions
